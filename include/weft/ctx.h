/* weft/ctx.h - contexts (cancellation and deadlines that go down a tree of calls), and groups of goroutines. */
#ifndef WEFT_CTX_H
#define WEFT_CTX_H

#include <stdbool.h>

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes a context that ends when it is cancelled, when its deadline comes, or when its parent ends.
 *
 * parent NULL: none ("background").  A deadline later than the parent's is the parent's; WEFT_FOREVER: no other than
 * the parent's.  Ownership: one reference; the context keeps its parent alive.  The last weft_ctx_unref() cancels, so
 * children and waiters never outlive it unnoticed.  NULL when memory is out, or when a deadline is given and the
 * scheduler does not run.
 * Same as Go: context.WithCancel, context.WithDeadline; values are not carried.
 */
WEFT_API weft_ctx *weft_ctx_make(weft_ctx *parent, weft_ns deadline);
WEFT_API weft_ctx *weft_ctx_ref(weft_ctx *c); /* returns c; NULL is fine; any thread */
WEFT_API void weft_ctx_unref(weft_ctx *c);

/* Ends the context and all below it, before it returns.  A second call does nothing.  NULL is fine.  Any thread.
 * Same as Go: CancelFunc ("After the first call, subsequent calls to a CancelFunc do nothing"). */
WEFT_API void weft_ctx_cancel(weft_ctx *c);

/* A channel without elements that is closed when the context ends: for weft_select().  It is the context's: borrowed.
 * NULL for c NULL, which is never ready.  When it is closed, all contexts below have ended, too.  Same as Go:
 * Context.Done. */
WEFT_API weft_chan *weft_ctx_done(weft_ctx *c);
/* 0 while it lasts; then always -ECANCELED or -ETIMEDOUT, as it ended first: the channel of weft_ctx_done() is closed.
 * 0 for NULL.  Any thread.  Same as Go: Context.Err. */
WEFT_API int weft_ctx_err(weft_ctx *c);
/* The deadline, its parents' included; WEFT_FOREVER when there is none.  Any thread.  Same as Go: Context.Deadline. */
WEFT_API weft_ns weft_ctx_deadline(weft_ctx *c);
/* weft_sleep(d) that ends early: 0, or what weft_ctx_err() says. */
WEFT_API int weft_ctx_sleep(weft_ctx *c, weft_ns d);

/* ---- groups ---- */

/* What a goroutine of a group runs: 0, or an error (any other number; negative errno by custom). */
typedef int weft_task_fn(void *arg);

/* Makes a group of goroutines that work on one thing: the first error ends the group's context and is what _wait()
 * says.  parent may be NULL.  Ownership: one reference; NULL when memory is out.
 * Same as Go: golang.org/x/sync/errgroup. */
WEFT_API weft_group *weft_group_make(weft_ctx *parent);
/* The caller's reference; goroutines of the group keep it alive until they have ended. */
WEFT_API void weft_group_unref(weft_group *g);
/* Borrowed; ends with the first error and with the end of weft_group_wait(). */
WEFT_API weft_ctx *weft_group_ctx(weft_group *g);
/* At most n goroutines at once; 0: none at all, negative: no limit (as at first).  Panics when some are running. */
WEFT_API void weft_group_limit(weft_group *g, int n);
/* Starts fn(arg) in a goroutine of the group; waits first while the limit is reached.  0, or errors as weft_go(). */
WEFT_API int weft_group_go(weft_group *g, weft_task_fn *fn, void *arg);
/* -EAGAIN instead of waiting. */
WEFT_API int weft_group_try_go(weft_group *g, weft_task_fn *fn, void *arg);
/* Waits until all have ended; returns the first error, or 0. */
WEFT_API int weft_group_wait(weft_group *g);

#ifdef __cplusplus
}
#endif
#endif
