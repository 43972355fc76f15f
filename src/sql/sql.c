/* sql/sql.c - see sql.h. */
#include "sql/sqlinside.h"

#include <string.h>

#include "base/alloc.h"
#include "read/source.h"

static const char *const other_tables[] = { "events", "wakeups", "g_states", "p_states", "m_states", "stacks", "frames",
	"objects" };

static const char wakeups[] =
	"CREATE TEMP VIEW wakeups AS SELECT %s time_ns, id AS g, g AS waker, stack AS waker_stack, p, m "
	"FROM events WHERE type = 'GoUnblock'";

/* A trace has fewer rows than that in any table. */
enum { ROWS_BITS = 40 };

static int add_wakeups(sq_db *d)
{
	char *sql = sqlite3_mprintf(wakeups, d->many ? "trace," : "");
	int rc = sql ? sqlite3_exec(d->db, sql, NULL, NULL, NULL) : SQLITE_NOMEM;
	sqlite3_free(sql);
	return rc;
}

static bool fill(sq_db *d, const sq_source *sources, size_t n)
{
	d->traces = wb_calloc(n + 1, sizeof(*d->traces));
	if (!d->traces || sqlite3_open(":memory:", &d->db) != SQLITE_OK)
		return false;
	for (d->n = 0; d->n < n; d->n++)
		d->traces[d->n] = (sq_trace){
			.t = sources[d->n].t, .name = sources[d->n].name, .row_base = (sqlite3_int64)d->n << ROWS_BITS
		};
	return sq_add_tables(d) == SQLITE_OK && sq_add_events(d) == SQLITE_OK && sq_add_states(d) == SQLITE_OK &&
	       sq_add_stacks(d) == SQLITE_OK && sq_add_objects(d) == SQLITE_OK && add_wakeups(d) == SQLITE_OK;
}

wtr_code sq_open(const sq_source *sources, size_t n, bool many, sq_db **ret, wtr_error *err)
{
	sq_db *d = wb_calloc(1, sizeof(*d));
	if (d)
		d->many = many;
	if (!d || !fill(d, sources, n)) {
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
	for (size_t i = 0; i < d->n; i++) {
		wtr_index_free(d->traces[i].tables);
		wtr_index_free(d->traces[i].lanes);
		wtr_waits_free(d->traces[i].waits);
		wb_idmap_free(&d->traces[i].object_rows);
	}
	wb_free(d->traces);
	wb_free(d);
}

const wtr_error *sq_damage(const sq_db *d, size_t i)
{
	return d->traces[i].end.code == WTR_OK ? NULL : &d->traces[i].end;
}

sqlite3 *sq_handle(const sq_db *d)
{
	return d->db;
}

const char *sq_table_name(size_t i)
{
	size_t n = sizeof(other_tables) / sizeof(*other_tables);
	return i < n ? other_tables[i] : sq_index_table((unsigned)(i - n));
}

const wtr_index *sq_index(sq_trace *of, bool lanes, char **message)
{
	wtr_index **x = lanes ? &of->lanes : &of->tables;
	unsigned parts = lanes ? WTR_PART_LANES : WTR_PART_TOTALS | WTR_PART_EVENTS;
	wtr_error err = { 0 };
	wtr_totals totals;
	if (*x)
		return *x;
	if (wtr_index_build(of->t, parts, x, &err) == WTR_OK) {
		wtr_get_totals(*x, &totals);
		of->end = totals.end;
		return *x;
	}
	*message = sqlite3_mprintf("%s", err.what[0] ? err.what : wtr_strerror(err.code));
	return NULL;
}

/* ---- tables ---- */

/* What SQLite keeps for one. */
typedef struct registered {
	const sq_db *d;
	const sq_kind *kind;
} registered;

int sq_add(sq_db *d, const char *name, const sq_kind *k)
{
	registered *r = wb_calloc(1, sizeof(*r));
	if (!r)
		return SQLITE_NOMEM;
	*r = (registered){ d, k };
	return sqlite3_create_module_v2(d->db, name, d->many ? &sq_many_module : k->module, r, wb_free);
}

static int declare(sqlite3 *db, const sq_db *d, const sq_kind *k)
{
	const char *columns = k->columns + strspn(k->columns, ", "); /* tables.def puts one before each */
	const char *trace = d->many ? "trace TEXT, " : "";
	char *schema = k->key ? sqlite3_mprintf("CREATE TABLE x(%s%s, PRIMARY KEY(%s%s)) WITHOUT ROWID", trace, columns,
					d->many ? "trace, " : "", k->key)
			      : sqlite3_mprintf("CREATE TABLE x(%s%s)", trace, columns);
	int rc = schema ? sqlite3_declare_vtab(db, schema) : SQLITE_NOMEM;
	sqlite3_free(schema);
	return rc;
}

int sq_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret, char **message)
{
	(void)argc;
	(void)argv;
	(void)message;
	const registered *r = aux;
	int rc = declare(db, r->d, r->kind);
	if (rc != SQLITE_OK || r->d->many)
		return rc == SQLITE_OK ? sq_many_connect(r->d, r->kind, ret) : rc;
	sq_table *v = sqlite3_malloc(sizeof(*v));
	if (!v)
		return SQLITE_NOMEM;
	*v = (sq_table){ .kind = r->kind, .d = r->d, .of = r->d->traces };
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
	size_t n = ((const sq_table *)v)->kind->cursor_bytes;
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
	*ret = sq_trace_of(c)->row_base + ((const sq_cursor *)c)->row;
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

bool sq_row_of(const sq_trace *of, sqlite3_value *value, sqlite3_int64 *ret)
{
	*ret = sqlite3_value_int64(value) - of->row_base;
	return sqlite3_value_numeric_type(value) == SQLITE_INTEGER && *ret >= 0 && *ret >> ROWS_BITS == 0;
}

void sq_result_row(sqlite3_context *c, const sq_trace *of, int64_t row)
{
	sq_result_id(c, row == WTR_NONE ? row : of->row_base + row);
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
