/* read/cursor.c - the public face of a pass: buffering, filtering, progress, when tables may go. */
#include "read/cursor.h"

#include <string.h>

#include "base/alloc.h"
#include "fmt/events.h"
#include "read/source.h"
#include "read/trace.h"

enum { BUFFER_EVENTS = 256, PROGRESS_BYTES = 4 << 20 };

struct wtr_cursor {
	wtr_trace   *t;
	wtr__source *src;
	wtr_filter   filter;
	bool         filtering, cancelled;
	uint64_t     progress_at, seen;
	wtr_error    err;
	wtr_event    buffer[BUFFER_EVENTS];
};

wtr_cursor *wtr__cursor_open_at(wtr_trace *t, size_t first, wtr_error *err)
{
	wtr_cursor *c = wb_calloc(1, sizeof(*c));
	if (!c) {
		wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
		return NULL;
	}
	c->t = t;
	c->src = t->v2 ? wtr__v2_source(t, first, err) : wtr__v1_source(t, err);
	if (!c->src) {
		wb_free(c);
		return NULL;
	}
	return c;
}

wtr_cursor *wtr_cursor_open(wtr_trace *t, const wtr_filter *filter, wtr_error *err)
{
	wtr_cursor *c = wtr__cursor_open_at(t, 0, err);
	if (c && filter) {
		c->filter = *filter;
		c->filtering = true;
	}
	return c;
}

void wtr_cursor_close(wtr_cursor *c)
{
	if (!c)
		return;
	c->src->close(c->src);
	wb_free(c);
}

size_t wtr__cursor_fill(wtr_cursor *c, wtr_event *out, size_t cap)
{
	if (c->cancelled)
		return 0;
	size_t n = c->src->next(c->src, out, cap);
	const wtr_options *opt = &c->t->opt;
	if (opt->progress && (c->src->done_bytes >= c->progress_at || n == 0)) {
		c->progress_at = c->src->done_bytes + PROGRESS_BYTES;
		if (!opt->progress(opt->progress_user, "reading", n ? c->src->done_bytes : c->t->n, c->t->n)) {
			wtr__fail(&c->err, WTR_E_IO, c->src->done_bytes, 0, WTR_NONE, "", "cancelled",
				"stopped on request");
			c->cancelled = true;
			return 0;
		}
	}
	return n;
}

void wtr__cursor_release(wtr_cursor *c, size_t i)
{
	if (c->src->release)
		c->src->release(c->src, i);
}

static bool about(const wtr_event *e, wtr_resource resource, int64_t id, int64_t context)
{
	return context == id || (e->resource == resource && e->id == id);
}

static bool wanted(const wtr_filter *f, const wtr_event *e)
{
	if (f->kinds && !(f->kinds >> e->kind & 1))
		return false;
	if (f->has_type && f->type != e->type)
		return false;
	if (f->has_from && e->time_ns < f->from_ns)
		return false;
	if (f->has_g && !about(e, WTR_RES_GOROUTINE, f->g, e->g))
		return false;
	if (f->has_p && !about(e, WTR_RES_PROC, f->p, e->p))
		return false;
	return !f->has_m || about(e, WTR_RES_THREAD, f->m, e->m);
}

/* Keeps the wanted ones of the n events in the buffer; *ret_more is false when the rest of the trace is too late. */
static size_t sift(wtr_cursor *c, wtr_event *at, size_t n, bool *ret_more)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		if (c->filter.has_to && at[i].time_ns >= c->filter.to_ns) {
			*ret_more = false;
			break;
		}
		c->seen += !c->filter.has_from || at[i].time_ns >= c->filter.from_ns;
		if (!wanted(&c->filter, &at[i]))
			continue;
		if (kept != i)
			at[kept] = at[i];
		kept++;
	}
	return kept;
}

size_t wtr_next(wtr_cursor *c, const wtr_event **ret)
{
	for (;;) {
		if (c->src->gen >
			1) /* events of the generations before the newest one were handed out in an earlier call */
			wtr__cursor_release(c, c->src->gen - 2);
		size_t n = wtr__cursor_fill(c, c->buffer, BUFFER_EVENTS);
		if (n == 0)
			return 0;
		if (c->filtering) {
			bool more = true;
			n = sift(c, c->buffer, n, &more);
			c->cancelled = !more;
			if (n == 0 && more)
				continue;
		} else {
			c->seen += n;
		}
		*ret = c->buffer;
		return n;
	}
}

const wtr_error *wtr_cursor_error(const wtr_cursor *c)
{
	return c->err.code != WTR_OK ? &c->err : &c->src->err;
}

uint64_t wtr_cursor_seen(const wtr_cursor *c)
{
	return c->seen;
}

void wtr_cursor_losses(const wtr_cursor *c, wtr_losses *ret)
{
	*ret = c->src->losses;
}

void wtr_diag(const wtr_cursor *c, wtr_diag_fn *fn, void *user)
{
	static const struct {
		const char  *name, *text;
		wtr_severity severity;
	} about_diag[WTR__DIAG_COUNT] = {
#define DIAG(ID, name, severity, text) { name, text, WTR_SEV_##severity },
#include "read/diag.def"
	};
	for (size_t i = 0; i < WTR__DIAG_COUNT; i++)
		if (c->src->diag[i])
			fn(user, about_diag[i].name, about_diag[i].severity, c->src->diag[i], about_diag[i].text);
}
