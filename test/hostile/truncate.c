/* Every length to which ten small traces can be cut: no crash, no hang, no leak, bounded memory, and what is still
 * delivered (Go 1.26 on) is what the whole trace delivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hostile.h"

static const char *const names[] = {
	"go1.19-hello", "go1.19-cgocall", "go1.21-hello", "go1.22-hello", "go1.23-hello",
	"go1.24-cgocall", "go1.25-hello", "go1.26-hello", "go1.27-hello", "go1.27-cgocall",
};
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static wtr_damage damage;

/* The events of a cut trace are the first ones of the whole trace, but for the Sync that ends a pass.  Go 1.26 and
 * later mark the end of a generation; before that, a generation that lost its tail is still read, with what is left of
 * its tables. */
static void is_beginning(const kit_run *cut, const kit_run *whole)
{
	kit_check(cut->events <= whole->events + 1);
	if (cut->events >= 2)
		kit_check(cut->hashes[cut->events - 2] == whole->hashes[cut->events - 2]);
}

static void cut(const char *name, unsigned share, unsigned shares, hostile_slot *slot)
{
	size_t n;
	uint8_t *all = kit_trace(name, &n);
	wtr_options opt = { .damage = damage, .threads = 1 };
	kit_run whole = { .hashes = calloc(n, sizeof(uint64_t)), .cap = n };
	kit_run part = { .hashes = calloc(n, sizeof(uint64_t)), .cap = n };
	kit_check(whole.hashes && part.hashes);
	snprintf(slot->what, sizeof(slot->what), "%s, whole", name);
	kit_whole(all, n, &opt, 0, &whole);
	kit_check(whole.ended == WTR_OK && whole.events > 0 && whole.events < n);
	for (size_t len = share; len < n; len += shares) {
		snprintf(slot->what, sizeof(slot->what), "%s cut to %zu of %zu bytes", name, len, n);
		uint8_t *at = malloc(len ? len : 1); /* exactly so large: ASan sees a read beyond */
		kit_check(at);
		memcpy(at, all, len);
		hostile_try(slot, at, len, &opt, &part);
		if (damage == WTR_AS_GO && all[5] == '2' && all[6] >= '6')
			is_beginning(&part, &whole);
		free(at);
	}
	free(whole.hashes);
	free(part.hashes);
	free(all);
}

static void all_cuts(unsigned share, unsigned shares, hostile_slot *slot)
{
	for (size_t i = 0; i < N_NAMES; i++)
		cut(names[i], share, shares, slot);
}

static void every_length(wtr_damage d)
{
	uint64_t lengths = 0;
	for (size_t i = 0; i < N_NAMES; i++) {
		size_t n;
		free(kit_trace(names[i], &n));
		lengths += n;
	}
	damage = d;
	hostile_slot sum;
	assert_true(hostile_children(all_cuts, &sum));
	assert_int_equal(sum.done, lengths);
	assert_true(lengths > 20000);
}

static void every_length_as_go(void **state)
{
	(void)state;
	every_length(WTR_AS_GO);
}

static void every_length_repaired(void **state)
{
	(void)state;
	every_length(WTR_REPAIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_as_go),
		cmocka_unit_test(every_length_repaired),
	};
	return cmocka_run_group_tests_name("hostile/truncate", tests, NULL, NULL);
}
