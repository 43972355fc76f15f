/* rt/net/fd.c - descriptors are made, used by turns, closed. */
#include "rt/net/fd.h"

#include <errno.h>
#include <unistd.h>

#include <weft/go.h>

#include "base/alloc.h"
#include "os/io.h"
#include "rt/sched/objnames.h"

#define CLOSED      WEFT__FD_CLOSED
#define TAKEN(mode) WEFT__FD_TAKEN(mode)
#define CALL        WEFT__FD_CALL
#define WAIT(mode)  WEFT__FD_WAIT(mode)
#define FIELD_MAX   UINT64_C(0xfffff)

static uint64_t n_of(uint64_t state, uint64_t one)
{
	return state / one & FIELD_MAX;
}

int weft__fd_make(int fd, bool blocking, weft_fd **ret)
{
	weft_fd *f = wb_calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = fd;
	atomic_store_explicit(&f->n_refs, 2, memory_order_relaxed);
	weft__limits_init(f);
	weft__m *m = weft__enter();
	int err = blocking ? 0 : weft__pd_open(fd, &f->pd);
	weft__leave(m);
	if (err < 0 && err != -EPERM) { /* -EPERM: of a kind that is always ready */
		wb_free(f);
		return err;
	}
	f->tried_last = !f->pd;
	*ret = f;
	return 0;
}

static void unref(weft_fd *f)
{
	if (atomic_fetch_sub_explicit(&f->n_refs, 1, memory_order_acq_rel) == 1) {
		wb_free(f->path);
		wb_free(f);
	}
}

/* It is closed, and the last call has left it: close(2)'s result. */
static int finish(weft__m **m, weft_fd *f)
{
	int fd = f->fd;
	weft__limits_done(f);
	if (f->pd) {
		weft__objname_forget(f->pd);
		weft__pd_close(f->pd);
	}
	unref(f);
	if (!weft__self_g(*m))
		return wo_io_close(fd);
	weft__call_begin(*m); /* a socket may linger, a file be far away */
	int err = wo_io_close(fd);
	*m = weft__call_end();
	return err;
}

/* ---- turns ---- */

static void wait_for_turn(weft__m **m, weft_fd *f, enum weft__poll_mode mode)
{
	weft__turns *t = &f->turns[mode];
	weft__lock_take(&f->lock, WEFT__RANK_FD);
	if (t->given) {
		t->given--;
		weft__lock_drop(&f->lock);
		return;
	}
	weft__waiter w = { .g = weft__self_g(*m) };
	weft__waitq_put(&t->waiters, &w);
	w.g->wait_attr = (uint64_t)f->fd;
	*m = weft__park(*m, &f->lock, WEFT__WAIT_IO, f);
}

/* To one of those who are counted as waiting, and no longer are. */
static void give_turn(weft__m *m, weft_fd *f, enum weft__poll_mode mode)
{
	weft__turns *t = &f->turns[mode];
	weft__lock_take(&f->lock, WEFT__RANK_FD);
	weft__waiter *w = weft__waitq_take(&t->waiters);
	t->given += !w;
	weft__lock_drop(&f->lock);
	if (w)
		weft__ready(m, w->g);
}

static void check_room(uint64_t state)
{
	if (weft__unlikely(n_of(state, CALL) == FIELD_MAX))
		weft_panic("too many concurrent operations on a single file or socket (max 1048575)");
}

int weft__fd_begin_slow(weft__m **m, weft_fd *f, enum weft__poll_mode mode)
{
	uint64_t call = CALL; /* 0 once it is counted */
	uint64_t old = atomic_load_explicit(&f->state, memory_order_relaxed);
	for (;;) {
		if (weft__unlikely(old & CLOSED)) {
			if (!call)
				weft__fd_release(m, f);
			return -ECANCELED;
		}
		bool taken = old & TAKEN(mode);
		if (call)
			check_room(old);
		if (!atomic_compare_exchange_weak_explicit(&f->state, &old,
			    old + call + (taken ? WAIT(mode) : TAKEN(mode)), memory_order_acquire,
			    memory_order_relaxed))
			continue;
		if (weft__likely(!taken))
			return 0;
		call = 0;
		wait_for_turn(m, f, mode);
		old = atomic_load_explicit(&f->state, memory_order_relaxed);
	}
}

int weft__fd_try_begin(weft_fd *f, enum weft__poll_mode mode)
{
	uint64_t old = atomic_load_explicit(&f->state, memory_order_relaxed);
	do {
		if (old & CLOSED)
			return -ECANCELED;
		if (old & TAKEN(mode))
			return -EAGAIN;
		check_room(old);
	} while (!atomic_compare_exchange_weak_explicit(
		&f->state, &old, old + CALL + TAKEN(mode), memory_order_acquire, memory_order_relaxed));
	return 0;
}

static bool is_over(uint64_t state)
{
	return (state & CLOSED) && n_of(state, CALL) == 0;
}

void weft__fd_end_slow(weft__m **m, weft_fd *f, enum weft__poll_mode mode)
{
	uint64_t old = atomic_load_explicit(&f->state, memory_order_relaxed), new;
	bool others;
	do {
		others = n_of(old, WAIT(mode)) != 0;
		new = old - TAKEN(mode) - CALL - (others ? WAIT(mode) : 0);
	} while (!atomic_compare_exchange_weak_explicit(
		&f->state, &old, new, memory_order_acq_rel, memory_order_relaxed));
	if (weft__unlikely(others))
		give_turn(*m, f, mode); /* who waits is in a call and keeps f */
	else if (weft__unlikely(is_over(new)))
		finish(m, f);
}

int weft__fd_hold(weft_fd *f)
{
	uint64_t old = atomic_load_explicit(&f->state, memory_order_relaxed);
	do {
		if (old & CLOSED)
			return -ECANCELED;
		check_room(old);
	} while (!atomic_compare_exchange_weak_explicit(
		&f->state, &old, old + CALL, memory_order_acquire, memory_order_relaxed));
	return 0;
}

static int release(weft__m **m, weft_fd *f)
{
	uint64_t new = atomic_fetch_sub_explicit(&f->state, CALL, memory_order_acq_rel) - CALL;
	return is_over(new) ? finish(m, f) : 0;
}

void weft__fd_release(weft__m **m, weft_fd *f)
{
	release(m, f);
}

/* ---- closing ---- */

/* Closes it for everybody: 0, close(2)'s error when nobody was in it any more, -ECANCELED when it was closed before. */
static int shut(weft__m **m, weft_fd *f)
{
	uint64_t old = atomic_load_explicit(&f->state, memory_order_relaxed), new;
	do {
		if (old & CLOSED)
			return -ECANCELED;
		check_room(old);
		new = (old | CLOSED) + CALL;
		new -= n_of(old, WAIT(WEFT__POLL_READ)) * WAIT(WEFT__POLL_READ);
		new -= n_of(old, WAIT(WEFT__POLL_WRITE)) * WAIT(WEFT__POLL_WRITE);
	} while (!atomic_compare_exchange_weak_explicit(
		&f->state, &old, new, memory_order_acq_rel, memory_order_relaxed));
	for (enum weft__poll_mode mode = WEFT__POLL_READ; mode <= WEFT__POLL_WRITE; mode++)
		for (uint64_t n = n_of(old, WAIT(mode)); n > 0; n--)
			give_turn(*m, f, mode);
	if (f->pd)
		weft__pd_evict(*m, f->pd);
	if (f->path)
		unlink(f->path);
	return release(m, f);
}

int weft_fd_close(weft_fd *f)
{
	if (!f)
		return 0;
	weft__m *m = weft__enter();
	int ret = shut(&m, f);
	unref(f);
	weft__leave(m);
	return ret;
}

weft_fd *weft_fd_ref(weft_fd *f)
{
	if (f)
		atomic_fetch_add_explicit(&f->n_refs, 1, memory_order_relaxed);
	return f;
}

void weft_fd_unref(weft_fd *f)
{
	if (!f)
		return;
	weft__m *m = weft__enter();
	uint32_t n = atomic_load_explicit(&f->n_refs, memory_order_acquire);
	do {
		/* Ours and that of the open descriptor: nobody else can close it.  While ours is there it can be looked
		 * at. */
		if (n == 2 && shut(&m, f) != -ECANCELED)
			n = atomic_load_explicit(&f->n_refs, memory_order_acquire);
	} while (!atomic_compare_exchange_weak_explicit(
		&f->n_refs, &n, n - 1, memory_order_acq_rel, memory_order_acquire));
	if (n == 1) {
		wb_free(f->path);
		wb_free(f);
	}
	weft__leave(m);
}

int weft_fd_number(const weft_fd *f)
{
	atomic_store_explicit(&((weft_fd *)(uintptr_t)f)->options, true, memory_order_relaxed);
	return f->fd;
}
