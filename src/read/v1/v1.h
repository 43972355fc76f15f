/* read/v1/v1.h - what is known of a v1 trace after opening it, for the files of read/v1/.
 *
 * Opening makes two passes: scan (scan.c) hops over all bytes and checks them, merge (merge.c) finds the order of
 * events and checks that it makes sense.  What stays is one small number per event, whose stream is next, so that every
 * later pass (replay.h, source.c) decodes and delivers without deciding anything again. Format and rules:
 * docs/format.md, "v1"; the tables in src/fmt/v1events.def.
 */
#ifndef READ_V1_V1_H
#define READ_V1_V1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/open.h>

#include "base/idmap.h"
#include "base/vec.h"
#include "fmt/events.h"
#include "read/tables.h"

/* Stand-ins for procs in the delivered events. */
enum {
	WTR__V1_P_TIMER = 1000001,   /* goroutines made runnable by the timer goroutine (Go 1.13 and before) */
	WTR__V1_P_NET = 1000002,     /* ... by the network poller */
	WTR__V1_P_SYSCALL = 1000003, /* returns from blocking system calls */
	WTR__V1_P_GC = 1000004,      /* starts of collections */
};

#define WTR__V1_NONE UINT32_MAX /* no batch, no slot */

/* A batch, or (proc WTR__V1_NONE) a gap that could not be read.  Ends where the next one begins. */
typedef struct wtr__v1_batch {
	uint64_t at;         /* offset of its header */
	uint32_t next;       /* of the same proc */
	uint32_t proc;
} wtr__v1_batch;

typedef struct wtr__v1_proc {
	int64_t  pid;        /* -1: events without a proc */
	uint32_t first, last;
} wtr__v1_proc;

typedef struct wtr__v1_sample {
	int64_t  ts;
	uint64_t g;
	uint64_t at;         /* offset */
	int32_t  p;
	uint32_t stack;
} wtr__v1_sample;

/* A GoSysExit that is delivered at the time it carries, not where it stands. */
typedef struct wtr__v1_moved {
	int64_t  ts;
	uint64_t g;
	uint32_t index;      /* of the event in merge order: the later one of equal times */
} wtr__v1_moved;

/* Who made a goroutine runnable: two bits per GoUnblock. */
enum { WTR__V1_BY_PROC, WTR__V1_BY_TIMER, WTR__V1_BY_NET };

typedef struct wtr__v1_bits {
	WB_VEC(uint64_t) words;
	uint64_t n;          /* bits */
} wtr__v1_bits;

/* Texts that are not in the file: reasons, then kinds of stop-the-world by their number in Go 1.21. */
typedef enum wtr__v1_text {
#define V1_REASON(ID, text) WTR__V1_##ID,
#define V1_STW(ID, text) WTR__V1_STW_##ID,
#include "read/v1/texts.def"
	WTR__V1_TEXT_COUNT
} wtr__v1_text;

struct wtr__v1 {
	const uint8_t *at;           /* the trace */
	uint64_t       n;
	unsigned       version;
	bool           repair;
	bool           has_frequency;
	double         ns_per_tick;
	wtr__tables    tables;
	WB_VEC(wtr__v1_batch) batches;   /* in file order */
	WB_VEC(wtr__v1_proc) procs;      /* by pid, once scanned */
	WB_VEC(wtr__v1_sample) samples;  /* by time, once scanned; stream number procs.n */
	WB_VEC(uint64_t)
	messages; /* offset of the length of each UserLog's message; string id = tables.strings.n + index */
	WB_VEC(uint64_t) timers;         /* goroutines named by TimerGoroutine */
	uint64_t       n_events;         /* with samples */
	bool           long_lengths;     /* the length of some timed event takes more than one byte */

	uint64_t       unknown_strings;  /* in frames of stacks */

	/* From the merge. */
	unsigned       pick_bytes;       /* 1, 2 or 4 */
	WB_VEC(uint8_t)
	picks; /* stream numbers; all bits set is an escape, then WTR__V1_SKIP or _STAY, then a stream */
	WB_VEC(wtr__v1_moved) moved;     /* by time, then index */
	wtr__v1_bits   syscalls;         /* per GoSysCall: the goroutine's next event says that it blocked */
	wtr__v1_bits   unblocks;         /* per GoUnblock */
	int64_t        first_ts;         /* of the first event delivered */

	uint32_t       texts[WTR__V1_TEXT_COUNT];

	/* With WTR_REPAIR. */
	wtr_error      damage;
	uint64_t       lost_bytes, lost_batches, skipped_events, forced_states;
};
typedef struct wtr__v1 wtr__v1;

enum {
	WTR__V1_SKIP = 0,
	WTR__V1_STAY = 1
}; /* after an escape: leave the event out; deliver a GoSysExit where it stands */

/* What to know about an event type, beyond wf_v1_specs. */
typedef enum wtr__v1_seq {
	WTR__V1_SEQ_NONE,    /* free: always ready */
	WTR__V1_SEQ_EXACT,   /* needs a number, leaves number + 1 */
	WTR__V1_SEQ_KEEP,    /* any number, which stays */
	WTR__V1_SEQ_COUNT,   /* any number, leaves that + 1 */
} wtr__v1_seq;

/* Every byte of the trace once.  On failure *err is filled; v may be freed in any state. */
wtr_code wtr__v1_scan(wtr_trace *t, wtr__v1 *v, wtr_error *err);
wtr_code wtr__v1_merge(wtr_trace *t, wtr__v1 *v, wtr_error *err);

/* The id of the string or stack of an event, 0 if no table has it; then *unknown is counted up. */
static inline uint32_t wtr__v1_string_id(const wtr__v1 *v, uint64_t wire, uint64_t *unknown)
{
	uint32_t id = wtr__string_id(&v->tables, wire);
	if (__builtin_expect(id == WTR__UNKNOWN, 0)) {
		++*unknown;
		return 0;
	}
	return id;
}

static inline uint32_t wtr__v1_stack_id(const wtr__v1 *v, uint64_t wire, uint64_t *unknown)
{
	uint32_t id = wtr__stack_id(&v->tables, wire);
	if (__builtin_expect(id == WTR__UNKNOWN, 0)) {
		++*unknown;
		return 0;
	}
	return id;
}

/* Appends `count` (1 .. 8) bits. */
static inline bool wtr__v1_bits_add(wtr__v1_bits *b, unsigned value, unsigned count)
{
	unsigned shift = b->n & 63;
	if (b->n >> 6 >= b->words.n && !wb_vec_add(&b->words, 0))
		return false;
	b->words.at[b->n >> 6] |= (uint64_t)value << shift;
	b->n += count;
	return true;
}

static inline void wtr__v1_bits_set(wtr__v1_bits *b, uint64_t i) { b->words.at[i >> 6] |= (uint64_t)1 << (i & 63); }

/* The `count` bits at *pos, which moves on. */
static inline unsigned wtr__v1_bits_next(const wtr__v1_bits *b, uint64_t *pos, unsigned count)
{
	unsigned v = (unsigned)(b->words.at[*pos >> 6] >> (*pos & 63)) & ((1u << count) - 1);
	*pos += count;
	return v;
}

#endif
