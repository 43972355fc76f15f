/* an/find/rule_health.c - the trace itself: what is lost, how dense it is, and whether the procs stay the same. */
#include <string.h>

#include "an/find/find.h"

enum { LOST_LEAST = 2 }; /* percent: any loss is told */

static void losses(an_find *f, const wtr_findings_totals *t, const wtr_info *info)
{
	uint64_t lost = t->losses.bytes > info->lost_bytes ? t->losses.bytes : info->lost_bytes;
	double percent = info->trace_bytes ? 100 * (double)lost / (double)info->trace_bytes : 0;
	bool broken = t->end.code != WTR_OK;
	if (!broken && lost == 0 && info->damage.code == WTR_OK)
		return;
	wtr_finding *d = an_found(f, AN_RULE_HEALTH, broken ? AN_FORM_HEALTH_BROKEN : AN_FORM_HEALTH_LOSSY,
		percent > LOST_LEAST ? percent : LOST_LEAST);
	if (!d)
		return;
	const char *what = t->end.what;
	uint32_t text = wb_intern_add(&f->follow.stacks.texts, what, strlen(what));
	wb_text kept = wb_intern_text(&f->follow.stacks.texts, text);
	f->follow.oom |= text == WB_INTERN_NONE;
	an_found_count(d, "events", t->events);
	an_found_text(d, "what", (wtr_str){ kept.at, kept.n });
	an_found_bytes(d, "lost", lost);
	an_found_percent(d, "percent", percent, 100);
	if (t->to_ns > t->from_ns)
		an_found_range(d, t->to_ns - 1, t->to_ns);
	an_found_of(d, info->trace_bytes - (lost < info->trace_bytes ? lost : info->trace_bytes), info->trace_bytes,
		"bytes");
}

static void density(an_find *f, const wtr_findings_totals *t, const wtr_info *info)
{
	enum { SPAN_LEAST = 10000000 }; /* shorter traces are mostly tables */
	int64_t span = t->to_ns - t->from_ns;
	if (span < SPAN_LEAST || f->q.ranged)
		return;
	double rate = (double)info->trace_bytes / 1e6 / ((double)span / 1e9);
	wtr_finding *d = an_found(f, AN_RULE_DENSE, AN_FORM_DENSE_RATE, rate);
	if (!d)
		return;
	an_found_bytes(d, "rate", (uint64_t)(rate * 1e6));
	an_found_count(d, "events", t->events);
	an_found_ns(d, "span", span);
	an_found_of(d, t->events, t->events, "events");
}

static void procs(an_find *f)
{
	const an_world *w = &f->world;
	double seconds = (double)(w->to_ns - w->from_ns) / 1e9;
	wtr_finding *d = w->procs_changes == 0 ? NULL
					       : an_found(f, AN_RULE_PROCS, AN_FORM_PROCS_CHANGES,
							 (double)w->procs_changes / (seconds > 1 ? seconds : 1));
	if (!d)
		return;
	an_found_count(d, "changes", (uint64_t)w->procs_changes);
	an_found_count(d, "least", (uint64_t)w->procs_least);
	an_found_count(d, "most", (uint64_t)w->procs_most);
	an_found_of(d, (uint64_t)w->procs_changes, (uint64_t)w->procs_changes, "changes");
}

void an_health_report(an_find *f, const wtr_findings_totals *t)
{
	wtr_info info;
	wtr_get_info(f->follow.trace, &info);
	losses(f, t, &info);
	density(f, t, &info);
	procs(f);
}
