/* rt/tr/outgoing.h - a snapshot of the flight recorder on its way out, piece by piece.
 *
 * The writer thread sends it between its other work, and never waits for whoever reads: a reader that stands still
 * holds up neither the trace nor its threads, only the snapshot, which is given up after a while.  Meanwhile the
 * generations that it consists of stay in memory, also those that the window lets go.
 */
#ifndef WEFT__TR_OUTGOING_H
#define WEFT__TR_OUTGOING_H

#include "rt/tr/window.h"

typedef struct weft__tr_outgoing {
	int fd; /* -1: nothing is on its way; stays the caller's */
	bool may_wait;
	unsigned version; /* of the header */
	weft__tr_kept kept;
	size_t piece, at; /* what goes next: 0 the header, i the i-th generation; and from where */
	int64_t moved_ns; /* when somebody last took something */
} weft__tr_outgoing;

/* What the window holds now is to go to fd, as a trace: 0, -ENOMEM. */
int weft__tr_outgoing_begin(weft__tr_outgoing *o, const weft__tr_window *w, int fd, unsigned version);
/* Sends some of it, and waits at most wait_ms for that.  1: all is sent; 0: not yet; -ETIMEDOUT: nobody has taken
 * anything for patience_ns; or an error of writing. */
int weft__tr_outgoing_move(weft__tr_outgoing *o, int wait_ms, int64_t patience_ns);
/* Whatever became of it. */
void weft__tr_outgoing_end(weft__tr_outgoing *o);

#endif
