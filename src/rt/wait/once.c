/* rt/wait/once.c - something that is done the first time only.  Source: Go, sync/once.go. */
#include <weft/sync.h>

#include "rt/sched/local.h"

/* Also when the goroutine ends inside. */
static void done(void *arg)
{
	weft_once *o = arg;
	__atomic_store_n(&o->done, 1, __ATOMIC_RELEASE);
	weft_unlock(&o->lock);
}

static __attribute__((noinline)) void first(weft_once *o, weft_fn *fn, void *arg)
{
	weft_lock(&o->lock);
	if (__atomic_load_n(&o->done, __ATOMIC_RELAXED)) {
		weft_unlock(&o->lock);
		return;
	}
	weft__cleanup at_end = { .fn = done, .arg = o };
	weft__local_push(&at_end);
	fn(arg);
	weft__local_pull(&at_end);
	done(o);
}

void weft_once_do(weft_once *o, weft_fn *fn, void *arg)
{
	if (!__atomic_load_n(&o->done, __ATOMIC_ACQUIRE))
		first(o, fn, arg);
}
