/* Waiting for a word and waking who waits. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/futex.h"
#include "os/thread.h"

static void another_value_does_not_wait(void **state)
{
	(void)state;
	_Atomic uint32_t word = 1;
	assert_int_equal(wo_futex_wait(&word, 0, -1), -EAGAIN);
	assert_int_equal(wo_futex_wait_until(&word, 0, INT64_MAX), -EAGAIN);
}

static void time_runs_out(void **state)
{
	(void)state;
	_Atomic uint32_t word = 0;
	int64_t before = wo_now_ns();
	assert_int_equal(wo_futex_wait(&word, 0, 20000000), -ETIMEDOUT);
	assert_true(wo_now_ns() - before >= 20000000);
	int64_t deadline = wo_now_ns() + 20000000;
	assert_int_equal(wo_futex_wait_until(&word, 0, deadline), -ETIMEDOUT);
	assert_true(wo_now_ns() >= deadline);
	assert_int_equal(wo_futex_wait(&word, 0, 0), -ETIMEDOUT);
	assert_int_equal(wo_futex_wait_until(&word, 0, 0), -ETIMEDOUT);
	assert_int_equal(wo_futex_wait_until(&word, 0, -5), -ETIMEDOUT);
}

static void nobody_to_wake(void **state)
{
	(void)state;
	_Atomic uint32_t word = 0;
	assert_int_equal(wo_futex_wake(&word, 1), 0);
	assert_int_equal(wo_futex_wake(NULL, 1), 0);
}

typedef struct ball {
	_Atomic uint32_t word;
	int rounds;
} ball;

/* Waits for odd numbers and makes them even. */
static void *return_it(void *arg)
{
	ball *b = arg;
	for (int i = 0; i < b->rounds; i++) {
		uint32_t now;
		while ((now = atomic_load(&b->word)) % 2 == 0)
			wo_futex_wait(&b->word, now, -1);
		atomic_store(&b->word, now + 1);
		wo_futex_wake(&b->word, 1);
	}
	return NULL;
}

static void two_threads_wake_each_other(void **state)
{
	(void)state;
	ball b = { .rounds = 2000 };
	pthread_t t;
	assert_int_equal(wo_thread_start(&t, return_it, &b), 0);
	for (int i = 0; i < b.rounds; i++) {
		uint32_t now = atomic_load(&b.word) + 1;
		atomic_store(&b.word, now);
		wo_futex_wake(&b.word, 1);
		while (atomic_load(&b.word) == now)
			wo_futex_wait_until(&b.word, now, wo_now_ns() + 1000000000);
	}
	pthread_join(t, NULL);
	assert_int_equal(atomic_load(&b.word), 2 * b.rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_value_does_not_wait),
		cmocka_unit_test(time_runs_out),
		cmocka_unit_test(nobody_to_wake),
		cmocka_unit_test(two_threads_wake_each_other),
	};
	return cmocka_run_group_tests_name("os/futex", tests, NULL, NULL);
}
