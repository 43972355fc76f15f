/* kit/second_main.c - second FILE..: a line for each trace that is not sound (second.h); status 1 when there is one. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "second.h"

static bool read_file(const char *path, wb_buf *ret)
{
	FILE *f = fopen(path, "rb");
	char piece[1 << 16];
	for (size_t n = 1; f && n;) {
		n = fread(piece, 1, sizeof(piece), f);
		wb_buf_put(ret, piece, n);
	}
	bool ok = f && !ferror(f) && !ret->failed;
	if (f)
		fclose(f);
	return ok;
}

static bool is_sound(const char *path)
{
	wb_buf trace = { 0 };
	second_result r = { .why = "cannot be read" };
	bool ok = read_file(path, &trace) && second_check(trace.at, trace.n, &r);
	if (!ok)
		printf("%s: %s\n", path, r.why);
	wb_buf_free(&trace);
	return ok;
}

int main(int argc, char **argv)
{
	int n_bad = argc < 2;
	for (int i = 1; i < argc; i++)
		n_bad += !is_sound(argv[i]);
	return n_bad > 0;
}
