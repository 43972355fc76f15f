/* Contexts on stacks of the pool, used again and again: for valgrind_test.sh, which looks at what Valgrind says of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "rt/ctx/ctx.h"
#include "rt/stack/stack.h"

enum { N = 40, ROUNDS = 50 };

static weft__ctx home, ctx[N];
static long sum;

__attribute__((noinline)) static long deep(long n, weft__ctx *c)
{
	volatile char frame[500];
	frame[n % 500] = 1;
	if (n == 0)
		weft__ctx_switch(c, &home);
	return n == 0 ? 0 : deep(n - 1, c) + frame[n % 500];
}

static void work(void *arg)
{
	weft__ctx *c = arg;
	sum += deep(c - ctx, c);
	weft__ctx_exit(c, &home);
}

int main(int argc, char **argv)
{
	(void)argv;
	void *hi[N];
	if (weft__stack_init(NULL) < 0)
		return 1;
	int class = weft__stack_class(WEFT__STACK_DEFAULT_BYTES);
	weft__ctx_thread_init(&home);
	for (int round = 0; round < ROUNDS; round++) {
		int n = weft__stack_take(class, hi, N);
		if (n < 1)
			return 2;
		for (int i = 0; i < n; i++)
			if (weft__ctx_make(&ctx[i], weft__stack_lo(hi[i], class), hi[i], work, &ctx[i]) < 0)
				return 3;
		for (int twice = 0; twice < 2; twice++)
			for (int i = 0; i < n; i++)
				weft__ctx_switch(&home, &ctx[i]);
		weft__stack_give(class, hi, n);
		sum -= n * (n - 1) / 2;
	}
	if (argc > 1) { /* for the test of the test: a value that nobody wrote decides */
		long *wild = malloc(sizeof(*wild));
		return wild && *wild == 42 ? 5 : 6;
	}
	return sum ? 4 : 0;
}
