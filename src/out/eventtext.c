/* out/eventtext.c - see eventtext.h. */
#include "out/eventtext.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"
#include "out/gotext.h"
#include "out/objects.h"
#include "out/units.h"

/* ---- pieces ---- */

static void put_string(wb_buf *b, const wtr_trace *t, uint32_t id)
{
	wtr_str s = wtr_string(t, id);
	out_clean(b, s.at, s.n);
}

/* Of the runtime and what stands right above it: where nobody looks for their own program. */
static bool is_deep(wtr_str func)
{
	static const char *const prefixes[] = { "runtime.", "runtime/", "internal/", "syscall.", "reflect." };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++) {
		size_t n = strlen(prefixes[i]);
		if (func.n > n && memcmp(func.at, prefixes[i], n) == 0)
			return true;
	}
	return false;
}

static void put_place(wb_buf *b, const wtr_frame *f)
{
	size_t dir = f->file.n;
	while (dir > 0 && f->file.at[dir - 1] != '/')
		dir--;
	out_clean(b, f->func.at, f->func.n);
	wb_buf_putc(b, ' ');
	out_clean(b, f->file.at + dir, f->file.n - dir);
	wb_buf_putc(b, ':');
	wb_buf_u64(b, f->line);
}

/* The innermost frame that is not deep, else the innermost one. */
static void put_where(wb_buf *b, const wtr_trace *t, uint32_t stack)
{
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = wtr_stack(t, stack, f, WF_FRAMES_MAX), i = 0;
	if (n > WF_FRAMES_MAX)
		n = WF_FRAMES_MAX;
	if (n == 0)
		return;
	while (i < n && is_deep(f[i].func))
		i++;
	const wtr_frame *at = &f[i < n ? i : 0];
	if (at->func.n == 0 && at->file.n == 0)
		return; /* Go's stand-in for a stack it could not take */
	wb_buf_puts(b, "  at ");
	put_place(b, at);
}

static void put_entry(wb_buf *b, const wtr_trace *t, uint32_t stack)
{
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = wtr_stack(t, stack, f, WF_FRAMES_MAX);
	if (n == 0 || n > WF_FRAMES_MAX)
		return;
	wb_buf_puts(b, "  ");
	out_clean(b, f[n - 1].func.at, f[n - 1].func.n);
}

static void put_id(wb_buf *b, char letter, int64_t id, size_t width)
{
	size_t from = b->n;
	if (id == WTR_NONE) {
		wb_buf_putc(b, '-');
	} else {
		wb_buf_putc(b, letter);
		wb_buf_i64(b, id);
	}
	out_pad(b, from, width);
	wb_buf_putc(b, ' ');
}

static void put_resource(wb_buf *b, const wtr_event *e)
{
	if (e->resource == WTR_RES_NONE)
		return;
	wb_buf_putc(b, e->resource == WTR_RES_PROC ? 'P' : e->resource == WTR_RES_THREAD ? 'M' : 'G');
	wb_buf_i64(b, e->id);
}

/* ---- details by kind ---- */

static void put_wait(wb_buf *b, const wtr_trace *t, uint32_t wait)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX];
	size_t n = wtr_wait_objects(t, wait, o, WTR_WAIT_OBJECTS_MAX);
	wb_buf_puts(b, wait == WTR_PROC_TAKEN ? "  (no system call: its proc was taken)" : n ? "  " : "");
	out_wait(b, o, n);
}

static void transition(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	bool proc = e->resource == WTR_RES_PROC;
	put_resource(b, e);
	wb_buf_putc(b, ' ');
	wb_buf_puts(b, proc ? wtr_pstate_name(wtr_from(e)) : wtr_gstate_name(wtr_from(e)));
	wb_buf_puts(b, "->");
	wb_buf_puts(b, proc ? wtr_pstate_name(wtr_to(e)) : wtr_gstate_name(wtr_to(e)));
	if (wtr_string(t, e->str).n) {
		wb_buf_puts(b, "  (");
		put_string(b, t, e->str);
		wb_buf_putc(b, ')');
	}
	if (e->wait)
		put_wait(b, t, e->wait);
	if (wtr_from(e) == WTR_G_NOTEXIST && !proc)
		put_entry(b, t, e->transition_stack);
}

static void range(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	wb_buf_puts(b, wtr_range_name(e->detail));
	if (e->detail == WTR_RANGE_STW) {
		wb_buf_puts(b, " (");
		put_string(b, t, e->str);
		wb_buf_putc(b, ')');
	}
	bool begins = e->kind == WTR_KIND_RANGE_BEGIN, ends = e->kind == WTR_KIND_RANGE_END;
	wb_buf_puts(b, begins ? " begins" : ends ? " ends" : " goes on");
	if (e->resource != WTR_RES_NONE) {
		wb_buf_puts(b, " on ");
		put_resource(b, e);
	}
	if (e->kind == WTR_KIND_RANGE_END && e->detail == WTR_RANGE_SWEEP) {
		wb_buf_puts(b, ": swept ");
		out_bytes(b, e->value[0]);
		wb_buf_puts(b, ", reclaimed ");
		out_bytes(b, e->value[1]);
	}
}

static void metric(wb_buf *b, const wtr_event *e)
{
	static const char *const names[WTR_METRIC_COUNT] = { "GOMAXPROCS", "heap", "heap goal" };
	wb_buf_puts(b, e->detail < WTR_METRIC_COUNT ? names[e->detail] : wtr_metric_name(e->detail));
	wb_buf_putc(b, ' ');
	if (e->detail == WTR_METRIC_GOMAXPROCS) {
		wb_buf_u64(b, e->value[0]);
		return;
	}
	out_bytes(b, e->value[0]);
	wb_buf_puts(b, " (");
	out_count(b, e->value[0]);
	wb_buf_putc(b, ')');
}

static void put_task(wb_buf *b, uint64_t id)
{
	if (id == (uint64_t)WTR_NONE)
		return;
	wb_buf_puts(b, "task ");
	wb_buf_u64(b, id);
}

static void annotation(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	bool task = e->kind == WTR_KIND_TASK_BEGIN || e->kind == WTR_KIND_TASK_END;
	put_string(b, t, e->str);
	if (e->kind == WTR_KIND_LOG) {
		wb_buf_puts(b, ": ");
		put_string(b, t, e->str2);
	}
	if (e->id || task) {
		wb_buf_puts(b, wtr_string(t, e->str).n ? "  " : "");
		put_task(b, (uint64_t)e->id);
	}
	if (task && e->value[0] && e->value[0] != (uint64_t)WTR_NONE) {
		wb_buf_puts(b, ", part of ");
		put_task(b, e->value[0]);
	}
}

static void sync_point(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	wtr_generation g;
	wb_buf_puts(b, "number ");
	wb_buf_i64(b, e->id);
	if (e->value[0] && wtr_get_generation(t, (size_t)e->value[0] - 1, &g)) {
		if (g.has_clock) {
			wb_buf_puts(b, ", clock ");
			out_rfc3339(b, g.clock_wall_ns);
		}
	} else {
		wb_buf_puts(b, ", end");
	}
}

static void experiment(wb_buf *b, const wtr_event *e)
{
	const wf_spec *spec = &wf_specs[e->type];
	const uint64_t args[] = { (uint64_t)e->id, e->value[0], e->value[1] };
	for (size_t i = 1; i < spec->n_args && i <= 3; i++)
		wb_buf_printf(b, "%s%s %llu", i > 1 ? ", " : "", spec->args[i].name, (unsigned long long)args[i - 1]);
}

static void details(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_SYNC: sync_point(b, t, e); break;
	case WTR_KIND_METRIC: metric(b, e); break;
	case WTR_KIND_LABEL:
		put_resource(b, e);
		wb_buf_puts(b, " is ");
		put_string(b, t, e->str);
		break;
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: range(b, t, e); break;
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END:
	case WTR_KIND_LOG: annotation(b, t, e); break;
	case WTR_KIND_STATE_TRANSITION: transition(b, t, e); break;
	case WTR_KIND_EXPERIMENTAL: experiment(b, e); break;
	default: break;
	}
}

/* The name of the event, or of what is none on the wire. */
static const char *event_name(const wtr_event *e)
{
	return e->kind == WTR_KIND_SYNC ? "Sync" : wtr_type_name(e->type);
}

void out_event_text(wb_buf *b, wtr_trace *t, const wtr_event *e, int64_t start_ns, out_stack_cache *c)
{
	out_seconds(b, e->time_ns - start_ns);
	wb_buf_puts(b, "  ");
	put_id(b, 'M', e->m, 6);
	put_id(b, 'P', e->p, 3);
	put_id(b, 'G', e->g, 6);
	wb_buf_putc(b, ' ');
	size_t from = b->n;
	wb_buf_puts(b, event_name(e));
	out_pad(b, from, e->kind == WTR_KIND_STACK_SAMPLE ? 17 : 19); /* the place brings two spaces along */
	details(b, t, e);
	out_stack_put(b, t, e->stack, put_where, c);
	while (b->n && b->at[b->n - 1] == ' ')
		b->n--;
}

static void stack_lines(wb_buf *b, const char *title, const wtr_trace *t, uint32_t stack)
{
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = wtr_stack(t, stack, f, WF_FRAMES_MAX);
	wb_buf_puts(b, title);
	for (size_t i = 0; i < n && i < WF_FRAMES_MAX; i++) {
		wb_buf_puts(b, "        ");
		out_clean(b, f[i].func.at, f[i].func.n);
		wb_buf_puts(b, "  ");
		out_clean(b, f[i].file.at, f[i].file.n);
		wb_buf_putc(b, ':');
		wb_buf_u64(b, f[i].line);
		wb_buf_putc(b, '\n');
	}
}

void out_event_stacks(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	/* One's own goroutine stopping: both stacks are the same one. */
	if (e->transition_stack && e->transition_stack != e->stack) {
		wb_buf_puts(b, "    ");
		put_resource(b, e);
		stack_lines(b, " stack\n", t, e->transition_stack);
	}
	if (e->stack)
		stack_lines(b, "    stack\n", t, e->stack);
}

/* ---- JSON ---- */

static void put_string_json(out_json *j, const char *key, const wtr_trace *t, uint32_t id)
{
	out_json_put_str(j, key, wtr_string(t, id));
}

static void put_task_json(out_json *j, const char *key, uint64_t id)
{
	if (id == (uint64_t)WTR_NONE)
		out_json_put_null(j, key);
	else
		out_json_put_u64(j, key, id);
}

static void resource_json(out_json *j, const wtr_event *e)
{
	static const char *const names[] = { "none", "goroutine", "proc", "thread" };
	out_json_put_text(j, "resource", e->resource < 4 ? names[e->resource] : "none");
	if (e->resource == WTR_RES_NONE)
		out_json_put_null(j, "id");
	else
		out_json_put_i64(j, "id", e->id);
}

static void sync_json(out_json *j, wtr_trace *t, const wtr_event *e)
{
	wtr_generation g;
	out_json_put_i64(j, "n", e->id);
	out_json_key(j, "clock");
	if (!e->value[0] || !wtr_get_generation(t, (size_t)e->value[0] - 1, &g) || !g.has_clock) {
		out_json_null(j);
		return;
	}
	out_json_object(j);
	out_json_put_i64(j, "trace_ns", g.clock_trace_ns);
	out_json_put_u64(j, "mono_ns", g.clock_mono_ns);
	out_json_key(j, "wall_unix_ns");
	out_json_digits(j, g.clock_wall_ns);
	out_json_object_end(j);
}

static void experiment_json(out_json *j, const wtr_event *e)
{
	const wf_spec *spec = &wf_specs[e->type];
	const uint64_t args[] = { (uint64_t)e->id, e->value[0], e->value[1] };
	out_json_key(j, "args");
	out_json_object(j);
	for (size_t i = 1; i < spec->n_args && i <= 3; i++)
		out_json_put_u64(j, spec->args[i].name, args[i - 1]);
	out_json_object_end(j);
}

static void range_json(out_json *j, const wtr_trace *t, const wtr_event *e)
{
	out_json_put_text(j, "range", wtr_range_name(e->detail));
	resource_json(j, e);
	if (e->detail == WTR_RANGE_STW)
		put_string_json(j, "reason", t, e->str);
	if (e->kind == WTR_KIND_RANGE_END && e->detail == WTR_RANGE_SWEEP) {
		out_json_put_u64(j, "swept_bytes", e->value[0]);
		out_json_put_u64(j, "reclaimed_bytes", e->value[1]);
	}
}

static void transition_json(out_json *j, const wtr_trace *t, const wtr_event *e)
{
	bool proc = e->resource == WTR_RES_PROC;
	resource_json(j, e);
	out_json_put_text(j, "from", proc ? wtr_pstate_name(wtr_from(e)) : wtr_gstate_name(wtr_from(e)));
	out_json_put_text(j, "to", proc ? wtr_pstate_name(wtr_to(e)) : wtr_gstate_name(wtr_to(e)));
	put_string_json(j, "reason", t, e->str);
	if (e->wait == WTR_PROC_TAKEN) {
		out_json_put_bool(j, "proc_taken", true);
	} else if (e->wait) {
		wtr_object o[WTR_WAIT_OBJECTS_MAX];
		out_json_key(j, "objects");
		out_objects_json(j, o, wtr_wait_objects(t, e->wait, o, WTR_WAIT_OBJECTS_MAX));
	}
}

static void details_json(out_json *j, wtr_trace *t, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_SYNC: sync_json(j, t, e); break;
	case WTR_KIND_METRIC:
		out_json_put_text(j, "metric", wtr_metric_name(e->detail));
		out_json_put_u64(j, "value", e->value[0]);
		break;
	case WTR_KIND_LABEL:
		resource_json(j, e);
		put_string_json(j, "label", t, e->str);
		break;
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END: range_json(j, t, e); break;
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
		put_task_json(j, "task", (uint64_t)e->id);
		put_task_json(j, "parent", e->value[0]);
		put_string_json(j, "name", t, e->str);
		break;
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END:
		put_task_json(j, "task", (uint64_t)e->id);
		put_string_json(j, "name", t, e->str);
		break;
	case WTR_KIND_LOG:
		put_task_json(j, "task", (uint64_t)e->id);
		put_string_json(j, "category", t, e->str);
		put_string_json(j, "message", t, e->str2);
		break;
	case WTR_KIND_STATE_TRANSITION: transition_json(j, t, e); break;
	case WTR_KIND_EXPERIMENTAL: experiment_json(j, e); break;
	default: break;
	}
}

void out_stack_json(out_json *j, const wtr_trace *t, uint32_t stack)
{
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = wtr_stack(t, stack, f, WF_FRAMES_MAX);
	out_json_frames(j, f, n < WF_FRAMES_MAX ? n : WF_FRAMES_MAX);
}

void out_event_json(out_json *j, wtr_trace *t, const wtr_event *e, int64_t start_ns, bool stacks)
{
	out_json_object(j);
	out_json_put_i64(j, "time_ns", e->time_ns - start_ns);
	out_json_put_text(j, "kind", wtr_kind_name(e->kind));
	out_json_put_text(j, "type", event_name(e));
	out_json_put_id(j, "m", e->m);
	out_json_put_id(j, "p", e->p);
	out_json_put_id(j, "g", e->g);
	details_json(j, t, e);
	if (stacks && e->transition_stack) {
		out_json_key(j, "transition_stack");
		out_stack_json(j, t, e->transition_stack);
	}
	if (stacks && e->stack) {
		out_json_key(j, "stack");
		out_stack_json(j, t, e->stack);
	}
	out_json_object_end(j);
}
