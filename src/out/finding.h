/* out/finding.h - findings as sentences, and as JSON (docs/json.md). */
#ifndef OUT_FINDING_H
#define OUT_FINDING_H

#include <wtr/findings.h>

#include "base/buf.h"
#include "out/json.h"

/* Its sentence with the values in it, fit for a terminal; begins with a capital letter, no full stop. */
void out_finding_sentence(wb_buf *b, const wtr_finding *d);
/* "1,204 of 1,310 waits"; "all 1,310 waits". */
void out_finding_coverage(wb_buf *b, const wtr_finding *d);

/* Members of the object that is open: totals, and at most `limit` (0: all) findings.  Times are ns since `start_ns`. */
void out_findings_json(out_json *j, const wtr_findings *f, size_t limit, int64_t start_ns);

#endif
