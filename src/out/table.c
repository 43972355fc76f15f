/* out/table.c - see table.h. */
#include "out/table.h"

#include <string.h>

#include "base/intern.h"
#include "out/units.h"

wb_buf *out_cell(out_table *t, const char *style)
{
	if (!wb_vec_add(&t->cells, (struct out_cell){ t->text.n, style }))
		t->failed = true;
	return &t->text;
}

static wb_text title(const out_table *t, size_t col)
{
	return (wb_text){ t->columns[col].title, strlen(t->columns[col].title) };
}

static wb_text cell(const out_table *t, size_t i)
{
	size_t from = t->cells.at[i].from, end = i + 1 < t->cells.n ? t->cells.at[i + 1].from : t->text.n;
	return (wb_text){ t->text.at + from, end - from };
}

static void widths(const out_table *t, size_t width[OUT_COLUMNS_MAX])
{
	for (size_t c = 0; c < t->n_columns; c++)
		width[c] = out_width(title(t, c).at, title(t, c).n);
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t w = out_width(cell(t, i).at, cell(t, i).n);
		if (w > width[i % t->n_columns])
			width[i % t->n_columns] = w;
	}
}

static void spaces(wb_buf *b, size_t n)
{
	while (n-- > 0)
		wb_buf_putc(b, ' ');
}

/* One field of a row; nothing is padded behind the last one. */
static void field(const out_table *t, wb_buf *b, size_t col, size_t width, wb_text s, const char *style,
	const char *plain)
{
	size_t gap = width - out_width(s.at, s.n);
	spaces(b, (col ? 2 : 0) + (t->columns[col].side == OUT_RIGHT ? gap : 0));
	wb_buf_puts(b, style);
	wb_buf_put(b, s.at, s.n);
	wb_buf_puts(b, style[0] ? plain : "");
	if (t->columns[col].side == OUT_LEFT && col + 1 < t->n_columns)
		spaces(b, gap);
}

void out_table_print(const out_table *t, wb_buf *b, const char *indent, const char *title_style, const char *plain)
{
	if (t->failed || t->text.failed) {
		b->failed = true;
		return;
	}
	size_t width[OUT_COLUMNS_MAX] = { 0 };
	widths(t, width);
	wb_buf_puts(b, indent);
	for (size_t c = 0; c < t->n_columns; c++)
		field(t, b, c, width[c], title(t, c), title_style, plain);
	wb_buf_putc(b, '\n');
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t c = i % t->n_columns;
		if (c == 0)
			wb_buf_puts(b, indent);
		field(t, b, c, width[c], cell(t, i), t->cells.at[i].style, plain);
		if (c + 1 == t->n_columns)
			wb_buf_putc(b, '\n');
	}
}

void out_table_free(out_table *t)
{
	wb_buf_free(&t->text);
	wb_vec_free(&t->cells);
}
