/* fmt/emit.h - writing the v2 format: a struct and a function for each event of events.def, and the frames around them.
 *
 *	at = wf_put_GoStart(at, (wf_GoStart){ .dt = 3, .g = 7, .g_seq = 1 });
 *
 * Members are the arguments in Go's spelling.  Functions write at `at` and return where they stopped; the caller has
 * made sure of WF_EVENT_BYTES_MAX bytes (texts and frames come on top).
 */
#ifndef WF_EMIT_H
#define WF_EMIT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"

enum {
	WF_VARINT_BYTES_MAX = 10,
	WF_EVENT_BYTES_MAX = 1 + WF_VARINT_BYTES_MAX * WF_ARGS_MAX,
	WF_BATCH_HEAD_BYTES_MAX = 1 + WF_VARINT_BYTES_MAX * 4,
};

/* The thread of batches that belong to none. */
#define WF_NO_THREAD UINT64_MAX

static inline uint8_t *wf_put_uv(uint8_t *at, uint64_t v)
{
	while (v >= 0x80) {
		*at++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*at++ = (uint8_t)v;
	return at;
}

/* In exactly `width` bytes, which must be enough: for numbers that are known later. */
static inline uint8_t *wf_put_padded(uint8_t *at, uint64_t v, unsigned width)
{
	for (unsigned i = 1; i < width; i++, v >>= 7)
		*at++ = (uint8_t)(v | 0x80);
	*at++ = (uint8_t)v;
	return at;
}

#define EMIT_STRUCT(Name, args)    \
	typedef struct wf_##Name { \
		args               \
	} wf_##Name;
#define EMIT_BATCH(Name, args)
#define EMIT_SECTION(Name, args)
#define EMIT_ENTRY                              EMIT_STRUCT
#define ARG(name, type)                         uint64_t name;
#define EV(no, ID, Name, since, cls, args)      EMIT_##cls(Name, args)
#define TIMED(no, ID, Name, since, begin, args) EMIT_STRUCT(Name, args)
#define EXPT(no, ID, Name, since, exp, args)    EMIT_STRUCT(Name, args)
#include "fmt/events.def"
#undef EMIT_ENTRY
#undef EMIT_STRUCT

#define EMIT_FUNCTION(Name, no, args)                                  \
	static inline uint8_t *wf_put_##Name(uint8_t *at, wf_##Name e) \
	{                                                              \
		*at++ = no;                                            \
		args;                                                  \
		return at;                                             \
	}
#define EMIT_ENTRY EMIT_FUNCTION
#undef EMIT_BATCH
#undef EMIT_SECTION
#define EMIT_BATCH(Name, no, args)
#define EMIT_SECTION(Name, no, args)
#define ARG(name, type)                         at = wf_put_uv(at, e.name);
#define EV(no, ID, Name, since, cls, args)      EMIT_##cls(Name, no, args)
#define TIMED(no, ID, Name, since, begin, args) EMIT_FUNCTION(Name, no, args)
#define EXPT(no, ID, Name, since, exp, args)    EMIT_FUNCTION(Name, no, args)
#include "fmt/events.def"
#undef EMIT_ENTRY
#undef EMIT_FUNCTION
#undef EMIT_BATCH
#undef EMIT_SECTION

/* WF_HEADER_BYTES bytes: "go 1.26 trace" and zeroes. */
static inline uint8_t *wf_put_header(uint8_t *at, unsigned version)
{
	memcpy(at, "go 1.NN trace\0\0", WF_HEADER_BYTES);
	at[5] = (uint8_t)('0' + version / 10);
	at[6] = (uint8_t)('0' + version % 10);
	return at + WF_HEADER_BYTES;
}

enum { WF_SIZE_WIDTH = WF_VARINT_BYTES_MAX }; /* as Go's runtime writes it */

/* The head of a batch whose size is not known yet: data begins at the result; wf_end_batch fills the size in. */
static inline uint8_t *wf_put_batch(uint8_t *at, uint64_t gen, uint64_t m, uint64_t time)
{
	*at++ = WF_EV_EVENT_BATCH;
	at = wf_put_uv(at, gen);
	at = wf_put_uv(at, m);
	at = wf_put_uv(at, time);
	return wf_put_padded(at, 0, WF_SIZE_WIDTH);
}

static inline void wf_end_batch(uint8_t *data, const uint8_t *end)
{
	wf_put_padded(data - WF_SIZE_WIDTH, (uint64_t)(end - data), WF_SIZE_WIDTH);
}

/* A row of a string table; n bytes come on top, and n is at most WF_STRING_BYTES_MAX. */
static inline uint8_t *wf_put_string(uint8_t *at, uint64_t id, const void *text, size_t n)
{
	at = wf_put_String(at, (wf_String){ .id = id });
	at = wf_put_uv(at, n);
	memcpy(at, text, n);
	return at + n;
}

/* One frame of a stack table's row, after wf_put_Stack. */
static inline uint8_t *wf_put_frame(uint8_t *at, uint64_t pc, uint64_t func, uint64_t file, uint64_t line)
{
	return wf_put_uv(wf_put_uv(wf_put_uv(wf_put_uv(at, pc), func), file), line);
}

#endif
