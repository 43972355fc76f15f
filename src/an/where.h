/* an/where.h - filters from the inside (wtr/where.h is what others see).
 *
 * where_parse.c   text to terms and a tree
 * where_bind.c    a filter meets a trace: what can be known beforehand, per goroutine
 * where.c         the answer for one thing
 * where_names.c   values that are known beforehand
 * where_text.c    texts and numbers against what a term wants
 */
#ifndef AN_WHERE_H
#define AN_WHERE_H

#include <regex.h>

#include <wtr/where.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/idmap.h"
#include "base/vec.h"

enum { AN_TERMS_MAX = 64, AN_WHERE_DEPTH = 64 };

typedef enum an_field {
	AN_FIELD_ANY, /* a bare word */
#define FIELD(ID, name, TYPE, about, parts, doc) AN_FIELD_##ID,
#include "an/where.def"
	AN_FIELD_COUNT
} an_field;

typedef enum an_want {
	AN_WANT_PART,
	AN_WANT_WHOLE,
	AN_WANT_REGEX,
	AN_WANT_NUMBER,
	AN_WANT_PERIOD,
	AN_WANT_STATE
} an_want;

/* A stretch of time of one goroutine; of all when the field does not depend on it. */
typedef struct an_stretch {
	int64_t from_ns, to_ns;
} an_stretch;

typedef struct an_term {
	uint8_t field, want;
	uint32_t at; /* in the text */
	wtr_str text;
	regex_t *regex;
	int64_t lo, hi;  /* NUMBER, both included */
	uint32_t states; /* STATE: bits of wtr_gstate, << 16 of wtr_class */
	wtr_period period;
	/* bound: */
	int64_t from_ns, to_ns; /* PERIOD */
	uint8_t *rows;  /* by row of the goroutine table, AN_NO or AN_YES; for fields that a goroutine has for life */
	wb_idmap first; /* goroutine -> the first of its stretches; they end where another goroutine's begin */
	WB_VEC(an_stretch) stretches; /* sorted, apart */
	WB_VEC(uint32_t) ends;        /* of the stretches of a goroutine: `first` leads here */
	wb_idmap ids;                 /* TASK: ids that match; LOG: tasks that do */
	WB_VEC(uint8_t) memo;         /* by text or stack number of whoever asks: AN_UNKNOWN, AN_NO_, AN_YES */
} an_term;

typedef enum an_branch_kind { AN_BRANCH_TRUE, AN_BRANCH_TERM, AN_BRANCH_AND, AN_BRANCH_OR, AN_BRANCH_NOT } an_node_kind;
typedef struct an_branch {
	uint32_t kind, a, b; /* nodes; TERM: a is its number */
} an_branch;

struct wtr_where {
	wtr_about about;
	char *text;
	size_t n_text;
	wb_arena arena;
	WB_VEC(an_branch) nodes;
	uint32_t root;
	an_term terms[AN_TERMS_MAX];
	unsigned n_terms, parts;
	bool timed; /* a term depends on the time: range, task, region */
	bool oom;
	uint64_t asked, passed; /* things */
	wtr_trace *trace;
	const wtr_index *x;
	wtr_totals totals;
};

/* ---- where_names.c ---- */
/* Whether a term may match anything at all: false when all values of its field are known and none of them does; *ret
 * then gets a sentence that says so, and what may have been meant. */
bool an_term_names(const an_term *t, wb_buf *ret);

/* ---- where_text.c ---- */
bool an_term_text(const an_term *t, wtr_str s);
bool an_term_number(const an_term *t, int64_t v);
/* Whether any function of a stack does.  `n` frames. */
bool an_term_frames(const an_term *t, const wtr_frame *frames, size_t n);

/* ---- spans, for passes of our own ---- */

/* What is known about a state interval.  Stack and reason numbers are those of whoever asks. */
typedef struct an_state_span {
	int64_t g, from_ns, to_ns, waker, p, m;
	uint32_t stack, reason;
	uint8_t state, cls; /* wtr_gstate, wtr_class */
} an_state_span;

/* Where the numbers of a span lead. */
typedef struct an_span_source {
	void *user;
	size_t (*frames)(void *user, uint32_t stack, wtr_frame *ret, size_t n);
	wtr_str (*reason)(void *user, uint32_t reason);
} an_span_source;

/* Whether it asks for any of these fields, 1 << an_field each.  w may be NULL. */
bool an_where_asks(const wtr_where *w, uint64_t fields);
/* A new asker, with stack and reason numbers of its own.  w may be NULL. */
void an_where_asker(wtr_where *w);
/* How much of the span a filter lets through, in ns; all of it when w is NULL.  A span of no length gives 0. */
int64_t an_where_span(wtr_where *w, const an_span_source *from, const an_state_span *s);
/* Whether a filter about goroutines lets the one of that id through; also when nothing is known of it. */
bool an_where_id(wtr_where *w, int64_t g);
/* E_USAGE unless it is NULL, or about goroutines and bound to their table. */
wtr_code an_where_wants_goroutines(const wtr_where *w, wtr_error *err);
/* False: memory ran out while the filter was asked. */
bool an_where_memory(const wtr_where *w);

#endif
