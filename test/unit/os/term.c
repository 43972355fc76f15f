/* Other programs, and the signals that end this one. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/term.h"
#include "os/thread.h"

static int status_of(const char *const argv[])
{
	int pid, status = -1;
	assert_int_equal(wo_spawn(argv, &pid), 0);
	for (int i = 0; i < 1000 && !wo_ended(pid, &status); i++)
		usleep(10000);
	return status;
}

static void programs_end_with_their_status(void **state)
{
	(void)state;
	assert_int_equal(status_of((const char *const[]){ "true", NULL }), 0);
	assert_int_equal(status_of((const char *const[]){ "false", NULL }), 1);
	assert_int_equal(status_of((const char *const[]){ "sh", "-c", "exit 7", NULL }), 7);
	assert_int_equal(status_of((const char *const[]){ "sh", "-c", "kill -9 $$", NULL }), 137);
	assert_int_equal(
		status_of((const char *const[]){ "sh", "-c", "kill -TERM $$", NULL }), 143); /* not blocked there */
	assert_int_equal(status_of((const char *const[]){ "sh", "-c", "read x; echo out; echo err >&2", NULL }), 0);
}

static void no_such_program(void **state)
{
	(void)state;
	int pid = 42;
	assert_int_equal(wo_spawn((const char *const[]){ "/nosuch/program", NULL }, &pid), -ENOENT);
	assert_int_equal(pid, 42);
}

static void signals_wait(void **state)
{
	(void)state;
	wo_stop_block();
	assert_false(wo_stop_wait(0));
	int64_t before = wo_now_ns();
	assert_false(wo_stop_wait(20000000));
	assert_true(wo_now_ns() - before >= 20000000);
	const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	for (size_t i = 0; i < 3; i++) {
		kill(getpid(), signals[i]);
		assert_true(wo_stop_wait(-1));
		assert_false(wo_stop_wait(0));
	}
}

static void a_pipe_is_no_terminal(void **state)
{
	(void)state;
	int fd[2];
	assert_int_equal(pipe(fd), 0);
	assert_false(wo_is_terminal(fd[0]));
	assert_int_equal(wo_columns(fd[0]), 0);
	close(fd[0]);
	close(fd[1]);
	assert_false(wo_is_terminal(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_wait), /* first: the others run with signals blocked */
		cmocka_unit_test(programs_end_with_their_status),
		cmocka_unit_test(no_such_program),
		cmocka_unit_test(a_pipe_is_no_terminal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
