/* out/report.h - a trace as one HTML page that needs nothing else: no network, no server.
 *
 * begin, then sections in any order, then end.  Times are told since the first event.
 */
#ifndef OUT_REPORT_H
#define OUT_REPORT_H

#include <wtr/counters.h>
#include <wtr/findings.h>
#include <wtr/latency.h>
#include <wtr/open.h>
#include <wtr/profile.h>

#include "base/buf.h"
#include "out/grouping.h"

typedef struct out_report {
	const char *name; /* of the file, without its folders: a report is for others, too */
	wtr_info info;
	wtr_totals totals; /* of the part that the report is about */
	bool ranged;
	const char *filter; /* NULL: none */
} out_report;

void out_report_begin(wb_buf *b, const out_report *r);
void out_report_findings(wb_buf *b, const out_report *r, const wtr_findings *f);
void out_report_counters(wb_buf *b, const out_report *r, const wtr_counter_step *s, size_t n);
/* Most running time first. */
void out_report_groups(wb_buf *b, out_group *groups, size_t n);
/* Begins the section of profiles; then each of them.  False: out of memory. */
void out_report_profiles(wb_buf *b);
bool out_report_profile(wb_buf *b, const wtr_profile *p);
/* Tasks or regions by type; nothing when there are none. */
void out_report_latency(wb_buf *b, const wtr_latencies *l, wtr_about about);
void out_report_end(wb_buf *b);

#endif
