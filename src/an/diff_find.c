/* an/diff_find.c - findings of two sides: new, gone, worse. */
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "an/summary.h"
#include "base/buf.h"

static const char *const verdicts[] = {
	[WTR_FINDING_NEW] = "new",
	[WTR_FINDING_GONE] = "gone",
	[WTR_FINDING_WORSE] = "worse",
	[WTR_FINDING_BETTER] = "better",
	[WTR_FINDING_SAME] = "same",
};

const char *wtr_finding_verdict_name(unsigned verdict)
{
	return verdict <= WTR_FINDING_SAME ? verdicts[verdict] : NULL;
}

/* What a finding is about: its rule, and the names in its sentence. */
static uint32_t key_of(wtr_side *s, const wtr_finding *f)
{
	wb_buf b = { 0 };
	for (size_t i = 0; i < f->n_values; i++) {
		if (f->values[i].unit != WTR_VALUE_TEXT)
			continue;
		wb_buf_put(&b, f->values[i].text.at, f->values[i].text.n);
		wb_buf_putc(&b, '\n');
	}
	wtr_str rule = { f->rule->name, strlen(f->rule->name) };
	uint32_t key = b.failed ? WB_INTERN_NONE : an_side_key(s, WTR_DIFF_KIND_COUNT, rule, (wtr_str){ b.at, b.n });
	wb_buf_free(&b);
	return key;
}

static an_found *of_key(const wtr_side *s, uint32_t key)
{
	for (size_t i = 0; i < s->found.n; i++)
		if (s->found.at[i].key == key)
			return &s->found.at[i];
	return NULL;
}

bool an_side_add_findings(wtr_side *s, const wtr_findings *f)
{
	const wtr_finding *d;
	for (size_t i = 0; (d = wtr_findings_get(f, i)) != NULL; i++) {
		uint32_t key = key_of(s, d);
		an_found *known = of_key(s, key);
		if (key == WB_INTERN_NONE)
			return false;
		if (known)
			known->severity = d->severity > known->severity ? d->severity : known->severity;
		else if (!wb_vec_add(&s->found, (an_found){ d->rule, key, d->severity }))
			return false;
	}
	return true;
}

/* The same finding on the other side. */
static const an_found *same_in(const wtr_side *other, const wtr_side *side, const an_found *f)
{
	wb_text t = wb_intern_text(&side->keys, f->key);
	uint32_t key = wb_intern_get(&other->keys, t.at, t.n);
	return key == WB_INTERN_NONE ? NULL : of_key(other, key);
}

static wtr_finding_verdict verdict(const an_found *a, const an_found *b)
{
	if (!a || !b)
		return b ? WTR_FINDING_NEW : WTR_FINDING_GONE;
	if (b->severity >= a->severity + WTR_FINDING_STEP)
		return WTR_FINDING_WORSE;
	return a->severity >= b->severity + WTR_FINDING_STEP ? WTR_FINDING_BETTER : WTR_FINDING_SAME;
}

static bool add(an_found_changes *to, const wtr_side *of, const an_found *f, const an_found *a, const an_found *b)
{
	return wb_vec_add(to, (wtr_finding_change){ .rule = f->rule->name,
				      .title = f->rule->title,
				      .about = an_side_created(of, f->key),
				      .a = a ? a->severity : 0,
				      .b = b ? b->severity : 0,
				      .verdict = verdict(a, b) });
}

static int in_order(const void *x, const void *y)
{
	static const int place[] = { [WTR_FINDING_NEW] = 0,
		[WTR_FINDING_WORSE] = 1,
		[WTR_FINDING_GONE] = 2,
		[WTR_FINDING_BETTER] = 3,
		[WTR_FINDING_SAME] = 4 };
	const wtr_finding_change *a = x, *b = y;
	unsigned most_a = a->a > a->b ? a->a : a->b, most_b = b->a > b->b ? b->a : b->b;
	if (a->verdict != b->verdict)
		return place[a->verdict] - place[b->verdict];
	if (most_a != most_b)
		return most_a > most_b ? -1 : 1;
	int c = strcmp(a->rule, b->rule);
	return c ? c : an_text_order(a->about, b->about);
}

bool an_found_compare(const wtr_side *a, const wtr_side *b, an_found_changes *ret)
{
	bool ok = true;
	for (size_t i = 0; ok && i < a->found.n; i++)
		ok = add(ret, a, &a->found.at[i], &a->found.at[i], same_in(b, a, &a->found.at[i]));
	for (size_t i = 0; ok && i < b->found.n; i++)
		ok = same_in(a, b, &b->found.at[i]) || add(ret, b, &b->found.at[i], NULL, &b->found.at[i]);
	if (ok && ret->n)
		qsort(ret->at, ret->n, sizeof(*ret->at), in_order);
	return ok;
}
