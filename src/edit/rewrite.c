/* edit/rewrite.c - see rewrite.h.
 *
 * Two passes.  The first finds the state at the beginning of what is written: by following events up to there, and from
 * the statuses that the rest of the generation has of what was not mentioned before.  The second writes; its reader
 * goes ahead to the beginning while the first is at work.
 *
 * Both begin with the generation of the beginning where that is known to tell all (alone.h), and with the one before
 * where it is not, or turns out not to.
 */
#include "edit/rewrite.h"

#include <stdlib.h>

#include "edit/ahead.h"
#include "edit/alone.h"
#include "edit/machine.h"
#include "edit/recall.h"
#include "edit/writer.h"
#include "fmt/events.h"
#include "fmt/wire.h"
#include "read/source.h"
#include "read/v2/container.h"

enum { V1_SHIFT_NS = 1000000000 }; /* there times begin at -1, and the second container has none below 0 */

typedef struct rewrite {
	const we_job *job;
	wtr_cut_options cut;
	uint32_t kinds;
	we_machine *k;
	we_writer *w;
	int64_t begin_ns;   /* of what is written; INT64_MIN until it is known */
	int64_t sync_ns;    /* of the first Sync that is read; INT64_MIN until then */
	we_clock clock;     /* of the newest generation written */
	size_t first;       /* generation to begin with, of the first part */
	int64_t reached_ns; /* by the generation before that of the beginning, when it is left out */
	uint64_t n_before;  /* events that were followed */
	bool started;       /* one of them was the start of a goroutine */
	bool begun, ended;  /* writing; the end of the range was seen */
	size_t missing;     /* statuses, then */
	int64_t end_ns;
	uint64_t generations, not_asked;
	wtr_error end;
	wtr_code recalled; /* other than OK: why nothing was begun, with `why` */
	wtr_error why;
} rewrite;

static bool is_v1(const wtr_trace *t)
{
	return t->v1 != NULL;
}
static int64_t shift(const wtr_trace *t)
{
	return is_v1(t) ? V1_SHIFT_NS : 0;
}

static bool before(const rewrite *r, const wtr_event *e)
{
	return r->cut.has_from && e->time_ns < r->cut.from_ns;
}
/* Whether it can be the first of the range: a status tells what has been so, and is said at the beginning. */
static bool begins(const rewrite *r, const wtr_event *e)
{
	bool says = e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK || e->type == WF_EV_PROC_STATUS;
	return !before(r, e) && !(says && r->cut.has_from && !is_v1(r->job->parts[0].t));
}
static bool behind(const rewrite *r, const wtr_event *e)
{
	return r->cut.has_to && e->time_ns >= r->cut.to_ns;
}

/* Begin and end of a thing are kept or dropped together. */
static uint32_t whole_kinds(uint32_t kinds)
{
	static const uint32_t together[] = {
		1u << WTR_KIND_RANGE_BEGIN | 1u << WTR_KIND_RANGE_ACTIVE | 1u << WTR_KIND_RANGE_END,
		1u << WTR_KIND_TASK_BEGIN | 1u << WTR_KIND_TASK_END,
		1u << WTR_KIND_REGION_BEGIN | 1u << WTR_KIND_REGION_END,
	};
	if (kinds == 0)
		return UINT32_MAX;
	for (size_t i = 0; i < sizeof(together) / sizeof(*together); i++)
		kinds |= kinds & together[i] ? together[i] : 0;
	return kinds | 1u << WTR_KIND_STATE_TRANSITION | 1u << WTR_KIND_SYNC;
}

/* ---- the state at the beginning ---- */

/* False: nothing further needs to be looked at. */
static bool look_at(rewrite *r, const wtr_trace *t, const wtr_event *e, bool *in_range)
{
	if (e->kind == WTR_KIND_SYNC) { /* the generation of the beginning tells all, unless it was damaged */
		if (r->sync_ns == INT64_MIN)
			r->sync_ns = e->time_ns;
		if (e->value[0] || *in_range)
			we_source(r->k, *in_range ? NULL : t, e->value[0]);
		return !*in_range || r->job->whole;
	}
	if (behind(r, e) && r->job->whole)
		return false;
	if (begins(r, e)) {
		if (!*in_range && r->begin_ns == INT64_MIN)
			r->begin_ns = r->cut.has_from ? r->cut.from_ns : e->time_ns;
		*in_range = true;
	}
	if (!*in_range) {
		r->n_before++;
		r->started |= e->type == WF_EV_GO_START;
		we_follow(r->k, e);
	} else {
		we_foresee(r->k, e, !behind(r, e));
	}
	return true;
}

/* What ends everything, unlike damage in the trace. */
static wtr_code trouble(const rewrite *r, wtr_error *err)
{
	if (we_failed(r->k) || r->end.code == WTR_E_NOMEM)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	if (r->end.code != WTR_E_IO)
		return WTR_OK;
	if (err)
		*err = r->end;
	return WTR_E_IO;
}

static size_t first_of(const rewrite *r, size_t part)
{
	return part ? r->job->parts[part].first : r->first;
}

static wtr_code find_state(rewrite *r, wtr_error *err)
{
	bool more = true, in_range = false;
	we_source(r->k, r->job->parts[0].t, 0);
	for (size_t i = 0; i < r->job->n_parts && more && (i == 0 || r->job->whole); i++) {
		we_ahead *a = we_ahead_open(r->job->parts[i].t, first_of(r, i), INT64_MIN, err);
		if (!a)
			return WTR_E_NOMEM;
		const wtr_event *e;
		for (size_t n; more && (n = we_ahead_next(a, &e)) > 0;)
			for (size_t j = 0; j < n && more; j++)
				more = look_at(r, r->job->parts[i].t, &e[j], &in_range);
		r->end = more ? *we_ahead_error(a) : (wtr_error){ 0 };
		we_ahead_close(a);
	}
	return trouble(r, err);
}

/* ---- writing ---- */

/* The clocks of a generation, moved to a moment that is not before it begins. */
static we_clock clock_of(const rewrite *r, wtr_trace *t, uint64_t generation, int64_t sync_ns)
{
	wtr_generation g;
	we_clock c = r->clock;
	if (generation && wtr_get_generation(t, (size_t)generation - 1, &g) && g.has_clock)
		c = (we_clock){ true, g.clock_trace_ns, g.clock_wall_ns, g.clock_mono_ns };
	else if (!c.known)
		c = (we_clock){ true, sync_ns, 0, (uint64_t)sync_ns };
	if (c.trace_ns < sync_ns || !r->begun) {
		c.mono_ns += (uint64_t)(sync_ns - c.trace_ns);
		c.wall_ns += sync_ns - c.trace_ns;
		c.trace_ns = sync_ns;
	}
	return c;
}

static void copy_experimental(rewrite *r, wtr_trace *t, uint64_t generation)
{
	if (!t->v2 || generation == 0 || !(r->kinds >> WTR_KIND_EXPERIMENTAL & 1))
		return;
	const wtr__gen *g = &t->v2->gens.at[generation - 1];
	for (size_t i = g->first_batch; i < g->first_batch + g->n_batches; i++) {
		const wtr__batch *b = &t->v2->batches.at[i];
		if (b->kind == WTR__BATCH_EXPERIMENTAL)
			we_experimental(r->w, t->at[b->offset + 1], b->m, t->at + b->offset + b->head, b->size);
	}
}

/* What goes on when the part begins, of the kinds that are asked for. */
static bool recall(rewrite *r, wtr_trace *t, uint64_t generation, we_recall *ret)
{
	r->recalled = we_recall_make(ret, t, generation, r->begin_ns, r->k, &r->why);
	if (!(r->kinds >> WTR_KIND_TASK_BEGIN & 1))
		ret->tasks.n = 0;
	if (!(r->kinds >> WTR_KIND_REGION_BEGIN & 1))
		ret->regions.n = 0;
	return r->recalled == WTR_OK;
}

static bool begin(rewrite *r, wtr_trace *t, uint64_t generation)
{
	we_recall before = { 0 };
	if (!recall(r, t, generation, &before)) {
		we_recall_free(&before);
		return false;
	}
	int64_t begin_ns = r->begin_ns + shift(t), n = (int64_t)we_begin_events(r->k);
	int64_t sync_ns = begin_ns - n - 1;
	if (!r->cut.has_from && r->sync_ns != INT64_MIN && r->sync_ns + shift(t) < sync_ns)
		sync_ns = r->sync_ns + shift(t); /* the whole lasts from there on */
	if (sync_ns < 0)
		sync_ns = 0;
	r->clock = clock_of(r, t, generation, sync_ns);
	we_generation(r->w, sync_ns, &r->clock);
	copy_experimental(r, t, generation);
	we_begin(r->k, t, generation, &before, r->w, sync_ns + 1);
	we_recall_free(&before);
	r->begun = true;
	r->generations = 1;
	return true;
}

static void next_generation(rewrite *r, wtr_trace *t, const wtr_event *sync)
{
	r->clock = clock_of(r, t, sync->value[0], sync->time_ns);
	we_end_generation(r->k, sync->time_ns - 1);
	we_generation(r->w, sync->time_ns, &r->clock);
	copy_experimental(r, t, sync->value[0]);
	we_source(r->k, t, sync->value[0]);
	r->generations++;
}

/* Behind the range only statuses count, which tell what has been so in it; false: there are no more. */
static bool write_tail(rewrite *r, wtr_trace *t, const wtr_event *e)
{
	if (!r->begun)
		return false;
	if (!r->ended)
		r->missing = we_end_at(r->k, r->cut.to_ns + shift(t));
	r->ended = true;
	if (e->kind == WTR_KIND_SYNC || r->generations == 1 || r->missing == 0)
		return false;
	if (we_status_is_missing(r->k, e)) {
		we_take(r->k, t, e);
		r->missing--;
	}
	return r->missing;
}

/* False: the rest is behind the range, or what goes on at its beginning could not be found. */
static bool write_event(rewrite *r, wtr_trace *t, const wtr_event *e, uint64_t *generation)
{
	if (r->ended || behind(r, e))
		return write_tail(r, t, e);
	if (e->kind == WTR_KIND_SYNC) {
		*generation = e->value[0];
		if (r->begun && e->value[0])
			next_generation(r, t, e);
		return true;
	}
	if (!r->begun && !begins(r, e))
		return true;
	if (!r->begun && !begin(r, t, *generation))
		return false;
	r->end_ns = e->time_ns + shift(t);
	if (!(r->kinds >> e->kind & 1)) {
		r->not_asked++;
		return true;
	}
	wtr_event shifted = *e;
	shifted.time_ns += shift(t);
	we_take(r->k, t, &shifted);
	return true;
}

/* All that `a` reads of t; closes it. */
static wtr_code write_all(rewrite *r, wtr_trace *t, we_ahead *a, wtr_error *err)
{
	uint64_t generation = 0;
	bool more = true;
	const wtr_event *e;
	for (size_t n; more && (n = we_ahead_next(a, &e)) > 0;)
		for (size_t i = 0; i < n && more; i++)
			more = write_event(r, t, &e[i], &generation);
	r->end = more ? *we_ahead_error(a) : (wtr_error){ 0 };
	we_ahead_close(a);
	if (r->recalled == WTR_E_NOMEM)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	if (r->recalled != WTR_OK && err)
		*err = r->why;
	return r->recalled;
}

/* The reader of what is written of a part. */
static we_ahead *reader(const rewrite *r, size_t part, wtr_error *err)
{
	int64_t from_ns = r->cut.has_from ? r->cut.from_ns : INT64_MIN;
	return we_ahead_open(r->job->parts[part].t, first_of(r, part), from_ns, err);
}

/* Closes `first`. */
static wtr_code write_parts(rewrite *r, we_ahead *first, wtr_error *err)
{
	wtr_code rc = write_all(r, r->job->parts[0].t, first, err);
	for (size_t i = 1; rc == WTR_OK && i < r->job->n_parts; i++) {
		we_ahead *a = reader(r, i, err);
		rc = a ? write_all(r, r->job->parts[i].t, a, err) : WTR_E_NOMEM;
	}
	return rc == WTR_OK ? trouble(r, err) : rc;
}

static bool new_machine(rewrite *r)
{
	we_machine_free(r->k);
	r->k = we_machine_new(is_v1(r->job->parts[0].t));
	if (r->k)
		we_choose(r->k, r->cut.goroutine, r->cut.user);
	return r->k;
}

/* *ret goes ahead to where the writing begins, and the state there is found. */
static wtr_code prepare(rewrite *r, we_ahead **ret, wtr_error *err)
{
	r->begin_ns = r->sync_ns = INT64_MIN;
	we_ahead *first = new_machine(r) ? reader(r, 0, err) : NULL;
	if (!first)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	wtr_code rc = find_state(r, err);
	if (rc == WTR_OK)
		*ret = first;
	else
		we_ahead_close(first);
	return rc;
}

/* Whether the generation of the beginning may do without the one before; see is_sure(). */
static bool may_stand_alone(rewrite *r)
{
	const we_part *p = &r->job->parts[0];
	return r->job->one_before && we_reached(p->t, p->first, &r->reached_ns) && r->cut.from_ns > r->reached_ns;
}

/* A goroutine that started tells that the world is not stopped since before. */
static bool is_sure(const rewrite *r)
{
	return !we_is_unsure(r->k) && r->end.code == WTR_OK && r->started &&
	       (uint64_t)(r->cut.from_ns - r->reached_ns) > r->n_before;
}

static wtr_code find_and_write(rewrite *r, wtr_error *err)
{
	we_ahead *first;
	bool alone = may_stand_alone(r);
	r->first = r->job->parts[0].first + alone;
	wtr_code rc = prepare(r, &first, err);
	if (rc == WTR_OK && alone && !is_sure(r)) {
		we_ahead_close(first);
		r->first = r->job->parts[0].first;
		rc = prepare(r, &first, err);
	}
	if (rc == WTR_OK && r->begin_ns != INT64_MIN)
		return write_parts(r, first, err);
	if (rc != WTR_OK)
		return rc;
	we_ahead_close(first);
	return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "range", "there is no event in this range");
}

static wtr_code finish(rewrite *r, wtr_edit_result *ret, wtr_error *err)
{
	bool stopped;
	we_end_generation(r->k, r->end_ns);
	bool written = we_finish(r->w, &stopped);
	if (stopped)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "output", "the output could not be written");
	if (!written)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	we_counts n;
	we_get_counts(r->k, &n);
	*ret = (wtr_edit_result){ .events = n.events,
		.added = n.added,
		.left_out = n.left_out + r->not_asked,
		.generations = r->generations,
		.bytes = we_bytes(r->w),
		.start_ns = r->begin_ns + shift(r->job->parts[0].t),
		.end_ns = r->end_ns,
		.end = r->end };
	return WTR_OK;
}

static wtr_code run(rewrite *r, wtr_edit_result *ret, wtr_error *err)
{
	wtr_trace *t = r->job->parts[0].t;
	r->w = we_writer_new(t->version < 25 ? 23 : t->version, r->job->put, r->job->user);
	if (!r->w)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	if (t->opt.damage == WTR_REPAIR)
		we_fill_in(r->w);
	wtr_code rc = find_and_write(r, err);
	if (rc == WTR_OK && !r->begun)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "range", "there is no event in this range");
	return rc == WTR_OK ? finish(r, ret, err) : rc;
}

wtr_code we_rewrite(const we_job *job, wtr_edit_result *ret, wtr_error *err)
{
	rewrite r = { .job = job, .begin_ns = INT64_MIN, .sync_ns = INT64_MIN };
	if (job->cut)
		r.cut = *job->cut;
	r.kinds = whole_kinds(r.cut.kinds);
	wtr_edit_result result;
	wtr_code rc = run(&r, &result, err);
	we_machine_free(r.k);
	we_writer_free(r.w);
	if (rc == WTR_OK && ret)
		*ret = result;
	return rc;
}
