/* rt/net/deadline.c - moments after which a descriptor's calls fail.
 *
 * Programs set a new deadline before each call, and hardly any comes.  So a deadline that moves into the future leaves
 * its timer where it is in the heap: it finds out when it is due. */
#include "rt/net/fd.h"

#include <errno.h>

#include "os/thread.h"

/* Values of weft__limit.by_ns that are no moments.  It is changed under the descriptor's lock, except that the timer
 * makes it COME, by compare and swap: so a deadline that is put off in time does not come. */
#define NONE WEFT_FOREVER
#define COME INT64_MIN

static void come(weft__m *m, weft__timer *t, int64_t now_ns)
{
	weft__limit *l = t->arg;
	int64_t by = atomic_load(&l->by_ns);
	do {
		if (by > now_ns) {
			weft__timer_again(t, by);
			return;
		}
	} while (!atomic_compare_exchange_weak(&l->by_ns, &by, COME));
	weft__pd_expire(m, l->f->pd, l->mode, true);
}

void weft__limits_init(weft_fd *f)
{
	for (enum weft__poll_mode mode = WEFT__POLL_READ; mode <= WEFT__POLL_WRITE; mode++) {
		weft__limit *l = &f->limits[mode];
		l->f = f;
		l->mode = mode;
		atomic_store_explicit(&l->by_ns, NONE, memory_order_relaxed);
		l->timer.fn = come;
		l->timer.arg = l;
	}
}

void weft__limits_done(weft_fd *f)
{
	weft__timer_stop(&f->limits[WEFT__POLL_READ].timer);
	weft__timer_stop(&f->limits[WEFT__POLL_WRITE].timer);
}

/* The timer runs, and not later than `by`: it will find out. */
static bool put_off(weft__limit *l, int64_t by)
{
	int64_t old = atomic_load_explicit(&l->by_ns, memory_order_relaxed);
	return old != NONE && old != COME && old <= by && atomic_compare_exchange_strong(&l->by_ns, &old, by);
}

/* Under f->lock. */
static int set(weft__m *m, weft__limit *l, int64_t by)
{
	weft__pd *pd = l->f->pd;
	bool passed = by <= wo_now_ns();
	if (by != NONE && !passed && put_off(l, by))
		return 0;
	weft__timer_stop(&l->timer);
	atomic_store_explicit(&l->by_ns, passed ? COME : by, memory_order_relaxed);
	weft__pd_expire(m, pd, l->mode, passed);
	if (by == NONE || passed)
		return 0;
	l->timer.when_ns = by;
	int err = weft__timer_start(m, &l->timer);
	if (err < 0) {
		atomic_store_explicit(&l->by_ns, COME, memory_order_relaxed);
		weft__pd_expire(m, pd, l->mode, true); /* rather too early than never */
	}
	return err;
}

static int set_both(weft_fd *f, const int64_t *read_by, const int64_t *write_by)
{
	weft__m *m = weft__enter();
	int err = weft__fd_hold(f);
	if (err < 0) {
		weft__leave(m);
		return err;
	}
	if (f->pd) {
		weft__lock_take(&f->lock, WEFT__RANK_FD);
		int read_err = read_by ? set(m, &f->limits[WEFT__POLL_READ], *read_by) : 0;
		int write_err = write_by ? set(m, &f->limits[WEFT__POLL_WRITE], *write_by) : 0;
		weft__lock_drop(&f->lock);
		err = read_err < 0 ? read_err : write_err;
	} else {
		err = -EOPNOTSUPP;
	}
	weft__fd_release(&m, f);
	weft__leave(m);
	return err;
}

int weft_fd_deadline(weft_fd *f, weft_ns read_by, weft_ns write_by)
{
	return set_both(f, &read_by, &write_by);
}

int weft_fd_read_deadline(weft_fd *f, weft_ns read_by)
{
	return set_both(f, &read_by, NULL);
}

int weft_fd_write_deadline(weft_fd *f, weft_ns write_by)
{
	return set_both(f, NULL, &write_by);
}
