/* read/v1/v1.c - Go 1.11 to 1.21. */
#include <wtr/open.h>

#include "read/source.h"
#include "read/trace.h"

wtr_code wtr__v1_open(wtr_trace *t, wtr_error *err)
{
	return wtr__fail(err, WTR_E_VERSION, 0, 0, WTR_NONE, "", "version", "go 1.%u trace: not read yet", t->version);
}

void wtr__v1_close(wtr_trace *t) { (void)t; }

wtr_str wtr__v1_string(const wtr_trace *t, uint32_t id) { (void)t; (void)id; return (wtr_str){ "", 0 }; }

size_t wtr__v1_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n) { (void)t; (void)id; (void)ret; (void)n; return 0; }

wtr__source *wtr__v1_source(wtr_trace *t, wtr_error *err) { wtr__v1_open(t, err); return NULL; }
