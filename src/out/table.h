/* out/table.h - columns of text that line up.
 *
 *	out_table t = { .columns = { { "name", OUT_LEFT }, { "time", OUT_RIGHT } }, .n_columns = 2 };
 *	out_duration(out_cell(&t, ""), 1500);
 *	...
 *	out_table_print(&t, &buf, "  ", "", "");
 *	out_table_free(&t);
 *
 * Cells come row by row.  When memory runs out, printing sets the buffer's `failed`.
 *
 * With a `limit` no line is longer than so many columns.  Where there is not enough room, in this order: columns that
 *say nothing are left out, names are cut (out/fit.h: what tells them apart stays), titles are put on several lines,
 *spare columns are left out, which a last line says, columns come closer; and if all of that is not enough, rows take
 *several lines.
 */
#ifndef OUT_TABLE_H
#define OUT_TABLE_H

#include "base/buf.h"
#include "base/vec.h"

enum { OUT_COLUMNS_MAX = 16, OUT_LIMIT_MIN = 20 };

typedef enum out_side {
	OUT_LEFT,
	OUT_RIGHT,
	OUT_NAME,  /* on the left; may be cut */
	OUT_SPARE, /* on the right; may be left out */
} out_side;

typedef struct out_table {
	struct {
		const char *title;
		out_side    side;
	} columns[OUT_COLUMNS_MAX];
	size_t n_columns;
	size_t limit;      /* columns of a line at most; 0: as many as it takes, fewer than OUT_LIMIT_MIN are so many */
	wb_buf text;       /* of all cells */
	bool   failed;
	WB_VEC(struct out_cell { size_t from; const char *style; }) cells;
} out_table;

/* Begins the next cell and returns where its text goes.  `style` is put before it, unseen by the layout ("" for none),
 * and must live until the table has been printed. */
wb_buf *out_cell(out_table *t, const char *style);

/* Appends the table: its titles (in `title_style`), then the rows; `plain` ends a style. */
void out_table_print(const out_table *t, wb_buf *b, const char *indent, const char *title_style, const char *plain);
void out_table_free(out_table *t);

#endif
