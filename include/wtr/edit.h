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
 * false), E_LIMIT, E_NOMEM.  Memory: about 5 MiB.  ret may be NULL. */
WTR_API wtr_code wtr_pack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err);

/* Writes the bytes that wtr_pack() was given.  Errors: E_FORMAT for what is no packed trace, or torn or damaged; E_IO,
 * E_NOMEM. */
WTR_API wtr_code wtr_unpack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif
