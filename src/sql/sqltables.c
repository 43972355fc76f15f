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
	bool rising;
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

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret, char **message)
{
	(void)argc;
	(void)message;
	sq_db *d = aux;
	unsigned which = 0;
	char room[64];
	while (which < WTR_TABLE_COUNT && strcmp(plural(which, room, sizeof(room)), argv[0]) != 0)
		which++;
	static const char *const columns[WTR_TABLE_COUNT] = {
#define TABLE(ID, name, part, doc) [WTR_TABLE_##ID] = "CREATE TABLE x("
#define SQ_I64                     "INTEGER"
#define SQ_U64                     "INTEGER"
#define SQ_U32                     "INTEGER"
#define SQ_U8                      "INTEGER"
#define SQ_STR                     "TEXT"
#define COL(type, name, unit, doc) "\"" #name "\" " SQ_##type ","
#define END(ID, name)              ,
#include <wtr/tables.def>
	};
	if (which == WTR_TABLE_COUNT)
		return SQLITE_ERROR;
	char *schema = sqlite3_mprintf("%.*s)", (int)strlen(columns[which]) - 1, columns[which]);
	int rc = schema ? sq_connect(db, d, which, schema, sizeof(cursor), ret) : SQLITE_NOMEM;
	sqlite3_free(schema);
	return rc;
}

/* Plan: for each bound of column 0, its operator as a letter. */
static int best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
	(void)v;
	char plan[8];
	int n = 0;
	for (int i = 0; i < info->nConstraint && n < (int)sizeof(plan) - 1; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		if (!c->usable || c->iColumn != 0 || !sq_is_bound(c->op))
			continue;
		info->aConstraintUsage[i].argvIndex = n + 1;
		plan[n++] = (char)c->op;
	}
	plan[n] = 0;
	info->idxStr = sqlite3_mprintf("%s", plan);
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

static bool rises(const cursor *c, size_t n)
{
	if (c->columns[0].type == WTR_COL_STR)
		return false;
	for (size_t i = 1; i < n; i++)
		if (number(c, i, 0) < number(c, i - 1, 0))
			return false;
	return true;
}

static int filter(sqlite3_vtab_cursor *base, int number_of_plan, const char *plan, int argc, sqlite3_value **argv)
{
	(void)number_of_plan;
	cursor *c = (cursor *)base;
	sq_table *v = (sq_table *)base->pVtab;
	const wtr_index *x = sq_index(v->d, false, &v->base.zErrMsg);
	if (!x)
		return SQLITE_ERROR;
	c->n_columns = wtr_columns(x, (wtr_table)v->which, c->columns, COLUMNS_MAX);
	size_t n = wtr_table_rows(x, (wtr_table)v->which);
	c->base.row = 0;
	c->base.end = (sqlite3_int64)n;
	if (argc == 0 || n == 0 || !rises(c, n))
		return SQLITE_OK;
	sq_range r = { INT64_MIN, INT64_MAX };
	for (int i = 0; i < argc; i++)
		sq_narrow(&r, (unsigned char)plan[i], argv[i]);
	c->base.row = (sqlite3_int64)search(c, n, r.low);
	if (r.high < INT64_MAX)
		c->base.end = (sqlite3_int64)search(c, n, r.high + 1);
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
			sqlite3_result_int64(out, *(const uint32_t *)at);
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
	static const sqlite3_module module = { .xConnect = connect,
		.xBestIndex = best_index,
		SQ_MODULE,
		.xClose = sq_cursor_close,
		.xFilter = filter,
		.xNext = sq_cursor_next,
		.xEof = sq_cursor_eof,
		.xColumn = column,
		.xRowid = sq_cursor_row };
	for (unsigned i = 0; sq_index_table(i); i++) {
		int rc = sqlite3_create_module(d->db, sq_index_table(i), &module, d);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}
