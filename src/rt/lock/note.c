#include "rt/lock/note.h"

#include "os/futex.h"
#include "os/thread.h"

void weft__note_wake(weft__note *n)
{
	if (atomic_exchange_explicit(&n->woken, 1, memory_order_acq_rel) == 0)
		wo_futex_wake(&n->woken, 1);
}

void weft__note_sleep(weft__note *n)
{
	while (atomic_load_explicit(&n->woken, memory_order_acquire) == 0)
		wo_futex_wait(&n->woken, 0, -1);
}

bool weft__note_sleep_for(weft__note *n, int64_t ns)
{
	if (ns < 0) {
		weft__note_sleep(n);
		return true;
	}
	int64_t end = wo_now_ns() + ns;
	for (;;) {
		if (atomic_load_explicit(&n->woken, memory_order_acquire) != 0)
			return true;
		int64_t left = end - wo_now_ns();
		if (left <= 0)
			return false;
		wo_futex_wait(&n->woken, 0, left);
	}
}
