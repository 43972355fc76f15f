/* Alternate stacks for signal handlers.  The watching of faults is tested with what it is for: test/unit/rt/overflow.c.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "os/fault.h"

static char *volatile handled_at;

static void handler(int signal)
{
	(void)signal;
	handled_at = __builtin_frame_address(0);
}

static void set_handler(void)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = SA_ONSTACK };
	assert_int_equal(sigaction(SIGUSR1, &sa, NULL), 0);
}

static void handlers_run_there(void **state)
{
	(void)state;
	wo_sigstack s;
	stack_t old, now;
	set_handler();
	stack_t none = { .ss_flags = SS_DISABLE };
	assert_int_equal(sigaltstack(&none, &old), 0); /* ASan gives each thread one */
	assert_int_equal(wo_sigstack_init(&s), 0);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_true(now.ss_size >= 64 << 10);
	raise(SIGUSR1);
	assert_true(handled_at >= (char *)now.ss_sp);
	assert_true(handled_at < (char *)now.ss_sp + now.ss_size);
	wo_sigstack_done(&s);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_true(now.ss_flags & SS_DISABLE);
	wo_sigstack_done(&s); /* twice is fine */
	assert_int_equal(sigaltstack(&old, NULL), 0);
}

static void a_large_enough_one_is_kept(void **state)
{
	(void)state;
	enum { BYTES = 1 << 20 };
	wo_sigstack s;
	stack_t own = { .ss_sp = malloc(BYTES), .ss_size = BYTES }, old, now;
	assert_int_equal(sigaltstack(&own, &old), 0);
	assert_int_equal(wo_sigstack_init(&s), 0);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_ptr_equal(now.ss_sp, own.ss_sp);
	wo_sigstack_done(&s);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_ptr_equal(now.ss_sp, own.ss_sp);
	assert_int_equal(sigaltstack(&old, NULL), 0);
	free(own.ss_sp);
}

static void a_small_one_comes_back(void **state)
{
	(void)state;
	enum { BYTES = 16 << 10 };
	wo_sigstack s;
	stack_t own = { .ss_sp = malloc(BYTES), .ss_size = BYTES }, old, now;
	assert_int_equal(sigaltstack(&own, &old), 0);
	assert_int_equal(wo_sigstack_init(&s), 0);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_ptr_not_equal(now.ss_sp, own.ss_sp);
	wo_sigstack_done(&s);
	assert_int_equal(sigaltstack(NULL, &now), 0);
	assert_ptr_equal(now.ss_sp, own.ss_sp);
	assert_int_equal(now.ss_size, BYTES);
	assert_int_equal(sigaltstack(&old, NULL), 0);
	free(own.ss_sp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handlers_run_there),
		cmocka_unit_test(a_large_enough_one_is_kept),
		cmocka_unit_test(a_small_one_comes_back),
	};
	return cmocka_run_group_tests_name("os/fault", tests, NULL, NULL);
}
