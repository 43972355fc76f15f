/* sql/sqlstates.c - g_states, p_states and m_states: what every goroutine, proc and thread did, gaplessly, one row a
 * span. */
#include "sql/sqlinside.h"

#include <string.h>

#include "an/lanes.h"

enum which { GOROUTINES, PROCS, THREADS, WHICH_COUNT };
enum column { LANE, START, END, DURATION, STATE, CLASS, REASON, STACK, G, P, M, WAKER, WAKER_STACK, OBJECT, HOLDER };

static const wtr_lane_kind kinds[WHICH_COUNT] = { WTR_LANE_GOROUTINE, WTR_LANE_PROC, WTR_LANE_THREAD };
static const wtr_table lanes_of[WHICH_COUNT] = { WTR_TABLE_GOROUTINES, WTR_TABLE_PROCS, WTR_TABLE_THREADS };

/* By name. */
static const uint8_t states[] = { WTR_G_NOTEXIST, WTR_G_RUNNABLE, WTR_G_RUNNING, WTR_G_SYSCALL, WTR_G_UNDETERMINED,
	WTR_G_WAITING };

/* Ways to go through it: idxNum. */
enum { BY_LANE, BY_STATE, BACKWARDS };

typedef struct cursor {
	sq_cursor base;
	const wtr_index *x;
	wtr_lane lane;
	const an_strip *strip; /* of the lane, and the place in it; NULL: of threads */
	uint32_t number;       /* of the lane among its like */
	an_place place;
	wtr_span span; /* of threads; of others once it is told */
	bool told;
	size_t next_lane, n_lanes; /* rows of the table of lanes; one lane only: next_lane == n_lanes */
	sq_range start;            /* of spans */
	int64_t after_ns;          /* spans that end at or before this are not wanted */
	int64_t begin_ns;          /* of the trace */
	bool backwards;            /* the lanes, the last one first */
	bool by_state;             /* one state after the other: states[pass] */
	unsigned pass;
	bool ended;
} cursor;

/* Plan: as in sqlevents.c. */
static int plan(const sq_kind *k, sqlite3_index_info *info)
{
	char text[17];
	int n = 0;
	double cost = 1e7;
	for (int i = 0; i < info->nConstraint && n < 8; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		bool lane = c->iColumn == LANE && c->op == SQLITE_INDEX_CONSTRAINT_EQ;
		bool time = (c->iColumn == START || c->iColumn == END) && sq_is_bound(c->op);
		if (!c->usable || (!lane && !time))
			continue;
		text[2 * n] = (char)('a' + c->iColumn);
		text[2 * n + 1] = (char)c->op;
		info->aConstraintUsage[i].argvIndex = ++n;
		cost /= lane ? 1000 : 4;
	}
	text[2 * n] = 0;
	info->idxStr = sqlite3_mprintf("%s", text);
	info->needToFreeIdxStr = 1;
	info->estimatedCost = cost;
	/* Lanes come by id, either way: to group by them, SQLite asks for the direction of ORDER BY, whatever that is
	 * about. */
	bool by_lane = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == LANE;
	if (by_lane)
		info->orderByConsumed = 1;
	if (by_lane && info->aOrderBy[0].desc)
		info->idxNum = BACKWARDS;
	/* By state, goroutines are gone through once for each: sorting them all takes longer. */
	bool by_state = k->which == GOROUTINES && cost > 1e6 && info->nOrderBy == 1 &&
			info->aOrderBy[0].iColumn == STATE && !info->aOrderBy[0].desc;
	if (by_state)
		info->idxNum = BY_STATE, info->orderByConsumed = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

static int64_t lane_id(const cursor *c, wtr_table table, size_t row)
{
	const void *rows = wtr_table_data(c->x, table);
	switch (table) {
	case WTR_TABLE_GOROUTINES: return ((const wtr_goroutine_row *)rows)[row].id;
	case WTR_TABLE_PROCS: return ((const wtr_proc_row *)rows)[row].id;
	default: return ((const wtr_thread_row *)rows)[row].id;
	}
}

static unsigned class_of(const cursor *c)
{
	return an_class(&c->x->lanes->store, c->strip->kind, c->place.what);
}

/* Goes on from the place to the first span that is something. */
static bool settle(cursor *c)
{
	const an_lanes *l = c->x->lanes;
	c->told = false;
	while (class_of(c) == WTR_CLASS_NONE || (int64_t)c->place.start + l->start < c->start.low ||
		(c->by_state && l->dict.whats.at[c->place.what].state != states[c->pass]))
		if (!an_strip_next(&l->store, &c->place))
			return false;
	return (int64_t)c->place.start + l->start <= c->start.high;
}

static bool enter_strip(cursor *c, int64_t from)
{
	const an_lanes *l = c->x->lanes;
	uint64_t t = from > l->start ? (uint64_t)(from - l->start) : 0;
	if (!c->strip->first)
		return false;
	if (t < c->strip->first->start)
		t = c->strip->first->start;
	return an_strip_find(&l->store, c->strip, t, &c->place) && settle(c);
}

/* The first wanted span of a lane. */
static bool enter_lane(cursor *c, wtr_lane lane)
{
	int64_t from = c->after_ns > c->start.low ? c->after_ns : c->start.low;
	c->lane = lane;
	if (from <= c->begin_ns)
		from = c->begin_ns;
	if (lane.kind != WTR_LANE_THREAD) {
		c->strip = an_lane_strip(c->x->lanes, lane, &c->number);
		return c->strip && enter_strip(c, from);
	}
	c->told = true;
	if (wtr_span_at(c->x, lane, from, &c->span) && c->span.start_ns >= c->start.low)
		return c->span.start_ns <= c->start.high;
	return wtr_span_step(c->x, lane, from, 1, &c->span) && c->span.start_ns <= c->start.high;
}

static void next_lane(cursor *c, unsigned which)
{
	for (;;) {
		while (c->next_lane < c->n_lanes) {
			size_t row = c->backwards ? c->n_lanes - 1 - c->next_lane : c->next_lane;
			c->next_lane++;
			if (enter_lane(c, (wtr_lane){ kinds[which], lane_id(c, lanes_of[which], row) }))
				return;
		}
		if (!c->by_state || c->pass + 1 == sizeof(states))
			break;
		c->pass++;
		c->next_lane = 0;
	}
	c->ended = true;
}

static int next(sqlite3_vtab_cursor *base)
{
	cursor *c = (cursor *)base;
	bool more;
	if (c->lane.kind != WTR_LANE_THREAD) {
		more = an_strip_next(&c->x->lanes->store, &c->place) && settle(c);
	} else {
		int64_t end = c->span.end_ns;
		more = (wtr_span_at(c->x, c->lane, end, &c->span) || wtr_span_step(c->x, c->lane, end, 1, &c->span)) &&
		       c->span.start_ns <= c->start.high;
	}
	if (!more)
		next_lane(c, ((const sq_table *)base->pVtab)->kind->which);
	return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc, sqlite3_value **argv)
{
	cursor *c = (cursor *)base;
	sq_table *v = (sq_table *)base->pVtab;
	unsigned which = v->kind->which;
	sq_range end = { INT64_MIN, INT64_MAX }, lane = { INT64_MIN, INT64_MAX };
	c->x = sq_index(v->of, true, &v->base.zErrMsg);
	if (!c->x)
		return SQLITE_ERROR;
	wtr_totals t;
	wtr_get_totals(c->x, &t);
	c->begin_ns = t.start_ns;
	c->start = (sq_range){ INT64_MIN, INT64_MAX };
	for (int i = 0; i < argc; i++) {
		int at = text[2 * i] - 'a', op = (unsigned char)text[2 * i + 1];
		sq_narrow(at == LANE ? &lane : at == START ? &c->start : &end, op, argv[i]);
	}
	c->after_ns = end.low == INT64_MIN ? INT64_MIN : end.low - 1;
	c->ended = false;
	c->next_lane = 0;
	c->pass = 0;
	c->by_state = number == BY_STATE && lane.low != lane.high;
	c->backwards = number == BACKWARDS;
	c->n_lanes = wtr_table_rows(c->x, lanes_of[which]);
	if (lane.low == lane.high) {
		c->next_lane = c->n_lanes;
		c->ended = !enter_lane(c, (wtr_lane){ kinds[which], lane.low });
	} else {
		next_lane(c, which);
	}
	return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base)
{
	return ((const cursor *)base)->ended;
}

/* All about the span; of a strip only when more than its place is asked for. */
static const wtr_span *whole(cursor *c)
{
	if (!c->told)
		wtr_span_at(c->x, c->lane, c->x->lanes->start + (int64_t)c->place.start, &c->span);
	c->told = true;
	return &c->span;
}

/* What the place itself says; false for other columns, and for threads. */
static bool place_column(const cursor *c, sqlite3_context *out, enum column i)
{
	const an_lanes *l = c->x->lanes;
	if (c->lane.kind == WTR_LANE_THREAD)
		return false;
	switch (i) {
	case START: sqlite3_result_int64(out, l->start + (int64_t)c->place.start); return true;
	case END: sqlite3_result_int64(out, l->start + (int64_t)c->place.end); return true;
	case DURATION: sqlite3_result_int64(out, (int64_t)(c->place.end - c->place.start)); return true;
	case CLASS: sq_result_word(out, wtr_class_name(class_of(c))); return true;
	case STATE:
		if (c->lane.kind == WTR_LANE_PROC)
			sq_result_word(out, wtr_pstate_name(WTR_P_RUNNING));
		else
			sq_result_word(out, wtr_gstate_name(l->dict.whats.at[c->place.what].state));
		return true;
	default: return false;
	}
}

/* What a goroutine that waits waits for: NULL in other states, where it is not known, and for several at once. */
static int object_column(cursor *c, sqlite3_context *out, enum column i)
{
	sq_table *v = (sq_table *)c->base.base.pVtab;
	const wtr_span *s = whole(c);
	const wtr_waits *w;
	wtr_object o;
	if (s->state != WTR_G_WAITING || !wtr_names_objects(v->of->t))
		return SQLITE_OK;
	if (!sq_waits(v->of, &w, &v->base.zErrMsg))
		return SQLITE_ERROR;
	if (wtr_waits_of(w, c->lane.id, s->start_ns, &o, 1) != 1)
		return SQLITE_OK;
	if (i == OBJECT)
		sq_result_row(out, v->of, sq_object_row(v->of, &o));
	else
		sq_result_id(out, o.holder);
	return SQLITE_OK;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	cursor *c = (cursor *)base;
	if (i == LANE)
		sqlite3_result_int64(out, c->lane.id);
	if (i == LANE || place_column(c, out, (enum column)i))
		return SQLITE_OK;
	if (i == OBJECT || i == HOLDER)
		return object_column(c, out, (enum column)i);
	const wtr_span *s = whole(c);
	switch ((enum column)i) {
	case LANE:
	case OBJECT:
	case HOLDER: break;
	case START: sqlite3_result_int64(out, s->start_ns); break;
	case END: sqlite3_result_int64(out, s->end_ns); break;
	case DURATION: sqlite3_result_int64(out, s->end_ns - s->start_ns); break;
	case STATE: sq_result_word(out, wtr_pstate_name(s->state)); break;
	case CLASS: sq_result_word(out, wtr_class_name(s->cls)); break;
	case REASON: sq_result_text(out, s->reason); break;
	case STACK: sqlite3_result_int64(out, s->stack); break;
	case G: sq_result_id(out, s->g); break;
	case P: sq_result_id(out, s->p); break;
	case M: sq_result_id(out, s->m); break;
	case WAKER: sq_result_id(out, s->waker); break;
	case WAKER_STACK: sqlite3_result_int64(out, s->waker_stack); break;
	}
	return SQLITE_OK;
}

int sq_add_states(sq_db *d)
{
	static const sqlite3_module module = { SQ_MODULE, .xClose = sq_cursor_close, .xFilter = filter, .xNext = next,
		.xEof = eof, .xColumn = column };
	/* The column of the lane's own id has another name in each. */
#define REST   "start_ns INTEGER, end_ns INTEGER, dur_ns INTEGER, state TEXT, class TEXT, reason TEXT, stack INTEGER, "
#define WAKERS "waker INTEGER, waker_stack INTEGER"
	static const sq_kind g = { "g INTEGER, " REST "running_g INTEGER HIDDEN, p INTEGER, m INTEGER, " WAKERS
				   ", object INTEGER, holder INTEGER",
		"g, start_ns", GOROUTINES, sizeof(cursor), plan, &module };
	static const sq_kind p = { "p INTEGER, " REST "g INTEGER, running_p INTEGER HIDDEN, m INTEGER, " WAKERS,
		"p, start_ns", PROCS, sizeof(cursor), plan, &module };
	static const sq_kind m = { "m INTEGER, " REST "g INTEGER, p INTEGER, running_m INTEGER HIDDEN, " WAKERS,
		"m, start_ns", THREADS, sizeof(cursor), plan, &module };
	int rc = sq_add(d, "g_states", &g);
	if (rc == SQLITE_OK)
		rc = sq_add(d, "p_states", &p);
	return rc == SQLITE_OK ? sq_add(d, "m_states", &m) : rc;
}
