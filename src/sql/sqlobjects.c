/* sql/sqlobjects.c - objects: what goroutines waited for, one row each, most waited for first; none in traces that do
 * not name them (wtr/object.h).  Its rowid is what g_states.object says.
 */
#include "sql/sqlinside.h"

enum column { ID, KIND, NAME, CAPACITY, NUMBER, WAITS, TOTAL, LONGEST, LONGEST_G, SELECTS, HOLDERS, HOLDER, HOLDER_NS };

static const char columns[] =
	"id INTEGER, kind TEXT, name TEXT, capacity INTEGER, number INTEGER, waits INTEGER, "
	"total_ns INTEGER, longest_ns INTEGER, longest_g INTEGER, selects INTEGER, holders INTEGER, holder INTEGER, "
	"holder_ns INTEGER";

typedef struct cursor {
	sq_cursor base;
	const wtr_waited *rows;
	const wtr_held *held;
} cursor;

/* ---- for this table, and for g_states ---- */

/* Both of an rwmutex and the mutex in it have the same id. */
static uint64_t key_of(unsigned kind, uint64_t id)
{
	return id << 4 | kind;
}

static bool find_rows(sq_trace *of)
{
	size_t n;
	const wtr_waited *rows = wtr_waits_objects(of->waits, &n);
	for (size_t i = 0; i < n; i++)
		if (!wb_idmap_set(&of->object_rows, key_of(rows[i].kind, rows[i].id), (uint32_t)i))
			return false;
	return true;
}

bool sq_waits(sq_trace *of, const wtr_waits **ret, char **message)
{
	wtr_error err = { 0 };
	if (!of->waits) {
		if (wtr_waits_make(of->t, &of->waits, &err) != WTR_OK) {
			*message = sqlite3_mprintf("%s", err.what[0] ? err.what : wtr_strerror(err.code));
			return false;
		}
		if (!find_rows(of)) {
			wtr_waits_free(of->waits);
			of->waits = NULL;
			*message = sqlite3_mprintf("out of memory");
			return false;
		}
	}
	*ret = of->waits;
	return true;
}

int64_t sq_object_row(const sq_trace *of, const wtr_object *o)
{
	uint32_t i = wb_idmap_get(&of->object_rows, key_of(o->kind, o->id));
	return i == WB_IDMAP_NONE ? WTR_NONE : (int64_t)i;
}

/* ---- the table ---- */

static int plan(const sq_kind *k, sqlite3_index_info *info)
{
	(void)k;
	info->estimatedCost = 1e4;
	sq_plan_equal(info, -1, 1);
	return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
	(void)text;
	(void)argc;
	cursor *c = (cursor *)base;
	sq_table *v = (sq_table *)base->pVtab;
	const wtr_waits *w;
	size_t n, n_held;
	if (!sq_waits(v->of, &w, &v->base.zErrMsg))
		return SQLITE_ERROR;
	c->rows = wtr_waits_objects(w, &n);
	c->held = wtr_waits_holders(w, &n_held);
	c->base.row = 0;
	c->base.end = (sqlite3_int64)n;
	if (number == 0)
		return SQLITE_OK;
	if (!sq_row_of(v->of, argv[0], &c->base.row) || c->base.row > c->base.end)
		c->base.row = c->base.end;
	c->base.end = c->base.row < c->base.end ? c->base.row + 1 : c->base.end;
	return SQLITE_OK;
}

static void number_of(sqlite3_context *out, const wtr_waited *o, unsigned kind)
{
	if (o->kind == kind)
		sqlite3_result_int64(out, (int64_t)o->attr);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	const cursor *c = (const cursor *)base;
	const wtr_waited *o = &c->rows[c->base.row];
	const wtr_held *most = o->n_holders ? &c->held[o->first_holder] : NULL;
	switch ((enum column)i) {
	case ID: sqlite3_result_int64(out, (int64_t)o->id); break;
	case KIND: sq_result_word(out, wtr_object_name(o->kind)); break;
	case NAME:
		if (o->name.n)
			sq_result_text(out, o->name);
		break;
	case CAPACITY: number_of(out, o, WTR_OBJECT_CHAN); break;
	case NUMBER: number_of(out, o, WTR_OBJECT_FD); break;
	case WAITS: sqlite3_result_int64(out, (int64_t)o->n); break;
	case TOTAL: sqlite3_result_int64(out, o->ns); break;
	case LONGEST: sqlite3_result_int64(out, o->longest_ns); break;
	case LONGEST_G: sq_result_id(out, o->longest_g); break;
	case SELECTS: sqlite3_result_int64(out, (int64_t)o->n_select); break;
	case HOLDERS: sqlite3_result_int64(out, o->n_holders); break;
	case HOLDER: sq_result_id(out, most ? most->g : WTR_NONE); break;
	case HOLDER_NS:
		if (most)
			sqlite3_result_int64(out, most->ns);
		break;
	}
	return SQLITE_OK;
}

int sq_add_objects(sq_db *d)
{
	static const sqlite3_module module = { SQ_MODULE, .xClose = sq_cursor_close, .xFilter = filter,
		.xNext = sq_cursor_next, .xEof = sq_cursor_eof, .xColumn = column, .xRowid = sq_cursor_row };
	static const sq_kind objects = { columns, NULL, 0, sizeof(cursor), plan, &module };
	return sq_add(d, "objects", &objects);
}
