/* an/mmu.c - asking utilization curves.
 *
 * The mean over a window, as a function of where it begins, is continuous and piecewise linear; it bends where an edge
 * of the window meets a change of utilization.  So the lowest one is at a bend, and between bends it is spread evenly.
 */
#include "an/mmu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "read/source.h"

const char *wtr_gc_cause_name(unsigned cause)
{
	static const char *const names[] = {
#define NAME(ID, name, doc) name,
		WTR_LOSSES_TO_GC(NAME)
#undef NAME
	};
	return cause < WTR_GC_CAUSES ? names[cause] : NULL;
}

/* ---- finishing ---- */

static void cut(an_useries *u, int64_t from, int64_t to)
{
	size_t n = 0;
	if (u->end > to)
		u->end = to;
	for (size_t i = 0; i < u->points.n; i++) {
		an_upoint p = u->points.at[i];
		int64_t until = i + 1 < u->points.n ? u->points.at[i + 1].t : u->end;
		if ((until <= from && from > INT64_MIN) || p.t > u->end)
			continue;
		p.t = p.t < from ? from : p.t;
		u->points.at[n++] = p;
	}
	u->points.n = n;
}

static void integrate(an_useries *u)
{
	for (size_t i = 1; i < u->points.n; i++) {
		const an_upoint *a = &u->points.at[i - 1];
		an_upoint *b = &u->points.at[i];
		double dt = (double)(b->t - a->t);
		b->sum = a->sum + a->util * dt;
		for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
			b->lost_sum[c] = a->lost_sum[c] + a->lost[c] * dt;
	}
}

static int64_t length(const an_useries *u)
{
	return u->end - u->points.at[0].t;
}

/* Integrals from the start to t: of what is left, or of what is lost to a cause. */
static double integral(const an_useries *u, size_t at, int64_t t)
{
	const an_upoint *p = &u->points.at[at];
	return p->sum + p->util * (double)(t - p->t);
}

static double lost_integral(const an_useries *u, size_t at, int64_t t, unsigned c)
{
	const an_upoint *p = &u->points.at[at];
	return p->lost_sum[c] + p->lost[c] * (double)(t - p->t);
}

/* The last point at or before t. */
static size_t point_at(const an_useries *u, int64_t t)
{
	size_t lo = 0, hi = u->points.n;
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (u->points.at[mid].t <= t)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

void an_mmu_finish(wtr_mmu *m, int64_t from, int64_t to)
{
	size_t n = 0;
	double all = 0, left = 0, lost[WTR_GC_CAUSES] = { 0 };
	for (size_t i = 0; i < m->series.n; i++) {
		an_useries u = m->series.at[i];
		cut(&u, from, to);
		if (u.points.n == 0 || length(&u) < 0) {
			wb_vec_free(&u.points);
			continue;
		}
		integrate(&u);
		m->series.at[n++] = u;
		m->totals.points += u.points.n;
		m->totals.length_ns = length(&u) > m->totals.length_ns ? length(&u) : m->totals.length_ns;
		all += (double)length(&u);
		size_t last = u.points.n - 1;
		left += integral(&u, last, u.end);
		for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
			lost[c] += lost_integral(&u, last, u.end, c);
	}
	m->series.n = m->totals.series = n;
	m->totals.mean = all > 0 ? left / all : 1;
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		m->totals.lost[c] = all > 0 ? lost[c] / all : 0;
}

/* The points that a part may need: from the one before it on, without their integrals. */
static bool copy_points(const an_useries *whole, int64_t from, int64_t to, an_useries *ret)
{
	*ret = (an_useries){ .end = whole->end };
	size_t first = point_at(whole, from), last = point_at(whole, to);
	for (size_t i = first; i <= last && i < whole->points.n; i++) {
		an_upoint p = whole->points.at[i];
		p.sum = 0;
		memset(p.lost_sum, 0, sizeof(p.lost_sum));
		if (!wb_vec_add(&ret->points, p))
			return false;
	}
	return true;
}

wtr_code wtr_mmu_within(const wtr_mmu *whole, int64_t from_ns, int64_t to_ns, wtr_mmu **ret, wtr_error *err)
{
	wtr_mmu *m = wb_calloc(1, sizeof(*m));
	bool ok = m != NULL;
	for (size_t i = 0; ok && i < whole->series.n; i++)
		ok = wb_vec_add(&m->series, (an_useries){ 0 }) &&
		     copy_points(&whole->series.at[i], from_ns, to_ns, &m->series.at[i]);
	if (!ok) {
		wtr_mmu_free(m);
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	}
	m->totals.end = whole->totals.end;
	an_mmu_finish(m, from_ns, to_ns);
	*ret = m;
	return WTR_OK;
}

void wtr_mmu_free(wtr_mmu *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->series.n; i++)
		wb_vec_free(&m->series.at[i].points);
	wb_vec_free(&m->series);
	wb_free(m);
}

void wtr_mmu_get_totals(const wtr_mmu *m, wtr_mmu_totals *ret)
{
	*ret = m->totals;
}

/* ---- windows ---- */

/* Goes over the bends of the mean in order. */
typedef struct walk {
	const an_useries *u;
	int64_t window, last; /* where the last window begins */
	size_t left, right;   /* the points before the edges */
	int64_t t;
	bool over;
} walk;

static walk walk_from(const an_useries *u, int64_t window)
{
	int64_t w = window < length(u) ? window : length(u);
	walk k = { .u = u, .window = w, .t = u->points.at[0].t };
	k.last = u->end - w;
	k.right = point_at(u, k.t + w);
	return k;
}

static double mean(const walk *k)
{
	if (k->window == 0)
		return k->u->points.at[k->left].util;
	return (integral(k->u, k->right, k->t + k->window) - integral(k->u, k->left, k->t)) / (double)k->window;
}

static bool next(walk *k)
{
	const an_useries *u = k->u;
	if (k->t >= k->last)
		return false;
	int64_t to = k->last;
	if (k->left + 1 < u->points.n && u->points.at[k->left + 1].t < to)
		to = u->points.at[k->left + 1].t;
	if (k->right + 1 < u->points.n && u->points.at[k->right + 1].t - k->window < to)
		to = u->points.at[k->right + 1].t - k->window;
	k->t = to;
	while (k->left + 1 < u->points.n && u->points.at[k->left + 1].t <= to)
		k->left++;
	while (k->right + 1 < u->points.n && u->points.at[k->right + 1].t <= to + k->window)
		k->right++;
	return true;
}

double wtr_mmu_at(const wtr_mmu *m, int64_t window_ns)
{
	double least = 1;
	if (window_ns <= 0)
		return 0;
	for (size_t i = 0; i < m->series.n; i++) {
		walk k = walk_from(&m->series.at[i], window_ns);
		do {
			double v = mean(&k);
			least = v < least ? v : least;
		} while (next(&k));
	}
	return least > 0 ? least : 0;
}

/* ---- the distribution ---- */

/* At x the density grows by `delta`, and `mass` lies at x itself. */
typedef struct edge {
	double x, delta, mass;
} edge;
typedef WB_VEC(edge) edges;

static int by_x(const void *a, const void *b)
{
	const edge *p = a, *q = b;
	return p->x < q->x ? -1 : p->x > q->x;
}

/* `mass` spread evenly over [a, b]. */
static bool spread(edges *e, double a, double b, double mass)
{
	if (mass <= 0)
		return true;
	if (a == b)
		return wb_vec_add(e, (edge){ a, 0, mass });
	double lo = a < b ? a : b, hi = a < b ? b : a, density = mass / (hi - lo);
	return wb_vec_add(e, (edge){ lo, density, 0 }) && wb_vec_add(e, (edge){ hi, -density, 0 });
}

static bool distribution(const wtr_mmu *m, int64_t window, edges *ret, double *ret_mass)
{
	for (size_t i = 0; i < m->series.n; i++) {
		walk k = walk_from(&m->series.at[i], window);
		double before = mean(&k);
		for (int64_t t = k.t; next(&k); t = k.t) {
			double now = mean(&k);
			if (!spread(ret, before, now, (double)(k.t - t)))
				return false;
			*ret_mass += (double)(k.t - t);
			before = now;
		}
	}
	if (ret->n)
		qsort(ret->at, ret->n, sizeof(ret->at[0]), by_x);
	return true;
}

/* Where the mass up to there is y. */
static double inverse(const edges *e, double y, double otherwise)
{
	double sum = 0, rate = 0, x = 0;
	if (e->n == 0)
		return otherwise;
	for (size_t i = 0; i < e->n; i++) {
		double at = e->at[i].x, more = sum + (at - x) * rate;
		if (more >= y)
			return rate == 0 ? at : (y - sum) / rate + x;
		more += e->at[i].mass;
		if (more >= y)
			return at;
		sum = more;
		x = at;
		rate += e->at[i].delta;
		if (rate < 0)
			rate = 0;
	}
	return x;
}

bool wtr_mmu_quantiles(const wtr_mmu *m, int64_t window_ns, const double *q, size_t n, double *ret)
{
	edges e = { 0 };
	double mass = 0, least = wtr_mmu_at(m, window_ns);
	bool ok = window_ns <= 0 || distribution(m, window_ns, &e, &mass);
	for (size_t i = 0; ok && i < n; i++)
		ret[i] = inverse(&e, mass * q[i], least);
	wb_vec_free(&e);
	return ok;
}

/* ---- the worst windows ---- */

typedef struct candidate {
	double mean;
	int64_t t;
	uint32_t series;
} candidate;

static int lowest_first(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	if (x->mean != y->mean)
		return x->mean < y->mean ? -1 : 1;
	if (x->t != y->t)
		return x->t < y->t ? -1 : 1;
	return x->series < y->series ? -1 : x->series > y->series;
}

static wtr_mmu_window window_of(const wtr_mmu *m, const candidate *c, int64_t window)
{
	const an_useries *u = &m->series.at[c->series];
	int64_t w = window < length(u) ? window : length(u);
	wtr_mmu_window r = { .start_ns = c->t, .end_ns = c->t + w, .series = c->series, .utilization = c->mean };
	size_t a = point_at(u, c->t), b = point_at(u, c->t + w);
	for (unsigned k = 0; k < WTR_GC_CAUSES; k++)
		r.lost[k] = w > 0 ? (lost_integral(u, b, c->t + w, k) - lost_integral(u, a, c->t, k)) / (double)w
				  : u->points.at[a].lost[k];
	return r;
}

static bool overlaps(const wtr_mmu_window *r, size_t n, int64_t t, int64_t window)
{
	for (size_t i = 0; i < n; i++)
		if (t < r[i].end_ns && r[i].start_ns < t + window)
			return true;
	return false;
}

size_t wtr_mmu_worst(const wtr_mmu *m, int64_t window_ns, wtr_mmu_window *ret, size_t n)
{
	WB_VEC(candidate) all = { 0 };
	size_t found = 0;
	for (size_t i = 0; i < m->series.n && window_ns > 0; i++) {
		walk k = walk_from(&m->series.at[i], window_ns);
		do
			if (!wb_vec_add(&all, (candidate){ mean(&k), k.t, (uint32_t)i })) {
				wb_vec_free(&all);
				return SIZE_MAX;
			}
		while (next(&k));
	}
	if (all.n)
		qsort(all.at, all.n, sizeof(all.at[0]), lowest_first);
	for (size_t i = 0; i < all.n && found < n && all.at[i].mean < 1; i++)
		if (!overlaps(ret, found, all.at[i].t, window_ns))
			ret[found++] = window_of(m, &all.at[i], window_ns);
	wb_vec_free(&all);
	return found;
}

void wtr_mmu_windows(const wtr_mmu *m, int64_t *ret, size_t n)
{
	int64_t least = 1000000000;
	while (least > 1 && wtr_mmu_at(m, least) >= 0.0001)
		least /= 1000;
	double lo = (double)least, hi = lo * 1e6;
	if (hi > (double)m->totals.length_ns && m->totals.length_ns > 0)
		hi = (double)m->totals.length_ns;
	for (size_t i = 0; i < n; i++)
		ret[i] = (int64_t)exp(log(lo) + (log(hi) - log(lo)) * (double)i / (double)(n > 1 ? n - 1 : 1));
}
