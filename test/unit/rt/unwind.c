/* Walking frame pointers: real stacks, and garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/stack/unwind.h"

typedef struct memory {
	uintptr_t w[64];
} memory;

static uintptr_t at(const memory *m, size_t i)
{
	return (uintptr_t)&m->w[i];
}

static size_t walk(const memory *m, uintptr_t fp, uintptr_t *pcs, size_t n)
{
	return weft__unwind_fp(1, fp, at(m, 0), at(m, 0) + sizeof(*m), pcs, n);
}

/* Frames at 4, 10 and 62, the last place with room for one. */
static memory made(void)
{
	memory m = { 0 };
	m.w[4] = at(&m, 10), m.w[5] = 100;
	m.w[10] = at(&m, 62), m.w[11] = 101;
	m.w[62] = 0, m.w[63] = 102;
	return m;
}

static void link_frames(memory *m)
{
	memory t = made();
	memcpy(m, &t, sizeof(t));
	m->w[4] = at(m, 10);
	m->w[10] = at(m, 62);
}

static void frames_in_order(void **state)
{
	(void)state;
	memory m;
	uintptr_t pcs[10];
	link_frames(&m);
	assert_int_equal(walk(&m, at(&m, 4), pcs, 10), 3);
	assert_int_equal(pcs[0], 1);
	assert_int_equal(pcs[1], 100);
	assert_int_equal(pcs[2], 101); /* 102 is where contexts begin */
	for (size_t n = 0; n <= 3; n++)
		assert_int_equal(walk(&m, at(&m, 4), pcs, n), n);
	assert_int_equal(weft__unwind_fp(0, at(&m, 4), at(&m, 0), at(&m, 64), pcs, 10), 2);
	assert_int_equal(pcs[0], 100);
}

static void bounds_are_kept(void **state)
{
	(void)state;
	memory m;
	uintptr_t pcs[10];
	link_frames(&m);
	assert_int_equal(weft__unwind_fp(1, at(&m, 4), at(&m, 4), at(&m, 64), pcs, 10), 3); /* the first at lo */
	assert_int_equal(weft__unwind_fp(1, at(&m, 4), at(&m, 5), at(&m, 64), pcs, 10), 1);
	m.w[62] = at(&m, 63); /* not whole in the stack */
	assert_int_equal(walk(&m, at(&m, 4), pcs, 10), 4);
	assert_int_equal(weft__unwind_fp(1, at(&m, 4), at(&m, 0), at(&m, 63), pcs, 10), 3);
	assert_int_equal(walk(&m, at(&m, 64), pcs, 10), 1);
	assert_int_equal(walk(&m, UINTPTR_MAX - 7, pcs, 10), 1);
	assert_int_equal(walk(&m, 0, pcs, 10), 1);
}

static void the_same_again(void **state)
{
	(void)state;
	memory m;
	uintptr_t pcs[10], fp, lo, hi;
	link_frames(&m);
	fp = at(&m, 4), lo = at(&m, 0), hi = at(&m, 64);
	size_t n = weft__unwind_fp(0, fp, lo, hi, pcs, 10);
	assert_true(weft__unwind_same(fp, lo, hi, pcs, n, 10));
	assert_false(weft__unwind_same(fp, lo, hi, pcs, n - 1, 10));   /* there are more */
	assert_true(weft__unwind_same(fp, lo, hi, pcs, n - 1, n - 1)); /* but not for this walk */
	assert_false(weft__unwind_same(fp, lo, hi, pcs, n + 1, 10));
	assert_false(weft__unwind_same(at(&m, 10), lo, hi, pcs, n, 10));
	assert_true(weft__unwind_same(0, lo, hi, pcs, 0, 10));
	for (size_t i = 0; i < n; i++) {
		pcs[i]++;
		assert_false(weft__unwind_same(fp, lo, hi, pcs, n, 10));
		pcs[i]--;
	}
}

static void garbage_ends_the_walk(void **state)
{
	(void)state;
	memory m;
	uintptr_t pcs[10];
	link_frames(&m);
	const uintptr_t bad[] = { at(&m, 10), at(&m, 4), 0x1234, at(&m, 62) + 1, UINTPTR_MAX };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		m.w[10] = bad[i];
		assert_int_equal(walk(&m, at(&m, 4), pcs, 10), 3);
	}
	m.w[5] = 0;
	assert_int_equal(walk(&m, at(&m, 4), pcs, 10), 1);
}

static void any_words_are_safe(void **state)
{
	(void)state;
	uintptr_t pcs[100];
	uint64_t seed = 7;
	memory *m = malloc(sizeof(*m)); /* ASan sees a read beyond, on both sides */
	for (int round = 0; round < 20000; round++) {
		for (size_t i = 0; i < 64; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			m->w[i] = seed >> 62 ? at(m, 0) + (seed >> 32) % (sizeof(*m) + 16) / 8 * 8 : (uintptr_t)seed;
		}
		size_t n = walk(m, m->w[0], pcs, 100);
		assert_true(n >= 1);
		assert_true(n <= 33);
	}
	free(m);
}

/* ---- a real stack ---- */

static uintptr_t pcs_seen[8];
static size_t n_seen;

__attribute__((noinline)) static void innermost(void)
{
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	n_seen = weft__unwind_fp(0, fp, fp, fp + 4096, pcs_seen, 8);
}

__attribute__((noinline)) static uintptr_t middle(void)
{
	innermost();
	return (uintptr_t)__builtin_return_address(0);
}

static void a_real_stack(void **state)
{
	(void)state;
	uintptr_t after = middle();
	assert_true(n_seen >= 2);
	assert_true(pcs_seen[0] > (uintptr_t)middle);
	assert_true(pcs_seen[0] < (uintptr_t)middle + 200);
	assert_int_equal(pcs_seen[1], after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_in_order),
		cmocka_unit_test(bounds_are_kept),
		cmocka_unit_test(the_same_again),
		cmocka_unit_test(garbage_ends_the_walk),
		cmocka_unit_test(any_words_are_safe),
		cmocka_unit_test(a_real_stack),
	};
	return cmocka_run_group_tests_name("rt/unwind", tests, NULL, NULL);
}
