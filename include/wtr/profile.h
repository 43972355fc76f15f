/* wtr/profile.h - profiles: stacks, and how often or how long something was so.
 *
 * docs/analyses.md defines each kind.  net, sync, syscall and sched are those of `go tool trace -pprof=KIND`.
 */
#ifndef WTR_PROFILE_H
#define WTR_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>
#include <wtr/report.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kind, its name, what its two values count ("" when it has no such value), and what it says. */
#define WTR_PROFILES(X)                                                                           \
	X(NET, "net", "contentions", "delay", "waiting for the network")                          \
	X(SYNC, "sync", "contentions", "delay", "waiting for channels, select and sync")          \
	X(SYSCALL, "syscall", "contentions", "delay", "in system calls")                          \
	X(SCHED, "sched", "contentions", "delay", "ready to run, waiting for a proc")             \
	X(CPU, "cpu", "samples", "", "CPU samples")                                               \
	X(OFFCPU, "offcpu", "spans", "delay", "not running, by state")                            \
	X(OFFWAKE, "offwake", "waits", "delay", "waiting, with the stack that ended the wait")    \
	X(CREATE, "create", "goroutines", "running", "goroutines created, and how long they ran") \
	X(ALONE, "alone", "spans", "running", "running while nothing else was, and how many ran at a time")
typedef enum wtr_profile_kind {
#define WTR_PROFILE_ENUM(ID, name, count, ns, doc) WTR_PROFILE_##ID,
	WTR_PROFILES(WTR_PROFILE_ENUM)
#undef WTR_PROFILE_ENUM
		WTR_PROFILE_COUNT
} wtr_profile_kind;
WTR_API const char *wtr_profile_name(unsigned kind);                  /* NULL for a number that is none */
WTR_API const char *wtr_profile_value(unsigned kind, unsigned value); /* what value 0 and 1 count; "" for none */

typedef struct wtr_profile_query {
	wtr_profile_kind kind;
	bool ranged; /* only [from_ns, to_ns), absolute */
	int64_t from_ns, to_ns;
	wtr_where *where; /* bound, about spans; NULL: everything.  ALONE has no filter: E_USAGE */
	bool as_go;       /* NET, SYNC, SYSCALL, SCHED: of a goroutine id that was used again, only the last
			   * life, as go tool trace does */
	const wtr_index *index; /* of this trace, or NULL.  With the parts LANES and EVENTS it has all kinds but ALONE
				 * in it, of sound traces that use no goroutine id twice, and with filters that do not
				 * ask for waker, p or m (of CPU also those): then nothing is read */
} wtr_profile_query;

typedef struct wtr_profile wtr_profile;

/* Reads the trace once (twice when it is damaged), or asks the index.
 *
 * As `go tool trace` does, a trace whose reading ends with an error counts up to its last Sync, unless it was opened
 * with WTR_REPAIR.
 * Ownership: *ret is the caller's until wtr_profile_free(), and does not need the trace.
 * Errors: E_NOMEM, E_USAGE, E_IO (progress returned false); damage is none, see wtr_profile_totals.end.
 * Threads: any number may ask a finished profile.
 */
WTR_API wtr_code wtr_profile_make(wtr_trace *t, const wtr_profile_query *q, wtr_profile **ret, wtr_error *err);
WTR_API void wtr_profile_free(wtr_profile *p); /* p may be NULL */

enum { WTR_PROFILE_AT_ONCE = 64 };

typedef struct wtr_profile_totals {
	wtr_profile_kind kind;
	uint64_t count;
	int64_t ns;
	size_t records;
	int64_t duration_ns; /* of the time that was looked at */
	wtr_error end;       /* why reading ended; code OK at the proper end */
	/* ALONE: time with so many goroutines running, or ready; the last number stands for that many and more. */
	int64_t running_ns[WTR_PROFILE_AT_ONCE], runnable_ns[WTR_PROFILE_AT_ONCE];
} wtr_profile_totals;
WTR_API void wtr_profile_get_totals(const wtr_profile *p, wtr_profile_totals *ret);

/* Record i, most time first, then most often. */
typedef struct wtr_profile_record {
	uint64_t count;
	int64_t ns;
	const char *state; /* OFFCPU: wtr_class_name(); else "".  Static */
	size_t n_frames;
} wtr_profile_record;
WTR_API bool wtr_profile_get_record(const wtr_profile *p, size_t i, wtr_profile_record *ret);

/* Writes at most `n` frames of record i, innermost first, and returns how many it has.  Texts live as long as the
 * profile.  OFFWAKE: the waker's frames, outermost first, then one named "--", then those of the waiting. */
WTR_API size_t wtr_profile_frames(const wtr_profile *p, size_t i, wtr_frame *ret, size_t n);

/* Functions: `flat` where they are innermost, `cum` anywhere on the stack (once per record). */
typedef struct wtr_profile_func {
	wtr_str name; /* empty for stacks without frames */
	uint64_t flat_count, cum_count;
	int64_t flat_ns, cum_ns;
} wtr_profile_func;

/* All functions, most flat first (ns, or the count where there is no ns), then most cum.  Their number in *ret_n;
 * free() is wtr_profile_free_funcs().  NULL: out of memory. */
WTR_API wtr_profile_func *wtr_profile_funcs(const wtr_profile *p, size_t *ret_n);
WTR_API void wtr_profile_free_funcs(wtr_profile_func *f);

#ifdef __cplusplus
}
#endif
#endif
