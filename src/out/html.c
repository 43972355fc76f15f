/* out/html.c - texts and plots. */
#include "out/html.h"

#include <string.h>

#include <wtr/latency.h>

#include "out/units.h"

void out_html(wb_buf *b, const char *at, size_t n)
{
	wb_buf clean = { 0 };
	out_clean(&clean, at, n);
	for (size_t i = 0; i < clean.n; i++)
		switch (clean.at[i]) {
		case '&': wb_buf_puts(b, "&amp;"); break;
		case '<': wb_buf_puts(b, "&lt;"); break;
		case '>': wb_buf_puts(b, "&gt;"); break;
		case '"': wb_buf_puts(b, "&quot;"); break;
		case '\'': wb_buf_puts(b, "&#39;"); break;
		default: wb_buf_putc(b, clean.at[i]);
		}
	b->failed |= clean.failed;
	wb_buf_free(&clean);
}

/* ---- plots ---- */

enum { HEIGHT = 100 };

static int64_t value(const out_series *s, size_t i)
{
	int64_t v = s->values[i * s->stride];
	return v > 0 ? v : 0;
}

static int64_t most_of(const out_series *s, size_t n_series, size_t n, bool stacked)
{
	int64_t most = 1;
	for (size_t i = 0; i < n; i++) {
		int64_t sum = 0;
		for (size_t k = 0; k < n_series; k++) {
			int64_t v = value(&s[k], i);
			sum = stacked ? sum + v : v > sum ? v : sum;
		}
		most = sum > most ? sum : most;
	}
	return most;
}

static void point(wb_buf *b, size_t x, double share)
{
	wb_buf_printf(b, "%zu,%.2f ", x, HEIGHT * (1 - share));
}

/* Steps of a curve whose height is the sum of the series 0 to k, or that of series k alone. */
static double height(const out_series *s, size_t k, size_t i, bool stacked, int64_t most)
{
	int64_t sum = 0;
	for (size_t j = stacked ? 0 : k; j <= k; j++)
		sum += value(&s[j], i);
	return (double)sum / (double)most;
}

static void curve(wb_buf *b, const out_series *s, size_t k, size_t n, bool stacked, int64_t most)
{
	if (stacked)
		wb_buf_printf(b, "<polygon class=area fill=\"var(--%s)\" points=\"", s[k].colour);
	else
		wb_buf_printf(b, "<polyline class=line stroke=\"var(--%s)\" points=\"", s[k].colour);
	for (size_t i = 0; i < n; i++) {
		point(b, i, height(s, k, i, stacked, most));
		point(b, i + 1, height(s, k, i, stacked, most));
	}
	for (size_t i = n; stacked && i-- > 0;) {
		point(b, i + 1, k ? height(s, k - 1, i, stacked, most) : 0);
		point(b, i, k ? height(s, k - 1, i, stacked, most) : 0);
	}
	wb_buf_puts(b, "\"/>");
}

static void amount(wb_buf *b, int64_t v, bool bytes)
{
	if (bytes)
		out_bytes(b, (uint64_t)v);
	else
		out_count(b, (uint64_t)v);
}

void out_html_plot(wb_buf *b, const char *title, const out_series *s, size_t n_series, size_t n, bool stacked,
	bool bytes, int64_t from_ns, int64_t to_ns)
{
	int64_t most = most_of(s, n_series, n, stacked);
	wb_buf_printf(b, "<figure><figcaption>%s</figcaption><div class=legend>", title);
	for (size_t k = 0; k < n_series; k++)
		wb_buf_printf(b, "<span><i style=\"background:var(--%s)\"></i>%s</span>", s[k].colour, s[k].title);
	wb_buf_puts(b, "</div><div class=plot><div class=y><span>");
	amount(b, most, bytes);
	wb_buf_printf(b,
		"</span><span>0</span></div><svg viewBox=\"0 0 %zu %d\" preserveAspectRatio=none role=img "
		"aria-label=\"%s, highest ",
		n, HEIGHT, title);
	amount(b, most, bytes);
	wb_buf_puts(b, "\">");
	for (size_t k = 0; k < n_series; k++)
		curve(b, s, k, n, stacked, most);
	wb_buf_puts(b, "</svg><div class=x><span>");
	out_duration(b, from_ns);
	wb_buf_puts(b, "</span><span>");
	out_duration(b, from_ns + (to_ns - from_ns) / 2);
	wb_buf_puts(b, "</span><span>");
	out_duration(b, to_ns);
	wb_buf_puts(b, "</span></div></div></figure>\n");
}

void out_html_histogram(wb_buf *b, const uint32_t *buckets)
{
	unsigned first = WTR_LATENCY_BUCKETS, last = 0;
	uint32_t most = 1;
	for (unsigned k = 0; k < WTR_LATENCY_BUCKETS; k++) {
		if (!buckets[k])
			continue;
		first = first == WTR_LATENCY_BUCKETS ? k : first;
		last = k;
		most = buckets[k] > most ? buckets[k] : most;
	}
	if (first == WTR_LATENCY_BUCKETS)
		return;
	wb_buf_puts(b, "<div class=\"plot hist\"><div class=y><span>");
	out_count(b, most);
	wb_buf_printf(b,
		"</span><span>0</span></div><svg viewBox=\"0 0 %u 100\" preserveAspectRatio=none role=img "
		"aria-label=\"how many took how long\">",
		last - first + 1);
	for (unsigned k = first; k <= last; k++) {
		double h = 100.0 * buckets[k] / most;
		if (!buckets[k])
			continue;
		wb_buf_printf(b,
			"<rect fill=\"var(--network)\" x=\"%.2f\" width=\".9\" y=\"%.2f\" height=\"%.2f\"><title>",
			k - first + 0.05, 100 - h, h);
		out_count(b, buckets[k]);
		wb_buf_puts(b, " from ");
		out_duration(b, k ? wtr_latency_bucket_ns(k) : 0);
		wb_buf_puts(b, "</title></rect>");
	}
	wb_buf_puts(b, "</svg><div class=x><span>");
	out_duration(b, first ? wtr_latency_bucket_ns(first) : 0);
	wb_buf_puts(b, "</span><span>");
	out_duration(b, wtr_latency_bucket_ns(last + 1));
	wb_buf_puts(b, "</span></div></div>\n");
}
