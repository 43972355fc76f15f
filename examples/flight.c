/* The flight recorder: it runs all the time, keeps the last seconds in memory, and when a request was slow writes what
 * led to it: `flight slow.trace`, then `weft slow.trace`, or `weft why slow.trace --task=request`. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/weft.h>

enum { REQUESTS = 400, AT_ONCE = 4, UNLUCKY = 333 };
static const weft_ns slow_ns = 50 * WEFT_MS;

static weft_mutex journal;
static weft_once written; /* the first slow request is enough */
static const char *path;

static void write_snapshot(void *number)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int err = fd < 0 ? -weft_errno() : weft_trace_snapshot(fd);
	if (fd >= 0)
		close(fd);
	if (err < 0)
		fprintf(stderr, "flight: %s: %s\n", path, strerror(-err));
	else
		printf("request %d was slow: %s has the seconds before\n", *(int *)number, path);
}

/* Once in a while somebody holds the lock for long. */
static void write_journal(const weft_task *task, int number)
{
	weft_region_begin(task, "journal");
	weft_lock(&journal);
	if (number == UNLUCKY) {
		weft_log(task, "journal", "rotated");
		weft_sleep(2 * slow_ns);
	}
	weft_unlock(&journal);
	weft_region_end(task, "journal");
}

static void serve(void *arg)
{
	int number;
	while (weft_chan_recv(arg, &number) == 1) {
		weft_task task = weft_task_begin(NULL, "request");
		weft_ns begin = weft_now();
		weft_sleep(WEFT_MS);
		write_journal(&task, number);
		weft_task_end(task);
		if (weft_now() - begin > slow_ns)
			weft_once_do(&written, write_snapshot, &number);
	}
}

static void start(void *arg)
{
	path = arg;
	weft_chan *numbers = weft_chan_make(sizeof(int), 0);
	weft_wg servers = { 0 };
	const weft_trace_options opt = { .fd = -1, .window = 10 * WEFT_SECOND, .window_bytes = 64 << 20 };
	int err = weft_trace_start_with(&opt);
	if (err < 0)
		fprintf(stderr, "flight: no flight recorder: %s\n", strerror(-err));
	for (int i = 0; i < AT_ONCE; i++)
		weft_wg_go(&servers, serve, numbers);
	for (int i = 0; i < REQUESTS; i++)
		weft_chan_send(numbers, &i);
	weft_chan_close(numbers);
	weft_wg_wait(&servers);
	weft_chan_unref(numbers);
	weft_trace_stop();
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : "slow.trace", NULL) < 0;
}
