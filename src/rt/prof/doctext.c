/* rt/prof/doctext.c - profiles as text, in the form of Go's debug=1; see doc.h. */
#include "rt/prof/doc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/quote.h"

typedef struct order {
	int64_t value;
	uint32_t row;
} order;

/* Most first; equal ones as they were first seen. */
static int most_first(const void *a, const void *b)
{
	const order *x = a, *y = b;
	return x->value != y->value ? (x->value < y->value) - (x->value > y->value)
				    : (x->row > y->row) - (x->row < y->row);
}

static void put_labels(const weft__prof_stack *s, wb_buf *b)
{
	const char *at = s->labels;
	if (s->n_labels == 0)
		return;
	wb_buf_puts(b, "# labels: {");
	for (size_t i = 0; i < 2 * s->n_labels; i++, at += strlen(at) + 1) {
		wb_buf_puts(b, i == 0 ? "" : i % 2 ? ":" : ", ");
		wf_quote(b, at, strlen(at));
	}
	wb_buf_puts(b, "}\n");
}

static void put_frames(const weft__prof_doc *d, weft__prof_names *names, uintptr_t pc, wb_buf *b)
{
	const weft__tr_frame *f;
	size_t n = weft__prof_names_at(names, pc, &f);
	if (n == 0)
		wb_buf_printf(b, "#\t%#" PRIxPTR "\n", pc - 1);
	for (size_t i = weft__prof_doc_line(d, f, n); i < n; i++)
		wb_buf_printf(b, "#\t%#" PRIxPTR "\t%s\t%s:%" PRIu32 "\n", pc - 1, f[i].func, f[i].file, f[i].line);
}

static void put_row(const weft__prof_doc *d, weft__prof_names *names, const weft__prof_table *t, uint32_t i, wb_buf *b)
{
	weft__prof_stack s;
	weft__prof_stack_of(t, i, &s);
	d->kind->numbers(&t->rows.at[i], b);
	wb_buf_puts(b, " @");
	for (size_t k = 0; k < s.n; k++)
		wb_buf_printf(b, " %#" PRIxPTR, s.pcs[k]);
	wb_buf_putc(b, '\n');
	put_labels(&s, b);
	for (size_t k = 0; k < s.n; k++)
		put_frames(d, names, s.pcs[k], b);
	wb_buf_putc(b, '\n');
}

/* Rows in the order in which they are shown; NULL: out of memory. */
static order *sorted(const weft__prof_table *t, int by)
{
	size_t end = weft__prof_rows_end(t);
	order *rows = wb_malloc((end + 1) * sizeof(*rows));
	for (uint32_t i = 1; rows && i < end; i++)
		rows[i - 1] = (order){ t->rows.at[i].v[by], i };
	if (rows && end > 1)
		qsort(rows, end - 1, sizeof(*rows), most_first);
	return rows;
}

bool weft__prof_doc_text(const weft__prof_doc *d, wb_buf *b)
{
	weft__prof_names names;
	weft__prof_table t;
	weft__prof_names_open(&names);
	weft__prof_doc_shown(d, &names, &t);
	order *rows = sorted(&t, d->kind->order);
	bool ok = rows != NULL && !t.failed;
	d->kind->head(d, b);
	for (size_t i = 1; ok && i < weft__prof_rows_end(&t); i++)
		put_row(d, &names, &t, rows[i - 1].row, b);
	wb_free(rows);
	weft__prof_table_free(&t);
	weft__prof_names_close(&names);
	return ok && !b->failed;
}
