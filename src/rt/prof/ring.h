/* rt/prof/ring.h - samples on their way from signal handlers to whoever reads them.
 *
 * Any number of handlers put samples in, without locks; one reader at a time takes them out.  Each slot has a turn:
 * that of who may write it, one more when it has been written, a whole round more when it has been read.  Source: the
 * bounded queue of D. Vyukov.
 */
#ifndef WEFT__RING_H
#define WEFT__RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft__labels;

enum { WEFT__SAMPLE_FRAMES = 64, WEFT__SAMPLE_TOP = 16 };

typedef struct weft__sample {
	_Atomic uint64_t turn;
	uint64_t ticks; /* weft__tr_ticks() */
	uint64_t gen;   /* of the trace that ran; 0: none */
	uint64_t tid, g;
	const struct weft__labels *labels;
	int32_t p; /* -1: none */
	uint32_t weight;
	uint32_t n, n_top;
	uintptr_t link;                     /* the link register, of processors that have one */
	uintptr_t top[WEFT__SAMPLE_TOP];    /* the words at the stack pointer, for functions without a frame */
	uintptr_t pcs[WEFT__SAMPLE_FRAMES]; /* return addresses, innermost first */
} weft__sample;

typedef struct weft__ring {
	weft__sample *slots;
	uint64_t n_slots; /* a power of two */
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t tail;
} weft__ring;

/* False: out of memory. */
bool weft__ring_init(weft__ring *r, uint64_t n_slots);
void weft__ring_done(weft__ring *r);

/* A slot to fill, then weft__ring_put; NULL: all are full.  Async-signal-safe. */
weft__sample *weft__ring_claim(weft__ring *r);
void weft__ring_put(weft__sample *s);

/* The oldest sample, to be changed at will, then weft__ring_next; NULL: there is none, or the oldest is being written.
 */
weft__sample *weft__ring_get(weft__ring *r);
void weft__ring_next(weft__ring *r);

/* How many have been claimed, and read, so far. */
uint64_t weft__ring_claimed(const weft__ring *r);
uint64_t weft__ring_read(const weft__ring *r);

#endif
