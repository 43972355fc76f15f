/* base/sort.h against qsort. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sort.h"

enum { N = 5000 };

static uint64_t rng = 88172645463325252u;

static uint64_t random64(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* Of `bits` bits, shifted up by `shift`, and negative now and then if `sign`. */
static void check(size_t n, unsigned bits, unsigned shift, bool sign)
{
	static int64_t a[N], b[N], room[N];
	for (size_t i = 0; i < n; i++) {
		a[i] = (int64_t)((bits < 64 ? random64() & ((UINT64_C(1) << bits) - 1) : random64()) << shift);
		a[i] = sign && random64() % 3 == 0 ? -a[i] : a[i];
	}
	memcpy(b, a, n * sizeof(*a));
	qsort(b, n, sizeof(*b), by_value);
	wb_sort_i64(a, n, room);
	if (n)
		assert_memory_equal(a, b, n * sizeof(*a));
}

static void sorts_like_qsort(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 2, 3, 255, 256, 257, N };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (unsigned bits = 1; bits <= 64; bits += 7) {
			check(sizes[i], bits, 0, false);
			check(sizes[i], bits, (64 - bits) / 2, true);
		}
}

static void extremes(void **state)
{
	(void)state;
	int64_t a[] = { 0, INT64_MAX, -1, INT64_MIN, 1, INT64_MAX, INT64_MIN }, room[7];
	wb_sort_i64(a, 7, room);
	const int64_t want[] = { INT64_MIN, INT64_MIN, -1, 0, 1, INT64_MAX, INT64_MAX };
	assert_memory_equal(a, want, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(sorts_like_qsort), cmocka_unit_test(extremes) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
