/* rt/tr/window.h - the newest generations of a trace in memory: the flight recorder's. */
#ifndef WEFT__TR_WINDOW_H
#define WEFT__TR_WINDOW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A finished one: of the window, and of whoever keeps it besides. */
typedef struct weft__tr_window_gen {
	_Atomic unsigned n_keepers;
	wb_buf bytes;
	int64_t end_ns; /* CLOCK_MONOTONIC */
} weft__tr_window_gen;

/* max_bytes and max_ns are the caller's; the rest zeroed is ready.  One thread. */
typedef struct weft__tr_window {
	size_t max_bytes;           /* 0: nothing is kept */
	int64_t max_ns;             /* 0: any age */
	weft__tr_window_gen **gens; /* finished, oldest first */
	size_t n, cap, bytes;
	wb_buf current;
} weft__tr_window;

void weft__tr_window_add(weft__tr_window *w, const void *at, size_t n); /* to the running generation */

/* The running generation is complete: keeps it and lets go of old ones.  When memory runs out it is the running one
 * that is lost, and all before it, so that what is kept is without a gap: false. */
bool weft__tr_window_end(weft__tr_window *w, int64_t now_ns);
void weft__tr_window_free(weft__tr_window *w);

/* What the window holds at a moment, which then stays when the window goes on. */
typedef struct weft__tr_kept {
	weft__tr_window_gen **gens;
	size_t n;
} weft__tr_kept;

bool weft__tr_window_keep(const weft__tr_window *w, weft__tr_kept *ret); /* false: out of memory */
void weft__tr_kept_free(weft__tr_kept *k);

#endif
