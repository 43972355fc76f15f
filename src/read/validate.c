/* read/validate.c - a stricter judge than reading.
 *
 * The rules beyond the reader's own are those of Go's test validator (internal/trace/testtrace, Validator), as
 * described in the format document: clocks that increase, frames with names and lines.
 */
#include <wtr/check.h>

#include "base/alloc.h"
#include "fmt/wire.h"
#include "read/source.h"
#include "read/trace.h"

typedef struct judge {
	wtr_trace     *t;
	wtr_generation last;
	bool           has_last;
	wtr_error     *err;
	uint32_t       newest_stack; /* stacks are checked once; ids grow with the generation */
} judge;

static wtr_code check_clock(judge *j, const wtr_event *e)
{
	wtr_generation g;
	if (e->value[0] == 0 || !wtr_get_generation(j->t, (size_t)e->value[0] - 1, &g) || !g.has_clock)
		return WTR_OK;
	bool grows =
		!j->has_last || (g.clock_trace_ns > j->last.clock_trace_ns && g.clock_mono_ns > j->last.clock_mono_ns &&
					g.clock_wall_ns > j->last.clock_wall_ns);
	j->last = g;
	j->has_last = true;
	return grows ? WTR_OK
		     : wtr__fail(j->err, WTR_E_FORMAT, g.offset, g.number, WTR_NONE, "ClockSnapshot", "valid.clock",
			       "a clock does not increase from the generation before");
}

static wtr_code check_stack(judge *j, const wtr_event *e, uint32_t id)
{
	if (id == 0 || id == j->newest_stack)
		return WTR_OK;
	j->newest_stack = id;
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = wtr_stack(j->t, id, f, WF_FRAMES_MAX);
	for (size_t i = 1; i < n && i < WF_FRAMES_MAX; i++)
		if (f[i].func.n == 0 || f[i].line == 0)
			return wtr__fail(j->err, WTR_E_FORMAT, 0, 0, e->m, wtr_type_name(e->type), "valid.frame",
				"frame %zu of a stack has no function or no line (pc 0x%llx)", i,
				(unsigned long long)f[i].pc);
	return WTR_OK;
}

wtr_code wtr_validate(wtr_trace *t, wtr_error *err)
{
	wtr_cursor *c = wtr_cursor_open(t, NULL, err);
	if (!c)
		return WTR_E_NOMEM;
	judge j = { .t = t, .err = err };
	wtr_code rc = WTR_OK;
	const wtr_event *ev;
	for (size_t n; rc == WTR_OK && (n = wtr_next(c, &ev)) > 0;)
		for (size_t i = 0; i < n && rc == WTR_OK; i++) {
			if (ev[i].kind == WTR_KIND_SYNC)
				rc = check_clock(&j, &ev[i]);
			else if ((rc = check_stack(&j, &ev[i], ev[i].stack)) == WTR_OK)
				rc = check_stack(&j, &ev[i], ev[i].transition_stack);
		}
	if (rc == WTR_OK && wtr_cursor_error(c)->code != WTR_OK) {
		rc = wtr_cursor_error(c)->code;
		if (err)
			*err = *wtr_cursor_error(c);
	}
	wtr_cursor_close(c);
	return rc;
}
