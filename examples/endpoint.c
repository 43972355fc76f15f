/* A program that can be looked into while it runs: `endpoint 127.0.0.1:6060`, then, from elsewhere,
 *
 *   weft fetch 127.0.0.1:6060 --seconds=2 --view       a trace of the next two seconds
 *   go tool pprof http://127.0.0.1:6060/debug/pprof/profile?seconds=5
 *   curl http://127.0.0.1:6060/debug/pprof/goroutine?debug=2
 *
 * or a browser at http://127.0.0.1:6060/debug/pprof/.  It ends when its standard input does: Ctrl-D. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/weft.h>

enum { WORKERS = 4 };

static weft_mutex table;
static long sum;

/* Something to look at: work, a lock that several want, and waiting. */
static void work(void *arg)
{
	(void)arg;
	for (;;) {
		weft_lock(&table);
		for (int i = 0; i < 200000; i++)
			sum += i ^ sum >> 3;
		weft_unlock(&table);
		weft_sleep(WEFT_MS);
	}
}

static void wait_for_end_of_input(void)
{
	weft_fd *in;
	char dropped[64];
	if (weft_fd_wrap(STDIN_FILENO, &in) < 0)
		return;
	while (weft_read(in, dropped, sizeof(dropped)) > 0)
		continue;
	weft_fd_close(in);
}

static void start(void *address)
{
	char at[128];
	int err = weft_debug_serve(address);
	if (err < 0) {
		fprintf(stderr, "endpoint: %s: %s\n", (char *)address, strerror(-err));
		return;
	}
	weft_debug_address(at, sizeof(at));
	printf("http://%s/debug/pprof/\n", at);
	fflush(stdout);
	for (int i = 0; i < WORKERS; i++)
		weft_go(work, NULL);
	wait_for_end_of_input();
	weft_debug_stop();
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : "127.0.0.1:6060", NULL) < 0;
}
