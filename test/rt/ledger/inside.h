/* rt/ledger/inside.h - the pages of the ledger, for those who count and those who compare. */
#ifndef RT_LEDGER_INSIDE_H
#define RT_LEDGER_INSIDE_H

#include "ledger.h"

typedef struct ledger_page {
	uint32_t sure[LEDGER_TRACES][LEDGER_KIND_COUNT], perhaps[LEDGER_TRACES][LEDGER_KIND_COUNT];
	bool counted, without_waits;
} ledger_page;

ledger_page *ledger_page_of(uint64_t g);

/* What a reader finds in a trace. */
typedef struct ledger_found {
	uint32_t of[LEDGER_GOROUTINES][LEDGER_KIND_COUNT];
} ledger_found;

void ledger_find(ledger_found *f, int64_t g, ledger_kind kind);
/* A GoBlock, by its reason. */
void ledger_find_block(ledger_found *f, int64_t g, const char *reason, size_t n);

#endif
