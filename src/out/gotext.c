/* out/gotext.c - see gotext.h.
 *
 * The line is written into room taken once per event; texts and stacks, which have no small bound, go through the
 * buffer.
 */
#include "out/gotext.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/quote.h"
#include "fmt/wire.h"

/* ---- times ---- */

void out_rfc3339(wb_buf *b, int64_t unix_ns)
{
	int64_t s = unix_ns / 1000000000, ns = unix_ns % 1000000000;
	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	int64_t days = s / 86400, second = s % 86400;
	if (second < 0) {
		second += 86400;
		days--;
	}
	/* Years that begin in March, in eras of 400: leap days fall on the end of one. */
	int64_t d = days + 719468, era = (d >= 0 ? d : d - 146096) / 146097;
	int64_t doe = d - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
	int month = (int)(m < 10 ? m + 3 : m - 9), day = (int)(doy - (153 * m + 2) / 5 + 1);
	int64_t year = yoe + era * 400 + (month <= 2);

	wb_buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day,
		(int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
	if (ns) {
		char digits[16];
		int n = 9;
		for (int i = 8; i >= 0; i--, ns /= 10)
			digits[i] = (char)('0' + ns % 10);
		while (digits[n - 1] == '0')
			n--;
		wb_buf_putc(b, '.');
		wb_buf_put(b, digits, (size_t)n);
	}
	wb_buf_putc(b, 'Z');
}

/* ---- stacks ---- */

static void put_frames(wb_buf *b, const wtr_trace *t, uint32_t id)
{
	wtr_frame frames[WF_FRAMES_MAX];
	size_t n = wtr_stack(t, id, frames, WF_FRAMES_MAX);
	for (size_t i = 0; i < n && i < WF_FRAMES_MAX; i++) {
		const wtr_frame *f = &frames[i];
		wb_buf_putc(b, '\t');
		wb_buf_put(b, f->func.at, f->func.n);
		wb_buf_puts(b, " @ 0x");
		wb_buf_hex(b, f->pc);
		wb_buf_puts(b, "\n\t\t");
		wb_buf_put(b, f->file.at, f->file.n);
		wb_buf_putc(b, ':');
		wb_buf_u64(b, f->line);
		wb_buf_putc(b, '\n');
	}
}

static void put_stack(wb_buf *b, const char *title, wtr_trace *t, uint32_t id, out_stack_cache *c)
{
	wb_buf_puts(b, title);
	out_stack_put(b, t, id, put_frames, c);
}

/* ---- texts ---- */

static void put_text(wb_buf *b, const char *before, const wtr_trace *t, uint32_t id)
{
	wtr_str s = wtr_string(t, id);
	wb_buf_puts(b, before);
	wf_quote(b, s.at, s.n);
}

/* ---- the line ---- */

enum { LINE_MAX_BYTES = 512 }; /* fixed parts of any line */

static char *text(char *p, const char *s)
{
	size_t n = strlen(s);
	memcpy(p, s, n);
	return p + n;
}

static char *decimal(char *p, uint64_t v)
{
	char t[20];
	size_t i = sizeof(t);
	do {
		t[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	memcpy(p, t + i, sizeof(t) - i);
	return p + sizeof(t) - i;
}

static char *number(char *p, int64_t v)
{
	if (v < 0)
		*p++ = '-';
	return decimal(p, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static char *value(char *p, uint64_t v)
{
	return text(decimal(text(p, "Value{Uint64("), v), ")}");
}

static char *resource(char *p, const wtr_event *e)
{
	switch (e->resource) {
	case WTR_RES_GOROUTINE: p = text(p, "Goroutine("); break;
	case WTR_RES_PROC: p = text(p, "Proc("); break;
	case WTR_RES_THREAD: p = text(p, "Thread("); break;
	default: return text(p, "None");
	}
	p = number(p, e->id);
	*p++ = ')';
	return p;
}

static char *context(char *p, const wtr_event *e)
{
	p = number(text(p, "M="), e->m);
	p = number(text(p, " P="), e->p);
	p = number(text(p, " G="), e->g);
	*p++ = ' ';
	p = text(p, wtr_kind_name(e->kind));
	return number(text(p, " Time="), e->time_ns);
}

static char *transition(char *p, const wtr_event *e)
{
	bool proc = e->resource == WTR_RES_PROC;
	p = number(text(p, proc ? " ProcID=" : " GoID="), e->id);
	*p++ = ' ';
	p = text(p, proc ? wtr_pstate_name(wtr_from(e)) : wtr_gstate_name(wtr_from(e)));
	p = text(p, "->");
	return text(p, proc ? wtr_pstate_name(wtr_to(e)) : wtr_gstate_name(wtr_to(e)));
}

static char *attributes(char *p, const wtr_event *e)
{
	p = text(p, " Attributes=[");
	if (e->detail == WTR_RANGE_SWEEP) {
		p = value(text(p, "\"bytes swept\"="), e->value[0]);
		p = value(text(p, " \"bytes reclaimed\"="), e->value[1]);
	}
	*p++ = ']';
	return p;
}

static char *experiment(char *p, const wtr_event *e)
{
	const wf_spec *spec = &wf_specs[e->type];
	const uint64_t args[] = { (uint64_t)e->id, e->value[0], e->value[1] };
	p = text(p, " Name=");
	p = text(p, wtr_type_name(e->type));
	p = text(p, " Args=[");
	for (size_t i = 1; i < spec->n_args && i <= 3; i++) { /* argument 0 is the time */
		if (i > 1)
			p = text(p, ", ");
		p = text(p, spec->args[i].name);
		*p++ = '=';
		p = value(p, args[i - 1]);
	}
	*p++ = ']';
	return p;
}

/* What follows the context for the kinds without texts of the trace. */
static char *numbers(char *p, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_METRIC:
		p = text(p, " Name=\"");
		p = text(p, wtr_metric_name(e->detail));
		return value(text(p, "\" Value="), e->value[0]);
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
		p = decimal(text(p, " ID="), (uint64_t)e->id);
		return decimal(text(p, " Parent="), e->value[0]);
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END:
	case WTR_KIND_LOG:
		return decimal(text(p, " Task="), (uint64_t)e->id);
	case WTR_KIND_STATE_TRANSITION:
		return transition(p, e);
	case WTR_KIND_EXPERIMENTAL:
		return experiment(p, e);
	case WTR_KIND_SYNC:
		return number(text(p, " N="), e->id);
	default:
		return p;
	}
}

static void put_range(wb_buf *b, const wtr_trace *t, const wtr_event *e)
{
	wb_buf_puts(b, " Name=\"");
	wb_buf_puts(b, wtr_range_name(e->detail));
	if (e->detail == WTR_RANGE_STW) {
		wtr_str kind = wtr_string(t, e->str);
		wb_buf_puts(b, " (");
		wf_quote_some(b, kind.at, kind.n, kind.n);
		wb_buf_putc(b, ')');
	}
	char *p = wb_buf_room(b, LINE_MAX_BYTES);
	if (!p)
		return;
	p = resource(text(p, "\" Scope="), e);
	if (e->kind == WTR_KIND_RANGE_END)
		p = attributes(p, e);
	b->n = (size_t)(p - b->at);
}

static void put_label(wb_buf *b, const wtr_trace *t, const wtr_event *e)
{
	put_text(b, " Label=", t, e->str);
	char *p = wb_buf_room(b, LINE_MAX_BYTES);
	if (p)
		b->n = (size_t)(resource(text(p, " Resource="), e) - b->at);
}

static void put_clock(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	wtr_generation g;
	if (e->value[0] == 0 || !wtr_get_generation(t, (size_t)e->value[0] - 1, &g) || !g.has_clock)
		return;
	wb_buf_puts(b, " Trace=");
	wb_buf_i64(b, g.clock_trace_ns);
	wb_buf_puts(b, " Mono=");
	wb_buf_u64(b, g.clock_mono_ns);
	wb_buf_puts(b, " Wall=");
	out_rfc3339(b, g.clock_wall_ns);
}

/* What follows the numbers for the kinds with texts. */
static void put_texts(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_LABEL:
		put_label(b, t, e);
		break;
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END:
		put_range(b, t, e);
		break;
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END:
		put_text(b, " Type=", t, e->str);
		break;
	case WTR_KIND_LOG:
		put_text(b, " Category=", t, e->str);
		put_text(b, " Message=", t, e->str2);
		break;
	case WTR_KIND_STATE_TRANSITION: /* that of a status stands in the carrier, which Go does not read */
		put_text(b, " Reason=", t, e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK ? 0 : e->str);
		break;
	case WTR_KIND_SYNC:
		put_clock(b, t, e);
		break;
	default:
		break;
	}
}

void out_gotext_cached(wb_buf *b, wtr_trace *t, const wtr_event *e, out_stack_cache *c)
{
	char *p = wb_buf_room(b, LINE_MAX_BYTES);
	if (!p)
		return;
	b->n = (size_t)(numbers(context(p, e), e) - b->at);
	put_texts(b, t, e);
	/* Go prints the title of these stacks even when they are empty. */
	if (e->transition_stack || e->type == WF_EV_GO_CREATE || e->type == WF_EV_GO_CREATE_BLOCKED)
		put_stack(b, "\nTransitionStack=\n", t, e->transition_stack, c);
	if (e->stack || e->kind == WTR_KIND_STACK_SAMPLE)
		put_stack(b, "\nStack=\n", t, e->stack, c);
	wb_buf_putc(b, '\n');
}

void out_gotext(wb_buf *b, wtr_trace *t, const wtr_event *e)
{
	out_gotext_cached(b, t, e, NULL);
}
