/* an/follow.h - follows what every goroutine does, in one pass, and tells each of its state intervals when it is over.
 *
 * What profiles are made of: nothing is kept per interval.  Stacks and reasons have numbers that hold for the whole
 * trace.  One thread.
 */
#ifndef AN_FOLLOW_H
#define AN_FOLLOW_H

#include <wtr/event.h>

#include "an/stackset.h"
#include "an/where.h"

typedef struct an_follower { /* of one goroutine */
	int64_t id;
	int64_t from_ns;  /* when its state began; found in it: the last Sync */
	int64_t known_ns; /* when an event said so */
	int64_t p, m;
	uint32_t stack; /* of the event that began it */
	uint32_t reason;
	uint8_t state;          /* wtr_gstate */
	bool started;           /* has been running */
	uint32_t early, create; /* for who follows */
} an_follower;

#define AN_FOLLOW_DEAD (UINT32_MAX - 2)

typedef struct an_reason {
	uint32_t text; /* in stacks.texts */
	uint8_t cls;   /* wtr_class of a wait for it */
	uint8_t mark;  /* for who follows, set by it when `fresh` is called */
} an_reason;

typedef struct an_follow an_follow;
struct an_follow {
	wtr_trace *trace;
	an_stackset stacks;
	WB_VEC(an_reason) reasons; /* 0: none */
	wb_idmap reason_of;        /* string id -> reason */
	wb_idmap slots;            /* goroutine id -> follower, or AN_FOLLOW_DEAD */
	WB_VEC(an_follower) all;
	WB_VEC(uint32_t) free;
	int64_t sync_ns, now_ns; /* the last Sync; the last event */
	bool oom, several_lives; /* a goroutine id was used again */
	/* Called before the state changes; `end` is the event that ends it, NULL at the end of the trace.  f->stack of
	 * a running goroutine is not known before its end: end->transition_stack. */
	void (*over)(void *user, an_follow *w, an_follower *f, const wtr_event *end);
	void (*fresh)(void *user, an_follow *w, uint32_t reason); /* a reason is seen for the first time; may be NULL */
	void *user;
};

bool an_follow_init(an_follow *w, wtr_trace *t);
void an_follow_free(an_follow *w);

/* Takes a transition of a goroutine; returns its follower in the new state, NULL if it is gone or nothing changed. */
an_follower *an_follow_transition(an_follow *w, const wtr_event *e);
/* Takes any event that is none. */
void an_follow_other(an_follow *w, const wtr_event *e);
/* The trace is over: tells all that goes on. */
void an_follow_end(an_follow *w);
an_follower *an_follow_get(an_follow *w, int64_t g); /* NULL: not known */

/* Of the state that it is in: wtr_class. */
unsigned an_follow_class(const an_follow *w, const an_follower *f);

/* The interval of a follower up to `to`, as filters take it. */
an_state_span an_follow_span(an_follow *w, const an_follower *f, const wtr_event *end, int64_t from_ns, int64_t to_ns);
/* Where the numbers in it lead. */
an_span_source an_follow_source(an_follow *w);

#endif
