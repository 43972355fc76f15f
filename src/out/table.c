/* out/table.c - see table.h. */
#include "out/table.h"

#include <string.h>

#include "out/units.h"

wb_buf *out_cell(out_table *t, const char *style)
{
	if (!wb_vec_add(&t->cells, (struct out_cell){ t->text.n, style }))
		t->failed = true;
	return &t->text;
}

static size_t cell_end(const out_table *t, size_t i)
{
	return i + 1 < t->cells.n ? t->cells.at[i + 1].from : t->text.n;
}

static void spaces(wb_buf *b, size_t n)
{
	while (n-- > 0)
		wb_buf_putc(b, ' ');
}

/* One field of a row; nothing is padded behind the last one. */
static void field(const out_table *t, wb_buf *b, size_t col, size_t width, const char *at, size_t n, const char *style, const char *plain)
{
	size_t gap = width - out_width(at, n);
	spaces(b, (col ? 2 : 0) + (t->columns[col].side == OUT_RIGHT ? gap : 0));
	wb_buf_puts(b, style);
	wb_buf_put(b, at, n);
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
	for (size_t c = 0; c < t->n_columns; c++)
		width[c] = out_width(t->columns[c].title, strlen(t->columns[c].title));
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t w = out_width(t->text.at + t->cells.at[i].from, cell_end(t, i) - t->cells.at[i].from);
		if (w > width[i % t->n_columns])
			width[i % t->n_columns] = w;
	}
	wb_buf_puts(b, indent);
	for (size_t c = 0; c < t->n_columns; c++)
		field(t, b, c, width[c], t->columns[c].title, strlen(t->columns[c].title), title_style, plain);
	wb_buf_putc(b, '\n');
	for (size_t i = 0; i < t->cells.n; i++) {
		const struct out_cell *cell = &t->cells.at[i];
		if (i % t->n_columns == 0)
			wb_buf_puts(b, indent);
		field(t, b, i % t->n_columns, width[i % t->n_columns], t->text.at + cell->from, cell_end(t, i) - cell->from, cell->style, plain);
		if ((i + 1) % t->n_columns == 0)
			wb_buf_putc(b, '\n');
	}
}

void out_table_free(out_table *t)
{
	wb_buf_free(&t->text);
	wb_vec_free(&t->cells);
}
