/* test/truth/ours.c - an index as a JSON text of the shape of a truth file (programs/truthgen in the test data). */
#include "truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/vec.h"

enum { LIST_MAX = 500, TOP = 20, LOGS = 50, FRAMES = 128 };

typedef struct json {
	yajl_gen         g;
	wtr_trace       *t;
	const wtr_index *x;
	wtr_totals       totals;
	bool             cut_goroutines, cut_tasks, cut_regions;
} json;

/* ---- generator ---- */

/* Bytes that are no UTF-8 become U+FFFD, one for each, as Go's encoder does it. */
static size_t rune_length(const uint8_t *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t k = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n < k)
		return 0;
	uint8_t lo = p[0] == 0xe0   ? 0xa0
		     : p[0] == 0xf0 ? 0x90
				    : 0x80,
		hi = p[0] == 0xed   ? 0x9f
		     : p[0] == 0xf4 ? 0x8f
				    : 0xbf;
	if (p[1] < lo || p[1] > hi)
		return 0;
	for (size_t i = 2; i < k; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return k;
}

static void text(json *j, wtr_str s)
{
	wb_buf b = { 0 };
	for (size_t i = 0, k; i < s.n; i += k ? k : 1) {
		k = rune_length((const uint8_t *)s.at + i, s.n - i);
		wb_buf_put(&b, k ? s.at + i : "\xef\xbf\xbd", k ? k : 3);
	}
	yajl_gen_string(j->g, (const unsigned char *)(b.at ? b.at : ""), b.n);
	wb_buf_free(&b);
}

static void ctext(json *j, const char *s) { text(j, (wtr_str){ s, strlen(s) }); }
static void open_map(json *j) { yajl_gen_map_open(j->g); }
static void close_map(json *j) { yajl_gen_map_close(j->g); }
static void open_list(json *j) { yajl_gen_array_open(j->g); }
static void close_list(json *j) { yajl_gen_array_close(j->g); }

static void number(json *j, int64_t v)
{
	char b[32];
	yajl_gen_number(j->g, b, (size_t)snprintf(b, sizeof(b), "%" PRId64, v));
}

static void unumber(json *j, uint64_t v)
{
	char b[32];
	yajl_gen_number(j->g, b, (size_t)snprintf(b, sizeof(b), "%" PRIu64, v));
}

static void num(json *j, const char *key, int64_t v)
{
	ctext(j, key);
	number(j, v);
}

static void unum(json *j, const char *key, uint64_t v)
{
	ctext(j, key);
	unumber(j, v);
}

static void str(json *j, const char *key, wtr_str v)
{
	ctext(j, key);
	text(j, v);
}

/* A time since the first event; null for WTR_NEVER. */
static void when(json *j, const char *key, int64_t ns)
{
	ctext(j, key);
	if (ns == WTR_NEVER)
		yajl_gen_null(j->g);
	else
		number(j, ns - j->totals.start_ns);
}

#define ROWS(j, ID, name, n) \
	const wtr_##name##_row *name = wtr_table_data((j)->x, WTR_TABLE_##ID); \
	size_t n = wtr_table_rows((j)->x, WTR_TABLE_##ID)

/* ---- totals ---- */

static void header(json *j)
{
	wtr_info i;
	wtr_get_info(j->t, &i);
	char b[32];
	snprintf(b, sizeof(b), "go 1.%u trace", i.version);
	str(j, "header", (wtr_str){ b, strlen(b) });
}

static void times(json *j)
{
	const wtr_totals *t = &j->totals;
	ctext(j, "time");
	open_map(j);
	num(j, "first_abs", t->start_ns);
	num(j, "last_abs", t->end_ns);
	num(j, "duration", t->end_ns - t->start_ns);
	when(j, "last_valid", t->valid_events ? t->valid_end_ns : WTR_NEVER);
	close_map(j);
	ctext(j, "events");
	open_map(j);
	unum(j, "read", t->events);
	unum(j, "valid", t->valid_events);
	ctext(j, "by_kind");
	open_map(j);
	for (unsigned i = 0; i < WTR_KIND_COUNT; i++)
		if (t->by_kind[i])
			unum(j, wtr_kind_name(i), t->by_kind[i]);
	close_map(j);
	close_map(j);
}

/* Rows are ordered by resource, from, to: sums are made of neighbours. */
static void transition_sums(json *j, const char *key, uint8_t resource, const char *(*name)(unsigned))
{
	ROWS(j, TRANSITIONS, transition, n);
	ctext(j, key);
	open_map(j);
	for (size_t i = 0, k; i < n; i = k) {
		uint64_t sum = 0;
		for (k = i; k < n && transition[k].resource == transition[i].resource &&
			    transition[k].from == transition[i].from && transition[k].to == transition[i].to;
			k++)
			sum += transition[k].n;
		if (transition[i].resource != resource)
			continue;
		char b[64];
		snprintf(b, sizeof(b), "%s->%s", name(transition[i].from), name(transition[i].to));
		unum(j, b, sum);
	}
	close_map(j);
}

static void transitions(json *j)
{
	ROWS(j, TRANSITIONS, transition, n);
	ctext(j, "transitions");
	open_map(j);
	transition_sums(j, "goroutine", WTR_RES_GOROUTINE, wtr_gstate_name);
	transition_sums(j, "proc", WTR_RES_PROC, wtr_pstate_name);
	ctext(j, "goroutine_reason");
	open_map(j);
	for (size_t i = 0; i < n; i++) {
		const wtr_transition_row *r = &transition[i];
		if (r->resource != WTR_RES_GOROUTINE || r->reason.n == 0)
			continue;
		wb_buf b = { 0 };
		wb_buf_printf(&b, "%s->%s (", wtr_gstate_name(r->from), wtr_gstate_name(r->to));
		wb_buf_put(&b, r->reason.at, r->reason.n);
		wb_buf_putc(&b, ')');
		text(j, (wtr_str){ b.at, b.n });
		unumber(j, r->n);
		wb_buf_free(&b);
	}
	close_map(j);
	close_map(j);
}

static void syncs(json *j)
{
	ROWS(j, SYNCS, sync, n);
	ctext(j, "syncs");
	open_list(j);
	for (size_t i = 0; i < n; i++) {
		open_map(j);
		num(j, "n", sync[i].n);
		when(j, "time", sync[i].time_ns);
		if (sync[i].has_clock) {
			ctext(j, "clock");
			open_map(j);
			num(j, "trace", sync[i].trace_ns);
			unum(j, "mono", sync[i].mono_ns);
			num(j, "wall_unix_ns", sync[i].wall_ns);
			close_map(j);
		}
		close_map(j);
	}
	close_list(j);
}

static void metrics(json *j)
{
	const wtr_totals *t = &j->totals;
	ROWS(j, GOMAXPROCS, gomaxprocs, n);
	ctext(j, "metrics");
	open_map(j);
	unum(j, "heap_samples", t->heap_samples);
	unum(j, "heap_max", t->heap_max_bytes);
	unum(j, "heap_last", t->heap_last_bytes);
	unum(j, "goal_samples", t->goal_samples);
	unum(j, "goal_max", t->goal_max_bytes);
	unum(j, "goal_last", t->goal_last_bytes);
	unum(j, "gomaxprocs_events", t->gomaxprocs_events);
	ctext(j, "gomaxprocs");
	open_list(j);
	for (size_t i = 0; i < n; i++) {
		open_list(j);
		number(j, gomaxprocs[i].time_ns - t->start_ns);
		unumber(j, gomaxprocs[i].value);
		close_list(j);
	}
	close_list(j);
	close_map(j);
}

static void gc(json *j)
{
	static const char stw[] = "stop-the-world (";
	const wtr_totals *t = &j->totals;
	ROWS(j, RANGE_SUMS, range_sum, n);
	ctext(j, "gc");
	open_map(j);
	unum(j, "count", t->gc_count);
	num(j, "mark_total", t->gc_mark_ns);
	unum(j, "stw_count", t->stw_count);
	num(j, "stw_total", t->stw_ns);
	unum(j, "stw_open", t->stw_open);
	ctext(j, "stw_by_reason");
	open_map(j);
	for (size_t i = 0; i < n; i++) {
		wtr_str name = range_sum[i].name;
		if (name.n < sizeof(stw) || memcmp(name.at, stw, sizeof(stw) - 1) != 0 || range_sum[i].total_ns == 0)
			continue;
		text(j, (wtr_str){ name.at + sizeof(stw) - 1, name.n - sizeof(stw) });
		number(j, range_sum[i].total_ns);
	}
	close_map(j);
	close_map(j);
	ctext(j, "ranges");
	open_list(j);
	for (size_t i = 0; i < n; i++) {
		open_map(j);
		str(j, "name", range_sum[i].name);
		unum(j, "begin", range_sum[i].begins);
		unum(j, "active", range_sum[i].actives);
		unum(j, "end", range_sum[i].ends);
		num(j, "total", range_sum[i].total_ns);
		unum(j, "open", range_sum[i].open);
		close_map(j);
	}
	close_list(j);
}

/* ---- CPU samples ---- */

typedef struct top {
	char    *funcs; /* joined by ; */
	uint64_t n;
} top;

static int by_funcs(const void *a, const void *b) { return strcmp(((const top *)a)->funcs, ((const top *)b)->funcs); }

static int by_count(const void *a, const void *b)
{
	const top *x = a, *y = b;
	return x->n != y->n ? (x->n > y->n ? -1 : 1) : by_funcs(a, b);
}

static char *funcs_of(json *j, uint32_t stack)
{
	wtr_frame f[FRAMES];
	size_t n = wtr_stack(j->t, stack, f, FRAMES);
	wb_buf b = { 0 };
	for (size_t i = 0; i < n && i < FRAMES; i++) {
		if (i)
			wb_buf_putc(&b, ';');
		wb_buf_put(&b, f[i].func.at, f[i].func.n);
	}
	char *s = strdup(wb_buf_cstr(&b));
	wb_buf_free(&b);
	return s;
}

static void show_top(json *j, top *x)
{
	open_map(j);
	ctext(j, "stack");
	open_list(j);
	for (char *s = x->funcs, *end; s && *s; s = end) {
		end = strchr(s, ';');
		text(j, (wtr_str){ s, end ? (size_t)(end - s) : strlen(s) });
		end = end ? end + 1 : NULL;
	}
	close_list(j);
	unum(j, "count", x->n);
	num(j, "ns", 0);
	close_map(j);
}

static void top_funcs(json *j)
{
	ROWS(j, SAMPLES, sample, n);
	top *all = calloc(n + 1, sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = (top){ funcs_of(j, sample[i].stack), 1 };
	if (n)
		qsort(all, n, sizeof(*all), by_funcs);
	size_t m = 0;
	for (size_t i = 0; i < n; i++)
		if (m && strcmp(all[m - 1].funcs, all[i].funcs) == 0) {
			all[m - 1].n++;
			free(all[i].funcs);
		} else {
			all[m++] = all[i];
		}
	if (m)
		qsort(all, m, sizeof(*all), by_count);
	ctext(j, "top_funcs");
	open_list(j);
	for (size_t i = 0; i < m && i < TOP; i++)
		show_top(j, &all[i]);
	close_list(j);
	for (size_t i = 0; i < m; i++)
		free(all[i].funcs);
	free(all);
}

static void samples(json *j)
{
	const wtr_totals *t = &j->totals;
	ctext(j, "cpu_samples");
	open_map(j);
	unum(j, "count", t->cpu_samples);
	unum(j, "with_goroutine", t->cpu_samples_with_g);
	unum(j, "with_proc", t->cpu_samples_with_p);
	unum(j, "with_thread", t->cpu_samples_with_m);
	top_funcs(j);
	close_map(j);
}

/* ---- labels, experiments, logs, procs, threads ---- */

static void small_tables(json *j)
{
	ROWS(j, LABELS, label, n_labels);
	ctext(j, "labels");
	open_map(j);
	for (size_t i = 0; i < n_labels; i++) {
		text(j, label[i].label);
		unumber(j, label[i].n);
	}
	close_map(j);
	ROWS(j, EXPERIMENTAL, experimental, n_experimental);
	ctext(j, "experimental");
	open_map(j);
	for (size_t i = 0; i < n_experimental; i++) {
		text(j, experimental[i].name);
		unumber(j, experimental[i].n);
	}
	close_map(j);
	ROWS(j, PROCS, proc, n_procs);
	unum(j, "proc_count", j->totals.procs);
	ctext(j, "procs");
	open_list(j);
	for (size_t i = 0; i < n_procs; i++) {
		open_map(j);
		num(j, "id", proc[i].id);
		unum(j, "transitions", proc[i].transitions);
		num(j, "running", proc[i].running_ns);
		unum(j, "events", proc[i].events);
		close_map(j);
	}
	close_list(j);
	ROWS(j, THREADS, thread, n_threads);
	unum(j, "thread_count", j->totals.threads);
	ctext(j, "threads");
	open_list(j);
	for (size_t i = 0; i < n_threads; i++) {
		open_map(j);
		num(j, "id", thread[i].id);
		unum(j, "events", thread[i].events);
		close_map(j);
	}
	close_list(j);
}

static void logs(json *j)
{
	ROWS(j, LOGS, log, n);
	unum(j, "log_count", n);
	ctext(j, "first_logs");
	open_list(j);
	for (size_t i = 0; i < n && i < LOGS; i++) {
		open_map(j);
		when(j, "time", log[i].time_ns);
		num(j, "g", log[i].g);
		unum(j, "task", log[i].task);
		str(j, "category", log[i].category);
		str(j, "message", log[i].message);
		close_map(j);
	}
	close_list(j);
}

/* ---- goroutines ---- */

static void states(json *j, int64_t total, int64_t exec, int64_t sched, int64_t syscall, int64_t syscall_block)
{
	num(j, "total", total);
	num(j, "exec", exec);
	num(j, "sched", sched);
	num(j, "syscall", syscall);
	num(j, "syscall_block", syscall_block);
}

static void goroutine_row(json *j, const wtr_goroutine_row *g)
{
	const wtr_block_time_row *b = wtr_table_data(j->x, WTR_TABLE_BLOCK_TIMES);
	const wtr_range_time_row *r = wtr_table_data(j->x, WTR_TABLE_RANGE_TIMES);
	open_map(j);
	num(j, "id", g->id);
	str(j, "name", g->name);
	when(j, "create", g->create_ns);
	when(j, "start", g->start_ns);
	when(j, "end", g->end_ns);
	states(j, g->total_ns, g->exec_ns, g->sched_ns, g->syscall_ns, g->syscall_block_ns);
	num(j, "unknown", g->unknown_ns);
	ctext(j, "block");
	open_map(j);
	for (uint32_t i = 0; i < g->n_block; i++) {
		text(j, b[g->first_block + i].reason);
		number(j, b[g->first_block + i].ns);
	}
	close_map(j);
	ctext(j, "range");
	open_map(j);
	for (uint32_t i = 0; i < g->n_range; i++) {
		text(j, r[g->first_range + i].name);
		number(j, r[g->first_range + i].ns);
	}
	close_map(j);
	num(j, "regions", g->n_regions);
	str(j, "final_state", (wtr_str){ wtr_gstate_name(g->final_state), strlen(wtr_gstate_name(g->final_state)) });
	if (g->final_reason.n)
		str(j, "final_reason", g->final_reason);
	ctext(j, "created_by");
	if (g->creator == WTR_NONE)
		yajl_gen_null(j->g);
	else
		number(j, g->creator);
	close_map(j);
}

typedef struct sum {
	wtr_str name;
	int64_t ns;
} sum;
typedef WB_VEC(sum) sums;

static void add_to(sums *v, wtr_str name, int64_t ns)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->at[i].name.n == name.n && memcmp(v->at[i].name.at, name.at, name.n) == 0) {
			v->at[i].ns += ns;
			return;
		}
	(void)wb_vec_add(v, (sum){ name, ns });
}

static void show_sums(json *j, const char *key, sums *v)
{
	ctext(j, key);
	open_map(j);
	for (size_t i = 0; i < v->n; i++) {
		text(j, v->at[i].name);
		number(j, v->at[i].ns);
	}
	close_map(j);
	wb_vec_free(v);
}

static void group_row(json *j, const wtr_group_row *r, uint32_t row)
{
	ROWS(j, GOROUTINES, goroutine, n);
	const wtr_block_time_row *b = wtr_table_data(j->x, WTR_TABLE_BLOCK_TIMES);
	const wtr_range_time_row *t = wtr_table_data(j->x, WTR_TABLE_RANGE_TIMES);
	sums blocks = { 0 }, ranges = { 0 };
	for (size_t i = 0; i < n; i++) {
		if (goroutine[i].group != row)
			continue;
		for (uint32_t k = 0; k < goroutine[i].n_block; k++)
			add_to(&blocks, b[goroutine[i].first_block + k].reason, b[goroutine[i].first_block + k].ns);
		for (uint32_t k = 0; k < goroutine[i].n_range; k++)
			add_to(&ranges, t[goroutine[i].first_range + k].name, t[goroutine[i].first_range + k].ns);
	}
	open_map(j);
	str(j, "name", r->name);
	num(j, "n", r->n);
	states(j, r->total_ns, r->exec_ns, r->sched_ns, r->syscall_ns, r->syscall_block_ns);
	num(j, "unknown", r->unknown_ns);
	show_sums(j, "block", &blocks);
	show_sums(j, "range", &ranges);
	close_map(j);
}

static const wtr_group_row *sort_rows;

static int by_name(const void *a, const void *b)
{
	wtr_str x = sort_rows[*(const uint32_t *)a].name, y = sort_rows[*(const uint32_t *)b].name;
	int c = memcmp(x.at, y.at, x.n < y.n ? x.n : y.n);
	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static void goroutines(json *j)
{
	ROWS(j, GOROUTINES, goroutine, n);
	ROWS(j, GROUPS, group, n_groups);
	unum(j, "goroutine_count", j->totals.goroutines);
	uint32_t *order = calloc(n_groups + 1, sizeof(*order));
	for (uint32_t i = 0; i < n_groups; i++)
		order[i] = i;
	sort_rows = group;
	qsort(order, n_groups, sizeof(*order), by_name);
	ctext(j, "goroutines_by_name");
	open_list(j);
	for (size_t i = 0; i < n_groups; i++)
		group_row(j, &group[order[i]], order[i]);
	close_list(j);
	free(order);
	ctext(j, "goroutines");
	open_list(j);
	for (size_t i = 0; i < n && i < LIST_MAX; i++)
		goroutine_row(j, &goroutine[i]);
	close_list(j);
	j->cut_goroutines = n > LIST_MAX;
}

/* ---- tasks and regions ---- */

static void tasks(json *j)
{
	ROWS(j, TASKS, task, n);
	const wtr_task_goroutine_row *gs = wtr_table_data(j->x, WTR_TABLE_TASK_GOROUTINES);
	unum(j, "task_count", j->totals.tasks);
	ctext(j, "tasks");
	open_list(j);
	for (size_t i = 0; i < n && i < LIST_MAX; i++) {
		open_map(j);
		unum(j, "id", task[i].id);
		str(j, "name", task[i].name);
		ctext(j, "parent");
		if (task[i].parent == UINT32_MAX)
			yajl_gen_null(j->g);
		else
			unumber(j, task[task[i].parent].id);
		when(j, "start", task[i].start_ns);
		when(j, "end", task[i].end_ns);
		num(j, "logs", task[i].n_logs);
		num(j, "regions", task[i].n_regions);
		ctext(j, "goroutines");
		open_list(j);
		for (uint32_t k = 0; k < task[i].n_goroutines; k++)
			number(j, gs[task[i].first_goroutine + k].g);
		close_list(j);
		num(j, "children", task[i].n_children);
		close_map(j);
	}
	close_list(j);
	j->cut_tasks = n > LIST_MAX;
}

static void regions(json *j)
{
	ROWS(j, REGIONS, region, n);
	const wtr_region_block_time_row *b = wtr_table_data(j->x, WTR_TABLE_REGION_BLOCK_TIMES);
	unum(j, "region_count", j->totals.regions);
	ctext(j, "regions");
	open_list(j);
	for (size_t i = 0; i < n && i < LIST_MAX; i++) {
		const wtr_region_row *r = &region[i];
		open_map(j);
		num(j, "g", r->g);
		unum(j, "task", r->task);
		str(j, "name", r->name);
		if (r->inherited) {
			ctext(j, "inherited");
			yajl_gen_bool(j->g, 1);
		}
		when(j, "start", r->start_ns);
		when(j, "end", r->end_ns);
		states(j, r->total_ns, r->exec_ns, r->sched_ns, r->syscall_ns, r->syscall_block_ns);
		ctext(j, "block");
		open_map(j);
		for (uint32_t k = 0; k < r->n_block; k++) {
			text(j, b[r->first_block + k].reason);
			number(j, b[r->first_block + k].ns);
		}
		close_map(j);
		close_map(j);
	}
	close_list(j);
	j->cut_regions = n > LIST_MAX;
}

static void cuts(json *j)
{
	if (!j->cut_goroutines && !j->cut_tasks && !j->cut_regions)
		return;
	ctext(j, "lists_cut");
	open_list(j);
	if (j->cut_goroutines)
		ctext(j, "goroutines");
	if (j->cut_tasks)
		ctext(j, "tasks");
	if (j->cut_regions)
		ctext(j, "regions");
	close_list(j);
}

static void everything(json *j, const char *sha)
{
	header(j);
	if (j->totals.events == 0)
		return;
	times(j);
	transitions(j);
	str(j, "dump_sha256", (wtr_str){ sha, strlen(sha) });
	syncs(j);
	metrics(j);
	gc(j);
	samples(j);
	small_tables(j);
	logs(j);
	goroutines(j);
	tasks(j);
	regions(j);
	cuts(j);
}

void truth_ours(wtr_trace *t, const wtr_index *x, const char *sha, wb_buf *out)
{
	json j = { .g = yajl_gen_alloc(NULL), .t = t, .x = x };
	wtr_get_totals(x, &j.totals);
	open_map(&j);
	everything(&j, sha);
	close_map(&j);
	const unsigned char *at;
	size_t n;
	yajl_gen_get_buf(j.g, &at, &n);
	wb_buf_put(out, at, n);
	yajl_gen_free(j.g);
}
