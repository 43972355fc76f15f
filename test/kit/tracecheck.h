/* kit/tracecheck.h - is a trace of libweft whole?  Read by libwtr, by Go, and byte by byte against a ledger. */
#ifndef KIT_TRACECHECK_H
#define KIT_TRACECHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "fakesched.h"

/* A sink for weft__tr_options.write; arg is a wb_buf. */
int tracecheck_sink(const void *at, size_t n, void *arg);

/* libwtr's validator takes it, and the second one (second.h); else says why and returns false. */
bool tracecheck_valid(const wb_buf *trace);

/* Everything in the ledger is in the trace, and nothing else: by event, and by goroutine. */
bool tracecheck_complete(const wb_buf *trace, const fs *f);

/* The carrier can be read and fits the GoBlock events; exact: they are what fs_waited says, from the first on.
 * *ret_hogs: how many. */
bool tracecheck_carrier(const wb_buf *trace, bool exact, uint64_t *ret_hogs);

/* What libwtr makes of the carrier is what the ledger says: of GoBlock events (exact: see above), of goroutines whose
 * procs were taken (`hogs` of them), of those that wait since before a generation, and of labels. */
bool tracecheck_waits(const wb_buf *trace, bool exact, uint64_t hogs);

/* Generations say of goroutines whose procs were taken in older ones that they compute, and of others that they do not;
 * *ret: how often. */
bool tracecheck_computes(const wb_buf *trace, uint64_t *ret);

/* Each generation says once what each proc and each goroutine that lives at its start is doing, and nothing of others:
 * so that any of them can be the first. */
bool tracecheck_statuses(const wb_buf *trace, unsigned n_procs);

/* Bytes of the generations that are whole, header included: what a trace that was cut off still has. */
size_t tracecheck_whole(const wb_buf *trace);

uint64_t tracecheck_stalls(const wb_buf *trace); /* as the carrier tells */

uint64_t tracecheck_count(const wb_buf *trace, unsigned type); /* of a wire event, as it stands in the file */
size_t tracecheck_generations(const wb_buf *trace);
void tracecheck_save(const wb_buf *trace, const char *path);

#endif
