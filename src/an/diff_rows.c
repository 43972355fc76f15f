/* an/diff_rows.c - rows: what both sides have, or one of them.  Each row stands for itself, so threads share them out.
 */
#include <stdatomic.h>
#include <string.h>

#include "an/side.h"
#include "os/thread.h"

/* What a row is about, and its durations: of a STATE those of all groups in it. */
typedef struct pair {
	wtr_diff_row row;
	const an_series *a, *b; /* NULL: that side has none; both are for STATE */
} pair;

typedef struct comparing {
	const wtr_side *a, *b;
	WB_VEC(pair) pairs;
	atomic_size_t next; /* the first pair that nobody has taken */
	atomic_bool failed;
} comparing;

/* What a thread works with, row after row. */
typedef struct desk {
	an_values a, b;
	int64_t *sorting;
	size_t room; /* durations that fit in each of them */
} desk;

/* ---- values ---- */

static size_t count(const wtr_side *side, const wtr_diff_row *r, const an_series *s)
{
	size_t n = 0;
	if (r->kind != WTR_DIFF_STATE)
		return s ? s->ns.n : 0;
	for (size_t i = 0; i < side->all.n; i++)
		n += side->all.at[i].kind == WTR_DIFF_GROUP && side->all.at[i].cls == r->cls ? side->all.at[i].ns.n : 0;
	return n;
}

static void append(an_values *v, const an_series *s)
{
	if (s->ns.n == 0)
		return;
	memcpy(v->ns + v->n, s->ns.at, s->ns.n * sizeof(*v->ns));
	memcpy(v->unit + v->n, s->unit.at, s->ns.n * sizeof(*v->unit));
	v->n += s->ns.n;
}

static void load(an_values *v, const wtr_side *side, const wtr_diff_row *r, const an_series *s)
{
	v->side = side;
	v->n = 0;
	if (r->kind != WTR_DIFF_STATE && s)
		append(v, s);
	for (size_t i = 0; r->kind == WTR_DIFF_STATE && i < side->all.n; i++)
		if (side->all.at[i].kind == WTR_DIFF_GROUP && side->all.at[i].cls == r->cls)
			append(v, &side->all.at[i]);
}

static void desk_free(desk *d)
{
	wb_free(d->a.ns);
	wb_free(d->a.unit);
	wb_free(d->b.ns);
	wb_free(d->b.unit);
	wb_free(d->sorting);
	*d = (desk){ 0 };
}

static bool desk_room(desk *d, size_t n)
{
	if (n <= d->room)
		return true;
	desk_free(d);
	d->room = n;
	d->sorting = wb_realloc(NULL, n, sizeof(*d->sorting));
	for (unsigned i = 0; i < 2; i++) {
		an_values *v = i ? &d->b : &d->a;
		v->ns = wb_realloc(NULL, n, sizeof(*v->ns));
		v->unit = wb_realloc(NULL, n, sizeof(*v->unit));
		if (!v->ns || !v->unit)
			return false;
	}
	return d->sorting != NULL;
}

/* ---- one row ---- */

/* How much likelier a value of b is larger than one of a, than smaller.  Both sorted. */
static double effect(const an_values *a, const an_values *b)
{
	double sum = 0;
	size_t below = 0, upto = 0; /* values of a below, and not above, the one of b */
	for (size_t i = 0; i < b->n; i++) {
		while (below < a->n && a->ns[below] < b->ns[i])
			below++;
		while (upto < a->n && a->ns[upto] <= b->ns[i])
			upto++;
		sum += (double)below - (double)(a->n - upto);
	}
	return a->n && b->n ? sum / (double)a->n / (double)b->n : 0;
}

static uint64_t seed_of(const wtr_diff_row *r, unsigned side)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ (r->kind * 16 + r->cls) ^ (uint64_t)side << 32;
	for (size_t i = 0; i < r->name.n; i++)
		h = (h ^ (uint8_t)r->name.at[i]) * UINT64_C(1099511628211);
	return h;
}

static void intervals(wtr_diff_row *r, const an_draws *a, const an_draws *b)
{
	for (unsigned k = 0; k < WTR_STAT_MAX; k++) {
		wtr_change *c = &r->stats[k];
		if (c->a <= 0)
			continue;
		c->known = true;
		an_draws_interval(a, b, (wtr_stat)k, &c->low, &c->high);
		c->sure = c->low > 0 || c->high < 0;
	}
}

static bool measure(wtr_diff_row *r, desk *d)
{
	an_values *a = &d->a, *b = &d->b;
	an_draws da = { 0 }, db = { 0 };
	double fa[WTR_STAT_COUNT], fb[WTR_STAT_COUNT];
	bool ok = an_values_draw(a, seed_of(r, 0), &da) && an_values_draw(b, seed_of(r, 1), &db);
	if (ok) {
		an_values_figures(a, d->sorting, fa);
		an_values_figures(b, d->sorting, fb);
		for (unsigned k = 0; k < WTR_STAT_COUNT; k++)
			r->stats[k] = (wtr_change){ .a = fa[k], .b = fb[k] };
		r->n_a = a->n;
		r->n_b = b->n;
		r->few = da.few || db.few;
		r->effect = effect(a, b);
		if (!r->few)
			intervals(r, &da, &db);
		bool one_sided = (!a->n && !db.few) || (!b->n && !da.few);
		r->changed = one_sided || r->stats[WTR_STAT_TIME].sure || r->stats[WTR_STAT_P50].sure ||
			     r->stats[WTR_STAT_P99].sure;
	}
	wb_free(da.at);
	wb_free(db.at);
	return ok;
}

static bool compare(const comparing *c, pair *p, desk *d)
{
	size_t n_a = count(c->a, &p->row, p->a), n_b = count(c->b, &p->row, p->b);
	if (!desk_room(d, n_a > n_b ? n_a : n_b))
		return false;
	load(&d->a, c->a, &p->row, p->a);
	load(&d->b, c->b, &p->row, p->b);
	return (d->a.n == 0 && d->b.n == 0) || measure(&p->row, d);
}

/* ---- all rows ---- */

static bool add_states(comparing *c)
{
	bool ok = true;
	for (unsigned cls = WTR_CLASS_RUNNING; ok && cls < WTR_CLASS_COUNT; cls++)
		ok = wb_vec_add(&c->pairs, (pair){ .row = { .kind = WTR_DIFF_STATE,
							   .cls = cls,
							   .name = { "", 0 },
							   .created = { "", 0 } } });
	return ok;
}

static const an_series *same_in(const wtr_side *other, const wtr_side *side, const an_series *s)
{
	wb_text t = wb_intern_text(&side->keys, s->key);
	uint32_t key = wb_intern_get(&other->keys, t.at, t.n);
	uint32_t i = key == WB_INTERN_NONE ? WB_IDMAP_NONE
					   : wb_idmap_get(&other->of, (uint64_t)key * WTR_CLASS_COUNT + s->cls);
	return i == WB_IDMAP_NONE ? NULL : &other->all.at[i];
}

static bool add_thing(comparing *c, const wtr_side *side, const an_series *s, const an_series *a, const an_series *b)
{
	wtr_diff_row row = { .kind = s->kind,
		.cls = s->cls,
		.name = an_side_name(side, s->key),
		.created = an_side_created(side, s->key) };
	return wb_vec_add(&c->pairs, (pair){ row, a, b });
}

static bool add_things(comparing *c)
{
	bool ok = true;
	for (size_t i = 0; ok && i < c->a->all.n; i++) {
		const an_series *s = &c->a->all.at[i];
		ok = add_thing(c, c->a, s, s, same_in(c->b, c->a, s));
	}
	for (size_t i = 0; ok && i < c->b->all.n; i++) {
		const an_series *s = &c->b->all.at[i];
		ok = same_in(c->a, c->b, s) || add_thing(c, c->b, s, NULL, s);
	}
	return ok;
}

static void *work(void *arg)
{
	comparing *c = arg;
	desk d = { 0 };
	for (size_t i; !c->failed && (i = c->next++) < c->pairs.n;)
		if (!compare(c, &c->pairs.at[i], &d))
			c->failed = true;
	desk_free(&d);
	return NULL;
}

/* A thread that does not start leaves its rows to the others. */
static void work_together(comparing *c)
{
	enum { HELPERS_MAX = 7 };
	pthread_t helpers[HELPERS_MAX];
	int most = c->a->threads < c->b->threads ? c->a->threads : c->b->threads, n = 0;
	while (n < HELPERS_MAX && n + 1 < most && wo_thread_start(&helpers[n], work, c) == 0)
		n++;
	work(c);
	for (int i = 0; i < n; i++)
		pthread_join(helpers[i], NULL);
}

bool an_diff_rows_make(const wtr_side *a, const wtr_side *b, an_diff_rows *ret)
{
	comparing c = { .a = a, .b = b };
	bool ok = add_states(&c) && add_things(&c);
	if (ok)
		work_together(&c);
	ok = ok && !c.failed;
	for (size_t i = 0; ok && i < c.pairs.n; i++) {
		const wtr_diff_row *r = &c.pairs.at[i].row;
		ok = (r->n_a == 0 && r->n_b == 0) || wb_vec_add(ret, *r);
	}
	wb_vec_free(&c.pairs);
	return ok;
}
