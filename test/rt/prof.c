/* rt/prof.c - profiles: what is in them against what the program did. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kit/profile.h"
#include "os/cputimer.h"
#include "rt/prof/cpu.h"

static int to_buf(const void *at, size_t n, void *arg)
{
	wb_buf_put(arg, at, n);
	return 0;
}

static kit_profile *profile(const char *name)
{
	wb_buf b = { 0 };
	kit_equal(weft_profile_write_to(name, to_buf, &b, 0), 0);
	kit_profile *p = kit_profile_read(&b);
	wb_buf_free(&b);
	return p;
}

static const char *text(const char *name, int debug)
{
	static wb_buf b;
	b.n = 0;
	kit_equal(weft_profile_write_to(name, to_buf, &b, debug), 0);
	return wb_buf_cstr(&b);
}

/* ---- what can be asked ---- */

CASE(names, "prof.h: the names, in order of the alphabet")
{
	size_t n = 0;
	for (const char *name, *last = ""; (name = weft_profile_name(n)) != NULL; last = name, n++) {
		kit_expect(strcmp(last, name) < 0);
		kit_expect(weft_profile_count(name) >= 0);
		kit_profile_free(profile(name));
		kit_expect(strlen(text(name, 1)) > 0);
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
	kit_profile *p = profile("goroutine");
	kit_equal(kit_profile_sum(p, "goroutine", NULL, NULL), 8);
	kit_equal(kit_profile_sum(p, "goroutine", "waits_here", NULL), 7);
	kit_equal(kit_profile_flat(p, "goroutine", "weft_chan_recv"), 7);
	kit_equal(kit_profile_sum(p, "goroutine", "case_goroutines", NULL), 1);
	kit_profile_free(p);
	const char *t = text("goroutine", 1);
	kit_expect(strncmp(t, "goroutine profile: total 8\n7 @ 0x", 33) == 0);
	kit_expect(strstr(t, "\twaits_here\t") != NULL);
	t = text("goroutine", 2);
	kit_expect(strstr(t, "[chan receive") && strstr(t, "waits_here()\n"));
}

static void *outside(void *arg)
{
	*(int64_t *)arg = weft_profile_count("goroutine");
	kit_profile_free(profile("goroutine"));
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
	kit_profile *p = profile("threadcreate");
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
	kit_profile *p = profile("goroutine");
	kit_equal(kit_profile_sum(p, "goroutine", "check_inherited", "a=2"), 1);
	kit_equal(kit_profile_sum(p, "goroutine", NULL, "b=x"), 1);
	kit_equal(kit_profile_sum(p, "goroutine", "case_labels", "a="), 0);
	kit_profile_free(p);
	kit_expect(strstr(text("goroutine", 1), "# labels: {\"a\":\"2\", \"b\":\"x\"}\n") != NULL);
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

/* ---- CPU ---- */

static volatile uint64_t drain;

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
	wb_buf b = { 0 };
	int64_t ns = 200 * WEFT_MS, start = cpu_ns();
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = to_buf, .sink_arg = &b }), 0);
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
	burn_one(200 * WEFT_MS);
	return NULL;
}

static void join(void *t)
{
	pthread_join(*(pthread_t *)t, NULL);
}

CASE(cpu_other_threads, "prof.h: all threads of the process, also those that run no goroutines", .soft = true)
{
	wb_buf b = { 0 };
	pthread_t t;
	kit_require(pthread_create(&t, NULL, burn_elsewhere, NULL) == 0);
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = to_buf, .sink_arg = &b }), 0);
	weft_blocking(join, &t);
	kit_profile *p = cpu_stop(&b);
	kit_expect(kit_profile_sum(p, "cpu", "burn_elsewhere", NULL) > 100 * WEFT_MS);
	kit_profile_free(p);
}

static void burn_blocking(void *unused)
{
	(void)unused;
	burn_one(200 * WEFT_MS);
	__asm__ volatile("");
}

CASE(cpu_own_stack, "prof.h: a goroutine's stack goes on where it has called a function on its thread's stack",
	.soft = true)
{
	wb_buf b = { 0 };
	kit_equal(weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .sink = to_buf, .sink_arg = &b }), 0);
	weft_blocking(burn_blocking, NULL);
	kit_profile *p = cpu_stop(&b);
	kit_expect(kit_profile_sum(p, "cpu", "burn_blocking", NULL) > 100 * WEFT_MS);
	kit_expect(kit_profile_sum(p, "cpu", "case_cpu_own_stack", NULL) > 100 * WEFT_MS);
	kit_profile_free(p);
}

CASE(cpu_twice, "pprof.StartCPUProfile: returns an error if profiling is already enabled")
{
	wb_buf b = { 0 };
	weft_cpu_profile_options opt = { .sink = to_buf, .sink_arg = &b };
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
	weft_cpu_profile_options opt = { .sink = to_buf, .sink_arg = &b, .hz = 10000 };
	weft_wg wg = { 0 };
	weft_wg_add(&wg, 2);
	for (int i = 0; i < 3; i++) {
		weft_chan *ch = weft_chan_make(sizeof(uint64_t), (size_t)i);
		kit_go(chatter, ch);
		kit_go(hear, ch);
	}
	kit_go(starter, &wg);
	kit_go(starter, &wg);
	for (int i = 0; i < 4; i++) {
		kit_equal(weft_cpu_profile_start_with(&opt), 0);
		weft_sleep(250 * WEFT_MS);
		kit_profile *p = cpu_stop(&b);
		kit_expect(kit_profile_sum(p, "samples", NULL, NULL) > 500);
		kit_profile_free(p);
	}
	atomic_store(&over, true);
	weft_wg_wait(&wg);
}
