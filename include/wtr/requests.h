/* wtr/requests.h - requests: the user tasks of a trace or, where nothing is annotated, what stacks tell.
 *
 * Inferred are: in net/http servers, what a connection's goroutine does between two waits for a request; in gRPC
 * servers, the goroutine of a stream.  docs/analyses.md has the rules.
 */
#ifndef WTR_REQUESTS_H
#define WTR_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/report.h>
#include <wtr/where.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wtr_request_source { WTR_REQUESTS_TASKS, WTR_REQUESTS_HTTP, WTR_REQUESTS_GRPC } wtr_request_source;

typedef struct wtr_request {
	wtr_request_source source;
	wtr_str name;             /* type of the task, or handler; empty if not known */
	uint64_t task;            /* 0: none */
	int64_t g;                /* goroutine whose states are told: that of the request, or the first of the task */
	int64_t start_ns, end_ns; /* absolute */
	int64_t by_class[WTR_CLASS_COUNT]; /* what that goroutine did; with class NONE they add up to the duration */
} wtr_request;

/* Requests of one name. */
typedef struct wtr_request_group {
	wtr_str name;
	wtr_request_source source;
	size_t n, first;                        /* rows `first` to first + n of the list by group, slowest first */
	int64_t p50_ns, p90_ns, p99_ns, max_ns; /* exact */
} wtr_request_group;

typedef struct wtr_requests wtr_requests;

/* From an index with all parts, which must live longer.  Complete ones that end in [from_ns, to_ns).  `inferred`: look
 * at stacks even when there are tasks.  E_NOMEM. */
WTR_API wtr_code wtr_requests_make(wtr_trace *t, const wtr_index *x, int64_t from_ns, int64_t to_ns, bool inferred,
	wtr_requests **ret, wtr_error *err);
/* The same of those that `where` lets through; it is bound, and about regions: a request is asked as a region from its
 * start to its end, of its goroutine, with the name of the request and its task.  NULL: all. */
WTR_API wtr_code wtr_requests_where(wtr_trace *t, const wtr_index *x, wtr_where *where, int64_t from_ns, int64_t to_ns,
	bool inferred, wtr_requests **ret, wtr_error *err);
WTR_API void wtr_requests_free(wtr_requests *r); /* r may be NULL */

/* Requests by group, slowest first; groups, slowest request first. */
WTR_API size_t wtr_requests_all(const wtr_requests *r, const wtr_request **ret);
WTR_API size_t wtr_requests_groups(const wtr_requests *r, const wtr_request_group **ret);

#ifdef __cplusplus
}
#endif
#endif
