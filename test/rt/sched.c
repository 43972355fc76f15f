/* rt/sched.c - what the scheduler promises: progress, fairness, parallelism, procs, threads, idleness. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rt/sched/park.h"

static weft_wg done;
static atomic_int turns[4];
static atomic_bool stop;

static int thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

/* ---- progress ---- */

static void yield_until_stop(void *arg)
{
	if (arg)
		weft_thread_lock();
	while (!stop)
		weft_yield();
	weft_wg_done(&done);
}

static void yield_progress(bool locked)
{
	weft_wg_add(&done, 1);
	kit_go(yield_until_stop, locked ? "locked" : NULL);
	for (int i = 0; i < 10; i++) {
		weft_sleep(WEFT_MS);
		weft_yield();
	}
	stop = true;
	weft_wg_wait(&done);
}

CASE(yield_progress, "Go's TestYieldProgress: a goroutine that only yields does not keep others from running")
{
	yield_progress(false);
}

CASE(yield_locked_progress, "Go's TestYieldLockedProgress: the same when it is tied to a thread")
{
	yield_progress(true);
}

static void wait_turns(void *arg)
{
	for (int i = 0; i < 10; i++) {
		weft_yield();
		weft_sleep(WEFT_MS / 10);
	}
	weft_chan_close(arg);
}

CASE(yield_locked, "Go's TestYieldLocked: a goroutine tied to a thread yields and sleeps, and stays there")
{
	weft_chan *end = weft_chan_make(0, 0);
	weft_thread_lock();
	int tid = thread_id();
	kit_go(wait_turns, end);
	while (weft_chan_try_recv(end, NULL) == -EAGAIN) {
		kit_equal(thread_id(), tid);
		weft_yield();
	}
	weft_sleep(WEFT_MS);
	kit_equal(thread_id(), tid);
	weft_thread_unlock();
	weft_chan_unref(end);
}

static void send_locked(void *arg)
{
	weft_thread_lock();
	for (int i = 0; i < 100; i++)
		kit_equal(weft_chan_send(arg, NULL), 0);
	weft_thread_unlock();
	weft_wg_done(&done);
}

CASE(block_locked, "Go's TestBlockLocked: a goroutine tied to a thread blocks again and again; others run meanwhile")
{
	weft_chan *ch = weft_chan_make(0, 0);
	weft_wg_add(&done, 1);
	kit_go(send_locked, ch);
	for (int i = 0; i < 100; i++)
		kit_equal(weft_chan_recv(ch, NULL), 1);
	weft_wg_wait(&done);
	weft_chan_unref(ch);
}

static void take_turns(void *arg)
{
	int k = (int)(intptr_t)arg;
	for (int i = 0; i < 100; i++) {
		turns[k]++;
		weft_yield();
	}
	weft_wg_done(&done);
}

CASE(yield_takes_turns,
	"runtime.Gosched: yields the processor, allowing other goroutines to run (here: this one goes to the end of "
	"the "
	"queue)",
	.procs = 1, .soft = true)
{
	weft_wg_add(&done, 4);
	for (int k = 0; k < 4; k++)
		kit_go(take_turns, (void *)(intptr_t)k);
	for (int i = 0; i < 100; i++) {
		weft_yield();
		int least = 1000, most = 0;
		for (int k = 0; k < 4; k++) {
			least = turns[k] < least ? turns[k] : least;
			most = turns[k] > most ? turns[k] : most;
		}
		kit_expect(most - least <= 2);
	}
	weft_wg_wait(&done);
}

/* ---- fairness ---- */

typedef struct pair {
	weft_chan *there, *back;
} pair;

static void ping(void *arg)
{
	pair *p = arg;
	while (!stop && weft_chan_send(p->there, NULL) == 0)
		weft_chan_recv(p->back, NULL);
	weft_chan_close(p->there);
	weft_wg_done(&done);
}

static void pong(void *arg)
{
	pair *p = arg;
	while (weft_chan_recv(p->there, NULL) == 1)
		weft_chan_send(p->back, NULL);
	weft_wg_done(&done);
}

static void count_yields(void *arg)
{
	atomic_int *n = arg;
	while (!stop) {
		++*n;
		weft_yield();
	}
	weft_wg_done(&done);
}

CASE(ping_pong_hog,
	"Go's TestPingPongHog: two goroutines that always ready each other do not starve a third on the same proc",
	.procs = 1)
{
	pair p = { weft_chan_make(0, 0), weft_chan_make(0, 0) };
	weft_wg_add(&done, 4);
	kit_go(ping, &p);
	kit_go(pong, &p);
	kit_go(count_yields, &turns[0]);
	kit_go(count_yields, &turns[1]);
	kit_until(turns[0] >= 20 && turns[1] >= 20);
	stop = true;
	weft_wg_wait(&done);
	weft_chan_unref(p.there);
	weft_chan_unref(p.back);
}

static void respawn(void *arg)
{
	(void)arg;
	if (!stop)
		kit_go(respawn, NULL);
	else
		weft_wg_done(&done);
}

CASE(respawn_does_not_starve,
	"proc.go, \"global queue every 61st tick\": goroutines that start their successor do not starve others",
	.procs = 1)
{
	weft_wg_add(&done, 3);
	kit_go(respawn, NULL);
	kit_go(respawn, NULL);
	kit_go(count_yields, &turns[0]);
	kit_until(turns[0] >= 20);
	stop = true;
	weft_wg_wait(&done);
}

/* Into the global queue or, not far, to the end of its proc's, and then the scheduler takes the slow way: each time. */
static void yield_slowly(bool far)
{
	weft__m *m = weft__enter();
	weft__self_p(m)->until_slow = 1;
	weft__leave(weft__yield(m, far));
}

static void yield_slowly_until_stop(void *far)
{
	while (!stop) {
		++turns[far != NULL];
		yield_slowly(far != NULL);
	}
	weft_wg_done(&done);
}

CASE(slow_sources_take_turns,
	"scheduler.c: neither the global queue nor a proc's own starves the other when each look is a slow one",
	.procs = 1)
{
	weft_wg_add(&done, 3);
	kit_go(yield_slowly_until_stop, "far");
	kit_go(yield_slowly_until_stop, NULL);
	kit_go(yield_slowly_until_stop, NULL);
	for (int i = 0; i < 100; i++) {
		int far = turns[1], near = turns[0];
		for (int k = 0; k < 16; k++)
			yield_slowly(i % 2);
		kit_expect(turns[1] > far && turns[0] > near);
	}
	stop = true;
	weft_wg_wait(&done);
}

static void compute(void *arg)
{
	(void)arg;
	while (!stop) {
	}
	weft_wg_done(&done);
}

CASE(hog_does_not_starve,
	"go.h: a goroutine that computes for long without a call of the library has its proc taken (Go's "
	"TestPreemption)")
{
	int procs = weft_procs(0);
	weft_wg_add(&done, procs + 1);
	for (int i = 0; i <= procs; i++)
		kit_go(compute, NULL);
	for (int i = 0; i < 5; i++)
		weft_sleep(WEFT_MS);
	stop = true;
	weft_wg_wait(&done);
}

static void set_stop(void *arg)
{
	(void)arg;
	stop = true;
}

CASE(hog_lets_starter_run, "the same: what the hog waits for was runnable on its own proc")
{
	kit_go(set_stop, NULL);
	while (!stop) {
	}
}

CASE(timer_under_hog, "Go's TestTimerFairness: a timer fires, though every proc is busy with goroutines that compute")
{
	weft_timer t = { 0 };
	int procs = weft_procs(0);
	weft_wg_add(&done, procs);
	for (int i = 0; i < procs; i++)
		kit_go(compute, NULL);
	kit_equal(weft_timer_start(&t, weft_in(WEFT_MS), set_stop, NULL), 0);
	weft_wg_wait(&done);
}

static void send_for_ever(void *arg)
{
	while (!stop)
		weft_chan_try_send(arg, NULL);
	weft_wg_done(&done);
}

CASE(timer_fairness, "Go's TestTimerFairness: select with a ticking timer ends, though another channel is always ready")
{
	weft_chan *busy = weft_chan_make(0, 0), *timeout = weft_after(10 * WEFT_MS);
	weft_wg_add(&done, 2);
	kit_go(send_for_ever, busy);
	kit_go(send_for_ever, busy);
	weft_case cases[] = { WEFT_RECV(busy, NULL), WEFT_RECV(timeout, NULL) };
	while (weft_select(cases, 2) == 0) {
	}
	stop = true;
	weft_wg_wait(&done);
	weft_chan_unref(busy);
	weft_chan_unref(timeout);
}

static void meet_and_call(void *arg)
{
	weft_chan *timer = weft_after(5 * WEFT_MS);
	for (;;) {
		weft_case cases[] = { WEFT_SEND(arg, NULL), WEFT_RECV(arg, NULL), WEFT_RECV(timer, NULL) };
		weft_syscall_begin();
		weft_syscall_end();
		if (weft_select(cases, 3) == 2)
			break;
	}
	weft_chan_unref(timer);
	weft_wg_done(&done);
}

CASE(timer_fairness_with_calls,
	"Go's TestTimerFairness2: two goroutines that meet and enter the kernel all the time see their timers")
{
	weft_chan *ch = weft_chan_make(0, 0);
	weft_wg_add(&done, 2);
	kit_go(meet_and_call, ch);
	kit_go(meet_and_call, ch);
	weft_wg_wait(&done);
	weft_chan_unref(ch);
}

/* ---- parallelism ---- */

typedef struct relay {
	atomic_uint *turn;
	unsigned number, n, rounds;
} relay;

static void spin_for_turn(void *arg)
{
	relay *r = arg;
	for (unsigned i = 0; i < r->rounds; i++) {
		while (*r->turn != i * r->n + r->number) {
		}
		++*r->turn;
	}
	weft_wg_done(&done);
}

CASE(parallelism, "Go's TestGoroutineParallelism: as many goroutines as procs run at the same time, without any call",
	.procs = 2, .soft = true)
{
	for (int k = 0; k < 5; k++) {
		atomic_uint turn = 0;
		relay r[2] = { { &turn, 0, 2, 5 }, { &turn, 1, 2, 5 } };
		weft_wg_add(&done, 2);
		kit_go(spin_for_turn, &r[0]);
		kit_go(spin_for_turn, &r[1]);
		weft_wg_wait(&done);
	}
}

CASE(parallel_with_main, "Go's TestGoroutineParallelism2: the second one runs while the first does not let go",
	.procs = 2)
{
	for (int k = 0; k < 5; k++) {
		atomic_uint turn = 0;
		relay r[2] = { { &turn, 0, 2, 5 }, { &turn, 1, 2, 5 } };
		weft_wg_add(&done, 2);
		kit_go(spin_for_turn, &r[1]);
		spin_for_turn(&r[0]);
		weft_wg_wait(&done);
	}
}

static void brief(void *arg)
{
	weft_wg_done(arg);
}

CASE(parallel_after_traffic,
	"goroutines that compute get all procs also when those before them were too short to wake a thread for",
	.procs = 2)
{
	for (int k = 0; k < 10; k++) {
		for (int i = 0; i < 2000; i++)
			if (i % 200)
				kit_go(brief, (weft_wg_add(&done, 1), &done));
			else
				weft_wg_wait(&done);
		weft_wg_wait(&done);
		atomic_uint turn = 0;
		relay r[2] = { { &turn, 0, 2, 5 }, { &turn, 1, 2, 5 } };
		weft_wg_add(&done, 2);
		kit_go(spin_for_turn, &r[1]);
		spin_for_turn(&r[0]);
		weft_wg_wait(&done);
	}
}

/* ---- procs ---- */

CASE(procs_are_set,
	"runtime.GOMAXPROCS: sets the maximum number of CPUs that can be executing simultaneously and returns the "
	"previous setting.  If n < 1, it does not change the current setting.")
{
	int at_first = weft_procs(0);
	kit_expect(at_first == 1 || at_first == 2);
	kit_equal(weft_procs(5), at_first);
	kit_equal(weft_procs(0), 5);
	kit_equal(weft_procs(-3), 5);
	kit_equal(weft_procs(1), 5);
	kit_equal(weft_procs(WEFT_PROCS_MAX + 1000), 1);
	kit_equal(weft_procs(2), WEFT_PROCS_MAX);
}

static void work(void *arg)
{
	weft_chan *ch = arg;
	for (int i = 0; i < 200; i++) {
		weft_chan_send(ch, &i);
		weft_yield();
	}
	weft_wg_done(&done);
}

CASE(procs_change_under_load,
	"Go's TestStopTheWorldDeadlock: the number of procs changes while goroutines run; nothing is lost")
{
	weft_chan *ch = weft_chan_make(sizeof(int), 1);
	int n = 0;
	weft_wg_add(&done, 16);
	for (int i = 0; i < 16; i++)
		kit_go(work, ch);
	for (; n < 16 * 200; n++) {
		kit_equal(weft_chan_recv(ch, NULL), 1);
		if (n % 50 == 0)
			weft_procs(1 + n / 50 % 8);
	}
	weft_wg_wait(&done);
	kit_equal(weft_chan_len(ch), 0);
	weft_chan_unref(ch);
}

/* ---- threads ---- */

static void stay_on_thread(void *arg)
{
	pair *p = arg;
	int tid, v = 0;
	weft_thread_lock();
	tid = thread_id();
	for (int i = 0; i < 100; i++) {
		weft_chan_recv(p->there, &v);
		kit_equal(thread_id(), tid);
		weft_chan_send(p->back, &v);
		kit_equal(thread_id(), tid);
		weft_yield();
		kit_equal(thread_id(), tid);
		if (i % 10 == 0)
			weft_sleep(10 * WEFT_US);
		kit_equal(thread_id(), tid);
	}
	weft_wg_done(&done);
}

CASE(thread_lock,
	"runtime.LockOSThread: The calling goroutine will always execute in that thread, and no other goroutine will "
	"execute in it (Go's TestBlockLocked)")
{
	pair p = { weft_chan_make(sizeof(int), 0), weft_chan_make(sizeof(int), 0) };
	weft_wg_add(&done, 3);
	for (int i = 0; i < 3; i++)
		kit_go(stay_on_thread, &p);
	for (int i = 0; i < 300; i++) {
		kit_equal(weft_chan_send(p.there, &i), 0);
		kit_equal(weft_chan_recv(p.back, NULL), 1);
	}
	weft_wg_wait(&done);
	weft_chan_unref(p.there);
	weft_chan_unref(p.back);
}

static atomic_int locked_tid;

static void own_a_thread(void *arg)
{
	weft_thread_lock();
	locked_tid = thread_id();
	weft_chan_recv(arg, NULL);
	locked_tid = 0;
	weft_wg_done(&done);
}

static void not_there(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		kit_expect(thread_id() != locked_tid);
		weft_yield();
	}
	weft_wg_done(&done);
}

CASE(locked_thread_is_alone,
	"runtime.LockOSThread: no other goroutine will execute in it, until the calling goroutine has made as "
	"many calls to UnlockOSThread as to LockOSThread")
{
	weft_chan *gate = weft_chan_make(0, 0);
	weft_wg_add(&done, 1);
	kit_go(own_a_thread, gate);
	kit_until(locked_tid != 0);
	for (int i = 0; i < 20; i++) {
		weft_wg_add(&done, 1);
		kit_go(not_there, NULL);
	}
	kit_until_parked(1);
	weft_sleep(5 * WEFT_MS);
	weft_chan_close(gate);
	weft_wg_wait(&done);
	weft_chan_unref(gate);
}

CASE(thread_lock_nests,
	"Go's TestLockOSThreadNesting: as many calls of _unlock() as of _lock(); one too many does nothing")
{
	weft_thread_unlock();
	weft_thread_lock();
	weft_thread_lock();
	int tid = thread_id();
	weft_thread_unlock();
	for (int i = 0; i < 100; i++) {
		weft_yield();
		kit_equal(thread_id(), tid);
	}
	weft_thread_unlock();
	weft_thread_unlock();
	weft_yield();
}

static cpu_set_t all_processors;

/* In a call for so long that another thread is wanted. */
static void look_at_thread(void *arg)
{
	sigset_t blocked;
	cpu_set_t processors;
	(void)arg;
	weft_syscall_begin();
	kit_require(!pthread_sigmask(SIG_BLOCK, NULL, &blocked));
	kit_require(!sched_getaffinity(0, sizeof(processors), &processors));
	usleep(2000);
	weft_syscall_end();
	kit_expect(!sigismember(&blocked, SIGUSR1));
	kit_expect(CPU_EQUAL(&processors, &all_processors));
	weft_wg_done(&done);
}

/* What new threads would inherit. */
static void change_this_thread(void)
{
	sigset_t one;
	cpu_set_t first;
	sigemptyset(&one);
	sigaddset(&one, SIGUSR1);
	kit_require(!pthread_sigmask(SIG_BLOCK, &one, NULL));
	CPU_ZERO(&first);
	for (size_t i = 0; i < CPU_SETSIZE && CPU_COUNT(&first) == 0; i++)
		if (CPU_ISSET(i, &all_processors))
			CPU_SET(i, &first);
	kit_require(!sched_setaffinity(0, sizeof(first), &first));
}

static void *start_some(void *arg)
{
	for (int i = 0; i < *(int *)arg; i++)
		kit_go(look_at_thread, NULL);
	return NULL;
}

CASE(thread_state_stays,
	"runtime.LockOSThread: Go's TestLockOSThreadAvoidsStatePropagation, TestLockOSThreadTemplateThreadRace: what a "
	"goroutine does to its thread is not inherited by threads that the runtime starts")
{
	int n = 6;
	kit_require(!sched_getaffinity(0, sizeof(all_processors), &all_processors));
	weft_thread_lock();
	change_this_thread();
	weft_wg_add(&done, 2 * n);
	start_some(&n);
	weft_sleep(WEFT_MS);
	pthread_t t; /* inherits it, too: a thread of the program's */
	kit_require(!pthread_create(&t, NULL, start_some, &n));
	pthread_join(t, NULL);
	weft_wg_wait(&done);
}

/* ---- idleness ---- */

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

CASE(idle, "an idle program uses no processor: goroutines that wait cost nothing", .soft = true)
{
	weft_chan *gate = weft_chan_make(0, 0);
	weft_wg_add(&done, 100);
	for (int i = 0; i < 100; i++)
		kit_go(own_a_thread, gate);
	kit_until_parked(100);
	weft_sleep(20 * WEFT_MS);
	double before = cpu_seconds();
	weft_sleep(500 * WEFT_MS);
	kit_expect(cpu_seconds() - before < 0.05 * (kit_times(10) < 10 ? 4 : 1));
	weft_chan_close(gate);
	weft_wg_wait(&done);
	weft_chan_unref(gate);
}

/* ---- a mixture ---- */

enum { PLAYERS = 32 };
static weft_chan *seats[PLAYERS];
static atomic_int arrived;

static void play(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	int token;
	while (weft_chan_recv(seats[(intptr_t)arg], &token) == 1) {
		if (--token < 0) {
			arrived++;
			continue;
		}
		switch (kit_random(&random) % 8) {
		case 0: weft_yield(); break;
		case 1: weft_sleep((weft_ns)(kit_random(&random) % 20000)); break;
		case 2:
			weft_syscall_begin();
			sched_yield();
			weft_syscall_end();
			break;
		default: break;
		}
		weft_chan_send(seats[kit_random(&random) % PLAYERS], &token);
	}
	weft_wg_done(&done);
}

CASE(tokens_wander, "no lost wake-up: tokens wander between goroutines that yield, sleep and block; all arrive",
	.seconds = 30)
{
	int per_token = (int)kit_times(300), tokens = 16;
	for (int i = 0; i < PLAYERS; i++)
		seats[i] = weft_chan_make(sizeof(int), 16); /* room for every token: nobody waits for ever */
	weft_wg_add(&done, PLAYERS);
	for (int i = 0; i < PLAYERS; i++)
		kit_go(play, (void *)(intptr_t)i);
	for (int i = 0; i < tokens; i++)
		kit_equal(weft_chan_send(seats[i], &per_token), 0);
	kit_until(arrived == tokens);
	for (int i = 0; i < PLAYERS; i++)
		weft_chan_close(seats[i]);
	weft_wg_wait(&done);
	for (int i = 0; i < PLAYERS; i++)
		weft_chan_unref(seats[i]);
}
