/* cli/findings.h - findings as the first thing of a summary. */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <wtr/findings.h>

#include "base/buf.h"

/* The worst `limit` of them, a sentence each, and how many more there are; nothing when there is none. */
void cli_findings_brief(wb_buf *b, const wtr_findings *f, size_t limit);

#endif
