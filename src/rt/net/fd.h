/* rt/net/fd.h - the inside of a descriptor (weft/net.h): how long it lives, whose turn it is, until when.
 *
 * Three things keep it.  The kernel's descriptor stays open until it is closed and no call is in it, so that its number
 * is never another file's while somebody may still use it; the memory stays until that has happened and all references
 * are given back; the poller's part (sched/poller.h) ends with the kernel's descriptor.
 *
 * A call that reads has its turn among those that read, one that writes among those that write; other calls only hold
 * the descriptor open.  Source: Go, internal/poll/fd_mutex.go.
 */
#ifndef WEFT__FD_H
#define WEFT__FD_H

#include <weft/net.h>

#include "rt/sched/poller.h"
#include "rt/wait/waiter.h"

/* Those who wait for their turn in one direction. */
typedef struct weft__turns {
	weft__waitq waiters;
	uint32_t given; /* turns given to waiters that were about to be queued */
} weft__turns;

/* A deadline of one direction (deadline.c). */
typedef struct weft__limit {
	weft__timer timer;
	_Atomic int64_t by_ns;
	weft_fd *f;
	enum weft__poll_mode mode;
} weft__limit;

struct weft_fd {
	_Atomic uint64_t state; /* closed, turns taken, calls, waiters: fd.c */
	weft__pd *pd;           /* NULL: its calls block a thread, as those of regular files do */
	int fd;
	bool socket;
	bool tried_last;      /* in blocking mode, or without pd: never tried before it is known not to block others */
	bool stream;          /* without bounds of messages */
	bool counts_bytes;    /* a short read has emptied it for sure: TCP sockets made here */
	bool emptied;         /* by the last read; whoever has the turn to read knows */
	_Atomic bool options; /* its number was given away: what is set there may make short reads say nothing */
	_Atomic uint32_t n_refs; /* those of callers, and one until it is closed in the kernel */
	weft__lock lock;         /* of all below */
	weft__turns turns[2];    /* by weft__poll_mode */
	weft__limit limits[2];
	char *path; /* a Unix socket's, to be removed; or NULL */
};

/* Takes over fd, registering it with the poller unless `blocking`.  On failure fd stays the caller's. -EEXIST: somebody
 * has it already. */
int weft__fd_make(int fd, bool blocking, weft_fd **ret);

/* Into a call with a turn in that direction, waiting for those before: 0 or -ECANCELED.  *m is the thread afterwards,
 * here and below. */
static inline int weft__fd_begin(weft__m **m, weft_fd *f, enum weft__poll_mode mode);
static inline void weft__fd_end(weft__m **m, weft_fd *f, enum weft__poll_mode mode);

/* The same without waiting: -EAGAIN while another has the turn. */
int weft__fd_try_begin(weft_fd *f, enum weft__poll_mode mode);

/* Into a call that needs no turn: 0 or -ECANCELED.  It need not be a goroutine's. */
int weft__fd_hold(weft_fd *f);
void weft__fd_release(weft__m **m, weft_fd *f);

/* deadline.c */
void weft__limits_init(weft_fd *f);
void weft__limits_done(weft_fd *f);

/* ---- implementation ---- */

/* The state, from low to high: closed; a turn is taken (by mode); 20 bits of calls that are in; 20 bits each of those
 * among them that wait for a turn. */
#define WEFT__FD_CLOSED      UINT64_C(1)
#define WEFT__FD_TAKEN(mode) (UINT64_C(2) << (mode))
#define WEFT__FD_CALL        (UINT64_C(1) << 3)
#define WEFT__FD_WAIT(mode)  ((mode) == WEFT__POLL_READ ? UINT64_C(1) << 23 : UINT64_C(1) << 43)

int weft__fd_begin_slow(weft__m **m, weft_fd *f, enum weft__poll_mode mode);
void weft__fd_end_slow(weft__m **m, weft_fd *f, enum weft__poll_mode mode);

static inline int weft__fd_begin(weft__m **m, weft_fd *f, enum weft__poll_mode mode)
{
	uint64_t idle = 0; /* open, and nobody is in it */
	if (weft__likely(atomic_compare_exchange_strong_explicit(&f->state, &idle, WEFT__FD_TAKEN(mode) + WEFT__FD_CALL,
		    memory_order_acquire, memory_order_relaxed)))
		return 0;
	return weft__fd_begin_slow(m, f, mode);
}

static inline void weft__fd_end(weft__m **m, weft_fd *f, enum weft__poll_mode mode)
{
	uint64_t alone = WEFT__FD_TAKEN(mode) + WEFT__FD_CALL;
	if (weft__unlikely(!atomic_compare_exchange_strong_explicit(
		    &f->state, &alone, 0, memory_order_acq_rel, memory_order_relaxed)))
		weft__fd_end_slow(m, f, mode);
}

#endif
