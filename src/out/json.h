/* out/json.h - JSON, written as it is known.  A thin face over yajl's generator.
 *
 *	out_json j;
 *	out_json_to_buf(&j, &buf, 0);
 *	out_json_object(&j);
 *	out_json_put_i64(&j, "events", totals.events);
 *	out_json_key(&j, "groups");
 *	out_json_array(&j);
 *	...
 *	out_json_array_end(&j);
 *	out_json_object_end(&j);
 *	if (!out_json_done(&j))
 *		... memory or the file failed, or begins and ends do not match
 *
 * Errors stick: after the first one every call does nothing, so write everything and look at out_json_done() once.
 * Texts may hold any bytes: each byte that is not part of valid UTF-8 becomes U+FFFD, as Go's encoding/json does.
 * Numbers are written exactly.  JavaScript reads integers beyond 2^53 inexactly, so values that are meant to be read
 * back to the last digit there (wall clocks) are written with out_json_digits(), as a string.
 * One writer, one thread.  Nothing is allocated except to repair a text and by the buffer itself.
 */
#ifndef OUT_JSON_H
#define OUT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <wtr/event.h>

#include "base/buf.h"

enum {
	OUT_JSON_PRETTY = 1, /* one member a line, indented by two spaces; else no white space at all */
};

struct yajl_gen_t;
typedef struct out_json {
	struct yajl_gen_t *gen;
	wb_buf            *buf;      /* one of these two */
	FILE              *file;
	wb_buf             repaired; /* the last text that was not UTF-8 */
	bool               failed;
	unsigned           depth;
	uint64_t           kinds[2]; /* a bit per depth: array or object (yajl goes 128 deep) */
	unsigned           used;     /* of memory */
	_Alignas(16) unsigned char memory[1408]; /* the generator itself */
} out_json;

void out_json_to_buf(out_json *j, wb_buf *to, unsigned flags); /* appends */
void out_json_to_file(out_json *j, FILE *to, unsigned flags);
/* Ends the writing and frees what the writer holds; buffer and file stay the caller's (the file is not flushed).
 * False: what was written is not whole. */
bool out_json_done(out_json *j);

void out_json_object(out_json *j);
void out_json_object_end(out_json *j);
void out_json_array(out_json *j);
void out_json_array_end(out_json *j);
void out_json_key(out_json *j, const char *key);
/* After a whole value: a line feed, then another value may follow (JSON lines). */
void out_json_line(out_json *j);

void out_json_str(out_json *j, wtr_str s);
void out_json_text(out_json *j, const char *s);          /* NULL: null */
void out_json_i64(out_json *j, int64_t v);
void out_json_u64(out_json *j, uint64_t v);
void out_json_digits(out_json *j, int64_t v);            /* as a string */
void out_json_hex(out_json *j, uint64_t v);              /* "0x46a2b1", a string */
void out_json_double(out_json *j, double v);             /* the shortest text that reads back the same */
void out_json_fixed(
	out_json *j, double v, unsigned decimals); /* rounded to at most 6 decimals, zeros at the end dropped */
						   /* both: null if not finite */
void out_json_bool(out_json *j, bool v);
void out_json_null(out_json *j);
void out_json_ns(out_json *j, int64_t t_ns, int64_t from_ns); /* t - from; null for WTR_NEVER */

/* Key and value at once. */
void out_json_put_str(out_json *j, const char *key, wtr_str s);
void out_json_put_text(out_json *j, const char *key, const char *s);
void out_json_put_i64(out_json *j, const char *key, int64_t v);
void out_json_put_u64(out_json *j, const char *key, uint64_t v);
void out_json_put_bool(out_json *j, const char *key, bool v);
void out_json_put_null(out_json *j, const char *key);
void out_json_put_ns(out_json *j, const char *key, int64_t t_ns, int64_t from_ns);
/* Ids of goroutines, procs and threads: null for WTR_NONE. */
void out_json_put_id(out_json *j, const char *key, int64_t id);

/* A stack: an array of {"func", "file", "line", "pc"}. */
void out_json_frames(out_json *j, const wtr_frame *frames, size_t n);

#endif
