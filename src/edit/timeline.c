/* edit/timeline.c - what of a trace becomes tracks, and what is on them. */
#include "edit/timeline.h"

#include "edit/tracks.h"
#include "read/source.h"

/* ---- the walk ---- */

static bool first_span(const we_tracks *t, wtr_lane lane, wtr_span *ret)
{
	return wtr_span_at(t->x, lane, t->start_ns, ret) || wtr_span_step(t->x, lane, t->start_ns, 1, ret);
}

static bool next_span(const we_tracks *t, wtr_lane lane, wtr_span *s)
{
	int64_t end = s->end_ns;
	return !t->stopped && !t->failed && (wtr_span_at(t->x, lane, end, s) || wtr_span_step(t->x, lane, end, 1, s));
}

static void walk_procs(we_tracks *t)
{
	const wtr_proc_row *p = wtr_table_data(t->x, WTR_TABLE_PROCS);
	we_name(t, "Procs");
	we_track(t, WE_PROCS, 0, false);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_PROCS); i++) {
		wtr_lane lane = { WTR_LANE_PROC, p[i].id };
		wtr_span s;
		wb_buf_printf(we_name(t, ""), "Proc %lld", (long long)p[i].id);
		we_track(t, WE_PROC_FIRST + i, WE_PROCS, false);
		for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
			we_put_goroutine(we_name(t, ""), t->x, s.g);
			we_slice(t, WE_PROC_FIRST + i, &s, 0);
		}
	}
}

static void walk_goroutine(we_tracks *t, const wtr_goroutine_row *rows, size_t i)
{
	wtr_lane lane = { WTR_LANE_GOROUTINE, rows[i].id };
	uint64_t on = WE_GOROUTINE_FIRST + (uint64_t)rows[i].id;
	wtr_span s;
	we_put_goroutine(we_name(t, ""), t->x, rows[i].id);
	we_track(t, on, WE_GROUP_FIRST + rows[i].group, false);
	for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
		uint64_t flow = s.state == WTR_G_RUNNABLE && s.waker != WTR_NONE ? ++t->flows : 0;
		if (flow) {
			we_put_goroutine(we_name(t, "wakes "), t->x, rows[i].id);
			we_instant(t, WE_GOROUTINE_FIRST + (uint64_t)s.waker, s.start_ns, "wakeup", flow);
		}
		wb_buf *b = we_name(t, wtr_gstate_name(s.state));
		if (s.reason.n) {
			wb_buf_puts(b, ": ");
			wb_buf_put(b, s.reason.at, s.reason.n);
		}
		we_slice(t, on, &s, flow);
	}
}

static void walk_goroutines(we_tracks *t)
{
	const wtr_group_row *groups = wtr_table_data(t->x, WTR_TABLE_GROUPS);
	const wtr_goroutine_row *rows = wtr_table_data(t->x, WTR_TABLE_GOROUTINES);
	we_name(t, "Goroutines");
	we_track(t, WE_GOROUTINES, 0, false);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GROUPS); i++) {
		wb_buf *b = we_name(t, groups[i].name.n ? "" : "(not known)");
		wb_buf_put(b, groups[i].name.at, groups[i].name.n);
		we_track(t, WE_GROUP_FIRST + i, WE_GOROUTINES, false);
	}
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GOROUTINES) && !t->stopped && !t->failed; i++)
		walk_goroutine(t, rows, i);
	const wtr_log_row *logs = wtr_table_data(t->x, WTR_TABLE_LOGS);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_LOGS); i++) {
		wb_buf *b = we_name(t, "");
		wb_buf_put(b, logs[i].category.at, logs[i].category.n);
		wb_buf_puts(b, logs[i].category.n ? ": " : "");
		wb_buf_put(b, logs[i].message.at, logs[i].message.n);
		we_instant(t, WE_GOROUTINE_FIRST + (uint64_t)logs[i].g, logs[i].time_ns, "log", 0);
	}
}

static void walk_collector(we_tracks *t, uint64_t on, wtr_lane_kind kind, const char *title)
{
	wtr_lane lane = { kind, 0 };
	wtr_span s;
	we_name(t, title);
	we_track(t, on, 0, false);
	for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
		wb_buf *b = we_name(t, title);
		if (s.reason.n) {
			wb_buf_puts(b, ": ");
			wb_buf_put(b, s.reason.at, s.reason.n);
		}
		we_slice(t, on, &s, 0);
	}
}

static void walk_counters(we_tracks *t)
{
	static const struct {
		uint64_t on;
		const char *title;
	} of[WTR_METRIC_COUNT] = {
		[WTR_METRIC_GOMAXPROCS] = { WE_GOMAXPROCS, "GOMAXPROCS" },
		[WTR_METRIC_HEAP_BYTES] = { WE_HEAP, "Heap in use (bytes)" },
		[WTR_METRIC_HEAP_GOAL_BYTES] = { WE_GOAL, "Heap goal (bytes)" },
	};
	const wtr_metric_row *m = wtr_table_data(t->x, WTR_TABLE_METRICS);
	for (size_t i = 0; i < WTR_METRIC_COUNT; i++) {
		we_name(t, of[i].title);
		we_track(t, of[i].on, 0, true);
	}
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_METRICS); i++)
		if (m[i].metric < WTR_METRIC_COUNT)
			we_counter(t, of[m[i].metric].on, m[i].time_ns, m[i].value, of[m[i].metric].title);
}

/* ---- what the program says of itself ---- */

static int64_t start_of(const wtr_totals *all, int64_t ns)
{
	return ns == WTR_NEVER ? all->start_ns : ns;
}

static int64_t end_of(const wtr_totals *all, int64_t ns)
{
	return ns == WTR_NEVER ? all->end_ns : ns;
}

/* A type, or that there is none: viewers show slices without a name as broken. */
static void type_name(we_tracks *t, wtr_str type)
{
	wb_buf *b = we_name(t, type.n ? "" : "(no type)");
	wb_buf_put(b, type.at, type.n);
}

static void walk_tasks(we_tracks *t, const wtr_totals *all)
{
	const wtr_task_row *r = wtr_table_data(t->x, WTR_TABLE_TASKS);
	we_name(t, "User tasks");
	we_track(t, WE_TASKS, 0, false);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_TASKS) && !t->stopped && !t->failed; i++) {
		if (r[i].id == 0) /* the background task: everything that is in no other */
			continue;
		type_name(t, r[i].name);
		we_track(t, WE_TASK_FIRST + i, WE_TASKS, false);
		wb_buf_printf(&t->name, " %llu", (unsigned long long)r[i].id);
		we_slice_begin(t, WE_TASK_FIRST + i, start_of(all, r[i].start_ns), "task", r[i].id);
		we_slice_end(t, WE_TASK_FIRST + i, end_of(all, r[i].end_ns), "task", r[i].id);
	}
}

typedef struct open_region {
	int64_t end_ns;
	wtr_str name;
} open_region;

enum { REGIONS_DEEP = 64 };

/* Ends the regions of a goroutine that are over at a time. */
static size_t end_regions(we_tracks *t, const open_region *open, size_t n, int64_t g, int64_t upto_ns)
{
	while (n && open[n - 1].end_ns <= upto_ns) {
		n--;
		type_name(t, open[n].name);
		we_slice_end(t, WE_REGIONS_FIRST + (uint64_t)g, open[n].end_ns, "region", (uint64_t)g);
	}
	return n;
}

/* The regions of one goroutine, rows [i, ret): by start, so that what is inside comes later.  What reaches beyond what
 * it lies in, which only a damaged trace has, is cut. */
static size_t walk_regions_of(we_tracks *t, const wtr_totals *all, size_t i)
{
	const wtr_region_row *r = wtr_table_data(t->x, WTR_TABLE_REGIONS);
	size_t rows = wtr_table_rows(t->x, WTR_TABLE_REGIONS), n = 0;
	open_region open[REGIONS_DEEP];
	int64_t g = r[i].g;
	we_name(t, "regions");
	we_track(t, WE_REGIONS_FIRST + (uint64_t)g, WE_GOROUTINE_FIRST + (uint64_t)g, false);
	for (; i < rows && r[i].g == g; i++) {
		int64_t start = start_of(all, r[i].start_ns), end = end_of(all, r[i].end_ns);
		n = end_regions(t, open, n, g, start);
		if (r[i].inherited || n == REGIONS_DEEP)
			continue;
		if (n && end > open[n - 1].end_ns)
			end = open[n - 1].end_ns;
		open[n++] = (open_region){ end, r[i].name };
		type_name(t, r[i].name);
		we_slice_begin(t, WE_REGIONS_FIRST + (uint64_t)g, start, "region", (uint64_t)g);
	}
	end_regions(t, open, n, g, INT64_MAX);
	return i;
}

static void walk_regions(we_tracks *t, const wtr_totals *all)
{
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_REGIONS) && !t->stopped && !t->failed;)
		i = walk_regions_of(t, all, i);
}

wtr_code we_timeline_write(const wtr_index *x, we_timeline format, wtr_write_fn *put, void *user, wtr_error *err)
{
	we_tracks t = { .x = x, .format = format, .put = put, .user = user };
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	t.start_ns = totals.start_ns;
	if (format == WE_TIMELINE_CHROME) {
		wb_buf_puts(&t.out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
		we_chrome_processes(&t);
	}
	walk_collector(&t, WE_GC, WTR_LANE_GC, "GC");
	walk_collector(&t, WE_STW, WTR_LANE_STW, "Stop the world");
	walk_counters(&t);
	walk_procs(&t);
	walk_goroutines(&t);
	walk_regions(&t, &totals);
	walk_tasks(&t, &totals);
	if (format == WE_TIMELINE_CHROME)
		wb_buf_puts(&t.out, "\n]}\n");
	we_tracks_flush(&t, true);
	wb_buf_free(&t.out);
	wb_buf_free(&t.packet);
	wb_buf_free(&t.message);
	wb_buf_free(&t.name);
	if (t.stopped)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "output", "the output could not be written");
	return t.failed ? wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory") : WTR_OK;
}
