/* The first primes by a chain of goroutines, each of which takes out the multiples of one prime: the example of the Go
 * tour.  `weft record -o sieve.trace -- sieve 200`. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

typedef struct filter {
	weft_chan *in, *out;
	int prime;
} filter;

static void generate(void *out)
{
	for (int i = 2;; i++)
		weft_chan_send(out, &i);
}

static void sift(void *arg)
{
	const filter *f = arg;
	for (;;) {
		int i;
		weft_chan_recv(f->in, &i);
		if (i % f->prime != 0)
			weft_chan_send(f->out, &i);
	}
}

static void start(void *arg)
{
	int n = *(int *)arg;
	weft_chan *in = weft_chan_make(sizeof(int), 0);
	weft_go(generate, in);
	for (int k = 0; k < n; k++) {
		filter f = { .in = in, .out = weft_chan_make(sizeof(int), 0) };
		weft_chan_recv(in, &f.prime);
		printf("%d%c", f.prime, k + 1 < n ? ' ' : '\n');
		weft_go_copy(sift, &f, sizeof(f), NULL);
		in = f.out;
	}
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 50;
	return weft_main(start, &n, NULL) < 0;
}
