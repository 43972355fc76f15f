/* cli/cmd_report.c - a trace as one HTML page. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/writing.h"
#include "out/report.h"

enum { STEPS = 240 };

typedef struct answer {
	const cli_args *a;
	cli_scope scope;
	wtr_trace *t;
	wtr_index *x; /* of the range, if there is one */
	const wtr_index *whole;
	out_report r;
	wb_buf b;
	wtr_error err;
} answer;

static bool findings(answer *w)
{
	wtr_findings *f;
	wtr_findings_query q = { .ranged = w->scope.ranged, .from_ns = w->scope.from_ns, .to_ns = w->scope.to_ns };
	if (wtr_findings_make(w->t, &q, &f, &w->err) != WTR_OK)
		return false;
	out_report_findings(&w->b, &w->r, f);
	wtr_findings_free(f);
	return true;
}

static bool counters(answer *w)
{
	wtr_counter_step *s = wb_calloc(STEPS, sizeof(*s));
	int64_t from = w->r.totals.from_ns, step = (w->r.totals.to_ns - from) / STEPS + 1;
	bool ok = s && wtr_counters(w->t, from, step, STEPS, s, NULL, &w->err) == WTR_OK;
	if (ok)
		out_report_counters(&w->b, &w->r, s, STEPS);
	wb_free(s);
	return ok;
}

static bool groups(answer *w)
{
	wb_arena arena = { 0 };
	out_group *g = NULL;
	size_t n = out_group_goroutines(w->t, w->x, NULL, OUT_BY_START, &arena, &g);
	bool ok = !arena.failed;
	if (ok)
		out_report_groups(&w->b, g, n);
	wb_arena_free(&arena);
	return ok;
}

static bool profiles(answer *w)
{
	static const wtr_profile_kind kinds[] = { WTR_PROFILE_CPU, WTR_PROFILE_SCHED, WTR_PROFILE_SYNC, WTR_PROFILE_NET,
		WTR_PROFILE_SYSCALL, WTR_PROFILE_CREATE };
	out_report_profiles(&w->b);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		wtr_profile *p;
		wtr_profile_query q = { .kind = kinds[i],
			.ranged = w->scope.ranged,
			.from_ns = w->scope.from_ns,
			.to_ns = w->scope.to_ns };
		if (wtr_profile_make(w->t, &q, &p, &w->err) != WTR_OK)
			return false;
		bool ok = out_report_profile(&w->b, p);
		wtr_profile_free(p);
		if (!ok)
			return false;
	}
	return true;
}

static bool latencies(answer *w, wtr_about about)
{
	wtr_latencies *l;
	wtr_latency_query q = {
		.about = about, .ranged = w->scope.ranged, .from_ns = w->scope.from_ns, .to_ns = w->scope.to_ns
	};
	if (wtr_latency_make(w->t, w->whole, &q, &l, &w->err) != WTR_OK)
		return false;
	out_report_latency(&w->b, l, about);
	wtr_latency_free(l);
	return true;
}

static bool make(answer *w)
{
	const char *path = cli_path(w->a->operands[0]), *slash = strrchr(path, '/');
	w->r = (out_report){ .name = slash ? slash + 1 : path, .ranged = w->scope.ranged };
	wtr_get_info(w->t, &w->r.info);
	wtr_get_totals(w->x, &w->r.totals);
	out_report_begin(&w->b, &w->r);
	bool ok = findings(w) && counters(w) && groups(w) && profiles(w) && latencies(w, WTR_ABOUT_TASK) &&
		  latencies(w, WTR_ABOUT_REGION);
	out_report_end(&w->b);
	return ok && !w->b.failed;
}

static int write(answer *w)
{
	cli_writing to;
	int rc = CLI_UNREADABLE;
	if (!make(w)) {
		if (w->err.code != WTR_OK)
			cli_error(w->a->operands[0], &w->err);
		else
			fputs("weft: out of memory\n", stderr);
		return rc;
	}
	if (!cli_writing_open(w->a, w->a->values[CLI_OPT_OUTPUT] ? w->a->values[CLI_OPT_OUTPUT] : "-", &to, &rc))
		return rc;
	cli_writing_put(&to, w->b.at, w->b.n);
	return cli_writing_close(&to, true) ? CLI_OK : CLI_UNREADABLE;
}

int cli_run_REPORT(const cli_args *a)
{
	answer w = { .a = a };
	int rc = cli_scope_parse(a, WTR_ABOUT_GOROUTINE, &w.scope);
	if (rc != CLI_OK)
		return rc;
	wtr_index *x = cli_index(a, WTR_PART_EVENTS | WTR_PART_TOTALS, &w.t);
	rc = x ? cli_scope_bind(&w.scope, w.t, x) : CLI_UNREADABLE;
	w.x = x;
	w.whole = x;
	if (rc == CLI_OK && w.scope.ranged &&
		wtr_index_build_within(w.t, WTR_PART_TOTALS | WTR_PART_GOROUTINES, w.scope.from_ns, w.scope.to_ns, &w.x,
			&w.err) != WTR_OK) {
		cli_error(a->operands[0], &w.err);
		rc = CLI_UNREADABLE;
	}
	if (rc == CLI_OK)
		rc = write(&w);
	cli_progress_done();
	wb_buf_free(&w.b);
	if (w.x != x)
		wtr_index_free(w.x);
	cli_scope_free(&w.scope);
	wtr_index_free(x);
	wtr_close(w.t);
	return rc;
}
