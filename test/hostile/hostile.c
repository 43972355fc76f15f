/* hostile/hostile.c - see hostile.h. */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILDREN_MAX = 16, SECONDS_MAX = 30 };

static unsigned children(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);
	return n < 1 ? 1 : n > CHILDREN_MAX ? CHILDREN_MAX : (unsigned)n;
}

static bool ended_well(unsigned i, pid_t pid, const hostile_slot *slot)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	const char *how =
		WIFSIGNALED(status) ? (WTERMSIG(status) == SIGALRM ? "hangs" : "dies of signal") : "exits with";
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	fprintf(stderr, "child %u %s (%d) after %llu inputs, at: %.160s\n", i, how, number,
		(unsigned long long)slot->done, slot->what);
	return false;
}

bool hostile_children(void (*work)(unsigned share, unsigned shares, hostile_slot *slot), hostile_slot *ret)
{
	unsigned n = children();
	hostile_slot *slots = mmap(NULL, n * sizeof(*slots), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kit_check(slots != MAP_FAILED);
	pid_t pids[CHILDREN_MAX];
	fflush(NULL);
	for (unsigned i = 0; i < n; i++) {
		pids[i] = fork();
		kit_check(pids[i] >= 0);
		if (pids[i] == 0) {
			work(i, n, &slots[i]);
			_exit(0);
		}
	}
	bool good = true;
	*ret = (hostile_slot){ 0 };
	for (unsigned i = 0; i < n; i++) {
		good &= ended_well(i, pids[i], &slots[i]);
		ret->done += slots[i].done;
		ret->opened += slots[i].opened;
		ret->whole += slots[i].whole;
		if (slots[i].peak_bytes > ret->peak_bytes)
			ret->peak_bytes = slots[i].peak_bytes;
		if (slots[i].peak_ratio > ret->peak_ratio)
			ret->peak_ratio = slots[i].peak_ratio;
	}
	munmap(slots, n * sizeof(*slots));
	printf("# %llu inputs, %llu opened, %llu read to the end, at most %zu bytes of heap, %.0f %% of the bound\n",
		(unsigned long long)ret->done, (unsigned long long)ret->opened, (unsigned long long)ret->whole,
		ret->peak_bytes, 100 * ret->peak_ratio);
	return good;
}

void hostile_try(hostile_slot *slot, const void *data, size_t n, const wtr_options *opt, kit_run *run)
{
	size_t before = kit_heap_now();
	kit_heap_mark();
	alarm(SECONDS_MAX);
	kit_whole(data, n, opt, WTR_PART_ALL, run);
	alarm(0);
	kit_check(kit_heap_now() == before); /* nothing leaked */
	size_t peak = kit_heap_peak() - before;
	double ratio = (double)peak / (double)HOSTILE_BYTES_MAX(n);
	kit_check(ratio <= 1);
	slot->done++;
	slot->opened += run->opened == WTR_OK;
	slot->whole += run->ended == WTR_OK;
	if (peak > slot->peak_bytes)
		slot->peak_bytes = peak;
	if (ratio > slot->peak_ratio)
		slot->peak_ratio = ratio;
}

uint64_t hostile_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}
