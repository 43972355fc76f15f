/* bench/count.c - how fast events come: reads a trace into a sink that only counts, through the public API.
 *
 * count [-jN] FILE...: prints events, seconds and millions of events per second for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <wtr/wtr.h>

static double now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int count(const char *path, const wtr_options *opt)
{
	wtr_trace *t;
	wtr_error err;
	double start = now();
	if (wtr_open(path, opt, &t, &err) != WTR_OK) {
		fprintf(stderr, "count: %s: %s\n", path, err.what);
		return 1;
	}
	wtr_cursor *c = wtr_cursor_open(t, NULL, &err);
	if (!c) {
		fprintf(stderr, "count: %s: %s\n", path, err.what);
		wtr_close(t);
		return 1;
	}
	unsigned long long kinds[WTR_KIND_COUNT] = { 0 }, all = 0;
	const wtr_event *ev;
	for (size_t n; (n = wtr_next(c, &ev)) > 0; all += n)
		for (size_t i = 0; i < n; i++)
			kinds[ev[i].kind]++;
	double s = now() - start;
	const wtr_error *end = wtr_cursor_error(c);
	printf("%s: %llu events (%llu transitions) in %.3f s: %.1f M events/s%s%s\n", path, all,
		kinds[WTR_KIND_STATE_TRANSITION], s, (double)all / s / 1e6,
		end->code == WTR_OK ? "" : "; ends with: ", end->code == WTR_OK ? "" : end->what);
	wtr_cursor_close(c);
	wtr_close(t);
	return 0;
}

int main(int argc, char **argv)
{
	wtr_options opt = { 0 };
	int rc = 0;
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] == 'j')
			opt.threads = atoi(argv[i] + 2);
		else
			rc |= count(argv[i], &opt);
	return rc;
}
