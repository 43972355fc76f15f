/* base/idmap.h against a table that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/idmap.h"

enum { IDS = 3000 };

static uint64_t rng;

static uint64_t random64(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

/* Dense, sparse, huge, and ids that move from one kind to the other as the array widens. */
static uint64_t some_id(void)
{
	switch (random64() % 4) {
	case 0: return random64() % 300;
	case 1: return random64() % 20000;
	case 2: return UINT64_MAX - random64() % 50;
	default: return (random64() % 100) * 0x9e3779b97f4a7c15u;
	}
}

static void agrees_with_a_plain_table(void **state)
{
	(void)state;
	static struct { uint64_t id; uint32_t value; bool there; } plain[IDS];
	size_t n = 0;
	wb_idmap m = { 0 };
	rng = 88172645463325252u;
	for (int step = 0; step < 20000; step++) {
		uint64_t id = some_id();
		size_t k = 0;
		while (k < n && plain[k].id != id)
			k++;
		assert_int_equal(wb_idmap_get(&m, id), k < n && plain[k].there ? plain[k].value : WB_IDMAP_NONE);
		if (random64() % 3 == 0) {
			wb_idmap_del(&m, id);
			if (k < n)
				plain[k].there = false;
		} else if (k < n || n < IDS) {
			uint32_t value = (uint32_t)random64() % 1000000;
			assert_true(wb_idmap_set(&m, id, value));
			plain[k].id = id;
			plain[k].value = value;
			plain[k].there = true;
			n += k == n;
		}
	}
	size_t there = 0;
	for (size_t k = 0; k < n; k++) {
		there += plain[k].there;
		assert_int_equal(wb_idmap_get(&m, plain[k].id), plain[k].there ? plain[k].value : WB_IDMAP_NONE);
	}
	assert_int_equal(m.n, there);
	wb_idmap_free(&m);
}

/* Few ids, however large, never make the array large. */
static void hostile_ids_cost_little(void **state)
{
	(void)state;
	wb_idmap m = { 0 };
	for (uint64_t i = 0; i < 1000; i++)
		assert_true(wb_idmap_set(&m, i * 1000003u, (uint32_t)i));
	assert_true(m.n_direct <= 32 * (256 + 8 * m.n));
	assert_true(m.cap <= 8 * m.n);
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(wb_idmap_get(&m, i * 1000003u), i);
	wb_idmap_free(&m);
}

/* Setting and deleting forever keeps the table small. */
static void deleted_places_are_used_again(void **state)
{
	(void)state;
	wb_idmap m = { 0 };
	for (uint64_t i = 0; i < 200000; i++) {
		assert_true(wb_idmap_set(&m, UINT64_MAX - i, 1));
		wb_idmap_del(&m, UINT64_MAX - i);
	}
	assert_int_equal(m.n, 0);
	assert_true(m.cap <= 64);
	wb_idmap_free(&m);
}

static void out_of_memory_leaves_it_unchanged(void **state)
{
	(void)state;
	wb_idmap m = { 0 };
	assert_true(wb_idmap_set(&m, 5, 50));
	wb_fault_arm(1, true);
	assert_false(wb_idmap_set(&m, UINT64_MAX, 1));
	wb_fault_arm(0, false);
	assert_int_equal(wb_idmap_get(&m, UINT64_MAX), WB_IDMAP_NONE);
	assert_int_equal(wb_idmap_get(&m, 5), 50);
	assert_int_equal(m.n, 1);
	wb_idmap_free(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_plain_table),
		cmocka_unit_test(hostile_ids_cost_little),
		cmocka_unit_test(deleted_places_are_used_again),
		cmocka_unit_test(out_of_memory_leaves_it_unchanged),
	};
	return cmocka_run_group_tests_name("base/idmap", tests, NULL, NULL);
}
