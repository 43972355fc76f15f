/* rt/load.c - asks an echo server as fast as it answers, on one thread and epoll alone; or is such a server.
 *
 *   bench-rt-load PORT CONNECTIONS SECONDS    prints `rps R`, `p50-us T`, `p99-us T`
 *   bench-rt-load serve                       an echo server: one thread, one epoll loop, nothing else
 *
 * Messages of 64 bytes, one on its way per connection. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, EVENTS = 256, BUCKETS = 64 * 32, CONNECTIONS_MAX = 60000 };

static int64_t sent_at[CONNECTIONS_MAX + 16]; /* by descriptor */
static uint64_t histogram[BUCKETS];

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "bench-rt-load: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* 32 buckets for each doubling: within 3 percent. */
static size_t bucket(uint64_t ns)
{
	if (ns < 32)
		return (size_t)ns;
	int top = 63 - __builtin_clzll(ns);
	return (size_t)((top - 4) * 32 + (int)((ns >> (top - 5)) & 31));
}

static double bucket_us(size_t b)
{
	if (b < 32)
		return (double)b / 1e3;
	return (double)((32 + (b & 31)) << (b / 32 - 1)) / 1e3;
}

static double percentile_us(double share)
{
	uint64_t all = 0, upto = 0;
	for (size_t i = 0; i < BUCKETS; i++)
		all += histogram[i];
	for (size_t i = 0; i < BUCKETS; i++)
		if ((upto += histogram[i]) >= (uint64_t)((double)all * share) && upto)
			return bucket_us(i);
	return 0;
}

static void ask(int fd)
{
	char message[MESSAGE] = "what comes back is what was sent";
	sent_at[fd] = now_ns();
	if (send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		die("send");
}

static int connect_to(int port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	if (fd < 0 || fd >= CONNECTIONS_MAX || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void watch(int ep, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
	if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e))
		die("epoll_ctl");
}

/* Takes an answer in; true when it is whole.  A message of this size is not cut on the loopback. */
static int answered(int fd)
{
	char message[MESSAGE];
	if (recv(fd, message, MESSAGE, 0) != MESSAGE)
		die("recv");
	return 1;
}

/* Answers until `end`; counts them and their times when `count` is set. */
static uint64_t answers_until(int ep, int64_t end, int count)
{
	struct epoll_event ready[EVENTS];
	uint64_t n = 0;
	for (int64_t now = now_ns(); now < end;) {
		int n_ready = epoll_wait(ep, ready, EVENTS, 100);
		now = now_ns();
		for (int i = 0; i < n_ready; i++) {
			int fd = ready[i].data.fd;
			if (!answered(fd))
				continue;
			now = now_ns();
			if (count)
				histogram[bucket((uint64_t)(now - sent_at[fd]))]++;
			n++;
			ask(fd);
		}
	}
	return n;
}

static int load(int port, int n_connections, double seconds)
{
	int ep = epoll_create1(0);
	for (int i = 0; i < n_connections; i++) {
		int fd = connect_to(port);
		watch(ep, fd);
		ask(fd);
	}
	answers_until(ep, now_ns() + 200000000, 0);
	int64_t start = now_ns();
	uint64_t n = answers_until(ep, start + (int64_t)(seconds * 1e9), 1);
	printf("rps %.0f\n", (double)n * 1e9 / (double)(now_ns() - start));
	printf("requests %llu\n", (unsigned long long)n);
	printf("p50-us %.1f\np99-us %.1f\n", percentile_us(0.5), percentile_us(0.99));
	return 0;
}

static void answer(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);
	if (n <= 0 || send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
		close(fd);
}

static int serve(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0), ep = epoll_create1(0), on = 1;
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) || listen(listener, 1024))
		die("listen");
	getsockname(listener, (struct sockaddr *)&a, &n);
	printf("port %d\n", ntohs(a.sin_port));
	fflush(stdout);
	watch(ep, listener);
	watch(ep, 0);
	struct epoll_event ready[EVENTS];
	for (;;) {
		int n_ready = epoll_wait(ep, ready, EVENTS, -1);
		for (int i = 0; i < n_ready; i++) {
			int fd = ready[i].data.fd;
			if (fd == 0)
				return 0; /* our standard input ended */
			if (fd != listener) {
				answer(fd);
				continue;
			}
			fd = accept(listener, NULL, NULL);
			setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
			watch(ep, fd);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return serve();
	int n_connections = argc == 4 ? atoi(argv[2]) : 0;
	if (n_connections < 1 || n_connections > CONNECTIONS_MAX) {
		fprintf(stderr, "bench-rt-load: PORT CONNECTIONS SECONDS, or `serve`\n");
		return 2;
	}
	return load(atoi(argv[1]), n_connections, atof(argv[3]));
}
