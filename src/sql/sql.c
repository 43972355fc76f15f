/* sql/sql.c - see sql.h. */
#include "sql/sqlinside.h"

#include <string.h>

#include "base/alloc.h"
#include "read/source.h"

static const char *const other_tables[] = { "events", "wakeups", "g_states", "p_states", "m_states", "stacks", "frames",
	"objects" };

static const char wakeups[] =
	"CREATE TEMP VIEW wakeups AS SELECT time_ns, id AS g, g AS waker, stack AS waker_stack, p, m "
	"FROM events WHERE type = 'GoUnblock'";

wtr_code sq_open(wtr_trace *t, sq_db **ret, wtr_error *err)
{
	sq_db *d = wb_calloc(1, sizeof(*d));
	if (d)
		d->t = t;
	if (!d || sqlite3_open(":memory:", &d->db) != SQLITE_OK || sq_add_tables(d) != SQLITE_OK ||
		sq_add_events(d) != SQLITE_OK || sq_add_states(d) != SQLITE_OK || sq_add_stacks(d) != SQLITE_OK ||
		sq_add_objects(d) != SQLITE_OK || sqlite3_exec(d->db, wakeups, NULL, NULL, NULL) != SQLITE_OK) {
		sq_close(d);
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	}
	*ret = d;
	return WTR_OK;
}

void sq_close(sq_db *d)
{
	if (!d)
		return;
	sqlite3_close(d->db);
	wtr_index_free(d->tables);
	wtr_index_free(d->lanes);
	wtr_waits_free(d->waits);
	wb_idmap_free(&d->object_rows);
	wb_free(d);
}

sqlite3 *sq_handle(const sq_db *d)
{
	return d->db;
}

const char *sq_table_name(const sq_db *d, size_t i)
{
	(void)d;
	size_t n = sizeof(other_tables) / sizeof(*other_tables);
	return i < n ? other_tables[i] : sq_index_table((unsigned)(i - n));
}

const wtr_index *sq_index(sq_db *d, bool lanes, char **message)
{
	wtr_index **x = lanes ? &d->lanes : &d->tables;
	unsigned parts = lanes ? WTR_PART_LANES : WTR_PART_TOTALS | WTR_PART_EVENTS;
	wtr_error err = { 0 };
	if (*x)
		return *x;
	if (wtr_index_build(d->t, parts, x, &err) == WTR_OK)
		return *x;
	*message = sqlite3_mprintf("%s", err.what[0] ? err.what : wtr_strerror(err.code));
	return NULL;
}

/* ---- what tables share ---- */

int sq_connect(sqlite3 *db, sq_db *d, unsigned which, const char *schema, size_t cursor_bytes, sqlite3_vtab **ret)
{
	int rc = sqlite3_declare_vtab(db, schema);
	if (rc != SQLITE_OK)
		return rc;
	sq_table *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	*v = (sq_table){ .d = d, .which = which, .cursor_bytes = cursor_bytes };
	*ret = &v->base;
	return SQLITE_OK;
}

int sq_disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

int sq_cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **ret)
{
	size_t n = ((const sq_table *)v)->cursor_bytes;
	sq_cursor *c = sqlite3_malloc64(n);
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, n);
	*ret = &c->base;
	return SQLITE_OK;
}

int sq_cursor_close(sqlite3_vtab_cursor *c)
{
	sqlite3_free(c);
	return SQLITE_OK;
}

int sq_cursor_row(sqlite3_vtab_cursor *c, sqlite3_int64 *ret)
{
	*ret = ((const sq_cursor *)c)->row;
	return SQLITE_OK;
}

int sq_cursor_next(sqlite3_vtab_cursor *c)
{
	((sq_cursor *)c)->row++;
	return SQLITE_OK;
}

int sq_cursor_eof(sqlite3_vtab_cursor *c)
{
	return ((const sq_cursor *)c)->row >= ((const sq_cursor *)c)->end;
}

void sq_plan_equal(sqlite3_index_info *info, int column, int rows)
{
	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		if (!c->usable || c->iColumn != column || c->op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		info->aConstraintUsage[i].argvIndex = 1;
		info->idxNum = 1;
		info->estimatedCost = rows;
		info->estimatedRows = rows;
		return;
	}
}

void sq_result_time(sqlite3_context *c, int64_t ns)
{
	if (ns == WTR_NEVER)
		sqlite3_result_null(c);
	else
		sqlite3_result_int64(c, ns);
}

void sq_result_id(sqlite3_context *c, int64_t id)
{
	if (id == WTR_NONE)
		sqlite3_result_null(c);
	else
		sqlite3_result_int64(c, id);
}

void sq_result_text(sqlite3_context *c, wtr_str s)
{
	sqlite3_result_text64(c, s.n ? s.at : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

void sq_result_word(sqlite3_context *c, const char *static_text)
{
	sqlite3_result_text(c, static_text, -1, SQLITE_STATIC);
}

bool sq_is_bound(int op)
{
	return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
	       op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
}

/* Wider than needed where a value is no integer: SQLite looks at every row again. */
void sq_narrow(sq_range *r, int op, sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);
	if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
		return;
	double d = sqlite3_value_double(value);
	int64_t v = sqlite3_value_int64(value);
	if (type == SQLITE_FLOAT && !(d > -9e18 && d < 9e18))
		return;
	int64_t below = type == SQLITE_FLOAT && d < (double)v ? v - 1 : v; /* the integer at or below */
	if ((op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
		    op == SQLITE_INDEX_CONSTRAINT_GE) &&
		below > r->low)
		r->low = below;
	if ((op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_LT ||
		    op == SQLITE_INDEX_CONSTRAINT_LE) &&
		below < r->high)
		r->high = below < INT64_MAX && type == SQLITE_FLOAT ? below + 1 : below;
}
