/* wtr/edit.h - working on trace files: packing, cutting, hiding names, repairing, joining.
 *
 * Each function writes a whole new file through `put`, in order; on failure what was written so far is to be thrown
 * away. What comes out (packed traces aside) is a trace of the second container that Go's own reader accepts.
 */
#ifndef WTR_EDIT_H
#define WTR_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>
#include <wtr/text.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- packing: the same bytes in fewer ---- */

typedef struct wtr_pack_result {
	uint64_t trace_bytes;  /* the trace as it is */
	uint64_t packed_bytes; /* the packed file */
} wtr_pack_result;

/* Packs the file at `path` ("-": standard input; compressed ones are inflated first), whatever it holds; traces, also
 * torn and broken ones, get small.  Packed traces are opened like any other. Errors: E_IO (also when `put` returns
 * false), E_LIMIT, E_NOMEM.  Memory: about 5 MiB for each thread (wtr_options.threads, 8 at most).  ret may be NULL. */
WTR_API wtr_code wtr_pack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err);

/* Writes the bytes that wtr_pack() was given.  Errors: E_FORMAT for what is no packed trace, or torn or damaged; E_IO,
 * E_NOMEM. */
WTR_API wtr_code wtr_unpack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err);

/* ---- a smaller trace, a whole one, one of several ---- */

/* What came of it. */
typedef struct wtr_edit_result {
	uint64_t events; /* in the new trace, its Sync events not counted */
	uint64_t added;  /* of them, that do not stand in what was read: the statuses that a trace begins with, and what
			    was missing */
	uint64_t left_out; /* of the range: not asked for, or impossible to fit in */
	uint64_t generations;
	uint64_t bytes;           /* of the new trace */
	int64_t start_ns, end_ns; /* of its events */
	wtr_error end;            /* why reading ended; code OK at the end of the range or trace */
} wtr_edit_result;

/* All zero: everything. */
typedef struct wtr_cut_options {
	bool has_from, has_to; /* absolute times: from included, to excluded */
	int64_t from_ns, to_ns;
	/* Whether a goroutine is kept; NULL: all.  What a goroutine that goes did, goes with it: its states, and what
	 * it says.  Procs and threads stay. */
	bool (*goroutine)(void *user, int64_t g);
	void *user;
	uint32_t kinds; /* bit set of 1 << wtr_kind; 0: all.  Transitions always stay; of ranges, tasks and regions
			   begin and end stay together */
} wtr_cut_options;

/* Writes a part of a trace as a trace: it begins with the state of everything at that time, has only the strings and
 * stacks that it needs, and keeps times, threads and generations.  What began before has no beginning in it, but tasks,
 * regions, goroutines and waits keep their names, see docs/carrier.md, "Parts of traces".  It lasts from from_ns to
 * to_ns, where the trace does.  Traces of the first container become ones of the second (header 23), one second later
 * by their clock.
 *
 * Reads from the generation on in which the range begins, which tells all that goes on, or from the one before where
 * it does not: near its beginning, and when it shows that something goes on from before.  Skims what is before, and
 * reads that in order where it has tasks or regions.
 * Errors: E_IO, E_NOMEM; E_USAGE when there is no event in the range.
 * Damage is none: what stands before it is written, and ret->end says what it was.  ret may be NULL. */
WTR_API wtr_code wtr_cut(
	wtr_trace *t, const wtr_cut_options *opt, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err);

/* Writes all that a trace opened with WTR_REPAIR delivers as a trace that needs no repair. */
WTR_API wtr_code wtr_repair(wtr_trace *t, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err);

/* Writes the generations of several traces of one run of a program, such as flight recorder snapshots, as one trace.
 * They may overlap and come in any order; E_USAGE when they are of the first container, of different runs, or when
 * generations are missing between them. */
WTR_API wtr_code wtr_merge(
	wtr_trace *const *traces, size_t n, wtr_write_fn *put, void *user, wtr_edit_result *ret, wtr_error *err);

/* ---- a trace to show to others ---- */

typedef struct wtr_anonymize_result {
	uint64_t bytes;      /* of the new trace */
	uint64_t lost_bytes; /* of the old one, that are no records and were left out */
} wtr_anonymize_result;

/* Writes the file at `path` with other names: functions, types and files outside of Go's standard library, and
 * everything that the program says (tasks, regions, logs, labels), become numbered ones, equal names equal ones.
 * Nothing else changes. Errors: E_IO, E_LIMIT, E_NOMEM; E_MAGIC and E_VERSION for what is no trace.  ret may be NULL.
 */
WTR_API wtr_code wtr_anonymize(const char *path, const wtr_options *opt, wtr_write_fn *put, void *user,
	wtr_anonymize_result *ret, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif
