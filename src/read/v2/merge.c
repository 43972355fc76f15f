/* read/v2/merge.c - which thread's event comes next.
 *
 * A binary heap of one cursor per thread, keyed by time, whose exact moves decide ties as Go's do.  The head is tried
 * first; when it has to wait for another thread, the others are tried in the order of their times.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "read/v2/decode.h"
#include "read/v2/usual.h"

enum {
	RELEASE_BYTES = 8 << 20, /* pages read are given back in steps of this */
	EVENTS_PER_STEP = 3,     /* a coroutine switch delivers three */
};

static inline size_t sift_up(entry *h, size_t i)
{
	while (i > 0 && h[(i - 1) / 2].time > h[i].time) {
		entry x = h[i];
		h[i] = h[(i - 1) / 2];
		h[(i - 1) / 2] = x;
		i = (i - 1) / 2;
	}
	return i;
}

/* h[n].time is INT64_MAX, so that a last left child needs no second look. */
static inline __attribute__((always_inline)) void sift_down(entry *h, size_t n, size_t i)
{
	entry x = h[i], *at = h + i;
	for (size_t l; (l = 2 * i + 1) < n;) {
		size_t right = h[l + 1].time < h[l].time;
		i = l + right;
		entry *m = h + l + right;
		if (m->time >= x.time)
			break;
		*at = *m;
		at = m;
	}
	*at = x;
}

static void heap_remove(order *o, size_t i)
{
	entry *h = o->heap;
	for (; i > 0; i = (i - 1) / 2) {
		entry x = h[i];
		h[i] = h[(i - 1) / 2];
		h[(i - 1) / 2] = x;
	}
	h[0] = h[--o->n_heap];
	h[o->n_heap].time = INT64_MAX;
	if (o->n_heap)
		sift_down(h, o->n_heap, 0);
}

/* Stable.  Go's own sort is not beyond 12 cursors, so there tied events may come in another order than Go's
 * (test/interop/ties.c). */
static void sort_heap(order *o)
{
	entry *h = o->heap;
	for (size_t i = 1; i < o->n_heap; i++) {
		entry x = h[i];
		size_t k = i;
		for (; k > 0 && h[k - 1].time > x.time; k--)
			h[k] = h[k - 1];
		h[k] = x;
	}
}

/* The first event of a thread that is tried makes the thread exist. */
static bool make_thread(order *o, cursor *c)
{
	uint32_t slot = wb_idmap_get(&o->m_ids, (uint64_t)c->m);
	if (slot == WB_IDMAP_NONE) {
		slot = (uint32_t)o->threads.n;
		if (!wb_vec_reserve(&o->threads, 1) || !wb_idmap_set(&o->m_ids, (uint64_t)c->m, slot))
			return false;
		o->threads.at[o->threads.n++] =
			(thread){ .m = c->m, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT };
	}
	c->thread = slot;
	return true;
}

static verdict try_cursor(order *o, cursor *c, wtr_event *out)
{
	if (__builtin_expect(o->initial_gen == 0, 0))
		o->initial_gen = o->gen_number;
	o->out = out;
	o->n_out = 0;
	if (__builtin_expect(c->thread == NO_SLOT, 0)) {
		if (c->m == WTR_NONE) { /* no thread: no context, and none is kept */
			thread none = {
				.m = WTR_NONE, .g = WTR_NONE, .p = WTR_NONE, .g_slot = NO_SLOT, .p_slot = NO_SLOT
			};
			return wtr__apply(o, c, &none);
		}
		if (!make_thread(o, c))
			return wtr__no_memory(o);
	}
	return wtr__apply(o, c, &o->threads.at[c->thread]);
}

/* Takes the cursor in slot i past the event that was just applied, and looks at the one behind. */
static inline __attribute__((always_inline)) step move_on(order *o, size_t i, bool pext)
{
	cursor *c = o->heap[i].c;
	decoded *spare = c->ahead ? c->now : other(c);
	if (__builtin_expect(c->ahead != NULL, 1)) {
		c->now = c->ahead;
	} else if (!fast_decode(o, c, c->now, pext)) {
		step s = wtr__advance_cursor(o, c);
		if (s != STEP_OK) {
			if (s == STEP_END)
				heap_remove(o, i);
			return s;
		}
	}
	o->heap[i].time = c->now->time;
	if (i == 0 || sift_up(o->heap, i) == i)
		sift_down(o->heap, o->n_heap, i);
	c->ahead = fast_decode(o, c, spare, pext) ? spare : NULL; /* none, as it should be, when the cursor has ended */
	return STEP_OK;
}

static void skip_event(order *o, size_t i)
{
	o->base.err = (wtr_error){ 0 };
	o->base.losses.events++;
	o->base.diag[WTR__DIAG_SKIPPED_EVENTS]++;
	if (o->heap[i].c->now->type == WF_EV_GO_BLOCK) /* its entry goes with it */
		wait_of(o, o->heap[i].c, WTR_NONE, 0);
	move_on(o, i, false);
}

static verdict stuck(order *o, const cursor *c)
{
	const wf_spec *spec = &wf_specs[c->now->type];
	char args[160] = "";
	size_t n = 0;
	for (unsigned i = 1; i < spec->n_args && n < sizeof(args); i++)
		n += (size_t)snprintf(
			args + n, sizeof(args) - n, " %s=%lld", spec->args[i].name, (long long)c->now->arg[i - 1]);
	return wtr__fault(o, c, "order.stuck", "no thread can go on; the earliest, %lld, waits with %s%s",
		(long long)c->m, spec->name, args);
}

/* The head cannot come now: tries the others in the order of their times.  *ret_i is the slot that could, or, after a
 * fault, the one to blame. */
static verdict try_others(order *o, wtr_event *out, size_t *ret_i)
{
	o->base.diag[WTR__DIAG_RETRIES]++;
	cursor *head = o->heap[0].c;
	sort_heap(o);
	for (size_t i = 0; i < o->n_heap; i++) {
		if (o->heap[i].c == head)
			continue;
		*ret_i = i;
		verdict v = try_cursor(o, o->heap[i].c, out);
		if (v != RETRY)
			return v;
	}
	*ret_i = 0;
	if (o->repair) { /* make it so: what it waits for is lost */
		o->force = true;
		verdict v = try_cursor(o, o->heap[0].c, out);
		o->force = false;
		o->base.diag[WTR__DIAG_FORCED_STATES] += v == ADVANCE;
		if (v != RETRY)
			return v;
	}
	return stuck(o, o->heap[0].c);
}

/* Delivered times increase strictly. */
static inline void stamp(order *o, wtr_event *e)
{
	bool squeezed = e->time_ns <= o->last_time; /* no branch: clocks are coarse, it is anybody's guess */
	o->base.diag[WTR__DIAG_SQUEEZED_TIMES] += squeezed;
	e->time_ns = o->last_time = squeezed ? o->last_time + 1 : e->time_ns;
}

static void next_sample(order *o)
{
	o->sample_ns = o->sample < o->gen->samples.n ? o->gen->samples.at[o->sample].time_ns : INT64_MAX - 1;
}

static void deliver_sample(order *o, wtr_event *out)
{
	const wtr__sample *s = &o->gen->samples.at[o->sample++];
	next_sample(o);
	*out = (wtr_event){ .time_ns = s->time_ns,
		.m = s->m,
		.p = s->p,
		.g = s->g,
		.stack = s->stack,
		.kind = WTR_KIND_STACK_SAMPLE,
		.type = WF_EV_CPU_SAMPLE };
	if (s->stack == WTR__UNKNOWN) {
		out->stack = 0;
		o->base.diag[WTR__DIAG_SAMPLES_UNKNOWN_STACK]++;
	}
	stamp(o, out);
}

static void deliver_sync(order *o, wtr_event *out, int64_t time)
{
	*out = (wtr_event){ .time_ns = time,
		.m = WTR_NONE,
		.p = WTR_NONE,
		.g = WTR_NONE,
		.id = (int64_t)++o->syncs,
		.kind = WTR_KIND_SYNC };
	out->value[0] = o->gen ? o->gen_index : 0; /* index + 1: gen_index has moved on */
	stamp(o, out);
}

/* What is left of a step after its head was tried with verdict v, when that was not all.  *ret_n is how many events it
 * made.  false at an error. */
static bool finish_step(order *o, verdict v, wtr_event *out, unsigned *ret_n)
{
	size_t i = 0;
	*ret_n = 0;
	if (v == RETRY)
		v = try_others(o, out, &i);
	if (v == FAULT) {
		if (!o->repair || o->base.err.code == WTR_E_NOMEM)
			return false;
		skip_event(o, i);
		return true;
	}
	unsigned made = o->n_out;
	if (move_on(o, i, false) == STEP_ERROR || o->late != WTR_OK)
		return false;
	for (unsigned k = 0; k < made; k++)
		stamp(o, &out[k]);
	*ret_n = made;
	return true;
}

/* As many events as there is room for, until the generation is used up.  false at an error. */
static inline __attribute__((always_inline)) bool merge_with(
	order *o, wtr_event *out, size_t cap, size_t *ret_n, bool pext)
{
	wtr_event *e = out + *ret_n, *full = out + cap - EVENTS_PER_STEP;
	bool ok = true;
	while (ok && e <= full) {
		const entry *h = o->heap;
		if (__builtin_expect(h[0].time > o->sample_ns, 0)) { /* so it is when the heap is empty, too */
			if (o->sample < o->gen->samples.n) {
				deliver_sample(o, e++);
				continue;
			}
			if (o->n_heap == 0) {
				o->phase = PHASE_NEXT_GEN;
				break;
			}
		}
		if (!usual_apply(o, h[0].c, e)) {
			verdict v = try_cursor(o, h[0].c, e);
			if (__builtin_expect(v != ADVANCE || o->n_out != 1 || o->late != WTR_OK, 0)) {
				unsigned n;
				ok = finish_step(o, v, e, &n);
				e += n;
				continue;
			}
		}
		int64_t time = h[0].time;
		ok = move_on(o, 0, pext) != STEP_ERROR;
		if (__builtin_expect(!ok, 0)) /* as in Go, the event before a bad one is lost with it */
			break;
		e->time_ns = time;
		stamp(o, e++);
	}
	*ret_n = (size_t)(e - out);
	return ok;
}

#if defined(__x86_64__)
/* The same, compiled for processors of the last ten years. */
__attribute__((target("bmi,bmi2"))) static bool merge_bmi2(order *o, wtr_event *out, size_t cap, size_t *n)
{
	return merge_with(o, out, cap, n, true);
}
#endif

static bool merge(order *o, wtr_event *out, size_t cap, size_t *n)
{
#if defined(__x86_64__)
	if (o->has_pext)
		return merge_bmi2(o, out, cap, n);
#endif
	return merge_with(o, out, cap, n, false);
}

/* ---- generations ---- */

static bool room_for_cursors(order *o, size_t n)
{
	if (o->cap_cursors && n < o->cap_cursors) /* and one place for the mark at the end of the heap */
		return true;
	size_t cap = n + n / 2 + 8;
	entry *h = wb_realloc(o->heap, cap, sizeof(*h));
	if (!h)
		return false;
	o->heap = h;
	cursor *c = wb_realloc(o->cursors, cap, sizeof(*c));
	if (!c)
		return false;
	o->cursors = c;
	o->cap_cursors = cap;
	return true;
}

/* NULL: nothing is said of m. */
static const wtr__carried *said_of(const wtr__carrier *k, int64_t m)
{
	size_t lo = 0, hi = k->threads.n;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (k->threads.at[mid].m < m)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < k->threads.n && k->threads.at[lo].m == m ? &k->threads.at[lo] : NULL;
}

/* Room for what the carrier says of the generation's threads.  false: out of memory. */
static bool room_for_carrier(order *o)
{
	const wtr__carrier *k = o->carrier = o->gen->carrier;
	size_t n = 0, n_entries = 0;
	for (size_t i = 0; k && i < o->gen->threads.n; i++) {
		const wtr__carried *of = said_of(k, o->gen->threads.at[i].m);
		n += of != NULL;
		n_entries += of && of->n_entries;
	}
	o->carried.n = o->guesses.n = 0;
	return wb_vec_reserve(&o->carried, n) && wb_vec_reserve(&o->guesses, n_entries * WF_CARRIER_GUESSES);
}

/* index + 1 in carried, 0: nothing is said of m. */
static uint32_t set_out_carried(order *o, int64_t m)
{
	const wtr__carried *of = o->carrier ? said_of(o->carrier, m) : NULL;
	if (!of)
		return 0;
	uint32_t *guess = of->n_entries ? o->guesses.at + o->guesses.n : NULL;
	o->guesses.n += guess ? WF_CARRIER_GUESSES : 0;
	wtr__carried_begin(&o->carried.at[o->carried.n++], o->carrier, of, guess);
	return (uint32_t)o->carried.n;
}

/* Sets out the cursors of a generation in the order in which its threads appear.  false at an error. */
static bool set_out(order *o)
{
	wtr__gen *g = o->gen;
	o->n_heap = o->n_cursors = 0;
	o->sample = 0;
	next_sample(o);
	if (!room_for_cursors(o, g->threads.n) || !room_for_carrier(o)) {
		wtr__no_memory(o);
		return false;
	}
	for (size_t i = 0; i < g->threads.n; i++) {
		cursor *c = &o->cursors[o->n_cursors++];
		int64_t m = g->threads.at[i].m;
		*c = (cursor){ .m = m,
			.batch = g->threads.at[i].first,
			.thread = NO_SLOT,
			.now = c->ev,
			.carried = set_out_carried(o, m) };
		switch (wtr__advance_cursor(o, c)) {
		case STEP_ERROR: return false;
		case STEP_END: continue;
		case STEP_OK: break;
		}
		o->heap[o->n_heap] = (entry){ c->now->time, c };
		sift_up(o->heap, o->n_heap++);
	}
	o->heap[o->n_heap].time = INT64_MAX;
	return true;
}

static void count_carrier(order *o)
{
	const wtr__carrier *k = o->carrier;
	o->carrier = NULL;
	if (!k)
		return;
	uint64_t *diag = o->base.diag;
	diag[WTR__DIAG_CARRIER_IGNORED] += k->ignored;
	for (size_t i = 0; i < o->carried.n; i++)
		diag[WTR__DIAG_CARRIER_LEFT] += o->carried.at[i].of->n_entries - o->carried.at[i].entry;
	diag[WTR__DIAG_STALLS] += k->stalls;
	diag[WTR__DIAG_LOST_STACKS] += k->lost_stacks;
	diag[WTR__DIAG_LOST_STRINGS] += k->lost_strings;
}

static void leave_gen(order *o)
{
	if (!o->gen)
		return;
	o->base.losses.batches += o->gen->lost_batches;
	o->base.diag[WTR__DIAG_SKIPPED_BATCHES] += o->gen->lost_batches;
	count_carrier(o);
	wo_map_release(&o->t->map, o->gen->offset, o->gen->offset + o->gen->bytes);
	o->gen = NULL;
}

/* Goes to the next generation, or to the end.  false at an error. */
static bool next_gen(order *o, wtr_event *out, size_t *n)
{
	leave_gen(o);
	wtr__gens *v = o->t->v2;
	if (o->gen_index == v->gens.n) {
		o->phase = v->tail.code == WTR_OK || o->repair ? PHASE_LAST_SYNC : PHASE_SYNC_THEN_ERROR;
		o->then = v->tail;
		if (o->phase == PHASE_SYNC_THEN_ERROR)
			o->base.losses.bytes = o->t->n - v->tail.offset;
		return true;
	}
	wtr__gen *g = &v->gens.at[o->gen_index];
	if (wtr__prefetch_get(o->prefetch, o->gen_index, &o->base.err) != WTR_OK)
		return false;
	o->gen_index++;
	if (g->stops && !o->repair) {
		o->phase = PHASE_SYNC_THEN_ERROR;
		o->then = g->err;
		o->base.losses.generations++;
		o->base.losses.bytes = o->t->n - g->offset;
		return true;
	}
	o->gen = g;
	o->base.gen = o->gen_index;
	o->gen_number = g->number;
	o->tables = &g->tables;
	o->k = g->ns_per_tick;
	/* Below this, dt * k is far from the ends of int64. */
	o->dt_safe = o->k > 0 && o->k < 1e9 ? (uint64_t)(4e18 / (o->k < 1 ? 1 : o->k)) : 0;
	if (!set_out(o))
		return false;
	deliver_sync(o, &out[(*n)++], wtr__ns(g->min_time, g->ns_per_tick));
	o->phase = PHASE_EVENTS;
	return true;
}

/* What is left of the file when reading stops. */
static void count_lost(order *o)
{
	if (!o->gen)
		return;
	uint64_t rest = o->t->n - o->gen->offset;
	uint64_t in_gen = 0;
	for (size_t i = 0; i < o->n_heap; i++) {
		const cursor *c = o->heap[i].c;
		in_gen += (uint64_t)(c->end - c->now->event);
		for (uint32_t b = o->t->v2->batches.at[c->batch].next; b != UINT32_MAX;
			b = o->t->v2->batches.at[b].next)
			in_gen += o->t->v2->batches.at[b].size;
	}
	o->base.losses.bytes = rest - o->gen->bytes + in_gen;
}

static size_t next(wtr__source *s, wtr_event *out, size_t cap)
{
	order *o = (order *)s;
	size_t n = 0;
	while (n + EVENTS_PER_STEP <= cap && o->phase != PHASE_DONE) {
		bool ok = true;
		switch (o->phase) {
		case PHASE_NEXT_GEN: ok = next_gen(o, out, &n); break;
		case PHASE_EVENTS: ok = merge(o, out, cap, &n); break;
		case PHASE_SYNC_THEN_ERROR:
			deliver_sync(o, &out[n++], o->last_time);
			o->base.err = o->then;
			o->phase = PHASE_DONE;
			break;
		case PHASE_LAST_SYNC:
			deliver_sync(o, &out[n++], o->last_time);
			o->phase = PHASE_DONE;
			break;
		case PHASE_DONE: break;
		}
		if (!ok) {
			count_lost(o);
			o->phase = PHASE_DONE;
		}
	}
	return n;
}

static void close_source(wtr__source *s)
{
	order *o = (order *)s;
	wtr__prefetch_stop(o->prefetch);
	for (size_t i = 0; i < o->extras.n; i++) {
		wb_vec_free(&o->extras.at[i].ranges);
		wb_vec_free(&o->extras.at[i].regions);
	}
	wb_vec_free(&o->extras);
	wb_vec_free(&o->free_extras);
	wb_vec_free(&o->gs);
	wb_vec_free(&o->free_gs);
	wb_vec_free(&o->ps);
	wb_vec_free(&o->threads);
	wb_vec_free(&o->carried);
	wb_vec_free(&o->guesses);
	wb_vec_free(&o->tasks);
	wb_idmap_free(&o->g_ids);
	wb_idmap_free(&o->p_ids);
	wb_idmap_free(&o->m_ids);
	wb_idmap_free(&o->task_ids);
	wb_free(o->heap);
	wb_free(o->cursors);
	wb_free(o);
}

static void release(wtr__source *s, size_t i)
{
	wtr__prefetch_release(((order *)s)->prefetch, i);
}

/* The instruction is microcoded, and slower than doing it by hand, on AMD before family 19h (Zen 3). */
static bool pext_is_fast(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && !__builtin_cpu_is("amdfam17h");
#else
	return false;
#endif
}

wtr__source *wtr__v2_source(wtr_trace *t, size_t first, wtr_error *err)
{
	order *o = wb_calloc(1, sizeof(*o));
	wtr__prefetch *p = o ? wtr__prefetch_start(t, first) : NULL;
	if (!p) {
		wb_free(o);
		wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
		return NULL;
	}
	o->base.next = next;
	o->base.close = close_source;
	o->base.release = release;
	o->t = t;
	o->prefetch = p;
	o->gen_index = first;
	o->repair = t->opt.damage == WTR_REPAIR;
	o->has_pext = pext_is_fast();
	o->fast_end = t->n > FAST_BYTES ? t->at + t->n - FAST_BYTES : t->at;
	return &o->base;
}
