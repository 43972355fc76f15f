/* read/v1/scan.c - the first pass over a v1 trace: what is where, and is every byte of it sound?
 *
 * The format has no sizes above the single event, so finding the batches means stepping over all events.  Everything
 * that Go's parser checks in an event by itself is checked here; later passes rely on it.  Rules are named v1.*, and
 * numbers of the limits are Go's (internal/trace/internal/tracev1, parser.go).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "fmt/wire.h"
#include "read/source.h"
#include "read/trace.h"
#include "read/v1/replay.h"

enum {
	STRING_BYTES_MAX = 1000000,
	ARGS_BYTES_MAX = 2048, /* of an event with a length */
	FRAMES_MAX = 1000,
	ARGS_MAX = ARGS_BYTES_MAX,
	PROGRESS_BYTES = 4 << 20,
};

/* How the hot loop treats a first byte: number of varints that follow, or: length follows, or: look closer. */
enum { SHAPE_SLOW = 0, SHAPE_LENGTH = 8 };

typedef struct scan {
	wtr_trace     *t;
	wtr__v1       *v;
	wtr_error     *err;
	wb_idmap       procs;       /* pid (as uint64_t) -> index in v->procs */
	const uint8_t *begin, *end; /* of the trace */
	const uint8_t *progress_at;
	int64_t        frequency;
	int64_t        batch_ts;    /* of the current batch */
	uint8_t        shapes[256]; /* SHAPE_... */
	wtr__frame     frames[ARGS_MAX / 4];
	uint64_t       args[ARGS_MAX];
} scan;

/* The event at a place; "" if there is none. */
static const char *name_at(const scan *s, const uint8_t *at)
{
	const char *name = at < s->end ? wf_v1_specs[*at & 63].name : NULL;
	return name ? name : "";
}

#define fail(s, code, at_, rule, ...) \
	wtr__fail((s)->err, code, (uint64_t)((at_) - (s)->begin), 0, WTR_NONE, name_at(s, at_), rule, __VA_ARGS__)

static wtr_code no_memory(scan *s)
{
	return wtr__fail(s->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory while reading the trace");
}

/* A varint that is bad: is it the file that ends? */
static wtr_code bad_varint(scan *s, const uint8_t *at, const wb_bytes *b)
{
	bool torn = true;
	for (const uint8_t *p = b->at; p < b->end && torn; p++)
		torn = *p >= 0x80 && p - b->at < 9;
	if (torn && b->end == s->end)
		return fail(s, WTR_E_TRUNC, at, "v1.truncated", "the trace ends inside a number");
	return fail(s, WTR_E_FORMAT, at, "v1.varint", "a number does not fit into 64 bits");
}

/* ---- entries that are no timed events ---- */

static wtr_code string_entry(scan *s, const uint8_t *at, const uint8_t **next, bool define)
{
	wb_bytes b = { at + 1, s->end, false };
	uint64_t id = wb_uvarint(&b), n = wb_uvarint(&b);
	if (b.bad)
		return bad_varint(s, at, &b);
	if (n > (uint64_t)(s->end - b.at))
		return fail(
			s, WTR_E_TRUNC, at, "v1.truncated", "the trace ends inside a string of %" PRIu64 " bytes", n);
	*next = b.at + n;
	if (!define)
		return WTR_OK;
	if (id == 0)
		return fail(s, WTR_E_FORMAT, at, "v1.string-id", "a string has the id 0");
	if (n == 0)
		return fail(s, WTR_E_FORMAT, at, "v1.string-length", "string %" PRIu64 " is empty", id);
	if (n > STRING_BYTES_MAX)
		return fail(s, WTR_E_FORMAT, at, "v1.string-length",
			"string %" PRIu64 " has %" PRIu64 " bytes, more than 1000000", id, n);
	switch (wtr__tables_add_string(&s->v->tables, id, (const char *)b.at, n)) {
	case WTR_OK: return WTR_OK;
	case WTR_E_NOMEM: return no_memory(s);
	default: return fail(s, WTR_E_FORMAT, at, "v1.string-twice", "string %" PRIu64 " is defined twice", id);
	}
}

/* The index of the proc in v->procs; WTR__V1_NONE: out of memory. */
static uint32_t proc_index(scan *s, int64_t pid)
{
	wtr__v1 *v = s->v;
	uint32_t i = wb_idmap_get(&s->procs, (uint64_t)pid);
	if (i != WB_IDMAP_NONE)
		return i;
	i = (uint32_t)v->procs.n;
	if (!wb_vec_add(&v->procs, (wtr__v1_proc){ pid, WTR__V1_NONE, WTR__V1_NONE }) ||
		!wb_idmap_set(&s->procs, (uint64_t)pid, i))
		return WTR__V1_NONE;
	return i;
}

static wtr_code add_batch(scan *s, const uint8_t *at, uint32_t proc)
{
	wtr__v1 *v = s->v;
	if (v->batches.n >= WTR__V1_NONE)
		return fail(s, WTR_E_LIMIT, at, "v1.limit", "more than 4294967295 batches");
	if (!wb_vec_add(&v->batches, (wtr__v1_batch){ (uint64_t)(at - s->begin), WTR__V1_NONE, proc }))
		return no_memory(s);
	if (proc == WTR__V1_NONE)
		return WTR_OK;
	uint32_t i = (uint32_t)(v->batches.n - 1);
	wtr__v1_proc *p = &v->procs.at[proc];
	if (p->first == WTR__V1_NONE)
		p->first = i;
	else
		v->batches.at[p->last].next = i;
	p->last = i;
	return WTR_OK;
}

static wtr_code batch_entry(scan *s, const uint8_t *at, const uint8_t **next)
{
	if (*at >> 6 != 1)
		return fail(s, WTR_E_FORMAT, at, "v1.batch-arguments", "a batch has %" PRIu64 " arguments instead of 2",
			(uint64_t)(*at >> 6) + 1);
	wb_bytes b = { at + 1, s->end, false };
	uint64_t pid = wb_uvarint(&b), ts = wb_uvarint(&b);
	if (b.bad)
		return bad_varint(s, at, &b);
	if (pid != UINT64_MAX && pid > INT32_MAX)
		return fail(s, WTR_E_FORMAT, at, "v1.batch-proc", "proc %" PRIu64 " is larger than 2147483647", pid);
	uint32_t proc = proc_index(s, (int64_t)pid);
	if (proc == WTR__V1_NONE)
		return no_memory(s);
	s->batch_ts = (int64_t)ts;
	*next = b.at;
	return add_batch(s, at, proc);
}

static wtr_code stack_entry(scan *s, const uint8_t *at, size_t n)
{
	const uint64_t *a = s->args;
	if (n < 2)
		return fail(
			s, WTR_E_FORMAT, at, "v1.stack-arguments", "a stack has %zu numbers instead of at least 2", n);
	uint64_t frames = a[1];
	if (frames > FRAMES_MAX)
		return fail(s, WTR_E_FORMAT, at, "v1.stack-frames",
			"stack %" PRIu64 " has %" PRIu64 " frames, more than 1000", a[0], frames);
	if (n != 2 + 4 * frames)
		return fail(s, WTR_E_FORMAT, at, "v1.stack-arguments", "a stack of %" PRIu64 " frames has %zu numbers",
			frames, n);
	uint64_t id = (uint32_t)a[0];
	if (id == 0 || frames == 0)
		return WTR_OK;
	for (size_t i = 0; i < frames; i++) {
		const uint64_t *f = a + 2 + 4 * i;
		s->frames[i] = (wtr__frame){ .pc = f[0], .func = f[1], .file = f[2], .line = f[3] };
	}
	wtr__tables *tb = &s->v->tables;
	wtr_code code = wtr__tables_add_stack(tb, id, s->frames, frames);
	if (code == WTR_E_FORMAT) { /* the last definition wins */
		wb_idmap_del(&tb->stack_ids, id);
		code = wtr__tables_add_stack(tb, id, s->frames, frames);
	}
	return code == WTR_OK ? WTR_OK : no_memory(s);
}

static wtr_code sample_entry(scan *s, const uint8_t *at, size_t n)
{
	if (*at >> 6 != 3 || n != 5)
		return fail(s, WTR_E_FORMAT, at, "v1.arguments", "a CPU sample has %zu numbers instead of 5",
			*at >> 6 == 3 ? n : 0);
	const uint64_t *a = s->args;
	wtr__v1_sample c = { (int64_t)a[1], a[3], (uint64_t)(at - s->begin), (int32_t)(uint32_t)a[2], (uint32_t)a[4] };
	if (!wb_vec_add(&s->v->samples, c))
		return no_memory(s);
	s->v->n_events++;
	return WTR_OK;
}

static wtr_code message(scan *s, const uint8_t *at, const uint8_t **next)
{
	wb_bytes b = { *next, s->end, false };
	uint64_t n = wb_uvarint(&b);
	if (b.bad)
		return bad_varint(s, at, &b);
	if (n > STRING_BYTES_MAX)
		return fail(s, WTR_E_FORMAT, at, "v1.string-length",
			"a log message has %" PRIu64 " bytes, more than 1000000", n);
	if (n > (uint64_t)(s->end - b.at))
		return fail(s, WTR_E_TRUNC, at, "v1.truncated",
			"the trace ends inside a log message of %" PRIu64 " bytes", n);
	if (n > 0 && !wb_vec_add(&s->v->messages, (uint64_t)(*next - s->begin)))
		return no_memory(s);
	*next = b.at + n;
	return WTR_OK;
}

/* ---- any entry, with every check ---- */

/* Reads the numbers of an entry into s->args. */
static wtr_code numbers(scan *s, const uint8_t *at, const uint8_t **next, size_t *ret_n)
{
	wb_bytes b = { at + 1, s->end, false };
	size_t n = 0;
	if (*at >> 6 < 3) {
		for (; n < (size_t)(*at >> 6) + 1; n++)
			s->args[n] = wb_uvarint(&b);
		if (b.bad)
			return bad_varint(s, at, &b);
	} else {
		uint64_t length = wb_uvarint(&b);
		if (b.bad)
			return bad_varint(s, at, &b);
		if (b.at > at + 2 && wtr__v1_kinds[*at & 63].timed)
			s->v->long_lengths = true;
		if (length > ARGS_BYTES_MAX)
			return fail(s, WTR_E_FORMAT, at, "v1.length",
				"the arguments take %" PRIu64 " bytes, more than 2048", length);
		if (length > (uint64_t)(s->end - b.at))
			return fail(s, WTR_E_TRUNC, at, "v1.truncated", "the trace ends inside an event");
		for (b.end = b.at + length; b.at < b.end && !b.bad; n++)
			s->args[n] = wb_uvarint(&b);
		if (b.bad)
			return fail(s, WTR_E_FORMAT, at, "v1.varint",
				"a number is cut off by the length of its event or does not fit into 64 bits");
	}
	*next = b.at;
	*ret_n = n;
	return WTR_OK;
}

static wtr_code untimed(scan *s, const uint8_t *at, unsigned type, size_t n)
{
	if (type == WF_V1_Stack)
		return stack_entry(s, at, n);
	if (n != 1)
		return fail(s, WTR_E_FORMAT, at, "v1.arguments", "%zu numbers instead of 1", n);
	if (type == WF_V1_Frequency) {
		if ((int64_t)s->args[0] <= 0)
			return fail(s, WTR_E_FORMAT, at, "v1.frequency", "a frequency of %" PRIu64 " ticks per second",
				s->args[0]);
		s->frequency = (int64_t)s->args[0];
	} else if (!wb_vec_add(&s->v->timers, s->args[0])) {
		return no_memory(s);
	}
	return WTR_OK;
}

static wtr_code entry(scan *s, const uint8_t *at, const uint8_t **next)
{
	unsigned type = *at & 63;
	const wf_v1_spec *spec = &wf_v1_specs[type];
	if (!spec->name || spec->since > s->v->version)
		return fail(s, WTR_E_FORMAT, at, "v1.event-type", "event type %u does not exist in this version", type);
	bool in_batch = s->v->batches.n > 0;
	if (type == WF_V1_String)
		return string_entry(s, at, next, in_batch);
	if (type == WF_V1_Batch)
		return batch_entry(s, at, next);
	size_t n = 0;
	wtr_code code = numbers(s, at, next, &n);
	if (code)
		return code;
	if (!in_batch)
		return fail(s, WTR_E_FORMAT, at, "v1.no-batch", "an event stands before the first batch");
	if (type == WF_V1_CPUSample)
		return sample_entry(s, at, n);
	if (spec->cls == WF_V1_UNTIMED)
		return untimed(s, at, type, n);
	if (n != spec->n_args + 1u)
		return fail(s, WTR_E_FORMAT, at, "v1.arguments", "%zu numbers instead of %u", n, spec->n_args + 1u);
	s->v->n_events++;
	return type == WF_V1_UserLog ? message(s, at, next) : WTR_OK;
}

/* ---- the hot loop ---- */

static void shapes(scan *s)
{
	for (unsigned b = 0; b < 256; b++) {
		unsigned type = b & 63, c = b >> 6;
		const wf_v1_spec *spec = &wf_v1_specs[type];
		if (!spec->name || spec->since > s->v->version || !wtr__v1_kinds[type].timed || type == WF_V1_UserLog)
			continue;
		if (c < 3 && spec->n_args == c)
			s->shapes[b] = (uint8_t)(c + 1);
		else if (c == 3)
			s->shapes[b] = (uint8_t)(SHAPE_LENGTH + spec->n_args + 1);
	}
}

/* Steps over the simple events from p on, of which at least 32 bytes are readable each; where it stops entry() must
 * look. */
static const uint8_t *simple(scan *s, const uint8_t *p, const uint8_t *stop)
{
	uint64_t n_events = 0;
	while (p < stop) {
		unsigned shape = s->shapes[*p];
		if (shape - 1 < 3) {
			uint64_t ends = ~wtr__v1_load(p + 1) & V1_HIGH, more = ends & (ends - 1);
			ends = shape > 1 ? more : ends;
			more = ends & (ends - 1);
			ends = shape > 2 ? more : ends;
			if (!ends)
				break;
			p += 2 + (__builtin_ctzll(ends) >> 3);
		} else if (shape > SHAPE_LENGTH) {
			unsigned length = p[1];
			if (length - 1 > 15)
				break;
			/* The last byte must end a number, and no number may be longer than 9 bytes. */
			uint64_t low = ~wtr__v1_load(p + 2) & V1_HIGH, high = ~wtr__v1_load(p + 10) & V1_HIGH;
			if (length < 8)
				low &= (UINT64_C(1) << 8 * length) - 1;
			if (length < 16)
				high = length > 8 ? high & ((UINT64_C(1) << 8 * (length - 8)) - 1) : 0;
			unsigned n = (unsigned)(__builtin_popcountll(low) + __builtin_popcountll(high));
			if (p[1 + length] >= 0x80 || n != shape - SHAPE_LENGTH || length - n > 8)
				break;
			p += 2 + length;
		} else {
			break;
		}
		n_events++;
	}
	s->v->n_events += n_events;
	return p;
}

/* ---- repair: finding the way back after bytes that make no sense ---- */

enum { TRIAL_ENTRIES = 200 };

/* Does a batch begin at p that goes on soundly for a while, and could follow what was read before? */
static bool plausible(scan *s, const uint8_t *p)
{
	wb_bytes b = { p + 1, s->end, false };
	uint64_t pid = wb_uvarint(&b), ts = wb_uvarint(&b);
	if (b.bad || *p != (1 << 6 | WF_V1_Batch) ||
		(pid != UINT64_MAX && wb_idmap_get(&s->procs, pid) == WB_IDMAP_NONE))
		return false;
	if ((int64_t)ts < s->batch_ts - (INT64_C(1) << 40) || (int64_t)ts > s->batch_ts + (INT64_C(1) << 40))
		return false;
	for (unsigned i = 0; i < TRIAL_ENTRIES && b.at < s->end; i++) {
		unsigned type = *b.at & 63, c = *b.at >> 6;
		const wf_v1_spec *spec = &wf_v1_specs[type];
		if (!spec->name || spec->since > s->v->version)
			return false;
		b.at++;
		uint64_t skip = 0;
		if (type == WF_V1_String) {
			wb_uvarint(&b);
			skip = wb_uvarint(&b);
		} else if (type == WF_V1_Batch) {
			wb_uvarint(&b);
			wb_uvarint(&b);
		} else if (c == 3) {
			skip = wb_uvarint(&b);
			if (skip > ARGS_BYTES_MAX)
				return false;
		} else {
			if (type != WF_V1_Stack && wtr__v1_kinds[type].timed && spec->n_args != c)
				return false;
			for (unsigned k = 0; k <= c; k++)
				wb_uvarint(&b);
		}
		if (b.bad || skip > (uint64_t)(b.end - b.at))
			return false;
		b.at += skip;
		if (type == WF_V1_UserLog) {
			skip = wb_uvarint(&b);
			if (b.bad || skip > STRING_BYTES_MAX || skip > (uint64_t)(b.end - b.at))
				return false;
			b.at += skip;
		}
	}
	return true;
}

/* Leaves out the bytes from `at` to the next batch that looks sound, and remembers the error. */
static wtr_code step_over(scan *s, const uint8_t *at, const uint8_t **next)
{
	wtr__v1 *v = s->v;
	if (s->err->code == WTR_E_NOMEM || s->err->code == WTR_E_IO || s->err->code == WTR_E_LIMIT)
		return s->err->code;
	if (v->damage.code == WTR_OK)
		v->damage = *s->err;
	const uint8_t *p = at + 1;
	while (p < s->end && !plausible(s, p)) {
		const uint8_t *q = memchr(p + 1, 1 << 6 | WF_V1_Batch, (size_t)(s->end - p - 1));
		p = q ? q : s->end;
	}
	v->lost_bytes += (uint64_t)(p - at);
	v->lost_batches++;
	*next = p;
	*s->err = (wtr_error){ .thread = WTR_NONE, .event = "", .rule = "" };
	return v->batches.n ? add_batch(s, at, WTR__V1_NONE) : WTR_OK;
}

/* ---- the pass ---- */

static wtr_code progress(scan *s, const uint8_t *p)
{
	if (p < s->progress_at)
		return WTR_OK;
	s->progress_at = p + PROGRESS_BYTES;
	const wtr_options *o = &s->t->opt;
	if (o->progress && !o->progress(o->progress_user, "reading", (uint64_t)(p - s->begin) / 3, s->v->n))
		return wtr__fail(
			s->err, WTR_E_IO, (uint64_t)(p - s->begin), 0, WTR_NONE, "", "stopped", "reading was stopped");
	return WTR_OK;
}

static wtr_code entries(scan *s)
{
	const uint8_t *p = s->begin + WF_HEADER_BYTES;
	const uint8_t *readable = s->end - s->begin > 32 ? s->end - 32 : s->begin;
	while (p < s->end) {
		wtr_code code = progress(s, p);
		if (code)
			return code;
		if (s->v->batches.n && p < readable)
			p = simple(s, p, readable < s->progress_at ? readable : s->progress_at);
		const uint8_t *next = p;
		if (p < s->end)
			code = entry(s, p, &next);
		if (code && s->v->repair)
			code = step_over(s, p, &next);
		if (code)
			return code;
		p = next;
	}
	return WTR_OK;
}

static int by_pid(const void *a, const void *b)
{
	int64_t x = ((const wtr__v1_proc *)a)->pid, y = ((const wtr__v1_proc *)b)->pid;
	return (x > y) - (x < y);
}

static int by_time(const void *a, const void *b)
{
	const wtr__v1_sample *x = a, *y = b;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

static wtr_code finish(scan *s)
{
	wtr__v1 *v = s->v;
	if (v->n_events >= UINT32_MAX || v->tables.strings.n + v->messages.n >= WTR__EXTRA)
		return fail(s, WTR_E_LIMIT, s->end, "v1.limit", "%" PRIu64 " events and %" PRIu64 " texts are too many",
			v->n_events, (uint64_t)(v->tables.strings.n + v->messages.n));
	v->has_frequency = s->frequency > 0;
	/* Without it times are a guess: most clocks of that age tick 2 to 4 times a ns and are counted in units of
	 * 64. */
	v->ns_per_tick = v->has_frequency ? 1e9 / (double)s->frequency : 64.0 / 3;
	for (size_t i = 0; i < v->tables.frames.n; i++) {
		const wtr__frame *f = &v->tables.frames.at[i];
		v->unknown_strings += wtr__string_id(&v->tables, f->func) == WTR__UNKNOWN;
		v->unknown_strings += wtr__string_id(&v->tables, f->file) == WTR__UNKNOWN;
	}
	uint64_t stack, string;
	if (wtr__tables_finish(&v->tables, true, &stack, &string) != WTR_OK)
		return no_memory(s);
	if (v->procs.n)
		qsort(v->procs.at, v->procs.n, sizeof(*v->procs.at), by_pid);
	for (size_t i = 0; i < v->procs.n; i++) /* only gaps are looked up by it, but keep it true */
		for (uint32_t b = v->procs.at[i].first; b != WTR__V1_NONE; b = v->batches.at[b].next)
			v->batches.at[b].proc = (uint32_t)i;
	if (v->samples.n)
		qsort(v->samples.at, v->samples.n, sizeof(*v->samples.at), by_time);
	return WTR_OK;
}

wtr_code wtr__v1_scan(wtr_trace *t, wtr__v1 *v, wtr_error *err)
{
	scan *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return wtr__fail(
			err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory while reading the trace");
	s->t = t;
	s->v = v;
	s->err = err;
	s->begin = s->progress_at = v->at;
	s->end = v->at + v->n;
	shapes(s);
	wtr_code code = wtr__tables_init(&v->tables, 0, 0) ? entries(s) : no_memory(s);
	if (!code)
		code = finish(s);
	wb_idmap_free(&s->procs);
	wb_free(s);
	return code;
}
