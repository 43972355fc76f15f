/* rt/pollfault.c - the poller when epoll fails: each of its calls, the nth time. */
#include "kit/fault.h"
#include "kit/rtkit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rt/ctx/ctx.h"

/* ---- the start ---- */

static void never(void *arg)
{
	(void)arg;
	kit_expect(false); /* the program must not have begun */
}

static int lowest_number(void)
{
	int fd = dup(0);
	close(fd);
	return fd;
}

CASE(no_epoll, "go.h: weft_main() returns the error when there is no poller to be had", .outside = true, .procs = 1)
{
	int before = lowest_number();
	kit_fail(KIT_EPOLL_CREATE, 1, EMFILE, false);
	kit_equal(weft_main(never, NULL, NULL), -EMFILE);
	kit_equal(lowest_number(), before);
}

CASE(no_eventfd, "go.h: the same when it cannot be woken", .outside = true, .procs = 1)
{
	int before = lowest_number();
	kit_fail(KIT_EVENTFD, 1, ENFILE, false);
	kit_equal(weft_main(never, NULL, NULL), -ENFILE);
	kit_equal(lowest_number(), before);
}

CASE(no_first_watch, "go.h: the same when it cannot watch its own wake-up", .outside = true, .procs = 1)
{
	int before = lowest_number();
	kit_fail(KIT_EPOLL_CTL, 1, ENOSPC, false);
	kit_equal(weft_main(never, NULL, NULL), -ENOSPC);
	kit_equal(lowest_number(), before);
}

/* ---- watching ---- */

static int open_all(void)
{
	weft_fd *r = NULL, *w = NULL, *l = NULL, *c = NULL, *a = NULL;
	char address[64];
	int err = weft_pipe(&r, &w);
	if (err == 0)
		err = weft_listen("tcp", "127.0.0.1:0", &l);
	if (err == 0) {
		kit_expect(weft_fd_local(l, address, sizeof(address)) > 0);
		err = weft_dial("tcp", address, weft_in(60 * WEFT_SECOND), &c);
	}
	if (err == 0)
		err = weft_accept(l, &a);
	weft_fd_close(r);
	weft_fd_close(w);
	weft_fd_close(l);
	weft_fd_close(c);
	weft_fd_close(a);
	return err;
}

CASE(each_watch_fails, "net.h: -ENOSPC when the system watches no more descriptors, and none is left open")
{
	int before = lowest_number(), err = -1;
	for (int nth = 1; err != 0 && nth < 20; nth++) {
		kit_fail(KIT_EPOLL_CTL, nth, ENOSPC, false);
		err = open_all();
		kit_expect(err == 0 || err == -ENOSPC);
		kit_equal(lowest_number(), before);
	}
	kit_equal(err, 0);
	kit_equal(kit_called(KIT_EPOLL_CTL), 5);
}

CASE(wrapping_fails, "net.h: weft_fd_wrap(): on failure the descriptor stays the caller's")
{
	int fds[2];
	weft_fd *f = NULL;
	kit_require(!pipe2(fds, O_CLOEXEC));
	kit_fail(KIT_EPOLL_CTL, 1, ENOMEM, false);
	kit_equal(weft_fd_wrap(fds[0], &f), -ENOMEM);
	kit_expect(!f && fcntl(fds[0], F_GETFD) >= 0);
	kit_equal(weft_fd_wrap(fds[0], &f), 0);
	weft_fd_close(f);
	close(fds[1]);
}

/* ---- waiting ---- */

static weft_wg done;

static void pass_on(void *arg)
{
	weft_fd **f = arg;
	char c;
	while (weft_read(f[0], &c, 1) == 1)
		kit_equal(weft_write(f[1], &c, 1), 1);
	weft_fd_close(f[0]);
	weft_fd_close(f[1]);
	weft_wg_done(&done);
}

/* Goroutines that wait for each other through pipes, with and without time-outs. */
static void round_and_round(void)
{
	weft_fd *there[2], *back[2];
	kit_require(!weft_pipe(&there[0], &there[1]) && !weft_pipe(&back[0], &back[1]));
	weft_fd *middle[2] = { there[0], back[1] };
	weft_wg_add(&done, 1);
	kit_go(pass_on, middle);
	for (int i = 0; i < (int)kit_times(300); i++) {
		char c = (char)i, got = 0;
		kit_equal(weft_write(there[1], &c, 1), 1);
		kit_equal(weft_read(back[0], &got, 1), 1);
		kit_equal(got, c);
		if (i % 20 == 0) {
			weft_fd_read_deadline(back[0], weft_in(100 * WEFT_US));
			kit_equal(weft_read(back[0], &got, 1), -ETIMEDOUT);
			weft_fd_read_deadline(back[0], WEFT_FOREVER);
			weft_sleep(100 * WEFT_US);
		}
	}
	kit_equal(weft_fd_close(there[1]), 0);
	weft_wg_wait(&done);
	kit_equal(weft_fd_close(back[0]), 0);
}

CASE(waits_are_interrupted, "net.h: EINTR never comes through, and no wake-up is lost by it")
{
	for (int nth = 1; nth <= 8; nth++) {
		kit_fail(KIT_EPOLL_WAIT, nth, EINTR, false);
		kit_fail(KIT_EPOLL_PWAIT2, nth, EINTR, false);
		round_and_round();
	}
}

static void without_pwait2(int error)
{
	if (WEFT__CTX_TSAN)
		kit_skip("under TSan the runtime never calls epoll_pwait2(): see rt/sched/poller.c");
	kit_fail(KIT_EPOLL_PWAIT2, 1, error, true);
	round_and_round();
	while (kit_called(KIT_EPOLL_PWAIT2) == 0) /* a slow machine finds what is due at once, and never waits */
		weft_sleep(20 * WEFT_MS);
	kit_equal(kit_called(KIT_EPOLL_PWAIT2), 1);
}

CASE(old_kernel, "net.h: time-outs also where the kernel has no epoll_pwait2()")
{
	without_pwait2(ENOSYS);
}

CASE(old_container, "net.h: time-outs also where a filter of system calls forbids epoll_pwait2()")
{
	without_pwait2(EPERM);
}

CASE(poller_is_closed, "go.h: a program that closes the runtime's own descriptors is told so, and does not spin",
	.dies = "fatal error: the poller of the runtime fails: errno 9 (has the program closed its descriptor?)")
{
	kit_fail(KIT_EPOLL_WAIT, 1, EBADF, true);
	kit_fail(KIT_EPOLL_PWAIT2, 1, EBADF, true);
	round_and_round();
}
