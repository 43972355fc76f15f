/* out/diffs.c - comparisons as JSON. */
#include "out/answers.h"

enum { FRAMES = 260 };

void out_side_json(out_json *j, const wtr_side *s)
{
	wtr_side_totals t;
	wtr_side_get_totals(s, &t);
	out_json_put_u64(j, "traces", t.traces);
	out_json_put_i64(j, "duration_ns", t.duration_ns);
	out_json_put_u64(j, "goroutines", t.goroutines);
}

static void put_fixed(out_json *j, const char *key, double v, unsigned decimals)
{
	out_json_key(j, key);
	out_json_fixed(j, v, decimals);
}

static void change(out_json *j, const wtr_change *c)
{
	out_json_object(j);
	put_fixed(j, "a", c->a, 3);
	put_fixed(j, "b", c->b, 3);
	if (c->known) {
		put_fixed(j, "low", c->low, 6);
		put_fixed(j, "high", c->high, 6);
	} else {
		out_json_put_null(j, "low");
		out_json_put_null(j, "high");
	}
	out_json_put_bool(j, "sure", c->sure);
	out_json_object_end(j);
}

/* Lines as a list. */
static void lines(out_json *j, const char *key, wtr_str s)
{
	out_json_key(j, key);
	out_json_array(j);
	for (size_t from = 0, i = 0; i < s.n; i++)
		if (s.at[i] == '\n') {
			out_json_str(j, (wtr_str){ s.at + from, i - from });
			from = i + 1;
		}
	out_json_array_end(j);
}

static void row(out_json *j, const wtr_diff_row *r)
{
	bool states = r->kind == WTR_DIFF_STATE || r->kind == WTR_DIFF_GROUP;
	out_json_object(j);
	out_json_put_text(j, "kind", wtr_diff_kind_name(r->kind));
	out_json_put_text(j, "class", states ? wtr_class_name(r->cls) : NULL);
	out_json_put_str(j, "name", r->name);
	lines(j, "created", r->created);
	out_json_put_u64(j, "n_a", r->n_a);
	out_json_put_u64(j, "n_b", r->n_b);
	out_json_put_bool(j, "few", r->few);
	out_json_put_bool(j, "changed", r->changed);
	put_fixed(j, "effect", r->effect, 6);
	out_json_key(j, "stats");
	out_json_object(j);
	for (unsigned k = 0; k < WTR_STAT_COUNT; k++) {
		out_json_key(j, wtr_stat_name(k));
		change(j, &r->stats[k]);
	}
	out_json_object_end(j);
	out_json_object_end(j);
}

static void findings(out_json *j, const wtr_diff *d, size_t limit)
{
	const wtr_finding_change *f;
	size_t n = wtr_diff_findings(d, &f);
	out_json_key(j, "findings");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_text(j, "verdict", wtr_finding_verdict_name(f[i].verdict));
		out_json_put_text(j, "rule", f[i].rule);
		lines(j, "about", f[i].about);
		out_json_put_u64(j, "a", f[i].a);
		out_json_put_u64(j, "b", f[i].b);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

void out_diff_json(out_json *j, const wtr_diff *d, size_t limit)
{
	const wtr_diff_row *rows;
	size_t n = wtr_diff_rows(d, &rows), changed = 0, of_kind = 0;
	for (size_t i = 0; i < n; i++)
		changed += rows[i].changed;
	out_json_put_u64(j, "n", n);
	out_json_put_u64(j, "changed", changed);
	out_json_key(j, "rows");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		of_kind = i && rows[i].kind == rows[i - 1].kind ? of_kind + 1 : 0;
		if (limit == 0 || of_kind < limit)
			row(j, &rows[i]);
	}
	out_json_array_end(j);
	findings(j, d, limit);
}

/* ---- profiles ---- */

static void stack(out_json *j, const wtr_stacks *s, size_t i)
{
	wtr_stacks_record r;
	wtr_frame frames[FRAMES];
	wtr_stacks_get_record(s, i, &r);
	size_t n = wtr_stacks_frames(s, i, frames, FRAMES);
	out_json_object(j);
	out_json_put_u64(j, "count_a", r.count_a);
	out_json_put_u64(j, "count_b", r.count_b);
	out_json_put_i64(j, "ns_a", r.ns_a);
	out_json_put_i64(j, "ns_b", r.ns_b);
	out_json_put_text(j, "state", r.state[0] ? r.state : NULL);
	out_json_key(j, "stack");
	out_json_array(j);
	for (size_t k = 0; k < n && k < FRAMES; k++)
		out_json_str(j, frames[k].func);
	out_json_array_end(j);
	out_json_object_end(j);
}

static void functions(out_json *j, const wtr_stacks *s, size_t limit)
{
	size_t n = 0;
	wtr_stacks_func *f = wtr_stacks_funcs(s, &n);
	j->failed |= !f;
	out_json_key(j, "functions");
	out_json_array(j);
	for (size_t i = 0; f && i < n && (limit == 0 || i < limit); i++) {
		out_json_object(j);
		out_json_put_str(j, "name", f[i].name);
		out_json_put_i64(j, "flat_a", f[i].flat_a);
		out_json_put_i64(j, "flat_b", f[i].flat_b);
		out_json_put_i64(j, "cum_a", f[i].cum_a);
		out_json_put_i64(j, "cum_b", f[i].cum_b);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	wtr_stacks_free_funcs(f);
}

void out_stacks_json(out_json *j, const wtr_stacks *s, size_t limit)
{
	wtr_stacks_totals t;
	wtr_stacks_get_totals(s, &t);
	out_json_put_text(j, "profile", wtr_profile_name(t.kind));
	put_fixed(j, "scale", wtr_stacks_scale(s), 6);
	out_json_put_u64(j, "count_a", t.all.count_a);
	out_json_put_u64(j, "count_b", t.all.count_b);
	out_json_put_i64(j, "ns_a", t.all.ns_a);
	out_json_put_i64(j, "ns_b", t.all.ns_b);
	functions(j, s, limit);
	out_json_key(j, "stacks");
	out_json_array(j);
	for (size_t i = 0; i < t.records && (limit == 0 || i < limit); i++)
		stack(j, s, i);
	out_json_array_end(j);
}
