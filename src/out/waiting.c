/* out/waiting.c - who waits for whom, and what was waited for, as JSON: see waiting.h. */
#include "out/waiting.h"

#include "out/eventtext.h"
#include "out/objects.h"

enum { CHAIN_MAX = 32, CHAIN_HOLDERS_MAX = 10 };

static void waiting_json(out_json *j, const wtr_trace *t, const wtr_graph *g, const wtr_waiting *r, int64_t start_ns)
{
	out_json_object(j);
	out_json_put_i64(j, "g", r->g);
	out_json_put_str(j, "name", r->name);
	out_json_put_i64(j, "since_ns", r->since_ns - start_ns);
	out_json_put_bool(j, "open_start", r->open_start);
	out_json_put_str(j, "reason", r->reason);
	out_json_key(j, "objects");
	out_objects_json(j, wtr_graph_objects(g) + r->first, r->n);
	out_json_put_id(j, "holder", r->holder);
	if (r->holder != WTR_NONE)
		out_json_put_text(j, "holder_state", wtr_gstate_name(r->holder_state));
	out_json_put_u64(j, "cycle", r->cycle);
	out_json_key(j, "stack");
	out_stack_json(j, t, r->stack);
	out_json_object_end(j);
}

static const wtr_waiting *find_row(const wtr_graph *g, int64_t id)
{
	size_t n;
	const wtr_waiting *rows = wtr_graph_rows(g, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].g == id)
			return &rows[i];
	return NULL;
}

void out_graph_json(out_json *j, const wtr_trace *t, const wtr_graph *g, size_t limit, int64_t start_ns)
{
	size_t n;
	const wtr_waiting *rows = wtr_graph_rows(g, &n);
	out_json_put_u64(j, "cycles", wtr_graph_cycles(g));
	out_json_put_u64(j, "n_waiting", n);
	out_json_key(j, "waiting");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		waiting_json(j, t, g, &rows[i], start_ns);
	out_json_array_end(j);
}

static void holders_json(out_json *j, const wtr_held *h, size_t n)
{
	out_json_key(j, "holders");
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_put_i64(j, "g", h[i].g);
		out_json_put_u64(j, "n", h[i].n);
		out_json_put_i64(j, "ns", h[i].ns);
		out_json_put_i64(j, "longest_ns", h[i].longest_ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void waited_json(out_json *j, const wtr_waits *w, const wtr_waited *o, size_t limit, int64_t start_ns)
{
	size_t n_held;
	const wtr_held *held = wtr_waits_holders(w, &n_held);
	out_json_object(j);
	out_object_id_json(j, o->kind, o->id, o->attr, o->name);
	out_json_put_u64(j, "n", o->n);
	out_json_put_i64(j, "ns", o->ns);
	if (o->kind == WTR_OBJECT_CHAN) {
		out_json_put_u64(j, "n_full", o->n_full);
		out_json_put_i64(j, "full_ns", o->full_ns);
		out_json_put_u64(j, "n_select", o->n_select);
	}
	out_json_put_i64(j, "longest_ns", o->longest_ns);
	out_json_put_i64(j, "longest_at_ns", o->n ? o->longest_at_ns - start_ns : 0);
	out_json_put_id(j, "longest_g", o->longest_g);
	out_json_put_id(j, "waker", o->waker);
	holders_json(j, n_held ? held + o->first_holder : held, limit && o->n_holders > limit ? limit : o->n_holders);
	out_json_object_end(j);
}

void out_waited_json(out_json *j, const wtr_waits *w, size_t limit, int64_t start_ns)
{
	size_t n;
	const wtr_waited *o = wtr_waits_objects(w, &n);
	out_json_put_u64(j, "n_objects", n);
	out_json_key(j, "objects");
	out_json_array(j);
	for (size_t i = 0; i < n && (limit == 0 || i < limit); i++)
		waited_json(j, w, &o[i], limit, start_ns);
	out_json_array_end(j);
}

static void waited_of_json(out_json *j, const wtr_waits *w, const wtr_object *of, size_t n_of, int64_t start_ns)
{
	size_t n;
	const wtr_waited *o = wtr_waits_objects(w, &n);
	out_json_put_u64(j, "n_objects", n);
	out_json_key(j, "objects");
	out_json_array(j);
	for (size_t k = 0; k < n_of; k++)
		for (size_t i = 0; i < n; i++)
			if (o[i].id == of[k].id && o[i].kind == of[k].kind)
				waited_json(j, w, &o[i], CHAIN_HOLDERS_MAX, start_ns);
	out_json_array_end(j);
}

void out_chain_json(
	out_json *j, const wtr_trace *t, const wtr_waits *w, const wtr_graph *graph, int64_t g, int64_t start_ns)
{
	size_t n;
	const wtr_waiting *first = find_row(graph, g), *r = first;
	wtr_graph_rows(graph, &n);
	out_json_put_u64(j, "cycles", wtr_graph_cycles(graph));
	out_json_put_u64(j, "n_waiting", n);
	out_json_key(j, "waiting");
	out_json_array(j);
	for (unsigned i = 0; r && i < CHAIN_MAX && (i == 0 || r != first); i++) {
		waiting_json(j, t, graph, r, start_ns);
		r = r->holder == WTR_NONE ? NULL : find_row(graph, r->holder);
	}
	out_json_array_end(j);
	waited_of_json(j, w, first ? wtr_graph_objects(graph) + first->first : NULL, first ? first->n : 0, start_ns);
}
