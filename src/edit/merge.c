/* edit/merge.c - several traces of one run of a program as one; see wtr/edit.h. */
#include <wtr/edit.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "edit/rewrite.h"
#include "read/source.h"
#include "read/v2/container.h"

enum {
	CLOCKS_DIFFER_NS =
		50 * 1000 * 1000,      /* clocks of one run agree to within this, however they drift and are read */
	APART_NS = 1000 * 1000 * 1000, /* a generation begins when the one before ends */
};

static const wtr__gen *gen(const wtr_trace *t, size_t i)
{
	return &t->v2->gens.at[i];
}
static const wtr__gen *last_gen(const wtr_trace *t)
{
	return gen(t, t->v2->gens.n - 1);
}

static wtr_code refuse(wtr_error *err, const wtr_trace *t, const char *why)
{
	return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "merge", "%s %s", t->path ? t->path : "a trace", why);
}

static int by_first_generation(const void *a, const void *b)
{
	const wtr__gen *x = gen(((const we_part *)a)->t, 0), *y = gen(((const we_part *)b)->t, 0);
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	const wtr__gen *p = last_gen(((const we_part *)a)->t), *q = last_gen(((const we_part *)b)->t);
	return p->number < q->number ? -1 : p->number > q->number; /* the longer one last: it has what the other has */
}

/* Wall clock minus trace clock of a trace; false when it has none. */
static bool offset_of(wtr_trace *t, int64_t *ret)
{
	wtr_generation g;
	if (!wtr_get_generation(t, 0, &g) || !g.has_clock)
		return false;
	*ret = g.clock_wall_ns - g.clock_trace_ns;
	return true;
}

/* Generations of the same number are the same one. */
static bool same_generation(const wtr__gen *a, const wtr__gen *b)
{
	return a->number == b->number && a->min_time == b->min_time && a->n_batches == b->n_batches;
}

/* When the newest batch of a generation was begun; false when its clock is not known. */
static bool ends_at(wtr_trace *t, size_t i, int64_t *ret_ns)
{
	wtr_generation known;
	const wtr__gen *g = gen(t, i);
	if (!wtr_get_generation(t, i, &known) || g->ns_per_tick == 0)
		return false;
	uint64_t time = 0;
	for (size_t k = g->first_batch; k < g->first_batch + g->n_batches; k++)
		if (t->v2->batches.at[k].time > time)
			time = t->v2->batches.at[k].time;
	*ret_ns = wtr__ns(time, g->ns_per_tick);
	return true;
}

/* Whether generation i of `next` is where it should be: as in the trace before, or right behind it. */
static bool joins(wtr_trace *before, wtr_trace *next)
{
	const wtr__gen *first = gen(next, 0);
	for (size_t i = 0; i < before->v2->gens.n; i++)
		if (gen(before, i)->number == first->number)
			return same_generation(gen(before, i), first);
	int64_t end_ns, begin_ns;
	if (!ends_at(before, before->v2->gens.n - 1, &end_ns) || !ends_at(next, 0, &begin_ns))
		return false;
	begin_ns = wtr__ns(first->min_time, first->ns_per_tick);
	return begin_ns - end_ns < APART_NS && end_ns - begin_ns < APART_NS;
}

static wtr_code check_alone(const wtr_trace *t, unsigned version, wtr_error *err)
{
	if (!t->v2)
		return refuse(err, t, "was written by Go 1.21 or older, which made no snapshots that could be joined");
	if (t->v2->gens.n == 0)
		return refuse(err, t, "has no whole generation");
	if (t->version != version)
		return refuse(err, t, "was written by another release of Go than the others");
	return WTR_OK;
}

/* The next trace goes on where the one before ends; *ret_first is its first generation that the others lack. */
static wtr_code check_next(const we_part *before, const we_part *next, size_t *ret_first, wtr_error *err)
{
	uint64_t end = last_gen(before->t)->number;
	if (gen(next->t, 0)->number > end + 1)
		return refuse(err, next->t, "does not follow on the one before: generations are missing between them");
	int64_t a, b;
	if (offset_of(before->t, &a) && offset_of(next->t, &b) && (a > b ? a - b : b - a) > CLOCKS_DIFFER_NS)
		return refuse(
			err, next->t, "is of another run of the program: its clocks do not agree with the others'");
	if (!joins(before->t, next->t))
		return refuse(err, next->t, "is of another run of the program: its generations are not the others'");
	size_t i = 0;
	while (i < next->t->v2->gens.n && gen(next->t, i)->number <= end)
		i++;
	*ret_first = i;
	return WTR_OK;
}

/* Puts the parts in order, and takes out those that have nothing that the others lack. */
static wtr_code arrange(we_part *parts, size_t *n, wtr_error *err)
{
	for (size_t i = 0; i < *n; i++) {
		wtr_code rc = check_alone(parts[i].t, parts[0].t->version, err);
		if (rc != WTR_OK)
			return rc;
	}
	qsort(parts, *n, sizeof(*parts), by_first_generation);
	size_t kept = 1;
	for (size_t i = 1; i < *n; i++) {
		wtr_code rc = check_next(&parts[kept - 1], &parts[i], &parts[i].first, err);
		if (rc != WTR_OK)
			return rc;
		if (parts[i].first < parts[i].t->v2->gens.n)
			parts[kept++] = parts[i];
	}
	*n = kept;
	return WTR_OK;
}

wtr_code wtr_merge(
	wtr_trace *const *traces, size_t n, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err)
{
	if (n == 0)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "merge", "there is no trace to join");
	we_part *parts = wb_calloc(n, sizeof(*parts));
	if (!parts)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	for (size_t i = 0; i < n; i++)
		parts[i].t = traces[i];
	wtr_code rc = arrange(parts, &n, err);
	we_job job = { .parts = parts, .n_parts = n, .whole = true, .put = put, .user = user };
	if (rc == WTR_OK)
		rc = we_rewrite(&job, ret, err);
	wb_free(parts);
	return rc;
}
