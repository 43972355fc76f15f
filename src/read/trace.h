/* read/trace.h - an open trace, as the reader's own files see it. */
#ifndef WTR_READ_TRACE_H
#define WTR_READ_TRACE_H

#include <pthread.h>

#include <wtr/event.h>
#include <wtr/open.h>

#include "base/arena.h"
#include "base/intern.h"
#include "os/file.h"
#include "read/tables.h"

typedef struct wtr__gens wtr__gens; /* v2: the generations of the container (read/v2/) */
typedef struct wtr__v1 wtr__v1;     /* v1: what the first pass learned (read/v1/) */

struct wtr_trace {
	wtr_options    opt;
	char          *path;
	const uint8_t *at;              /* the inflated trace, header included */
	size_t         n;
	wo_map         map;             /* backs `at`, unless the caller's bytes do */
	uint64_t       file_bytes;
	unsigned       version;
	const char    *compression;
	wtr__gens     *v2;
	wtr__v1       *v1;
	wtr_info       info;            /* filled by v1 or v2 while opening */

	pthread_mutex_t extra_lock;     /* guards extra */
	wb_intern       extra;          /* texts not in any table of the file: see wtr__extra_string */
};

/* opt.keep_tables: an index sets it while other cursors of the trace may be running. */
static inline bool wtr__keeps_tables(const wtr_trace *t)
{
	return __atomic_load_n(&t->opt.keep_tables, __ATOMIC_RELAXED);
}

static inline void wtr__keep_tables(wtr_trace *t)
{
	__atomic_store_n(&t->opt.keep_tables, true, __ATOMIC_RELAXED);
}

/* The id (with WTR__EXTRA set) of a text that lives as long as the trace; WTR__UNKNOWN when memory is out.  Any
 * thread. */
uint32_t wtr__extra_string(wtr_trace *t, const char *at, size_t n);

/* v2: indexes the batches.  Damage goes to t->info, not to *err. */
wtr_code wtr__v2_open(wtr_trace *t, wtr_error *err);
void     wtr__v2_close(wtr_trace *t);
int64_t  wtr__v2_reaches(const wtr_trace *t);
wtr_str  wtr__v2_string(const wtr_trace *t, uint32_t id);
size_t   wtr__v2_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n);

/* v1: the first pass.  As Go's NewReader does, it refuses a file that cannot be parsed or ordered as a whole (unless
 * WTR_REPAIR). */
wtr_code wtr__v1_open(wtr_trace *t, wtr_error *err);
void     wtr__v1_close(wtr_trace *t);
wtr_str  wtr__v1_string(const wtr_trace *t, uint32_t id);
size_t   wtr__v1_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n);

#endif
