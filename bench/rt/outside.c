/* rt/outside.c - timers, blocking calls, the collected heap, and the echo server. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const weft_ns hour = 3600 * WEFT_SECOND;

static void never(void *arg)
{
	(void)arg;
}

/* A timer of its own each time, as time.AfterFunc() is. */
void bench_timer(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		weft_timer t = { 0 };
		weft_timer_start(&t, weft_in(hour), never, NULL);
		weft_timer_stop(&t);
	}
}

void bench_timer_reset(uint64_t n)
{
	weft_timer t = { 0 };
	weft_timer_start(&t, weft_in(hour), never, NULL);
	for (uint64_t i = 0; i < n; i++) {
		weft_timer_reset(&t, weft_in(hour));
		weft_timer_stop(&t);
	}
}

static void bare_call(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		syscall(SYS_getppid);
}

static void blocking_call(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		weft_syscall_begin();
		syscall(SYS_getppid);
		weft_syscall_end();
	}
}

void bench_call(void)
{
	double bare = bench_time(bare_call), whole = bench_time(blocking_call);
	bench_result("call", whole - bare);
	bench_result("call-bare", bare);
}

/* ---- trees ---- */

enum { DEPTH = 16, LONG_LIVED = 18, TREES = 64 };

typedef struct node {
	struct node *left, *right;
} node;

static node *grow(int depth)
{
	static const size_t pointers[] = { offsetof(node, left), offsetof(node, right) };
	static const weft_type type = { "node", sizeof(node), pointers, 2 };
	node *t = weft_new_typed(&type, 1);
	bench_must(t ? 0 : -1, "weft_new_typed");
	if (depth > 0) {
		t->left = grow(depth - 1);
		t->right = grow(depth - 1);
	}
	return t;
}

static uint64_t nodes(const node *t)
{
	return t ? 1 + nodes(t->left) + nodes(t->right) : 0;
}

/* Trees that die young beside one that stays: nanoseconds for each node that was made. */
void bench_tree(void)
{
	weft_ns start = weft_now();
	node *stays = grow(LONG_LIVED);
	uint64_t made = nodes(stays);
	for (int i = 0; i < TREES; i++)
		made += nodes(grow(DEPTH));
	bench_must(nodes(stays) == (UINT64_C(2) << LONG_LIVED) - 1 ? 0 : -1, "the tree that stays");
	double ns = (double)(weft_now() - start) / (double)made;
	weft_gc_stats s;
	weft_gc_read(&s);
	bench_result("tree", ns);
	bench_result("tree-heap-mb", (double)s.heap_bytes / 1e6);
	bench_result("tree-pause-max-us", (double)s.pause_max_ns / 1e3);
}

/* ---- echo ---- */

static void echo(void *arg)
{
	weft_fd *f = arg;
	char buf[4096];
	ssize_t n;
	while ((n = weft_read(f, buf, sizeof(buf))) > 0 && weft_write_all(f, buf, (size_t)n) == 0) {
	}
	weft_fd_close(f);
}

static void accept_all(void *arg)
{
	weft_fd *f;
	while (weft_accept(arg, &f) == 0)
		bench_must(weft_go(echo, f), "weft_go");
}

void bench_echo(void)
{
	weft_fd *listener, *input;
	char address[64], c;
	bench_must(weft_listen("tcp4", "127.0.0.1:0", &listener), "weft_listen");
	bench_must(weft_fd_local(listener, address, sizeof(address)), "weft_fd_local");
	printf("port %s\n", strrchr(address, ':') + 1);
	fflush(stdout);
	bench_must(weft_go(accept_all, listener), "weft_go");
	bench_must(weft_fd_wrap(0, &input), "weft_fd_wrap");
	while (weft_read(input, &c, 1) > 0) {
	}
}
