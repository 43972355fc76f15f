/* test/truth - everything that Go 1.27 says about a trace, compared with what we say.
 *
 * main.c     the test: one per trace
 * ours.c     our index as a JSON text of the shape of a truth file
 * errors.c   Go's error messages, and which of our rules each of them is
 * exempt.c, syscalls.c   where Go is wrong: its values are replaced by the right ones before comparing
 * compare.c  two JSON trees, value by value
 * profiles.c the four profiles, likewise
 * mmu.c      minimum mutator utilization
 */
#ifndef TRUTH_H
#define TRUTH_H

#include <stdint.h>
#include <yajl/yajl_tree.h>

#include <wtr/wtr.h>

#include "base/buf.h"

/* The index as JSON; `sha` is the digest of the event dump as hex. */
void truth_ours(wtr_trace *t, const wtr_index *x, const char *sha, wb_buf *out);

/* The four profiles as JSON. */
void truth_profiles(wtr_trace *t, wb_buf *out);

/* Compares the utilization curves; counts what agrees and what does not. */
void truth_mmu(wtr_trace *t, yajl_val truth, uint64_t *same, unsigned *bad);

/* Compares two trees and returns how many values (numbers, texts, nulls, sizes of lists) agree; differences are printed
 * as TAP comments and counted in *bad. */
uint64_t truth_compare(yajl_val want, yajl_val got, unsigned *bad);

/* Whether our error is the one that Go reports.  `go` is the first line of Go's message, "" for none. */
bool truth_same_error(const char *go, const wtr_error *ours);

/* How many values Go computes wrongly and are replaced before comparing, by case of docs/analyses.md. */
typedef struct truth_exempted {
	uint64_t open_syscalls, unnoticed_steals, v1_root_tasks;
} truth_exempted;

/* Replaces them: as the truth file itself shows, and by a model of Go's bookkeeping of system calls. */
void truth_exempt(yajl_val truth, unsigned version, truth_exempted *n);
void truth_exempt_syscalls(yajl_val truth, wtr_trace *t, truth_exempted *n);
/* Counts some of a goroutine's time, and that of its group, as blocked in a system call; returns how many values that
 * changed. */
uint64_t truth_move_syscall(yajl_val truth, int64_t g, int64_t ns);

/* Members of objects; NULL if not there. */
yajl_val    truth_get(yajl_val v, const char *key);
const char *truth_text(yajl_val v, const char *key);   /* "" if not there */
int64_t     truth_number(yajl_val v, const char *key); /* 0 if not there or null */

#endif
