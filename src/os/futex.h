/* os/futex.h - waiting for a word of this process to change. */
#ifndef WO_FUTEX_H
#define WO_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

/* Each waits while *at is `expected`: 0 when woken (or for no reason: look at *at again), -EAGAIN when *at was
 * something else already, -EINTR after a signal, -ETIMEDOUT.  Any thread. */
int wo_futex_wait(_Atomic uint32_t *at, uint32_t expected, int64_t timeout_ns);        /* from now; negative: forever */
int wo_futex_wait_until(_Atomic uint32_t *at, uint32_t expected, int64_t deadline_ns); /* on the clock of wo_now_ns */

/* Wakes at most n (at least 1) waiters of *at; how many there were.  *at may be gone: then nobody is woken, or
 * whoever waits there now, for no reason. */
int wo_futex_wake(_Atomic uint32_t *at, int n);

#endif
