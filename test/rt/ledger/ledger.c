/* rt/ledger/ledger.c - see ledger.h: the counting. */
#include "inside.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { OFF, STARTING, ON, STOPPING, STEPS };

static _Atomic uint32_t phase;
static ledger_page pages[LEDGER_GOROUTINES];

uint32_t ledger_before(void)
{
	return atomic_load(&phase);
}

ledger_page *ledger_page_of(uint64_t g)
{
	if (g >= LEDGER_GOROUTINES)
		abort();
	return &pages[g];
}

static bool is_sure(uint32_t before, uint32_t after, unsigned k)
{
	return before == after && before == k * STEPS + ON;
}

/* Did any of trace k lie in between? */
static bool is_possible(uint32_t before, uint32_t after, unsigned k)
{
	return after > k * STEPS + OFF && before < (k + 1) * STEPS + OFF;
}

static void add(uint64_t g, uint32_t before, ledger_kind kind, unsigned sure, unsigned perhaps)
{
	uint32_t after = atomic_load(&phase);
	ledger_page *page = ledger_page_of(g);
	for (unsigned k = before / STEPS; k <= after / STEPS && k < LEDGER_TRACES; k++) {
		if (is_sure(before, after, k))
			page->sure[k][kind] += sure;
		else if (is_possible(before, after, k))
			page->perhaps[k][kind] += sure;
		if (is_possible(before, after, k))
			page->perhaps[k][kind] += perhaps;
	}
}

void ledger_add(uint64_t g, uint32_t before, ledger_kind kind, unsigned n)
{
	add(g, before, kind, n, 0);
}

void ledger_perhaps(uint64_t g, uint32_t before, ledger_kind kind)
{
	add(g, before, kind, 0, 1);
}

void ledger_counted(uint64_t g)
{
	ledger_page_of(g)->counted = true;
}

void ledger_without_waits(uint64_t g)
{
	ledger_page_of(g)->without_waits = true;
}

/* ---- the coordinator ---- */

static void move(uint32_t to)
{
	if (atomic_load(&phase) % STEPS != (to + STEPS - 1) % STEPS)
		abort();
	atomic_fetch_add(&phase, 1);
}

void ledger_starting(void)
{
	move(STARTING);
}

void ledger_on(void)
{
	move(ON);
}

void ledger_stopping(void)
{
	move(STOPPING);
}

void ledger_off(void)
{
	move(OFF);
}

bool ledger_is_on(void)
{
	return atomic_load(&phase) % STEPS == ON;
}

void ledger_collections(unsigned k, uint64_t least, uint64_t most)
{
	ledger_page *all = ledger_page_of(0);
	all->counted = true;
	all->sure[k][LEDGER_COLLECTIONS] = (uint32_t)least;
	all->perhaps[k][LEDGER_COLLECTIONS] = (uint32_t)(most - least);
}
