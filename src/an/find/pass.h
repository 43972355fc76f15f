/* an/find/pass.h - the pass as findings.c runs it. */
#ifndef AN_FIND_PASS_H
#define AN_FIND_PASS_H

#include "an/find/find.h"

an_find *an_find_new(wtr_trace *t, const wtr_findings_query *q); /* NULL: out of memory */
void an_find_free(an_find *f);                                   /* NULL is fine */
/* After the last event: closes what is open and lets the rules report; fills in what was looked at.  t->end and
 * t->losses are already there.  False: out of memory. */
bool an_find_finish(an_find *f, wtr_findings_totals *t);

#endif
