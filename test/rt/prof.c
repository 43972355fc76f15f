/* rt/prof.c - profiles: what is in them against what the program did; that of the heap is in memprof.c. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "kit/profile.h"
#include "os/cputimer.h"
#include "rt/ctx/ctx.h"
#include "rt/prof/cpu.h"
#include "rt/prof/profiles.h"
#include "rt/sched/scheduler.h"
#include "rt/sched/enter.h"

/* ---- what can be asked ---- */

CASE(names, "prof.h: the names, in order of the alphabet")
{
	size_t n = 0;
	for (const char *name, *last = ""; (name = weft_profile_name(n)) != NULL; last = name, n++) {
		kit_expect(strcmp(last, name) < 0);
		kit_expect(weft_profile_count(name) >= 0);
		kit_profile_free(kit_profile_of(name));
		kit_expect(strlen(kit_profile_text(name, 1)) > 0);
	}
	kit_expect(n > 0);
}

CASE(no_such_profile, "prof.h: -ENOENT for a name that is none, -EINVAL for debug")
{
	kit_equal(weft_profile_write("cpu", 1, 0), -ENOENT);
	kit_equal(weft_profile_count("cpu"), -ENOENT);
	kit_equal(weft_profile_write("goroutine", 1, 3), -EINVAL);
	kit_equal(weft_profile_write("goroutine", 1, -1), -EINVAL);
}

static int refuse(const void *at, size_t n, void *arg)
{
	(void)at;
	(void)n;
	++*(int *)arg;
	return -ENOSPC;
}

CASE(full_disk, "prof.h: a negative errno that ends the writing")
{
	int calls = 0;
	kit_equal(weft_profile_write_to("goroutine", refuse, &calls, 0), -ENOSPC);
	kit_equal(calls, 1);
	kit_equal(weft_profile_write("goroutine", -1, 1), -EBADF);
}

/* ---- goroutines ---- */

static weft_chan *never;

__attribute__((noinline)) static void waits_here(void *unused)
{
	(void)unused;
	weft_chan_recv(never, NULL);
	__asm__ volatile("");
}

CASE(goroutines, "runtime/pprof: goroutine - stack traces of all current goroutines")
{
	never = weft_chan_make(0, 0);
	for (int i = 0; i < 7; i++)
		kit_go(waits_here, NULL);
	kit_until_parked(7);
	kit_equal(weft_profile_count("goroutine"), 8);
	kit_profile *p = kit_profile_of("goroutine");
	kit_equal(kit_profile_sum(p, "goroutine", NULL, NULL), 8);
	kit_equal(kit_profile_sum(p, "goroutine", "waits_here", NULL), 7);
	kit_equal(kit_profile_flat(p, "goroutine", "weft_chan_recv"), 7);
	kit_equal(kit_profile_sum(p, "goroutine", "case_goroutines", NULL), 1);
	kit_profile_free(p);
	const char *t = kit_profile_text("goroutine", 1);
	kit_expect(strncmp(t, "goroutine profile: total 8\n7 @ 0x", 33) == 0);
	kit_expect(strstr(t, "\twaits_here\t") != NULL);
	t = kit_profile_text("goroutine", 2);
	kit_expect(strstr(t, "[chan receive") && strstr(t, "waits_here()\n"));
}

static void *outside(void *arg)
{
	*(int64_t *)arg = weft_profile_count("goroutine");
	kit_profile_free(kit_profile_of("goroutine"));
	return NULL;
}

CASE(from_any_thread, "prof.h: any thread")
{
	pthread_t t;
	int64_t n = 0;
	kit_require(pthread_create(&t, NULL, outside, &n) == 0);
	pthread_join(t, NULL);
	kit_equal(n, 1);
}

CASE(threads, "runtime/pprof: threadcreate - stack traces that led to the creation of new OS threads")
{
	weft_stats s;
	weft_stats_read(&s);
	kit_expect(weft_profile_count("threadcreate") >= s.n_threads);
	kit_profile *p = kit_profile_of("threadcreate");
	kit_expect(kit_profile_sum(p, "threadcreate", "weft_main", NULL) >= 1);
	kit_profile_free(p);
}

/* ---- labels ---- */

static void check_inherited(void *unused)
{
	(void)unused;
	kit_expect(strcmp(weft_labels_get("a"), "1") == 0);
	weft_labels_set("a", "2");
	weft_chan_recv(never, NULL);
	__asm__ volatile("");
}

static void labelled(void *arg)
{
	++*(int *)arg;
	kit_expect(strcmp(weft_labels_get("a"), "1") == 0 && strcmp(weft_labels_get("b"), "x") == 0);
	kit_go(check_inherited, NULL);
	weft_labels_set("c", "gone with the call");
}

static void with_a(void *arg)
{
	kit_equal(weft_labels_do("b", "x", labelled, arg), 0);
	kit_expect(weft_labels_get("b") == NULL && weft_labels_get("c") == NULL);
	kit_expect(strcmp(weft_labels_get("a"), "1") == 0);
}

CASE(labels,
	"pprof.Do: calls f with a copy of the parent context with the given labels added; goroutines spawned while "
	"executing f inherit them")
{
	int calls = 0;
	never = weft_chan_make(0, 0);
	kit_equal(weft_labels_do("a", "1", with_a, &calls), 0);
	kit_equal(calls, 1);
	kit_expect(weft_labels_get("a") == NULL);
	kit_until_parked(1);
	kit_profile *p = kit_profile_of("goroutine");
	kit_equal(kit_profile_sum(p, "goroutine", "check_inherited", "a=2"), 1);
	kit_equal(kit_profile_sum(p, "goroutine", NULL, "b=x"), 1);
	kit_equal(kit_profile_sum(p, "goroutine", "case_labels", "a="), 0);
	kit_profile_free(p);
	kit_expect(strstr(kit_profile_text("goroutine", 1), "# labels: {\"a\":\"2\", \"b\":\"x\"}\n") != NULL);
}

CASE(labels_limits, "prof.h: at most WEFT_LABELS_MAX pairs; value NULL takes one away")
{
	char key[8];
	for (int i = 0; i < WEFT_LABELS_MAX; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		kit_equal(weft_labels_set(key, "v"), 0);
	}
	kit_equal(weft_labels_set("one more", "v"), -E2BIG);
	kit_expect(weft_labels_get("one more") == NULL);
	kit_equal(weft_labels_set("k3", "w"), 0);
	kit_expect(strcmp(weft_labels_get("k3"), "w") == 0);
	kit_equal(weft_labels_set("k3", NULL), 0);
	kit_expect(weft_labels_get("k3") == NULL && weft_labels_get("k1") && weft_labels_get("k15"));
	kit_equal(weft_labels_set("k3", NULL), 0);
	weft_labels_clear();
	kit_expect(weft_labels_get("k1") == NULL);
	char longer[400];
	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = 0;
	kit_equal(weft_labels_set(longer, longer), 0);
	kit_equal(strlen(weft_labels_get(longer)), 255);
}

static void labels_outside(void *unused)
{
	(void)unused;
}

CASE(labels_nowhere, "prof.h: -EPERM outside a goroutine", .outside = true)
{
	kit_equal(weft_labels_set("a", "b"), -EPERM);
	kit_equal(weft_labels_do("a", "b", labels_outside, NULL), -EPERM);
	kit_expect(weft_labels_get("a") == NULL);
	weft_labels_clear();
}

static void ends_inside(void *unused)
{
	(void)unused;
	weft_exit();
}

static void exits(void *done)
{
	weft_labels_set("outer", "1");
	weft_at_end((weft_fn *)weft_wg_done, done);
	weft_labels_do("inner", "2", ends_inside, NULL);
}

CASE(labels_exit, "prof.h: a goroutine that ends inside weft_labels_do leaves nothing behind")
{
	weft_wg wg = { 0 };
	for (int i = 0; i < 100; i++) {
		weft_wg_add(&wg, 1);
		kit_go(exits, &wg);
		weft_wg_wait(&wg);
	}
	kit_expect(weft_labels_get("outer") == NULL);
}

/* The processor, and TSan, must let a program be stopped behind each of its instructions. */
#if defined(__x86_64__) && !WEFT__CTX_TSAN
enum { TRAP_FLAG = 0x100 };

static weft__g *ends;
static volatile int steps, steps_without;

/* From the signal that it raises on, it is stopped behind every instruction until its stack is left. */
static void step(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	weft__stack_place at;
	bool there = weft__stack_find((void *)regs[REG_RSP], &at) && weft__g_of_stack(at.hi) == ends;
	regs[REG_EFL] = there ? regs[REG_EFL] | TRAP_FLAG : regs[REG_EFL] & ~(greg_t)TRAP_FLAG;
	steps += there;
	steps_without += there && atomic_load(&ends->labels) == NULL;
}

static void end_in_steps(void *wg)
{
	weft_labels_set("a", "1");
	ends = weft__self_g(weft__self());
	weft_wg_done(wg);
	raise(SIGTRAP);
}

CASE(labels_to_the_end, "prof.h: labels that a goroutine has; also where a sample is of its last instruction",
	.procs = 1)
{
	struct sigaction sa = { .sa_sigaction = step, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	kit_require(sigaction(SIGTRAP, &sa, NULL) == 0);
	weft_wg wg = { 0 };
	weft_wg_add(&wg, 1);
	kit_go(end_in_steps, &wg);
	weft_wg_wait(&wg);
	kit_until(weft__g_state(ends) == WEFT__G_DEAD);
	kit_expect(steps > 100);
	kit_equal(steps_without, 0);
	kit_until(atomic_load(&ends->labels) == NULL);
}
#endif

/* ---- CPU ---- */

#define NEEDS_STACKS_IN_HANDLERS                                                                                  \
	do {                                                                                                      \
		if (WEFT__CTX_TSAN)                                                                               \
			kit_skip("TSan calls handlers later, where it likes: what the thread was doing is lost"); \
	} while (0)

static _Thread_local volatile uint64_t drain;

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* CPU time of this thread, in pieces that take no call of the library. */
static void burn(int64_t ns)
{
	int64_t until = cpu_ns() + ns;
	while (cpu_ns() < until)
		for (int i = 0; i < 20000; i++)
			drain += (uint64_t)i;
}

__attribute__((noinline)) static void burn_one(int64_t ns)
{
	burn(ns);
	__asm__ volatile("");
}

__attribute__((noinline)) static void burn_three(int64_t ns)
{
	burn(3 * ns);
	__asm__ volatile("");
}

static kit_profile *cpu_stop(wb_buf *b)
{
	kit_equal(weft_cpu_profile_stop(), 0);
	kit_profile *p = kit_profile_read(b);
	wb_buf_free(b);
	return p;
}

static void burn_labelled(void *ns)
{
	burn_three(*(int64_t *)ns);
}

CASE(cpu_shares, "runtime/pprof: CPU profile - each sample stands for so much CPU time", .seconds = 30, .soft = true)
{
	NEEDS_STACKS_IN_HANDLERS;
	wb_buf b = { 0 };
	int64_t ns = 100 * WEFT_MS, start = cpu_ns();
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = kit_to_buf, .sink_arg = &b }), 0);
	burn_one(ns);
	weft_labels_do("who", "three", burn_labelled, &ns);
	int64_t used = cpu_ns() - start;
	kit_profile *p = cpu_stop(&b);
	kit_equal(kit_profile_period(p), 10 * WEFT_MS);
	int64_t one = kit_profile_sum(p, "cpu", "burn_one", NULL),
		three = kit_profile_sum(p, "cpu", "burn_three", NULL);
	/* A sample is 10 ms; the kernel may be late by one. */
	kit_expect(one >= ns - 40 * WEFT_MS && one <= ns + 40 * WEFT_MS);
	kit_expect(three >= 3 * ns - 60 * WEFT_MS && three <= 3 * ns + 60 * WEFT_MS);
	kit_expect(one + three <= used + 40 * WEFT_MS);
	kit_equal(kit_profile_sum(p, "cpu", NULL, "who=three"), three);
	kit_equal(kit_profile_sum(p, "cpu", NULL, NULL), 10 * WEFT_MS * kit_profile_sum(p, "samples", NULL, NULL));
	kit_profile_free(p);
}

static void *burn_elsewhere(void *unused)
{
	(void)unused;
	burn_one(100 * WEFT_MS);
	return NULL;
}

static void join(void *t)
{
	pthread_join(*(pthread_t *)t, NULL);
}

CASE(cpu_other_threads, "prof.h: all threads of the process, also those that run no goroutines", .soft = true)
{
	NEEDS_STACKS_IN_HANDLERS;
	wb_buf b = { 0 };
	pthread_t t;
	kit_require(pthread_create(&t, NULL, burn_elsewhere, NULL) == 0);
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = kit_to_buf, .sink_arg = &b }), 0);
	weft_blocking(join, &t);
	kit_profile *p = cpu_stop(&b);
	kit_expect(kit_profile_sum(p, "cpu", "burn_elsewhere", NULL) > 50 * WEFT_MS);
	kit_profile_free(p);
}

static weft_wg ended;

static void burn_and_end_tied(void *ns)
{
	weft_thread_lock();
	burn_one(*(int64_t *)ns);
	weft_wg_done(&ended);
}

static void end_tied(int n, int64_t ns)
{
	weft_wg_add(&ended, n);
	for (int i = 0; i < n; i++) {
		kit_go(burn_and_end_tied, &ns);
		weft_yield();
	}
	weft_wg_wait(&ended);
}

/* Timers that the process has; 0 where the kernel does not say. */
static int count_timers(void)
{
	FILE *f = fopen("/proc/self/timers", "r");
	char line[256];
	int n = 0;
	while (f && fgets(line, sizeof(line), f))
		n += strncmp(line, "ID:", 3) == 0;
	if (f)
		fclose(f);
	return n;
}

CASE(cpu_threads_that_end, "prof.h: all threads of the process, also those that end meanwhile; they leave no timer",
	.seconds = 30)
{
	wb_buf b = { 0 };
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = kit_to_buf, .sink_arg = &b }), 0);
	end_tied((int)kit_times(400), 0);
	kit_until(count_timers() < 20);
	end_tied(2, 100 * WEFT_MS);
	kit_profile *p = cpu_stop(&b);
	if (!WEFT__CTX_TSAN)
		kit_expect(kit_profile_sum(p, "cpu", "burn_and_end_tied", NULL) > 100 * WEFT_MS);
	kit_profile_free(p);
	kit_equal(count_timers(), 0);
}

#ifdef __clang__ /* which gives it one */
#define FRAMELESS __attribute__((noinline))
#else
#define FRAMELESS __attribute__((noinline, optimize("omit-frame-pointer")))
#endif

/* Without a frame of its own, as compilers make small functions whatever they are told. */
FRAMELESS static void leaf(void)
{
	for (int i = 0; i < 20000; i++)
		drain += (uint64_t)i;
}

__attribute__((noinline)) static void calls_leaf(int64_t ns)
{
	for (int64_t until = cpu_ns() + ns; cpu_ns() < until;)
		leaf();
}

CASE(cpu_leaf, "prof.h: the caller of an innermost function without a frame is not hidden", .soft = true)
{
	NEEDS_STACKS_IN_HANDLERS;
	wb_buf b = { 0 };
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = kit_to_buf, .sink_arg = &b }), 0);
	calls_leaf(200 * WEFT_MS);
	kit_profile *p = cpu_stop(&b);
	int64_t flat = kit_profile_flat(p, "cpu", "leaf");
	kit_expect(flat > 100 * WEFT_MS);
	kit_expect(kit_profile_sum(p, "cpu", "calls_leaf", NULL) >= flat);
	kit_expect(kit_profile_sum(p, "cpu", "case_cpu_leaf", NULL) >= flat);
	kit_profile_free(p);
}

static void burn_blocking(void *unused)
{
	(void)unused;
	burn_one(100 * WEFT_MS);
	__asm__ volatile("");
}

CASE(cpu_own_stack, "prof.h: a goroutine's stack goes on where it has called a function on its thread's stack",
	.soft = true)
{
	NEEDS_STACKS_IN_HANDLERS;
	wb_buf b = { 0 };
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = kit_to_buf, .sink_arg = &b }), 0);
	weft_blocking(burn_blocking, NULL);
	kit_profile *p = cpu_stop(&b);
	kit_expect(kit_profile_sum(p, "cpu", "burn_blocking", NULL) > 50 * WEFT_MS);
	kit_expect(kit_profile_sum(p, "cpu", "case_cpu_own_stack", NULL) > 50 * WEFT_MS);
	kit_profile_free(p);
}

CASE(cpu_twice, "pprof.StartCPUProfile: returns an error if profiling is already enabled")
{
	wb_buf b = { 0 };
	weft_cpu_profile_options opt = { .sink = kit_to_buf, .sink_arg = &b };
	kit_equal(weft_cpu_profile_stop(), -EINVAL);
	for (int i = 0; i < 5; i++) {
		kit_equal(weft_cpu_profile_start_with(&opt), 0);
		kit_equal(weft_cpu_profile_start_with(&opt), -EBUSY);
		kit_profile_free(cpu_stop(&b));
		kit_equal(weft_cpu_profile_stop(), -EINVAL);
	}
	opt.hz = -1;
	kit_equal(weft_cpu_profile_start_with(&opt), -EINVAL);
	opt.hz = 10001;
	kit_equal(weft_cpu_profile_start_with(&opt), -EINVAL);
	int calls = 0;
	opt = (weft_cpu_profile_options){ .sink = refuse, .sink_arg = &calls };
	kit_equal(weft_cpu_profile_start_with(&opt), 0);
	kit_equal(weft_cpu_profile_stop(), -ENOSPC);
}

CASE(cpu_outside, "prof.h: -EPERM when the scheduler does not run", .outside = true)
{
	kit_equal(weft_cpu_profile_start(1), -EPERM);
}

/* ---- under fire ---- */

static _Atomic bool over;

static void chatter(void *ch)
{
	uint64_t n = 0;
	while (!atomic_load(&over)) {
		weft_labels_set("round", n % 3 ? "odd" : NULL);
		if (n % 2)
			weft_chan_send(ch, &n);
		else
			weft_chan_try_recv(ch, &n);
		n++;
	}
	weft_chan_close(ch);
}

static void hear(void *ch)
{
	uint64_t n;
	while (weft_chan_recv(ch, &n) == 1)
		;
}

static void nothing(void *unused)
{
	(void)unused;
}

static void starter(void *wg)
{
	while (!atomic_load(&over)) {
		weft_labels_set("starts", "many");
		kit_go(nothing, NULL);
		weft_blocking(nothing, NULL);
		weft_labels_clear();
		weft_yield();
	}
	weft_wg_done(wg);
}

CASE(cpu_10khz, "prof.h: at most 10,000 samples a second, at any instruction", .seconds = 40)
{
	weft__cpu_clock = WO_CPUTIMER_REAL;
	wb_buf b = { 0 };
	weft_cpu_profile_options opt = { .sink = kit_to_buf, .sink_arg = &b, .hz = 10000 };
	weft_wg wg = { 0 };
	weft_wg_add(&wg, 2);
	for (int i = 0; i < 3; i++) {
		weft_chan *ch = weft_chan_make(sizeof(uint64_t), (size_t)i);
		kit_go(chatter, ch);
		kit_go(hear, ch);
	}
	kit_go(starter, &wg);
	kit_go(starter, &wg);
	for (int i = 0; i < 2; i++) {
		kit_equal(weft_cpu_profile_start_with(&opt), 0);
		weft_sleep(150 * WEFT_MS);
		kit_profile *p = cpu_stop(&b);
		kit_expect(kit_profile_sum(p, "samples", NULL, NULL) > 300);
		kit_profile_free(p);
	}
	atomic_store(&over, true);
	weft_wg_wait(&wg);
}

/* ---- waiting ---- */

enum { WAIT_MS = 30 };

static weft_chan *ch;
static weft_mutex mutex;
static weft_rwmutex rwmutex;
static weft_cond cond;
static weft_wg group;
static bool is_set;

#define APART __attribute__((noinline))

APART static void waits_in_recv(void)
{
	weft_chan_recv(ch, NULL);
	__asm__ volatile("");
}

APART static void waits_in_select(void)
{
	weft_case c[] = { { .op = WEFT_OP_RECV, .ch = ch }, { .op = WEFT_OP_RECV } };
	weft_select(c, 2);
	__asm__ volatile("");
}

APART static void waits_in_lock(void)
{
	weft_lock(&mutex);
	weft_unlock(&mutex);
	__asm__ volatile("");
}

APART static void waits_in_rlock(void)
{
	weft_rlock(&rwmutex);
	weft_runlock(&rwmutex);
	__asm__ volatile("");
}

APART static void waits_in_cond(void)
{
	weft_lock(&mutex);
	while (!is_set)
		weft_cond_wait(&cond, &mutex);
	weft_unlock(&mutex);
	__asm__ volatile("");
}

APART static void waits_in_wg(void)
{
	weft_wg_wait(&group);
	__asm__ volatile("");
}

APART static void waits_in_sleep(void)
{
	weft_sleep(WAIT_MS * WEFT_MS);
	__asm__ volatile("");
}

APART static void ends_them_all(void)
{
	weft_chan_close(ch);
	weft_unlock(&mutex);
	weft_wunlock(&rwmutex);
	weft_lock(&mutex);
	is_set = true;
	weft_unlock(&mutex);
	weft_cond_broadcast(&cond);
	weft_wg_done(&group);
	__asm__ volatile("");
}

static const struct wait {
	void (*fn)(void);
	const char *name, *call;
} waits[] = {
	{ waits_in_recv, "waits_in_recv", "weft_chan_recv" },
	{ waits_in_select, "waits_in_select", "weft_select" },
	{ waits_in_lock, "waits_in_lock", "weft_lock" },
	{ waits_in_rlock, "waits_in_rlock", "weft_rlock" },
	{ waits_in_wg, "waits_in_wg", "weft_wg_wait" },
};
enum { WAITS = sizeof(waits) / sizeof(*waits) };

static void wait_i(void *i)
{
	waits[(size_t)i].fn();
}

static void sleep_here(void *unused)
{
	(void)unused;
	waits_in_sleep();
}

/* Everybody waits for WAIT_MS at least; how long at most. */
static int64_t let_them_wait(void)
{
	weft_wg done = { 0 };
	ch = weft_chan_make(0, 0);
	weft_lock(&mutex);
	weft_wlock(&rwmutex);
	weft_wg_add(&group, 1);
	int64_t start = weft_now();
	for (size_t i = 0; i < WAITS; i++)
		kit_go(wait_i, (void *)i);
	kit_go(sleep_here, NULL);
	kit_until_parked(WAITS + 1);
	weft_sleep(WAIT_MS * WEFT_MS);
	ends_them_all();
	while (weft_count() > 1)
		weft_sleep(WEFT_MS);
	weft_wg_wait(&done);
	return weft_now() - start;
}

CASE(block_profile, "runtime.SetBlockProfileRate: to include every blocking event in the profile, pass rate = 1",
	.seconds = 30)
{
	kit_equal(weft_block_profile_rate(-1), 0);
	kit_equal(weft_block_profile_rate(1), 0);
	int64_t most = let_them_wait();
	kit_equal(weft_block_profile_rate(0), 1);
	kit_profile *p = kit_profile_of("block");
	for (size_t i = 0; i < WAITS; i++) {
		int64_t ns = kit_profile_sum(p, "delay", waits[i].name, NULL);
		kit_expect(ns >= WAIT_MS * WEFT_MS && ns <= most);
		kit_equal(kit_profile_sum(p, "contentions", waits[i].name, NULL), 1);
		kit_equal(kit_profile_flat(p, "contentions", waits[i].call), 1);
	}
	kit_equal(kit_profile_sum(p, "contentions", "waits_in_sleep", NULL), 0);
	kit_profile_free(p);
	const char *t = kit_profile_text("block", 1);
	kit_expect(strncmp(t, "--- contention:\ncycles/second=1000000000\n", 41) == 0);
	kit_expect(strstr(t, " 1 @ 0x") && strstr(t, "\twaits_in_recv\t"));
}

CASE(block_profile_off, "runtime.SetBlockProfileRate: to turn off profiling entirely, pass rate <= 0", .seconds = 30)
{
	let_them_wait();
	kit_equal(weft_profile_count("block"), 0);
	kit_equal(weft_profile_count("mutex"), 0);
}

static void wait_on_cond(void *done)
{
	waits_in_cond();
	weft_wg_done(done);
}

CASE(block_profile_cond, "runtime.SetBlockProfileRate: the time that goroutines wait for conditions counts")
{
	weft_wg done = { 0 };
	weft_block_profile_rate(1);
	for (int i = 0; i < 3; i++) {
		weft_wg_add(&done, 1);
		kit_go(wait_on_cond, &done);
	}
	kit_until_parked(3);
	weft_sleep(WAIT_MS * WEFT_MS);
	weft_lock(&mutex);
	is_set = true;
	weft_unlock(&mutex);
	weft_cond_broadcast(&cond);
	weft_wg_wait(&done);
	kit_profile *p = kit_profile_of("block");
	kit_expect(kit_profile_sum(p, "delay", "waits_in_cond", NULL) >= 3 * WAIT_MS * WEFT_MS);
	kit_expect(kit_profile_flat(p, "contentions", "weft_cond_wait") >= 3);
	kit_profile_free(p);
}

static void send_slowly(void *n)
{
	for (int i = 0; i < *(int *)n; i++) {
		weft_sleep(100 * WEFT_US);
		weft_chan_send(ch, NULL);
	}
}

CASE(block_profile_rate,
	"runtime.SetBlockProfileRate: the profiler aims to sample an average of one blocking event per "
	"rate nanoseconds spent blocked",
	.seconds = 30, .soft = true)
{
	int n = 3000; /* fewer would be too few samples */
	ch = weft_chan_make(0, 0);
	weft_block_profile_rate(WEFT_MS); /* ten times as long as a wait */
	int64_t start = weft_now();
	kit_go(send_slowly, &n);
	for (int i = 0; i < n; i++)
		waits_in_recv();
	int64_t took = weft_now() - start;
	kit_profile *p = kit_profile_of("block");
	int64_t waited = kit_profile_sum(p, "delay", "waits_in_recv", NULL);
	int64_t times = kit_profile_sum(p, "contentions", "waits_in_recv", NULL);
	/* Some hundreds of samples: within a third. */
	kit_expect(waited > took * 2 / 3 && waited < took * 4 / 3);
	kit_expect(times > n * 2 / 3 && times < n * 4 / 3);
	kit_profile_free(p);
}

APART static void unlocks(void)
{
	weft_unlock(&mutex);
	__asm__ volatile("");
}

static void lock_and_unlock(void *done)
{
	waits_in_lock();
	weft_wg_done(done);
}

CASE(mutex_profile, "runtime/pprof: mutex - stack traces of holders of contended mutexes; the time that others waited")
{
	enum { N = 4 };
	weft_wg done = { 0 };
	kit_equal(weft_mutex_profile_fraction(1), 0);
	weft_lock(&mutex);
	int64_t start = weft_now();
	for (int i = 0; i < N; i++) {
		weft_wg_add(&done, 1);
		kit_go(lock_and_unlock, &done);
	}
	kit_until_parked(N);
	weft_sleep(WAIT_MS * WEFT_MS);
	unlocks();
	int64_t most = weft_now() - start;
	weft_wg_wait(&done);
	kit_profile *p = kit_profile_of("mutex");
	int64_t ns = kit_profile_sum(p, "delay", "unlocks", NULL);
	kit_expect(ns >= N * WAIT_MS * WEFT_MS && ns <= N * most);
	kit_equal(kit_profile_sum(p, "contentions", "unlocks", NULL), 1);
	kit_equal(kit_profile_flat(p, "contentions", "weft_unlock"), kit_profile_sum(p, "contentions", NULL, NULL));
	/* What they waited for each other afterwards is not the first one's fault. */
	kit_expect(kit_profile_sum(p, "delay", "waits_in_lock", NULL) <= N * (weft_now() - start - most + WEFT_MS));
	kit_profile_free(p);
	kit_expect(strncmp(kit_profile_text("mutex", 1), "--- mutex:\ncycles/second=1000000000\nsampling period=1\n",
			   54) == 0);
}

CASE(mutex_profile_fraction, "runtime.SetMutexProfileFraction: on average 1/rate events are reported", .soft = true)
{
	int n = (int)kit_times(1500);
	weft_wg done = { 0 };
	weft_mutex_profile_fraction(3);
	kit_equal(weft_mutex_profile_fraction(-1), 3);
	for (int i = 0; i < n; i++) {
		weft_lock(&mutex);
		weft_wg_add(&done, 1);
		kit_go(lock_and_unlock, &done);
		kit_until_parked(1);
		unlocks();
		weft_wg_wait(&done);
	}
	kit_profile *p = kit_profile_of("mutex");
	int64_t times = kit_profile_sum(p, "contentions", "unlocks", NULL);
	kit_expect(times % 3 == 0 && times > n * 3 / 4 && times < n * 5 / 4);
	kit_profile_free(p);
}

/* ---- differences ---- */

/* One receiver more that waits for a moment, and one that waits on. */
static void wait_some(void)
{
	ch = weft_chan_make(0, 0);
	size_t before = weft_count();
	for (int i = 0; i < 2; i++)
		kit_go(wait_i, (void *)0);
	kit_until_parked(before + 1);
	weft_sleep(WAIT_MS * WEFT_MS);
	weft_chan_send(ch, NULL);
	kit_until(weft_count() == before + 1);
}

static int waits_meanwhile(void *ret_most)
{
	int64_t start = weft_now();
	for (int i = 0; i < 3; i++)
		wait_some();
	*(int64_t *)ret_most = weft_now() - start;
	return 0;
}

CASE(delta, "net/http/pprof: seconds=N - a delta profile, of what was added between its beginning and its end",
	.seconds = 30)
{
	wb_buf b = { 0 }, g = { 0 };
	int64_t most = 0;
	weft_block_profile_rate(1);
	wait_some();
	wait_some();
	kit_equal(weft__profile_delta("block", waits_meanwhile, &most, &b), 0);
	kit_profile *p = kit_profile_read(&b);
	kit_equal(kit_profile_sum(p, "contentions", "waits_in_recv", NULL), 3);
	int64_t ns = kit_profile_sum(p, "delay", "waits_in_recv", NULL);
	kit_expect(ns >= 3 * WAIT_MS * WEFT_MS && ns <= most);
	kit_profile_free(p);
	kit_equal(weft__profile_delta("goroutine", waits_meanwhile, &most, &g), 0);
	p = kit_profile_read(&g);
	kit_equal(kit_profile_sum(p, "goroutine", "waits_in_recv", NULL), 3);
	kit_equal(kit_profile_sum(p, "goroutine", NULL, NULL), 3); /* who asks is not in it */
	kit_equal(kit_profile_samples(p), 1);
	kit_profile_free(p);
	wb_buf_free(&b);
	wb_buf_free(&g);
}

static int goes_away(void *unused)
{
	(void)unused;
	return -ECANCELED;
}

CASE(delta_canceled, "profiles.h: what wait() returned; the buffer is as it was")
{
	wb_buf b = { 0 };
	kit_equal(weft__profile_delta("goroutine", goes_away, NULL, &b), -ECANCELED);
	kit_equal(weft__profile_delta("nothing", goes_away, NULL, &b), -ENOENT);
	kit_equal(b.n, 0);
}

/* ---- untouched programs ---- */

static char env_path[64];

static void use_env(void)
{
	snprintf(env_path, sizeof(env_path), "/tmp/weft-prof-%d", (int)getpid());
	char value[80];
	snprintf(value, sizeof(value), "%s,hz=200", env_path);
	setenv("WEFT_CPUPROFILE", value, 1);
}

static void burn_all(void *unused)
{
	(void)unused;
	burn_one(100 * WEFT_MS);
	__asm__ volatile("");
}

CASE(env_cpu, "prof.h: WEFT_CPUPROFILE=FILE,hz=N - a CPU profile from the start to the end of weft_main()",
	.outside = true)
{
	NEEDS_STACKS_IN_HANDLERS;
	use_env();
	kit_equal(weft_main(burn_all, NULL, NULL), 0);
	wb_buf b = { 0 };
	FILE *f = fopen(env_path, "rb");
	kit_require(f != NULL);
	b.n = fread(wb_buf_room(&b, 1 << 20), 1, 1 << 20, f);
	fclose(f);
	unlink(env_path);
	kit_profile *p = kit_profile_read(&b);
	kit_equal(kit_profile_period(p), 5 * WEFT_MS);
	kit_expect(kit_profile_sum(p, "cpu", "burn_all", NULL) > 50 * WEFT_MS);
	kit_profile_free(p);
	wb_buf_free(&b);
}

CASE(env_wrong, "prof.h: WEFT_CPUPROFILE=FILE[,hz=N]", .outside = true,
	.dies = "fatal error: WEFT_CPUPROFILE: herz=1: not hz=N")
{
	setenv("WEFT_CPUPROFILE", "/dev/null,herz=1", 1);
	weft_main(burn_all, NULL, NULL);
}
