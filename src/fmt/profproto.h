/* fmt/profproto.h - builds a profile.proto, gzipped, as pprof reads it.
 *
 * Kinds of values first, then samples, in any order with the mappings and locations that they name.  Texts are copied.
 * A profile that ran out of memory takes everything and cannot be finished: build all of it, then test once.  The same
 * calls give the same bytes.  One thread.
 */
#ifndef WF_PROFPROTO_H
#define WF_PROFPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/intern.h"

enum { WF_PROF_TYPES_MAX = 4 };

typedef struct wf_prof wf_prof;

wf_prof *wf_prof_new(void);    /* NULL: out of memory */
void wf_prof_free(wf_prof *p); /* NULL is fine */

/* A kind of value; at most WF_PROF_TYPES_MAX. */
void wf_prof_type(wf_prof *p, const char *type, const char *unit);
/* The kind that is shown first; none: the last one. */
void wf_prof_default(wf_prof *p, const char *type);
/* What lies between two samples, and how much of it. */
void wf_prof_period(wf_prof *p, const char *type, const char *unit, int64_t period);
/* start_ns since 1970; 0: not said. */
void wf_prof_times(wf_prof *p, int64_t start_ns, int64_t duration_ns);

/* A part of the address space that a file was mapped to. */
typedef struct wf_prof_map {
	uint64_t start, limit, offset;
	const char *file, *build_id; /* in hexadecimal; "" when not known */
	bool names;                  /* its locations have names and lines */
} wf_prof_map;

uint64_t wf_prof_mapping(wf_prof *p, const wf_prof_map *map); /* its id */

/* A place in the code, with the functions that are there: innermost first when some are inlined. */
typedef struct wf_prof_line {
	wb_text func, file;
	int64_t line;
} wf_prof_line;

/* The location with this key, 0 when there is none. */
uint64_t wf_prof_location_of(const wf_prof *p, uint64_t key);
/* A new one; mapping 0: none. */
uint64_t wf_prof_location(
	wf_prof *p, uint64_t key, uint64_t address, uint64_t mapping, const wf_prof_line *lines, size_t n_lines);

/* A sample: locations, innermost first, and a value of each kind. */
void wf_prof_sample(wf_prof *p, const uint64_t *locations, size_t n, const int64_t *values);
/* Of the newest sample. */
void wf_prof_label(wf_prof *p, wb_text key, wb_text value);

/* Appends the profile to b; false: out of memory. */
bool wf_prof_finish(wf_prof *p, wb_buf *b);

#endif
