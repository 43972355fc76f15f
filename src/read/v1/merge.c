/* read/v1/merge.c - the second pass over a v1 trace: in which order did the events of all procs happen, and does it
 * make sense?
 *
 * Clocks of processors may differ, so an event also says what must have happened before: each goroutine has a status
 * and a sequence number, and an event is ready only when its goroutine is where the event needs it (format:
 * docs/format.md, "v1: merge").  Of the ready events the earliest is next.  Which of two with the same time comes
 * first, falls out of the workings of Go's heap and of its list of procs, so both work here just as there; only that
 * the list begins in the order of proc ids, where Go takes the order of a hash map, different each time.
 *
 * Only which proc was picked is kept.  In the same pass the goroutine and proc states are checked (check.h).  Go checks
 * them after giving GoSysExit events the earlier time they carry; that makes no difference as long as the goroutine has
 * been in that very system call all the time between, and when it has not, or when anything looks wrong, everything is
 * checked again in the final order.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "read/source.h"
#include "read/trace.h"
#include "read/v1/check.h"

static const uint64_t ANY = UINT64_MAX, COUNT = UINT64_MAX - 1; /* sequence numbers with a meaning */
static const uint64_t UNORDERED = UINT64_MAX, COLLECTOR = UINT64_MAX - 1; /* goroutine ids with a meaning */

enum { PROGRESS_EVENTS = 1 << 20, MOVES_PER_EVENT = 64, STALL_ONE_BY_ONE = 256 };

/* ---- the common events ----
 *
 * Nearly all events start, stop or wake a goroutine.  They get a decoder and a step without branches on their type.
 * What makes them simple: as long as no fault was found, the goroutine that last started on a proc and has not stopped
 * is running, in the merge and in the check, and no other proc runs it; so only the goroutine to start or to wake needs
 * a look.  Whatever is not as it should be goes the general way.
 */

/* What a common type needs and does.  Indexed by the first byte, so that it tells how to decode as well. */
typedef struct hot {
	uint64_t mask, is;         /* needed of wtr__v1_g.word of the goroutine of its order ... */
	uint64_t keep, leaves;     /* ... and what the event makes of it */
	uint64_t seq_mask;         /* 0: any sequence number will do */
	uint64_t arg;              /* all ones: its order is that of argument 0 ... */
	uint32_t own;              /* ... or that of the proc's goroutine; or it has none */
	uint32_t start, stay;      /* all ones: the proc's goroutine becomes that of argument 0; stays */
	bool     cares, wants_g;   /* it matters whether the proc runs a goroutine; it must */
	uint8_t  numbers;          /* varints; 0: not common */
	uint8_t  skip;             /* bytes before them */
	uint8_t  inc;              /* of the sequence number */
	bool     wakes, free;
} hot;

#define WORD(x) (uint64_t)(WTR__V1_##x | WTR__V1_##x << 8)
#define ON_NET  (UINT64_C(1) << 16)
static_assert(offsetof(wtr__v1_g, state) == 1 && offsetof(wtr__v1_g, on_net) == 2 && offsetof(wtr__v1_g, waiters) == 4,
	"see WORD");

static void hot_row(hot *t, unsigned type, hot row)
{
	const wf_v1_spec *spec = &wf_v1_specs[type];
	unsigned c = spec->n_args < 3 ? spec->n_args : 3;
	row.numbers = (uint8_t)(spec->n_args + 1);
	row.skip = c == 3 ? 2 : 1;
	t[c << 6 | type] = row;
}

static void hot_table(hot *t)
{
	static const uint8_t blocks[] = { WF_V1_GoSleep, WF_V1_GoBlock, WF_V1_GoBlockSend, WF_V1_GoBlockRecv,
		WF_V1_GoBlockSelect, WF_V1_GoBlockSync, WF_V1_GoBlockCond, WF_V1_GoBlockNet, WF_V1_GoBlockGC };
	const uint64_t all = UINT64_MAX, states = ~UINT64_C(0xffff0000); /* both states, and nobody waits for it */
	hot stop = { .mask = states, .is = WORD(RUNNING), .own = UINT32_MAX, .cares = true, .wants_g = true };
	for (size_t i = 0; i < sizeof(blocks); i++) {
		stop.leaves = WORD(WAITING) | (blocks[i] == WF_V1_GoBlockNet ? ON_NET : 0);
		hot_row(t, blocks[i], stop);
	}
	stop.leaves = WORD(RUNNABLE);
	hot_row(t, WF_V1_GoSched, stop);
	hot_row(t, WF_V1_GoPreempt, stop);
	hot start = { .mask = states,
		.is = WORD(RUNNABLE),
		.leaves = WORD(RUNNING),
		.arg = all,
		.start = UINT32_MAX,
		.cares = true,
		.inc = 1 };
	hot_row(t, WF_V1_GoStartLocal, start);
	start.seq_mask = all;
	hot_row(t, WF_V1_GoStart, start);
	hot wake = { .mask = states,
		.is = WORD(WAITING),
		.leaves = WORD(RUNNABLE),
		.arg = all,
		.stay = UINT32_MAX,
		.inc = 1,
		.wakes = true };
	hot_row(t, WF_V1_GoUnblockLocal, wake);
	wake.seq_mask = all;
	hot_row(t, WF_V1_GoUnblock, wake);
	hot free = { .keep = all, .stay = UINT32_MAX, .free = true };
	hot_row(t, WF_V1_HeapAlloc, free);
	hot_row(t, WF_V1_HeapGoal, free);
}

/* ---- the state of the merge ---- */

typedef struct stream {
	wtr__v1_stream in;
	const hot     *row;        /* of the head, NULL if it is no common event */
	uint64_t       need;       /* sequence number the head needs, or ANY */
	uint32_t       g;          /* index of the goroutine that runs here ... */
	uint32_t       before;     /* ... before the head */
	uint32_t       head_order; /* of the goroutine in whose order the head is; NONE: it is free */
	uint32_t       head_g;     /* of the head's context (not for common ones) ... */
	uint32_t       head_arg;   /* ... of the goroutine it creates or wakes, 0: none (same) */
	uint32_t       next_waiter; /* in the bucket, + 1 */
	wtr__v1_event  head;       /* common ones: only its place and time */
	wtr__v1_p      p;
	int64_t        pid;
	uint32_t       idle_at;    /* in merge.idle */
	bool           done;       /* no more events */
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
	uint64_t      progress_at;
	int64_t       last_ts;
	bool          slow;        /* use the general code for every event */
	wtr__v1_check check;
	hot           hot[256];
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
	s->before = s->g;
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
	s->row = NULL;
	if (__builtin_expect(i == m->n_streams - 1, 0)) {
		*ret_any = m->next_sample < v->samples.n;
		if (!*ret_any)
			return true;
		const wtr__v1_sample *c = &v->samples.at[m->next_sample++];
		s->head = (wtr__v1_event){ v->at + c->at, c->ts, c->g, { 0 }, c->stack, WF_V1_CPUSample };
		s->head_order = WTR__V1_NONE;
		return true;
	}
	s->in.g = m->check.gs.at[s->g].id;
	*ret_any = wtr__v1_stream_next(v, &s->in, &s->head);
	return !*ret_any || prepare(m, s);
}

/* advance() for a common event of at most 8 bytes of numbers; false: it is none, and nothing has happened. */
static inline __attribute__((always_inline)) bool advance_common(
	const hot *rows, const uint32_t *direct, uint64_t n_direct, stream *s)
{
	const uint8_t *p = s->in.at;
	if (__builtin_expect(s->in.end - p < 2 + 8, 0))
		return false;
	const hot *h = &rows[*p];
	uint64_t w = wtr__v1_load(p + h->skip), ends[5];
	ends[0] = 0;
	ends[1] = ~w & V1_HIGH;
	ends[2] = ends[1] & (ends[1] - 1);
	ends[3] = ends[2] & (ends[2] - 1);
	ends[4] = ends[3] & (ends[3] - 1);
	uint64_t last = ends[h->numbers];
	if (__builtin_expect((last == 0) | (h->cares & ((s->g != 0) ^ h->wants_g)), 0))
		return false;
	uint64_t dt, a0, c = -(w >> 7 & 1), w0 = w >> 8 >> (8 & c);
	if (__builtin_expect(((w & w >> 8) | (w0 & w0 >> 8)) & 0x80, 0)) { /* a number of more than two bytes */
		dt = wtr__v1_compact(w & (ends[1] ^ (ends[1] - 1)) & ~V1_HIGH);
		a0 = wtr__v1_compact((w & (ends[2] ^ (ends[2] - 1))) >> __builtin_ctzll(ends[1]) >> 1 & ~V1_HIGH);
	} else {
		dt = (w & 0x7f) | (w >> 1 & c & 0x3f80);
		a0 = (w0 & 0x7f) | (w0 >> 1 & -(w0 >> 7 & 1) & 0x3f80);
	}
	uint64_t id = a0 & h->arg;
	if (__builtin_expect(id >= n_direct, 0))
		return false;
	uint32_t slot = direct[id] - 1;
	if (__builtin_expect(slot == WB_IDMAP_NONE, 0))
		return false;
	if (h->seq_mask)
		s->need = wtr__v1_compact((w & (ends[3] ^ (ends[3] - 1))) >> __builtin_ctzll(ends[2]) >> 1 & ~V1_HIGH);
	s->row = h;
	s->head.at = p;
	s->head.ts = s->in.ts = (int64_t)((uint64_t)s->in.ts + dt);
	s->in.at = p + h->skip + (__builtin_ctzll(last) >> 3) + 1;
	s->before = s->g;
	s->head_order = (slot & (uint32_t)h->arg) | (s->g & h->own);
	s->g = (slot & h->start) | (s->g & h->stay);
	return true;
}

/* Makes the head of advance_common() like one of advance(). */
static void uncommon(merge *m, stream *s)
{
	const hot *h = s->row;
	if (!h)
		return;
	const wtr__v1_g *gs = m->check.gs.at;
	s->head_g = h->start ? s->head_order : s->before;
	s->head_arg = h->wakes ? s->head_order : 0;
	s->head.type = *s->head.at & 63;
	s->head.g = gs[s->head_g].id;
	s->head.a[0] = gs[s->head_order].id;
	if (!h->seq_mask)
		s->need = ANY;
	if (h->free)
		s->head_order = WTR__V1_NONE;
	s->row = NULL;
}

/* Is the head of advance_common() ready? */
static inline bool common_ready(const wtr__v1_g *gs, const stream *s)
{
	const wtr__v1_g *g = &gs[s->head_order];
	return s->row->free | ((g->status == (uint8_t)s->row->is) & (((g->seq ^ s->need) & s->row->seq_mask) == 0));
}

static inline bool is_ready(const merge *m, const stream *s)
{
	if (s->row)
		return common_ready(m->check.gs.at, s);
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
	uncommon(m, s);
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
	bool plain = g->state == WTR__V1_WAITING && g->in_syscall && ts >= g->blocked_ts && ts <= e->ts &&
		     g->blocked_ts != 0;
	*ret_stay = !plain && m->v->repair;
	if (plain)
		return put_moved(m, e) ? WTR_OK : no_memory(m);
	if (*ret_stay)
		return WTR_OK;
	wtr__v1_fault f = g->blocked_ts == 0 ? WTR__V1_FAULT_STRAY_SYSEXIT : WTR__V1_FAULT_EARLY_SYSEXIT;
	if (g->blocked_ts == 0 || ts < g->blocked_ts)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name,
			wtr__v1_fault_rule(f), "goroutine %llu on proc %lld: %s (time %lld ticks, blocked at %lld)",
			(unsigned long long)e->g, (long long)s->pid, wtr__v1_fault_text(f), (long long)ts,
			(long long)g->blocked_ts);
	m->doubtful = m->slow = true;
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
		m->doubtful = m->slow = true; /* the second check will tell */
	return WTR_OK;
}

static wtr_code out_of_order(merge *m, stream *s, const char *rule, const char *text)
{
	const wtr__v1_event *e = &s->head;
	const struct wtr__v1_kind *k = &wtr__v1_kinds[e->type];
	static const char *const names[] = { "dead", "runnable", "running", "waiting" };
	if (s->head_order == WTR__V1_NONE)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule,
			"%s (proc %lld, %lld ticks)", text, (long long)s->pid, (long long)e->ts);
	const wtr__v1_g *g = &m->check.gs.at[s->head_order];
	uint64_t id = s->head_order == s->head_g ? e->g : e->a[0];
	if (s->need == ANY)
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule,
			"%s: goroutine %llu on proc %lld must be %s, and is %s", text, (unsigned long long)id,
			(long long)s->pid, names[k->needs], names[g->status]);
	return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name, rule,
		"%s: %s %llu on proc %lld must be %s with sequence number %llu, and is %s with %llu", text,
		e->type == WF_V1_GCStart ? "collection" : "goroutine", (unsigned long long)id, (long long)s->pid,
		names[k->needs], (unsigned long long)s->need, names[g->status], (unsigned long long)g->seq);
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
		return wtr__fail(m->err, WTR_E_ORDER, offset_of(m, e), 0, WTR_NONE, wf_v1_specs[e->type].name,
			"v1.time-order", "time goes back from %lld to %lld ticks where the events of proc %lld need it",
			(long long)m->last_ts, (long long)e->ts, (long long)s->pid);
	m->last_ts = e->ts;
	if (!repair)
		s->p.g = m->check.gs.at[s->before].id;
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

/* ---- the common loop ---- */

/* Swaps *a and *b if c, without a branch: which of two procs is earlier cannot be predicted. */
static inline __attribute__((always_inline)) void swap_if(bool c, ready *a, ready *b)
{
	uint64_t m = -(uint64_t)c, ts = (uint64_t)(a->ts ^ b->ts) & m;
	uint32_t s = (a->s ^ b->s) & (uint32_t)m;
	a->ts ^= (int64_t)ts;
	b->ts ^= (int64_t)ts;
	a->s ^= s;
	b->s ^= s;
}

/* pop() and push(r) in one, with the same heap as a result. */
static inline __attribute__((always_inline)) void pop_push(ready *h, uint32_t n, ready r)
{
	if (n <= 4) { /* the usual sizes, without loops */
		ready top = h[n - 1], left = h[1], right = h[2];
		switch (n) {
		case 1:
			h[0] = r;
			return;
		case 2:
			swap_if(r.ts < top.ts, &top, &r);
			h[0] = top;
			h[1] = r;
			return;
		case 3:
			swap_if(left.ts < top.ts, &top, &left);
			swap_if(r.ts < top.ts, &top, &r);
			h[0] = top;
			h[1] = left;
			h[2] = r;
			return;
		default: {
			bool use_right = right.ts < left.ts, down_right = right.ts < top.ts,
			     down_left = left.ts < top.ts;
			swap_if(use_right & down_right, &top, &right);
			swap_if(!use_right & down_left, &top, &left);
			swap_if(r.ts < left.ts, &left, &r);
			swap_if(left.ts < top.ts, &top, &left);
			h[0] = top;
			h[1] = left;
			h[2] = right;
			h[3] = r;
			return;
		}
		}
	}
	ready x = h[n - 1];
	uint32_t i = 0;
	for (uint32_t j; (j = 2 * i + 1) < n - 1; i = j) {
		j += j + 1 < n - 1 && h[j + 1].ts < h[j].ts;
		if (h[j].ts >= x.ts)
			break;
		h[i] = h[j];
	}
	h[i] = x;
	for (i = n - 1; i > 0 && r.ts < h[(i - 1) / 2].ts; i = (i - 1) / 2)
		h[i] = h[(i - 1) / 2];
	h[i] = r;
}

typedef enum stop { STOP_TAKE, STOP_GO_ON, STOP_WAIT } stop;

/* Takes common events off the heap until the general code is needed: to take the top; or, with stream *ret out of the
 * heap, to find its next event; or to let that event, which is not ready, wait. */
static stop common_loop(merge *m, uint32_t *ret)
{
	wtr__v1 *v = m->v;
	wtr__v1_g *const gs = m->check.gs.at;
	const uint32_t *const direct = m->check.ids.direct;
	const uint64_t n_direct = m->check.ids.n_direct;
	ready *const heap = m->heap;
	const uint32_t n_heap = m->n_heap;
	stream *const streams = m->streams;
	const hot *const rows = m->hot;
	uint8_t *const picks = v->picks.at + v->picks.n, *pick = picks;
	const uint8_t *const stop_at = picks + PROGRESS_EVENTS;
	wtr__v1_bits bits = v->unblocks;
	int64_t last_ts = m->last_ts;
	stop why;
	for (;;) {
		uint32_t i = *ret = heap[0].s;
		stream *s = &streams[i];
		const hot *h = s->row;
		if (!h) {
			why = STOP_TAKE;
			break;
		}
		wtr__v1_g *g = &gs[s->head_order];
		uint64_t word = g->word;
		if (__builtin_expect(((word & h->mask) != h->is) | (((g->seq ^ s->need) & h->seq_mask) != 0) |
					     (s->head.ts < last_ts) | (pick == stop_at),
			    0)) {
			why = STOP_TAKE;
			break;
		}
		g->word = (word & h->keep) | h->leaves;
		g->seq += h->inc;
		bits.words.at[bits.n >> 6] |= (word >> 15 & 2 & -(uint64_t)h->wakes)
					      << (bits.n & 63); /* 1 << 1: was on the network */
		bits.n += 2u * h->wakes;
		last_ts = s->head.ts;
		*pick++ = (uint8_t)i;
		if (!advance_common(rows, direct, n_direct, s)) {
			why = STOP_GO_ON;
			break;
		}
		if (__builtin_expect(!common_ready(gs, s), 0)) {
			why = STOP_WAIT;
			break;
		}
		pop_push(heap, n_heap, (ready){ s->head.ts, i });
	}
	v->unblocks.n = bits.n;
	v->picks.n += (size_t)(pick - picks);
	m->n += (size_t)(pick - picks);
	m->last_ts = last_ts;
	if (why != STOP_TAKE)
		pop(m);
	return why;
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
	if (!o->progress || m->n < m->progress_at)
		return WTR_OK;
	m->progress_at = m->n + PROGRESS_EVENTS;
	uint64_t done = m->v->n / 3 + (uint64_t)((double)m->v->n * 2 / 3 * (double)m->n / (double)(m->v->n_events + 1));
	if (!o->progress(o->progress_user, "ordering", done, m->v->n))
		return wtr__fail(m->err, WTR_E_IO, 0, 0, WTR_NONE, "", "stopped", "ordering was stopped");
	return WTR_OK;
}

/* Stream i, which is not in the heap, goes on: to the heap, or to wait. */
static wtr_code go_on(merge *m, uint32_t i)
{
	stream *s = &m->streams[i];
	bool any = true, common = !m->slow && !m->check.gs.at[s->g].syscall &&
				  advance_common(m->hot, m->check.ids.direct, m->check.ids.n_direct, s);
	if (!common && !advance(m, i, &any))
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
		wtr_code code = WTR_OK;
		uint32_t i = 0;
		stop why = STOP_TAKE;
		if (!m->n_heap) {
			code = stalled(m);
			if (code)
				return code;
			continue;
		}
		if (!m->slow)
			why = common_loop(m, &i);
		if (why == STOP_TAKE) {
			i = pop(m);
			uncommon(m, &m->streams[i]);
			code = take(m, i);
			if (!code)
				code = progress(m);
		}
		if (code)
			return code;
		if (why == STOP_WAIT) {
			add_idle(m, i);
			wait_for(m, i);
		} else {
			code = go_on(m, i);
		}
		if (code)
			return code;
	}
	return WTR_OK;
}

/* ---- the second check, in the final order ---- */

/* Where the event of that number in merge order stands. */
static uint64_t offset_of_index(const wtr__v1 *v, uint32_t index)
{
	wtr__v1_replay r;
	uint64_t at = 0;
	if (!wtr__v1_replay_open(&r, v))
		return 0;
	while (r.pick < r.pick_end && r.index++ <= index) {
		uint32_t s = wtr__v1_pick(&r);
		if (s < v->procs.n && wtr__v1_stream_next(v, &r.streams[s], &r.held))
			at = (uint64_t)(r.held.at - v->at);
	}
	wtr__v1_replay_close(&r);
	return at;
}

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
		int64_t pid = step == WTR__V1_MOVED ? WTR__V1_P_SYSCALL : s->pid;
		if (step == WTR__V1_MOVED) {
			const wtr__v1_moved *x = &v->moved.at[r.moved - 1];
			e = (wtr__v1_event){ v->at, x->ts, x->g, { x->g }, 0, WF_V1_GoSysExit };
		}
		bool wakes = e.type == WF_V1_GoCreate || e.type == WF_V1_GoUnblock || e.type == WF_V1_GoUnblockLocal;
		uint32_t g = e.type == WF_V1_CPUSample ? wb_idmap_get(&c->ids, e.g) : wtr__v1_find_g(c, e.g),
			 arg = wakes ? wtr__v1_find_g(c, e.a[0]) : 0;
		if (e.type == WF_V1_CPUSample && g == WB_IDMAP_NONE)
			continue;
		if (g == WTR__V1_NONE || arg == WTR__V1_NONE) {
			code = no_memory(m);
			break;
		}
		wtr__v1_fault f = wtr__v1_check_event(c, &c->gs.at[g], &c->gs.at[arg], &s->p, pid, &e);
		if (f == WTR__V1_FAULT_NO_MEMORY)
			code = no_memory(m);
		else if (f != WTR__V1_FINE)
			code = wtr__fail(m->err, WTR_E_ORDER,
				step == WTR__V1_MOVED ? offset_of_index(v, v->moved.at[r.moved - 1].index)
						      : offset_of(m, &e),
				0, WTR_NONE, wf_v1_specs[e.type].name, wtr__v1_fault_rule(f),
				"goroutine %llu on proc %lld at %lld ticks: %s", (unsigned long long)e.g,
				(long long)pid, (long long)e.ts, wtr__v1_fault_text(f));
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
	m->heap = wb_calloc(m->n_streams + 3, sizeof(*m->heap)); /* pop_push() looks at four */
	m->buckets = wb_calloc(m->n_buckets, sizeof(*m->buckets));
	m->idle = wb_calloc(m->n_streams, sizeof(*m->idle));
	m->woken = wb_calloc(m->n_streams, sizeof(*m->woken));
	if (!m->streams || !m->heap || !m->buckets || !m->idle || !m->woken ||
		!wb_vec_reserve(&v->picks, v->n_events * v->pick_bytes + 4) ||
		!wtr__v1_check_open(&m->check, v, &v->syscalls, &v->unblocks))
		return no_memory(m);
	size_t words = v->n_events / 32 +
		       1; /* two bits for every event that could be a GoUnblock; untouched pages cost nothing */
	v->unblocks.words.at = wb_calloc(words, sizeof(uint64_t));
	if (!v->unblocks.words.at)
		return no_memory(m);
	v->unblocks.words.n = v->unblocks.words.cap = words;
	m->slow = v->repair || v->long_lengths || v->pick_bytes != 1;
	m->collector = WTR__V1_NONE;
	hot_table(m->hot);
	for (uint32_t i = 0; i < v->procs.n; i++) {
		m->streams[i].pid = v->procs.at[i].pid;
		m->slow |= v->procs.at[i].pid == WTR__V1_P_TIMER || v->timers.n;
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
