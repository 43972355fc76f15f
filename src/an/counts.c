/* an/counts.c - goroutines by class over time: of all, of a group, and a group as a lane.
 *
 * From the rows of a census where they are fine enough; where they are not, and there is little to look at, from the
 * goroutines' own lanes, exactly.
 */
#include <string.h>

#include "an/lanes.h"

enum { EXACT_LANES_MAX = 64, EXACT_SPANS_MAX = 4096 };

__extension__ typedef __int128 i128; /* times far outside the trace are fine */

/* Integrals of one step: goroutines x ns by class; [0] spans begun. */
typedef struct slice {
	double sum[AN_CLASSES + 1];
} slice;

/* Goroutines asked about. */
typedef struct crowd {
	const an_lanes  *l;
	const an_census *census;   /* NULL: none was kept */
	const uint32_t  *rows;     /* NULL: all goroutines */
	uint32_t         n;
} crowd;

static bool crowd_of(const an_lanes *l, int64_t group, crowd *ret)
{
	if (group < 0) {
		*ret = (crowd){ l, &l->all, NULL, l->n_g };
		return true;
	}
	if ((uint64_t)group >= l->n_groups)
		return false;
	uint32_t census = l->census_of[group];
	uint32_t first = l->first[group];
	*ret = (crowd){ l, census == AN_NO ? NULL : &l->groups.at[census].census, l->order + first,
		l->first[group + 1] - first };
	return true;
}

static const an_strip *strip_of(const crowd *c, uint32_t i)
{
	if (!c->rows)
		return &an_g_at(c->l, i)->strip;
	uint32_t g = c->l->g_of_row[c->rows[i]];
	return g == AN_NO ? NULL : &an_g_at(c->l, g)->strip;
}

static void by_census(const an_census *c, uint64_t lo, uint64_t hi, uint64_t base, uint64_t step, slice *ret)
{
	an_row a, b;
	an_census_at(c, lo, &a);
	for (uint64_t at = lo; at < hi; ret++) {
		uint64_t to = base + ((at - base) / step + 1) * step;
		if (to > hi)
			to = hi;
		an_census_at(c, to, &b);
		for (unsigned k = 0; k <= AN_CLASSES; k++) {
			int64_t d = (int64_t)(b.sum[k] - a.sum[k]);
			ret->sum[k] = d > 0 ? (double)d : 0;
		}
		a = b;
		at = to;
	}
}

/* Adds one span: its ends to their slices, its middle as a step up and a step down. */
static void add_span(
	slice *s, slice *whole, uint64_t lo, uint64_t base, uint64_t step, uint64_t from, uint64_t to, unsigned cls)
{
	uint64_t first = (lo - base) / step, i = (from - base) / step - first, j = (to - 1 - base) / step - first;
	if (i == j) {
		s[i].sum[cls] += (double)(to - from);
		return;
	}
	s[i].sum[cls] += (double)(base + (first + i + 1) * step - from);
	s[j].sum[cls] += (double)(to - (base + (first + j) * step));
	whole[i + 1].sum[cls] += 1;
	whole[j].sum[cls] -= 1;
}

static void by_lanes(
	const crowd *c, uint64_t lo, uint64_t hi, uint64_t base, uint64_t step, size_t n, slice *ret, slice *whole)
{
	const an_store *st = &c->l->store;
	memset(ret, 0, n * sizeof(*ret));
	memset(whole, 0, (n + 1) * sizeof(*whole));
	for (uint32_t i = 0; i < c->n; i++) {
		const an_strip *s = strip_of(c, i);
		if (!s || !s->first || s->first->start >= hi)
			continue;
		an_place p;
		if (!an_strip_find(st, s, s->first->start > lo ? s->first->start : lo, &p))
			continue;
		do {
			unsigned cls = st->cls[p.what];
			uint64_t from = p.start < lo ? lo : p.start, to = p.end > hi ? hi : p.end;
			if (p.start >= lo)
				ret[(p.start - base) / step - (lo - base) / step].sum[0] += 1;
			if (cls && from < to)
				add_span(ret, whole, lo, base, step, from, to, cls);
		} while (p.end < hi && an_strip_next(st, &p));
	}
	slice up = { { 0 } };
	for (size_t i = 0; i < n; i++)
		for (unsigned k = 1; k <= AN_CLASSES; k++) {
			up.sum[k] += whole[i].sum[k];
			ret[i].sum[k] += up.sum[k] * (double)step;
		}
}

/* Whether there is little enough in [lo, hi) to look at every span. */
static bool few(const crowd *c, uint64_t lo, uint64_t hi)
{
	if (c->n > EXACT_LANES_MAX)
		return false;
	if (!c->census)
		return true;
	an_row a, b;
	an_census_at(c->census, lo, &a);
	an_census_at(c->census, hi, &b);
	return b.sum[0] - a.sum[0] <= EXACT_SPANS_MAX;
}

/* Fills a slice for every step of [lo, hi); steps are cut at base + i * step, and at lo and hi.  A base before the
 * trace is one modulo 2^64: only differences from it are used. */
static void slices(
	const crowd *c, uint64_t lo, uint64_t hi, uint64_t base, uint64_t step, size_t n, slice *ret, slice *whole)
{
	bool fine = c->census && UINT64_C(1) << c->census->k <= step;
	if (!fine && few(c, lo, hi))
		by_lanes(c, lo, hi, base, step, n, ret, whole);
	else if (c->census)
		by_census(c->census, lo, hi, base, step, ret);
	else
		memset(ret, 0, n * sizeof(*ret));
}

/* [t0, t0 + n * unit) within the trace, relative to its start; false when nothing of it is. */
bool an_window(const an_lanes *l, int64_t t0_ns, uint64_t unit, uint64_t n, int64_t *ret_t0, uint64_t *ret_lo,
	uint64_t *ret_hi)
{
	i128 t0 = (i128)t0_ns - l->start, t1 = t0 + (i128)unit * n;
	if (t0 >= (i128)l->store.end || t1 <= 0 || t0 < INT64_MIN)
		return false;
	*ret_t0 = (int64_t)t0;
	*ret_lo = t0 > 0 ? (uint64_t)t0 : 0;
	*ret_hi = t1 < (i128)l->store.end ? (uint64_t)t1 : l->store.end;
	return true;
}

/* ---- a group as a lane ---- */

static void shares_of(const slice *s, double all, wtr_run *r)
{
	memset(r->share, 0, sizeof(r->share));
	unsigned best = 0;
	for (unsigned k = 1; k <= AN_CLASSES; k++) {
		double q = s->sum[k] * 255.0 / all + 0.5;
		r->share[k - 1] = (uint8_t)(q > 255 ? 255 : q < 1 && s->sum[k] > 0 ? 1 : q);
		if (s->sum[k] > s->sum[best])
			best = k;
	}
	r->cls = (uint8_t)best;
}

size_t an_tile_group(
	const an_lanes *l, int64_t group, int64_t t0, unsigned zoom, uint64_t lo, uint64_t hi, wtr_run *ret, size_t n)
{
	crowd c;
	if (group < 0 || !crowd_of(l, group, &c) || c.n == 0)
		return 0;
	uint64_t step = UINT64_C(2) << zoom;
	double px = 1.0 / (double)(UINT64_C(1) << zoom);
	uint64_t grid = t0 >= 0 ? (uint64_t)t0 % step
				: (step - (uint64_t)-t0 % step) % step; /* steps begin at grid + i * step */
	slice part[256], whole[257];
	size_t runs = 0;
	wtr_run last = { 0 };
	for (uint64_t at = lo; at < hi;) {
		/* At most 256 steps at a time; base is at or before `at`, on the grid (mod 2^64 it may lie before
		 * 0). */
		uint64_t base = at - ((at + step - grid) % step), to = hi - base > step * 256 ? base + step * 256 : hi;
		size_t m = (size_t)((to - base + step - 1) / step);
		slices(&c, at, to, base, step, m, part, whole);
		for (size_t i = 0; i < m; i++) {
			uint64_t a = i ? base + i * step : at,
				 b = base + (i + 1) * step < to ? base + (i + 1) * step : to;
			wtr_run r = { .x0 = (float)((double)((int64_t)a - t0) * px),
				.x1 = (float)((double)((int64_t)b - t0) * px),
				.kind = WTR_RUN_BLENDED,
				.ref = UINT32_MAX };
			part[i].sum[0] = part[i].sum[0] < UINT32_MAX ? part[i].sum[0] : UINT32_MAX;
			double begun = part[i].sum[0];
			part[i].sum[0] = 0;
			shares_of(&part[i], (double)c.n * (double)(b - a), &r);
			r.count = (uint32_t)begun;
			if (last.cls && last.x1 == r.x0 && memcmp(last.share, r.share, sizeof(r.share)) == 0) {
				last.x1 = r.x1;
				last.count = last.count > UINT32_MAX - r.count ? UINT32_MAX : last.count + r.count;
				continue;
			}
			if (last.cls) {
				if (runs < n)
					ret[runs] = last;
				runs++;
			}
			last = r;
		}
		at = to;
	}
	if (last.cls) {
		if (runs < n)
			ret[runs] = last;
		runs++;
	}
	return runs;
}

/* ---- counts ---- */

bool wtr_counts(const wtr_index *x, int64_t group, int64_t t0_ns, int64_t step_ns, size_t n, float *ret)
{
	const an_lanes *l = x->lanes;
	crowd c;
	if (!l || step_ns <= 0 || n > SIZE_MAX / WTR_CLASS_COUNT / sizeof(*ret) || !crowd_of(l, group, &c))
		return false;
	uint64_t step = (uint64_t)step_ns;
	slice part[256], whole[257];
	memset(ret, 0, n * WTR_CLASS_COUNT * sizeof(*ret));
	for (size_t i = 0; i < n; i++)
		ret[i * WTR_CLASS_COUNT] = (float)c.n;
	for (size_t done = 0; done < n; done += 256) {
		size_t m = n - done < 256 ? n - done : 256;
		i128 begin = (i128)t0_ns + (i128)done * step;
		int64_t t0;
		uint64_t lo, hi;
		if (begin > INT64_MAX || !an_window(l, (int64_t)begin, step, m, &t0, &lo, &hi))
			continue;
		uint64_t first = (lo - (uint64_t)t0) / step, base = (uint64_t)t0 + first * step;
		size_t have = (size_t)((hi - base + step - 1) / step);
		slices(&c, lo, hi, base, step, have, part, whole);
		for (size_t i = 0; i < have; i++) {
			float *row = ret + (done + first + i) * WTR_CLASS_COUNT, there = 0;
			for (unsigned k = 1; k <= AN_CLASSES; k++) {
				row[k] = (float)(part[i].sum[k] / (double)step);
				there += row[k];
			}
			row[0] = there < (float)c.n ? (float)c.n - there : 0;
		}
	}
	return true;
}
