/* read/v2/carried.h - what libweft says beyond Go's format, in strings that no event refers to (docs/carrier.md).
 *
 * The pieces of a generation are found while its strings are read, and decoded with its tables.  What they say about
 * GoBlock events is a list for each thread, in order; which event an entry is for shows only in the merge, so the lists
 * are stepped through there (wtr__carrier_block).  A piece that is not as the document says ends what is believed of
 * its thread: it is counted, never guessed at.
 */
#ifndef WTR_READ_V2_CARRIED_H
#define WTR_READ_V2_CARRIED_H

#include <wtr/object.h>

#include "base/bytes.h"
#include "base/idmap.h"
#include "base/vec.h"
#include "fmt/carrier.h"
#include "read/tables.h"

/* A piece, as found. */
typedef struct wtr__piece {
	int64_t m;
	uint64_t index;
	wb_bytes rest;
	uint8_t kind;
	uint32_t place; /* in the file */
} wtr__piece;

typedef WB_VEC(wtr__piece) wtr__pieces;

typedef struct wtr__wait {
	uint32_t first, sends; /* in objects; bits of the channels of a select that it waits to send to */
	uint8_t n;
	bool several;
} wtr__wait;

/* A GoBlock whose wait is not as guessed. */
typedef struct wtr__wait_entry {
	uint64_t guessed; /* GoBlock events between the entry before and this one */
	uint32_t wait;    /* place in waits; 0: not known */
} wtr__wait_entry;

/* A GoSyscallBegin that is none. */
typedef struct wtr__taken {
	uint64_t ticks;
	int64_t g;
} wtr__taken;

/* Of one thread. */
typedef struct wtr__carried {
	int64_t m;
	bool broken; /* behind the last entry nothing is known */
	uint32_t first_entry, n_entries;
	uint32_t first_taken, n_taken;
} wtr__carried;

typedef struct wtr__kept {
	int64_t g;
	uint32_t place; /* of its label in labels, of its wait in waits */
} wtr__kept;

typedef struct wtr__object_name {
	uint64_t id;
	wtr_str name;
} wtr__object_name;

/* What a part of a trace was cut off from: tasks and regions that go on, where goroutines come from, why they wait. */
typedef struct wtr__kept_task {
	uint64_t id, parent; /* parent 0: none */
	wtr_str name;
} wtr__kept_task;

typedef struct wtr__kept_region {
	int64_t g;
	uint64_t task;
	wtr_str name;
} wtr__kept_region;

typedef struct wtr__kept_origin {
	int64_t g;
	uint32_t start, create; /* stacks, handed out: that it began with, that made it */
} wtr__kept_origin;

typedef struct wtr__kept_reason {
	int64_t g;
	wtr_str reason;
} wtr__kept_reason;

typedef struct wtr__carrier wtr__carrier;
struct wtr__carrier {
	WB_VEC(wtr_object) objects;
	WB_VEC(wtr__wait) waits; /* [0]: not known */
	WB_VEC(wtr__wait_entry) entries;
	WB_VEC(wtr__taken) taken;
	WB_VEC(wtr__carried) threads;  /* by m */
	WB_VEC(wtr_kept_label) labels; /* by goroutine */
	WB_VEC(wtr__object_name) names; /* by id */
	wb_idmap computing; /* goroutines that are in a system call when first mentioned, which is none */
	wb_idmap kept_waits;           /* goroutine that waits since before the generation -> place in waits */
	WB_VEC(wtr__kept_task) tasks;
	WB_VEC(wtr__kept_region) regions; /* by goroutine; of each the outermost first */
	WB_VEC(wtr__kept_origin) origins; /* by goroutine */
	WB_VEC(wtr__kept_reason) reasons; /* by goroutine */
	uint32_t send_string;          /* handed out: the reason of waits to send; 0: none */
	uint64_t ignored;              /* pieces */
	bool is_part; /* the generation is the first of a part of a trace: its statuses tell what was before */
	uint64_t stalls, stall_ns, lost_stacks, lost_strings;
};

/* Is it a piece?  Then it is kept in *ret.  False: out of memory. */
bool wtr__carrier_take(wtr__pieces *ret, const uint8_t *at, size_t n);

/* Decodes the pieces, which it sorts; NULL: out of memory. */
wtr__carrier *wtr__carrier_make(wtr__pieces *pieces, const wtr__tables *tables);
void wtr__carrier_free(wtr__carrier *c); /* c may be NULL */

/* What a wait handed out as `local` (place * 2 + "sends") is for; see wtr_wait_objects. */
size_t wtr__carrier_objects(const wtr__carrier *c, uint32_t local, wtr_object *ret, size_t n);

/* The carrier of generation `generation` (1, 2, ..) of t while its tables are there; NULL: none. */
const wtr__carrier *wtr__carrier_of(const wtr_trace *t, uint64_t generation);

/* ---- in the merge ---- */

/* How far the merge is in what is said of a thread. */
typedef struct wtr__carried_at {
	const wtr__carried *of;
	uint32_t entry, taken; /* the next ones */
	uint64_t left;         /* events until that entry */
	uint32_t *guess;       /* by goroutine mod WF_CARRIER_GUESSES: the newest wait; NULL: there is no entry */
} wtr__carried_at;

/* guess: WF_CARRIER_GUESSES numbers that stay the caller's, NULL when `of` has no entries. */
void wtr__carried_begin(wtr__carried_at *at, const wtr__carrier *c, const wtr__carried *of, uint32_t *guess);

/* The thread's next GoBlock is of g, and its reason is `reason`: the wait, local; 0: not known. */
uint32_t wtr__carrier_block(const wtr__carrier *c, wtr__carried_at *at, int64_t g, uint32_t reason);

/* g enters a system call at that time, which is too early by lost_ns at most: is it none?  ns_per_tick: of the
 * generation. */
bool wtr__carrier_is_taken(
	const wtr__carrier *c, wtr__carried_at *at, int64_t g, int64_t time_ns, int64_t lost_ns, double ns_per_tick);

/* g is in a system call when the generation first mentions it: is it none, and its proc was taken before? */
bool wtr__carrier_computes(const wtr__carrier *c, int64_t g);

/* What g waits for, which did so before the generation began; 0: not known. */
uint32_t wtr__carrier_kept_wait(const wtr__carrier *c, int64_t g);

/* ---- by goroutine ---- */

/* NULL: nothing is said of it. */
const wtr__kept_origin *wtr__carrier_origin(const wtr__carrier *c, int64_t g);
const wtr__kept_reason *wtr__carrier_reason(const wtr__carrier *c, int64_t g);
/* The first of *ret_n regions. */
const wtr__kept_region *wtr__carrier_regions(const wtr__carrier *c, int64_t g, size_t *ret_n);

#endif
