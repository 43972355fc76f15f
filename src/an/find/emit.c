/* an/find/emit.c - findings are put together. */
#include <math.h>

#include "an/find/find.h"

enum { LEAST_SEVERE = 10, OF_A_RULE = 4 };

static const char *const sentences[AN_FORM_COUNT] = {
#define FORM(ID, form, sentence) sentence,
#include "an/find/rules.def"
};

static const wtr_rule rules[AN_RULE_COUNT] = {
#define RULE(ID, name, title, half, measure, why, next) { name, title, half, measure, why, next },
#include "an/find/rules.def"
};

const wtr_rule *wtr_rule_get(unsigned rule)
{
	return rule < AN_RULE_COUNT ? &rules[rule] : NULL;
}

double an_severity(an_rule_id rule, double x)
{
	return x > 0 && isfinite(x) ? 100 * x / (x + rules[rule].half) : 0;
}

/* The place of a new finding of a rule; of one rule only the worst few are told. */
static wtr_finding *room(an_find *f, an_rule_id rule, double x)
{
	wtr_finding *least = NULL;
	unsigned n = 0;
	for (size_t i = 0; i < f->found.n; i++) {
		wtr_finding *d = &f->found.at[i];
		if (d->rule != &rules[rule])
			continue;
		n++;
		least = !least || d->value < least->value ? d : least;
	}
	if (n >= OF_A_RULE)
		return least->value < x ? least : NULL;
	if (!wb_vec_add(&f->found, (wtr_finding){ 0 })) {
		f->follow.oom = true;
		return NULL;
	}
	return &f->found.at[f->found.n - 1];
}

wtr_finding *an_found(an_find *f, an_rule_id rule, an_form form, double x)
{
	unsigned severity = (unsigned)lround(an_severity(rule, x));
	wtr_finding *d = severity < LEAST_SEVERE ? NULL : room(f, rule, x);
	if (d)
		*d = (wtr_finding){ .rule = &rules[rule],
			.severity = severity,
			.value = x,
			.sentence = sentences[form],
			.things = "" };
	return d;
}

static wtr_finding_value *value(wtr_finding *d, const char *name, wtr_value_unit unit)
{
	static _Thread_local wtr_finding_value spare; /* a sentence with too many is a mistake that tests find */
	wtr_finding_value *v = d->n_values < WTR_FINDING_VALUES ? &d->values[d->n_values++] : &spare;
	*v = (wtr_finding_value){ .name = name, .unit = unit, .text = { "", 0 } };
	return v;
}

void an_found_count(wtr_finding *d, const char *name, uint64_t n)
{
	value(d, name, WTR_VALUE_COUNT)->n = (int64_t)n;
}

void an_found_ns(wtr_finding *d, const char *name, int64_t ns)
{
	value(d, name, WTR_VALUE_NS)->n = ns;
}

void an_found_bytes(wtr_finding *d, const char *name, uint64_t bytes)
{
	value(d, name, WTR_VALUE_BYTES)->n = (int64_t)bytes;
}

void an_found_percent(wtr_finding *d, const char *name, double part, double whole)
{
	value(d, name, WTR_VALUE_PERCENT)->number = whole > 0 ? 100 * part / whole : 0;
}

void an_found_number(wtr_finding *d, const char *name, double v)
{
	value(d, name, WTR_VALUE_NUMBER)->number = isfinite(v) ? v : 0;
}

void an_found_text(wtr_finding *d, const char *name, wtr_str text)
{
	value(d, name, WTR_VALUE_TEXT)->text = text;
}

void an_found_g(wtr_finding *d, const char *name, int64_t g)
{
	value(d, name, WTR_VALUE_GOROUTINE)->n = g;
}

/* Whether a range shows at least half of another one. */
static bool shows(const wtr_finding_range *r, int64_t from_ns, int64_t to_ns)
{
	int64_t from = r->from_ns > from_ns ? r->from_ns : from_ns, to = r->to_ns < to_ns ? r->to_ns : to_ns;
	return to > from && to - from >= (to_ns - from_ns) / 2;
}

void an_found_range(wtr_finding *d, int64_t from_ns, int64_t to_ns)
{
	for (size_t i = 0; i < d->n_ranges; i++)
		if (shows(&d->ranges[i], from_ns, to_ns))
			return;
	if (d->n_ranges < WTR_FINDING_RANGES && to_ns > from_ns)
		d->ranges[d->n_ranges++] = (wtr_finding_range){ from_ns, to_ns };
}

void an_found_goroutine(wtr_finding *d, int64_t g, wtr_str name, int64_t from_ns, int64_t to_ns)
{
	for (size_t i = 0; i < d->n_goroutines; i++)
		if (d->goroutines[i].g == g)
			return;
	if (d->n_goroutines < WTR_FINDING_GOROUTINES && g != WTR_NONE)
		d->goroutines[d->n_goroutines++] = (wtr_finding_goroutine){ g, name, from_ns, to_ns };
}

void an_found_worst(an_find *f, wtr_finding *d, const an_worst *w)
{
	for (unsigned i = 0; i < w->n; i++) {
		const an_worst_one *one = &w->at[i];
		an_found_range(d, one->from_ns, one->to_ns);
		an_found_goroutine(d, one->g, an_group_name(f, one->group), one->from_ns, one->to_ns);
	}
}

void an_found_stack(wtr_finding *d, const char *role, uint32_t stack)
{
	if (stack && d->n_stacks < WTR_FINDING_STACKS)
		d->stacks[d->n_stacks++] = (wtr_finding_stack){ role, stack };
}

void an_found_of(wtr_finding *d, uint64_t seen, uint64_t of, const char *things)
{
	d->seen = seen;
	d->of = of;
	d->things = things;
}

/* ---- lists of the worst, and spreads ---- */

void an_worst_slow(an_worst *w, an_worst_one one)
{
	unsigned i = w->n < AN_WORST ? w->n++ : AN_WORST - 1;
	for (; i > 0 && w->at[i - 1].ns < one.ns; i--)
		w->at[i] = w->at[i - 1];
	w->at[i] = one;
}

int64_t an_spread_percentile(const an_spread *s, unsigned per_mille)
{
	uint64_t rank = s->n / 1000 * per_mille + (s->n % 1000 * per_mille + 999) / 1000, seen = 0;
	for (unsigned i = 0; i < AN_SPREAD_BUCKETS; i++) {
		seen += s->buckets[i];
		if (seen < rank || seen == 0)
			continue;
		if (i < 8)
			return i;
		int64_t top = (int64_t)(((uint64_t)(8 + i % 8 + 1) << (i / 8 - 1)) - 1);
		return top < s->max_ns && top >= 0 ? top : s->max_ns;
	}
	return 0;
}
