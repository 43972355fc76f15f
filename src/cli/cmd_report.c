/* cli/cmd_report.c - a trace as one HTML page. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/writing.h"
#include "out/report.h"

enum { STEPS = 240 };

/* The sections ask different things; a filter is bound for each. */
enum { OF_GOROUTINES, OF_SPANS, OF_TASKS, OF_REGIONS, SCOPES };
static const wtr_about abouts[SCOPES] = { WTR_ABOUT_GOROUTINE, WTR_ABOUT_SPAN, WTR_ABOUT_TASK, WTR_ABOUT_REGION };

typedef struct answer {
	const cli_args *a;
	cli_scope scopes[SCOPES]; /* of the same time */
	bool without[SCOPES];     /* the filter asks what these have not: nothing matches */
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
	wtr_findings_query q = { .ranged = w->scopes[0].ranged,
		.from_ns = w->scopes[0].from_ns,
		.to_ns = w->scopes[0].to_ns,
		.where = w->scopes[OF_SPANS].where };
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
	bool ok = s && wtr_counters_where(w->t, w->scopes[OF_GOROUTINES].where, from, step, STEPS, s, NULL, &w->err) ==
			       WTR_OK;
	if (ok)
		out_report_counters(&w->b, &w->r, s, STEPS);
	wb_free(s);
	return ok;
}

static bool groups(answer *w)
{
	wb_arena arena = { 0 };
	out_group *g = NULL;
	size_t n = out_group_goroutines(w->t, w->x, w->scopes[OF_GOROUTINES].where, OUT_BY_START, &arena, &g);
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
			.ranged = w->scopes[0].ranged,
			.from_ns = w->scopes[0].from_ns,
			.to_ns = w->scopes[0].to_ns,
			.where = w->scopes[OF_SPANS].where };
		if (wtr_profile_make(w->t, &q, &p, &w->err) != WTR_OK)
			return false;
		bool ok = out_report_profile(&w->b, p);
		wtr_profile_free(p);
		if (!ok)
			return false;
	}
	return true;
}

static bool latencies(answer *w, unsigned of)
{
	wtr_latencies *l;
	wtr_about about = abouts[of];
	if (w->without[of])
		return true;
	wtr_latency_query q = { .about = about,
		.ranged = w->scopes[0].ranged,
		.from_ns = w->scopes[0].from_ns,
		.to_ns = w->scopes[0].to_ns,
		.where = w->scopes[of].where };
	if (wtr_latency_make(w->t, w->whole, &q, &l, &w->err) != WTR_OK)
		return false;
	out_report_latency(&w->b, l, about);
	wtr_latency_free(l);
	return true;
}

static bool make(answer *w)
{
	const char *path = cli_path(w->a->operands[0]), *slash = strrchr(path, '/');
	w->r = (out_report){
		.name = slash ? slash + 1 : path, .ranged = w->scopes[0].ranged, .filter = w->a->values[CLI_OPT_FILTER]
	};
	wtr_get_info(w->t, &w->r.info);
	wtr_get_totals(w->x, &w->r.totals);
	out_report_begin(&w->b, &w->r);
	bool ok = findings(w) && counters(w) && groups(w) && profiles(w) && latencies(w, OF_TASKS) &&
		  latencies(w, OF_REGIONS);
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
			fputs("weft: out of memory\n", cli_err());
		return rc;
	}
	if (!cli_writing_open(w->a, w->a->values[CLI_OPT_OUTPUT] ? w->a->values[CLI_OPT_OUTPUT] : "-", &to, &rc))
		return rc;
	cli_writing_put(&to, w->b.at, w->b.n);
	return cli_writing_close(&to, true) ? CLI_OK : CLI_UNREADABLE;
}

/* A filter must make sense of goroutines; tasks and regions are left out where it makes none of them. */
static int parse(answer *w)
{
	const char *filter = w->a->values[CLI_OPT_FILTER];
	int rc = CLI_OK;
	for (unsigned i = 0; rc == CLI_OK && i < SCOPES; i++) {
		wtr_where *probe = NULL;
		w->without[i] = i > OF_SPANS && filter &&
				wtr_where_parse(filter, strlen(filter), abouts[i], &probe, NULL) == WTR_E_USAGE;
		wtr_where_free(probe);
		if (!w->without[i])
			rc = cli_scope_parse(w->a, abouts[i], &w->scopes[i]);
	}
	return rc;
}

static unsigned parts(const answer *w)
{
	unsigned all = WTR_PART_EVENTS | WTR_PART_TOTALS;
	for (unsigned i = 0; i < SCOPES; i++)
		if (!w->without[i])
			all |= cli_scope_parts(&w->scopes[i]);
	return w->scopes[0].where ? all | WTR_PART_GOROUTINES : all;
}

static int bind(answer *w)
{
	int rc = CLI_OK;
	for (unsigned i = 0; rc == CLI_OK && i < SCOPES; i++)
		if (!w->without[i])
			rc = cli_scope_bind(&w->scopes[i], w->t, w->whole);
	return rc;
}

bool cli_report_ending(const cli_args *a, wb_buf *ret)
{
	(void)a;
	wb_buf_puts(ret, ".html");
	return true;
}

int cli_run_REPORT(const cli_args *a)
{
	answer w = { .a = a };
	int rc = parse(&w);
	wtr_index *x = rc == CLI_OK ? cli_index(a, parts(&w), &w.t) : NULL;
	if (rc == CLI_OK && !x)
		rc = CLI_UNREADABLE;
	w.x = x;
	w.whole = x;
	if (rc == CLI_OK)
		rc = bind(&w);
	if (rc == CLI_OK && w.scopes[0].ranged &&
		wtr_index_build_within(w.t, WTR_PART_TOTALS | WTR_PART_GOROUTINES, w.scopes[0].from_ns,
			w.scopes[0].to_ns, &w.x, &w.err) != WTR_OK) {
		cli_error(a->operands[0], &w.err);
		rc = CLI_UNREADABLE;
	}
	if (rc == CLI_OK)
		rc = write(&w);
	if (rc == CLI_OK)
		cli_scope_note(&w.scopes[OF_GOROUTINES], /* once= */ false);
	cli_progress_done();
	wb_buf_free(&w.b);
	if (w.x != x)
		wtr_index_free(w.x);
	for (unsigned i = 0; i < SCOPES; i++)
		cli_scope_free(&w.scopes[i]);
	wtr_index_free(x);
	wtr_close(w.t);
	return rc;
}
