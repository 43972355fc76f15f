/* kit/whole.c - reads an input in every way there is, and holds the results against each other.
 *
 * The oracle of the hostile tests and of the fuzz targets: whatever the bytes are, what include/wtr promises must hold.
 */
#include "kit.h"

#include <string.h>

enum {
	LANES_MAX = 48,   /* lanes walked per input, */
	SPANS_MAX = 2000, /* and spans per lane */
	FRAMES_MAX = 16,
	TILE_PX = 512,
};

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ (h >> 29);
}

static uint64_t mix_text(uint64_t h, wtr_str s)
{
	kit_check(s.n == 0 || s.at != NULL);
	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (uint8_t)s.at[i]) * 0x100000001b3u;
	return mix(h, s.n);
}

static uint64_t mix_stack(uint64_t h, const wtr_trace *t, uint32_t id)
{
	wtr_frame f[FRAMES_MAX];
	size_t n = wtr_stack(t, id, f, FRAMES_MAX);
	kit_check(id != 0 || n == 0);
	for (size_t i = 0; i < n && i < FRAMES_MAX; i++)
		h = mix(mix_text(mix_text(h, f[i].func), f[i].file), f[i].pc ^ f[i].line);
	return mix(h, n);
}

static uint64_t mix_wait(uint64_t h, const wtr_trace *t, uint32_t wait)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	size_t n = wtr_wait_objects(t, wait, o, WTR_WAIT_OBJECTS_MAX);
	kit_check(n <= WTR_WAIT_OBJECTS_MAX && (wait != 0 || n == 0));
	for (size_t i = 0; i < n; i++) {
		kit_check(o[i].kind > WTR_OBJECT_NONE && o[i].kind < WTR_OBJECT_KIND_COUNT);
		h = mix(mix(h, o[i].id ^ o[i].attr), (uint64_t)o[i].holder ^ o[i].send << 8 ^ o[i].kind);
	}
	return mix(h, n + (wait == WTR_PROC_TAKEN));
}

static void error_is_told(const wtr_error *err, wtr_code code, uint64_t trace_bytes)
{
	kit_check(err->code == code);
	kit_check(err->rule && err->event);
	kit_check(memchr(err->what, 0, sizeof(err->what)));
	kit_check(err->what[0]);
	kit_check(err->offset <= trace_bytes);
}

static void event_is_sound(const wtr_event *e)
{
	kit_check(e->kind > WTR_KIND_BAD && e->kind < WTR_KIND_COUNT);
	kit_check(wtr_type_name(e->type) != NULL);
	switch ((wtr_kind)e->kind) {
	case WTR_KIND_STATE_TRANSITION:
		kit_check(e->resource == WTR_RES_GOROUTINE || e->resource == WTR_RES_PROC);
		kit_check((unsigned)wtr_from(e) < (e->resource == WTR_RES_PROC ? WTR_P_COUNT : WTR_G_COUNT));
		kit_check((unsigned)wtr_to(e) < (e->resource == WTR_RES_PROC ? WTR_P_COUNT : WTR_G_COUNT));
		break;
	case WTR_KIND_METRIC:
		kit_check(e->detail < WTR_METRIC_COUNT);
		break;
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END:
		kit_check(e->detail < WTR_RANGE_COUNT);
		break;
	default:
		break;
	}
}

static void pass(wtr_trace *t, kit_run *run)
{
	wtr_error err = { 0 };
	wtr_cursor *c = wtr_cursor_open(t, NULL, &err);
	wtr_info info;
	wtr_get_info(t, &info);
	run->events = 0;
	if (!c) {
		kit_check(err.code == WTR_E_NOMEM);
		run->ended = err.code;
		return;
	}
	uint64_t h = 1;
	int64_t last = INT64_MIN;
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++) {
			event_is_sound(&e[i]);
			kit_check(e[i].time_ns > last);
			last = e[i].time_ns;
			h = mix(mix(mix(mix(h, (uint64_t)last), (uint64_t)e[i].m), (uint64_t)e[i].p), (uint64_t)e[i].g);
			h = mix(mix(mix(mix(h, (uint64_t)e[i].id), e[i].value[0]), e[i].value[1]),
				e[i].detail * 256u + e[i].kind);
			h = mix_text(mix_text(h, wtr_string(t, e[i].str)), wtr_string(t, e[i].str2));
			h = mix_stack(mix_stack(h, t, e[i].stack), t, e[i].transition_stack);
			h = mix_wait(h, t, e[i].wait);
			if (run->events < run->cap)
				run->hashes[run->events] = h;
			run->events++;
		}
	const wtr_error *end = wtr_cursor_error(c);
	run->ended = end->code;
	if (end->code != WTR_OK)
		error_is_told(end, end->code, info.trace_bytes);
	kit_check(wtr_next(c, &e) == 0);
	wtr_losses lost;
	wtr_cursor_losses(c, &lost);
	kit_check(lost.bytes <= info.trace_bytes);
	wtr_cursor_close(c);
}

static void tile_is_drawable(const wtr_index *x, wtr_lane lane, int64_t t0, unsigned zoom)
{
	wtr_run run[TILE_PX + 2];
	size_t n = wtr_tile(x, lane, t0, zoom, TILE_PX, run, TILE_PX + 2);
	kit_check(n <= TILE_PX + 2);
	for (size_t i = 0; i < n; i++) {
		kit_check(run[i].x0 <= run[i].x1);
		kit_check(i == 0 || run[i].x0 >= run[i - 1].x0);
		kit_check(run[i].cls < WTR_CLASS_COUNT);
		kit_check(run[i].kind <= WTR_RUN_FOLDED);
	}
}

/* Spans touch without gap or overlap, from the first to the last. */
static void lane_is_gapless(const wtr_index *x, const wtr_totals *tot, wtr_lane lane)
{
	wtr_span s, next;
	int64_t t = tot->start_ns;
	bool have = wtr_span_at(x, lane, t, &s);
	if (have)
		kit_check(s.start_ns <= t && t < s.end_ns);
	else
		have = wtr_span_step(x, lane, t, +1, &s);
	for (int i = 0; have && i < SPANS_MAX; i++) {
		kit_check(s.start_ns <= s.end_ns);
		kit_check(s.cls < WTR_CLASS_COUNT);
		kit_check(s.start_ns >= tot->start_ns && s.end_ns <= tot->end_ns);
		have = wtr_span_step(x, lane, s.start_ns, +1, &next);
		if (have)
			kit_check(next.start_ns >= s.end_ns && next.start_ns > s.start_ns);
		s = next;
	}
	uint64_t length = (uint64_t)tot->end_ns - (uint64_t)tot->start_ns;
	unsigned fit = 0;
	while (fit < 50 && (length >> fit) > TILE_PX)
		fit++;
	tile_is_drawable(x, lane, tot->start_ns, fit);
	tile_is_drawable(x, lane, tot->start_ns, fit / 2);
	tile_is_drawable(x, lane, tot->end_ns - 100, 0);
}

static void index_agrees(wtr_trace *t, unsigned parts, kit_run *run)
{
	wtr_index *x = (void *)run;
	wtr_error err = { 0 };
	run->indexed = wtr_index_build(t, parts, &x, &err);
	if (run->indexed != WTR_OK) {
		kit_check(x == (void *)run);
		kit_check(err.code == run->indexed);
		kit_check(run->indexed == WTR_E_NOMEM || run->indexed == WTR_E_LIMIT);
		return;
	}
	wtr_totals tot;
	wtr_get_totals(x, &tot);
	if (run->ended != WTR_E_NOMEM) {
		kit_check(tot.events == run->events);
		kit_check(tot.end.code == run->ended);
	}
	uint64_t kinds = 0;
	for (int i = 0; i < WTR_KIND_COUNT; i++)
		kinds += tot.by_kind[i];
	kit_check(kinds == tot.events);
	kit_check(tot.valid_events <= tot.events);
	kit_check(tot.events == 0 || tot.start_ns <= tot.end_ns);
	for (unsigned i = 0; i < WTR_TABLE_COUNT; i++)
		kit_check(wtr_table_rows(x, (wtr_table)i) == 0 || wtr_table_data(x, (wtr_table)i) != NULL);

	size_t n_g = wtr_table_rows(x, WTR_TABLE_GOROUTINES), n_p = wtr_table_rows(x, WTR_TABLE_PROCS);
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	const wtr_proc_row *p = wtr_table_data(x, WTR_TABLE_PROCS);
	size_t n_groups = wtr_table_rows(x, WTR_TABLE_GROUPS);
	for (size_t i = 0; i < n_g; i++) {
		kit_check(g[i].group < n_groups);
		kit_check(g[i].first_block + (uint64_t)g[i].n_block <= wtr_table_rows(x, WTR_TABLE_BLOCK_TIMES));
		kit_check(g[i].first_range + (uint64_t)g[i].n_range <= wtr_table_rows(x, WTR_TABLE_RANGE_TIMES));
		kit_check((wtr_goroutine(x, g[i].id) != NULL) == (g[i].id != WTR_NONE)); /* a file may name -1 */
	}
	if (parts & WTR_PART_LANES && tot.events) {
		run->tables_cut = n_g + n_p > LANES_MAX;
		for (size_t i = 0; i < n_g && i < LANES_MAX; i++)
			lane_is_gapless(x, &tot, (wtr_lane){ WTR_LANE_GOROUTINE, g[i].id });
		for (size_t i = 0; i < n_p && i < LANES_MAX; i++)
			lane_is_gapless(x, &tot, (wtr_lane){ WTR_LANE_PROC, p[i].id });
		lane_is_gapless(x, &tot, (wtr_lane){ WTR_LANE_GC, 0 });
		lane_is_gapless(x, &tot, (wtr_lane){ WTR_LANE_STW, 0 });
		for (size_t i = 0; i < n_groups && i < 4; i++)
			tile_is_drawable(x, (wtr_lane){ WTR_LANE_GROUP, (int64_t)i }, tot.start_ns, 10);
		float counts[8 * WTR_CLASS_COUNT];
		int64_t step = (int64_t)(((uint64_t)tot.end_ns - (uint64_t)tot.start_ns) / 8 + 1);
		wtr_counts(x, -1, tot.start_ns, step > 0 ? step : 1, 8, counts);
	}
	wtr_index_free(x);
}

void kit_whole(const void *data, size_t n, const wtr_options *opt, unsigned parts, kit_run *run)
{
	wtr_trace *t = (void *)run;
	wtr_error err = { 0 };
	run->events = 0;
	run->indexed = WTR_OK;
	run->tables_cut = false;
	run->opened = run->ended = wtr_open_bytes(data, n, opt, &t, &err);
	if (run->opened != WTR_OK) {
		kit_check(t == (void *)run); /* results are written on success only */
		error_is_told(&err, run->opened, UINT64_MAX);
		return;
	}
	wtr_info info;
	wtr_get_info(t, &info);
	kit_check(info.file_bytes == n);
	kit_check(info.lost_bytes <= info.trace_bytes);
	pass(t, run);
	if (parts)
		index_agrees(t, parts, run);
	wtr_close(t);
}
