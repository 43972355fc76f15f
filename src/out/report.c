/* out/report.c - see report.h. */
#include "out/report.h"

#include <stdlib.h>
#include <string.h>

#include "out/finding.h"
#include "out/gotext.h"
#include "out/html.h"
#include "out/reportfiles.h"
#include "out/units.h"

enum { GROUPS_SHOWN = 50, TYPES_SHOWN = 30, HISTOGRAMS = 8 };

static void text(wb_buf *b, const char *s)
{
	out_html(b, s, strlen(s));
}

static void lines(wb_buf *b, const char *const *file)
{
	for (; *file; file++)
		wb_buf_puts(b, *file);
}

static void str(wb_buf *b, wtr_str s, const char *otherwise)
{
	if (s.n)
		out_html(b, s.at, s.n);
	else
		wb_buf_printf(b, "<span class=dim>%s</span>", otherwise);
}

static void duration_cell(wb_buf *b, int64_t ns)
{
	wb_buf_puts(b, "<td>");
	if (ns)
		out_duration(b, ns);
	else
		wb_buf_puts(b, "<span class=dim>-</span>");
}

static void count_cell(wb_buf *b, uint64_t n)
{
	wb_buf_puts(b, "<td>");
	out_count(b, n);
}

static void more(wb_buf *b, size_t n, size_t shown)
{
	if (n <= shown)
		return;
	wb_buf_puts(b, "<p class=dim>");
	out_count(b, n - shown);
	wb_buf_puts(b, " more are not shown.</p>\n");
}

/* ---- head ---- */

/* Ends the fact before, if there is one. */
static void fact(wb_buf *b, const char *name)
{
	wb_buf_printf(b, "%s<div><dt>%s</dt><dd>", b->n && b->at[b->n - 1] == '>' ? "" : "</dd></div>", name);
}

static void facts(wb_buf *b, const wtr_totals *t)
{
	wb_buf_puts(b, "<dl>");
	fact(b, "time");
	out_duration(b, t->to_ns - t->from_ns);
	fact(b, "events");
	out_count(b, t->events);
	fact(b, "goroutines");
	out_count(b, t->goroutines);
	fact(b, "procs");
	out_count(b, t->procs);
	fact(b, "collections");
	out_count(b, t->gc_count);
	fact(b, "time in mark phases");
	out_duration(b, t->gc_mark_ns);
	fact(b, "world stopped");
	out_duration(b, t->stw_ns);
	fact(b, "longest stop");
	out_duration(b, t->stw_longest_ns);
	if (t->heap_samples) {
		fact(b, "largest heap");
		out_bytes(b, t->heap_max_bytes);
	}
	wb_buf_puts(b, "</dd></div></dl>\n");
}

static void about(wb_buf *b, const out_report *r)
{
	const wtr_totals *t = &r->totals;
	wb_buf_puts(b, "<p class=dim>");
	text(b, r->info.written_by);
	wb_buf_puts(b, ", ");
	out_bytes(b, r->info.file_bytes);
	if (t->has_wall) {
		wb_buf_puts(b, ", from ");
		out_rfc3339(b, t->wall_start_ns + (t->from_ns - t->start_ns));
	}
	if (r->ranged) {
		wb_buf_puts(b, ", only ");
		out_seconds(b, t->from_ns - t->start_ns);
		wb_buf_puts(b, " to ");
		out_seconds(b, t->to_ns - t->start_ns);
	}
	if (r->filter) {
		wb_buf_puts(b, ", only what matches ");
		text(b, r->filter);
	}
	wb_buf_puts(b, "</p>\n");
	if (t->end.code == WTR_OK)
		return;
	wb_buf_puts(b, "<p class=bad>Damaged: ");
	text(b, t->end.what[0] ? t->end.what : wtr_strerror(t->end.code));
	wb_buf_puts(b, ". The report covers what stands before it.</p>\n");
}

void out_report_begin(wb_buf *b, const out_report *r)
{
	wb_buf_puts(b,
		"<!doctype html>\n<html lang=en><head><meta charset=utf-8>\n"
		"<meta name=viewport content=\"width=device-width\">\n"
		"<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
		"script-src 'unsafe-inline'\">\n<title>");
	text(b, r->name);
	wb_buf_puts(b, " - trace report</title>\n<style>\n");
	lines(b, report_css);
	wb_buf_puts(b, "</style></head><body>\n<header><h1>");
	text(b, r->name);
	wb_buf_puts(b, "</h1>\n");
	about(b, r);
	facts(b, &r->totals);
	wb_buf_puts(b,
		"</header>\n<nav><a href=#findings>Findings</a><a href=#time>Over time</a><a "
		"href=#goroutines>Goroutines</a>"
		"<a href=#profiles>Where time went</a><a href=#annotations>Tasks and regions</a></nav>\n<main>\n");
}

void out_report_end(wb_buf *b)
{
	wb_buf_puts(b, "</main>\n<footer>Made by <code>weft report</code>. The page is whole: it loads nothing, and "
		       "nothing of "
		       "it goes anywhere.</footer>\n<script>\n");
	lines(b, report_js);
	wb_buf_puts(b, "</script>\n</body></html>\n");
}

/* ---- findings ---- */

static void finding(wb_buf *b, const out_report *r, const wtr_finding *d)
{
	wb_buf sentence = { 0 };
	out_finding_sentence(&sentence, d);
	wb_buf_printf(b,
		"<div class=finding><div class=\"severity%s\">%u</div><div><h3 style=\"margin:0\">%s%s</h3><p>",
		d->severity >= 75   ? " much"
		: d->severity >= 50 ? " some"
				    : "",
		d->severity, d->rule->title, d->probable ? " <span class=dim>(probable)</span>" : "");
	out_html(b, sentence.at, sentence.n);
	wb_buf_puts(b, ".</p><p class=dim>");
	text(b, d->rule->why);
	wb_buf_puts(b, "</p><p class=dim>Next: ");
	text(b, d->rule->next);
	wb_buf_puts(b, "</p>");
	if (d->n_ranges) {
		wb_buf_puts(b, "<p class=dim>At <code>--range=");
		out_duration(b, d->ranges[0].from_ns - r->totals.start_ns);
		wb_buf_puts(b, "..");
		out_duration(b, d->ranges[0].to_ns - r->totals.start_ns);
		wb_buf_puts(b, "</code></p>");
	}
	wb_buf_puts(b, "</div></div>\n");
	b->failed |= sentence.failed;
	wb_buf_free(&sentence);
}

void out_report_findings(wb_buf *b, const out_report *r, const wtr_findings *f)
{
	wtr_findings_totals t;
	wtr_findings_get_totals(f, &t);
	wb_buf_puts(b, "<section id=findings><h2>Findings</h2>\n");
	for (size_t i = 0; i < t.n; i++)
		finding(b, r, wtr_findings_get(f, i));
	if (t.n == 0)
		wb_buf_puts(b, "<p>Nothing odd was found.</p>\n");
	wb_buf_puts(b, "</section>\n");
}

/* ---- over time ---- */

static out_series series(const wtr_counter_step *s, wtr_counter c, const char *title, const char *colour)
{
	return (out_series){ title, colour, &s->most[c], sizeof(*s) / sizeof(int64_t) };
}

void out_report_counters(wb_buf *b, const out_report *r, const wtr_counter_step *s, size_t n)
{
	int64_t from = r->totals.from_ns - r->totals.start_ns, to = r->totals.to_ns - r->totals.start_ns;
	const out_series running[] = { series(s, WTR_COUNTER_RUNNING, "running", "running"),
		series(s, WTR_COUNTER_SYSCALL, "in a system call", "syscall"),
		series(s, WTR_COUNTER_RUNNABLE, "ready, waiting for a proc", "runnable") };
	const out_series waiting[] = { series(s, WTR_COUNTER_WAITING, "waiting", "blocked"),
		series(s, WTR_COUNTER_GC_WAITING, "waiting in a mark assist", "gc") };
	const out_series heap[] = { series(s, WTR_COUNTER_HEAP, "in use", "network"),
		series(s, WTR_COUNTER_GOAL, "goal of the next collection", "gc") };
	wb_buf_puts(b, "<section id=time><h2>Over time</h2>\n<p class=dim>Of each step, the most at once.</p>\n");
	out_html_plot(b, "Goroutines that run or want to", running, 3, n, true, false, from, to);
	out_html_plot(b, "Goroutines that wait", waiting, 2, n, true, false, from, to);
	if (r->totals.heap_samples)
		out_html_plot(b, "Heap", heap, 2, n, false, true, from, to);
	wb_buf_puts(b, "</section>\n");
}

/* ---- groups ---- */

static int most_running(const void *a, const void *b)
{
	const out_group *x = a, *y = b;
	if (x->exec_ns != y->exec_ns)
		return x->exec_ns > y->exec_ns ? -1 : 1;
	return x->first_id < y->first_id ? -1 : x->first_id > y->first_id;
}

static void bar(wb_buf *b, const out_group *g)
{
	const struct {
		const char *name;
		int64_t ns;
	} parts[] = { { "running", g->exec_ns }, { "syscall", g->syscall_ns + g->syscall_block_ns },
		{ "runnable", g->sched_ns }, { "blocked", g->block_ns } };
	int64_t all = 0;
	for (size_t i = 0; i < 4; i++)
		all += parts[i].ns;
	wb_buf_puts(b, "<td><div class=bar>");
	for (size_t i = 0; i < 4 && all > 0; i++)
		if (parts[i].ns > 0)
			wb_buf_printf(b, "<i class=%s style=\"width:%.2f%%\" title=\"%s %.1f %%\"></i>", parts[i].name,
				100 * (double)parts[i].ns / (double)all, parts[i].name,
				100 * (double)parts[i].ns / (double)all);
	wb_buf_puts(b, "</div>");
}

void out_report_groups(wb_buf *b, out_group *groups, size_t n)
{
	if (n)
		qsort(groups, n, sizeof(*groups), most_running);
	wb_buf_puts(b, "<section id=goroutines><h2>Goroutines by start function</h2>\n<div class=legend><span><i "
		       "class=running></i>running</span>"
		       "<span><i class=syscall></i>system calls</span><span><i class=runnable></i>ready, waiting for a "
		       "proc</span>"
		       "<span><i class=blocked></i>waiting</span></div>\n<div "
		       "class=wide><table><tr><th>goroutines<th>running<th>ready"
		       "<th>waiting<th>system calls<th>total<th>share<th>start function</tr>\n");
	for (size_t i = 0; i < n && i < GROUPS_SHOWN; i++) {
		wb_buf_puts(b, "<tr>");
		count_cell(b, groups[i].n);
		duration_cell(b, groups[i].exec_ns);
		duration_cell(b, groups[i].sched_ns);
		duration_cell(b, groups[i].block_ns);
		duration_cell(b, groups[i].syscall_ns + groups[i].syscall_block_ns);
		duration_cell(b, groups[i].total_ns);
		bar(b, &groups[i]);
		wb_buf_puts(b, "<td><code>");
		str(b, groups[i].name, "not known");
		wb_buf_puts(b, "</code></tr>\n");
	}
	wb_buf_puts(b, "</table></div>\n");
	more(b, n, GROUPS_SHOWN);
	wb_buf_puts(b, "</section>\n");
}

/* ---- profiles ---- */

void out_report_profiles(wb_buf *b)
{
	wb_buf_puts(b, "<h2 id=profiles>Where time went</h2>\n<p class=dim>The outermost function is on top; a box is "
		       "as wide as the "
		       "time under it. Click one to look closer. Colours go by package, the runtime is grey.</p>\n");
}

bool out_report_profile(wb_buf *b, const wtr_profile *p)
{
	static const char *const titles[] = {
#define TITLE(ID, name, count, ns, doc) doc,
		WTR_PROFILES(TITLE)
#undef TITLE
	};
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	if (t.count == 0)
		return true;
	wb_buf_printf(b, "<section><h3>%s <span class=dim>(%s: ", titles[t.kind], wtr_profile_name(t.kind));
	if (wtr_profile_value(t.kind, 1)[0]) {
		out_duration(b, t.ns);
		wb_buf_puts(b, " in ");
	}
	out_count(b, t.count);
	wb_buf_printf(b, " %s)</span></h3>\n", wtr_profile_value(t.kind, 0));
	bool ok = out_html_flame(b, p);
	wb_buf_puts(b, "</section>\n");
	return ok;
}

/* ---- tasks, regions ---- */

static void type_row(wb_buf *b, const wtr_latency_group *g, bool regions)
{
	wb_buf_puts(b, "<tr>");
	count_cell(b, g->n);
	count_cell(b, g->complete);
	duration_cell(b, g->min_ns);
	duration_cell(b, g->p50_ns);
	duration_cell(b, g->p90_ns);
	duration_cell(b, g->p99_ns);
	duration_cell(b, g->max_ns);
	wb_buf_puts(b, "<td>");
	str(b, g->name, "no type");
	if (regions) {
		wb_buf_puts(b, " <code class=dim>");
		out_html(b, g->func.at, g->func.n);
		wb_buf_puts(b, "</code>");
	}
	wb_buf_puts(b, "</tr>\n");
}

void out_report_latency(wb_buf *b, const wtr_latencies *l, wtr_about about_what)
{
	const wtr_latency_group *g;
	size_t n = wtr_latency_groups(l, &g);
	bool regions = about_what == WTR_ABOUT_REGION;
	wb_buf_printf(
		b, "<section%s><h2>User %s</h2>\n", regions ? "" : " id=annotations", regions ? "regions" : "tasks");
	if (n == 0) {
		wb_buf_printf(b, "<p>The program has no user %s.</p></section>\n", regions ? "regions" : "tasks");
		return;
	}
	wb_buf_printf(b,
		"<div class=wide><table><tr><th>%s<th>complete<th>min<th>p50<th>p90<th>p99<th>max<th>type</tr>\n",
		regions ? "regions" : "tasks");
	for (size_t i = 0; i < n && i < TYPES_SHOWN; i++)
		type_row(b, &g[i], regions);
	wb_buf_puts(b, "</table></div>\n");
	more(b, n, TYPES_SHOWN);
	wb_buf_puts(b, "<details><summary>How many took how long</summary>\n");
	for (size_t i = 0; i < n && i < HISTOGRAMS; i++) {
		wb_buf_puts(b, "<h3>");
		str(b, g[i].name, "no type");
		wb_buf_puts(b, "</h3>\n");
		out_html_histogram(b, g[i].buckets);
	}
	wb_buf_puts(b, "</details></section>\n");
}
