/* wtr/snapshots.h - which of several traces is odd: each beside the middle of all of them.
 *
 * For folders of flight recorder snapshots, where one is to be opened first.
 */
#ifndef WTR_SNAPSHOTS_H
#define WTR_SNAPSHOTS_H

#include <stddef.h>

#include <wtr/error.h>
#include <wtr/open.h>
#include <wtr/report.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is looked at.  Unit: "ns" and "bytes" are for people to read as such, "" is a number. */
#define WTR_TRAITS(X)                                              \
	X(EVENTS, "events", "", "per second")                      \
	X(GOROUTINES, "goroutines", "", "")                        \
	X(RUNNING, "running", "ns", "goroutines' time, per second") \
	X(READY, "ready", "ns", "waiting for a proc, per second")  \
	X(SYSCALL, "in system calls", "ns", "per second")          \
	X(MARK, "mark phases", "ns", "per second")                 \
	X(STOPPED, "world stopped", "ns", "per second")            \
	X(LONGEST, "longest stop", "ns", "")                       \
	X(HEAP, "largest heap", "bytes", "")                       \
	X(SEVERITY, "worst finding", "", "its severity")
typedef enum wtr_trait {
#define WTR_TRAIT_ENUM(ID, name, unit, doc) WTR_TRAIT_##ID,
	WTR_TRAITS(WTR_TRAIT_ENUM)
#undef WTR_TRAIT_ENUM
		WTR_TRAIT_COUNT
} wtr_trait;
/* NULL for a number that is none. */
WTR_API const char *wtr_trait_name(unsigned trait, const char **ret_unit, const char **ret_doc);

typedef struct wtr_snapshot {
	double traits[WTR_TRAIT_COUNT];
	/* Filled by wtr_snapshots_rank(): how far a trait is from the median of all, in units of what is usual (the
	 * median of such distances, times 1.4826, but 5 percent of the median at least). */
	double odd[WTR_TRAIT_COUNT], median[WTR_TRAIT_COUNT];
	wtr_trait most; /* the oddest */
	double oddness; /* of that one; 0 when there are fewer than three */
} wtr_snapshot;

/* Looks at one trace; `x` has the parts TOTALS and GOROUTINES.  Reads it once.  E_NOMEM, E_IO. */
WTR_API wtr_code wtr_snapshot_make(wtr_trace *t, const wtr_index *x, wtr_snapshot *ret, wtr_error *err);

/* Compares them.  E_NOMEM. */
WTR_API wtr_code wtr_snapshots_rank(wtr_snapshot *all, size_t n, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif
