/* rt/wait/wg.c - a counter to wait for.  Source: Go, sync/waitgroup.go.
 *
 * The state is one word, the counter above and the number of waiters below, so that whoever brings the counter to 0
 * learns in the same step how many to wake. */
#include <errno.h>

#include <weft/go.h>
#include <weft/sync.h>

#include "os/thread.h"
#include "rt/stack/unwind.h"
#include "rt/sched/local.h"
#include "rt/wait/sema.h"

static const char reused[] = "sync: WaitGroup is reused before previous Wait has returned";
static const char misused[] = "sync: WaitGroup misuse: Add called concurrently with Wait";

static int32_t counter(uint64_t state)
{
	return (int32_t)(state >> 32);
}

static uint32_t waiters(uint64_t state)
{
	return (uint32_t)state;
}

/* ---- add ---- */

/* The counter is 0 now, and n goroutines wait. */
static __attribute__((noinline)) void wake(weft_wg *wg, uint64_t state)
{
	if (__atomic_load_n(&wg->state, __ATOMIC_RELAXED) != state)
		weft_panic(misused);
	__atomic_store_n(&wg->state, 0, __ATOMIC_RELEASE);
	weft__m *m = weft__enter();
	for (uint32_t n = waiters(state); n > 0; n--)
		weft__sema_hand(m, &wg->sema);
	weft__leave(m);
}

void weft_wg_add(weft_wg *wg, int n)
{
	uint64_t state = __atomic_add_fetch(&wg->state, (uint64_t)(int64_t)n << 32, __ATOMIC_ACQ_REL);
	if (weft__likely(counter(state) > 0) && weft__likely(waiters(state) == 0))
		return;
	if (counter(state) < 0)
		weft_panic("sync: negative WaitGroup counter");
	if (waiters(state) == 0)
		return;
	if (n > 0 && counter(state) == n)
		weft_panic(misused);
	if (counter(state) == 0)
		wake(wg, state);
}

void weft_wg_done(weft_wg *wg)
{
	weft_wg_add(wg, -1);
}

/* ---- wait ---- */

/* The deadline has come: one waiter less.  False: the counter is 0, and the waiter is about to be woken. */
static bool withdraw(weft_wg *wg)
{
	uint64_t state = __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
	while (counter(state) != 0)
		if (__atomic_compare_exchange_n(
			    &wg->state, &state, state - 1, /* weak= */ true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return true;
	return false;
}

/* Counted as a waiter.  0, or an error. */
static int wait(weft__m **m, weft_wg *wg, int64_t deadline_ns)
{
	weft__sema_how how = { WEFT__WAIT_WAITGROUP, /* first= */ false, wg, deadline_ns, 0, /* expected= */ true };
	int err = weft__sema_take(m, &wg->sema, &how);
	if (err < 0 && withdraw(wg))
		return err;
	if (err < 0) {
		how.deadline_ns = INT64_MAX;
		err = weft__sema_take(m, &wg->sema, &how);
	}
	if (__atomic_load_n(&wg->state, __ATOMIC_RELAXED) != 0)
		weft_panic(reused);
	return err;
}

int weft_wg_wait_until(weft_wg *wg, weft_ns deadline)
{
	uint64_t state = __atomic_load_n(&wg->state, __ATOMIC_ACQUIRE);
	if (counter(state) == 0)
		return 0;
	weft__m *m = weft__enter();
	int err = !weft__self_g(m) ? -EPERM : deadline != INT64_MAX && deadline <= wo_now_ns() ? -ETIMEDOUT : 1;
	while (err == 1) {
		if (counter(state) == 0)
			err = 0;
		else if (__atomic_compare_exchange_n(
				 &wg->state, &state, state + 1, /* weak= */ false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			err = wait(&m, wg, deadline);
	}
	weft__leave(m);
	return err;
}

void weft_wg_wait(weft_wg *wg)
{
	if (weft_wg_wait_until(wg, INT64_MAX) == -EPERM)
		weft__outside("weft_wg_wait");
}

/* ---- goroutines that are counted ---- */

typedef struct task {
	weft_wg *wg;
	weft_fn *fn;
	void *arg;
} task;

static void subtract(void *wg)
{
	weft_wg_done(wg);
}

static WEFT__ENTRY void run(void *arg)
{
	task *t = arg;
	weft__cleanup done = { .fn = subtract, .arg = t->wg };
	weft__local_push(&done);
	t->fn(t->arg);
	weft__local_pull(&done);
	subtract(t->wg);
}

int weft_wg_go(weft_wg *wg, weft_fn *fn, void *arg)
{
	if (!weft__sched.started)
		return -EPERM;
	weft_wg_add(wg, 1);
	task t = { wg, fn, arg };
	weft__m *m = weft__enter();
	int err = weft__go(m, &(weft__start){ .fn = run,
				      .entry = fn,
				      .arg = &t,
				      .copy_bytes = sizeof(t),
				      .stack_class = weft__sched.stack_class,
				      .from = (uintptr_t)__builtin_return_address(0) });
	weft__leave(m);
	if (err < 0)
		weft_wg_done(wg);
	return err;
}
