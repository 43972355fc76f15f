/* fmt/rawevent.c - see rawevent.h. */
#include "fmt/rawevent.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"

bool wf_version_known(unsigned version)
{
#define KNOWN(number, text) if (version == number) return true;
	WF_VERSIONS(KNOWN)
#undef KNOWN
	return false;
}

static const char *const v1_args[WF_V1_COUNT][5] = {
#define V1ARGS(Name, ...) [WF_V1_##Name] = { __VA_ARGS__ },
#include "fmt/v1args.def"
};

static bool v1_timed(unsigned type)
{
	return wf_v1_specs[type].cls != WF_V1_UNTIMED;
}

unsigned wf_v1_n_args(unsigned type)
{
	if (type == WF_V1_String)
		return 1; /* its length and bytes are data */
	return wf_v1_specs[type].n_args + v1_timed(type);
}

const char *wf_v1_arg_name(unsigned type, unsigned i)
{
	if (v1_timed(type)) {
		if (i == 0)
			return "dt";
		i--;
	}
	return i < 5 ? v1_args[type][i] : NULL;
}

bool wf_raw_open(wf_raw_reader *r, const void *at, size_t n, bool flat)
{
	const uint8_t *p = at;
	*r = (wf_raw_reader){ .base = p, .at = p, .end = n ? p + n : p, .flat = flat };
	if (n < WF_HEADER_BYTES || memcmp(p, "go 1.", 5) != 0 || memcmp(p + 7, " trace\0\0\0", 9) != 0 ||
	    p[5] < '1' || p[5] > '9' || p[6] < '0' || p[6] > '9') {
		r->why = "not a Go execution trace";
		return false;
	}
	r->version = (unsigned)(p[5] - '0') * 10 + (unsigned)(p[6] - '0');
	if (!wf_version_known(r->version)) {
		r->why = "trace version not supported";
		return false;
	}
	r->at += WF_HEADER_BYTES;
	return true;
}

/* One varint of `b`, with its width. */
static wf_varint varint(wb_bytes *b)
{
	const uint8_t *from = b->at;
	uint64_t v = wb_uvarint(b);
	return (wf_varint){ v, (unsigned)(b->at - from) };
}

static wf_raw_result broken(wf_raw_reader *r, const uint8_t *from, const uint8_t *to, const char *why)
{
	r->why = why;
	r->broken_at = (uint64_t)(from - r->base);
	r->broken_end = (uint64_t)(to - r->base);
	r->at = to;
	if (r->at == r->batch_end)
		r->batch_end = NULL;
	return WF_RAW_BROKEN;
}

/* Length and bytes. */
static bool take_data(wb_bytes *b, wf_raw_event *e)
{
	wf_varint len = varint(b);
	if (b->bad || len.value > (uint64_t)(b->end - b->at))
		return false;
	e->has_data = true;
	e->data_width = len.width;
	e->data = b->at;
	e->n_data = (size_t)len.value;
	b->at += len.value;
	return true;
}

/* The frames of a stack: `n` times four varints, checked here and read again by whoever wants them. */
static bool take_frames(wb_bytes *b, uint64_t n, wf_raw_event *e)
{
	e->is_stack = true;
	e->frames = *b;
	if (n > (uint64_t)(b->end - b->at) / 4)
		return false;
	for (uint64_t i = 0; i < 4 * n && !b->bad; i++)
		wb_uvarint(b);
	e->frames.end = b->at;
	return !b->bad;
}

static bool take_args(wb_bytes *b, unsigned n, wf_raw_event *e)
{
	for (unsigned i = 0; i < n; i++)
		e->arg[e->n_args++] = varint(b);
	return !b->bad;
}

static const char cut_event[] = "the event is cut off, or one of its numbers is longer than a varint may be";

/* The event at b->at of a v2 file; its reason on failure. */
static const char *v2_event(wb_bytes *b, wf_raw_event *e)
{
	e->type = wb_byte(b);
	const wf_spec *spec = &wf_specs[e->type];
	if (!spec->name)
		return "no event has this number";
	unsigned from = 0;
	if (e->type == WF_EV_EXPERIMENTAL_BATCH) { /* the experiment is a plain byte */
		uint8_t experiment = wb_byte(b);
		e->arg[e->n_args++] = (wf_varint){ experiment, wf_varint_width(experiment) };
		from = 1;
	}
	if (b->bad || !take_args(b, spec->n_args - from, e))
		return cut_event;
	if (e->type == WF_EV_STACK && !take_frames(b, e->arg[1].value, e))
		return cut_event;
	if ((e->type == WF_EV_STRING || e->type == WF_EV_EXPERIMENTAL_BATCH) && !take_data(b, e))
		return cut_event;
	return NULL;
}

/* A batch header has been read: from here on events are looked for within its size only. */
static wf_raw_result enter_batch(wf_raw_reader *r, const uint8_t *from, wf_raw_event *e)
{
	uint64_t size = e->arg[3].value, left = (uint64_t)(r->end - r->at);
	if (size > WF_BATCH_BYTES_MAX)
		return broken(r, from, r->end, "the batch is larger than a batch may be");
	r->batch_short = size > left ? size - left : 0;
	r->batch_end = size ? r->at + (size - r->batch_short) : NULL;
	return WF_RAW_EVENT;
}

static wf_raw_result v2_next(wf_raw_reader *r, wf_raw_event *e)
{
	const uint8_t *from = r->at;
	if (r->at == r->end) {
		if (!r->batch_short)
			return WF_RAW_END;
		r->batch_short = 0;
		return broken(r, from, r->end, "the file ends inside a batch");
	}
	bool in_batch = r->batch_end != NULL;
	wb_bytes b = { r->at, in_batch ? r->batch_end : r->end, false };
	const char *why = v2_event(&b, e);
	if (!why && !r->flat && in_batch && wf_specs[e->type].cls == WF_CLASS_BATCH)
		why = "a batch inside a batch";
	if (!why && !r->flat && !in_batch && wf_specs[e->type].cls != WF_CLASS_BATCH)
		why = "no batch begins with this number";
	if (why)
		return broken(r, from, b.end, why);
	r->at = b.at;
	if (r->at == r->batch_end)
		r->batch_end = NULL;
	return e->type == WF_EV_EVENT_BATCH && !r->flat ? enter_batch(r, from, e) : WF_RAW_EVENT;
}

/* Arguments of a v1 event: `n` varints, or any number of frames' worth for a stack. */
static const char *v1_args_of(wb_bytes *b, wf_raw_event *e, unsigned n)
{
	wb_bytes in = *b;
	if (e->v1_count == 3) {
		wf_varint len = varint(b);
		if (b->bad || len.value > (uint64_t)(b->end - b->at))
			return cut_event;
		e->v1_length_width = len.width;
		in = (wb_bytes){ b->at, b->at + len.value, false };
		b->at = in.end;
	} else if (e->v1_count + 1u != n) {
		return "the event has another number of arguments than its kind";
	}
	bool stack = e->type == WF_V1_Stack;
	if (!take_args(&in, n, e) || (stack && !take_frames(&in, e->arg[1].value, e)))
		return e->v1_count == 3 ? "the event has fewer arguments than its kind" : cut_event;
	if (stack && e->v1_count != 3 && e->arg[1].value)
		return "a stack without a length in front";
	if (e->v1_count != 3)
		b->at = in.at;
	else if (in.at != in.end)
		return "the event has more arguments than its kind";
	return NULL;
}

static const char *v1_event(wb_bytes *b, wf_raw_event *e)
{
	uint8_t first = wb_byte(b);
	e->type = first & 63;
	e->v1_count = first >> 6;
	if (e->type >= WF_V1_COUNT || !wf_v1_specs[e->type].name)
		return "no event has this number";
	unsigned n = wf_v1_n_args(e->type);
	if (e->type == WF_V1_String) /* has no length in front, whatever the count says */
		return take_args(b, n, e) && take_data(b, e) ? NULL : cut_event;
	const char *why = v1_args_of(b, e, n);
	if (!why && e->type == WF_V1_UserLog && !take_data(b, e))
		why = cut_event;
	return why;
}

static wf_raw_result v1_next(wf_raw_reader *r, wf_raw_event *e)
{
	if (r->at == r->end)
		return WF_RAW_END;
	wb_bytes b = { r->at, r->end, false };
	const char *why = v1_event(&b, e);
	if (why)
		return broken(r, r->at, r->end, why);
	r->at = b.at;
	return WF_RAW_EVENT;
}

wf_raw_result wf_raw_next(wf_raw_reader *r, wf_raw_event *ret)
{
	wf_raw_event e = { .offset = (uint64_t)(r->at - r->base) };
	wf_raw_result result = wf_version_is_v1(r->version) ? v1_next(r, &e) : v2_next(r, &e);
	if (result == WF_RAW_EVENT) {
		e.bytes = (size_t)((uint64_t)(r->at - r->base) - e.offset);
		*ret = e;
	}
	return result;
}
