#include "fake.h"

#include <stdio.h>
#include <string.h>

#define S(text)                        \
	{                              \
		text, sizeof(text) - 1 \
	}

static const wtr_group_row groups[] = {
	{ .name = S("main.worker"),
		.n = 3,
		.total_ns = 90,
		.exec_ns = 50,
		.sched_ns = 10,
		.syscall_ns = 5,
		.syscall_block_ns = 6,
		.block_ns = 7 },
	{ .name = S("net/http.(*h8).serve"), .n = 2 },
	{ .name = S(""), .n = 1 },
};

static const wtr_goroutine_row goroutines[] = {
	{ .id = 1,
		.name = S("main.worker"),
		.group = 0,
		.create_ns = FAKE_START_NS,
		.end_ns = WTR_NEVER,
		.exec_ns = 9,
		.final_state = WTR_G_WAITING },
	{ .id = 7, .name = S("main.worker"), .group = 0, .create_ns = WTR_NEVER, .end_ns = FAKE_START_NS + 77 },
	{ .id = 8, .name = S("net/http.(*h8).serve"), .group = 1, .create_ns = FAKE_START_NS + 8, .end_ns = WTR_NEVER },
	{ .id = 45, .name = S("main.worker"), .group = 0, .create_ns = FAKE_START_NS + 45, .end_ns = WTR_NEVER },
	{ .id = 46,
		.name = S("net/http.(*h8).serve"),
		.group = 1,
		.create_ns = FAKE_START_NS + 46,
		.end_ns = WTR_NEVER },
	{ .id = 99, .name = S(""), .group = 2, .create_ns = FAKE_START_NS + 99, .end_ns = WTR_NEVER },
};
#define N_GOROUTINES (sizeof(goroutines) / sizeof(goroutines[0]))

static const wtr_proc_row procs[] = { { .id = 0, .running_ns = 100, .events = 10 }, { .id = 3, .running_ns = 5 },
	{ .id = 1000001 } };
static const wtr_thread_row threads[] = { { .id = 7330, .events = 498 }, { .id = 7331 } };
static const wtr_metric_row metrics[] = {
	{ FAKE_START_NS, WTR_METRIC_GOMAXPROCS, 4 },
	{ FAKE_START_NS + 100, WTR_METRIC_HEAP_BYTES, 1000 },
	{ FAKE_START_NS + 150, WTR_METRIC_HEAP_BYTES, 2000 },
	{ FAKE_START_NS + 160, WTR_METRIC_HEAP_GOAL_BYTES, 4000 },
	{ FAKE_START_NS + 300, WTR_METRIC_HEAP_BYTES, 500 },
};

static const wtr_task_row tasks[] = { { .id = 0 }, { .id = 7, .name = S("order") } };
static const wtr_log_row logs[] = {
	{ .time_ns = FAKE_START_NS + 10, .g = 45, .task = 7, .category = S("status"), .message = S("Paid") },
	{ .time_ns = FAKE_START_NS + 20, .g = 8, .task = 9, .category = S(""), .message = S("shipped") },
	{ .time_ns = FAKE_START_NS + 30, .g = 45, .task = 0, .category = S("status"), .message = S("done") },
};
static const wtr_region_row regions[] = {
	{ .g = 8, .task = 9, .name = S("other"), .start_ns = FAKE_START_NS, .end_ns = FAKE_START_NS + 50 },
	{ .g = 45, .task = 7, .name = S("before"), .start_ns = WTR_NEVER, .end_ns = FAKE_START_NS + 12 },
	{ .g = 45, .task = 7, .name = S("charge"), .start_ns = FAKE_START_NS + 12, .end_ns = WTR_NEVER },
};

static const wtr_goroutine_row *goroutine(const wtr_index *x, int64_t id)
{
	(void)x;
	for (size_t i = 0; i < N_GOROUTINES; i++)
		if (goroutines[i].id == id)
			return &goroutines[i];
	return NULL;
}

static size_t group_goroutines(const wtr_index *x, uint32_t group, size_t first, uint32_t *ret, size_t n)
{
	(void)x;
	size_t at = 0, put = 0;
	for (uint32_t i = 0; i < N_GOROUTINES; i++) {
		if (goroutines[i].group != group)
			continue;
		if (at++ >= first && put < n)
			ret[put++] = i;
	}
	return put;
}

size_t fake_run_count(wtr_lane lane, int64_t t0_ns)
{
	return t0_ns > FAKE_START_NS + 512 * 1024 ? 1
	       : lane.kind == WTR_LANE_GROUP      ? 5
	       : lane.id == 3                     ? 257
	       : lane.id % 4 == 1                 ? 3
						  : 0;
}

static size_t tile(
	const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret, size_t n)
{
	(void)x;
	(void)width_px;
	size_t want = fake_run_count(lane, t0_ns);
	for (size_t i = 0; i < want && i < n; i++) {
		bool blended = lane.kind == WTR_LANE_GROUP || i % 3 == 1;
		ret[i] = (wtr_run){ .x0 = (float)i * 2,
			.x1 = (float)i * 2 + 2,
			.kind = blended ? WTR_RUN_BLENDED : WTR_RUN_EXACT,
			.cls = (uint8_t)(1 + i % 8),
			.marks = (uint8_t)zoom,
			.flags = 1,
			.count = (uint32_t)i + 100,
			.ref = (uint32_t)i + 200 };
		for (unsigned k = 0; k < 8; k++)
			ret[i].share[k] = (uint8_t)(k + i);
	}
	return want;
}

static bool span_at(const wtr_index *x, wtr_lane lane, int64_t time_ns, wtr_span *ret)
{
	(void)x;
	if (lane.kind == WTR_LANE_GROUP || time_ns < FAKE_START_NS || time_ns > FAKE_END_NS)
		return false;
	*ret = (wtr_span){ .start_ns = time_ns - 5,
		.end_ns = time_ns + 5,
		.cls = WTR_CLASS_RUNNING,
		.state = WTR_G_RUNNING,
		.open_end = true,
		.reason = S("chan \xff receive"),
		.stack = 2,
		.g = 45,
		.p = 2,
		.m = WTR_NONE,
		.waker = lane.id == 1 ? WTR_NONE : 1,
		.waker_stack = lane.id == 1 ? 0 : 1,
		.waker_p = WTR_NONE };
	return true;
}

static bool span_step(const wtr_index *x, wtr_lane lane, int64_t time_ns, int direction, wtr_span *ret)
{
	int64_t t;
	return !__builtin_add_overflow(time_ns, 10 * direction, &t) && span_at(x, lane, t, ret);
}

static bool counts(const wtr_index *x, int64_t group, int64_t t0_ns, int64_t step_ns, size_t n, float *ret)
{
	(void)x;
	(void)step_ns;
	for (size_t i = 0; i < n * WTR_CLASS_COUNT; i++)
		ret[i] = t0_ns < FAKE_START_NS ? 0 : (float)(i % WTR_CLASS_COUNT) / 3 + (float)(group + 1);
	return true;
}

static size_t stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	(void)t;
	for (size_t i = 0; i < id && i < n; i++)
		ret[i] = (wtr_frame){
			.pc = 0x46a2b1 + i, .func = S("main.worker"), .file = S("main.go"), .line = 12 + i
		};
	return id;
}

bool fake_model(ws_model *m)
{
	*m = (ws_model){ .goroutine = goroutine,
		.tile = tile,
		.span_at = span_at,
		.span_step = span_step,
		.counts = counts,
		.group_goroutines = group_goroutines,
		.stack = stack };
	m->info = (wtr_info){ .path = "dir/trace.out",
		.version = 26,
		.written_by = "Go 1.26 or 1.27",
		.compression = "none",
		.file_bytes = 12345 };
	m->totals = (wtr_totals){ .start_ns = FAKE_START_NS,
		.end_ns = FAKE_END_NS,
		.events = 647,
		.goroutines = 6,
		.procs = 3,
		.threads = 2,
		.has_wall = true,
		.wall_start_ns = 1795336402522602706 };
#define SET(table, array) m->tables[table].rows = array, m->tables[table].n = sizeof(array) / sizeof((array)[0])
	SET(WTR_TABLE_GROUPS, groups);
	SET(WTR_TABLE_GOROUTINES, goroutines);
	SET(WTR_TABLE_PROCS, procs);
	SET(WTR_TABLE_THREADS, threads);
	SET(WTR_TABLE_METRICS, metrics);
	SET(WTR_TABLE_TASKS, tasks);
	SET(WTR_TABLE_LOGS, logs);
	SET(WTR_TABLE_REGIONS, regions);
	return ws_model_finish(m);
}

void fake_model_done(ws_model *m)
{
	ws_model_done(m);
}

void fake_site(ws_site *site, ws_model *m)
{
	memset(site, 0, sizeof(*site));
	pthread_mutex_init(&site->lock, NULL);
	atomic_store(&site->model, m);
	site->trust = (wo_trust){ .name = "localhost", .bound = "127.0.0.1", .port = 6060, .loopback = true };
	snprintf(site->url, sizeof(site->url), "http://127.0.0.1:6060");
}

void fake_site_done(ws_site *site)
{
	pthread_mutex_destroy(&site->lock);
}
