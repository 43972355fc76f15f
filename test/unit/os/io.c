/* Reading, writing and connecting: errors as results, signals that do not show, and sockets in their modes. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/io.h"

static void test_errors(void **state)
{
	(void)state;
	char c = 0;
	struct iovec v = { &c, 1 };
	struct sockaddr_storage a;
	socklen_t n = sizeof(a);
	errno = 0;
	assert_int_equal(wo_io_read(-1, &c, 1), -EBADF);
	assert_int_equal(wo_io_write(-1, &c, 1), -EBADF);
	assert_int_equal(wo_io_readv(-1, &v, 1), -EBADF);
	assert_int_equal(wo_io_writev(-1, &v, 1), -EBADF);
	assert_int_equal(wo_io_pread(-1, &c, 1, 0), -EBADF);
	assert_int_equal(wo_io_pwrite(-1, &c, 1, 0), -EBADF);
	assert_int_equal(wo_io_recv(-1, &c, 1), -EBADF);
	assert_int_equal(wo_io_send(-1, &c, 1), -EBADF);
	assert_int_equal(wo_io_sendv(-1, &v, 1), -EBADF);
	assert_int_equal(wo_io_recvfrom(-1, &c, 1, 0, NULL, NULL), -EBADF);
	assert_int_equal(wo_io_sendto(-1, &c, 1, 0, NULL, 0), -EBADF);
	assert_int_equal(wo_io_open("/no/such/file", O_RDONLY, 0), -ENOENT);
	assert_int_equal(wo_io_close(-1), -EBADF);
	assert_int_equal(wo_io_unblock(-1), -EBADF);
	assert_false(wo_io_is_unblocked(-1));
	assert_int_equal(wo_io_socket(-1, SOCK_STREAM), -EAFNOSUPPORT);
	assert_int_equal(wo_io_accept(-1), -EBADF);
	assert_int_equal(wo_io_connected(-1), -EBADF);
	assert_int_equal(wo_io_local(-1, (struct sockaddr *)&a, &n), -EBADF);
	assert_int_equal(wo_io_peer(-1, (struct sockaddr *)&a, &n), -EBADF);
	assert_int_equal(wo_io_shutdown(-1, SHUT_RD), -EBADF);
	assert_int_equal(wo_io_bind(-1, (struct sockaddr *)&a, n), -EBADF);
	assert_int_equal(wo_io_listen(-1, 1), -EBADF);
}

static void test_readiness(void **state)
{
	(void)state;
	int p[2];
	char c;
	assert_int_equal(wo_io_pipe(p), 0);
	assert_true(wo_io_is_unblocked(p[0]) && wo_io_is_unblocked(p[1]));
	assert_int_equal(fcntl(p[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_false(wo_io_can_read(p[0]));
	assert_true(wo_io_can_write(p[1]));
	assert_int_equal(wo_io_read(p[0], &c, 1), -EAGAIN);
	assert_int_equal(wo_io_write(p[1], "x", 1), 1);
	assert_true(wo_io_can_read(p[0]));
	assert_int_equal(wo_io_read(p[0], &c, 1), 1);
	wo_io_close(p[1]);
	assert_true(wo_io_can_read(p[0])); /* the end */
	assert_int_equal(wo_io_read(p[0], &c, 1), 0);
	wo_io_close(p[0]);
	int mode[2];
	assert_int_equal(pipe(mode), 0);
	assert_false(wo_io_is_unblocked(mode[0]));
	assert_int_equal(wo_io_unblock(mode[0]), 0);
	assert_int_equal(wo_io_unblock(mode[0]), 0);
	assert_true(wo_io_is_unblocked(mode[0]));
	wo_io_close(mode[0]);
	wo_io_close(mode[1]);
}

static void test_sockets(void **state)
{
	(void)state;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	struct iovec v[2] = { { "ab", 2 }, { "c", 1 } };
	char buf[10];
	int l = wo_io_socket(AF_INET, SOCK_STREAM), c = wo_io_socket(AF_INET, SOCK_STREAM);
	assert_int_equal(wo_io_bind(l, (struct sockaddr *)&a, n), 0);
	assert_int_equal(wo_io_listen(l, 10), 0);
	assert_int_equal(wo_io_local(l, (struct sockaddr *)&a, &n), 0);
	assert_int_equal(wo_io_accept(l), -EAGAIN);
	assert_int_equal(wo_io_connected(c), -EAGAIN);
	int err = wo_io_connect(c, (struct sockaddr *)&a, n);
	assert_true(err == 0 || err == -EINPROGRESS);
	while (!wo_io_can_read(l))
		usleep(100);
	int s = wo_io_accept(l);
	assert_true(s >= 0 && wo_io_is_unblocked(s));
	assert_int_equal(wo_io_connected(c), 0);
	assert_int_equal(wo_io_sendv(c, v, 2), 3);
	while (!wo_io_can_read(s))
		usleep(100);
	assert_int_equal(wo_io_recv(s, buf, sizeof(buf)), 3);
	assert_int_equal(wo_io_shutdown(c, SHUT_WR), 0);
	wo_io_close(s);
	ssize_t sent = 0;
	while (sent >= 0) /* the first is answered by a reset; no SIGPIPE ends the test */
		sent = wo_io_send(c, "x", 1);
	assert_int_equal(sent, -EPIPE);
	assert_int_equal(wo_io_sendv(c, v, 2), -EPIPE);
	assert_int_equal(wo_io_sendto(c, "x", 1, 0, NULL, 0), -EPIPE);
	wo_io_close(c);
	wo_io_close(l);
	int late = wo_io_socket(AF_INET, SOCK_STREAM);
	err = wo_io_connect(late, (struct sockaddr *)&a, n);
	if (err == -EINPROGRESS)
		err = wo_io_connected(late);
	assert_int_equal(err, -ECONNREFUSED);
	wo_io_close(late);
}

static void on_signal(int number)
{
	(void)number;
}

struct interrupter {
	pthread_t whom;
	int fd;
};

static void *interrupt(void *arg)
{
	struct interrupter *i = arg;
	for (int k = 0; k < 20; k++) {
		usleep(500);
		pthread_kill(i->whom, SIGUSR1);
	}
	return write(i->fd, "x", 1) == 1 ? NULL : arg;
}

static void test_signals(void **state)
{
	(void)state;
	struct sigaction a = { .sa_handler = on_signal };
	int p[2];
	char c = 0;
	pthread_t t;
	void *ret;
	sigaction(SIGUSR1, &a, NULL);
	assert_int_equal(pipe(p), 0);
	struct interrupter i = { pthread_self(), p[1] };
	assert_int_equal(pthread_create(&t, NULL, interrupt, &i), 0);
	assert_int_equal(wo_io_read(p[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	pthread_join(t, &ret);
	assert_null(ret);
	close(p[0]);
	close(p[1]);
}

static void test_connect_within(void **state)
{
	(void)state;
	struct {
		sa_family_t family;
		char name[20];
	} at = { AF_UNIX, "" };
	snprintf(at.name + 1, sizeof(at.name) - 1, "weft-io-%d", getpid());
	socklen_t n = (socklen_t)(sizeof(sa_family_t) + 1 + strlen(at.name + 1));
	int l = wo_io_socket(AF_UNIX, SOCK_STREAM), c[4], err = 0, k = 0;
	assert_int_equal(wo_io_bind(l, (struct sockaddr *)&at, n), 0);
	assert_int_equal(wo_io_listen(l, 0), 0);
	for (; k < 4 && err == 0; k++) {
		c[k] = wo_io_socket(AF_UNIX, SOCK_STREAM);
		err = wo_io_connect_within(c[k], (struct sockaddr *)&at, n, 1000);
		assert_true(wo_io_is_unblocked(c[k]));
	}
	assert_int_equal(err, -EAGAIN); /* no room, and the time is over */
	while (k > 0)
		wo_io_close(c[--k]);
	wo_io_close(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_readiness),
		cmocka_unit_test(test_sockets),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_connect_within),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
