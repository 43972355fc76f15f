/* A million goroutines at once, each waiting for its turn; then all of them run.  `million [COUNT]` says what one takes
 * of memory, with the limits of the kernel as they come. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

static weft_chan *turn;
static weft_wg waiting, done;
static _Atomic uint64_t sum;

static void wait_for_turn(void *arg)
{
	uint64_t number = *(uint64_t *)arg;
	weft_wg_done(&waiting);
	weft_chan_recv(turn, NULL); /* until it is closed */
	sum += number;
	weft_wg_done(&done);
}

/* Bytes that this process has in memory, page tables included; 0 when the kernel does not say. */
static uint64_t resident(void)
{
	char line[128];
	uint64_t kib = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f))
		if (strncmp(line, "VmRSS:", 6) == 0 || strncmp(line, "VmPTE:", 6) == 0)
			kib += strtoull(line + 6, NULL, 10);
	if (f)
		fclose(f);
	return kib * 1024;
}

static void start(void *arg)
{
	uint64_t n = *(uint64_t *)arg, before = resident();
	turn = weft_chan_make(0, 0);
	weft_wg_add(&waiting, (int)n);
	weft_wg_add(&done, (int)n);
	for (uint64_t i = 1; i <= n; i++) {
		int err = weft_go_copy(wait_for_turn, &i, sizeof(i), NULL);
		if (err < 0)
			weft_panic("goroutine %llu: %s", (unsigned long long)i, strerror(-err));
	}
	weft_wg_wait(&waiting);
	printf("%zu goroutines, %llu bytes each\n", weft_count(), (unsigned long long)((resident() - before) / n));
	weft_chan_close(turn);
	weft_wg_wait(&done);
	if (sum != n * (n + 1) / 2)
		weft_panic("they add up to %llu", (unsigned long long)sum);
	printf("all have run\n");
	weft_chan_unref(turn);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	if (n < 1 || n > 100000000) {
		fprintf(stderr, "usage: million [COUNT]\n");
		return 2;
	}
	return weft_main(start, &n, NULL) < 0;
}
