/* rt/traced.c - a program to be traced from outside (WEFT_TRACE), whatever becomes of its trace.
 *
 *   traced busy MS    goroutines that talk to each other for so long; then "done", and status 0
 *   traced fork MS    the same, and in the middle of it children are forked, that end in every way
 *   traced own MS     starts a trace to standard output itself, and says on standard error what weft_trace_stop()
 * returned
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weft/weft.h>

enum { PAIRS = 4 };

static atomic_bool over;
static weft_wg playing;

static void pong(void *arg)
{
	weft_chan **ch = arg;
	uint64_t v;
	while (weft_chan_recv(ch[0], &v) == 1)
		weft_chan_send(ch[1], &v);
	weft_chan_close(ch[1]);
	weft_wg_done(&playing);
}

static void ping(void *arg)
{
	weft_chan **ch = arg;
	uint64_t n = 0;
	for (; !atomic_load(&over); n++) {
		weft_chan_send(ch[0], &n);
		weft_chan_recv(ch[1], NULL);
		if (n % 1000 == 0)
			weft_log(NULL, "ping", "%llu", (unsigned long long)n);
	}
	weft_chan_close(ch[0]);
	weft_chan_recv(ch[1], NULL);
	weft_wg_done(&playing);
}

static weft_chan *channels[PAIRS][2];

static void begin(void)
{
	weft_wg_add(&playing, 2 * PAIRS);
	for (int i = 0; i < PAIRS; i++) {
		for (int k = 0; k < 2; k++)
			channels[i][k] = weft_chan_make(sizeof(uint64_t), 0);
		weft_go(pong, channels[i]);
		weft_go(ping, channels[i]);
	}
}

static void end(void)
{
	atomic_store(&over, true);
	weft_wg_wait(&playing);
}

/* A child is not traced, and leaves its parent's file alone, also when it ends as programs do. */
static void fork_one(int how)
{
	pid_t pid = fork();
	if (pid == 0) {
		if (weft_trace_on())
			_exit(1);
		if (how == 0)
			_exit(0);
		exit(0);
	}
	int status = -1;
	if (pid < 0 || weft_waitpid(pid, &status, 0) != pid || status != 0) {
		fprintf(stderr, "traced: a child ended with %x\n", status);
		exit(1);
	}
}

static void run(void *arg)
{
	char **argv = arg;
	weft_ns all = atoi(argv[2]) * WEFT_MS;
	bool own = strcmp(argv[1], "own") == 0;
	if (own && weft_trace_start(1) < 0)
		exit(1);
	begin();
	weft_sleep(all / 2);
	for (int i = 0; strcmp(argv[1], "fork") == 0 && i < 8; i++)
		fork_one(i % 2);
	weft_sleep(all / 2);
	end();
	if (own)
		fprintf(stderr, "stop: %d\n", weft_trace_stop());
	else
		printf("done\n");
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "traced: busy, fork or own, and how many milliseconds\n");
		return 2;
	}
	return weft_main(run, argv, NULL) < 0;
}
