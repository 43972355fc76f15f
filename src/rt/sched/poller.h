/* rt/sched/poller.h - waiting for file descriptors: edge-triggered epoll, registered once for both directions.
 *
 * Source: Go, runtime/netpoll.go.  For each direction a word says: nothing known, ready, or who waits.  The poller
 * makes a waiting goroutine runnable and hands it to the scheduler in a list; one thread polls at a time.
 */
#ifndef WEFT__POLL_H
#define WEFT__POLL_H

#include "rt/sched/gmp.h"

typedef struct weft__queue weft__queue;

enum weft__poll_mode { WEFT__POLL_READ, WEFT__POLL_WRITE };

/* A descriptor that can be waited for.  Made by weft__pd_open; its memory is used again, for other descriptors, but
 * never given back, so that a late event can be told by its tag. */
typedef struct weft__pd {
	_Atomic(uintptr_t) word[2]; /* by weft__poll_mode: 0, WEFT__PD_READY, WEFT__PD_WAIT or the goroutine */
	_Atomic uint32_t tag;       /* counts its uses */
	_Atomic uint32_t closing;
	_Atomic uint32_t expired[2]; /* the deadline has passed */
	_Atomic uint32_t odd; /* the peer has shut down its side, failed, or sent urgent data: see weft__pd_is_odd */
	int fd;
	struct weft__pd *link;
} weft__pd;

/* Once; 0 or negative errno. */
int weft__poll_init(void);
void weft__poll_done(void); /* when the scheduler does not start after all */
/* Registers fd, which is in non-blocking mode: 0, -EPERM when it is of a kind that is always ready (a regular file),
 * other errno. */
int weft__pd_open(int fd, weft__pd **ret);
/* Wakes whoever waits, who gets -ECANCELED; later waits, too.  The descriptor is still open. */
void weft__pd_evict(weft__m *m, weft__pd *pd);
/* After weft__pd_evict, when nobody uses it any more, before the descriptor is closed. */
void weft__pd_close(weft__pd *pd);

/* Forgets that the direction was ready: directly before a call that may say EAGAIN, or what comes between is lost.
 * 0, -ECANCELED (evicted) or -ETIMEDOUT. */
int weft__pd_prepare(weft__pd *pd, enum weft__poll_mode mode);
/* Parks until ready, evicted or expired: the same results; -EBUSY when another goroutine waits for that direction.
 * *m is the thread afterwards. */
int weft__pd_wait(weft__m **m, weft__pd *pd, enum weft__poll_mode mode);
/* Something has come that shows only once, however often one reads: a wait for more may not end. */
static inline bool weft__pd_is_odd(weft__pd *pd)
{
	return atomic_load_explicit(&pd->odd, memory_order_acquire) != 0;
}

/* Deadlines: says that the direction has expired, or has not, and wakes who waits.  Any context inside the runtime. */
void weft__pd_expire(weft__m *m, weft__pd *pd, enum weft__poll_mode mode, bool expired);

/* Waits at most delay_ns (-1: for ever) for any descriptor, and appends who became runnable. */
/* m: the calling thread, without a goroutine. */
void weft__poll(weft__m *m, int64_t delay_ns, weft__queue *ret);
/* Ends a wait in weft__poll that would last beyond `ns`. */
void weft__poll_until(int64_t ns);
/* Do goroutines wait for descriptors? */
bool weft__poll_waits(void);

#endif
