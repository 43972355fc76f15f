/* A pool of workers that take jobs from one channel and send what they found into another; the first error stops them
 * all.  `workers [JOBS [WORKERS]]` looks for the longest Collatz sequence. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

typedef struct found {
	long start, steps;
} found;

typedef struct pool {
	weft_chan *jobs, *results;
	weft_group *group;
} pool;

static long collatz(long n)
{
	long steps = 0;
	for (; n != 1; steps++)
		n = n % 2 ? 3 * n + 1 : n / 2;
	return steps;
}

/* 0, or an error: then the group's context ends, and with it the other workers. */
static int work(void *arg)
{
	const pool *p = arg;
	found f;
	weft_case cases[] = { WEFT_RECV(p->jobs, &f.start), WEFT_RECV(weft_ctx_done(weft_group_ctx(p->group)), NULL) };
	while (weft_select(cases, 2) == 0 && cases[0].result == 1) {
		if (f.start < 1)
			return -EDOM;
		f.steps = collatz(f.start);
		weft_chan_send(p->results, &f);
	}
	return 0;
}

/* False when the pool has stopped. */
static bool give(const pool *p, long job)
{
	weft_case cases[] = { WEFT_SEND(p->jobs, &job), WEFT_RECV(weft_ctx_done(weft_group_ctx(p->group)), NULL) };
	return weft_select(cases, 2) == 0;
}

/* Has the pool look at 1 to n, and at `bad` in the middle of it; returns what the group says. */
static int run(int workers, long n, const long *bad, found *ret_longest)
{
	pool p = { weft_chan_make(sizeof(long), 16), weft_chan_make(sizeof(found), (size_t)n), weft_group_make(NULL) };
	found f;
	for (int i = 0; i < workers; i++)
		weft_group_go(p.group, work, &p);
	for (long job = 1; job <= n && give(&p, bad && job == n / 2 ? *bad : job); job++)
		;
	weft_chan_close(p.jobs);
	int err = weft_group_wait(p.group);
	while (weft_chan_try_recv(p.results, &f) == 1)
		if (f.steps > ret_longest->steps || (f.steps == ret_longest->steps && f.start < ret_longest->start))
			*ret_longest = f;
	weft_group_unref(p.group);
	weft_chan_unref(p.jobs);
	weft_chan_unref(p.results);
	return err;
}

static void start(void *arg)
{
	const long *asked = arg, bad = -1;
	found longest = { 0 }, unused = { 0 };
	if (run((int)asked[1], asked[0], NULL, &longest) != 0)
		weft_panic("the pool has failed");
	printf("of 1 to %ld, %ld takes the most steps to 1: %ld\n", asked[0], longest.start, longest.steps);
	if (longest.steps != collatz(longest.start))
		weft_panic("it takes %ld", collatz(longest.start));
	int err = run((int)asked[1], 1000, &bad, &unused);
	printf("a job that cannot be done stops the pool: %s\n", strerror(-err));
	if (err != -EDOM)
		weft_panic("but that is another error");
}

int main(int argc, char **argv)
{
	long asked[] = { argc > 1 ? atol(argv[1]) : 10000, argc > 2 ? atol(argv[2]) : 4 };
	if (asked[0] < 1 || asked[1] < 1) {
		fprintf(stderr, "usage: workers [JOBS [WORKERS]]\n");
		return 2;
	}
	return weft_main(start, asked, NULL) < 0;
}
