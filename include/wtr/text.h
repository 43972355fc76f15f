/* wtr/text.h - the bytes of a trace as text, one event a line, and back.
 *
 * The form is Go's (`go tool trace -d=wire`), with additions that keep every byte; src/fmt/text.h describes it. Nothing
 * is ordered or interpreted: this shows what stands in the file, also in a broken one.
 */
#ifndef WTR_TEXT_H
#define WTR_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum wtr_dump_mode {
	WTR_DUMP_TEXT,      /* what wtr_assemble() takes */
	WTR_DUMP_WIRE,      /* what `go tool trace -d=wire` prints, byte for byte */
	WTR_DUMP_FOOTPRINT, /* what `go tool trace -d=footprint` prints: bytes and counts by event (rows of equal size
			       stand by number) */
} wtr_dump_mode;

/* All zero is the default. */
typedef struct wtr_dump_options {
	wtr_dump_mode mode;
	bool skip_bytes; /* TEXT: leave out bytes that are no event; the text is then not the whole file any more */
	bool offsets;    /* TEXT: a comment with the offset in front of each batch (v2) */
} wtr_dump_options;

/* Takes a piece of the output; false stops with E_IO. */
typedef bool wtr_write_fn(void *user, const char *at, size_t n);

typedef struct wtr_dump_result {
	uint64_t trace_bytes; /* of the (inflated) trace */
	uint64_t lost_bytes;  /* of it, that are no events; 0 when all was well */
} wtr_dump_result;

/* Writes the trace at `path` ("-" is standard input; gzip and zstd are inflated) as text.
 *
 * Errors: E_IO, E_LIMIT and E_NOMEM stop.  Damage does not: TEXT names it in a comment and goes on behind it, the other
 * modes end there as Go does (and FOOTPRINT, as Go, prints nothing); then E_MAGIC or E_VERSION for a file without a
 * header, E_FORMAT for anything else, with the first broken byte in *err (may be NULL). Memory: a buffer of constant
 * size; pages of a file that have been read are given back (but not in FOOTPRINT). *ret may be NULL and is always
 * filled.
 */
WTR_API wtr_code wtr_dump(const char *path, const wtr_dump_options *opt, wtr_write_fn *put, void *user,
	wtr_dump_result *ret, wtr_error *err);
WTR_API wtr_code wtr_dump_bytes(const void *data, size_t n, const wtr_dump_options *opt, wtr_write_fn *put, void *user,
	wtr_dump_result *ret, wtr_error *err);

/* Writes the bytes of a text, from memory or from a file ("-" is standard input).
 * Errors: E_FORMAT, and nothing has been written: *err has the line in `what` and the offset of that line in the text.
 */
WTR_API wtr_code wtr_assemble(const char *text, size_t n, wtr_write_fn *put, void *user, wtr_error *err);
WTR_API wtr_code wtr_assemble_file(const char *path, wtr_write_fn *put, void *user, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif
