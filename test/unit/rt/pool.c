/* The central pool of stacks: batches, guards of both kinds, what happens when the kernel says no, trimming. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "os/pages.h"
#include "rt/stack/stack.h"

enum { MANY = 3000 };

static int default_class;

/* Each test has the pool of a process for itself: it runs in a child, whose asserts end it. */
#define CHECK(cond) ((cond) ? (void)0 : (dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #cond), _exit(1)))

static void in_child(void (*fn)(void), const weft__stack_options *opt)
{
	int status;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		CHECK(weft__stack_init(opt) == 0);
		default_class = weft__stack_class(WEFT__STACK_DEFAULT_BYTES);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static weft__stack_stats stats(void)
{
	weft__stack_stats s;
	weft__stack_read_stats(&s);
	return s;
}

static void take_all(int class, void **hi, int n)
{
	for (int got = 0; got < n;) {
		int rc = weft__stack_take(class, hi + got, n - got < 64 ? n - got : 64);
		CHECK(rc > 0);
		got += rc;
	}
}

/* How a child that touches p ends: 0 fine, else the signal. */
static int touching(volatile char *p)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		*p = 1;
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static int by_address(const void *a, const void *b)
{
	const char *x = *(void *const *)a, *y = *(void *const *)b;
	return (x > y) - (x < y);
}

static void check_stack(void *hi, int class)
{
	char *lo = weft__stack_lo(hi, class);
	size_t guard = weft__stack_guard_bytes();
	weft__stack_place p;
	CHECK(((uintptr_t)hi & (weft__stack_bytes(class) - 1)) == 0);
	CHECK((char *)hi - lo == (ptrdiff_t)(weft__stack_bytes(class) - guard));
	const struct {
		char *at;
		bool guard;
	} places[] = { { (char *)hi - 1, false }, { lo, false }, { lo - 1, true }, { lo - guard, true } };
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		CHECK(weft__stack_find(places[i].at, &p));
		CHECK(p.hi == hi && p.lo == lo && p.class == class && p.guard == places[i].guard);
	}
}

/* ---- taking and giving ---- */

static void take_many(void)
{
	void *hi[MANY];
	take_all(default_class, hi, MANY);
	for (int i = 0; i < MANY; i++) {
		check_stack(hi[i], default_class);
		CHECK(((char *)hi[i])[-1] == 0);
		memset((char *)hi[i] - 100, 1, 100);
	}
	qsort(hi, MANY, sizeof(*hi), by_address);
	for (int i = 1; i < MANY; i++)
		CHECK(hi[i] != hi[i - 1]);
	CHECK(touching((char *)hi[0] - 1) == 0);
	for (int i = 0; i < MANY; i += MANY / 7) {
		CHECK(touching(weft__stack_lo(hi[i], default_class)) == 0);
		CHECK(touching((char *)weft__stack_lo(hi[i], default_class) - 1) == SIGSEGV);
		CHECK(touching((char *)weft__stack_lo(hi[i], default_class) - weft__stack_guard_bytes()) == SIGSEGV);
	}
}

static void stacks_are_apart_and_guarded(void **state)
{
	(void)state;
	in_child(take_many, NULL);
	in_child(take_many, &(weft__stack_options){ .guard_bytes = 16384 });
}

static void take_of_each_class(void)
{
	for (int class = 0; class < WEFT__STACK_CLASSES; class ++) {
		void *hi[3];
		CHECK(weft__stack_class(weft__stack_bytes(class)) == class);
		CHECK(weft__stack_class(weft__stack_bytes(class) - 1) == class);
		take_all(class, hi, 3);
		for (int i = 0; i < 3; i++) {
			check_stack(hi[i], class);
			CHECK(touching(weft__stack_lo(hi[i], class)) == 0);
			CHECK(touching((char *)weft__stack_lo(hi[i], class) - 1) == SIGSEGV);
		}
	}
	CHECK(weft__stack_class(1) == 0);
	CHECK(weft__stack_class((64 << 20) + 1) == -E2BIG);
}

static void every_class_works(void **state)
{
	(void)state;
	in_child(take_of_each_class, NULL);
}

static void last_in_first_out(void)
{
	void *hi[8], *again[8];
	take_all(default_class, hi, 8);
	((char *)hi[7])[-1] = 42;
	weft__stack_give(default_class, hi, 8);
	CHECK(weft__stack_take(default_class, again, 3) == 3);
	for (int i = 0; i < 3; i++)
		CHECK(again[i] == hi[7 - i]);
	CHECK(((char *)again[0])[-1] == 42);
}

static void given_back_last_taken_first(void **state)
{
	(void)state;
	in_child(last_in_first_out, NULL);
}

static void take_few(void)
{
	void *hi;
	CHECK(weft__stack_take(default_class, &hi, 1) == 1);
	CHECK(stats().made == 16);
	for (int i = 1; i < 100; i++)
		CHECK(weft__stack_take(default_class, &hi, 1) == 1);
	CHECK(stats().made == 128);
}

static void a_few_cost_a_few(void **state)
{
	(void)state;
	in_child(take_few, NULL);
}

static void misuse(void)
{
	void *hi;
	CHECK(weft__stack_take(-1, &hi, 1) == -EINVAL);
	CHECK(weft__stack_take(WEFT__STACK_CLASSES, &hi, 1) == -EINVAL);
	CHECK(weft__stack_take(0, &hi, 0) == -EINVAL);
	CHECK(weft__stack_init(NULL) == 0);
}

static void wrong_arguments(void **state)
{
	(void)state;
	in_child(misuse, NULL);
	void *hi;
	assert_int_equal(weft__stack_take(0, &hi, 1), -EINVAL); /* before weft__stack_init */
	assert_int_equal(weft__stack_init(&(weft__stack_options){ .guard_bytes = 100 }), -EINVAL);
	weft__stack_place p;
	assert_false(weft__stack_find(&p, &p));
}

/* A guard as large as the smallest class: that class cannot be used, and says so. */
static void large_guard(void)
{
	void *hi;
	CHECK(weft__stack_class(1) == 1);
	CHECK(weft__stack_take(0, &hi, 1) == -EINVAL);
	CHECK(weft__stack_take(1, &hi, 1) == 1);
}

static void a_guard_takes_at_most_half(void **state)
{
	(void)state;
	in_child(large_guard, &(weft__stack_options){ .guard_bytes = 16384 });
}

/* ---- guards of the old kind ---- */

static void mapped_guards(void)
{
	CHECK(!stats().light_guards);
	take_many();
}

static void mprotect_where_the_kernel_is_old(void **state)
{
	(void)state;
	in_child(mapped_guards, &(weft__stack_options){ .guards = WEFT__GUARDS_MAPPED });
}

static void use_up_the_mappings(void)
{
	void *hi[MANY];
	int n = 0, rc;
	while ((rc = weft__stack_take(default_class, hi + n, 1)) == 1)
		n++;
	CHECK(rc == -ENOMEM);
	CHECK(n > 400 && n <= 500);
	CHECK(stats().refused == 1);
	CHECK(touching((char *)weft__stack_lo(hi[n - 1], default_class) - 1) == SIGSEGV);
	weft__stack_give(default_class, hi, n); /* what there is goes on working */
	CHECK(weft__stack_take(default_class, hi, n) == n);
	CHECK(weft__stack_take(default_class, hi, 1) == -ENOMEM);
}

static void no_more_stacks_than_guards(void **state)
{
	(void)state;
	size_t max = wo_maps_used() + 2048 + 1000;
	in_child(use_up_the_mappings, &(weft__stack_options){ .guards = WEFT__GUARDS_MAPPED, .maps_max = max });
}

/* ---- failing calls ---- */

static void fail_each(wo_pages_call call, int error, int expected)
{
	void *hi[MANY];
	take_all(default_class, hi, 20);
	for (uint64_t nth = 1; nth < 6; nth++) { /* mappings are few: not more */
		size_t before = stats().made - stats().idle;
		wo_pages_fault(call, nth, error);
		int n = 0, rc;
		while (n < MANY && (rc = weft__stack_take(default_class, hi, 1)) == 1)
			n++;
		wo_pages_fault(call, 0, 0);
		CHECK(rc == expected || n == MANY);
		CHECK(stats().made - stats().idle == before + (size_t)n);
		CHECK(weft__stack_take(default_class, hi, 1) == 1); /* and it goes on */
		check_stack(hi[0], default_class);
		CHECK(touching((char *)weft__stack_lo(hi[0], default_class) - 1) == SIGSEGV);
		CHECK(touching(weft__stack_lo(hi[0], default_class)) == 0);
	}
	CHECK(stats().lost == 0);
}

static void fail_reserve(void)
{
	fail_each(WO_PAGES_RESERVE, ENOMEM, -ENOMEM);
}

static void fail_guard(void)
{
	fail_each(WO_PAGES_GUARD, ENOMEM, -ENOMEM);
}

static void fail_deny(void)
{
	fail_each(WO_PAGES_DENY, ENOMEM, -ENOMEM);
}

static void fail_populate(void)
{
	fail_each(WO_PAGES_POPULATE, ENOMEM, 1); /* costs nothing but time */
}

static void failing_calls_give_clean_errors(void **state)
{
	(void)state;
	in_child(fail_reserve, NULL);
	in_child(fail_guard, NULL);
	in_child(fail_populate, NULL);
	in_child(fail_deny, &(weft__stack_options){ .guards = WEFT__GUARDS_MAPPED });
}

static void fail_allocations(void)
{
	void *hi;
	for (uint64_t nth = 1; nth < 10; nth++) {
		wb_fault_arm(nth, /* sticky= */ true);
		int n = 0, rc;
		while (n < MANY && (rc = weft__stack_take(default_class, &hi, 1)) == 1)
			n++;
		wb_fault_arm(0, false);
		CHECK(rc == -ENOMEM || n == MANY);
		CHECK(weft__stack_take(default_class, &hi, 1) == 1);
	}
}

static void failing_allocations_give_clean_errors(void **state)
{
	(void)state;
	in_child(fail_allocations, NULL);
}

static void init_without_address_space(void **state)
{
	(void)state;
	wo_pages_fault(WO_PAGES_RESERVE, 1, ENOMEM);
	assert_int_equal(weft__stack_init(NULL), -ENOMEM);
	wo_pages_fault(WO_PAGES_RESERVE, 0, 0);
}

/* ---- trimming ---- */

/* How many of the pages of a stack are in memory. */
static size_t resident(void *hi)
{
	unsigned char pages[16];
	size_t sum = 0, n = (65536 - weft__stack_guard_bytes()) / wo_page_bytes();
	CHECK(weft__stack_bytes(default_class) == 65536);
	CHECK(mincore(weft__stack_lo(hi, default_class), n * wo_page_bytes(), pages) == 0);
	for (size_t i = 0; i < n; i++)
		sum += pages[i] & 1;
	return sum;
}

static void trim_idle(void)
{
	void *hi[MANY], *few[10];
	take_all(default_class, hi, MANY);
	for (int i = 0; i < MANY; i++)
		memset((char *)hi[i] - 8192, 1, 8192);
	CHECK(resident(hi[5]) == 2);
	weft__stack_trim();
	weft__stack_give(default_class, hi, MANY);
	size_t idle = stats().idle;
	/* Used a moment ago: not yet; but what was idle all the time, is. */
	CHECK(weft__stack_trim() <= idle - MANY);
	CHECK(resident(hi[MANY - 1]) == 2);
	CHECK(weft__stack_take(default_class, few, 10) == 10);
	weft__stack_give(default_class, few, 10);
	/* All but the ten that were in use since the last time. */
	weft__stack_trim();
	CHECK(stats().idle_trimmed == idle - 10);
	CHECK(resident(hi[0]) == 0);
	CHECK(resident(few[0]) == 2);
	CHECK(weft__stack_trim() == 10);
	CHECK(weft__stack_trim() == 0);
	/* Guards stay, and stacks work again. */
	take_all(default_class, hi, MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(((char *)hi[i])[-1] == 0);
	CHECK(touching((char *)weft__stack_lo(hi[7], default_class) - 1) == SIGSEGV);
	CHECK(stats().idle_trimmed <= idle - MANY);
}

static void idle_stacks_give_their_memory_back(void **state)
{
	(void)state;
	in_child(trim_idle, NULL);
	in_child(trim_idle, &(weft__stack_options){ .guards = WEFT__GUARDS_MAPPED });
}

/* ---- looking ---- */

typedef struct seen {
	void *hi[2 * MANY];
	int n;
	size_t marked;
} seen;

static void see(void *hi, int class, void *arg)
{
	seen *s = arg;
	CHECK(class == default_class || class == default_class + 1);
	CHECK(s->n < 2 * MANY);
	s->hi[s->n++] = hi;
	s->marked += ((char *)hi)[-1] == 7;
}

static void look_at_all(void)
{
	static seen s;
	static void *hi[MANY];
	weft__stack_place p;
	take_all(default_class, hi, MANY - 5);
	take_all(default_class + 1, hi + MANY - 5, 5);
	for (int i = 0; i < MANY; i++)
		((char *)hi[i])[-1] = 7;
	weft__stack_each(see, &s);
	CHECK(s.marked == MANY);
	CHECK((size_t)s.n == stats().made);
	CHECK(!weft__stack_find(&p, &p));
	CHECK(!weft__stack_find(NULL, &p));
	CHECK(!weft__stack_find((void *)UINTPTR_MAX, &p));
	char *end = hi[MANY - 1]; /* of the second slab: beyond what is made there */
	CHECK(!weft__stack_find(end + (32 << 20), &p));
}

static void all_are_found(void **state)
{
	(void)state;
	in_child(look_at_all, NULL);
}

/* ---- several threads ---- */

static void give_marked(void *const *hi, int n, uintptr_t mark)
{
	for (int i = 0; i < n; i++) {
		CHECK(((uintptr_t *)hi[i])[-1] == mark);
		((uintptr_t *)hi[i])[-1] = 0;
	}
	weft__stack_give(default_class, hi, n);
}

static void *take_and_give(void *arg)
{
	uint64_t seed = (uintptr_t)arg;
	void *hi[64];
	int n = 0;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		int some = (int)(seed >> 33) % 16 + 1;
		if ((seed >> 60) % 2 && n + some <= 64) {
			int got = weft__stack_take(default_class, hi + n, some);
			CHECK(got > 0);
			for (int k = n; k < n + got; k++) {
				CHECK(((uintptr_t *)hi[k])[-1] == 0);
				((uintptr_t *)hi[k])[-1] = (uintptr_t)arg;
			}
			n += got;
		} else if (n >= some) {
			n -= some;
			give_marked(hi + n, some, (uintptr_t)arg);
		}
		if (i % 1000 == 0)
			weft__stack_trim();
	}
	give_marked(hi, n, (uintptr_t)arg);
	return NULL;
}

static void side_by_side(void)
{
	pthread_t t[4];
	for (uintptr_t i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, take_and_give, (void *)(i + 1)) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK(stats().made == stats().idle);
}

static void threads_share_the_pool(void **state)
{
	(void)state;
	in_child(side_by_side, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(init_without_address_space),
		cmocka_unit_test(stacks_are_apart_and_guarded),
		cmocka_unit_test(every_class_works),
		cmocka_unit_test(given_back_last_taken_first),
		cmocka_unit_test(a_few_cost_a_few),
		cmocka_unit_test(a_guard_takes_at_most_half),
		cmocka_unit_test(mprotect_where_the_kernel_is_old),
		cmocka_unit_test(no_more_stacks_than_guards),
		cmocka_unit_test(failing_calls_give_clean_errors),
		cmocka_unit_test(failing_allocations_give_clean_errors),
		cmocka_unit_test(idle_stacks_give_their_memory_back),
		cmocka_unit_test(all_are_found),
		cmocka_unit_test(threads_share_the_pool),
	};
	return cmocka_run_group_tests_name("rt/pool", tests, NULL, NULL);
}
