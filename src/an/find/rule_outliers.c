/* an/find/rule_outliers.c - tasks and regions that take far longer than most of their type, and what they do meanwhile.
 */
#include "an/find/find.h"

enum { LEAST = 20, RATIO_LEAST = 4, P99_LEAST_NS = 1000000 };

static an_type *type_of(an_find *f, uint32_t text, bool task)
{
	an_rule_outliers *r = &f->rules.outliers;
	wtr_str s = wtr_string(f->follow.trace, text);
	uint32_t name = wb_intern_add(&f->follow.stacks.texts, s.at, s.n);
	uint64_t key = (uint64_t)name << 1 | task;
	uint32_t i = name == WB_INTERN_NONE ? WB_IDMAP_NONE : wb_idmap_get(&r->type_of, key);
	f->follow.oom |= name == WB_INTERN_NONE;
	if (i != WB_IDMAP_NONE)
		return r->types.at[i];
	if (f->follow.oom || r->types.n == AN_TYPES_MAX)
		return NULL;
	an_type *t = wb_new(&f->arena, an_type, 1);
	if (!t || !wb_vec_add(&r->types, t) || !wb_idmap_set(&r->type_of, key, (uint32_t)r->types.n - 1)) {
		f->follow.oom = true;
		return NULL;
	}
	t->name = name;
	t->task = task;
	return t;
}

/* A row for something that begins; its number + 1, 0 when memory is out. */
static uint32_t begun(an_find *f, int64_t g, int64_t now)
{
	an_rule_outliers *r = &f->rules.outliers;
	const an_follower *l = an_follow_get(&f->follow, g);
	uint32_t row = r->free;
	if (row) {
		r->free = r->open.at[row - 1].next;
	} else {
		if (!wb_vec_add(&r->open, (an_open){ 0 })) {
			f->follow.oom = true;
			return 0;
		}
		row = (uint32_t)r->open.n;
	}
	an_open *o = &r->open.at[row - 1];
	*o = (an_open){ .g = g, .from_ns = now };
	if (l && (size_t)(l - f->follow.all.at) < f->gs.n)
		an_sums_of(f, l, now, o->by_class);
	return row;
}

static void drop(an_find *f, uint32_t row)
{
	f->rules.outliers.open.at[row - 1].next = f->rules.outliers.free;
	f->rules.outliers.free = row;
}

static void ended(an_find *f, uint32_t row, const wtr_event *e, bool task)
{
	const an_open *o = &f->rules.outliers.open.at[row - 1];
	const an_follower *l = an_follow_get(&f->follow, o->g);
	an_type *t = o->from_ns >= f->world.from_ns ? type_of(f, e->str, task) : NULL;
	int64_t ns = e->time_ns - o->from_ns, sums[WTR_CLASS_COUNT] = { 0 };
	if (!t || ns <= 0)
		return;
	if (l && (size_t)(l - f->follow.all.at) < f->gs.n)
		an_sums_of(f, l, e->time_ns, sums);
	uint64_t us = (uint64_t)ns / 1000 + 1;
	unsigned i = 63 - (unsigned)__builtin_clzll(us);
	an_type_bucket *b = &t->buckets[i < AN_TYPE_BUCKETS ? i : AN_TYPE_BUCKETS - 1];
	bool slowest = ns > t->took.max_ns;
	b->n++;
	for (unsigned c = 0; c < WTR_CLASS_COUNT; c++) {
		int64_t did = sums[c] > o->by_class[c] ? sums[c] - o->by_class[c] : 0;
		b->by_class[c] += did;
		t->slowest[c] = slowest ? did : t->slowest[c];
	}
	an_spread_add(&t->took, ns);
	const an_find_g *g = an_g_of(f, o->g);
	an_worst_add(&t->worst, (an_worst_one){ ns, o->from_ns, e->time_ns, o->g, g ? g->group : 0 });
}

static void region(an_find *f, const wtr_event *e)
{
	an_find_g *g = an_g_of(f, e->g);
	if (!g)
		return;
	if (e->kind == WTR_KIND_REGION_BEGIN) {
		uint32_t row = begun(f, e->g, e->time_ns);
		if (row) {
			f->rules.outliers.open.at[row - 1].next = g->regions;
			g->regions = row;
		}
		return;
	}
	uint32_t row = g->regions;
	if (row == 0)
		return;
	g->regions = f->rules.outliers.open.at[row - 1].next;
	ended(f, row, e, false);
	drop(f, row);
}

static void task(an_find *f, const wtr_event *e)
{
	an_rule_outliers *r = &f->rules.outliers;
	uint32_t i = wb_idmap_get(&r->tasks, (uint64_t)e->id);
	if (e->kind == WTR_KIND_TASK_BEGIN && i == WB_IDMAP_NONE) {
		uint32_t row = begun(f, e->g, e->time_ns);
		f->follow.oom |= row && !wb_idmap_set(&r->tasks, (uint64_t)e->id, row);
	} else if (e->kind == WTR_KIND_TASK_END && i != WB_IDMAP_NONE) {
		ended(f, i, e, true);
		drop(f, i);
		wb_idmap_del(&r->tasks, (uint64_t)e->id);
	}
}

void an_outliers_event(an_find *f, const wtr_event *e)
{
	if (e->kind == WTR_KIND_TASK_BEGIN || e->kind == WTR_KIND_TASK_END)
		task(f, e);
	else
		region(f, e);
}

void an_outliers_died(an_find *f, an_find_g *g)
{
	for (uint32_t row = g->regions, next; row; row = next) {
		next = f->rules.outliers.open.at[row - 1].next;
		drop(f, row);
	}
	g->regions = 0;
}

/* Those around the median. */
static const an_type_bucket *usual(const an_type *t)
{
	uint64_t seen = 0;
	for (unsigned i = 0; i < AN_TYPE_BUCKETS; i++)
		if ((seen += t->buckets[i].n) * 2 >= t->took.n)
			return &t->buckets[i];
	return &t->buckets[AN_TYPE_BUCKETS - 1];
}

static int64_t sum(const int64_t *by_class)
{
	int64_t all = 0;
	for (unsigned c = 0; c < WTR_CLASS_COUNT; c++)
		all += by_class[c];
	return all;
}

static void tell(an_find *f, const an_type *t)
{
	int64_t p50 = an_spread_percentile(&t->took, 500), p99 = an_spread_percentile(&t->took, 990);
	double ratio = (double)p99 / (double)(p50 > 0 ? p50 : 1);
	bool is = t->took.n >= LEAST && p99 >= P99_LEAST_NS && ratio >= RATIO_LEAST;
	wtr_finding *d = is ? an_found(f, AN_RULE_OUTLIERS, AN_FORM_OUTLIERS_TYPE, ratio) : NULL;
	const an_type_bucket *u = usual(t);
	unsigned top = 0;
	if (!d)
		return;
	for (unsigned c = 1; c < WTR_CLASS_COUNT; c++)
		top = t->slowest[c] > t->slowest[top] ? c : top;
	wb_text name = wb_intern_text(&f->follow.stacks.texts, t->name);
	const char *state = wtr_class_name(top), *kind = t->task ? "task" : "region";
	an_found_count(d, "n", t->took.n);
	an_found_text(d, "kind", (wtr_str){ kind, t->task ? 4 : 6 });
	an_found_text(d, "type", (wtr_str){ name.at, name.n });
	an_found_ns(d, "p50", p50);
	an_found_ns(d, "p99", p99);
	an_found_number(d, "ratio", ratio);
	an_found_ns(d, "longest", t->took.max_ns);
	an_found_text(d, "state", (wtr_str){ state, __builtin_strlen(state) });
	an_found_percent(d, "state_share", (double)t->slowest[top], (double)t->took.max_ns);
	an_found_percent(d, "usual_share", (double)u->by_class[top], (double)sum(u->by_class));
	an_found_worst(f, d, &t->worst);
	an_found_of(d, t->took.n, t->took.n, t->task ? "tasks of the type" : "regions of the type");
}

void an_outliers_report(an_find *f)
{
	for (size_t i = 0; i < f->rules.outliers.types.n; i++)
		tell(f, f->rules.outliers.types.at[i]);
}

void an_outliers_free(an_find *f)
{
	an_rule_outliers *r = &f->rules.outliers;
	wb_vec_free(&r->types);
	wb_idmap_free(&r->type_of);
	wb_vec_free(&r->open);
	wb_idmap_free(&r->tasks);
}
