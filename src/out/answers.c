/* out/answers.c - see answers.h. */
#include "out/answers.h"

#include "out/objects.h"

enum { FRAMES = 260 };

void out_error_json(out_json *j, const wtr_error *err)
{
	if (err->code == WTR_OK) {
		out_json_null(j);
		return;
	}
	out_json_object(j);
	out_json_put_text(j, "what", err->what[0] ? err->what : wtr_strerror(err->code));
	out_json_put_text(j, "rule", err->rule ? err->rule : "");
	out_json_put_u64(j, "offset", err->offset);
	out_json_put_u64(j, "generation", err->generation);
	out_json_put_id(j, "thread", err->thread);
	out_json_put_text(j, "event", err->event ? err->event : "");
	out_json_object_end(j);
}

static void functions(out_json *j, const wtr_profile *p, size_t limit)
{
	size_t n = 0;
	wtr_profile_func *f = wtr_profile_funcs(p, &n);
	if (!f)
		j->failed = true;
	out_json_put_u64(j, "n_functions", n);
	out_json_key(j, "functions");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_str(j, "name", f[i].name);
		out_json_put_u64(j, "flat_count", f[i].flat_count);
		out_json_put_i64(j, "flat_ns", f[i].flat_ns);
		out_json_put_u64(j, "cum_count", f[i].cum_count);
		out_json_put_i64(j, "cum_ns", f[i].cum_ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	wtr_profile_free_funcs(f);
}

static void stacks(out_json *j, const wtr_profile *p, size_t limit)
{
	wtr_profile_record r;
	wtr_frame frames[FRAMES];
	out_json_key(j, "stacks");
	out_json_array(j);
	for (size_t i = 0; wtr_profile_get_record(p, i, &r) && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_u64(j, "count", r.count);
		out_json_put_i64(j, "ns", r.ns);
		out_json_put_text(j, "state", r.state[0] ? r.state : NULL);
		out_json_key(j, "stack");
		out_json_frames(j, frames, wtr_profile_frames(p, i, frames, FRAMES));
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void at_once(out_json *j, const wtr_profile_totals *t)
{
	size_t n = WTR_PROFILE_AT_ONCE;
	while (n && !t->running_ns[n - 1] && !t->runnable_ns[n - 1])
		n--;
	out_json_key(j, "at_once");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_put_u64(j, "n", i);
		out_json_put_i64(j, "running_ns", t->running_ns[i]);
		out_json_put_i64(j, "runnable_ns", t->runnable_ns[i]);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

void out_profile_json(out_json *j, const wtr_profile *p, size_t limit)
{
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	out_json_put_text(j, "profile", wtr_profile_name(t.kind));
	out_json_put_i64(j, "duration_ns", t.duration_ns);
	out_json_put_u64(j, "count", t.count);
	out_json_put_i64(j, "ns", t.ns);
	out_json_put_u64(j, "n_stacks", t.records);
	functions(j, p, limit);
	stacks(j, p, limit);
	if (t.kind == WTR_PROFILE_ALONE)
		at_once(j, &t);
	out_json_key(j, "ended");
	out_error_json(j, &t.end);
}

/* ---- mmu ---- */

static void lost(out_json *j, const double *share)
{
	out_json_key(j, "lost");
	out_json_object(j);
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++) {
		out_json_key(j, wtr_gc_cause_name(c));
		out_json_fixed(j, share[c], 6);
	}
	out_json_object_end(j);
}

static void mmu_curve(out_json *j, const wtr_mmu *m)
{
	enum { POINTS = 100 };
	static const double q[] = { 0.001, 0.01, 0.05 };
	static const char *const names[] = { "p0_1", "p1", "p5" };
	int64_t windows[POINTS];
	wtr_mmu_windows(m, windows, POINTS);
	out_json_key(j, "curve");
	out_json_array(j);
	for (size_t i = 0; i < POINTS; i++) {
		double v[3] = { 0 };
		if (!wtr_mmu_quantiles(m, windows[i], q, 3, v))
			j->failed = true;
		out_json_object(j);
		out_json_put_i64(j, "window_ns", windows[i]);
		out_json_key(j, "mmu");
		out_json_fixed(j, wtr_mmu_at(m, windows[i]), 6);
		for (size_t k = 0; k < 3; k++) {
			out_json_key(j, names[k]);
			out_json_fixed(j, v[k], 6);
		}
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void mmu_worst(out_json *j, const wtr_mmu *m, int64_t window_ns, size_t n, int64_t start_ns)
{
	wtr_mmu_window w[OUT_MMU_WORST_MAX];
	size_t found = wtr_mmu_worst(m, window_ns, w, n && n < OUT_MMU_WORST_MAX ? n : OUT_MMU_WORST_MAX);
	j->failed |= found == SIZE_MAX;
	out_json_key(j, "worst");
	out_json_array(j);
	for (size_t i = 0; found != SIZE_MAX && i < found; i++) {
		out_json_object(j);
		out_json_put_i64(j, "start_ns", w[i].start_ns - start_ns);
		out_json_put_i64(j, "end_ns", w[i].end_ns - start_ns);
		out_json_put_u64(j, "series", w[i].series);
		out_json_key(j, "left");
		out_json_fixed(j, w[i].utilization, 6);
		lost(j, w[i].lost);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

void out_mmu_json(
	out_json *j, const wtr_mmu *m, const wtr_mmu_query *q, int64_t window_ns, size_t n_worst, int64_t start_ns)
{
	wtr_mmu_totals t;
	wtr_mmu_get_totals(m, &t);
	out_json_key(j, "flags");
	out_json_array(j);
	for (unsigned c = 0; c < WTR_GC_CAUSES; c++)
		if (q->causes >> c & 1)
			out_json_text(j, wtr_gc_cause_name(c));
	out_json_array_end(j);
	out_json_put_bool(j, "per_goroutine", q->per_goroutine);
	out_json_put_u64(j, "series", t.series);
	out_json_put_u64(j, "points", t.points);
	out_json_put_i64(j, "duration_ns", t.length_ns);
	out_json_key(j, "left");
	out_json_fixed(j, t.mean, 6);
	lost(j, t.lost);
	mmu_curve(j, m);
	out_json_put_i64(j, "window_ns", window_ns);
	mmu_worst(j, m, window_ns, n_worst, start_ns);
	out_json_key(j, "ended");
	out_error_json(j, &t.end);
}

/* ---- tasks and regions ---- */

static void histogram(out_json *j, const wtr_latency_group *g)
{
	out_json_key(j, "histogram");
	out_json_array(j);
	for (unsigned b = 0; b < WTR_LATENCY_BUCKETS; b++) {
		if (!g->buckets[b])
			continue;
		out_json_object(j);
		out_json_put_i64(j, "from_ns", b ? wtr_latency_bucket_ns(b) : 0);
		out_json_put_i64(j, "to_ns", wtr_latency_bucket_ns(b + 1));
		out_json_put_u64(j, "n", g->buckets[b]);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void latency_group(out_json *j, const wtr_latency_group *g, bool regions)
{
	out_json_object(j);
	out_json_put_str(j, "name", g->name);
	if (regions)
		out_json_put_str(j, "func", g->func);
	out_json_put_u64(j, "n", g->n);
	out_json_put_u64(j, "complete", g->complete);
	out_json_put_i64(j, "sum_ns", g->sum_ns);
	out_json_put_i64(j, "min_ns", g->min_ns);
	out_json_put_i64(j, "p50_ns", g->p50_ns);
	out_json_put_i64(j, "p90_ns", g->p90_ns);
	out_json_put_i64(j, "p99_ns", g->p99_ns);
	out_json_put_i64(j, "p999_ns", g->p999_ns);
	out_json_put_i64(j, "max_ns", g->max_ns);
	if (regions) {
		out_json_put_i64(j, "exec_ns", g->exec_ns);
		out_json_put_i64(j, "sched_ns", g->sched_ns);
		out_json_put_i64(j, "block_ns", g->block_ns);
		out_json_put_i64(j, "syscall_ns", g->syscall_ns);
	}
	histogram(j, g);
	out_json_object_end(j);
}

static void task_row(out_json *j, const wtr_index *x, const wtr_task_row *t, int64_t ns, int64_t start_ns)
{
	const wtr_task_row *all = wtr_table_data(x, WTR_TABLE_TASKS);
	const wtr_task_goroutine_row *of = wtr_table_data(x, WTR_TABLE_TASK_GOROUTINES);
	out_json_object(j);
	out_json_put_u64(j, "id", t->id);
	out_json_put_str(j, "name", t->name);
	out_json_put_id(j, "parent", t->parent == UINT32_MAX ? WTR_NONE : (int64_t)all[t->parent].id);
	out_json_put_ns(j, "start_ns", t->start_ns, start_ns);
	out_json_put_ns(j, "end_ns", t->end_ns, start_ns);
	out_json_put_i64(j, "ns", ns);
	out_json_put_u64(j, "n_logs", t->n_logs);
	out_json_put_u64(j, "n_regions", t->n_regions);
	out_json_key(j, "goroutines");
	out_json_array(j);
	for (uint32_t k = 0; k < t->n_goroutines; k++)
		out_json_i64(j, of[t->first_goroutine + k].g);
	out_json_array_end(j);
	out_json_object_end(j);
}

static void region_row(out_json *j, const wtr_region_row *r, int64_t ns, int64_t start_ns)
{
	out_json_object(j);
	out_json_put_i64(j, "g", r->g);
	out_json_put_u64(j, "task", r->task);
	out_json_put_str(j, "name", r->name);
	out_json_put_ns(j, "start_ns", r->start_ns, start_ns);
	out_json_put_ns(j, "end_ns", r->end_ns, start_ns);
	out_json_put_i64(j, "ns", ns);
	out_json_put_i64(j, "exec_ns", r->exec_ns);
	out_json_put_i64(j, "sched_ns", r->sched_ns);
	out_json_put_i64(j, "block_ns", r->total_ns - r->exec_ns - r->sched_ns - r->syscall_ns - r->syscall_block_ns);
	out_json_put_i64(j, "syscall_ns", r->syscall_ns + r->syscall_block_ns);
	out_json_object_end(j);
}

void out_latency_json(
	out_json *j, const wtr_index *x, const wtr_latencies *l, wtr_about about, size_t limit, int64_t start_ns)
{
	bool regions = about == WTR_ABOUT_REGION;
	const wtr_latency_group *g;
	const uint32_t *rows;
	size_t n_groups = wtr_latency_groups(l, &g), n = wtr_latency_all(l, &rows);
	const wtr_task_row *tasks = wtr_table_data(x, WTR_TABLE_TASKS);
	const wtr_region_row *of = wtr_table_data(x, WTR_TABLE_REGIONS);
	out_json_key(j, "types");
	out_json_array(j);
	for (size_t i = 0; i < n_groups; i++)
		latency_group(j, &g[i], regions);
	out_json_array_end(j);
	out_json_put_u64(j, "n", n);
	out_json_key(j, regions ? "regions" : "tasks");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		if (regions)
			region_row(j, &of[rows[i]], wtr_latency_ns(l, rows[i]), start_ns);
		else
			task_row(j, x, &tasks[rows[i]], wtr_latency_ns(l, rows[i]), start_ns);
	out_json_array_end(j);
}

/* ---- counters ---- */

void out_counters_json(out_json *j, const wtr_counter_step *s, size_t n, int64_t first_ns, int64_t step_ns)
{
	out_json_put_i64(j, "first_ns", first_ns);
	out_json_put_i64(j, "step_ns", step_ns);
	out_json_put_u64(j, "n", n);
	out_json_key(j, "counters");
	out_json_object(j);
	for (unsigned c = 0; c < WTR_COUNTER_COUNT; c++) {
		out_json_key(j, wtr_counter_name(c));
		out_json_object(j);
		for (unsigned most = 0; most < 2; most++) {
			out_json_key(j, most ? "most" : "last");
			out_json_array(j);
			for (size_t i = 0; i < n; i++) {
				int64_t v = most ? s[i].most[c] : s[i].last[c];
				if (v < 0)
					out_json_null(j);
				else
					out_json_i64(j, v);
			}
			out_json_array_end(j);
		}
		out_json_object_end(j);
	}
	out_json_object_end(j);
}

/* ---- why ---- */

static void by_class(out_json *j, const int64_t *ns)
{
	out_json_key(j, "by_class");
	out_json_object(j);
	for (unsigned c = 0; c < WTR_CLASS_COUNT; c++)
		out_json_put_i64(j, wtr_class_name(c), ns[c]);
	out_json_object_end(j);
}

static void stack_json(out_json *j, const char *key, const wtr_trace *t, uint32_t stack)
{
	wtr_frame frames[FRAMES];
	size_t n = wtr_stack(t, stack, frames, FRAMES);
	out_json_key(j, key);
	out_json_frames(j, frames, n < FRAMES ? n : FRAMES);
}

size_t out_why_objects(const wtr_waits *waits, const wtr_why_piece *p, wtr_object *ret, size_t n)
{
	bool waits_now = p->cls == WTR_CLASS_BLOCKED || p->cls == WTR_CLASS_LOCK || p->cls == WTR_CLASS_NETWORK;
	return waits && waits_now ? wtr_waits_of(waits, p->g, p->from_ns, ret, n) : 0;
}

static void piece_objects(out_json *j, const wtr_waits *waits, const wtr_why_piece *p)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	size_t n = out_why_objects(waits, p, o, WTR_WAIT_OBJECTS_MAX);
	if (n == 0)
		return;
	out_json_key(j, "objects");
	out_objects_json(j, o, n);
}

static void why_pieces(
	out_json *j, const wtr_trace *t, const wtr_why *w, const wtr_waits *waits, size_t limit, int64_t start_ns)
{
	wtr_why_totals all;
	wtr_why_get_totals(w, &all);
	size_t n = all.pieces;
	const wtr_why_piece *p = wtr_why_pieces(w);
	out_json_key(j, "path");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_i64(j, "from_ns", p[i].from_ns - start_ns);
		out_json_put_i64(j, "to_ns", p[i].to_ns - start_ns);
		out_json_put_id(j, "g", p[i].g);
		out_json_put_u64(j, "depth", p[i].depth);
		out_json_put_text(j, "class", wtr_class_name(p[i].cls));
		out_json_put_str(j, "reason", p[i].reason);
		piece_objects(j, waits, &p[i]);
		stack_json(j, "stack", t, p[i].stack);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void why_parts(out_json *j, const wtr_trace *t, const wtr_why *w, size_t n, size_t limit)
{
	const wtr_why_part *p = wtr_why_parts(w);
	out_json_key(j, "parts");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_i64(j, "ns", p[i].ns);
		out_json_put_u64(j, "n", p[i].n);
		out_json_put_text(j, "class", wtr_class_name(p[i].cls));
		out_json_put_str(j, "name", p[i].name);
		stack_json(j, "stack", t, p[i].stack);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void why_edges(out_json *j, const wtr_trace *t, const wtr_why *w, size_t n, size_t limit, int64_t start_ns)
{
	const wtr_why_edge *e = wtr_why_edges(w);
	out_json_key(j, "waits");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_u64(j, "n", e[i].n);
		out_json_put_i64(j, "ns", e[i].ns);
		out_json_put_i64(j, "longest_ns", e[i].longest_ns);
		out_json_put_i64(j, "longest_at_ns", e[i].longest_at_ns - start_ns);
		out_json_put_id(j, "g", e[i].g);
		out_json_put_id(j, "waker", e[i].waker);
		stack_json(j, "stack", t, e[i].stack);
		stack_json(j, "waker_stack", t, e[i].waker_stack);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

void out_why_json(
	out_json *j, const wtr_trace *t, const wtr_why *w, const wtr_waits *waits, size_t limit, int64_t start_ns)
{
	wtr_why_totals all;
	wtr_why_get_totals(w, &all);
	const wtr_why_other *o = wtr_why_others(w);
	out_json_put_i64(j, "g", all.g);
	out_json_put_i64(j, "from_ns", all.from_ns - start_ns);
	out_json_put_i64(j, "to_ns", all.to_ns - start_ns);
	out_json_put_bool(j, "cut", all.cut);
	by_class(j, all.by_class);
	out_json_put_i64(j, "own_ns", all.own_ns);
	out_json_put_i64(j, "gc_ns", all.gc_ns);
	out_json_put_i64(j, "stw_ns", all.stw_ns);
	out_json_put_u64(j, "pieces", all.pieces);
	why_pieces(j, t, w, waits, limit, start_ns);
	why_parts(j, t, w, all.parts, limit);
	why_edges(j, t, w, all.edges, limit, start_ns);
	out_json_key(j, "ran_instead");
	out_json_array(j);
	for (size_t i = 0; i < all.others && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_str(j, "name", o[i].name);
		out_json_put_u64(j, "n", o[i].n);
		out_json_put_i64(j, "ns", o[i].ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

/* ---- requests ---- */

static const char *source_name(wtr_request_source s)
{
	return s == WTR_REQUESTS_TASKS ? "task" : s == WTR_REQUESTS_HTTP ? "http" : "grpc";
}

static void request(out_json *j, const wtr_request *q, int64_t start_ns)
{
	out_json_object(j);
	out_json_put_str(j, "name", q->name);
	out_json_put_text(j, "source", source_name(q->source));
	out_json_put_id(j, "task", q->task ? (int64_t)q->task : WTR_NONE);
	out_json_put_id(j, "g", q->g);
	out_json_put_i64(j, "start_ns", q->start_ns - start_ns);
	out_json_put_i64(j, "ns", q->end_ns - q->start_ns);
	by_class(j, q->by_class);
	out_json_object_end(j);
}

void out_requests_json(out_json *j, const wtr_requests *r, size_t limit, int64_t start_ns)
{
	const wtr_request *all;
	const wtr_request_group *g;
	size_t n = wtr_requests_all(r, &all), n_groups = wtr_requests_groups(r, &g);
	out_json_put_u64(j, "n", n);
	out_json_key(j, "types");
	out_json_array(j);
	for (size_t i = 0; i < n_groups; i++) {
		out_json_object(j);
		out_json_put_str(j, "name", g[i].name);
		out_json_put_text(j, "source", source_name(g[i].source));
		out_json_put_u64(j, "n", g[i].n);
		out_json_put_i64(j, "p50_ns", g[i].p50_ns);
		out_json_put_i64(j, "p90_ns", g[i].p90_ns);
		out_json_put_i64(j, "p99_ns", g[i].p99_ns);
		out_json_put_i64(j, "max_ns", g[i].max_ns);
		out_json_key(j, "worst");
		request(j, &all[g[i].first], start_ns);
		out_json_key(j, "median");
		request(j, &all[g[i].first + g[i].n / 2], start_ns);
		out_json_key(j, "slowest");
		out_json_array(j);
		for (size_t k = 0; k < g[i].n && (limit == 0 || k < limit); k++)
			request(j, &all[g[i].first + k], start_ns);
		out_json_array_end(j);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}
