/* For builds with ASan: what a parked context holds is no leak, and a leak is one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "rt/ctx/ctx.h"
#include "rt/stack/stack.h"

static weft__ctx home, ctx;

static void hold(void *arg)
{
	(void)arg;
	char *volatile held = malloc(1000);
	memset(held, 1, 1000);
	weft__ctx_switch(&ctx, &home);
	free(held);
	weft__ctx_exit(&ctx, &home);
}

static void park_one(void)
{
	void *hi;
	int class = weft__stack_init(NULL) < 0 ? -1 : weft__stack_class(WEFT__STACK_DEFAULT_BYTES);
	if (weft__stack_take(class, &hi, 1) != 1)
		_exit(2);
	weft__ctx_thread_init(&home);
	if (weft__ctx_make(&ctx, weft__stack_lo(hi, class), hi, hold, NULL) < 0)
		_exit(3);
	weft__ctx_switch(&home, &ctx);
}

__attribute__((noinline)) static void forget(void)
{
	char *volatile lost = malloc(1000);
	memset(lost, 1, 1000);
	lost = NULL;
}

/* In a child whose exit is a real one, with the check. */
static int status_of(void (*fn)(void))
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		close(2); /* the report is expected */
		fn();
		exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void what_a_parked_context_holds_is_no_leak(void **state)
{
	(void)state;
	assert_int_equal(status_of(park_one), 0);
}

static void a_leak_is_one(void **state)
{
	(void)state;
	assert_int_not_equal(status_of(forget), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_parked_context_holds_is_no_leak),
		cmocka_unit_test(a_leak_is_one),
	};
	return cmocka_run_group_tests_name("rt/leaks", tests, NULL, NULL);
}
