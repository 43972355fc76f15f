/* What os/file.h and os/thread.h promise. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/file.h"
#include "os/thread.h"

static void maps_what_was_written(void **state)
{
	(void)state;
	int fd;
	assert_int_equal(wo_scratch(&fd), 0);
	static uint8_t page[3 * 4096 + 17];
	for (size_t i = 0; i < sizeof(page); i++)
		page[i] = (uint8_t)(i * 31);
	assert_int_equal(wo_write_all(fd, page, sizeof(page)), 0);
	wo_map m;
	assert_int_equal(wo_map_fd(fd, &m), 0);
	wo_close(fd);
	assert_int_equal(m.n, sizeof(page));
	assert_memory_equal(m.at, page, sizeof(page));
	wo_map_release(&m, 0, m.n); /* given back, and there again when looked at */
	wo_map_release(&m, 5, 6);
	wo_map_release(&m, 9, 3);
	wo_map_willneed(&m, 0, m.n);
	assert_memory_equal(m.at, page, sizeof(page));
	wo_unmap(&m);
	assert_int_equal(m.n, 0);
	wo_unmap(&m);
}

static void an_empty_file_is_an_empty_map(void **state)
{
	(void)state;
	int fd;
	assert_int_equal(wo_scratch(&fd), 0);
	wo_map m;
	assert_int_equal(wo_map_fd(fd, &m), 0);
	assert_int_equal(m.n, 0);
	assert_non_null(m.at);
	wo_map_release(&m, 0, 100);
	wo_unmap(&m);
	wo_close(fd);
}

static void refuses_what_cannot_be_mapped(void **state)
{
	(void)state;
	wo_map m = { 0 };
	assert_int_equal(wo_map_file("/no/such/file", &m), -ENOENT);
	assert_int_equal(wo_map_file("/", &m), -EISDIR);
	assert_null(m.at);
	int p[2];
	assert_int_equal(pipe(p), 0);
	assert_int_equal(wo_map_fd(p[0], &m), -ESPIPE);
	char t[4];
	assert_int_equal(wo_write_all(p[1], "abc", 3), 0);
	assert_int_equal(wo_read(p[0], t, 4), 3);
	wo_close(p[1]);
	assert_int_equal(wo_read(p[0], t, 4), 0);
	wo_close(p[0]);
	assert_int_equal(wo_read(p[0], t, 4), -EBADF);
	assert_int_equal(wo_write_all(p[1], "x", 1), -EBADF);
	wo_close(-1);
}

static void scratch_without_a_folder_is_memory(void **state)
{
	(void)state;
	assert_int_equal(setenv("TMPDIR", "/no/such/folder", 1), 0);
	int fd;
	assert_int_equal(wo_scratch(&fd), 0);
	assert_int_equal(wo_write_all(fd, "x", 1), 0);
	wo_close(fd);
	unsetenv("TMPDIR");
}

static void *look_at_signals(void *arg)
{
	sigset_t s;
	pthread_sigmask(SIG_SETMASK, NULL, &s);
	*(int *)arg = sigismember(&s, SIGINT);
	return NULL;
}

static void threads_leave_signals_to_their_starter(void **state)
{
	(void)state;
	pthread_t t;
	int blocked = 0;
	assert_int_equal(wo_thread_start(&t, look_at_signals, &blocked), 0);
	pthread_join(t, NULL);
	assert_int_equal(blocked, 1);
	sigset_t s;
	pthread_sigmask(SIG_SETMASK, NULL, &s);
	assert_int_equal(sigismember(&s, SIGINT), 0);
	assert_true(wo_processors() >= 1);
	int64_t a = wo_now_ns();
	assert_true(wo_now_ns() >= a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_what_was_written),
		cmocka_unit_test(an_empty_file_is_an_empty_map),
		cmocka_unit_test(refuses_what_cannot_be_mapped),
		cmocka_unit_test(scratch_without_a_folder_is_memory),
		cmocka_unit_test(threads_leave_signals_to_their_starter),
	};
	return cmocka_run_group_tests_name("os/file", tests, NULL, NULL);
}
