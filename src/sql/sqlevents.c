/* sql/sqlevents.c - the table of events: a pass over the ordered events each time it is scanned, narrowed by time,
 * goroutine and type while reading. */
#include "sql/sqlinside.h"

#include <string.h>

#include "fmt/events.h"

enum column { TIME, KIND, TYPE, M, P, G, RESOURCE, ID, FROM, TO, TEXT, TEXT2, VALUE, VALUE2, STACK, OTHER_STACK };

static const char columns[] = "time_ns INTEGER, kind TEXT, type TEXT, m INTEGER, p INTEGER, g INTEGER, resource TEXT, "
			      "id INTEGER, \"from\" TEXT, \"to\" TEXT, text TEXT, text2 TEXT, value INTEGER, "
			      "value2 INTEGER, stack INTEGER, transition_stack INTEGER";

typedef struct cursor {
	sq_cursor base;
	wtr_cursor *pass;
	const wtr_event *at;
	size_t i, n;
} cursor;

/* Plan: two letters for each value, the column ('a' + TIME ..) and the operator. */
static int plan(const sq_kind *k, sqlite3_index_info *info)
{
	(void)k;
	char text[17];
	int n = 0;
	for (int i = 0; i < info->nConstraint && n < 8; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		bool equal = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
		bool taken = (c->iColumn == TIME && sq_is_bound(c->op)) ||
			     ((c->iColumn == TYPE || c->iColumn == G) && equal);
		if (!c->usable || !taken)
			continue;
		text[2 * n] = (char)('a' + c->iColumn);
		text[2 * n + 1] = (char)c->op;
		info->aConstraintUsage[i].argvIndex = ++n;
	}
	text[2 * n] = 0;
	info->idxStr = sqlite3_mprintf("%s", text);
	info->needToFreeIdxStr = 1;
	info->estimatedCost = n ? 1e6 : 1e8;
	if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn == TIME && !info->aOrderBy[0].desc)
		info->orderByConsumed = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	wtr_cursor_close(((cursor *)base)->pass);
	sqlite3_free(base);
	return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
	cursor *c = (cursor *)base;
	if (++c->i < c->n)
		return SQLITE_OK;
	c->i = 0;
	c->n = wtr_next(c->pass, &c->at);
	if (c->n)
		return SQLITE_OK;
	const wtr_error *err = wtr_cursor_error(c->pass);
	if (err->code != WTR_OK && err->code != WTR_E_NOMEM)
		sq_trace_of(base)->end = *err;
	return err->code == WTR_E_NOMEM ? SQLITE_NOMEM : SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
	(void)number;
	cursor *c = (cursor *)base;
	wtr_filter f = { 0 };
	sq_range time = { INT64_MIN, INT64_MAX };
	bool none = false;
	for (int i = 0; i < argc; i++) {
		if (text[2 * i] == 'a' + TIME) {
			sq_narrow(&time, (unsigned char)text[2 * i + 1], argv[i]);
		} else if (text[2 * i] ==
			   'a' + G) { /* lets more through than the goroutine of the context; SQLite looks again */
			f.has_g = sqlite3_value_type(argv[i]) == SQLITE_INTEGER;
			f.g = sqlite3_value_int64(argv[i]);
		} else {
			const char *name = (const char *)sqlite3_value_text(argv[i]);
			if (name && strcmp(name, wtr_type_name(0)) == 0) /* also the name of a section of the file */
				continue;
			f.type = name ? wf_event_by_name(name, (unsigned)strlen(name)) : WF_EV_NONE;
			f.has_type = true;
			none |= f.type == WF_EV_NONE;
		}
	}
	f.has_from = time.low != INT64_MIN;
	f.from_ns = time.low;
	f.has_to = time.high != INT64_MAX;
	f.to_ns = time.high + 1;
	wtr_cursor_close(c->pass);
	c->pass = wtr_cursor_open(sq_trace_of(base)->t, &f, NULL);
	c->i = c->n = 0;
	if (!c->pass)
		return SQLITE_NOMEM;
	return none ? SQLITE_OK : next(base);
}

static int eof(sqlite3_vtab_cursor *base)
{
	return ((const cursor *)base)->n == 0;
}

static void result_state(sqlite3_context *out, const wtr_event *e, unsigned state)
{
	if (e->kind != WTR_KIND_STATE_TRANSITION)
		sqlite3_result_null(out);
	else
		sq_result_word(out, e->resource == WTR_RES_GOROUTINE ? wtr_gstate_name(state) : wtr_pstate_name(state));
}

static wtr_str text_of(const wtr_trace *t, const wtr_event *e)
{
	const char *name = e->kind == WTR_KIND_METRIC ? wtr_metric_name(e->detail) : NULL;
	if (!name && e->kind >= WTR_KIND_RANGE_BEGIN && e->kind <= WTR_KIND_RANGE_END && !e->str)
		name = wtr_range_name(e->detail);
	return name ? (wtr_str){ name, strlen(name) } : wtr_string(t, e->str);
}

static void result_transient(sqlite3_context *out, wtr_str s)
{
	sqlite3_result_text64(out, s.n ? s.at : "", s.n, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	const cursor *c = (const cursor *)base;
	const wtr_trace *t = sq_trace_of(base)->t;
	const wtr_event *e = &c->at[c->i];
	static const char *const resources[] = { "", "goroutine", "proc", "thread" };
	switch ((enum column)i) {
	case TIME: sqlite3_result_int64(out, e->time_ns); break;
	case KIND: sq_result_word(out, wtr_kind_name(e->kind)); break;
	case TYPE: sq_result_word(out, wtr_type_name(e->type)); break;
	case M: sq_result_id(out, e->m); break;
	case P: sq_result_id(out, e->p); break;
	case G: sq_result_id(out, e->g); break;
	case RESOURCE: sq_result_word(out, resources[e->resource & 3]); break;
	case ID: sq_result_id(out, e->id); break;
	case FROM: result_state(out, e, wtr_from(e)); break;
	case TO: result_state(out, e, wtr_to(e)); break;
	case TEXT: result_transient(out, text_of(t, e)); break;
	case TEXT2: result_transient(out, wtr_string(t, e->str2)); break;
	case VALUE: sqlite3_result_int64(out, (int64_t)e->value[0]); break;
	case VALUE2: sqlite3_result_int64(out, (int64_t)e->value[1]); break;
	case STACK: sqlite3_result_int64(out, e->stack); break;
	case OTHER_STACK: sqlite3_result_int64(out, e->transition_stack); break;
	}
	return SQLITE_OK;
}

int sq_add_events(sq_db *d)
{
	static const sqlite3_module module = { SQ_MODULE, .xClose = close_cursor, .xFilter = filter, .xNext = next,
		.xEof = eof, .xColumn = column };
	/* Times rise strictly. */
	static const sq_kind events = { columns, "time_ns", 0, sizeof(cursor), plan, &module };
	return sq_add(d, "events", &events);
}
