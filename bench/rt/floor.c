/* rt/floor.c - what a million stacks cost without a runtime: the kernel's part of a million goroutines.
 *
 * The calls are those of src/rt/stack/slab.c: a mapping, and for each batch of stacks a list of guards and a list of
 * first pages. */
#include "bench.h"

#include <errno.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MANY = 1000 * 1000, STACK_BYTES = 64 << 10, PAGE_BYTES = 4096, BATCH = 512 };
enum { GUARD_INSTALL = 102 }; /* Linux 6.13: newer than the headers that we build with */

/* One page of each of n stacks, the first of which is at `at`, so far from its lower end. */
static void advise(int self, char *at, size_t n, size_t offset, int advice, const char *what)
{
	static struct iovec v[BATCH];
	for (size_t i = 0; i < n; i++)
		v[i] = (struct iovec){ at + i * STACK_BYTES + offset, PAGE_BYTES };
	long done = syscall(SYS_process_madvise, self, v, n, advice, 0);
	bench_must(done < 0 ? -errno : done == (long)(n * PAGE_BYTES) ? 0 : -EOPNOTSUPP, what);
}

void bench_parked_floor(void)
{
	size_t bytes = (size_t)MANY * STACK_BYTES;
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	bench_must(self < 0 ? -errno : 0, "pidfd_open");
	weft_ns start = weft_now();
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	bench_must(at == MAP_FAILED ? -errno : 0, "mmap");
	madvise(at, bytes, MADV_NOHUGEPAGE);
	for (size_t i = 0, n; i < MANY; i += n) {
		n = MANY - i < BATCH ? MANY - i : BATCH;
		char *batch = at + i * STACK_BYTES;
		advise(self, batch, n, 0, GUARD_INSTALL, "guards");
		advise(self, batch, n, STACK_BYTES - PAGE_BYTES, MADV_POPULATE_WRITE, "first pages");
		for (size_t k = 1; k <= n; k++)
			batch[k * STACK_BYTES - 1] = 1;
	}
	bench_result("parked-floor", (double)(weft_now() - start) / MANY);
	munmap(at, bytes);
	close(self);
}
