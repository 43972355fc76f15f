/* an/find/pass.h - the rules as a sink, for whoever has more to ask in the same pass. */
#ifndef AN_FIND_PASS_H
#define AN_FIND_PASS_H

#include <wtr/findings.h>

#include "an/index.h"

typedef struct an_find an_find;

an_find *an_find_new(wtr_trace *t, const wtr_findings_query *q); /* NULL: out of memory */
void an_find_free(an_find *f);                                   /* NULL is fine */
an_sink *an_find_sink(an_find *f);
/* After the last event: closes what is open and lets the rules report; fills in what was looked at.  t->end and
 * t->losses are already there.  False: out of memory. */
bool an_find_finish(an_find *f, wtr_findings_totals *t);
/* After a pass that ended with `rc`: the findings (findings.c).  Frees `f`; fails as the pass did, or with E_NOMEM. */
wtr_code an_find_done(an_find *f, wtr_code rc, wtr_findings_totals *t, wtr_findings **ret, wtr_error *err);

#endif
