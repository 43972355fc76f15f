/* rt/block.c - calls that block a thread, and errno when goroutines change threads. */
#include "kit/rtkit.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static weft_wg done;
static atomic_int count;

/* ---- begin and end ---- */

static void read_pipe(void *arg)
{
	char c = 0;
	weft_syscall_begin();
	ssize_t n = read(*(int *)arg, &c, 1);
	weft_syscall_end();
	kit_equal(n, 1);
	kit_equal(c, 'x');
	count++;
	weft_wg_done(&done);
}

CASE(others_run_meanwhile, "block.h: a thread that blocks keeps its proc only while nobody else needs it")
{
	int fds[2];
	kit_require(!pipe(fds));
	weft_wg_add(&done, 1);
	kit_go(read_pipe, &fds[0]);
	for (int i = 0; i < 100; i++)
		weft_yield();
	kit_equal(write(fds[1], "x", 1), 1); /* runs only when the reader has not taken the last proc with it */
	weft_wg_wait(&done);
	kit_equal(count, 1);
	close(fds[0]);
	close(fds[1]);
}

CASE(many_block, "block.h: more goroutines block than there are procs; threads are started for the others")
{
	enum { N = 50 };
	int fds[2];
	kit_require(!pipe(fds));
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++)
		kit_go(read_pipe, &fds[0]);
	weft_stats s;
	kit_until((weft_stats_read(&s), s.n_in_syscall) == N);
	for (int i = 0; i < N; i++)
		kit_equal(write(fds[1], "x", 1), 1);
	weft_wg_wait(&done);
	kit_equal(count, N);
	close(fds[0]);
	close(fds[1]);
}

static void call_often(void *arg)
{
	(void)arg;
	for (int i = 0; i < (int)kit_times(2000); i++) {
		weft_syscall_begin();
		if (i % 100 == 0)
			usleep(1000);
		else if (i % 3)
			sched_yield();
		weft_syscall_end();
		count++;
		if (i % 10 == 0)
			weft_yield();
	}
	weft_wg_done(&done);
}

CASE(calls_race_with_retaking,
	"block.h: short and long calls, while the monitor takes procs away (Go's TestPreemptionAfterSyscall)")
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(call_often, NULL);
	weft_wg_wait(&done);
	kit_equal(count, 8 * kit_times(2000));
}

static void set_seven(void *arg)
{
	*(atomic_int *)arg = 7;
}

static void *begin_outside(void *arg)
{
	weft_syscall_begin();
	weft_syscall_end();
	weft_blocking(set_seven, arg);
	return NULL;
}

CASE(outside, "block.h: nothing at all outside a goroutine; weft_blocking() just calls")
{
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, begin_outside, &count));
	pthread_join(t, NULL);
	kit_equal(count, 7);
}

/* ---- on the thread's stack ---- */

static void use_much_stack(void *arg)
{
	volatile char space[700000];
	for (size_t i = 0; i < sizeof(space); i += 1000)
		space[i] = (char)i;
	space[sizeof(space) - 1] = 5;
	*(int *)arg = space[sizeof(space) - 1];
	usleep(1000);
}

static void call_blocking(void *arg)
{
	int got = 0;
	(void)arg;
	weft_blocking(use_much_stack, &got);
	kit_equal(got, 5);
	weft_wg_done(&done);
}

CASE(blocking_has_stack, "block.h: fn(arg) runs on the thread's own large stack")
{
	weft_wg_add(&done, 20);
	for (int i = 0; i < 20; i++)
		kit_go(call_blocking, NULL);
	weft_wg_wait(&done);
}

static void lock_pthread(void *arg)
{
	pthread_mutex_lock(arg);
	pthread_mutex_unlock(arg);
}

static void wait_for_mutex(void *arg)
{
	weft_blocking(lock_pthread, arg);
	weft_wg_done(&done);
}

CASE(blocking_on_mutex, "block.h: for library code that blocks: others run on, and let go what it waits for")
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	weft_thread_lock(); /* a pthread mutex is its thread's */
	pthread_mutex_lock(&m);
	weft_wg_add(&done, 5);
	for (int i = 0; i < 5; i++)
		kit_go(wait_for_mutex, &m);
	weft_stats s;
	kit_until((weft_stats_read(&s), s.n_in_syscall) == 5);
	pthread_mutex_unlock(&m);
	weft_thread_unlock();
	weft_wg_wait(&done);
}

/* ---- wrappers ---- */

CASE(any_call, "block.h: any system call by its number: its result, or a negative errno")
{
	kit_equal(weft_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0), getpid());
	kit_equal(weft_syscall(SYS_close, -1, 0, 0, 0, 0, 0), -EBADF);
	int fd = (int)weft_syscall(SYS_openat, AT_FDCWD, (long)"/dev/null", O_RDWR, 0, 0, 0);
	kit_expect(fd >= 0);
	kit_equal(weft_syscall(SYS_write, fd, (long)"abc", 3, 0, 0, 0), 3);
	kit_equal(weft_syscall(SYS_pwrite64, fd, (long)"abc", 3, 5, 0, 0), 3);
	kit_equal(close(fd), 0);
}

CASE(wait_for_process, "block.h: weft_waitpid(): others run while it waits")
{
	int fds[2], status = 0;
	char c;
	kit_require(!pipe(fds));
	/* fork(2); the child does nothing but system calls. */
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0) {
		syscall(SYS_read, fds[0], &c, 1);
		syscall(SYS_exit_group, 9);
	}
	kit_equal(weft_waitpid(pid, &status, WNOHANG), 0);
	kit_equal(write(fds[1], "x", 1), 1);
	kit_equal(weft_waitpid(pid, &status, 0), pid);
	kit_equal(WEXITSTATUS(status), 9);
	kit_equal(weft_waitpid(pid, &status, 0), -ECHILD);
	close(fds[0]);
	close(fds[1]);
}

CASE(files, "block.h: fsync, fdatasync, flock: as the calls of the same names, a negative errno instead of -1")
{
	char name[] = "/tmp/weft-XXXXXX";
	int fd = mkstemp(name), again;
	kit_require(fd >= 0);
	again = open(name, O_RDWR);
	kit_equal(weft_fsync(fd), 0);
	kit_equal(weft_fdatasync(fd), 0);
	kit_equal(weft_flock(fd, LOCK_EX), 0);
	kit_equal(weft_flock(again, LOCK_EX | LOCK_NB), -EWOULDBLOCK);
	kit_equal(weft_flock(fd, LOCK_UN), 0);
	kit_equal(weft_flock(again, LOCK_EX | LOCK_NB), 0);
	close(fd);
	close(again);
	unlink(name);
	kit_equal(weft_fsync(fd), -EBADF);
}

CASE(addresses, "block.h: getaddrinfo(): its own result")
{
	struct addrinfo *found = NULL, hints = { .ai_family = AF_INET, .ai_flags = AI_NUMERICHOST };
	kit_equal(weft_getaddrinfo("127.0.0.1", "80", &hints, &found), 0);
	kit_require(found);
	kit_equal(((struct sockaddr_in *)found->ai_addr)->sin_port, htons(80));
	freeaddrinfo(found);
	kit_equal(weft_getaddrinfo("not a number", "80", &hints, &found), EAI_NONAME);
}

/* ---- errno ---- */

/* Makes a libc call fail in one of two ways, around a call after which the goroutine may be on another thread.  A
 * compiler that kept the address of errno reads the other thread's. */
static void fail_and_move(void *arg)
{
	bool odd = (intptr_t)arg % 2;
	for (int i = 0; i < (int)kit_times(2000); i++) {
		int fd = odd ? close(-1) : open("/does/not/exist", O_RDONLY);
		kit_equal(fd, -1);
		kit_equal(weft_errno(), odd ? EBADF : ENOENT);
		weft_yield();
		weft_syscall_begin();
		fd = odd ? open("/does/not/exist", O_RDONLY) : close(-1);
		weft_syscall_end();
		kit_equal(fd, -1);
		kit_equal(weft_errno(), odd ? ENOENT : EBADF);
		if (i % 64 == 0)
			weft_sleep(WEFT_US);
	}
	weft_wg_done(&done);
}

CASE(errno_after_moving,
	"go.h: weft_errno() is this thread's errno, read now; errno of a call is still there after _end()")
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(fail_and_move, (void *)(intptr_t)i);
	weft_wg_wait(&done);
}
