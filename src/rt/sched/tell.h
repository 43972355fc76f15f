/* rt/sched/tell.h - the scheduler's words to the tracer: who, in what context (rt/tr/tr.h says when).
 *
 * WEFT__TELL(m, call, ..) is weft__tr_call with the thread's own context before the arguments. */
#ifndef WEFT__TELL_H
#define WEFT__TELL_H

#include "rt/sched/gmp.h"

#define WEFT__TELL(m_, call_, ...)                                                                                \
	do {                                                                                                      \
		if (weft__tr_on()) {                                                                              \
			weft__m *tell_m = (m_);                                                                   \
			weft__tr_##call_(&tell_m->tr, weft__tell_p(tell_m), weft__tell_g(tell_m), ##__VA_ARGS__); \
		}                                                                                                 \
	} while (0)

/* The frame whose caller is the first one in the stack that is told. */
#define WEFT__FRAME __builtin_frame_address(0)

static inline weft__tr_p *weft__tell_p(weft__m *m)
{
	weft__p *p = weft__self_p(m);
	return p ? &p->tr : NULL;
}

static inline weft__tr_g *weft__tell_g(weft__m *m)
{
	weft__g *g = weft__self_g(m);
	return g ? &g->tr : NULL;
}

/* g is new, and nobody has seen it.  Creating takes a proc, and no system call, in Go's format: other threads, and a
 * goroutine in the middle of a call, leave it to the thread that runs g first. */
void weft__tell_create(weft__m *m, weft__g *g, const void *fp);
void weft__tell_late(weft__m *m, weft__g *g);

/* The running goroutine waits: its reason and object are set. */
void weft__tell_block(weft__m *m, const void *fp);

/* What g waits for, or waited for last; kind WEFT__TR_NOTHING: not known.  From any thread: it may be changing. */
weft__tr_object weft__tell_object(const weft__g *g);

/* What the tracer asks (tr.h). */
extern const weft__tr_hooks weft__tell_hooks;

#endif
