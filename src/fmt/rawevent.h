/* fmt/rawevent.h - the events of a trace file one after the other, as they stand, for the text form and for counting.
 *
 * Nothing is ordered, looked up or checked beyond what is needed to tell where an event ends.  Every varint is kept
 * with its length, so that an event can be written again byte for byte.  Both containers (v1 and v2) are read.
 */
#ifndef WF_RAWEVENT_H
#define WF_RAWEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
	WF_RAW_ARGS_MAX = 5,   /* of any event of either version, frames not counted */
	WF_V1_LENGTH_WIDTH_STACK = 10, /* bytes of the length in front of a v1 stack, as the runtime writes it */
};

/* One varint: its value and how many bytes it took (more than needed when it is padded). */
typedef struct wf_varint {
	uint64_t value;
	unsigned width;
} wf_varint;

typedef struct wf_raw_event {
	uint64_t  offset;       /* of its first byte in the file */
	size_t    bytes;
	uint8_t   type;         /* wf_event_number or wf_v1_number */
	uint8_t   n_args;
	wf_varint arg[WF_RAW_ARGS_MAX];
	bool      is_stack;     /* arg[1] frames of four varints follow, at `frames` */
	wb_bytes  frames;
	bool      has_data;     /* text or bytes follow */
	unsigned  data_width;   /* bytes of its length */
	const uint8_t *data;
	size_t    n_data;
	uint8_t   v1_count;     /* v1: bits 6 and 7 of the first byte */
	unsigned  v1_length_width; /* v1: bytes of the length in front of the arguments; 0: none there */
} wf_raw_event;

typedef enum wf_raw_result { WF_RAW_EVENT, WF_RAW_BROKEN, WF_RAW_END } wf_raw_result;

typedef struct wf_raw_reader {
	const uint8_t *base, *at, *end;
	const uint8_t *batch_end;  /* of the v2 batch that `at` is in; NULL between batches, and always when `flat` */
	uint64_t    batch_short;   /* bytes that the batch has too few because the file ends; 0 */
	unsigned    version;       /* NN of the header */
	bool        flat;          /* batch sizes are not looked at, as in raw.Reader of Go */
	/* After WF_RAW_BROKEN: what is wrong, where, and up to where nothing can be told.  The next call goes on behind
	 * it. */
	const char *why;
	uint64_t    broken_at, broken_end;
} wf_raw_reader;

/* Begins with the header of `n` bytes at `at`.  False when there is no header of a known version: then `why` tells, and
 * the reader is not to be used. */
bool wf_raw_open(wf_raw_reader *r, const void *at, size_t n, bool flat);

/* The next event; *ret only for WF_RAW_EVENT, valid as long as the bytes.  In a v2 file WF_RAW_BROKEN covers the rest
 * of a batch, or of the file when the batch itself cannot be made out. */
wf_raw_result wf_raw_next(wf_raw_reader *r, wf_raw_event *ret);

/* Bytes of the shortest form of a varint. */
static inline unsigned wf_varint_width(uint64_t v)
{
	return v ? (70u - (unsigned)__builtin_clzll(v)) / 7 : 1;
}

/* Is this a number of a version that exists, and is it one of the first container? */
bool wf_version_known(unsigned version);
static inline bool wf_version_is_v1(unsigned version) { return version < 22; }

/* Names of the arguments of a v1 event: how many it has (time delta and stack included), and each name in Go's manner.
 * NULL beyond the last. */
unsigned    wf_v1_n_args(unsigned type);
const char *wf_v1_arg_name(unsigned type, unsigned i);

#endif
