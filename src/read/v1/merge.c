/* read/v1/merge.c - the second pass over a v1 trace: in which order did the events of all procs happen, and does it make sense?
 *
 * Clocks of processors may differ, so an event also says what must have happened before: each goroutine has a status and a
 * sequence number, and an event is ready only when its goroutine is where the event needs it (format: docs/format.md, "v1:
 * merge").  Of the ready events the earliest is next.  Which of two with the same time comes first, falls out of the workings of Go's heap
 * and of its list of procs, so both work here just as there; only that the list begins in the order of proc ids, where Go takes
 * the order of a hash map, different each time.
 *
 * Only which proc was picked is kept.  In the same pass the goroutine and proc states are checked (check.h).  Go checks them
 * after giving GoSysExit events the earlier time they carry; that makes no difference as long as the goroutine has been in
 * that very system call all the time between, and when it has not, or when anything looks wrong, everything is checked
 * again in the final order.
 */
#include <stdlib.h>
#include <string.h>

#include "read/source.h"
#include "read/trace.h"
#include "read/v1/check.h"

static const uint64_t ANY = UINT64_MAX, COUNT = UINT64_MAX - 1; /* sequence numbers with a meaning */
static const uint64_t UNORDERED = UINT64_MAX, COLLECTOR = UINT64_MAX - 1; /* goroutine ids with a meaning */

enum { PROGRESS_EVENTS = 1 << 20, MOVES_PER_EVENT = 64, STALL_ONE_BY_ONE = 256 };

typedef struct stream {
	wtr__v1_stream in;
	wtr__v1_event  head;
	wtr__v1_p      p;
	int64_t        pid;
	uint64_t       need;       /* sequence number the head needs, or ANY */
	uint32_t       g;          /* index of the goroutine running here */
	uint32_t       head_g;     /* of the head's context ... */
	uint32_t       head_arg;   /* ... of the goroutine it creates or wakes, 0: none ... */
	uint32_t       head_order; /* ... of the one whose order it is in; NONE: it is free */
	uint32_t       next_waiter; /* in the bucket, + 1 */
	uint32_t       idle_at;     /* in merge.idle */
	bool           done;        /* no more events */
} stream;

typedef struct ready {
	int64_t  ts;
	uint32_t s;
} ready;

typedef struct woken {
	uint32_t at, s; /* place in merge.idle, stream */
} woken;

typedef struct merge {
	wtr_trace    *t;
	wtr__v1      *v;
	wtr_error    *err;
	stream       *streams;     /* one per proc, then the samples */
	uint32_t      n_streams;
	ready        *heap;
	uint32_t      n_heap;
	uint32_t     *buckets;     /* streams whose head is not ready: by hash of what they wait for, stream + 1 */
	uint32_t      n_buckets;
	uint32_t     *idle;        /* streams not in the heap, in the order that Go has them in */
	uint32_t      n_idle;
	woken        *woken;       /* those of them that may go to the heap or are done */
	uint32_t      n_woken;
	size_t        next_sample;
	uint32_t      collector;   /* index in check.gs */
	bool          doubtful;    /* check everything again */
	bool          moved_unsorted;
	uint64_t      budget;      /* of moves when sorting v->moved */
	uint64_t      n;           /* events merged */
	int64_t       last_ts;
	wtr__v1_check check;
} merge;

static wtr_code no_memory(merge *m)
{
	return wtr__fail(m->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory while ordering the events");
}

static uint64_t offset_of(const merge *m, const wtr__v1_event *e) { return (uint64_t)(e->at - m->v->at); }

/* ---- heads ---- */

/* Looks up what the head needs; false: out of memory. */
static bool prepare(merge *m, stream *s)
{
	wtr__v1_event *e = &s->head;
	const struct wtr__v1_kind *k = &wtr__v1_kinds[e->type];
	s->head_arg = 0;
	switch (k->ctx) {
	case WTR__V1_CTX_START:
		s->head_g = s->g = wtr__v1_find_g(&m->check, e->a[0]);
		break;
	case WTR__V1_CTX_END:
		s->head_g = s->g;
		s->g = 0;
		break;
	case WTR__V1_CTX_ARG:
		s->head_g = wtr__v1_find_g(&m->check, e->a[0]);
		break;
	default:
		s->head_g = s->g;
		if (k->seq == WTR__V1_SEQ_NONE) {
			s->head_order = WTR__V1_NONE;
			return true;
		}
		if (e->type == WF_V1_GCStart) {
			if (m->collector == WTR__V1_NONE)
				m->collector = wtr__v1_find_g(&m->check, COLLECTOR);
			s->head_order = m->collector;
			s->need = e->a[0];
			return s->head_order != WTR__V1_NONE;
		}
		s->head_order = s->head_arg = wtr__v1_find_g(&m->check, e->a[0]);
		s->need = k->seq == WTR__V1_SEQ_COUNT ? ANY : e->type == WF_V1_GoCreate ? 0 : e->a[1];
		if (__builtin_expect(e->a[0] == UNORDERED, 0) && s->head_arg != WTR__V1_NONE)
			s->head_order = WTR__V1_NONE;
		return s->head_arg != WTR__V1_NONE;
	}
	if (s->head_g == WTR__V1_NONE)
		return false;
	s->head_order = k->seq == WTR__V1_SEQ_NONE || __builtin_expect(e->g == UNORDERED, 0) ? WTR__V1_NONE : s->head_g;
	s->need = k->seq != WTR__V1_SEQ_EXACT ? ANY : k->seq_arg & 0x80 ? k->seq_arg & 0x7f : e->a[1];
	return true;
}

/* Decodes the next event of a stream; *ret_any tells if there was one.  False: out of memory. */
static inline bool advance(merge *m, uint32_t i, bool *ret_any)
{
	stream *s = &m->streams[i];
	wtr__v1 *v = m->v;
	if (__builtin_expect(i == m->n_streams - 1, 0)) {
		*ret_any = m->next_sample < v->samples.n;
		if (!*ret_any)
			return true;
		const wtr__v1_sample *c = &v->samples.at[m->next_sample++];
		s->head = (wtr__v1_event){ v->at + c->at, c->ts, c->g, { 0 }, c->stack, WF_V1_CPUSample };
		s->head_order = WTR__V1_NONE;
		return true;
	}
	*ret_any = wtr__v1_stream_next(v, &s->in, &s->head);
	return !*ret_any || prepare(m, s);
}

static inline bool is_ready(const merge *m, const stream *s)
{
	if (s->head_order == WTR__V1_NONE)
		return true;
	const wtr__v1_g *g = &m->check.gs.at[s->head_order];
	return (s->need == ANY || s->need == g->seq) && wtr__v1_kinds[s->head.type].needs == g->status;
}

/* ---- those that are not ready ---- */

static uint32_t bucket(const merge *m, uint32_t order, uint64_t seq, unsigned status)
{
	uint64_t h = (order * UINT64_C(4) + status) * UINT64_C(0x9e3779b97f4a7c15) ^ seq * UINT64_C(0xc2b2ae3d27d4eb4f);
	h ^= h >> 29;
	h *= UINT64_C(0xbf58476d1ce4e5b9);
	return (uint32_t)(h >> 32) & (m->n_buckets - 1);
}

static void wait_for(merge *m, uint32_t i)
{
	stream *s = &m->streams[i];
	uint32_t *b = &m->buckets[bucket(m, s->head_order, s->need, wtr__v1_kinds[s->head.type].needs)];
	s->next_waiter = *b;
	*b = i + 1;
	m->check.gs.at[s->head_order].waiters++;
}

/* Takes the stream that *link names out of its bucket. */
static uint32_t unlink_waiter(merge *m, uint32_t *link)
{
	uint32_t i = *link - 1;
	*link = m->streams[i].next_waiter;
	m->check.gs.at[m->streams[i].head_order].waiters--;
	return i;
}

/* Those that wait for (seq, status) of a goroutine need to wait no more. */
static void wake_bucket(merge *m, uint32_t order, uint64_t seq, unsigned status)
{
	uint32_t *link = &m->buckets[bucket(m, order, seq, status)];
	while (*link) {
		stream *s = &m->streams[*link - 1];
		if (s->head_order == order && s->need == seq && wtr__v1_kinds[s->head.type].needs == status)
			m->woken[m->n_woken++].s = unlink_waiter(m, link);
		else
			link = &s->next_waiter;
	}
}

/* ---- the heap, by time ---- */

static inline void push(merge *m, uint32_t s)
{
	ready r = { m->streams[s].head.ts, s };
	uint32_t i = m->n_heap++;
	while (i > 0 && r.ts < m->heap[(i - 1) / 2].ts) {
		m->heap[i] = m->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	m->heap[i] = r;
}

static inline uint32_t pop(merge *m)
{
	ready *h = m->heap;
	uint32_t n = --m->n_heap, i = 0, top = h[0].s;
	ready r = h[n];
	for (uint32_t j; (j = 2 * i + 1) < n; i = j) {
		j += j + 1 < n && h[j + 1].ts < h[j].ts;
		if (h[j].ts >= r.ts)
			break;
		h[i] = h[j];
	}
	h[i] = r;
	return top;
}

static void add_idle(merge *m, uint32_t i)
{
	m->streams[i].idle_at = m->n_idle;
	m->idle[m->n_idle++] = i;
}

static int by_place(const void *a, const void *b)
{
	uint32_t x = ((const woken *)a)->at, y = ((const woken *)b)->at;
	return (x > y) - (x < y);
}

/* Pushes the woken streams: always the first in the list, whose place the last then takes. */
static void push_woken(merge *m)
{
	woken *w = m->woken;
	uint32_t from = 0, to = m->n_woken;
	for (uint32_t k = 0; k < to; k++)
		w[k].at = m->streams[w[k].s].idle_at;
	if (to > 1)
		qsort(w, to, sizeof(*w), by_place);
	while (from < to) {
		woken first = w[from++];
		uint32_t last = m->idle[--m->n_idle];
		m->idle[first.at] = last;
		m->streams[last].idle_at = first.at;
		if (from < to && w[to - 1].s == last) { /* it stands first now */
			w[--from] = (woken){ first.at, last };
			to--;
		}
		if (!m->streams[first.s].done)
			push(m, first.s);
	}
	m->n_woken = 0;
}

/* ---- what is kept ---- */

static bool put_number(merge *m, uint32_t value)
{
	wtr__v1 *v = m->v;
	if (!wb_vec_reserve(&v->picks, 4))
		return false;
	for (unsigned i = 0; i < v->pick_bytes; i++)
		v->picks.at[v->picks.n++] = (uint8_t)(value >> 8 * i);
	return true;
}

static inline bool put_pick(merge *m, uint32_t s)
{
	wtr__v1 *v = m->v;
	if (__builtin_expect(v->pick_bytes == 1 && v->picks.n < v->picks.cap, 1)) {
		v->picks.at[v->picks.n++] = (uint8_t)s;
		return true;
	}
	return put_number(m, s);
}

static bool put_escape(merge *m, unsigned how) { return put_number(m, UINT32_MAX) && put_number(m, how); }

/* Keeps v->moved sorted; most events have to pass none or few others. */
static bool put_moved(merge *m, const wtr__v1_event *e)
{
	wtr__v1 *v = m->v;
	wtr__v1_moved r = { (int64_t)e->a[2], e->g, (uint32_t)m->n };
	if (!wb_vec_add(&v->moved, r))
		return false;
	if (m->moved_unsorted)
		return true;
	size_t i = v->moved.n - 1;
	for (; i > 0 && v->moved.at[i - 1].ts > r.ts; i--) {
		v->moved.at[i] = v->moved.at[i - 1];
		if (m->budget-- == 0) {
			m->moved_unsorted = true;
			i--;
			break;
		}
	}
	v->moved.at[i] = r;
	m->budget += MOVES_PER_EVENT;
	return true;
}

static int by_time(const void *a, const void *b)
{
	const wtr__v1_moved *x = a, *y = b;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* ---- one event ---- */

/* The goroutine of the order goes where the event leaves it. */
static inline void apply(merge *m, stream *s, const struct wtr__v1_kind *k)
{
	wtr__v1_g *g = &m->check.gs.at[s->head_order];
	switch (k->seq) {
	case WTR__V1_SEQ_EXACT: {
		uint64_t next = s->need + 1;
		if (__builtin_expect(next == ANY, 0))
			next = g->seq;
		else if (__builtin_expect(next == COUNT, 0))
			next = g->seq + 1;
		g->seq = next;
		break;
	}
	case WTR__V1_SEQ_COUNT: g->seq++; break;
	default: break;
	}
	g->status = k->leaves;
	if (__builtin_expect(g->waiters != 0, 0)) {
		wake_bucket(m, s->head_order, g->seq, g->status);
		if (g->seq != ANY)
			wake_bucket(m, s->head_order, ANY, g->status);
	}
}

/* A return from a blocking system call that carries its own time. */
static wtr_code sysexit(merge *m, stream *s, bool *ret_stay)
{
	wtr__v1_event *e = &s->head;
	wtr__v1_g *g = &m->check.gs.at[s->head_g];
	int64_t ts = (int64_t)e->a[2];
	bool plain = g->state == WTR__V1_WAITING && g->in_syscall && ts >= g->blocked_ts && ts <= e->ts && g->blocked_ts != 0;
	*ret_stay = !plain && m->v->repair;
	if (plain)
		return put_moved(m, e) ? WTR_OK : no_memory(m);
	if (*ret_stay)
		return WTR_OK;
	wtr__v1_fault f = g->blocked_ts == 0 ? WTR__V1_FAULT_STRAY_SYSEXIT : WTR__V1_FAULT_EARLY_SYSEXIT;
	if (g->blocked_ts == 0 || ts < g->blocked_ts)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, wtr__v1_fault_rule(f),
			"goroutine %llu on proc %lld: %s (time %lld ticks, blocked at %lld)", (unsigned long long)e->g, (long long)s->pid,
			wtr__v1_fault_text(f), (long long)ts, (long long)g->blocked_ts);
	m->doubtful = true;
	return put_moved(m, e) ? WTR_OK : no_memory(m);
}

/* Repair: makes the checked states what the event needs where it is worth it; the event stays if that is enough. */
static bool mend(merge *m, stream *s, wtr__v1_fault f)
{
	wtr__v1_check *c = &m->check;
	wtr__v1_g *g = &c->gs.at[s->head_g];
	switch (s->head.type) {
	case WF_V1_GoStart:
	case WF_V1_GoStartLocal:
	case WF_V1_GoStartLabel:
		if (s->head.g == 0)
			return false;
		g->state = WTR__V1_RUNNING;
		s->p.g = s->head.g;
		m->v->forced_states++;
		return true;
	case WF_V1_GoUnblock:
	case WF_V1_GoUnblockLocal:
		if (s->head_arg != 0 && f == WTR__V1_FAULT_NOT_WAITING)
			c->gs.at[s->head_arg].state = WTR__V1_RUNNABLE;
		return false;
	case WF_V1_ProcStop:
		s->p.running = false;
		s->p.g = 0;
		return false;
	case WF_V1_GoCreate:
		if (f == WTR__V1_FAULT_EXISTS)
			c->gs.at[s->head_arg].state = WTR__V1_RUNNABLE;
		return false;
	default:
		return false;
	}
}

/* Checks the head of a stream; *ret_skip tells to leave it out. */
static wtr_code check_head(merge *m, stream *s, bool *ret_skip)
{
	wtr__v1_check *c = &m->check;
	*ret_skip = false;
	if (m->doubtful)
		return WTR_OK;
	wtr__v1_fault f = wtr__v1_check_event(c, &c->gs.at[s->head_g], &c->gs.at[s->head_arg], &s->p, s->pid, &s->head);
	if (__builtin_expect(f == WTR__V1_FINE, 1))
		return WTR_OK;
	if (f == WTR__V1_FAULT_NO_MEMORY)
		return no_memory(m);
	if (m->v->repair)
		*ret_skip = !mend(m, s, f);
	else
		m->doubtful = true; /* the second check will tell */
	return WTR_OK;
}

static wtr_code out_of_order(merge *m, stream *s, const char *rule, const char *text)
{
	const wtr__v1_event *e = &s->head;
	const struct wtr__v1_kind *k = &wtr__v1_kinds[e->type];
	static const char *const names[] = { "dead", "runnable", "running", "waiting" };
	if (s->head_order == WTR__V1_NONE)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule, "%s (proc %lld, %lld ticks)", text,
			(long long)s->pid, (long long)e->ts);
	const wtr__v1_g *g = &m->check.gs.at[s->head_order];
	uint64_t id = s->head_order == s->head_g ? e->g : e->a[0];
	if (s->need == ANY)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule,
			"%s: goroutine %llu on proc %lld must be %s, and is %s", text, (unsigned long long)id, (long long)s->pid, names[k->needs],
			names[g->status]);
	return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule,
		"%s: %s %llu on proc %lld must be %s with sequence number %llu, and is %s with %llu", text,
		e->type == WF_V1_GCStart ? "collection" : "goroutine", (unsigned long long)id, (long long)s->pid, names[k->needs],
		(unsigned long long)s->need, names[g->status], (unsigned long long)g->seq);
}

/* Takes the head of stream i as the next event. */
static inline wtr_code take(merge *m, uint32_t i)
{
	stream *s = &m->streams[i];
	wtr__v1_event *e = &s->head;
	const struct wtr__v1_kind *k = &wtr__v1_kinds[e->type];
	bool repair = m->v->repair, stay = false, skip;
	if (__builtin_expect(!is_ready(m, s), 0)) {
		if (!repair)
			return out_of_order(m, s, "v1.transition", "the order led to an impossible step");
		m->v->forced_states++;
	}
	if (__builtin_expect(e->ts < m->last_ts, 0) && !repair && m->n > 0)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, "v1.time-order",
			"time goes back from %lld to %lld ticks where the events of proc %lld need it", (long long)m->last_ts, (long long)e->ts,
			(long long)s->pid);
	m->last_ts = e->ts;
	if (__builtin_expect(e->type == WF_V1_CPUSample, 0)) {
		uint32_t g = wb_idmap_get(&m->check.ids, e->g);
		s->head_g = g == WB_IDMAP_NONE ? 0 : g; /* it matters only as the next event of a known one */
	}
	if (s->head_order != WTR__V1_NONE)
		apply(m, s, k);
	if (e->type == WF_V1_GoSysBlock || e->type == WF_V1_GoInSyscall)
		m->check.gs.at[s->head_g].blocked_ts = e->ts;
	else if (e->type == WF_V1_GoSysExit && e->a[2] != 0) {
		wtr_code code = sysexit(m, s, &stay);
		if (code)
			return code;
	}
	wtr_code code = check_head(m, s, &skip);
	if (code)
		return code;
	m->v->skipped_events += skip;
	if (__builtin_expect(skip || stay, 0) && !put_escape(m, skip ? WTR__V1_SKIP : WTR__V1_STAY))
		return no_memory(m);
	if (!put_pick(m, i))
		return no_memory(m);
	m->n++;
	return WTR_OK;
}

/* ---- the loop ---- */

/* Nothing is ready, and some wait: the earliest of them is at fault.  Repair: it goes next all the same. */
static wtr_code stalled(merge *m)
{
	uint32_t first = m->idle[0];
	for (uint32_t k = 1; k < m->n_idle; k++)
		if (m->streams[m->idle[k]].head.ts < m->streams[first].head.ts)
			first = m->idle[k];
	if (!m->v->repair)
		return out_of_order(m, &m->streams[first], "v1.order", "no order of events is possible");
	if (m->n_idle > STALL_ONE_BY_ONE) { /* one by one would take forever */
		memset(m->buckets, 0, m->n_buckets * sizeof(*m->buckets));
		for (; m->n_idle; m->n_idle--) {
			uint32_t i = m->idle[m->n_idle - 1];
			m->check.gs.at[m->streams[i].head_order].waiters = 0;
			push(m, i);
		}
		return WTR_OK;
	}
	stream *s = &m->streams[first];
	uint32_t *link = &m->buckets[bucket(m, s->head_order, s->need, wtr__v1_kinds[s->head.type].needs)];
	while (*link != first + 1)
		link = &m->streams[*link - 1].next_waiter;
	m->woken[m->n_woken++].s = unlink_waiter(m, link);
	push_woken(m);
	return WTR_OK;
}

static wtr_code progress(merge *m)
{
	const wtr_options *o = &m->t->opt;
	if (m->n % PROGRESS_EVENTS || !o->progress)
		return WTR_OK;
	uint64_t done = m->v->n / 3 + (uint64_t)((double)m->v->n * 2 / 3 * (double)m->n / (double)(m->v->n_events + 1));
	if (!o->progress(o->progress_user, "ordering", done, m->v->n))
		return wtr__fail(m->err, WTR_E_IO, 0, 0, WTR_NONE, "", "stopped", "ordering was stopped");
	return WTR_OK;
}

/* Stream i, which is not in the heap, goes on: to the heap, or to wait. */
static inline wtr_code go_on(merge *m, uint32_t i)
{
	stream *s = &m->streams[i];
	bool any;
	if (!advance(m, i, &any))
		return no_memory(m);
	s->done = !any;
	bool ready_now = any && is_ready(m, s);
	if (__builtin_expect(m->n_woken == 0, 1) && ready_now) {
		push(m, i);
		return WTR_OK;
	}
	add_idle(m, i);
	if (ready_now || !any)
		m->woken[m->n_woken++].s = i;
	else
		wait_for(m, i);
	push_woken(m);
	return WTR_OK;
}

static wtr_code merge_all(merge *m)
{
	for (uint32_t i = 0; i < m->n_streams; i++) {
		bool any;
		if (!advance(m, i, &any))
			return no_memory(m);
		add_idle(m, i);
		m->streams[i].done = !any;
		if (!any || is_ready(m, &m->streams[i]))
			m->woken[m->n_woken++].s = i;
		else
			wait_for(m, i);
	}
	push_woken(m);
	while (m->n_heap || m->n_idle) {
		wtr_code code;
		if (m->n_heap) {
			uint32_t i = pop(m);
			code = take(m, i);
			if (!code)
				code = progress(m);
			if (!code)
				code = go_on(m, i);
		} else {
			code = stalled(m);
		}
		if (code)
			return code;
	}
	return WTR_OK;
}

/* ---- the second check, in the final order ---- */

static wtr_code check_again(merge *m)
{
	wtr__v1 *v = m->v;
	wtr__v1_check *c = &m->check;
	wtr__v1_replay r;
	wtr__v1_check_close(c);
	v->syscalls.n = v->syscalls.words.n = v->unblocks.n = v->unblocks.words.n = 0;
	if (!wtr__v1_check_open(c, v, &v->syscalls, &v->unblocks) || !wtr__v1_replay_open(&r, v))
		return no_memory(m);
	for (uint32_t i = 0; i < m->n_streams; i++)
		m->streams[i].p = (wtr__v1_p){ 0 };
	wtr_code code = WTR_OK;
	for (wtr__v1_step step; !code && (step = wtr__v1_replay_next(&r)) != WTR__V1_END;) {
		wtr__v1_event e = r.held;
		stream *s = &m->streams[r.held_stream];
		if (step == WTR__V1_MOVED) {
			const wtr__v1_moved *x = &v->moved.at[r.moved - 1];
			e = (wtr__v1_event){ v->at, x->ts, x->g, { x->g }, 0, WF_V1_GoSysExit };
		}
		bool wakes = e.type == WF_V1_GoCreate || e.type == WF_V1_GoUnblock || e.type == WF_V1_GoUnblockLocal;
		uint32_t g = e.type == WF_V1_CPUSample ? wb_idmap_get(&c->ids, e.g) : wtr__v1_find_g(c, e.g), arg = wakes ? wtr__v1_find_g(c, e.a[0]) : 0;
		if (e.type == WF_V1_CPUSample && g == WB_IDMAP_NONE)
			continue;
		if (g == WTR__V1_NONE || arg == WTR__V1_NONE) {
			code = no_memory(m);
			break;
		}
		wtr__v1_fault f = wtr__v1_check_event(c, &c->gs.at[g], &c->gs.at[arg], &s->p, s->pid, &e);
		if (f == WTR__V1_FAULT_NO_MEMORY)
			code = no_memory(m);
		else if (f != WTR__V1_FINE)
			code = wtr__fail(m->err, WTR_E_ORDER, offset_of(m, &e), 0, WTR_NONE, wf_v1_specs[e.type].name, wtr__v1_fault_rule(f),
				"goroutine %llu on proc %lld at %lld ticks: %s", (unsigned long long)e.g, (long long)s->pid, (long long)e.ts,
				wtr__v1_fault_text(f));
	}
	wtr__v1_replay_close(&r);
	return code;
}

/* The time of the first event in the final order. */
static wtr_code first_time(merge *m)
{
	wtr__v1_replay r;
	if (!wtr__v1_replay_open(&r, m->v))
		return no_memory(m);
	wtr__v1_step step = wtr__v1_replay_next(&r);
	if (step != WTR__V1_END)
		m->v->first_ts = step == WTR__V1_MOVED ? m->v->moved.at[0].ts : r.held.ts;
	wtr__v1_replay_close(&r);
	return WTR_OK;
}

static wtr_code start(merge *m)
{
	wtr__v1 *v = m->v;
	m->n_streams = (uint32_t)v->procs.n + 1;
	v->pick_bytes = m->n_streams < UINT8_MAX ? 1 : m->n_streams < UINT16_MAX ? 2 : 4;
	for (m->n_buckets = 16; m->n_buckets < 2 * m->n_streams && m->n_buckets < 1u << 31;)
		m->n_buckets *= 2;
	m->streams = wb_calloc(m->n_streams, sizeof(*m->streams));
	m->heap = wb_calloc(m->n_streams, sizeof(*m->heap));
	m->buckets = wb_calloc(m->n_buckets, sizeof(*m->buckets));
	m->idle = wb_calloc(m->n_streams, sizeof(*m->idle));
	m->woken = wb_calloc(m->n_streams, sizeof(*m->woken));
	if (!m->streams || !m->heap || !m->buckets || !m->idle || !m->woken || !wb_vec_reserve(&v->picks, v->n_events * v->pick_bytes + 4) ||
	    !wtr__v1_check_open(&m->check, v, &v->syscalls, &v->unblocks))
		return no_memory(m);
	m->collector = WTR__V1_NONE;
	for (uint32_t i = 0; i < v->procs.n; i++) {
		m->streams[i].pid = v->procs.at[i].pid;
		wtr__v1_stream_open(v, i, &m->streams[i].in);
	}
	m->streams[m->n_streams - 1].pid = WTR_NONE;
	return WTR_OK;
}

wtr_code wtr__v1_merge(wtr_trace *t, wtr__v1 *v, wtr_error *err)
{
	merge m = { .t = t, .v = v, .err = err, .budget = 1 << 16 };
	wtr_code code = start(&m);
	if (!code)
		code = merge_all(&m);
	if (!code && m.moved_unsorted)
		qsort(v->moved.at, v->moved.n, sizeof(*v->moved.at), by_time);
	if (!code && m.doubtful)
		code = check_again(&m);
	if (!code)
		code = first_time(&m);
	wtr__v1_check_close(&m.check);
	wb_free(m.streams);
	wb_free(m.heap);
	wb_free(m.buckets);
	wb_free(m.idle);
	wb_free(m.woken);
	return code;
}
