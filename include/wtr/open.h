/* wtr/open.h - opening traces: any Go release from 1.11 to 1.27, from a file, a pipe or memory.
 *
 * A wtr_trace is the file plus an index of its generations; opening reads the batch headers only.
 * Events come from a cursor (wtr/event.h), columns and answers from an index (wtr/report.h).
 */
#ifndef WTR_OPEN_H
#define WTR_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wtr_trace wtr_trace;

/* How much of a damaged trace is used. */
typedef enum wtr_damage {
	WTR_AS_GO,  /* exactly what Go 1.27's reader delivers before it stops (the default) */
	WTR_REPAIR, /* also the torn last generation, and whatever can be ordered around bad batches and generations */
} wtr_damage;

/* All zero is the default.  `size` of the struct may grow: always zero it first. */
typedef struct wtr_options {
	wtr_damage damage;
	bool keep_tables; /* keep strings and stacks of passed generations until wtr_close() (an index sets this by
			     itself) */
	int threads;      /* at most this many threads; 0: as many as there are processors, 1: none but the caller */
	uint64_t inflated_bytes_max; /* refuse compressed input that inflates beyond; 0: 64 MiB + 1000 times its size */

	/* Called now and then with bytes done and bytes in all (0 when not known); returning false stops with E_IO.
	 * From any thread. */
	bool (*progress)(void *user, const char *doing, uint64_t done, uint64_t total);
	void *progress_user;
} wtr_options;

/* Maps and indexes the trace at `path`; "-" is standard input.  gzip, zstd and packed traces
 * (wtr/edit.h) are inflated on the fly.
 *
 * Ownership: *ret is the caller's until wtr_close().  Strings, stacks and cursors live at most as long.
 * Errors: *ret untouched and *err (may be NULL) filled.  Damage behind the file header is no error here:
 *   the cursor meets it, see wtr_cursor_error() and wtr_get_info().
 * Threads: one trace may have many cursors, in many threads.
 * Cost: one hop per batch (v2), one pass over the bytes (v1).
 * Format: docs/format.md; the table in src/fmt/events.def.
 */
WTR_API wtr_code wtr_open(const char *path, const wtr_options *opt, wtr_trace **ret, wtr_error *err);

/* The same from memory, which the caller keeps unchanged until wtr_close().  Compressed bytes are inflated too. */
WTR_API wtr_code wtr_open_bytes(const void *data, size_t n, const wtr_options *opt, wtr_trace **ret, wtr_error *err);

/* Whether bytes begin as a trace does, compressed or not; 16 of them are enough. */
WTR_API bool wtr_is_trace(const void *at, size_t n);

/* Frees everything.  `t` may be NULL.  All cursors and indexes of it must be closed before. */
WTR_API void wtr_close(wtr_trace *t);

/* What is known after opening, without reading events. */
typedef struct wtr_info {
	const char *path;        /* as given; "" for bytes */
	unsigned version;        /* NN of "go 1.NN trace": 11, 19, 21 (v1), 22, 23, 25, 26 (v2) */
	const char *written_by;  /* the Go releases that write this version, such as "Go 1.26 or 1.27" */
	const char *compression; /* "none", "gzip", "zstd" or "packed" (weft pack) */
	uint64_t file_bytes;     /* as read: compressed size */
	uint64_t trace_bytes;    /* inflated */
	size_t generations;      /* complete ones; 1 for v1 */
	uint64_t batches;
	uint64_t lost_bytes; /* of the file, behind the point where the container is torn or broken; 0: none */
	wtr_error damage;    /* code OK when the container is whole */
} wtr_info;

WTR_API void wtr_get_info(const wtr_trace *t, wtr_info *ret);

/* A time (absolute) that the events of the trace reach unless reading ends in damage: where the last of its batches
 * begins.  INT64_MIN: not known without reading (v1). */
WTR_API int64_t wtr_reaches_ns(const wtr_trace *t);

/* One generation's frame.  v1 traces have one, of number 0. */
typedef struct wtr_generation {
	uint64_t number;        /* as in the file */
	uint64_t offset, bytes; /* of its batches */
	uint64_t batches;
	bool has_clock;         /* the three below are known (Go 1.25 on) */
	int64_t clock_trace_ns; /* trace clock of the snapshot ... */
	uint64_t clock_mono_ns; /* ... CLOCK_MONOTONIC at that moment ... */
	int64_t clock_wall_ns;  /* ... and wall clock, ns since 1970 (UTC) */
} wtr_generation;

/* Fills *ret for generation `i` of 0 .. generations-1; false when there is none, or its tables cannot be read. */
WTR_API bool wtr_get_generation(wtr_trace *t, size_t i, wtr_generation *ret);

#ifdef __cplusplus
}
#endif
#endif
