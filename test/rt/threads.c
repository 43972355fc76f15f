/* rt/threads.c - goroutines that end tied to a thread: it ends with them, and nothing of it is seen again. */
#include "kit/rtkit.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define GO_ENDS                                                                                               \
	"runtime.LockOSThread: If the calling goroutine exits without unlocking the thread, the thread will " \
	"be terminated"

static weft_wg done;

static int thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

static bool exists(int tid)
{
	return syscall(SYS_tgkill, getpid(), tid, 0) == 0;
}

/* ---- they end ---- */

static void note_thread(void *arg)
{
	weft_thread_lock();
	*(atomic_int *)arg = thread_id();
}

static void end_by_return(void *arg)
{
	note_thread(arg);
	weft_wg_done(&done);
}

static void end_by_exit(void *arg)
{
	note_thread(arg);
	weft_wg_done(&done);
	weft_exit();
}

static void end_half_untied(void *arg)
{
	weft_thread_lock();
	note_thread(arg);
	weft_thread_unlock();
	weft_sleep(WEFT_US);
	kit_equal(thread_id(), *(atomic_int *)arg);
	weft_wg_done(&done);
}

static void end_tied_by_cleanup(void *arg)
{
	weft_at_end(end_by_return, arg);
}

CASE(thread_ends, GO_ENDS)
{
	weft_fn *const ways[] = { end_by_return, end_by_exit, end_half_untied, end_tied_by_cleanup };
	for (size_t i = 0; i < 4 * sizeof(ways) / sizeof(ways[0]); i++) {
		atomic_int tid = 0;
		weft_wg_add(&done, 1);
		kit_go(ways[i % 4], &tid);
		weft_wg_wait(&done);
		kit_until(!exists(tid));
		kit_expect(thread_id() != tid);
	}
}

static void end_untied(void *arg)
{
	note_thread(arg);
	weft_sleep(WEFT_US);
	weft_thread_unlock();
	weft_wg_done(&done);
}

CASE(thread_stays, "runtime.UnlockOSThread: undoes an earlier call to LockOSThread: the thread goes on")
{
	for (int i = 0; i < 20; i++) {
		atomic_int tid = 0;
		weft_wg_add(&done, 1);
		kit_go(end_untied, &tid);
		weft_wg_wait(&done);
		weft_sleep(50 * WEFT_US);
		kit_expect(exists(tid));
	}
}

/* ---- what they were ---- */

static __thread int mark;
static char name_before[16];
static cpu_set_t cpus_before;

static __attribute__((noinline)) int swap_mark(int with) /* the compiler must not know where it was */
{
	int before = mark;
	mark = with;
	return before;
}

static void change_thread(void)
{
	cpu_set_t one;
	sigset_t usr1;
	CPU_ZERO(&one);
	for (int i = CPU_SETSIZE - 1; i >= 0 && CPU_COUNT(&one) == 0; i--)
		if (CPU_ISSET(i, &cpus_before))
			CPU_SET(i, &one);
	kit_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	kit_equal(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
	kit_equal(prctl(PR_SET_NAME, "changed"), 0);
	kit_equal(swap_mark(1), 0);
}

static void check_thread(void)
{
	char name[16] = "";
	cpu_set_t cpus;
	sigset_t mask;
	kit_equal(prctl(PR_GET_NAME, name), 0);
	kit_expect(strcmp(name, name_before) == 0);
	kit_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
	kit_equal(sigismember(&mask, SIGUSR1), 0);
	kit_equal(sched_getaffinity(0, sizeof(cpus), &cpus), 0);
	kit_expect(CPU_EQUAL(&cpus, &cpus_before));
	kit_equal(swap_mark(0), 0);
}

static void look_about(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++) {
		check_thread();
		weft_yield();
	}
	weft_wg_done(&done);
}

static void doze(void *unused)
{
	(void)unused;
	usleep(50);
}

/* Each step may need another thread for others, and must not make it in the image of this one. */
static void tie_and_change(void *arg)
{
	int steps = (int)(intptr_t)arg;
	weft_thread_lock();
	check_thread();
	change_thread();
	kit_go(look_about, NULL);
	if (steps & 1)
		weft_sleep(WEFT_US);
	if (steps & 2)
		weft_blocking(doze, NULL);
	if (steps & 4)
		weft_yield();
	kit_equal(swap_mark(1), 1);
	weft_wg_done(&done);
}

CASE(state_goes_with_it,
	GO_ENDS " (and threads are not started in the image of one that is tied: Go's startTemplateThread)",
	.seconds = 30)
{
	prctl(PR_GET_NAME, name_before);
	sched_getaffinity(0, sizeof(cpus_before), &cpus_before);
	for (int i = 0; i < (int)kit_times(300); i++) {
		weft_wg_add(&done, 3);
		kit_go(tie_and_change, (void *)(intptr_t)i);
		kit_go(look_about, NULL);
		if (i % 4 == 3)
			weft_wg_wait(&done);
		check_thread();
	}
	weft_wg_wait(&done);
}

/* ---- what they leave ---- */

static size_t count_entries(const char *folder)
{
	DIR *d = opendir(folder);
	size_t n = 0;
	kit_require(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static size_t count_mappings(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	size_t n = 0;
	kit_require(f);
	for (int c; (c = getc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

static void end_in_crowds(size_t n)
{
	static atomic_int tid;
	for (size_t i = 0; i < n; i++) {
		weft_wg_add(&done, 1);
		kit_go(i % 2 ? end_by_return : end_by_exit, &tid);
		if (i % 16 == 15)
			weft_wg_wait(&done);
	}
	weft_wg_wait(&done);
}

enum { THREADS = 24, SLACK = 60 };

CASE(nothing_is_left, "go.h: the thread ends: thousands leave no thread, memory or descriptor", .seconds = 30)
{
	end_in_crowds(64);
	size_t files = count_entries("/proc/self/fd"), maps = count_mappings();
	size_t more = kit_times(2000);
	end_in_crowds(more);
	kit_until(count_entries("/proc/self/task") < THREADS);
	kit_equal(count_entries("/proc/self/fd"), files);
	if (more > 4 * SLACK && !KIT_EMULATED) /* an emulator's own mappings are among them */
		kit_expect(count_mappings() < maps + SLACK);
	kit_expect(weft_profile_count("threadcreate") < THREADS);
	weft_stats s;
	weft_stats_read(&s);
	kit_expect(s.n_threads < THREADS);
}

static pthread_key_t key;
static weft_mutex held;

static void let_go(void *mutex)
{
	weft_unlock(mutex);
}

static void end_with_value(void *unused)
{
	(void)unused;
	weft_thread_lock();
	pthread_setspecific(key, &held);
}

CASE(destructors_run, "pthread_key_create: at thread exit a destructor is called; it may call what any thread may")
{
	kit_equal(pthread_key_create(&key, let_go), 0);
	weft_lock(&held);
	for (int i = 0; i < 10; i++) {
		kit_go(end_with_value, NULL);
		weft_lock(&held);
	}
}

/* ---- the others ---- */

static void end_later(void *ns)
{
	weft_thread_lock();
	weft_sleep((intptr_t)ns);
}

CASE(deadlock_behind, "go.h: when no goroutine can ever run again the program ends (the last thread that ran has gone)",
	.dies = KIT_DEADLOCK)
{
	kit_go(end_later, (void *)(intptr_t)WEFT_MS);
	weft_chan_recv(NULL, NULL);
}

CASE(sleepers_wake, "go.h: others go on when the last thread that ran has gone: timers")
{
	for (int i = 0; i < 100; i++) {
		kit_go(end_later, (void *)(intptr_t)(i % 10 * 10 * WEFT_US));
		weft_sleep(100 * WEFT_US);
	}
}

/* ---- threads of the program's own ---- */

#define DEAD_BUT_FOR                                                                                          \
	"go.h: when no goroutine can ever run again the program ends; a thread that has called this library " \
	"may do so again, as long as it lives"

static void nothing(void *unused)
{
	(void)unused;
}

static atomic_bool called_in;

static void *call_in(void *ns)
{
	kit_equal(weft_go(nothing, NULL), 0);
	called_in = true;
	nanosleep(&(struct timespec){ .tv_nsec = (intptr_t)ns }, NULL);
	return NULL;
}

static void *call_in_and_wake(void *ns)
{
	call_in(ns);
	weft_wg_done(&done);
	return NULL;
}

static void *call_nothing(void *unused)
{
	return unused;
}

static pthread_t own_thread(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	kit_require(pthread_create(&t, NULL, fn, arg) == 0);
	return t;
}

CASE(deadlock_behind_own_thread, DEAD_BUT_FOR, .dies = KIT_DEADLOCK)
{
	for (int i = 0; i < 10; i++)
		pthread_join(own_thread(call_in, NULL), NULL);
	pthread_join(own_thread(call_nothing, NULL), NULL);
	weft_chan_recv(NULL, NULL);
}

CASE(deadlock_when_own_thread_ends, DEAD_BUT_FOR, .dies = KIT_DEADLOCK)
{
	pthread_detach(own_thread(call_in, (void *)(intptr_t)(20 * WEFT_MS)));
	kit_until(called_in);
	weft_chan_recv(NULL, NULL);
}

CASE(no_deadlock_while_own_thread_lives, DEAD_BUT_FOR)
{
	weft_wg_add(&done, 1);
	pthread_t t = own_thread(call_in_and_wake, (void *)(intptr_t)(20 * WEFT_MS));
	kit_until(called_in);
	weft_wg_wait(&done);
	pthread_join(t, NULL);
}

static void *call_in_at_end(void *unused)
{
	pthread_setspecific(key, &held);
	return call_in(unused);
}

CASE(destructors_of_own_thread,
	"pthread_key_create: at thread exit a destructor is called; it may call what any thread may",
	.dies = KIT_DEADLOCK)
{
	kit_equal(pthread_key_create(&key, let_go), 0);
	weft_lock(&held);
	pthread_detach(own_thread(call_in_at_end, NULL));
	kit_until(called_in);
	weft_lock(&held); /* unlocked by the thread's end, and never again */
	weft_lock(&held);
}

static void *call_in_early(void *unused)
{
	weft_ctx_unref(weft_ctx_make(NULL, WEFT_FOREVER));
	return unused;
}

static void wait_for_ever(void *unused)
{
	(void)unused;
	weft_chan_recv(NULL, NULL);
}

CASE(deadlock_behind_early_thread, DEAD_BUT_FOR, .outside = true, .dies = KIT_DEADLOCK)
{
	pthread_join(own_thread(call_in_early, NULL), NULL);
	call_in_early(NULL); /* this thread sleeps in weft_main() */
	weft_main(wait_for_ever, NULL, NULL);
}

CASE(own_threads_leave_nothing, "go.h: any thread: thousands that call in and end leave no memory")
{
	for (size_t i = 0; i < kit_times(1000); i++)
		pthread_join(own_thread(call_in, NULL), NULL);
	kit_expect(weft_profile_count("threadcreate") < THREADS);
}

static void change_procs(void *unused)
{
	(void)unused;
	for (int i = 0; i < (int)kit_times(50); i++) {
		weft_procs(1 + i % 4);
		weft_sleep(20 * WEFT_US);
	}
	weft_wg_done(&done);
}

CASE(while_procs_change, "runtime.GOMAXPROCS: stops the world, also while threads end")
{
	weft_wg_add(&done, 1);
	kit_go(change_procs, NULL);
	end_in_crowds(kit_times(300));
}

/* ---- the first goroutine ---- */

static void speak_last(void *unused)
{
	(void)unused;
	weft_sleep(WEFT_MS);
	puts("still here");
	fflush(stdout);
}

CASE(first_ends_tied,
	"runtime.Goexit: Calling Goexit from the main goroutine terminates that goroutine; the program continues",
	.dies = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!", .out = "still here\n")
{
	weft_thread_lock();
	kit_go(speak_last, NULL);
	weft_exit();
}

static void return_tied(void *tid)
{
	note_thread(tid);
	prctl(PR_SET_NAME, "changed");
}

CASE(first_returns_tied, "go.h: the thread that calls weft_main() runs no goroutines, and goes on as it was",
	.outside = true)
{
	char before[16] = "", name[16] = "";
	atomic_int tid = 0;
	prctl(PR_GET_NAME, before);
	kit_equal(weft_main(return_tied, &tid, NULL), 0);
	prctl(PR_GET_NAME, name);
	kit_expect(strcmp(name, before) == 0);
	kit_expect(tid != 0 && tid != thread_id());
}
