/* an/profile_lanes.c - profiles from the lanes of a finished index, for whoever asks of one range after the other.
 *
 * A lane has every state of a goroutine as a number of the dictionary, and that says all that a record is about.  So
 * time is added up by number, goroutine by goroutine, and stacks are looked up once per number.  What counts is what
 * counts in profile.c; test/unit/an/profile.c holds that both say the same.
 */
#include <string.h>

#include "an/classes.h"
#include "an/lanes.h"
#include "an/profile.h"
#include "read/trace.h"

typedef struct sum {
	uint64_t n;
	int64_t ns;
	uint64_t last; /* when the last of them was over */
} sum;

/* Waits by what came behind them. */
typedef struct woken {
	uint32_t what, next;
	sum sum;
} woken;

typedef struct adding {
	const an_lanes *l;
	const wtr_trace *t;
	wtr_profile *p;
	wtr_profile_kind kind;
	wtr_where *where;      /* NULL: all */
	an_span_source source; /* what the filter's questions lead to */
	uint32_t *passed;      /* by number, where the filter asks for nothing else: the goroutine + 1, << 1, | yes */
	uint32_t g;            /* that is looked at */
	uint64_t ran;          /* how long it did, for CREATE */
	uint64_t from, to;     /* ns since the trace's start */
	uint8_t *counts;       /* by number of the dictionary: whether a span of it does */
	sum *sums;             /* likewise */
	WB_VEC(woken) wokens;  /* OFFWAKE: instead of sums */
	wb_idmap woken_of;     /* what << 32 | next */
	wb_idmap rows;         /* key -> row of the profile */
	WB_VEC(uint64_t) last; /* by row: when the span was over whose stack it shows */
	bool oom;
} adding;

#define FIELD_BIT(ID) (UINT64_C(1) << AN_FIELD_##ID)
/* Of the event that begins a state lanes keep neither proc nor thread, and its waker they would have to look for. */
#define NOT_IN_LANES (FIELD_BIT(P) | FIELD_BIT(M) | FIELD_BIT(WAKER))
/* What a goroutine and a number of the dictionary decide. */
#define LASTING \
	(FIELD_BIT(G) | FIELD_BIT(FN) | FIELD_BIT(CREATOR) | FIELD_BIT(STATE) | FIELD_BIT(REASON) | FIELD_BIT(STACK))

/* Repair takes generations whose texts are gone: then a stack has the names that it was first met with, and a pass
 * meets more of them. */
bool an_profile_in_lanes(const wtr_trace *t, const wtr_profile_query *q)
{
	static const unsigned kinds = 1u << WTR_PROFILE_NET | 1u << WTR_PROFILE_SYNC | 1u << WTR_PROFILE_SYSCALL |
				      1u << WTR_PROFILE_SCHED | 1u << WTR_PROFILE_OFFCPU | 1u << WTR_PROFILE_OFFWAKE |
				      1u << WTR_PROFILE_CREATE;
	const wtr_index *x = q->index;
	bool known = x && x->lanes && x->totals.events && !x->lanes->again;
	bool samples = q->kind == WTR_PROFILE_CPU && known && x->parts & WTR_PART_EVENTS;
	bool spans = kinds >> q->kind & 1 && !an_where_asks(q->where, NOT_IN_LANES);
	return known && (samples || spans) && t->opt.damage == WTR_AS_GO && x->totals.end.code == WTR_OK;
}

/* ---- rows ---- */

static uint32_t stack_of(adding *a, uint32_t id)
{
	uint32_t no = an_stackset_add(&a->p->stacks, a->t, id);
	a->oom |= no == UINT32_MAX;
	return no == UINT32_MAX ? 0 : no;
}

/* Where the event was that begins such a span. */
static uint32_t begun_at(adding *a, uint32_t what)
{
	const an_what *w = &a->l->dict.whats.at[what];
	return stack_of(a, w->flags & AN_BY_OTHER ? w->waker_stack : w->stack);
}

/* As in profile.c, a row shows the stack that was met last, of those that are the same to it. */
static void put(adding *a, uint64_t key, const an_prow *fresh, const sum *s)
{
	uint32_t i = an_profile_row(a->p, &a->rows, key, fresh);
	if (i == UINT32_MAX || (a->last.n <= i && !wb_vec_add(&a->last, 0))) {
		a->oom = true;
		return;
	}
	an_prow *r = &a->p->rows.at[i];
	r->count += s->n;
	r->ns += s->ns;
	if (s->last >= a->last.at[i]) {
		a->last.at[i] = s->last;
		r->stack = fresh->stack;
	}
}

static void put_by_stack(adding *a, uint32_t stack, unsigned cls, const sum *s)
{
	an_prow fresh = { .stack = stack, .state = a->kind == WTR_PROFILE_OFFCPU ? cls : 0 };
	uint64_t same = an_stackset_same(&a->p->stacks, stack);
	put(a, same * WTR_CLASS_COUNT + fresh.state, &fresh, s);
}

static void put_woken(adding *a, uint32_t stack, uint32_t next, const sum *s)
{
	an_prow fresh = { .stack = stack, .waker = begun_at(a, next) };
	put(a, (uint64_t)stack << 32 | fresh.waker, &fresh, s);
}

static void put_all(adding *a)
{
	const an_what *whats = a->l->dict.whats.at;
	for (uint32_t i = 1; i < a->l->dict.whats.n && !a->oom; i++)
		if (a->sums[i].n)
			put_by_stack(a, begun_at(a, i), whats[i].cls, &a->sums[i]);
	for (size_t i = 0; i < a->wokens.n && !a->oom; i++)
		put_woken(a, begun_at(a, a->wokens.at[i].what), a->wokens.at[i].next, &a->wokens.at[i].sum);
}

/* ---- spans ---- */

static void add(sum *s, uint64_t ns, uint64_t end)
{
	s->n++;
	s->ns += (int64_t)ns;
	s->last = end > s->last ? end : s->last;
}

static sum *woken_sum(adding *a, uint32_t what, uint32_t next)
{
	uint64_t key = (uint64_t)what << 32 | next;
	uint32_t i = wb_idmap_get(&a->woken_of, key);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)a->wokens.n;
		if (!wb_vec_add(&a->wokens, (woken){ what, next, { 0 } }) || !wb_idmap_set(&a->woken_of, key, i)) {
			a->oom = true;
			return NULL;
		}
	}
	return &a->wokens.at[i].sum;
}

/* ---- filters ---- */

static wtr_str reason_text(void *user, uint32_t reason)
{
	const adding *a = user;
	wb_text t = wb_intern_text(&a->l->texts, reason);
	return (wtr_str){ t.at, t.n };
}

static size_t frames(void *user, uint32_t stack, wtr_frame *ret, size_t n)
{
	const adding *a = user;
	return an_stackset_frames(&a->p->stacks, stack, ret, n);
}

/* The class of a state as profiles have it: a mark worker runs as others do. */
static unsigned class_of(const an_what *w)
{
	switch (w->state) {
	case WTR_G_RUNNING: return WTR_CLASS_RUNNING;
	case WTR_G_RUNNABLE: return WTR_CLASS_RUNNABLE;
	case WTR_G_SYSCALL: return WTR_CLASS_SYSCALL;
	case WTR_G_WAITING: return w->cls;
	default: return WTR_CLASS_NONE;
	}
}

static an_state_span span_of(const adding *a, uint32_t what, uint32_t stack, uint64_t from, uint64_t to)
{
	const an_what *w = &a->l->dict.whats.at[what];
	return (an_state_span){
		.g = an_g_at(a->l, a->g)->id,
		.from_ns = a->l->start + (int64_t)from,
		.to_ns = a->l->start + (int64_t)to,
		.waker = WTR_NONE,
		.p = WTR_NONE,
		.m = WTR_NONE,
		.stack = stack,
		.reason = w->state == WTR_G_RUNNING ? 0 : w->reason, /* one whose proc was taken goes on running */
		.state = w->state,
		.cls = (uint8_t)class_of(w),
	};
}

/* How much of [from, to) of a span the filter lets through. */
static uint64_t let_through(adding *a, uint64_t from, uint64_t to, uint32_t what)
{
	uint32_t known = (a->g + 1) << 1;
	if (a->passed && (a->passed[what] & ~1u) == known)
		return a->passed[what] & 1 ? to - from : 0;
	an_state_span s = span_of(a, what, begun_at(a, what), from, to);
	uint64_t ns = (uint64_t)an_where_span(a->where, &a->source, &s);
	if (a->passed)
		a->passed[what] = known | (ns != 0);
	return ns;
}

/* ---- what counts ---- */

/* Cuts a span to what is asked for; false when nothing of it counts.  `next` is AN_NO for one that is open at the
 * trace's end. */
static inline bool cut(const adding *a, uint64_t from, uint64_t *start, uint64_t *end, uint32_t what, uint32_t next)
{
	*start = *start > from ? *start : from;
	*end = *end < a->to ? *end : a->to;
	bool counts = a->counts[what] && (next != AN_NO || a->kind == WTR_PROFILE_OFFCPU);
	if (counts && a->kind == WTR_PROFILE_OFFWAKE)
		counts = a->l->dict.whats.at[next].state == WTR_G_RUNNABLE;
	return counts && *end > *start;
}

static inline void over(adding *a, uint64_t from, uint64_t start, uint64_t end, uint32_t what, uint32_t next)
{
	uint64_t last = end;
	if (!cut(a, from, &start, &end, what, next))
		return;
	uint64_t ns = __builtin_expect(a->where != NULL, 0) ? let_through(a, start, end, what) : end - start;
	sum *s = ns == 0 ? NULL : a->kind == WTR_PROFILE_OFFWAKE ? woken_sum(a, what, next) : &a->sums[what];
	if (s)
		add(s, ns, last);
}

typedef struct walking {
	adding *a;
	uint64_t from;
} walking;

static inline void one(void *user, uint64_t start, uint64_t end, uint32_t what, uint32_t next)
{
	const walking *w = user;
	over(w->a, w->from, start, end, what, next);
}

/* All spans of a strip that are in [from, a->to). */
static void walk(adding *a, const an_strip *s, uint64_t from)
{
	an_strip_walk(&a->l->store, s, from, a->to, one, &(walking){ a, from });
}

/* When a goroutine first ran; UINT64_MAX: never. */
static uint64_t first_run(const an_lanes *l, const an_strip *s)
{
	for (const an_chunk *c = s->first; c; c = c->next)
		for (uint32_t b = 0; b < c->n; b++) {
			an_reader r = an_block_reader(c, b);
			for (unsigned i = 0; i < an_block_at(c, b)->n; i++) {
				uint32_t what;
				uint64_t t = an_read(&r, i, &what);
				if (l->dict.whats.at[what].state == WTR_G_RUNNING)
					return t;
			}
		}
	return UINT64_MAX;
}

/* The state that a goroutine was found in.  It counts from where that is known, at the stack of the event that found
 * it.  Returns where it ends. */
static uint64_t found(adding *a, const an_found_g *f, const an_strip *s, uint64_t from)
{
	an_place p, next;
	uint64_t since = an_profile_is_delay(a->kind) ? f->known : f->sync;
	if (!an_strip_find(&a->l->store, s, s->first->start, &p))
		return from;
	next = p;
	uint32_t then = an_strip_next(&a->l->store, &next) ? next.what : AN_NO;
	uint64_t start = p.start, end = p.end;
	if (!cut(a, since > from ? since : from, &start, &end, p.what, then))
		return p.end;
	const an_what *w = &a->l->dict.whats.at[p.what];
	uint32_t stack = stack_of(a, f->stack);
	an_state_span is = span_of(a, p.what, stack, start, end);
	wtr_str reason = reason_text(a, w->reason);
	if (w->state == WTR_G_WAITING && reason.n)
		is.cls = (uint8_t)an_wait_class(an_reason_class(reason), a->p->stacks.stacks.at[stack].collects);
	sum one = { .n = 1, .ns = an_where_span(a->where, &a->source, &is), .last = p.end };
	if (one.ns == 0)
		return p.end;
	if (a->kind == WTR_PROFILE_OFFWAKE)
		put_woken(a, stack, then, &one);
	else
		put_by_stack(a, stack, is.cls, &one);
	return p.end;
}

/* ---- who created whom ---- */

static inline void add_running(void *user, uint64_t start, uint64_t end, uint32_t what, uint32_t next)
{
	adding *a = user;
	(void)next;
	if (a->counts[what])
		a->ran += (end < a->to ? end : a->to) - start;
}

/* A goroutine that was created in the range counts where it was, and as long as it ran there. */
static void created(adding *a, const an_g *g)
{
	an_place p;
	uint64_t at = g->strip.first->start;
	if (g->flags & AN_G_OPEN || at < a->from || !an_strip_find(&a->l->store, &g->strip, at, &p))
		return;
	uint32_t stack = begun_at(a, p.what);
	an_state_span s = span_of(a, p.what, stack, at, at + 1);
	if (an_where_span(a->where, &a->source, &s) == 0)
		return;
	a->ran = 0;
	an_strip_walk(&a->l->store, &g->strip, at, a->to, add_running, a);
	put_by_stack(a, stack, 0, &(sum){ .n = 1, .ns = (int64_t)a->ran, .last = at });
}

/* ---- samples ---- */

/* The state that a goroutine was in, as far as it was known then. */
static void state_at(adding *a, int64_t id, uint64_t t, an_state_span *s)
{
	const an_lanes *l = a->l;
	uint32_t gi = id == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&l->g_ids, (uint64_t)id);
	an_place p;
	if (gi == WB_IDMAP_NONE)
		return;
	const an_g *g = an_g_at(l, gi);
	if (g->flags & AN_G_OPEN && t < l->founds.at[wb_idmap_get(&l->found_of, gi)].known)
		return;
	if (!g->strip.first || t < g->strip.first->start || !an_strip_find(&l->store, &g->strip, t, &p) || !p.what)
		return;
	a->g = gi;
	an_state_span is = span_of(a, p.what, s->stack, t, t + 1);
	s->state = is.state;
	s->cls = is.cls;
	s->reason = is.reason;
}

static bool sample_passes(adding *a, const wtr_sample_row *r, uint32_t stack)
{
	an_state_span s = { .g = r->g,
		.from_ns = r->time_ns,
		.to_ns = r->time_ns + 1,
		.waker = WTR_NONE,
		.p = r->p,
		.m = r->m,
		.stack = stack };
	if (a->where)
		state_at(a, r->g, (uint64_t)r->time_ns - (uint64_t)a->l->start, &s);
	return an_where_span(a->where, &a->source, &s) != 0;
}

static void sample_all(adding *a, const wtr_index *x)
{
	const wtr_sample_row *r = wtr_table_data(x, WTR_TABLE_SAMPLES);
	size_t n = wtr_table_rows(x, WTR_TABLE_SAMPLES);
	for (size_t i = 0; i < n && !a->oom; i++) {
		uint64_t t = (uint64_t)r[i].time_ns - (uint64_t)a->l->start;
		if (t < a->from || t >= a->to)
			continue;
		uint32_t stack = stack_of(a, r[i].stack);
		if (sample_passes(a, &r[i], stack))
			put_by_stack(a, stack, 0, &(sum){ .n = 1, .last = t });
	}
}

/* ---- goroutines ---- */

/* What a goroutine waited before it first ran is no delay, if it ever runs. */
static void goroutine(adding *a, uint32_t gi, const an_g *g)
{
	uint64_t ran = an_profile_is_delay(a->kind) ? first_run(a->l, &g->strip) : UINT64_MAX;
	uint64_t from = ran != UINT64_MAX && ran > a->from ? ran : a->from;
	if (g->flags & AN_G_OPEN) {
		uint64_t end = found(a, &a->l->founds.at[wb_idmap_get(&a->l->found_of, gi)], &g->strip, from);
		from = end > from ? end : from;
	}
	walk(a, &g->strip, from);
}

static void walk_all(adding *a)
{
	for (uint32_t i = 0; i < a->l->n_g && !a->oom; i++) {
		const an_g *g = an_g_at(a->l, i);
		a->g = i;
		if (!g->strip.first || g->strip.first->start >= a->to)
			continue;
		if (a->kind == WTR_PROFILE_CREATE)
			created(a, g);
		else
			goroutine(a, i, g);
	}
}

/* ---- all of it ---- */

static bool begin(adding *a)
{
	const an_lanes *l = a->l;
	unsigned states = an_profile_states(a->kind);
	a->counts = wb_calloc(l->dict.whats.n + 1, sizeof(*a->counts));
	a->sums = wb_calloc(l->dict.whats.n + 1, sizeof(*a->sums));
	if (a->where && !an_where_asks(a->where, ~LASTING))
		a->passed = wb_calloc(l->dict.whats.n + 1, sizeof(*a->passed));
	if (!a->p || !a->counts || !a->sums || !an_stackset_init(&a->p->stacks))
		return false;
	a->source = (an_span_source){ a, frames, reason_text };
	an_where_asker(a->where);
	for (size_t i = 1; i < l->dict.whats.n; i++) {
		const an_what *w = &l->dict.whats.at[i];
		wb_text reason = wb_intern_text(&l->texts, w->reason);
		a->counts[i] =
			(states >> w->state & 1) &&
			(w->state != WTR_G_WAITING || an_profile_waits(a->kind, (wtr_str){ reason.at, reason.n }));
	}
	return true;
}

wtr_profile *an_profile_from_lanes(const wtr_trace *t, const wtr_profile_query *q)
{
	const an_lanes *l = q->index->lanes;
	adding a = { .l = l, .t = t, .kind = q->kind, .where = q->where, .p = wb_calloc(1, sizeof(*a.p)) };
	int64_t from = q->ranged && q->from_ns > l->start ? q->from_ns : l->start;
	int64_t end = l->start + (int64_t)l->store.end, to = q->ranged && q->to_ns < end ? q->to_ns : end;
	a.from = (uint64_t)from - (uint64_t)l->start;
	a.to = to > from ? (uint64_t)to - (uint64_t)l->start : 0;
	bool ok = begin(&a);
	if (ok) {
		if (q->kind == WTR_PROFILE_CPU)
			sample_all(&a, q->index);
		else
			walk_all(&a);
		put_all(&a);
		a.p->kind = a.p->totals.kind = q->kind;
		a.p->totals.duration_ns = to > from ? to - from : 0;
		an_profile_finish(a.p);
	}
	wb_free(a.counts);
	wb_free(a.sums);
	wb_free(a.passed);
	wb_vec_free(&a.wokens);
	wb_idmap_free(&a.woken_of);
	wb_idmap_free(&a.rows);
	wb_vec_free(&a.last);
	if (ok && !a.oom && an_where_memory(q->where))
		return a.p;
	wtr_profile_free(a.p);
	return NULL;
}
