/* rt/ledger/ledger.h - what goroutines did while traces ran, counted by themselves, and held against the traces.
 *
 * Nothing here asks the tracer.  A goroutine counts its own actions, in its own page of the ledger, with the phase that
 * it saw before and after: the coordinator moves the phase on around each start and stop of a trace.
 *
 *   seen before and after        the action is in the trace
 *   both "on" of one trace       surely: it must be found
 *   both "off"                   not
 *   anything else                perhaps: its start or stop raced with it
 *
 * So for each goroutine and kind the trace must have as many as were sure, and at most those and the uncertain ones:
 * one that is missing shows, and so does one that is there twice.  A program that keeps everybody quiet while it starts
 * and stops has no uncertain ones.
 */
#ifndef RT_LEDGER_H
#define RT_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { LEDGER_TRACES = 8, LEDGER_GOROUTINES = 1 << 15 };

/* KIND(ID, name, reason of the GoBlock that it is, or NULL) */
#define LEDGER_KINDS(KIND)                               \
	KIND(CREATES, "creations", NULL)                 \
	KIND(ENDS, "ends", NULL)                         \
	KIND(SYSCALLS, "system calls", NULL)             \
	KIND(SENDS, "blocks: send", "chan send")         \
	KIND(RECVS, "blocks: receive", "chan receive")   \
	KIND(SELECTS, "blocks: select", "select")        \
	KIND(SYNCS, "blocks: sync", "sync")              \
	KIND(CONDS, "blocks: cond", "sync.(*Cond).Wait") \
	KIND(SLEEPS, "blocks: sleep", "sleep")           \
	KIND(NETS, "blocks: network", "network")         \
	KIND(UNBLOCKS, "unblocks", NULL)                 \
	KIND(TASKS, "tasks begun", NULL)                 \
	KIND(TASK_ENDS, "tasks ended", NULL)             \
	KIND(REGIONS, "regions begun", NULL)             \
	KIND(REGION_ENDS, "regions ended", NULL)         \
	KIND(LOGS, "logs", NULL)                         \
	KIND(STOPS, "stops of the world", NULL)          \
	KIND(COLLECTIONS, "collections", NULL)

typedef enum ledger_kind {
#define LEDGER_ENUM(ID, name, reason) LEDGER_##ID,
	LEDGER_KINDS(LEDGER_ENUM)
#undef LEDGER_ENUM
		LEDGER_KIND_COUNT
} ledger_kind;

/* ---- in goroutines ---- */

/* The phase now: to be read before an action, and given to ledger_add behind it. */
uint32_t ledger_before(void);
/* Goroutine g did n of a kind, between then and now. */
void ledger_add(uint64_t g, uint32_t before, ledger_kind kind, unsigned n);
/* Whether it did is not known. */
void ledger_perhaps(uint64_t g, uint32_t before, ledger_kind kind);
/* This goroutine counts what it does; others, such as the library's own, are not looked at. */
void ledger_counted(uint64_t g);
/* ... but not its waits: they depend on others. */
void ledger_without_waits(uint64_t g);

/* ---- in the coordinator: in this order, for each trace ---- */

void ledger_starting(void);
void ledger_on(void);
void ledger_stopping(void);
void ledger_off(void);
bool ledger_is_on(void);
/* Trace k has between so many collections, whoever made them. */
void ledger_collections(unsigned k, uint64_t least, uint64_t most);

/* ---- when all is over ---- */

/* Trace number k (from 0) against the ledger: read by libwtr, by the second validator and, when WEFT_GO names it
 * (test/interop/with_go.sh), by Go's own reader.  False: what is wrong has been said on standard error. */
bool ledger_holds(unsigned k, const wb_buf *trace);

#endif
