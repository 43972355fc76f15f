/* out/finding.c - see finding.h. */
#include "out/finding.h"

#include <ctype.h>
#include <string.h>

#include "out/answers.h"
#include "out/units.h"

enum { FRAMES = 128 };

/* ---- sentences ---- */

static const wtr_finding_value *value_of(const wtr_finding *d, const char *name, size_t n)
{
	for (size_t i = 0; i < d->n_values; i++)
		if (strlen(d->values[i].name) == n && memcmp(d->values[i].name, name, n) == 0)
			return &d->values[i];
	return NULL;
}

/* Three digits, without zeros at the end. */
static void number(wb_buf *b, double v)
{
	if (v >= 1000 && v < 1e18)
		out_count(b, (uint64_t)(v + 0.5));
	else
		wb_buf_printf(b, "%.3g", v);
}

static void put_value(wb_buf *b, const wtr_finding_value *v)
{
	switch (v->unit) {
	case WTR_VALUE_COUNT: out_count(b, (uint64_t)v->n); break;
	case WTR_VALUE_NS: out_duration(b, v->n); break;
	case WTR_VALUE_BYTES: out_bytes(b, (uint64_t)v->n); break;
	case WTR_VALUE_PERCENT:
		wb_buf_printf(b, v->number > 0 && v->number < 0.1 ? "%.2g %%" : "%.1f %%", v->number);
		break;
	case WTR_VALUE_NUMBER: number(b, v->number); break;
	case WTR_VALUE_GOROUTINE: wb_buf_printf(b, "G%lld", (long long)v->n); break;
	case WTR_VALUE_TEXT:
		if (v->text.n)
			out_clean(b, v->text.at, v->text.n);
		else
			wb_buf_puts(b, "(not known)");
		break;
	}
}

/* {name} or {name|word}; `at` stands behind the brace.  Returns what follows the other one. */
static const char *put_part(wb_buf *b, const wtr_finding *d, const char *at)
{
	size_t name = strcspn(at, "|}"), whole = strcspn(at, "}");
	const wtr_finding_value *v = value_of(d, at, name);
	if (v)
		put_value(b, v);
	if (!v) /* a mistake in the table, for tests to see */
		wb_buf_printf(b, "{%.*s}", (int)whole, at);
	else if (name < whole)
		wb_buf_printf(b, " %.*s%s", (int)(whole - name - 1), at + name + 1, v->n == 1 ? "" : "s");
	return at[whole] ? at + whole + 1 : at + whole;
}

void out_finding_sentence(wb_buf *b, const wtr_finding *d)
{
	size_t from = b->n;
	for (const char *s = d->sentence; *s;) {
		size_t n = strcspn(s, "{");
		wb_buf_put(b, s, n);
		s += n;
		if (*s)
			s = put_part(b, d, s + 1);
	}
	if (!b->failed && b->n > from && islower((unsigned char)b->at[from]))
		b->at[from] = (char)toupper((unsigned char)b->at[from]);
}

void out_finding_coverage(wb_buf *b, const wtr_finding *d)
{
	if (d->seen == d->of)
		wb_buf_puts(b, "all ");
	out_count(b, d->seen);
	if (d->seen != d->of) {
		wb_buf_puts(b, " of ");
		out_count(b, d->of);
	}
	wb_buf_printf(b, " %s", d->things);
}

/* ---- JSON ---- */

static void values_json(out_json *j, const wtr_finding *d)
{
	out_json_key(j, "values");
	out_json_object(j);
	for (size_t i = 0; i < d->n_values; i++) {
		const wtr_finding_value *v = &d->values[i];
		out_json_key(j, v->name);
		switch (v->unit) {
		case WTR_VALUE_COUNT:
		case WTR_VALUE_NS:
		case WTR_VALUE_BYTES:
		case WTR_VALUE_GOROUTINE: out_json_i64(j, v->n); break;
		case WTR_VALUE_PERCENT:
		case WTR_VALUE_NUMBER: out_json_fixed(j, v->number, 3); break;
		case WTR_VALUE_TEXT: out_json_str(j, v->text); break;
		}
	}
	out_json_object_end(j);
}

static void places_json(out_json *j, const wtr_finding *d, int64_t start_ns)
{
	out_json_key(j, "ranges");
	out_json_array(j);
	for (size_t i = 0; i < d->n_ranges; i++) {
		out_json_object(j);
		out_json_put_ns(j, "from_ns", d->ranges[i].from_ns, start_ns);
		out_json_put_ns(j, "to_ns", d->ranges[i].to_ns, start_ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	out_json_key(j, "goroutines");
	out_json_array(j);
	for (size_t i = 0; i < d->n_goroutines; i++) {
		const wtr_finding_goroutine *g = &d->goroutines[i];
		out_json_object(j);
		out_json_put_id(j, "g", g->g);
		out_json_put_str(j, "name", g->name);
		out_json_put_ns(j, "from_ns", g->from_ns, start_ns);
		out_json_put_ns(j, "to_ns", g->to_ns, start_ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void stacks_json(out_json *j, const wtr_findings *f, const wtr_finding *d)
{
	wtr_frame frames[FRAMES];
	out_json_key(j, "stacks");
	out_json_array(j);
	for (size_t i = 0; i < d->n_stacks; i++) {
		size_t n = wtr_findings_frames(f, d->stacks[i].stack, frames, FRAMES);
		out_json_object(j);
		out_json_put_text(j, "role", d->stacks[i].role);
		out_json_key(j, "stack");
		out_json_frames(j, frames, n < FRAMES ? n : FRAMES);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

static void finding_json(out_json *j, const wtr_findings *f, const wtr_finding *d, int64_t start_ns)
{
	wb_buf b = { 0 };
	out_finding_sentence(&b, d);
	out_json_object(j);
	out_json_put_text(j, "rule", d->rule->name);
	out_json_put_u64(j, "severity", d->severity);
	out_json_put_bool(j, "probable", d->probable);
	out_json_put_text(j, "title", d->rule->title);
	out_json_put_text(j, "sentence", wb_buf_cstr(&b));
	out_json_put_text(j, "why", d->rule->why);
	out_json_put_text(j, "next", d->rule->next);
	out_json_put_text(j, "measure", d->rule->measure);
	out_json_key(j, "value");
	out_json_fixed(j, d->value, 6);
	out_json_key(j, "half");
	out_json_fixed(j, d->rule->half, 6);
	values_json(j, d);
	places_json(j, d, start_ns);
	stacks_json(j, f, d);
	out_json_key(j, "coverage");
	out_json_object(j);
	out_json_put_u64(j, "seen", d->seen);
	out_json_put_u64(j, "of", d->of);
	out_json_put_text(j, "things", d->things);
	out_json_object_end(j);
	out_json_object_end(j);
	j->failed |= b.failed;
	wb_buf_free(&b);
}

void out_findings_json(out_json *j, const wtr_findings *f, size_t limit, int64_t start_ns)
{
	wtr_findings_totals t;
	const wtr_finding *d;
	wtr_findings_get_totals(f, &t);
	out_json_put_u64(j, "n_findings", t.n);
	out_json_put_u64(j, "worst", t.worst);
	out_json_key(j, "looked_at");
	out_json_object(j);
	out_json_put_ns(j, "from_ns", t.from_ns, start_ns);
	out_json_put_ns(j, "to_ns", t.to_ns, start_ns);
	out_json_put_u64(j, "events", t.events);
	out_json_put_u64(j, "goroutines", t.goroutines);
	out_json_put_u64(j, "procs", t.procs);
	out_json_put_u64(j, "lost_bytes", t.losses.bytes);
	out_json_object_end(j);
	out_json_key(j, "findings");
	out_json_array(j);
	for (size_t i = 0; (d = wtr_findings_get(f, i)) && (limit == 0 || i < limit); i++)
		finding_json(j, f, d, start_ns);
	out_json_array_end(j);
	out_json_key(j, "ended");
	out_error_json(j, &t.end);
}
