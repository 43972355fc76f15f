/* wtr/latency.h - user tasks and regions by type, with how long they took.
 *
 * Durations are those of `go tool trace`: from start to end; a start or an end that the trace does not have is the
 * trace's.  Percentiles are exact: the smallest duration that at least so many of them do not exceed.
 */
#ifndef WTR_LATENCY_H
#define WTR_LATENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WTR_LATENCY_BUCKETS = 96 };

/* Tasks of one type, or regions of one type that begin under one outermost function. */
typedef struct wtr_latency_group {
	wtr_str name, func;             /* func: of regions, empty when they began before the trace */
	uint64_t n, complete;           /* complete: both start and end are in the trace */
	int64_t sum_ns, min_ns, max_ns; /* over complete tasks; over all regions */
	int64_t p50_ns, p90_ns, p99_ns, p999_ns;
	int64_t exec_ns, sched_ns, block_ns,
		syscall_ns;                    /* regions: sums of their goroutine's times (all system call time) */
	uint32_t buckets[WTR_LATENCY_BUCKETS]; /* durations by wtr_latency_bucket(), of those that min_ns is over */
} wtr_latency_group;

/* Bucket of a duration, five to a decade, and where a bucket begins. */
WTR_API unsigned wtr_latency_bucket(int64_t ns);
WTR_API int64_t wtr_latency_bucket_ns(unsigned bucket);

typedef struct wtr_latencies wtr_latencies;

typedef struct wtr_latency_query {
	wtr_about about;  /* WTR_ABOUT_TASK or WTR_ABOUT_REGION */
	wtr_where *where; /* bound, about the same; NULL: everything */
	bool ranged;      /* those that overlap [from_ns, to_ns) */
	int64_t from_ns, to_ns;
} wtr_latency_query;

/* From an index with the part EVENTS, which must live longer.  Inherited regions and the background task are left out.
 * E_NOMEM, E_USAGE. */
WTR_API wtr_code wtr_latency_make(
	wtr_trace *t, const wtr_index *x, const wtr_latency_query *q, wtr_latencies **ret, wtr_error *err);
WTR_API void wtr_latency_free(wtr_latencies *l); /* l may be NULL */

/* Groups, most first, then by name; *ret lives as long as l. */
WTR_API size_t wtr_latency_groups(const wtr_latencies *l, const wtr_latency_group **ret);
/* Rows of the table of tasks or regions, slowest first; of one group, or of all. */
WTR_API size_t wtr_latency_members(const wtr_latencies *l, size_t group, const uint32_t **ret);
WTR_API size_t wtr_latency_all(const wtr_latencies *l, const uint32_t **ret);
/* The duration of such a row. */
WTR_API int64_t wtr_latency_ns(const wtr_latencies *l, uint32_t row);

#ifdef __cplusplus
}
#endif
#endif
