/* wtr/wtr.h - all of libwtr: reads Go execution traces (1.11 to 1.27) and answers questions about them. */
#ifndef WTR_WTR_H
#define WTR_WTR_H

#include <wtr/check.h>
#include <wtr/counters.h>
#include <wtr/diff.h>
#include <wtr/edit.h>
#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/findings.h>
#include <wtr/latency.h>
#include <wtr/mmu.h>
#include <wtr/object.h>
#include <wtr/open.h>
#include <wtr/profile.h>
#include <wtr/report.h>
#include <wtr/requests.h>
#include <wtr/snapshots.h>
#include <wtr/text.h>
#include <wtr/waits.h>
#include <wtr/where.h>
#include <wtr/why.h>

#endif
