/* out/answers.c - see answers.h. */
#include "out/answers.h"

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
