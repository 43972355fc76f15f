/* an/diff.c - rows: what both sides have, or one of them. */
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "an/summary.h"
#include "read/source.h"

struct wtr_diff {
	WB_VEC(wtr_diff_row) rows;
	an_found_changes found;
};

static const char *const kinds[] = {
#define NAME(ID, name, doc) name,
	WTR_DIFF_KINDS(NAME)
#undef NAME
};

static const char *const stats[] = {
#define NAME(ID, name, unit, doc) name,
	WTR_STATS(NAME)
#undef NAME
};

const char *wtr_diff_kind_name(unsigned kind)
{
	return kind < WTR_DIFF_KIND_COUNT ? kinds[kind] : NULL;
}

const char *wtr_stat_name(unsigned stat)
{
	return stat < WTR_STAT_COUNT ? stats[stat] : NULL;
}

/* ---- values ---- */

static bool append(an_values *v, const an_series *s)
{
	if (s->ns.n) {
		memcpy(v->ns + v->n, s->ns.at, s->ns.n * sizeof(*v->ns));
		memcpy(v->unit + v->n, s->unit.at, s->ns.n * sizeof(*v->unit));
	}
	v->n += s->ns.n;
	return true;
}

static bool room(an_values *v, size_t n)
{
	v->ns = wb_malloc((n + 1) * sizeof(*v->ns));
	v->unit = wb_malloc((n + 1) * sizeof(*v->unit));
	return v->ns && v->unit;
}

static bool values_of_series(an_values *v, const wtr_side *side, const an_series *s)
{
	v->side = side;
	return room(v, s ? s->ns.n : 0) && (!s || append(v, s));
}

/* Of all goroutines in one state. */
static bool values_of_state(an_values *v, const wtr_side *side, unsigned cls)
{
	size_t n = 0;
	v->side = side;
	for (size_t i = 0; i < side->all.n; i++)
		n += side->all.at[i].kind == WTR_DIFF_GROUP && side->all.at[i].cls == cls ? side->all.at[i].ns.n : 0;
	if (!room(v, n))
		return false;
	for (size_t i = 0; i < side->all.n; i++)
		if (side->all.at[i].kind == WTR_DIFF_GROUP && side->all.at[i].cls == cls)
			append(v, &side->all.at[i]);
	return true;
}

static void values_free(an_values *v)
{
	wb_free(v->ns);
	wb_free(v->unit);
}

/* ---- rows ---- */

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

static bool measure(wtr_diff_row *r, an_values *a, an_values *b)
{
	an_draws da = { 0 }, db = { 0 };
	double fa[WTR_STAT_COUNT], fb[WTR_STAT_COUNT];
	bool ok = an_values_draw(a, seed_of(r, 0), &da) && an_values_draw(b, seed_of(r, 1), &db) &&
		  an_values_figures(a, fa) && an_values_figures(b, fb);
	for (unsigned k = 0; ok && k < WTR_STAT_COUNT; k++)
		r->stats[k] = (wtr_change){ .a = fa[k], .b = fb[k] };
	if (ok) {
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

static bool add_row(wtr_diff *d, wtr_diff_row r, an_values *a, an_values *b)
{
	return (a->n == 0 && b->n == 0) || (measure(&r, a, b) && wb_vec_add(&d->rows, r));
}

static bool add_states(wtr_diff *d, const wtr_side *a, const wtr_side *b)
{
	bool ok = true;
	for (unsigned cls = WTR_CLASS_RUNNING; ok && cls < WTR_CLASS_COUNT; cls++) {
		an_values va = { 0 }, vb = { 0 };
		ok = values_of_state(&va, a, cls) && values_of_state(&vb, b, cls) &&
		     add_row(d,
			     (wtr_diff_row){
				     .kind = WTR_DIFF_STATE, .cls = cls, .name = { "", 0 }, .created = { "", 0 } },
			     &va, &vb);
		values_free(&va);
		values_free(&vb);
	}
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

static bool add_pair(wtr_diff *d, const wtr_side *a, const an_series *sa, const wtr_side *b, const an_series *sb)
{
	const an_series *s = sa ? sa : sb;
	const wtr_side *side = sa ? a : b;
	an_values va = { 0 }, vb = { 0 };
	wtr_diff_row r = { .kind = s->kind,
		.cls = s->cls,
		.name = an_side_name(side, s->key),
		.created = an_side_created(side, s->key) };
	bool ok = values_of_series(&va, a, sa) && values_of_series(&vb, b, sb) && add_row(d, r, &va, &vb);
	values_free(&va);
	values_free(&vb);
	return ok;
}

static bool add_things(wtr_diff *d, const wtr_side *a, const wtr_side *b)
{
	bool ok = true;
	for (size_t i = 0; ok && i < a->all.n; i++)
		ok = add_pair(d, a, &a->all.at[i], b, same_in(b, a, &a->all.at[i]));
	for (size_t i = 0; ok && i < b->all.n; i++)
		ok = same_in(a, b, &b->all.at[i]) || add_pair(d, a, NULL, b, &b->all.at[i]);
	return ok;
}

static int in_order(const void *a, const void *b)
{
	const wtr_diff_row *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == WTR_DIFF_STATE)
		return (x->cls > y->cls) - (x->cls < y->cls);
	if (x->changed != y->changed)
		return x->changed ? -1 : 1;
	double dx = x->stats[WTR_STAT_TIME].b - x->stats[WTR_STAT_TIME].a;
	double dy = y->stats[WTR_STAT_TIME].b - y->stats[WTR_STAT_TIME].a;
	dx = dx < 0 ? -dx : dx;
	dy = dy < 0 ? -dy : dy;
	if (dx != dy)
		return dx > dy ? -1 : 1;
	int c = an_text_order(x->name, y->name);
	c = c ? c : an_text_order(x->created, y->created);
	return c ? c : (x->cls > y->cls) - (x->cls < y->cls);
}

wtr_code wtr_diff_make(const wtr_side *a, const wtr_side *b, wtr_diff **ret, wtr_error *err)
{
	wtr_diff *d = wb_calloc(1, sizeof(*d));
	if (d && add_states(d, a, b) && add_things(d, a, b) && an_found_compare(a, b, &d->found)) {
		if (d->rows.n)
			qsort(d->rows.at, d->rows.n, sizeof(*d->rows.at), in_order);
		*ret = d;
		return WTR_OK;
	}
	wtr_diff_free(d);
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

void wtr_diff_free(wtr_diff *d)
{
	if (!d)
		return;
	wb_vec_free(&d->rows);
	wb_vec_free(&d->found);
	wb_free(d);
}

size_t wtr_diff_rows(const wtr_diff *d, const wtr_diff_row **ret)
{
	*ret = d->rows.at;
	return d->rows.n;
}

size_t wtr_diff_findings(const wtr_diff *d, const wtr_finding_change **ret)
{
	*ret = d->found.at;
	return d->found.n;
}
