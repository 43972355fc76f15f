/* kit/ask.c - every question of libwtr about an input, for hostile ones: see kit.h. */
#include <stdlib.h>
#include <string.h>

#include "kit.h"

static void ask_profiles(wtr_trace *t)
{
	for (unsigned kind = 0; kind < WTR_PROFILE_COUNT; kind++) {
		wtr_profile *p = NULL;
		wtr_profile_totals all;
		size_t n = 0;
		if (wtr_profile_make(t, &(wtr_profile_query){ .kind = (wtr_profile_kind)kind, .as_go = kind & 1 }, &p,
			    NULL) != WTR_OK)
			continue;
		wtr_profile_get_totals(p, &all);
		wtr_profile_free_funcs(wtr_profile_funcs(p, &n));
		for (size_t i = 0; i < all.records; i++) {
			wtr_profile_record r;
			wtr_frame f[4];
			kit_check(wtr_profile_get_record(p, i, &r) && r.count > 0);
			kit_check(wtr_profile_frames(p, i, f, 4) == r.n_frames);
		}
		wtr_profile_free(p);
	}
}

static void ask_mmu(wtr_trace *t)
{
	for (unsigned i = 0; i < 4; i++) {
		wtr_mmu *m = NULL;
		wtr_mmu_window w[3];
		double q = 0.5, v;
		if (wtr_mmu_make(t, &(wtr_mmu_query){ .causes = 15, .per_goroutine = i & 1, .as_go = i & 2 }, &m,
			    NULL) != WTR_OK)
			continue;
		double mmu = wtr_mmu_at(m, 1000);
		kit_check(mmu >= 0 && mmu <= 1);
		kit_check(wtr_mmu_worst(m, 1000, w, 3) <= 3);
		wtr_mmu_quantiles(m, 1000, &q, 1, &v);
		wtr_mmu_free(m);
	}
}

/* Of everything, and of a part. */
static void ask_findings(wtr_trace *t)
{
	wtr_findings_totals all = { 0 };
	for (unsigned i = 0; i < 2; i++) {
		wtr_findings *f = NULL;
		const wtr_finding *d;
		unsigned worst = 100;
		int64_t from = all.from_ns + (all.to_ns - all.from_ns) / 3;
		wtr_findings_query q = {
			.ranged = i, .from_ns = from, .to_ns = from < INT64_MAX - 99 ? from + 99 : from
		};
		if (wtr_findings_make(t, &q, &f, NULL) != WTR_OK)
			continue;
		wtr_findings_get_totals(f, &all);
		for (size_t k = 0; (d = wtr_findings_get(f, k)); k++) {
			kit_check(d->severity <= worst && d->n_ranges > 0 && d->n_values <= WTR_FINDING_VALUES);
			kit_check(d->ranges[0].to_ns >= d->ranges[0].from_ns);
			worst = d->severity;
			for (size_t s = 0; s < d->n_stacks; s++)
				kit_check(wtr_findings_frames(f, d->stacks[s].stack, NULL, 0) > 0);
		}
		wtr_findings_free(f);
	}
}

static void check_objects(const wtr_object *o, size_t n)
{
	kit_check(n <= WTR_WAIT_OBJECTS_MAX);
	for (size_t i = 0; i < n; i++)
		kit_check(o[i].kind > WTR_OBJECT_NONE && o[i].kind < WTR_OBJECT_KIND_COUNT);
}

/* In the order of goroutines, and the same however many are asked for. */
static void ask_kept_labels(wtr_trace *t)
{
	enum { FEW = 8 };
	wtr_kept_label l[FEW];
	for (size_t i = 0; i < 4; i++) {
		size_t n = wtr_kept_labels(t, i, l, FEW);
		kit_check(wtr_kept_labels(t, i, NULL, 0) == n);
		for (size_t k = 0; k < n && k < FEW; k++) {
			kit_check(k == 0 || l[k - 1].g <= l[k].g);
			kit_check(strnlen(l[k].label.at, l[k].label.n) <= l[k].label.n); /* reads all of it */
		}
	}
}

static void ask_waits(wtr_trace *t, const wtr_index *x, int64_t at_ns)
{
	wtr_waits *w = NULL;
	wtr_graph *g = NULL;
	size_t n = 0, n_objects, n_held;
	if (wtr_waits_make(t, &w, NULL) != WTR_OK)
		return;
	const wtr_waited *o = wtr_waits_objects(w, &n_objects);
	wtr_waits_holders(w, &n_held);
	for (size_t i = 0; i < n_objects; i++)
		kit_check(o[i].n_full <= o[i].n && o[i].first_holder + o[i].n_holders <= n_held);
	if (wtr_graph_make(w, x, at_ns, &g, NULL) == WTR_OK) {
		const wtr_waiting *r = wtr_graph_rows(g, &n);
		for (size_t i = 0; i < n; i++)
			kit_check(r[i].cycle <= wtr_graph_cycles(g) && (!r[i].cycle || r[i].holder != WTR_NONE));
		for (size_t i = 0; i < n; i++) {
			wtr_object of[WTR_WAIT_OBJECTS_MAX];
			check_objects(of, wtr_waits_of(w, r[i].g, at_ns, of, WTR_WAIT_OBJECTS_MAX));
		}
		wtr_graph_free(g);
	}
	wtr_waits_free(w);
	ask_kept_labels(t);
}

static void ask_index(wtr_trace *t, const wtr_index *x)
{
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	for (size_t i = 0; i < n && i < 16; i++) {
		wtr_why *w = NULL;
		if (wtr_why_make(x, g[i].id, INT64_MIN, INT64_MAX, &w, NULL) == WTR_OK)
			wtr_why_free(w);
	}
	for (unsigned k = 0; k < 2; k++) {
		wtr_latencies *l = NULL;
		wtr_requests *r = NULL;
		if (wtr_latency_make(t, x, &(wtr_latency_query){ .about = k ? WTR_ABOUT_REGION : WTR_ABOUT_TASK }, &l,
			    NULL) == WTR_OK)
			wtr_latency_free(l);
		if (wtr_requests_make(t, x, INT64_MIN, INT64_MAX, k, &r, NULL) == WTR_OK)
			wtr_requests_free(r);
	}
	wtr_index *part = NULL;
	int64_t from = totals.start_ns + (totals.end_ns - totals.start_ns) / 3;
	if (from < INT64_MAX - 1000 &&
		wtr_index_build_within(t, WTR_PART_GOROUTINES, from, from + 1000, &part, NULL) == WTR_OK)
		wtr_index_free(part);
	ask_waits(t, x, from);
	wtr_counter_step steps[4];
	wtr_counters(t, from, 100, 4, steps, NULL, NULL);
}

static void ask_diff(wtr_trace *t, const wtr_index *x)
{
	wtr_side *a = wtr_side_new();
	wtr_diff *d = NULL;
	const wtr_diff_row *rows;
	wtr_limit l;
	if (a && wtr_side_add(a, t, x, &(wtr_side_query){ 0 }, NULL) == WTR_OK &&
		wtr_diff_make(a, a, &d, NULL) == WTR_OK) {
		size_t n = wtr_diff_rows(d, &rows);
		for (size_t i = 0; i < n; i++) {
			kit_check(rows[i].n_a == rows[i].n_b && rows[i].effect == 0 && !rows[i].changed);
			kit_check(rows[i].stats[WTR_STAT_P50].a <= rows[i].stats[WTR_STAT_MAX].a);
		}
		kit_check(wtr_limit_parse("sched.p99:+0%", 13, &l, NULL) == WTR_OK);
		kit_check(wtr_limit_check(&l, d, &rows) != WTR_LIMIT_EXCEEDED);
		wtr_diff_free(d);
	}
	wtr_side_free(a);
	wtr_stacks *s = wtr_stacks_new(WTR_PROFILE_OFFCPU);
	wtr_profile *p = NULL;
	if (s && wtr_profile_make(t, &(wtr_profile_query){ .kind = WTR_PROFILE_OFFCPU }, &p, NULL) == WTR_OK) {
		size_t n;
		if (wtr_stacks_add(s, 0, p) && wtr_stacks_add(s, 1, p) && wtr_stacks_finish(s))
			wtr_stacks_free_funcs(wtr_stacks_funcs(s, &n));
		wtr_profile_free(p);
	}
	wtr_stacks_free(s);
}

void kit_ask(const void *data, size_t n, const wtr_options *opt)
{
	wtr_trace *t = NULL;
	wtr_index *x = NULL;
	if (wtr_open_bytes(data, n, opt, &t, NULL) != WTR_OK)
		return;
	ask_profiles(t);
	ask_mmu(t);
	ask_findings(t);
	if (wtr_index_build(t, WTR_PART_ALL, &x, NULL) == WTR_OK) {
		ask_index(t, x);
		ask_diff(t, x);
	}
	wtr_index_free(x);
	wtr_close(t);
}
