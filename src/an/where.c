/* an/where.c - whether a bound filter lets a thing through, and how much of a span. */
#include <string.h>

#include "an/where.h"
#include "an/classes.h"
#include "an/index.h"
#include "read/source.h"

enum { UNKNOWN, NO, YES, FRAMES = 128 };

/* A thing to be asked about: one of the pointers is set, and what is common to all of them. */
typedef struct subject {
	const wtr_goroutine_row *row;
	const wtr_event *event;
	const wtr_task_row *task;
	const wtr_region_row *region;
	const an_state_span *span;
	const an_span_source *from;
	int64_t g, from_ns, to_ns; /* the time of it, from included, to not */
	uint64_t held, known;      /* answers of terms so far, by number */
} subject;

static uint32_t row_of(const wtr_where *w, int64_t g)
{
	return g == WTR_NONE || !w->x ? WB_IDMAP_NONE : wb_idmap_get(&w->x->goroutine_rows, (uint64_t)g);
}

static bool by_row(const wtr_where *w, const an_term *t, int64_t g)
{
	uint32_t i = row_of(w, g);
	return i != WB_IDMAP_NONE && t->rows && t->rows[i];
}

/* ---- stretches ---- */

/* Whether t is in one, and until when that stays so. */
static bool at_time(const an_term *t, int64_t g, int64_t time, int64_t *ret_until)
{
	*ret_until = INT64_MAX;
	if (t->want == AN_WANT_PERIOD) {
		bool in = time >= t->from_ns && time < t->to_ns;
		if (time < t->to_ns)
			*ret_until = time < t->from_ns ? t->from_ns : t->to_ns;
		return in;
	}
	uint32_t k = g == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&t->first, (uint64_t)g);
	if (k == WB_IDMAP_NONE)
		return false;
	uint32_t lo = t->ends.at[k], hi = t->ends.at[k + 1];
	while (lo < hi) { /* the first that ends behind `time` */
		uint32_t mid = lo + (hi - lo) / 2;
		if (t->stretches.at[mid].to_ns <= time)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == t->ends.at[k + 1])
		return false;
	const an_stretch *s = &t->stretches.at[lo];
	bool in = time >= s->from_ns;
	*ret_until = in ? s->to_ns : s->from_ns;
	return in;
}

/* Whether any of it is in [from, to). */
static bool any_time(const an_term *t, const subject *s)
{
	int64_t until;
	return at_time(t, s->g, s->from_ns, &until) || until < s->to_ns;
}

/* ---- terms ---- */

/* Remembers an answer by a number of whoever asks. */
static bool memo(wtr_where *w, an_term *t, uint32_t no, uint8_t **ret)
{
	enum { MEMO_MAX = 1 << 22 };
	if (no >= MEMO_MAX)
		return false;
	while (t->memo.n <= no)
		if (!wb_vec_add(&t->memo, UNKNOWN)) {
			w->oom = true;
			return false;
		}
	*ret = &t->memo.at[no];
	return true;
}

static size_t frames_of(const wtr_where *w, const subject *s, uint32_t stack, wtr_frame *ret)
{
	size_t n =
		s->from ? s->from->frames(s->from->user, stack, ret, FRAMES) : wtr_stack(w->trace, stack, ret, FRAMES);
	return n < FRAMES ? n : FRAMES;
}

static bool one_stack(wtr_where *w, an_term *t, const subject *s, uint32_t stack)
{
	uint8_t here = UNKNOWN, *answer = &here;
	if (stack == 0)
		return false;
	memo(w, t, stack, &answer);
	if (*answer == UNKNOWN) {
		wtr_frame frames[FRAMES];
		size_t n = frames_of(w, s, stack, frames);
		*answer = an_term_frames(t, frames, n) ? YES : NO;
	}
	return *answer == YES;
}

static bool stack_is(wtr_where *w, an_term *t, const subject *s)
{
	if (s->span)
		return one_stack(w, t, s, s->span->stack);
	if (s->event)
		return one_stack(w, t, s, s->event->stack) || one_stack(w, t, s, s->event->transition_stack);
	if (s->region)
		return one_stack(w, t, s, s->region->start_stack);
	return s->row && (one_stack(w, t, s, s->row->create_stack) || one_stack(w, t, s, s->row->entry_stack));
}

static bool reason_is(wtr_where *w, an_term *t, const subject *s)
{
	if (!s->span)
		return s->row && an_term_text(t, s->row->final_reason);
	uint8_t here = UNKNOWN, *answer = &here;
	memo(w, t, s->span->reason, &answer);
	if (*answer == UNKNOWN)
		*answer = an_term_text(t, s->from->reason(s->from->user, s->span->reason)) ? YES : NO;
	return *answer == YES;
}

static bool state_is(const an_term *t, const subject *s)
{
	unsigned state = s->span ? s->span->state : s->row ? s->row->final_state : 0;
	unsigned cls = s->span                            ? s->span->cls
		       : s->row && state == WTR_G_WAITING ? an_reason_class(s->row->final_reason)
							  : 0;
	return (t->states >> state & 1) || (cls && t->states >> 16 >> cls & 1);
}

static bool waker_is(const wtr_where *w, const an_term *t, const subject *s)
{
	if (!s->span || s->span->waker == WTR_NONE)
		return false;
	return t->want == AN_WANT_NUMBER ? an_term_number(t, s->span->waker) : by_row(w, t, s->span->waker);
}

static bool place_is(const an_term *t, const subject *s)
{
	int64_t id = t->field == AN_FIELD_P ? (s->span           ? s->span->p
						      : s->event ? s->event->p
								 : WTR_NONE)
					    : (s->span           ? s->span->m
						      : s->event ? s->event->m
								 : WTR_NONE);
	return id != WTR_NONE && an_term_number(t, id);
}

static bool log_is(const wtr_where *w, const an_term *t, const subject *s)
{
	if (s->task)
		return wb_idmap_get(&t->ids, s->task->id) != WB_IDMAP_NONE;
	return s->event && s->event->kind == WTR_KIND_LOG &&
	       (an_term_text(t, wtr_string(w->trace, s->event->str)) ||
		       an_term_text(t, wtr_string(w->trace, s->event->str2)));
}

/* The task of an event or of a task row is told by its id; anything else by when its goroutine takes part in one. */
static bool task_is(const an_term *t, const subject *s)
{
	if (s->task)
		return wb_idmap_get(&t->ids, s->task->id) != WB_IDMAP_NONE;
	if (s->region)
		return wb_idmap_get(&t->ids, s->region->task) != WB_IDMAP_NONE;
	unsigned kind = s->event ? s->event->kind : 0;
	if (kind == WTR_KIND_TASK_BEGIN || kind == WTR_KIND_TASK_END || kind == WTR_KIND_REGION_BEGIN ||
		kind == WTR_KIND_REGION_END || kind == WTR_KIND_LOG)
		return wb_idmap_get(&t->ids, (uint64_t)s->event->id) != WB_IDMAP_NONE;
	return any_time(t, s);
}

static bool any_is(wtr_where *w, an_term *t, const subject *s)
{
	if (s->task)
		return an_term_text(t, s->task->name) || log_is(w, t, s);
	if (s->region && an_term_text(t, s->region->name))
		return true;
	return by_row(w, t, s->g) || any_time(t, s) || stack_is(w, t, s) || (s->event && log_is(w, t, s));
}

static int64_t length(const subject *s)
{
	if (s->row)
		return s->row->total_ns;
	return s->span ? s->span->to_ns - s->span->from_ns : s->to_ns - s->from_ns;
}

static bool holds(wtr_where *w, an_term *t, const subject *s)
{
	switch (t->field) {
	case AN_FIELD_ANY: return any_is(w, t, s);
	case AN_FIELD_G: return s->g != WTR_NONE && an_term_number(t, s->g);
	case AN_FIELD_FN:
	case AN_FIELD_CREATOR: return by_row(w, t, s->g);
	case AN_FIELD_STATE: return state_is(t, s);
	case AN_FIELD_REASON: return reason_is(w, t, s);
	case AN_FIELD_DUR: return an_term_number(t, length(s));
	case AN_FIELD_STACK: return stack_is(w, t, s);
	case AN_FIELD_WAKER: return waker_is(w, t, s);
	case AN_FIELD_P:
	case AN_FIELD_M: return place_is(t, s);
	case AN_FIELD_KIND: {
		const char *name = s->event ? wtr_kind_name(s->event->kind) : "";
		return an_term_text(t, (wtr_str){ name, strlen(name) });
	}
	case AN_FIELD_TYPE: {
		const char *name = s->event ? wtr_type_name(s->event->type) : "";
		return an_term_text(t, (wtr_str){ name, strlen(name) });
	}
	case AN_FIELD_TASK: return task_is(t, s);
	case AN_FIELD_LOG: return log_is(w, t, s);
	case AN_FIELD_REGION:
		if (s->region)
			return an_term_text(t, s->region->name);
		__attribute__((fallthrough));
	default: return any_time(t, s);
	}
}

/* ---- the tree ---- */

/* Nodes stand behind those that they name, and a filter is short, so all of them are looked at in order of need. */
static bool eval(wtr_where *w, uint32_t node, subject *s)
{
	const an_branch *n = &w->nodes.at[node];
	switch (n->kind) {
	case AN_BRANCH_TRUE: return true;
	case AN_BRANCH_AND: return eval(w, n->a, s) && eval(w, n->b, s);
	case AN_BRANCH_OR: return eval(w, n->a, s) || eval(w, n->b, s);
	case AN_BRANCH_NOT: return !eval(w, n->a, s);
	default: break;
	}
	uint64_t bit = UINT64_C(1) << n->a;
	if (!(s->known & bit)) {
		s->known |= bit;
		if (holds(w, &w->terms[n->a], s))
			s->held |= bit;
	}
	return s->held & bit;
}

static bool passes(wtr_where *w, subject *s)
{
	return eval(w, w->root, s);
}

/* Counts a thing that has been asked about; its answer. */
static bool told(wtr_where *w, bool passed)
{
	w->asked++;
	w->passed += passed;
	return passed;
}

void wtr_where_tally(const wtr_where *w, uint64_t *ret_asked, uint64_t *ret_passed)
{
	*ret_asked = w ? w->asked : 0;
	*ret_passed = w ? w->passed : 0;
}

bool wtr_where_goroutine(wtr_where *w, const wtr_goroutine_row *g)
{
	if (!w)
		return true;
	int64_t from = g->create_ns == WTR_NEVER ? w->totals.start_ns : g->create_ns;
	int64_t to = g->end_ns == WTR_NEVER ? w->totals.end_ns + 1 : g->end_ns;
	return told(w, passes(w, &(subject){ .row = g, .g = g->id, .from_ns = from, .to_ns = to }));
}

bool wtr_where_event(wtr_where *w, const wtr_event *e)
{
	if (!w)
		return true;
	int64_t g = e->kind == WTR_KIND_STATE_TRANSITION && e->resource == WTR_RES_GOROUTINE ? e->id : e->g;
	subject s = { .event = e, .g = g, .from_ns = e->time_ns, .to_ns = e->time_ns + 1 };
	if (passes(w, &s))
		return told(w, true);
	if (g == e->g || e->g == WTR_NONE)
		return told(w, false);
	s = (subject){ .event = e, .g = e->g, .from_ns = e->time_ns, .to_ns = e->time_ns + 1 };
	return told(w, passes(w, &s));
}

bool wtr_where_task(wtr_where *w, const wtr_task_row *t)
{
	if (!w)
		return true;
	subject s = { .task = t,
		.g = WTR_NONE,
		.from_ns = t->start_ns == WTR_NEVER ? w->totals.start_ns : t->start_ns,
		.to_ns = t->end_ns == WTR_NEVER ? w->totals.end_ns : t->end_ns };
	return told(w, passes(w, &s));
}

bool wtr_where_region(wtr_where *w, const wtr_region_row *r)
{
	if (!w)
		return true;
	subject s = { .region = r,
		.g = r->g,
		.from_ns = r->start_ns == WTR_NEVER ? w->totals.start_ns : r->start_ns,
		.to_ns = r->end_ns == WTR_NEVER ? w->totals.end_ns : r->end_ns };
	return told(w, passes(w, &s));
}

/* ---- spans ---- */

/* Until when no term that depends on the time changes its mind, from `time` on. */
static int64_t steady_until(const wtr_where *w, int64_t g, int64_t time, int64_t to)
{
	for (unsigned i = 0; i < w->n_terms; i++) {
		const an_term *t = &w->terms[i];
		int64_t until;
		if (t->want != AN_WANT_PERIOD && t->field != AN_FIELD_TASK && t->field != AN_FIELD_REGION &&
			t->field != AN_FIELD_ANY)
			continue;
		at_time(t, g, time, &until);
		to = until < to ? until : to;
	}
	return to;
}

int64_t an_where_span(wtr_where *w, const an_span_source *from, const an_state_span *span)
{
	if (!w)
		return span->to_ns - span->from_ns;
	int64_t sum = 0;
	for (int64_t at = span->from_ns; at < span->to_ns;) {
		int64_t to = w->timed ? steady_until(w, span->g, at, span->to_ns) : span->to_ns;
		subject s = { .span = span, .from = from, .g = span->g, .from_ns = at, .to_ns = to };
		if (passes(w, &s))
			sum += to - at;
		at = to;
	}
	if (span->to_ns > span->from_ns)
		told(w, sum > 0);
	return sum;
}

bool an_where_id(wtr_where *w, int64_t g)
{
	const wtr_goroutine_row *r = w ? wtr_goroutine(w->x, g) : NULL;
	return !w || (r && wtr_where_goroutine(w, r));
}

wtr_code an_where_wants_goroutines(const wtr_where *w, wtr_error *err)
{
	if (!w || (w->about == WTR_ABOUT_GOROUTINE && w->x))
		return WTR_OK;
	return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "where.about",
		"a filter about goroutines is wanted, bound with an index of them");
}

bool an_where_asks(const wtr_where *w, uint64_t fields)
{
	for (unsigned i = 0; w && i < w->n_terms; i++)
		if (fields >> w->terms[i].field & 1)
			return true;
	return false;
}

void an_where_asker(wtr_where *w)
{
	for (unsigned i = 0; w && i < w->n_terms; i++)
		w->terms[i].memo.n = 0;
}

bool an_where_memory(const wtr_where *w)
{
	return !w || !w->oom;
}
