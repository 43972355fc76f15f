/* rt/stack/leaks.c - the leak check of ASan at exit knows of threads' stacks only: here it is told of ours.
 *
 * A goroutine that is parked when the program ends holds what it holds; Go does not call that a leak either.  The
 * topmost part of a stack that is in memory is searched: looking at all of it would touch 16 pages for each goroutine.
 */
#include "rt/ctx/ctx.h"
#include "rt/stack/slab.h"

#if WEFT__CTX_ASAN
#include <sanitizer/lsan_interface.h>
#include <stdlib.h>

#include "os/pages.h"

static void tell(void *hi, int class, void *arg)
{
	(void)arg;
	size_t n = wo_pages_present_below(hi, (size_t)((char *)hi - (char *)weft__stack_lo(hi, class)));
	if (n)
		__lsan_register_root_region((char *)hi - n, n);
}

static void tell_all(void)
{
	weft__stack_each(tell, NULL);
}

void weft__stack_leaks_init(void)
{
	atexit(tell_all); /* the check itself was registered at start: it comes after */
}

#else

void weft__stack_leaks_init(void) {}

#endif
