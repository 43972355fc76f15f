/* 100,000 traces with one byte changed: no crash, no hang, no leak, bounded memory, all promises kept.
 *
 * The changes are the same in every run; WEFT_SEED=N tries others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostile.h"

enum { CORRUPTIONS = 100000, SIZE_MIN = 1000, SIZE_MAX_ = 9500 };

static uint64_t seed = 1;

typedef struct victim {
	const char *name;
	uint8_t    *at;
	size_t      n;
} victim;

static victim victims[256];
static size_t n_victims;

/* The small traces of every Go release: many kinds of event, little time each. */
static int gather(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		victim v = { .name = names[i] };
		v.at = kit_trace(v.name, &v.n);
		if (v.n >= SIZE_MIN && v.n <= SIZE_MAX_ && n_victims < sizeof(victims) / sizeof(victims[0]))
			victims[n_victims++] = v;
		else
			free(v.at);
	}
	if (getenv("WEFT_SEED"))
		seed = strtoull(getenv("WEFT_SEED"), NULL, 0) | 1;
	return n_victims >= 30 ? 0 : -1;
}

static void corrupt(unsigned share, unsigned shares, hostile_slot *slot)
{
	for (unsigned i = share; i < CORRUPTIONS; i += shares) {
		const victim *v = &victims[i % n_victims];
		uint64_t state = seed * 0x9e3779b97f4a7c15u + i;
		hostile_random(&state);
		size_t where = hostile_random(&state) % v->n;
		uint8_t old = v->at[where], now = (uint8_t)(old + 1 + hostile_random(&state) % 255);
		wtr_options opt = { .damage = i & 1 ? WTR_REPAIR : WTR_AS_GO, .threads = i % 64 < 2 ? 2 : 1 };
		snprintf(slot->what, sizeof(slot->what), "%s, byte %zu is %d instead of %d, %s, seed %llu", v->name,
			where, now, old, opt.damage ? "repaired" : "as Go", (unsigned long long)seed);
		v->at[where] = now;
		kit_run run = { 0 };
		hostile_try(slot, v->at, v->n, &opt, &run);
		v->at[where] = old;
	}
}

static void survives_100000_changed_bytes(void **state)
{
	(void)state;
	hostile_slot sum;
	assert_true(hostile_children(corrupt, &sum));
	assert_int_equal(sum.done, CORRUPTIONS);
	/* The changes did hit: some refused, most not. */
	assert_true(sum.whole < CORRUPTIONS - CORRUPTIONS / 20);
	assert_true(sum.opened > CORRUPTIONS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(survives_100000_changed_bytes, gather),
	};
	return cmocka_run_group_tests_name("hostile/corrupt", tests, NULL, NULL);
}
