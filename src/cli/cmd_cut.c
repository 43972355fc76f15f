/* cli/cmd_cut.c - traces made of traces: cut, repaired, joined. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/edit.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/writing.h"
#include "out/units.h"

static int say(const cli_args *a, const char *out, const wtr_edit_result *r)
{
	if (strcmp(out, "-") == 0)
		return CLI_OK;
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_json_put_u64(&j, "events", r->events);
		out_json_put_u64(&j, "added", r->added);
		out_json_put_u64(&j, "left_out", r->left_out);
		out_json_put_u64(&j, "generations", r->generations);
		out_json_put_u64(&j, "bytes", r->bytes);
		out_json_put_i64(&j, "duration_ns", r->end_ns - r->start_ns);
		out_json_key(&j, "end");
		if (r->end.code == WTR_OK)
			out_json_null(&j);
		else
			cli_error_json(&j, &r->end);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	out_counted(&b, r->events, "event", "events");
	wb_buf_puts(&b, " over ");
	out_duration(&b, r->end_ns - r->start_ns);
	wb_buf_puts(&b, ", ");
	out_bytes(&b, r->bytes);
	wb_buf_puts(&b, "; ");
	out_count(&b, r->added);
	wb_buf_puts(&b, " of them added, ");
	out_count(&b, r->left_out);
	wb_buf_puts(&b, " left out\n");
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

/* Ends what has been written, and says how it went. */
static int end(const cli_args *a, cli_writing *w, wtr_code code, const wtr_edit_result *r, const wtr_error *err)
{
	if (!cli_writing_close(w, code == WTR_OK))
		return CLI_UNREADABLE;
	if (code != WTR_OK) {
		if (a->command == &cli_commands[CLI_CMD_MERGE]) /* it names the trace itself */
			fprintf(cli_err(), "weft: %s\n", err->what);
		else
			cli_error(a->operands[0], err);
		return code == WTR_E_USAGE ? CLI_USAGE : CLI_UNREADABLE;
	}
	if (r->end.code != WTR_OK && !cli_has(a, CLI_OPT_JSON)) {
		cli_error(a->operands[0], &r->end);
		cli_hint("what stands before it was written");
	}
	return say(a, w->path, r);
}

/* Opens what is to be read; NULL: *ret_status is the exit status. */
static wtr_trace *open_input(const cli_args *a, const char *path, bool repair, int *ret_status)
{
	wtr_options opt = {
		.damage = repair ? WTR_REPAIR : WTR_AS_GO,
		.threads = cli_threads(a),
		.progress = cli_progress,
	};
	wtr_trace *t;
	wtr_error err = { 0 };
	if (wtr_open(path, &opt, &t, &err) == WTR_OK)
		return t;
	cli_error(path, &err);
	*ret_status = CLI_UNREADABLE;
	return NULL;
}

/* ---- cut ---- */

/* Ids of goroutines, sorted. */
typedef struct chosen {
	int64_t *ids;
	size_t n;
} chosen;

static int by_id(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static bool is_chosen(void *user, int64_t g)
{
	const chosen *c = user;
	return c->n && bsearch(&g, c->ids, c->n, sizeof(g), by_id) != NULL;
}

/* What is wrong with the text of an option. */
static int wrong(const char *option, const wtr_error *err)
{
	cli_progress_done();
	fprintf(cli_err(), "weft: --%s: %s\n", option, err->what[0] ? err->what : wtr_strerror(err->code));
	return err->code == WTR_E_USAGE ? CLI_USAGE : CLI_UNREADABLE;
}

static int choose(wtr_where *w, const wtr_index *x, chosen *ret)
{
	size_t n = wtr_table_rows(x, WTR_TABLE_GOROUTINES);
	const wtr_goroutine_row *g = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	ret->ids = wb_malloc((n ? n : 1) * sizeof(*ret->ids));
	if (!ret->ids) {
		fputs("weft: out of memory\n", cli_err());
		return CLI_UNREADABLE;
	}
	for (size_t i = 0; i < n; i++)
		if (wtr_where_goroutine(w, &g[i]))
			ret->ids[ret->n++] = g[i].id;
	qsort(ret->ids, ret->n, sizeof(*ret->ids), by_id);
	if (ret->n)
		return CLI_OK;
	fputs("weft: --goroutines: no goroutine of the trace matches\n", cli_err());
	cli_hint("weft goroutines lists them, with --filter those that match");
	return CLI_USAGE;
}

static int choose_goroutines(const char *filter, wtr_trace *t, chosen *ret)
{
	wtr_error err = { 0 };
	wtr_where *w;
	wtr_index *x;
	if (wtr_where_parse(filter, strlen(filter), WTR_ABOUT_GOROUTINE, &w, &err) != WTR_OK)
		return wrong("goroutines", &err);
	if (wtr_index_build(t, WTR_PART_TOTALS | WTR_PART_GOROUTINES | wtr_where_parts(w), &x, &err) != WTR_OK) {
		wtr_where_free(w);
		return wrong("goroutines", &err);
	}
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	int rc = wtr_where_bind(w, t, x, &totals, &err) == WTR_OK ? choose(w, x, ret) : wrong("goroutines", &err);
	wtr_where_free(w);
	wtr_index_free(x);
	return rc;
}

/* The totals that a period asks for: without reading the whole trace where its beginning is enough. */
static wtr_code totals_for(const wtr_period *p, wtr_trace *t, wtr_totals *ret, wtr_error *err)
{
	*ret = (wtr_totals){ .start_ns = cli_start_ns(t), .end_ns = INT64_MAX - 1 };
	if (!wtr_period_needs_totals(p))
		return WTR_OK;
	wtr_index *x;
	wtr_code rc = wtr_index_build(t, WTR_PART_TOTALS, &x, err);
	if (rc != WTR_OK)
		return rc;
	wtr_get_totals(x, ret);
	wtr_index_free(x);
	return WTR_OK;
}

static int choose_range(const char *range, wtr_trace *t, wtr_cut_options *cut)
{
	wtr_error err = { 0 };
	wtr_period p;
	wtr_totals totals;
	if (wtr_period_parse(range, strlen(range), &p, &err) != WTR_OK || totals_for(&p, t, &totals, &err) != WTR_OK ||
		wtr_period_resolve(&p, &totals, &cut->from_ns, &cut->to_ns, &err) != WTR_OK)
		return wrong("range", &err);
	cut->has_from = p.from.kind != WTR_MOMENT_NONE;
	cut->has_to = p.to.kind != WTR_MOMENT_NONE;
	return CLI_OK;
}

/* The range that was wrong, with the one that there is. */
static int outside(const char *range, wtr_trace *t)
{
	wtr_error err = { 0 };
	wtr_index *x;
	wtr_totals totals = { 0 };
	if (wtr_index_build(t, WTR_PART_TOTALS, &x, &err) != WTR_OK)
		return wrong("range", &err);
	wtr_get_totals(x, &totals);
	wtr_index_free(x);
	cli_progress_done();
	fprintf(cli_err(), "weft: --range: there is no event in %s; the trace is 0s..%.9gs\n", range,
		(double)(totals.end_ns - totals.start_ns) / 1e9);
	return CLI_USAGE;
}

static int cut_to(const cli_args *a, wtr_trace *t, const wtr_cut_options *cut)
{
	cli_writing w;
	wtr_edit_result r;
	wtr_error err = { 0 };
	int status = CLI_OK;
	if (!cli_writing_open(a, a->operands[1], &w, &status))
		return status;
	wtr_code code = wtr_cut(t, cut, cli_writing_put, &w, &r, &err);
	if (code == WTR_E_USAGE && err.rule && strcmp(err.rule, "range") == 0 && cli_has(a, CLI_OPT_RANGE)) {
		cli_writing_close(&w, /* keep= */ false);
		return outside(a->values[CLI_OPT_RANGE], t);
	}
	return end(a, &w, code, &r, &err);
}

int cli_run_CUT(const cli_args *a)
{
	wtr_cut_options cut = { 0 };
	chosen goroutines = { 0 };
	int status = CLI_OK;
	if (cli_has(a, CLI_OPT_KINDS) && !cli_kinds(a, CLI_OPT_KINDS, &cut.kinds))
		return CLI_USAGE;
	wtr_trace *t = open_input(a, a->operands[0], cli_has(a, CLI_OPT_REPAIR), &status);
	if (!t)
		return status;
	if (cli_has(a, CLI_OPT_RANGE))
		status = choose_range(a->values[CLI_OPT_RANGE], t, &cut);
	if (status == CLI_OK && cli_has(a, CLI_OPT_GOROUTINES)) {
		status = choose_goroutines(a->values[CLI_OPT_GOROUTINES], t, &goroutines);
		cut.goroutine = is_chosen;
		cut.user = &goroutines;
	}
	if (status == CLI_OK)
		status = cut_to(a, t, &cut);
	wb_free(goroutines.ids);
	wtr_close(t);
	return status;
}

/* ---- the others ---- */

int cli_run_REPAIR(const cli_args *a)
{
	int status = CLI_OK;
	cli_writing w;
	wtr_edit_result r;
	wtr_error err = { 0 };
	wtr_trace *t = open_input(a, a->operands[0], true, &status);
	if (t && cli_writing_open(a, a->operands[1], &w, &status)) {
		wtr_code code = wtr_repair(t, cli_writing_put, &w, &r, &err);
		status = end(a, &w, code, &r, &err);
	}
	wtr_close(t);
	return status;
}

int cli_run_MERGE(const cli_args *a)
{
	wtr_trace *traces[CLI_OPERANDS_MAX] = { 0 };
	size_t n = a->n_operands - 1;
	int status = CLI_OK;
	cli_writing w;
	wtr_edit_result r;
	wtr_error err = { 0 };
	for (size_t i = 0; i < n && status == CLI_OK; i++)
		traces[i] = open_input(a, a->operands[i + 1], false, &status);
	if (status == CLI_OK && cli_writing_open(a, a->operands[0], &w, &status)) {
		wtr_code code = wtr_merge(traces, n, cli_writing_put, &w, &r, &err);
		status = end(a, &w, code, &r, &err);
	}
	for (size_t i = 0; i < n; i++)
		wtr_close(traces[i]);
	return status;
}

static int say_anonymized(const cli_args *a, const wtr_anonymize_result *r)
{
	if (!cli_has(a, CLI_OPT_JSON)) {
		if (r->lost_bytes)
			cli_hint("%llu bytes of the trace are no records, and were left out",
				(unsigned long long)r->lost_bytes);
		return CLI_OK;
	}
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_put_u64(&j, "bytes", r->bytes);
	out_json_put_u64(&j, "lost_bytes", r->lost_bytes);
	out_json_object_end(&j);
	return cli_print_json(&j, &b);
}

int cli_run_ANONYMIZE(const cli_args *a)
{
	int status = CLI_OK;
	cli_writing w;
	wtr_anonymize_result r;
	wtr_error err = { 0 };
	wtr_options opt = { .threads = cli_threads(a), .progress = cli_progress };
	if (!cli_writing_open(a, a->operands[1], &w, &status))
		return status;
	wtr_code code = wtr_anonymize(a->operands[0], &opt, cli_writing_put, &w, &r, &err);
	if (!cli_writing_close(&w, code == WTR_OK))
		return CLI_UNREADABLE;
	if (code == WTR_OK)
		return say_anonymized(a, &r);
	cli_error(a->operands[0], &err);
	return CLI_UNREADABLE;
}
