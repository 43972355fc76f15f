/* wtr/check.h - is this trace sound? */
#ifndef WTR_CHECK_H
#define WTR_CHECK_H

#include <wtr/error.h>
#include <wtr/event.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Named counters of what was odd but survivable, such as times squeezed at a generation boundary
 * (src/read/diag.def). */
typedef enum wtr_severity { WTR_SEV_INFO, WTR_SEV_LOSS, WTR_SEV_ERROR } wtr_severity;
typedef void wtr_diag_fn(void *user, const char *name, wtr_severity severity, uint64_t n, const char *text);
/* Calls fn for every counter that is not 0, of the pass that `c` made so far. */
WTR_API void wtr_diag(const wtr_cursor *c, wtr_diag_fn *fn, void *user);

/* Reads the whole trace and judges it more strictly than reading does: besides what a cursor refuses, clock snapshots
 * must increase, and every frame but the outermost needs a function and a line (the rules of Go's own test validator).
 * OK, or the code of the first fault with *err filled. */
WTR_API wtr_code wtr_validate(wtr_trace *t, wtr_error *err);

#ifdef __cplusplus
}
#endif
#endif
