/* rt/prof/doc.h - a profile that is about to be written: as profile.proto, or as Go's text.
 *
 * Writing looks names up: on a thread's own stack only. */
#ifndef WEFT__PROF_DOC_H
#define WEFT__PROF_DOC_H

#include "base/buf.h"
#include "rt/prof/profnames.h"
#include "rt/prof/proftable.h"

typedef struct weft__prof_doc weft__prof_doc;

typedef struct weft__prof_value {
	const char *type, *unit;
} weft__prof_value;

/* What a profile of that kind is like. */
typedef struct weft__prof_kind {
	const char *name;
	weft__prof_value values[WEFT__PROF_VALUES]; /* those of a row, in order; the first without a type ends them */
	weft__prof_value period;
	const char *shown_first; /* type of value; NULL: the last one */
	int order;               /* text: most of this value first */
	bool from_calls;         /* stacks begin with the call that the program has made, not with what is in it */
	/* A row as it was recorded, to be multiplied for what was not; NULL: as it is. */
	void (*scale)(const weft__prof_doc *d, weft__prof_row *row);
	/* Text: the lines before the first stack, and what stands before the addresses of a row. */
	void (*head)(const weft__prof_doc *d, wb_buf *b);
	void (*numbers)(const weft__prof_row *row, wb_buf *b);
} weft__prof_kind;

struct weft__prof_doc {
	const weft__prof_kind *kind;
	weft__prof_table table;
	int64_t rate;                  /* or period */
	int64_t start_ns, duration_ns; /* since 1970; 0: not said */
	const weft__prof_doc
		*before; /* what an earlier one of this kind had is taken off; NULL: nothing.  Not in text */
};

/* Append to b; false: out of memory. */
bool weft__prof_doc_proto(const weft__prof_doc *d, wb_buf *b);
bool weft__prof_doc_text(const weft__prof_doc *d, wb_buf *b);

/* How many rows are not all zero, and the sum of a value. */
size_t weft__prof_doc_count(const weft__prof_doc *d);
int64_t weft__prof_doc_sum(const weft__prof_doc *d, int value);

/* What is shown of it: rows that are not all zero, with their stacks less what is not the program's; to be freed. */
void weft__prof_doc_shown(const weft__prof_doc *d, weft__prof_names *names, weft__prof_table *ret);
/* The first of the n frames at one address that is shown. */
size_t weft__prof_doc_line(const weft__prof_doc *d, const weft__tr_frame *f, size_t n);

#endif
