/* sql/sqltables.c - the tables of an index (include/wtr/tables.def), their rows read where they are.
 *
 * A table whose first column rises, as ids and times mostly do, is searched by it.
 */
#include "sql/sqlinside.h"

#include <stdio.h>
#include <string.h>

static const char *const names[WTR_TABLE_COUNT] = {
#define TABLE(ID, name, part, doc) [WTR_TABLE_##ID] = #name,
#define COL(type, name, unit, doc)
#define END(ID, name)
#include <wtr/tables.def>
};

enum { COLUMNS_MAX = 64 };

typedef struct cursor {
	sq_cursor base;
	size_t n_columns;
	wtr_column columns[COLUMNS_MAX];
} cursor;

/* Plural, as tables of databases are called. */
static const char *plural(unsigned i, char *room, size_t n)
{
	size_t len = strlen(names[i]);
	bool is = len && (names[i][len - 1] == 's' || strcmp(names[i], "experimental") == 0);
	snprintf(room, n, "%s%s", names[i], is ? "" : "s");
	return room;
}

const char *sq_index_table(unsigned i)
{
	static _Thread_local char room[64];
	return i < WTR_TABLE_COUNT ? plural(i, room, sizeof(room)) : NULL;
}

/* What the letter of a plan says besides the operator: it is about the number of the row. */
enum { OF_ROW = 64 };

/* Plan: for each bound of column 0, and for `rowid =`, the operator as a letter. */
static int plan(const sq_kind *k, sqlite3_index_info *info)
{
	(void)k;
	char text[8];
	int n = 0;
	for (int i = 0; i < info->nConstraint && n < (int)sizeof(text) - 1; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		bool of_row = c->iColumn < 0 && c->op == SQLITE_INDEX_CONSTRAINT_EQ;
		if (!c->usable || (!of_row && (c->iColumn != 0 || !sq_is_bound(c->op))))
			continue;
		info->aConstraintUsage[i].argvIndex = n + 1;
		text[n++] = (char)(of_row ? c->op | OF_ROW : c->op);
	}
	text[n] = 0;
	info->idxStr = sqlite3_mprintf("%s", text);
	info->needToFreeIdxStr = 1;
	info->estimatedCost = n ? 100 : 1e6;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

static inline const char *cell(const cursor *c, size_t row, size_t column)
{
	return (const char *)c->columns[column].first + row * c->columns[column].stride_bytes;
}

static int64_t number(const cursor *c, size_t row, size_t column)
{
	const void *at = cell(c, row, column);
	switch (c->columns[column].type) {
	case WTR_COL_U32: return *(const uint32_t *)at;
	case WTR_COL_U8: return *(const uint8_t *)at;
	case WTR_COL_STR: return 0;
	default: return *(const int64_t *)at;
	}
}

/* The first row whose first number is at least v. */
static size_t search(const cursor *c, size_t n, int64_t v)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (number(c, mid, 0) < v)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool look_whether_it_rises(const cursor *c, size_t n)
{
	if (c->columns[0].type == WTR_COL_STR)
		return false;
	for (size_t i = 1; i < n; i++)
		if (number(c, i, 0) < number(c, i - 1, 0))
			return false;
	return true;
}

/* Looked for once: a join asks for every row of the other table. */
static bool rises(const cursor *c, size_t n)
{
	uint8_t *known = &sq_trace_of(&c->base.base)->rising[((const sq_table *)c->base.base.pVtab)->kind->which];
	if (!*known)
		*known = look_whether_it_rises(c, n) ? SQ_RISES : SQ_DOES_NOT_RISE;
	return *known == SQ_RISES;
}

/* The rows that bounds of column 0 leave. */
static void narrow(cursor *c, const char *text, int argc, sqlite3_value **argv)
{
	size_t n = (size_t)c->base.end;
	sq_range r = { INT64_MIN, INT64_MAX };
	bool any = false;
	for (int i = 0; i < argc; i++) {
		if (text[i] & OF_ROW)
			continue;
		any = true;
		sq_narrow(&r, text[i], argv[i]);
	}
	if (!any || n == 0 || !rises(c, n))
		return;
	c->base.row = (sqlite3_int64)search(c, n, r.low);
	if (r.high < INT64_MAX)
		c->base.end = (sqlite3_int64)search(c, n, r.high + 1);
}

static void only_row(cursor *c, const sq_trace *of, sqlite3_value *value)
{
	sqlite3_int64 row;
	if (sq_row_of(of, value, &row) && row >= c->base.row && row < c->base.end) {
		c->base.row = row;
		c->base.end = row + 1;
	} else {
		c->base.row = c->base.end;
	}
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
	(void)number;
	cursor *c = (cursor *)base;
	sq_table *v = (sq_table *)base->pVtab;
	const wtr_index *x = sq_index(v->of, false, &v->base.zErrMsg);
	if (!x)
		return SQLITE_ERROR;
	c->n_columns = wtr_columns(x, (wtr_table)v->kind->which, c->columns, COLUMNS_MAX);
	c->base.row = 0;
	c->base.end = (sqlite3_int64)wtr_table_rows(x, (wtr_table)v->kind->which);
	narrow(c, text, argc, argv);
	for (int i = 0; i < argc; i++)
		if (text[i] & OF_ROW)
			only_row(c, v->of, argv[i]);
	return SQLITE_OK;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	const cursor *c = (const cursor *)base;
	const wtr_column *k = &c->columns[i];
	const void *at = cell(c, c->base.row, (size_t)i);
	bool is_row = k->unit[0] == 'r', is_id = k->unit[0] == 'i';
	switch (k->type) {
	case WTR_COL_STR: sq_result_text(out, *(const wtr_str *)at); break;
	case WTR_COL_U32:
		if (is_row && *(const uint32_t *)at == UINT32_MAX)
			sqlite3_result_null(out);
		else
			sqlite3_result_int64(out, *(const uint32_t *)at + (is_row ? sq_trace_of(base)->row_base : 0));
		break;
	case WTR_COL_U8: sqlite3_result_int(out, *(const uint8_t *)at); break;
	case WTR_COL_I64:
	case WTR_COL_U64:
		if (is_id)
			sq_result_id(out, *(const int64_t *)at);
		else
			sq_result_time(out, *(const int64_t *)at);
		break;
	}
	return SQLITE_OK;
}

int sq_add_tables(sq_db *d)
{
	static const sqlite3_module module = { SQ_MODULE, .xClose = sq_cursor_close, .xFilter = filter,
		.xNext = sq_cursor_next, .xEof = sq_cursor_eof, .xColumn = column, .xRowid = sq_cursor_row };
	static const sq_kind kinds[WTR_TABLE_COUNT] = {
#define TABLE(ID, name, part, doc)                    \
	[WTR_TABLE_##ID] = { .which = WTR_TABLE_##ID, \
		.cursor_bytes = sizeof(cursor),       \
		.plan = plan,                         \
		.module = &module,                    \
		.columns = ""
#define SQ_I64                     "INTEGER"
#define SQ_U64                     "INTEGER"
#define SQ_U32                     "INTEGER"
#define SQ_U8                      "INTEGER"
#define SQ_STR                     "TEXT"
#define COL(type, name, unit, doc) ", \"" #name "\" " SQ_##type
#define END(ID, name) \
	}             \
	,
#include <wtr/tables.def>
	};
	for (unsigned i = 0; sq_index_table(i); i++) {
		int rc = sq_add(d, sq_index_table(i), &kinds[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}
