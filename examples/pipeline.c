/* A pipeline: numbers are made, squared by several goroutines at a time, and added up; whoever has heard enough stops
 * all stages by closing one channel.  `pipeline [NUMBERS [SQUARERS]]`. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

enum { FEW = 10 };

typedef struct stage {
	weft_chan *in, *out, *stop;
	long n;        /* numbers to make */
	weft_wg *last; /* who of several closes `out` */
} stage;

/* Sends unless the pipeline is stopped: then false. */
static bool pass(const stage *s, long v)
{
	weft_case cases[] = { WEFT_SEND(s->out, &v), WEFT_RECV(s->stop, NULL) };
	return weft_select(cases, 2) == 0;
}

static void make(void *arg)
{
	const stage *s = arg;
	for (long i = 1; i <= s->n && pass(s, i); i++)
		;
	weft_chan_close(s->out);
	weft_chan_unref(s->out);
}

static void square(void *arg)
{
	const stage *s = arg;
	long v;
	while (weft_chan_recv(s->in, &v) == 1 && pass(s, v * v))
		;
	weft_wg_done(s->last);
}

static void close_after(void *arg)
{
	const stage *s = arg;
	weft_wg_wait(s->last);
	weft_chan_unref(s->in);
	weft_chan_close(s->out);
}

/* The squares of 1 to n, in any order, until `stop` is closed.  `last` is free again when no more come. */
static weft_chan *squares(long n, int squarers, weft_chan *stop, weft_wg *last)
{
	weft_chan *numbers = weft_chan_make(sizeof(long), 0), *results = weft_chan_make(sizeof(long), 0);
	stage maker = { .out = weft_chan_ref(numbers), .stop = stop, .n = n };
	stage squarer = { .in = numbers, .out = results, .stop = stop, .last = last };
	weft_go_copy(make, &maker, sizeof(maker), NULL);
	weft_wg_add(last, squarers);
	for (int i = 0; i < squarers; i++)
		weft_go_copy(square, &squarer, sizeof(squarer), NULL);
	weft_go_copy(close_after, &squarer, sizeof(squarer), NULL);
	return results;
}

static void all_of_them(long n, int squarers)
{
	weft_chan *stop = weft_chan_make(0, 0);
	weft_wg last = { 0 };
	weft_chan *all = squares(n, squarers, stop, &last);
	long v, sum = 0;
	while (weft_chan_recv(all, &v) == 1)
		sum += v;
	printf("the squares of 1 to %ld add up to %ld\n", n, sum);
	if (sum != n * (n + 1) * (2 * n + 1) / 6)
		weft_panic("that is wrong");
	weft_chan_unref(all);
	weft_chan_unref(stop);
}

static void the_first_few(long n, int squarers)
{
	weft_chan *stop = weft_chan_make(0, 0);
	weft_wg last = { 0 };
	weft_chan *some = squares(n, squarers, stop, &last);
	long v;
	for (int i = 0; i < FEW; i++)
		weft_chan_recv(some, &v);
	weft_chan_close(stop);
	while (weft_chan_recv(some, &v) == 1) /* what was on its way */
		;
	printf("%d squares are enough: all stages have ended\n", FEW);
	weft_chan_unref(some);
	weft_chan_unref(stop);
}

static void start(void *arg)
{
	const long *asked = arg;
	all_of_them(asked[0], (int)asked[1]);
	the_first_few(asked[0], (int)asked[1]);
}

int main(int argc, char **argv)
{
	long asked[] = { argc > 1 ? atol(argv[1]) : 2000, argc > 2 ? atol(argv[2]) : 4 };
	if (asked[0] < FEW || asked[0] > 1000000 || asked[1] < 1) {
		fprintf(stderr, "usage: pipeline [NUMBERS [SQUARERS]], %d to 1000000 numbers\n", FEW);
		return 2;
	}
	return weft_main(start, asked, NULL) < 0;
}
