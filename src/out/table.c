/* out/table.c - see table.h. */
#include "out/table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "out/fit.h"
#include "out/units.h"

/* Names are not made shorter than NARROW columns where columns of numbers can be put closer or left out instead, and
 * never than LEAST: then a row takes several lines. */
enum { NARROW = 28, LEAST = 16, INDENT = 4 };

/* How a table is put into the columns there are. */
typedef struct layout {
	size_t width[OUT_COLUMNS_MAX];
	unsigned line[OUT_COLUMNS_MAX]; /* of a row; 0 the first */
	bool left_out[OUT_COLUMNS_MAX];
	size_t limit, gap;
	bool broken_titles; /* into words, one below the other */
	unsigned lines;
	const char *indent, *title_style, *plain;
	out_fitted *fitted; /* of all cells, when names are cut; else NULL */
} layout;

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

static bool right(const out_table *t, size_t col)
{
	return t->columns[col].side == OUT_RIGHT || t->columns[col].side == OUT_SPARE;
}

/* ---- titles of several lines ---- */

static bool ends_word(char c)
{
	return c == ' ' || c == '_' || c == 0;
}

/* The words of a title from *at on that fit into `width`, one at least; moves *at to the next one. */
static wb_text title_line(const out_table *t, size_t col, size_t width, size_t *at)
{
	const char *s = t->columns[col].title + *at;
	size_t n = 0;
	for (size_t k = 0; *s; k++) {
		if (!ends_word(s[k]))
			continue;
		if (n == 0 || out_width(s, k) <= width)
			n = k;
		if (n != k || s[k] == 0)
			break;
	}
	*at += n + (s[n] != 0);
	return (wb_text){ s, n };
}

static size_t title_lines(const out_table *t, size_t col, size_t width)
{
	size_t n = 0, at = 0;
	do {
		title_line(t, col, width, &at);
		n++;
	} while (t->columns[col].title[at]);
	return n;
}

static size_t title_width(const out_table *t, size_t col, bool broken)
{
	size_t w = 0, at = 0;
	if (!broken)
		return out_width(title(t, col).at, title(t, col).n);
	do {
		wb_text s = title_line(t, col, 0, &at);
		w = out_width(s.at, s.n) > w ? out_width(s.at, s.n) : w;
	} while (t->columns[col].title[at]);
	return w;
}

/* ---- widths ---- */

static void widths(const out_table *t, layout *l)
{
	for (size_t c = 0; c < t->n_columns; c++)
		l->width[c] = title_width(t, c, l->broken_titles);
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t w = out_width(cell(t, i).at, cell(t, i).n);
		if (w > l->width[i % t->n_columns])
			l->width[i % t->n_columns] = w;
	}
}

static size_t total(const out_table *t, const layout *l)
{
	size_t sum = 0, n = 0;
	for (size_t c = 0; c < t->n_columns; c++)
		if (!l->left_out[c]) {
			sum += l->width[c];
			n++;
		}
	return sum + (n ? (n - 1) * l->gap : 0);
}

static bool too_wide(const out_table *t, const layout *l)
{
	return total(t, l) > l->limit;
}

/* Columns that say nothing in any row are left out. */
static void leave_out_empty(const out_table *t, layout *l)
{
	bool says[OUT_COLUMNS_MAX] = { 0 };
	for (size_t i = 0; i < t->cells.n; i++) {
		wb_text s = cell(t, i);
		says[i % t->n_columns] |= s.n && !(s.n == 1 && s.at[0] == '-');
	}
	for (size_t c = 0; c < t->n_columns && t->cells.n; c++)
		l->left_out[c] |= !says[c];
}

static void leave_out_spare(const out_table *t, layout *l)
{
	for (size_t c = 0; c < t->n_columns; c++)
		l->left_out[c] |= t->columns[c].side == OUT_SPARE;
}

/* Takes what is too much from the widest names, down to `least` columns each. */
static void shorten(const out_table *t, layout *l, size_t least)
{
	while (too_wide(t, l)) {
		size_t widest = t->n_columns;
		for (size_t c = 0; c < t->n_columns; c++)
			if (t->columns[c].side == OUT_NAME && !l->left_out[c] && l->width[c] > least &&
				(widest == t->n_columns || l->width[c] > l->width[widest]))
				widest = c;
		if (widest == t->n_columns)
			return;
		l->width[widest]--;
	}
}

/* The last resort: columns from where there is no room for them go to the next line. */
static void break_rows(const out_table *t, layout *l)
{
	size_t at = 0;
	for (size_t c = 0; c < t->n_columns; c++) {
		if (l->left_out[c])
			continue;
		size_t room = l->limit - (l->lines > 1 ? INDENT : 0);
		if (at && at + l->gap + (l->width[c] < LEAST ? l->width[c] : LEAST) > room) {
			l->lines++;
			at = 0;
			room = l->limit - INDENT;
		}
		at += at ? l->gap : 0;
		if (at + l->width[c] > room)
			l->width[c] = room > at + 1 ? room - at : 1;
		at += l->width[c];
		l->line[c] = l->lines - 1;
	}
}

static void fit(const out_table *t, layout *l)
{
	if (!too_wide(t, l))
		return;
	leave_out_empty(t, l);
	shorten(t, l, NARROW);
	if (too_wide(t, l)) {
		l->broken_titles = true;
		widths(t, l);
		shorten(t, l, NARROW);
	}
	if (too_wide(t, l))
		leave_out_spare(t, l);
	if (too_wide(t, l)) {
		l->gap = 1;
		shorten(t, l, LEAST);
	}
	if (too_wide(t, l)) {
		l->gap = 2;
		l->broken_titles = false;
		widths(t, l);
		break_rows(t, l);
	}
}

/* What names of a column have in common.  False: out of memory. */
static bool compare(const out_table *t, layout *l)
{
	size_t rows = t->cells.n / t->n_columns;
	l->fitted = wb_calloc(t->cells.n + 1, sizeof(*l->fitted));
	bool ok = l->fitted != NULL;
	for (size_t c = 0; ok && c < t->n_columns; c++) {
		for (size_t r = 0; r < rows; r++) {
			wb_text s = cell(t, r * t->n_columns + c);
			l->fitted[c * rows + r] = (out_fitted){ s.at, s.n, 0 };
		}
		if (t->columns[c].side == OUT_NAME)
			ok = out_fit_compare(l->fitted + c * rows, rows);
	}
	return ok;
}

/* ---- printing ---- */

static void spaces(wb_buf *b, size_t n)
{
	while (n-- > 0)
		wb_buf_putc(b, ' ');
}

static bool last_of_line(const out_table *t, const layout *l, size_t col)
{
	for (size_t c = col + 1; c < t->n_columns; c++)
		if (!l->left_out[c] && l->line[c] == l->line[col])
			return false;
	return true;
}

/* How much of a text goes to this line: up to a space, if there is one. */
static size_t piece(wb_text s, size_t width)
{
	size_t n = 0, space = 0;
	while (n < s.n) {
		size_t k = n + 1;
		while (k < s.n && ((unsigned char)s.at[k] & 0xc0) == 0x80)
			k++;
		if (n && out_width(s.at, k) > width)
			return space ? space : n;
		if (s.at[n] == ' ')
			space = n;
		n = k;
	}
	return n;
}

/* A text that is wider than its column, which is the last of its line: on as many lines as it takes. */
static void pieces(wb_buf *b, wb_text s, size_t width, size_t column)
{
	for (bool first = true; s.n; first = false) {
		size_t n = piece(s, width);
		if (!first) {
			wb_buf_putc(b, '\n');
			spaces(b, column);
		}
		wb_buf_put(b, s.at, n);
		n += n < s.n && s.at[n] == ' ';
		s = (wb_text){ s.at + n, s.n - n };
	}
}

/* One field of a line that ends at `column`; nothing is padded behind the last one. */
static void field(
	const out_table *t, const layout *l, wb_buf *b, size_t col, size_t column, wb_text s, const char *style)
{
	size_t w = out_width(s.at, s.n), room = l->width[col], gap = w < room ? room - w : 0;
	spaces(b, right(t, col) ? gap : 0);
	wb_buf_puts(b, style);
	if (w > room && last_of_line(t, l, col))
		pieces(b, s, room, column);
	else
		wb_buf_put(b, s.at, s.n);
	wb_buf_puts(b, style[0] ? l->plain : "");
	if (!right(t, col) && !last_of_line(t, l, col))
		spaces(b, gap);
}

static bool says_nothing(const out_table *t, const layout *l, const wb_text *s, unsigned line)
{
	for (size_t c = 0; c < t->n_columns; c++)
		if (!l->left_out[c] && l->line[c] == line && s[c].n)
			return false;
	return true;
}

/* A row: its texts by column, and their styles. */
static void print_row(const out_table *t, const layout *l, wb_buf *b, const wb_text *s, const char *const *styles)
{
	for (unsigned line = 0; line < l->lines; line++) {
		if (line && says_nothing(t, l, s, line))
			continue;
		size_t indent = out_width(l->indent, strlen(l->indent)), column = indent + (line ? INDENT : 0);
		bool first = true;
		wb_buf_puts(b, l->indent);
		spaces(b, column - indent);
		for (size_t c = 0; c < t->n_columns; c++) {
			if (l->left_out[c] || l->line[c] != line)
				continue;
			spaces(b, first ? 0 : l->gap);
			column += first ? 0 : l->gap;
			field(t, l, b, c, column, s[c], styles[c]);
			column += l->width[c];
			first = false;
		}
		wb_buf_putc(b, '\n');
	}
}

/* Takes the spaces away that end the last line. */
static void trim(wb_buf *b)
{
	size_t n = b->n;
	while (!b->failed && n > 1 && b->at[n - 2] == ' ')
		n--;
	if (n == b->n)
		return;
	b->n = n - 1;
	wb_buf_putc(b, '\n');
}

static void print_titles(const out_table *t, const layout *l, wb_buf *b)
{
	wb_text s[OUT_COLUMNS_MAX];
	const char *styles[OUT_COLUMNS_MAX];
	size_t lines = 1, n[OUT_COLUMNS_MAX], at[OUT_COLUMNS_MAX] = { 0 };
	for (size_t c = 0; c < t->n_columns; c++) {
		styles[c] = l->title_style;
		n[c] = l->broken_titles && !l->left_out[c] ? title_lines(t, c, l->width[c]) : 1;
		lines = n[c] > lines ? n[c] : lines;
	}
	for (size_t i = 0; i < lines; i++) {
		for (size_t c = 0; c < t->n_columns; c++) {
			s[c] = lines == 1 ? title(t, c) : (wb_text){ "", 0 };
			if (lines > 1 && i + n[c] >= lines)
				s[c] = title_line(t, c, l->width[c], &at[c]);
		}
		print_row(t, l, b, s, styles);
		if (lines > 1)
			trim(b);
	}
}

static void print_cells(const out_table *t, const layout *l, wb_buf *b)
{
	size_t rows = t->cells.n / t->n_columns;
	wb_buf cut = { 0 };
	for (size_t r = 0; r < rows; r++) {
		wb_text s[OUT_COLUMNS_MAX];
		size_t ends[OUT_COLUMNS_MAX] = { 0 };
		const char *styles[OUT_COLUMNS_MAX];
		cut.n = 0;
		for (size_t c = 0; c < t->n_columns; c++) {
			s[c] = cell(t, r * t->n_columns + c);
			styles[c] = t->cells.at[r * t->n_columns + c].style;
			if (l->fitted && t->columns[c].side == OUT_NAME && l->lines == 1 && !l->left_out[c] &&
				out_width(s[c].at, s[c].n) > l->width[c])
				out_fit(&cut, &l->fitted[c * rows + r], l->width[c]);
			ends[c] = cut.n;
		}
		for (size_t c = 0, from = 0; c < t->n_columns; from = ends[c++])
			if (ends[c] > from)
				s[c] = (wb_text){ cut.at + from, ends[c] - from };
		print_row(t, l, b, s, styles);
	}
	b->failed |= cut.failed;
	wb_buf_free(&cut);
}

/* A line that says which columns there was no room for. */
static void print_left_out(const out_table *t, const layout *l, wb_buf *b)
{
	const char *comma = "";
	for (size_t c = 0; c < t->n_columns; c++) {
		if (!l->left_out[c] || t->columns[c].side != OUT_SPARE)
			continue;
		wb_buf_printf(b, "%s%s%s", *comma ? comma : l->indent, *comma ? "" : l->title_style,
			*comma ? "" : "no room for: ");
		wb_buf_puts(b, t->columns[c].title);
		comma = ", ";
	}
	if (*comma)
		wb_buf_printf(b, "%s\n", l->title_style[0] ? l->plain : "");
}

void out_table_print(const out_table *t, wb_buf *b, const char *indent, const char *title_style, const char *plain)
{
	size_t by = out_width(indent, strlen(indent));
	layout l = { .gap = 2, .lines = 1, .indent = indent, .title_style = title_style, .plain = plain };
	if (t->failed || t->text.failed) {
		b->failed = true;
		return;
	}
	widths(t, &l);
	l.limit = t->limit == 0 ? SIZE_MAX : t->limit > by + OUT_LIMIT_MIN ? t->limit - by : OUT_LIMIT_MIN;
	fit(t, &l);
	if (l.limit != SIZE_MAX && !compare(t, &l))
		b->failed = true;
	print_titles(t, &l, b);
	print_cells(t, &l, b);
	print_left_out(t, &l, b);
	wb_free(l.fitted);
}

void out_table_free(out_table *t)
{
	wb_buf_free(&t->text);
	wb_vec_free(&t->cells);
}
