/* rt/ledger/acts.h - what the goroutines of a program do, each act with its entry in the ledger. */
#ifndef RT_LEDGER_ACTS_H
#define RT_LEDGER_ACTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <weft/weft.h>

struct weft__g;

typedef struct actor actor;
struct actor {
	uint64_t random;
	void (*play)(actor *a);
	void *arg;
	unsigned depth;
	/* Set by its goroutine. */
	uint64_t id;
	struct weft__g *g;
	uint32_t ended_before; /* the phase before its end */
	atomic_bool ended;
};

uint64_t pick(actor *a, uint64_t n);

/* Lets others go on, without waiting: between two looks at something. */
void look_away(void);

/* Starts a goroutine that plays `child`, counted for a; actor_await waits until it is gone, and counts its end. */
void actor_start(actor *a, actor *child);
void actor_await(actor *child);
/* The goroutine that calls becomes a. */
void actor_enter(actor *a);

/* One act, taken at random; some collect when `collects`. */
void act(actor *a, bool collects);

/* Acts over what all share.  How often they wait is not known: for actors that are ledger_without_waits. */
void noise_open(void);
void noise(actor *a);
void noise_close(void);

#endif
