/* rt/moved.c - a program like a user's: errno behind calls after which a goroutine is on another thread.
 *
 * With one proc.  errno_test.sh builds it by several compilers, as the documentation says they may go wrong.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <weft/weft.h>

#ifdef BROKEN /* what weft_errno() is there to replace */
#define weft_errno() errno
#endif

/* On a busy machine the monitor moves goroutines, too, and a move may not come out as it was meant. */
enum { ROUNDS = 30, TRIES = 100 * ROUNDS };

static int n_bad, n_wrong;

static void expect(long is, long wanted, const char *what)
{
	if (is == wanted)
		return;
	printf("# %s: %ld, not %ld\n", what, is, wanted);
	n_bad++;
}

static int thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

/* ---- moving ---- */

typedef struct keeper {
	weft_chan *has, *gate, *left;
	atomic_int thread;
} keeper;

__attribute__((noinline)) static void set_errno(int to)
{
	errno = to;
}

/* Takes the thread that it runs on for itself, with an errno that nobody else has, and keeps it. */
static void keep_thread(void *arg)
{
	keeper *k = arg;
	weft_thread_lock();
	atomic_store(&k->thread, thread_id());
	weft_chan_close(k->has);
	set_errno(EDOM);
	weft_chan_recv(k->gate, NULL);
	weft_thread_unlock();
	weft_chan_close(k->left);
}

/* The one proc goes from this thread to another as soon as the keeper waits, and the caller with it.  False: it came
 * otherwise. */
static __attribute__((noinline)) bool move(keeper *k)
{
	int from = thread_id();
	k->has = weft_chan_make(0, 0);
	k->gate = weft_chan_make(0, 0);
	k->left = weft_chan_make(0, 0);
	expect(weft_go(keep_thread, k), 0, "weft_go");
	weft_chan_recv(k->has, NULL);
	return atomic_load(&k->thread) == from;
}

static void let_go(keeper *k)
{
	weft_chan_close(k->gate);
	weft_chan_recv(k->left, NULL);
	weft_chan_unref(k->has);
	weft_chan_unref(k->gate);
	weft_chan_unref(k->left);
}

/* ---- the ways that are documented ---- */

/* A compiler knows the address of errno from before the move; where it uses that behind it, n_wrong counts. */
static __attribute__((noinline)) bool by_weft_errno(void)
{
	keeper k;
	expect(close(-1), -1, "close");
	expect(errno, EBADF, "errno before");
	expect(weft_errno(), EBADF, "weft_errno() before");
	bool moved = move(&k);
	expect(open("/does/not/exist", O_RDONLY), -1, "open");
	n_wrong += errno != ENOENT;
	expect(open("/does/not/exist", O_RDONLY), -1, "open");
	expect(weft_errno(), ENOENT, "weft_errno() behind a move");
	let_go(&k);
	return moved;
}

static __attribute__((noinline)) bool by_results(void)
{
	keeper k;
	weft_fd *f;
	expect(close(-1), -1, "close");
	expect(errno, EBADF, "errno before");
	bool moved = move(&k);
	expect(weft_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -EBADF, "weft_syscall behind a move");
	expect(weft_fsync(-1), -EBADF, "weft_fsync behind a move");
	expect(weft_open("/does/not/exist", O_RDONLY, 0, &f), -ENOENT, "weft_open behind a move");
	expect(weft_chan_recv_until(k.gate, NULL, weft_in(1)), -ETIMEDOUT, "a wait that is over, behind a move");
	let_go(&k);
	return moved;
}

/* ---- errno of a call behind _end(), when the proc was taken meanwhile ---- */

static atomic_bool has_proc, over;

static void take_proc(void *unused)
{
	(void)unused;
	atomic_store(&has_proc, true);
	while (!atomic_load(&over)) {
		set_errno(EDOM);
		weft_yield();
	}
	atomic_store(&has_proc, false);
}

static __attribute__((noinline)) bool by_end_of_call(void)
{
	int from = thread_id();
	atomic_store(&over, false);
	expect(weft_go(take_proc, NULL), 0, "weft_go");
	expect(close(-1), -1, "close");
	expect(errno, EBADF, "errno before");
	weft_syscall_begin();
	while (!atomic_load(&has_proc))
		usleep(10);
	int fd = open("/does/not/exist", O_RDONLY);
	weft_syscall_end();
	int error = weft_errno();
	bool moved = thread_id() != from;
	expect(fd, -1, "open");
	expect(error, ENOENT, "weft_errno() behind _end()");
	atomic_store(&over, true);
	while (atomic_load(&has_proc))
		weft_yield();
	return moved;
}

/* Until it has moved so many times. */
static void repeat(bool (*fn)(void), const char *name)
{
	int n = 0, tries = 0;
	while (n < ROUNDS && n_bad == 0 && tries++ < TRIES)
		n += fn();
	if (n < ROUNDS && n_bad == 0)
		expect(n, ROUNDS, name);
}

static void all(void *unused)
{
	(void)unused;
	repeat(by_weft_errno, "moves by_weft_errno");
	repeat(by_results, "moves by_results");
	repeat(by_end_of_call, "moves by_end_of_call");
}

int main(void)
{
	expect(weft_main(all, NULL, &(weft_options){ .procs = 1 }), 0, "weft_main");
	printf("# errno itself was another thread's %d times\n", n_wrong);
	return n_bad != 0;
}
