/* hostile/hostile.h - runs many inputs in child processes, each with a watchdog, a memory bound and a leak check. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "kit.h"

/* The bound on memory that ARCHITECTURE.md states, for opening, a pass and a full index: of `n` inflated bytes. */
#define HOSTILE_BYTES_MAX(n) ((size_t)(4 << 20) + 160 * (size_t)(n))

/* What a child is working on, told when it dies. */
typedef struct hostile_slot {
	char     what[160];
	uint64_t done, opened, whole; /* inputs tried, opened, read to a proper end */
	size_t   peak_bytes;          /* largest seen, */
	double   peak_ratio;          /* and in relation to its bound */
} hostile_slot;

/* Runs work(share, shares, slot) in as many children as there are processors.  True when all of them ended well;
 * otherwise says what they were at.  *ret is the sum of their slots. */
bool hostile_children(void (*work)(unsigned share, unsigned shares, hostile_slot *slot), hostile_slot *ret);

/* One input: kit_whole() under a watchdog, freeing everything, within HOSTILE_BYTES_MAX. */
void hostile_try(hostile_slot *slot, const void *data, size_t n, const wtr_options *opt, kit_run *run);

/* xorshift64*: the same numbers on every machine. */
uint64_t hostile_random(uint64_t *state);

#endif
