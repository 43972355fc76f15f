/* rt/sched/watch.c - see watch.h. */
#include "rt/sched/watch.h"

#include "os/thread.h"
#include "rt/sched/park.h"

_Atomic int64_t weft__watch_block_ns, weft__watch_mutex_n;
weft__watch_fn *weft__watch_blocked, *weft__watch_contended;

static const bool in_profile[] = {
#define REASON(ID, text, trace, kind, blocks) [WEFT__WAIT_##ID] = blocks,
#include "rt/sched/states.def"
};

int64_t weft__watch_begin(weft__reason why)
{
	return in_profile[why] ? wo_now_ns() : 0;
}

void weft__watch_end(int64_t since_ns, uintptr_t fp)
{
	if (since_ns && weft__watch_blocked)
		weft__watch_blocked(wo_now_ns() - since_ns, fp);
}

__attribute__((noinline)) weft__m *weft__park_watched(
	weft__m *m, weft__lock *lock, weft__reason why, const void *object, const void *fp)
{
	int64_t since_ns = weft__watch_begin(why);
	m = weft__park_now(m, lock, why, object, fp);
	weft__watch_end(since_ns, (uintptr_t)__builtin_frame_address(0));
	return m;
}
