/* cli/cmd_waits.c - who waits for whom at a moment, and what was waited for most. */
#include <stdio.h>

#include "cli/cli.h"
#include "out/objects.h"
#include "out/table.h"
#include "out/units.h"
#include "out/waiting.h"

enum { ROWS_SHOWN = 30 };

typedef struct answer {
	const cli_args *a;
	wtr_trace *t;
	wtr_index *x;
	wtr_waits *w;
	wtr_graph *g;
	wtr_totals totals;
	int64_t at_ns;
	size_t limit;
	wb_buf out;
} answer;

static void goroutine(out_table *t, int64_t g)
{
	wb_buf *cell = out_cell(t, "");
	if (g != WTR_NONE)
		wb_buf_printf(cell, "G%lld", (long long)g);
}

/* ---- at a moment ---- */

static void waiting_row(out_table *t, const answer *w, const wtr_waiting *r)
{
	wb_buf *cell = out_cell(t, r->cycle ? cli_styled(CLI_RED) : "");
	if (r->cycle)
		wb_buf_printf(cell, "cycle %u", r->cycle);
	goroutine(t, r->g);
	out_clean(out_cell(t, ""), r->name.at, r->name.n);
	cell = out_cell(t, "");
	if (r->open_start)
		wb_buf_putc(cell, '>');
	out_duration(cell, w->at_ns - r->since_ns);
	out_clean(out_cell(t, ""), r->reason.at, r->reason.n);
	out_wait(out_cell(t, ""), wtr_graph_objects(w->g) + r->first, r->n);
	cell = out_cell(t, "");
	if (r->holder != WTR_NONE)
		wb_buf_printf(cell, "G%lld, %s", (long long)r->holder, wtr_gstate_name(r->holder_state));
}

static const wtr_waiting *row_of(const answer *w, int64_t g)
{
	size_t n;
	const wtr_waiting *rows = wtr_graph_rows(w->g, &n);
	for (size_t i = 0; i < n; i++)
		if (rows[i].g == g)
			return &rows[i];
	return NULL;
}

/* From the goroutine that was asked for on, to one that does not wait for another, or to the first again. */
static void chain_rows(out_table *t, const answer *w)
{
	const wtr_waiting *first = row_of(w, (int64_t)cli_number(w->a, CLI_OPT_GOROUTINE, 0)), *r = first;
	for (size_t i = 0; r && i < w->limit && (i == 0 || r != first); i++) {
		waiting_row(t, w, r);
		r = r->holder == WTR_NONE ? NULL : row_of(w, r->holder);
	}
}

static void put_graph(answer *w)
{
	size_t n;
	const wtr_waiting *rows = wtr_graph_rows(w->g, &n);
	wb_buf_puts(&w->out, "at ");
	out_seconds(&w->out, w->at_ns - w->totals.start_ns);
	wb_buf_puts(&w->out, "s, ");
	out_counted(&w->out, n, "goroutine waits", "goroutines wait");
	uint32_t cycles = wtr_graph_cycles(w->g);
	if (cycles) {
		wb_buf_puts(&w->out, "; ");
		out_counted(&w->out, cycles, "circle", "circles");
		wb_buf_puts(&w->out, ", in which each waits for the one in the next row, the last for the first");
	}
	wb_buf_putc(&w->out, '\n');
	out_table t = { .n_columns = 7,
		.columns = { { "", OUT_LEFT }, { "g", OUT_RIGHT }, { "start function", OUT_NAME }, { "for", OUT_RIGHT },
			{ "why", OUT_NAME }, { "what", OUT_LEFT }, { "waits for", OUT_NAME } } };
	bool one = cli_has(w->a, CLI_OPT_GOROUTINE);
	if (one)
		chain_rows(&t, w);
	for (size_t i = 0; !one && i < n && i < w->limit; i++)
		waiting_row(&t, w, &rows[i]);
	if (n)
		cli_table(&w->out, &t, "  ");
	out_table_free(&t);
	if (n > w->limit && !one)
		wb_buf_printf(&w->out, "  and %zu more; --limit=0 shows all\n", n - w->limit);
}

/* ---- objects ---- */

static void object_row(out_table *t, const wtr_waited *o, const wtr_held *held)
{
	out_waited(out_cell(t, ""), o);
	out_count(out_cell(t, ""), o->n);
	out_duration(out_cell(t, ""), o->ns);
	out_duration(out_cell(t, ""), o->longest_ns);
	goroutine(t, o->longest_g);
	wb_buf *cell = out_cell(t, "");
	if (o->kind == WTR_OBJECT_CHAN)
		out_count(cell, o->n_full);
	cell = out_cell(t, "");
	if (o->n_select)
		out_count(cell, o->n_select);
	goroutine(t, o->waker);
	cell = out_cell(t, "");
	if (o->n_holders) {
		wb_buf_printf(cell, "G%lld, for ", (long long)held[o->first_holder].g);
		out_duration(cell, held[o->first_holder].ns);
		wb_buf_puts(cell, " of it");
	}
}

static void put_objects(answer *w)
{
	size_t n, n_held;
	const wtr_waited *o = wtr_waits_objects(w->w, &n);
	const wtr_held *held = wtr_waits_holders(w->w, &n_held);
	out_table t = { .n_columns = 9,
		.columns = { { "object", OUT_LEFT }, { "waits", OUT_RIGHT }, { "time", OUT_RIGHT },
			{ "longest", OUT_RIGHT }, { "of", OUT_RIGHT }, { "full", OUT_RIGHT },
			{ "in select", OUT_RIGHT }, { "woken by", OUT_RIGHT }, { "held most by", OUT_NAME } } };
	for (size_t i = 0; i < n && i < w->limit; i++)
		object_row(&t, &o[i], held);
	wb_buf_puts(&w->out, "\nwhat was waited for in the whole trace\n");
	cli_table(&w->out, &t, "  ");
	out_table_free(&t);
	if (n > w->limit)
		wb_buf_printf(&w->out, "  and %zu more; --limit=0 shows all\n", n - w->limit);
}

/* ---- both ---- */

static int print_json(answer *w)
{
	size_t limit = w->limit == SIZE_MAX ? 0 : w->limit;
	out_json j;
	out_json_to_buf(&j, &w->out, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_i64(&j, "at_ns", w->at_ns - w->totals.start_ns);
	if (cli_has(w->a, CLI_OPT_GOROUTINE)) {
		int64_t g = (int64_t)cli_number(w->a, CLI_OPT_GOROUTINE, 0);
		out_chain_json(&j, w->t, w->w, w->g, g, w->totals.start_ns);
	} else {
		out_graph_json(&j, w->t, w->g, limit, w->totals.start_ns);
		out_waited_json(&j, w->w, limit, w->totals.start_ns);
	}
	cli_damage_json(&j, w->x);
	out_json_object_end(&j);
	return cli_print_json(&j, &w->out);
}

static int print_text(answer *w)
{
	size_t n;
	wtr_waits_objects(w->w, &n);
	put_graph(w);
	if (n && !cli_has(w->a, CLI_OPT_GOROUTINE))
		put_objects(w);
	int rc = cli_flush(&w->out, true) ? CLI_OK : CLI_UNREADABLE;
	if (n == 0)
		cli_hint("the trace does not say what is waited for: traces of programs on libweft do");
	cli_warn_damage(w->a->operands[0], w->x);
	return rc;
}

/* The end of the trace unless asked for otherwise; the last event counts as before it. */
static int64_t moment(const answer *w)
{
	int64_t ns = 0;
	bool absolute = false;
	if (!cli_has(w->a, CLI_OPT_AT))
		return w->totals.end_ns > w->totals.start_ns ? w->totals.end_ns - 1 : w->totals.end_ns;
	cli_time(w->a->values[CLI_OPT_AT], &ns, &absolute);
	return absolute ? ns : w->totals.start_ns + ns;
}

static int answer_it(answer *w)
{
	wtr_error err = { 0 };
	wtr_get_totals(w->x, &w->totals);
	if (cli_has(w->a, CLI_OPT_GOROUTINE) && !wtr_goroutine(w->x, (int64_t)cli_number(w->a, CLI_OPT_GOROUTINE, 0)))
		return cli_usage(w->a->command, "the trace has no goroutine %s; weft goroutines lists them",
			w->a->values[CLI_OPT_GOROUTINE]);
	w->at_ns = moment(w);
	if (w->at_ns < w->totals.start_ns || w->at_ns > w->totals.end_ns)
		return cli_usage(w->a->command, "--at: that is not in the trace, which is 0s..%.9gs",
			(double)(w->totals.end_ns - w->totals.start_ns) / 1e9);
	if (wtr_waits_make(w->t, &w->w, &err) != WTR_OK ||
		wtr_graph_make(w->w, w->x, w->at_ns, &w->g, &err) != WTR_OK) {
		cli_error(w->a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	return cli_has(w->a, CLI_OPT_JSON) ? print_json(w) : print_text(w);
}

int cli_run_WAITS(const cli_args *a)
{
	bool json = cli_has(a, CLI_OPT_JSON);
	answer w = { .a = a, .limit = (size_t)cli_number(a, CLI_OPT_LIMIT, json ? 0 : ROWS_SHOWN) };
	if (w.limit == 0)
		w.limit = SIZE_MAX;
	w.x = cli_index(a, WTR_PART_LANES, &w.t);
	int rc = w.x ? answer_it(&w) : CLI_UNREADABLE;
	wtr_graph_free(w.g);
	wtr_waits_free(w.w);
	wtr_index_free(w.x);
	wtr_close(w.t);
	wb_buf_free(&w.out);
	return rc;
}
