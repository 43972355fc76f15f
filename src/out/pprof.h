/* out/pprof.h - profiles as files of other tools. */
#ifndef OUT_PPROF_H
#define OUT_PPROF_H

#include <wtr/diff.h>
#include <wtr/profile.h>

#include "base/buf.h"

/* Appends a gzipped profile.proto, as `go tool pprof` reads it: a sample per record, a location per program counter; a
 * label "state" where records have one.  The same profile gives the same bytes.  False: out of memory. */
bool out_pprof(wb_buf *b, const wtr_profile *p);

/* Appends collapsed stacks: outermost frame first, joined by semicolons, a space, the value (ns; the count where a kind
 * has no ns); most first.  A state stands before the stack, in brackets.  Flame graph tools read it. */
void out_folded(wb_buf *b, const wtr_profile *p);

/* The same of two profiles.  profile.proto: as `go tool pprof -diff_base` makes it, the values of side a below zero and
 * with a label "pprof::base"; collapsed: two values, a's and b's, as difffolded.pl writes them.  Values of side a are
 * scaled to the duration of side b. */
bool out_pprof_stacks(wb_buf *b, const wtr_stacks *p);
void out_folded_stacks(wb_buf *b, const wtr_stacks *p);

#endif
