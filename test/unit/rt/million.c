/* A million stacks at once, each with a guard and a parked context, within the default limits of the kernel. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/pages.h"
#include "rt/ctx/ctx.h"
#include "rt/stack/stack.h"

enum { N = 1000000, TAKE = 32 };

/* As a scheduler does it: what a stack is for stands at its upper end. */
typedef struct top {
	weft__ctx ctx;
	uint64_t id; /* from 1; 0: nobody's */
	uint64_t woken;
} top;

static void **stacks;
static int class;
static weft__ctx home;

static top *top_of(void *hi)
{
	return (top *)((char *)hi - 256);
}

static void park_once(void *arg)
{
	top *t = arg;
	weft__ctx_switch(&t->ctx, &home);
	t->woken = t->id;
	weft__ctx_exit(&t->ctx, &home);
}

/* Kilobytes from /proc/self/status. */
static size_t status_kib(const char *name)
{
	char line[200];
	size_t kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			kib = strtoul(line + strlen(name), NULL, 10);
	if (f)
		fclose(f);
	return kib;
}

static size_t memory_kib(void)
{
	return status_kib("RssAnon:") + status_kib("VmPTE:");
}

static int setup(void **state)
{
	(void)state;
	stacks = malloc(N * sizeof(*stacks));
	if (!stacks || weft__stack_init(NULL) < 0)
		return -1;
	memset(stacks, 0, N * sizeof(*stacks));
	class = weft__stack_class(WEFT__STACK_DEFAULT_BYTES);
	weft__ctx_thread_init(&home);
	return 0;
}

static void a_million_are_made(void **state)
{
	(void)state;
	size_t maps = wo_maps_used(), before = memory_kib();
	for (int n = 0; n < N;) {
		int got = weft__stack_take(class, stacks + n, N - n < TAKE ? N - n : TAKE);
		assert_true(got > 0);
		n += got;
	}
	for (int i = 0; i < N; i++) {
		top *t = top_of(stacks[i]);
		t->id = (uint64_t)i + 1;
		weft__ctx_make(&t->ctx, weft__stack_lo(stacks[i], class), t, park_once, t);
		weft__ctx_switch(&home, &t->ctx);
	}
	assert_in_range(wo_maps_used(), 1, maps + 2000);
	/* One page for each, its share of the page tables (2 KiB for 16 stacks), and the pool's pointer. */
	assert_in_range((memory_kib() - before) * 1024 / N, 4096, 4250);
}

static void is_counted(void *hi, int of_class, void *arg)
{
	if (of_class == class && top_of(hi)->id)
		++*(size_t *)arg;
}

static void all_are_seen_and_found(void **state)
{
	(void)state;
	size_t n = 0, wrong = 0;
	weft__stack_place p;
	weft__stack_each(is_counted, &n);
	assert_int_equal(n, N);
	for (int i = 0; i < N; i++) {
		char *lo = weft__stack_lo(stacks[i], class);
		wrong += !weft__stack_find((char *)stacks[i] - 1, &p) || p.hi != stacks[i] || p.lo != lo || p.guard;
		wrong += !weft__stack_find(lo - 1, &p) || p.hi != stacks[i] || !p.guard;
	}
	assert_int_equal(wrong, 0);
}

static sigjmp_buf touched;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(touched, 1);
}

/* Not in a child: a fork of this process takes a second. */
static bool faults(volatile char *at)
{
	struct sigaction sa = { .sa_handler = on_fault }, old;
	sigaction(SIGSEGV, &sa, &old);
	bool fault = sigsetjmp(touched, 1) != 0;
	if (!fault)
		*at = 1;
	sigaction(SIGSEGV, &old, NULL);
	return fault;
}

static void the_last_is_guarded_like_the_first(void **state)
{
	(void)state;
	const int some[] = { 0, N / 2, N - 1 };
	for (size_t i = 0; i < 3; i++) {
		assert_true(faults((char *)weft__stack_lo(stacks[some[i]], class) - 1));
		assert_false(faults(weft__stack_lo(stacks[some[i]], class)));
	}
}

static void all_are_woken_and_end(void **state)
{
	(void)state;
	size_t wrong = 0;
	for (int i = 0; i < N; i++)
		weft__ctx_switch(&home, &top_of(stacks[i])->ctx);
	for (int i = 0; i < N; i++)
		wrong += top_of(stacks[i])->woken != (uint64_t)i + 1;
	assert_int_equal(wrong, 0);
}

static void their_memory_comes_back(void **state)
{
	(void)state;
	for (int i = 0; i < N; i += TAKE)
		weft__stack_give(class, stacks + i, TAKE);
	size_t before = memory_kib();
	weft__stack_trim(); /* these were in use a moment ago */
	assert_true(weft__stack_trim() >= N);
	assert_true(before - memory_kib() >= (size_t)N * 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_are_made),
		cmocka_unit_test(all_are_seen_and_found),
		cmocka_unit_test(the_last_is_guarded_like_the_first),
		cmocka_unit_test(all_are_woken_and_end),
		cmocka_unit_test(their_memory_comes_back),
	};
	return cmocka_run_group_tests_name("rt/million", tests, setup, NULL);
}
