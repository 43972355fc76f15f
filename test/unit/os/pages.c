/* Address space: aligned pieces, guards, memory on demand and given back; and each call failing. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/pages.h"

enum { PIECE = 4 << 20, N = 1200 }; /* more places than go into one system call */

static int touching(volatile char *p)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		*p = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* How many of the first N pages are in memory. */
static size_t resident(const char *at)
{
	unsigned char in[N];
	size_t sum = 0;
	assert_int_equal(mincore((void *)(uintptr_t)at, N * wo_page_bytes(), in), 0);
	for (size_t i = 0; i < N; i++)
		sum += in[i] & 1;
	return sum;
}

static void pieces_are_aligned_and_zero(void **state)
{
	(void)state;
	void *at[5];
	for (size_t i = 0; i < 5; i++) {
		size_t bytes = (size_t)PIECE << i;
		assert_int_equal(wo_pages_reserve(bytes, &at[i]), 0);
		assert_int_equal((uintptr_t)at[i] % bytes, 0);
		assert_int_equal(((char *)at[i])[0], 0);
		((char *)at[i])[bytes - 1] = 1;
	}
	for (size_t i = 0; i < 5; i++)
		wo_pages_release(at[i], (size_t)PIECE << i);
	void *none = (void *)1;
	assert_int_equal(wo_pages_reserve((size_t)1 << 62, &none), -ENOMEM);
	assert_ptr_equal(none, (void *)1);
}

/* Every other page of a piece. */
static char *places(struct iovec v[N])
{
	void *at;
	assert_int_equal(wo_pages_reserve(16 << 20, &at), 0);
	for (size_t i = 0; i < N; i++)
		v[i] = (struct iovec){ (char *)at + 2 * i * wo_page_bytes(), wo_page_bytes() };
	return at;
}

static void memory_comes_and_goes(void **state)
{
	(void)state;
	struct iovec v[N];
	char *at = places(v);
	size_t page = wo_page_bytes();
	assert_int_equal(resident(at), 0);
	assert_int_equal(wo_pages_populate(v, N), 0);
	if (!getenv("MESON_EXE_WRAPPER")) /* emulators take any advice, and ignore it */
		assert_int_equal(resident(at), N / 2);
	at[2 * page] = 1;
	assert_int_equal(wo_pages_drop(v, N), 0);
	assert_int_equal(resident(at), 0);
	assert_int_equal(at[2 * page], 0);
	wo_pages_release(at, 16 << 20);
}

static void guards_fault_and_stay(void **state)
{
	(void)state;
	struct iovec v[N];
	char *at = places(v);
	size_t done, page = wo_page_bytes(), maps = wo_maps_used();
	assert_int_equal(wo_pages_guard(v, N, &done), 0);
	assert_int_equal(done, N);
	assert_in_range(wo_maps_used(), 1, maps + 10); /* not two for each */
	struct iovec all = { at, 2 * N * page };
	assert_int_equal(wo_pages_drop(&all, 1), 0);
	for (size_t i = 0; i < N; i += N / 5) {
		assert_int_equal(touching(at + 2 * i * page), SIGSEGV);
		assert_int_equal(touching(at + 2 * i * page + page - 1), SIGSEGV);
		assert_int_equal(touching(at + 2 * i * page + page), 0);
	}
	wo_pages_release(at, 16 << 20);
}

static void mapped_guards_fault(void **state)
{
	(void)state;
	void *at;
	size_t page = wo_page_bytes();
	assert_int_equal(wo_pages_reserve(PIECE, &at), 0);
	assert_int_equal(wo_pages_deny((char *)at + page, page), 0);
	assert_int_equal(touching((char *)at + page), SIGSEGV);
	assert_int_equal(touching((char *)at + 2 * page), 0);
	wo_pages_release(at, PIECE);
}

/* A list with a bad place: what lies before it is done. */
static void a_bad_place_ends_a_list(void **state)
{
	(void)state;
	struct iovec v[N];
	char *at = places(v);
	size_t done;
	for (size_t bad = 0; bad < N; bad += 257) {
		struct iovec good = v[bad];
		v[bad].iov_base = (char *)v[bad].iov_base + 1; /* not a page */
		assert_int_equal(wo_pages_guard(v, N, &done), -EINVAL);
		assert_in_range(done, 0, bad);
		if (bad > 0)
			assert_int_equal(touching(v[done - 1].iov_base), SIGSEGV);
		v[bad] = good;
	}
	wo_pages_release(at, 16 << 20);
}

static void calls_fail_on_demand(void **state)
{
	(void)state;
	struct iovec v[N];
	void *piece = (void *)1;
	size_t done = 99;
	char *at = places(v);
	wo_pages_fault(WO_PAGES_RESERVE, 2, ENOMEM);
	assert_int_equal(wo_pages_reserve(PIECE, &piece), 0);
	wo_pages_release(piece, PIECE);
	piece = (void *)1;
	assert_int_equal(wo_pages_reserve(PIECE, &piece), -ENOMEM);
	assert_int_equal(wo_pages_reserve(PIECE, &piece), -ENOMEM);
	assert_ptr_equal(piece, (void *)1);
	wo_pages_fault(WO_PAGES_RESERVE, 0, 0);
	assert_int_equal(wo_pages_reserve(PIECE, &piece), 0);
	wo_pages_release(piece, PIECE);
	wo_pages_fault(WO_PAGES_GUARD, 1, EAGAIN);
	assert_int_equal(wo_pages_guard(v, N, &done), -EAGAIN);
	assert_int_equal(done, 0);
	wo_pages_fault(WO_PAGES_DENY, 1, ENOMEM);
	assert_int_equal(wo_pages_deny(at, wo_page_bytes()), -ENOMEM);
	wo_pages_fault(WO_PAGES_POPULATE, 1, EFAULT);
	assert_int_equal(wo_pages_populate(v, N), -EFAULT);
	wo_pages_fault(WO_PAGES_DROP, 1, EINTR);
	assert_int_equal(wo_pages_drop(v, N), -EINTR);
	for (int call = 0; call < WO_PAGES_CALLS; call++)
		wo_pages_fault((wo_pages_call)call, 0, 0);
	assert_int_equal(wo_pages_populate(v, N), 0);
	wo_pages_release(at, 16 << 20);
}

static void limits_are_known(void **state)
{
	(void)state;
	assert_true(wo_maps_max() >= 1000);
	size_t before = wo_maps_used();
	assert_true(before > 10);
	char *at = mmap(NULL, 3 * wo_page_bytes(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(at + wo_page_bytes(), wo_page_bytes(), PROT_READ);
	assert_true(wo_maps_used() >= before + 2);
	munmap(at, 3 * wo_page_bytes());
}

int main(void)
{
	enum { LIGHT = 2 }; /* the last ones: not for kernels before 6.13, nor for emulators */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_aligned_and_zero),
		cmocka_unit_test(memory_comes_and_goes),
		cmocka_unit_test(mapped_guards_fault),
		cmocka_unit_test(calls_fail_on_demand),
		cmocka_unit_test(limits_are_known),
		cmocka_unit_test(guards_fault_and_stay),
		cmocka_unit_test(a_bad_place_ends_a_list),
	};
	size_t n = sizeof(tests) / sizeof(*tests) - (wo_pages_can_guard() ? 0 : LIGHT);
	return _cmocka_run_group_tests("os/pages", tests, n, NULL, NULL);
}
