/* rt/result.c - what every measuring program says, and how it gives up. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_must(int ret, const char *what)
{
	if (ret >= 0)
		return;
	fprintf(stderr, "%s: %s\n", what, strerror(-ret));
	exit(1);
}

void bench_result(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
	fflush(stdout);
}
