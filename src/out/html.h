/* out/html.h - pieces of an HTML page that stands by itself. */
#ifndef OUT_HTML_H
#define OUT_HTML_H

#include <wtr/profile.h>

#include "base/buf.h"

/* A text of a trace, between tags or within quotes: nothing in it is markup, what cannot be printed is escaped. */
void out_html(wb_buf *b, const char *at, size_t n);

/* A line over equal steps, as a share of `most`; values below 0 are not known. */
typedef struct out_series {
	const char *title, *colour; /* colour: a name of a variable of report.css, such as "running" */
	const int64_t *values;
	size_t stride; /* from one value to the next, in int64_t */
} out_series;

/* A plot of `n` steps from `from_ns` to `to_ns`: areas on top of each other, or lines. */
void out_html_plot(wb_buf *b, const char *title, const out_series *s, size_t n_series, size_t n, bool stacked,
	bool bytes, int64_t from_ns, int64_t to_ns);

/* Bars of durations by wtr_latency_bucket(). */
void out_html_histogram(wb_buf *b, const uint32_t *buckets);

/* A profile as a flame graph, outermost frame on top.  False: out of memory. */
bool out_html_flame(wb_buf *b, const wtr_profile *p);

#endif
