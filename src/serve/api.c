/* serve/api.c - the questions whose answer is JSON; tiles.c has the binary one. */
#include <string.h>

#include "base/alloc.h"
#include "base/near.h"
#include "out/json.h"
#include "serve/site.h"

/* Every handler ends here: an answer that could not be built becomes an out-of-memory error. */
static void done(out_json *j, ws_answer *ret)
{
	if (!out_json_done(j))
		ret->body.failed = true;
}

static int64_t absolute(const ws_model *m, int64_t t)
{
	int64_t r;
	if (__builtin_add_overflow(m->totals.start_ns, t, &r))
		r = t < 0 ? INT64_MIN + 1 : INT64_MAX;
	return r;
}

static void put_lane(out_json *j, char letter, int64_t id)
{
	char t[24];
	snprintf(t, sizeof(t), "%c%lld", letter, (long long)id);
	out_json_put_text(j, "lane", t);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* ---- /api/info ---- */

static void put_damage(out_json *j, const ws_model *m)
{
	const wtr_error *e = m->info.damage.code != WTR_OK ? &m->info.damage : &m->totals.end;
	uint64_t lost_bytes = m->info.lost_bytes + m->totals.losses.bytes;
	uint64_t lost_events = m->totals.losses.events;
	if (e->code == WTR_OK && !lost_bytes && !lost_events && !m->totals.losses.batches &&
		!m->totals.losses.generations) {
		out_json_put_null(j, "damage");
		return;
	}
	out_json_key(j, "damage");
	out_json_object(j);
	out_json_put_text(j, "what", e->code != WTR_OK ? e->what : "parts of the trace were stepped over");
	out_json_put_text(j, "rule", e->rule ? e->rule : "");
	out_json_put_u64(j, "offset", e->offset);
	out_json_put_u64(j, "generation", e->generation);
	out_json_put_u64(j, "lost_bytes", lost_bytes);
	out_json_put_u64(j, "lost_events", lost_events);
	out_json_put_u64(j, "lost_batches", m->totals.losses.batches);
	out_json_put_u64(j, "lost_generations", m->totals.losses.generations);
	out_json_object_end(j);
}

/* Go's reader gives events of v1 traces that happened outside of procs to stand-ins. */
static void put_proc_name(out_json *j, int64_t id)
{
	char t[24];
	snprintf(t, sizeof(t), "P%lld", (long long)id);
	out_json_put_text(j, "name",
		id == 1000001   ? "timers"
		: id == 1000002 ? "network"
		: id == 1000003 ? "system calls"
				: t);
}

static void put_proc_lanes(out_json *j, const ws_model *m)
{
	const wtr_proc_row *rows = m->tables[WTR_TABLE_PROCS].rows;
	size_t n = least(m->tables[WTR_TABLE_PROCS].n, WS_INFO_MAX);
	out_json_key(j, "proc_lanes");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		put_lane(j, 'p', rows[i].id);
		out_json_put_i64(j, "id", rows[i].id);
		put_proc_name(j, rows[i].id);
		out_json_put_i64(j, "running_ns", rows[i].running_ns);
		out_json_put_u64(j, "events", rows[i].events);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void put_thread_lanes(out_json *j, const ws_model *m)
{
	const wtr_thread_row *rows = m->tables[WTR_TABLE_THREADS].rows;
	size_t n = least(m->tables[WTR_TABLE_THREADS].n, WS_INFO_MAX);
	out_json_key(j, "thread_lanes");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		char name[24];
		snprintf(name, sizeof(name), "M%lld", (long long)rows[i].id);
		out_json_object(j);
		put_lane(j, 'm', rows[i].id);
		out_json_put_i64(j, "id", rows[i].id);
		out_json_put_text(j, "name", name);
		out_json_put_u64(j, "events", rows[i].events);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void put_goroutine(out_json *j, const ws_model *m, const wtr_goroutine_row *g)
{
	int64_t from = m->totals.start_ns;
	put_lane(j, 'g', g->id);
	out_json_put_i64(j, "id", g->id);
	out_json_put_str(j, "name", g->name);
	out_json_put_ns(j, "create_ns", g->create_ns, from);
	out_json_put_ns(j, "end_ns", g->end_ns, from);
}

static void put_goroutine_times(out_json *j, const wtr_goroutine_row *g)
{
	out_json_put_i64(j, "exec_ns", g->exec_ns);
	out_json_put_i64(j, "sched_ns", g->sched_ns);
	out_json_put_i64(j, "block_ns", g->block_ns);
	out_json_put_i64(j, "syscall_ns", g->syscall_ns);
	out_json_put_i64(j, "syscall_block_ns", g->syscall_block_ns);
	out_json_put_i64(j, "total_ns", g->total_ns);
}

/* A goroutine as /api/lanes has it. */
static void put_goroutine_lane(out_json *j, const ws_model *m, const wtr_goroutine_row *g)
{
	out_json_object(j);
	put_goroutine(j, m, g);
	put_goroutine_times(j, g);
	out_json_put_text(j, "state", wtr_gstate_name(g->final_state));
	out_json_object_end(j);
}

static void put_groups(out_json *j, const ws_model *m)
{
	const wtr_group_row *g = ws_group_rows(m);
	size_t n = least(m->tables[WTR_TABLE_GROUPS].n, WS_INFO_MAX);
	out_json_put_u64(j, "group_count", m->tables[WTR_TABLE_GROUPS].n);
	out_json_key(j, "groups");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_put_u64(j, "group", i);
		out_json_put_str(j, "name", g[i].name);
		out_json_put_u64(j, "n", g[i].n);
		out_json_put_i64(j, "exec_ns", g[i].exec_ns);
		out_json_put_i64(j, "sched_ns", g[i].sched_ns);
		out_json_put_i64(j, "block_ns", g[i].block_ns);
		out_json_put_i64(j, "syscall_ns", g[i].syscall_ns);
		out_json_put_i64(j, "syscall_block_ns", g[i].syscall_block_ns);
		out_json_put_i64(j, "total_ns", g[i].total_ns);
		uint32_t only;
		if (g[i].n == 1 && m->group_goroutines(m->index, (uint32_t)i, 0, &only, 1) == 1) {
			out_json_key(j, "only");
			put_goroutine_lane(j, m, &ws_goroutine_rows(m)[only]);
		}
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void put_classes(out_json *j)
{
	out_json_key(j, "classes");
	out_json_array(j);
	for (unsigned i = 0; i < WTR_CLASS_COUNT; i++)
		out_json_text(j, wtr_class_name(i));
	out_json_array_end(j);
}

static void put_digits(out_json *j, const char *key, bool known, int64_t v)
{
	out_json_key(j, key);
	if (known)
		out_json_digits(j, v);
	else
		out_json_null(j);
}

static void put_loading(ws_site *site, out_json *j)
{
	char doing[sizeof(site->doing)];
	pthread_mutex_lock(&site->lock);
	uint64_t bytes = site->done, total = site->total;
	memcpy(doing, site->doing, sizeof(doing));
	pthread_mutex_unlock(&site->lock);
	out_json_object(j);
	out_json_put_bool(j, "loading", true);
	out_json_put_text(j, "file", site->title ? site->title : "");
	out_json_put_text(j, "doing", doing);
	out_json_put_u64(j, "done", bytes);
	out_json_put_u64(j, "total", total);
	out_json_object_end(j);
}

static void put_info(const ws_site *site, const ws_model *m, out_json *j)
{
	const wtr_totals *t = &m->totals;
	out_json_object(j);
	out_json_put_bool(j, "loading", false);
	out_json_put_text(j, "file", site->title ? site->title : m->info.path);
	out_json_put_u64(j, "version", m->info.version);
	out_json_put_text(j, "written_by", m->info.written_by);
	out_json_put_text(j, "compression", m->info.compression);
	out_json_put_u64(j, "file_bytes", m->info.file_bytes);
	out_json_put_i64(j, "duration_ns", t->end_ns - t->start_ns);
	put_digits(j, "start_abs_ns", true, t->start_ns);
	put_digits(j, "wall_start_unix_ns", t->has_wall, t->wall_start_ns);
	out_json_put_u64(j, "events", t->events);
	out_json_put_u64(j, "goroutines", t->goroutines);
	out_json_put_u64(j, "procs", t->procs);
	out_json_put_u64(j, "threads", t->threads);
	out_json_put_bool(j, "names_objects", m->trace && wtr_names_objects(m->trace));
	out_json_put_u64(j, "gc_count", t->gc_count);
	out_json_put_i64(j, "gc_mark_ns", t->gc_mark_ns);
	out_json_put_u64(j, "stw_count", t->stw_count);
	out_json_put_i64(j, "stw_ns", t->stw_ns);
	out_json_put_i64(j, "stw_longest_ns", t->stw_longest_ns);
	put_classes(j);
	put_damage(j, m);
	put_proc_lanes(j, m);
	put_thread_lanes(j, m);
	put_groups(j, m);
	out_json_object_end(j);
}

void ws_api_info(ws_site *site, const ws_model *m, const ws_info_args *a, ws_answer *ret)
{
	(void)a;
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	if (m)
		put_info(site, m, &j);
	else
		put_loading(site, &j);
	done(&j, ret);
}

/* ---- /api/lanes, /api/rows ---- */

void ws_api_lanes(ws_site *site, const ws_model *m, const ws_lanes_args *a, ws_answer *ret)
{
	(void)site;
	if ((uint64_t)a->group >= m->tables[WTR_TABLE_GROUPS].n) {
		ws_refuse(ret, 404, "the trace has no group %lld", (long long)a->group);
		return;
	}
	uint32_t rows[WS_LANES_MAX];
	size_t n = m->group_goroutines(m->index, (uint32_t)a->group, (size_t)a->from, rows, (size_t)a->n);
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	out_json_put_i64(&j, "group", a->group);
	out_json_put_i64(&j, "first", a->from);
	out_json_put_u64(&j, "n", ws_group_rows(m)[a->group].n);
	out_json_key(&j, "lanes");
	out_json_array(&j);
	for (size_t i = 0; i < n; i++)
		put_goroutine_lane(&j, m, &ws_goroutine_rows(m)[rows[i]]);
	out_json_array_end(&j);
	out_json_object_end(&j);
	done(&j, ret);
}

/* "1,2,3" to rows; their number, 0 after a refusal. */
static size_t read_rows(const ws_model *m, wtr_str list, uint32_t rows[WS_LANES_MAX], ws_answer *ret)
{
	size_t n = 0, all = m->tables[WTR_TABLE_GOROUTINES].n;
	for (size_t i = 0; i <= list.n;) {
		uint64_t v = 0;
		size_t first = i;
		for (; i < list.n && list.at[i] >= '0' && list.at[i] <= '9' && v < all; i++)
			v = v * 10 + (uint64_t)(list.at[i] - '0');
		bool ends = i == list.n || list.at[i] == ',';
		if (first == i || v >= all || !ends || n == WS_LANES_MAX) {
			ws_refuse(ret, 400, "rows must be at most %d numbers below %zu, separated by commas",
				WS_LANES_MAX, all);
			return 0;
		}
		rows[n++] = (uint32_t)v;
		i++;
	}
	return n;
}

void ws_api_rows(ws_site *site, const ws_model *m, const ws_rows_args *a, ws_answer *ret)
{
	(void)site;
	uint32_t rows[WS_LANES_MAX];
	size_t n = read_rows(m, a->rows, rows, ret);
	if (!n)
		return;
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	out_json_key(&j, "rows");
	out_json_array(&j);
	for (size_t i = 0; i < n; i++) {
		const wtr_goroutine_row *g = &ws_goroutine_rows(m)[rows[i]];
		out_json_object(&j);
		out_json_put_u64(&j, "row", rows[i]);
		out_json_put_i64(&j, "id", g->id);
		out_json_put_str(&j, "name", g->name);
		out_json_put_u64(&j, "group", g->group);
		out_json_object_end(&j);
	}
	out_json_array_end(&j);
	out_json_object_end(&j);
	done(&j, ret);
}

/* ---- /api/span, /api/step ---- */

static void put_stack(out_json *j, const ws_model *m, uint32_t stack)
{
	wtr_frame frames[WS_STACK_MAX];
	size_t n = m->stack(m->trace, stack, frames, WS_STACK_MAX);
	out_json_key(j, "stack");
	out_json_frames(j, frames, n < WS_STACK_MAX ? n : WS_STACK_MAX);
}

static void put_goroutine_name(out_json *j, const ws_model *m, const char *key, int64_t id)
{
	const wtr_goroutine_row *g = id == WTR_NONE ? NULL : m->goroutine(m->index, id);
	out_json_put_str(j, key, g ? g->name : (wtr_str){ "", 0 });
}

static void put_waker(out_json *j, const ws_model *m, const wtr_span *s)
{
	if (s->waker == WTR_NONE && s->waker_p == WTR_NONE && !s->waker_stack) {
		out_json_put_null(j, "waker");
		return;
	}
	out_json_key(j, "waker");
	out_json_object(j);
	out_json_put_id(j, "g", s->waker);
	put_goroutine_name(j, m, "name", s->waker);
	out_json_put_id(j, "p", s->waker_p);
	put_stack(j, m, s->waker_stack);
	out_json_object_end(j);
}

/* The state in Go's words: goroutine and proc states have their own. */
static const char *state_name(wtr_lane_kind kind, unsigned state)
{
	return kind == WTR_LANE_GOROUTINE ? wtr_gstate_name(state)
	       : kind == WTR_LANE_PROC    ? wtr_pstate_name(state)
					  : NULL;
}

static void put_span(out_json *j, const ws_model *m, wtr_lane lane, const wtr_span *s)
{
	int64_t from = m->totals.start_ns;
	out_json_put_i64(j, "start_ns", s->start_ns - from);
	out_json_put_i64(j, "end_ns", s->end_ns - from);
	out_json_put_text(j, "class", wtr_class_name(s->cls));
	out_json_put_text(j, "state", state_name(lane.kind, s->state));
	out_json_put_bool(j, "open_start", s->open_start);
	out_json_put_bool(j, "open_end", s->open_end);
	out_json_put_str(j, "reason", s->reason);
	out_json_put_id(j, "g", s->g);
	put_goroutine_name(j, m, "g_name", s->g);
	out_json_put_id(j, "p", s->p);
	out_json_put_id(j, "m", s->m);
	put_stack(j, m, s->stack);
	put_waker(j, m, s);
}

/* Parses and checks the lane that a question is about. */
static bool read_lane(const ws_model *m, wtr_str text, wtr_lane *lane, ws_answer *ret)
{
	if (!ws_lane_parse(text, lane))
		ws_refuse(ret, 400, "'%.*s' is not a lane", (int)text.n, text.at);
	else if (!ws_lane_exists(m, *lane))
		ws_refuse(ret, 404, "the trace has no lane %.*s", (int)text.n, text.at);
	else
		return true;
	return false;
}

static void answer_span(const ws_model *m, wtr_str text, wtr_lane lane, const wtr_span *s, ws_answer *ret)
{
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	out_json_put_str(&j, "lane", text);
	if (s)
		put_span(&j, m, lane, s);
	else
		out_json_put_null(&j, "span");
	out_json_object_end(&j);
	done(&j, ret);
}

void ws_api_span(ws_site *site, const ws_model *m, const ws_span_args *a, ws_answer *ret)
{
	(void)site;
	wtr_lane lane;
	wtr_span s;
	if (!read_lane(m, a->lane, &lane, ret))
		return;
	bool found = m->span_at(m->index, lane, absolute(m, a->t), &s);
	answer_span(m, a->lane, lane, found ? &s : NULL, ret);
}

void ws_api_step(ws_site *site, const ws_model *m, const ws_step_args *a, ws_answer *ret)
{
	(void)site;
	wtr_lane lane;
	wtr_span s;
	if (!a->dir) {
		ws_refuse(ret, 400, "dir must be -1 or 1");
		return;
	}
	if (!read_lane(m, a->lane, &lane, ret))
		return;
	bool found = m->span_step(m->index, lane, absolute(m, a->t), (int)a->dir, &s);
	answer_span(m, a->lane, lane, found ? &s : NULL, ret);
}

/* ---- /api/counts, /api/metrics ---- */

/* Whether n steps from t on are times at all; else refuses. */
static bool steps_exist(const ws_model *m, int64_t t, int64_t step, int64_t n, ws_answer *ret)
{
	int64_t span, end, abs;
	if (!__builtin_mul_overflow(step, n, &span) && !__builtin_add_overflow(t, span, &end) && end <= WS_TIME_MAX &&
		!__builtin_add_overflow(m->totals.start_ns, t, &abs) &&
		!__builtin_add_overflow(m->totals.start_ns, end, &abs))
		return true;
	ws_refuse(ret, 400, "t + n * step is too large");
	return false;
}

static void put_steps(out_json *j, int64_t t, int64_t step, int64_t n)
{
	out_json_put_i64(j, "t", t);
	out_json_put_i64(j, "step", step);
	out_json_put_i64(j, "n", n);
}

void ws_api_counts(ws_site *site, const ws_model *m, const ws_counts_args *a, ws_answer *ret)
{
	(void)site;
	bool grouped = a->given >> 3 & 1;
	if (!steps_exist(m, a->t, a->step, a->n, ret))
		return;
	if (grouped && (uint64_t)a->group >= m->tables[WTR_TABLE_GROUPS].n) {
		ws_refuse(ret, 404, "the trace has no group %lld", (long long)a->group);
		return;
	}
	size_t n = (size_t)a->n;
	float *mean = wb_calloc(n, WTR_CLASS_COUNT * sizeof(float));
	if (!mean || !m->counts(m->index, grouped ? a->group : -1, absolute(m, a->t), a->step, n, mean)) {
		wb_free(mean);
		ret->body.failed = true;
		return;
	}
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	put_steps(&j, a->t, a->step, a->n);
	out_json_key(&j, "counts");
	out_json_array(&j);
	for (size_t cls = 1; cls < WTR_CLASS_COUNT; cls++) {
		out_json_array(&j);
		for (size_t i = 0; i < n; i++)
			out_json_fixed(&j, (double)mean[i * WTR_CLASS_COUNT + cls], 3);
		out_json_array_end(&j);
	}
	out_json_array_end(&j);
	out_json_object_end(&j);
	done(&j, ret);
	wb_free(mean);
}

/* How many of the metric's rows are before `time_ns`. */
static size_t rows_before(const ws_model *m, wtr_metric k, int64_t time_ns)
{
	const wtr_metric_row *rows = m->tables[WTR_TABLE_METRICS].rows;
	size_t lo = 0, hi = m->n_metric_rows[k];
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[m->metric_rows[k][mid]].time_ns < time_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The last value before the end of each step. */
static void put_metric(out_json *j, const ws_model *m, const char *key, wtr_metric k, const ws_metrics_args *a)
{
	const wtr_metric_row *rows = m->tables[WTR_TABLE_METRICS].rows;
	int64_t from = absolute(m, a->t);
	out_json_key(j, key);
	out_json_array(j);
	for (int64_t i = 0; i < a->n; i++) {
		size_t before = rows_before(m, k, from + (i + 1) * a->step);
		if (before)
			out_json_u64(j, rows[m->metric_rows[k][before - 1]].value);
		else
			out_json_null(j);
	}
	out_json_array_end(j);
}

void ws_api_metrics(ws_site *site, const ws_model *m, const ws_metrics_args *a, ws_answer *ret)
{
	(void)site;
	if (!steps_exist(m, a->t, a->step, a->n, ret))
		return;
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	put_steps(&j, a->t, a->step, a->n);
	put_metric(&j, m, "heap", WTR_METRIC_HEAP_BYTES, a);
	put_metric(&j, m, "goal", WTR_METRIC_HEAP_GOAL_BYTES, a);
	put_metric(&j, m, "gomaxprocs", WTR_METRIC_GOMAXPROCS, a);
	out_json_object_end(&j);
	done(&j, ret);
}

/* ---- /api/search ---- */

/* The place of a goroutine in its group. */
static size_t place_of(const ws_model *m, const wtr_goroutine_row *g)
{
	uint32_t row = (uint32_t)(g - ws_goroutine_rows(m)), rows[512];
	for (size_t first = 0;;) {
		size_t n = m->group_goroutines(m->index, g->group, first, rows, 512);
		for (size_t i = 0; i < n; i++)
			if (rows[i] == row)
				return first + i;
		first += n;
		if (n < 512)
			return first;
	}
}

static void put_hit(out_json *j, const ws_model *m, const wtr_goroutine_row *g, size_t place)
{
	out_json_object(j);
	put_goroutine(j, m, g);
	out_json_put_u64(j, "group", g->group);
	out_json_put_u64(j, "index", place);
	out_json_object_end(j);
}

static size_t put_group_hits(out_json *j, const ws_model *m, uint32_t group, const wtr_goroutine_row * not, size_t most)
{
	uint32_t rows[WS_HITS_MAX + 1];
	size_t n = m->group_goroutines(m->index, group, 0, rows, least(most + 1, WS_HITS_MAX + 1)), put = 0;
	for (size_t i = 0; i < n && put < most; i++) {
		const wtr_goroutine_row *g = &ws_goroutine_rows(m)[rows[i]];
		if (g == not )
			continue;
		put_hit(j, m, g, i);
		put++;
	}
	return put;
}

static const wtr_goroutine_row *goroutine_named(const ws_model *m, wtr_str q)
{
	wtr_lane lane;
	char t[24];
	if (q.n && q.n < sizeof(t) - 1 && q.at[0] >= '0' && q.at[0] <= '9') {
		t[0] = 'g';
		memcpy(t + 1, q.at, q.n);
		q = (wtr_str){ t, q.n + 1 };
	}
	return ws_lane_parse(q, &lane) && lane.kind == WTR_LANE_GOROUTINE ? m->goroutine(m->index, lane.id) : NULL;
}

void ws_api_search(ws_site *site, const ws_model *m, const ws_search_args *a, ws_answer *ret)
{
	(void)site;
	const wtr_goroutine_row *by_id = goroutine_named(m, a->q);
	const wtr_group_row *groups = ws_group_rows(m);
	size_t room = (a->given >> 1 & 1) ? (size_t)a->n : 50;
	uint64_t total = 0;
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	out_json_put_str(&j, "q", a->q);
	out_json_key(&j, "hits");
	out_json_array(&j);
	if (by_id) {
		put_hit(&j, m, by_id, place_of(m, by_id));
		total++;
		room--;
	}
	for (size_t i = 0; i < m->tables[WTR_TABLE_GROUPS].n; i++) {
		if (!wb_has_part(groups[i].name.at, groups[i].name.n, a->q.at, a->q.n))
			continue;
		total += groups[i].n - (by_id && by_id->group == i);
		if (room)
			room -= put_group_hits(&j, m, (uint32_t)i, by_id, room);
	}
	out_json_array_end(&j);
	out_json_put_u64(&j, "total", total);
	out_json_object_end(&j);
	done(&j, ret);
}
