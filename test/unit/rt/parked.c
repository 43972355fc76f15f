/* For gdb_test.py: one context parked below three functions, one running below two. */
#include <stdlib.h>

#include "rt/ctx/ctx.h"

enum { STACK_BYTES = 64 << 10 };

weft__ctx home, parked, running;

__attribute__((noinline, visibility("default"))) void stop_here(int where);

/* Something after each call, so that none of them is a jump. */
static volatile int depth;

void stop_here(int where)
{
	depth += where;
}

__attribute__((noinline)) static void parked_inner(int keep)
{
	weft__ctx_switch(&parked, &home);
	depth += keep;
}

__attribute__((noinline)) static void parked_middle(int keep)
{
	parked_inner(keep + 1);
	depth -= keep;
}

static void parked_outer(void *arg)
{
	(void)arg;
	parked_middle(41);
	weft__ctx_exit(&parked, &home);
}

__attribute__((noinline)) static void running_inner(void)
{
	stop_here(1);
	depth--;
}

static void running_outer(void *arg)
{
	(void)arg;
	running_inner();
	weft__ctx_exit(&running, &home);
}

static void start(weft__ctx *c, void (*fn)(void *arg))
{
	char *lo = aligned_alloc(4096, STACK_BYTES);
	if (!lo || weft__ctx_make(c, lo, lo + STACK_BYTES, fn, NULL) < 0)
		abort();
	weft__ctx_switch(&home, c);
}

int main(void)
{
	weft__ctx_thread_init(&home);
	start(&parked, parked_outer);
	start(&running, running_outer);
	stop_here(2);
	weft__ctx_switch(&home, &parked);
	return depth != 1 - 1 + 2 + 42 - 41;
}
