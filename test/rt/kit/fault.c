/* rt/kit/fault.c - see fault.h. */
#include "fault.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "base/alloc.h"

typedef struct fault {
	_Atomic uint64_t n_calls, nth; /* nth 0: none fails */
	_Atomic int error;
	_Atomic bool always;
} fault;

static fault faults[KIT_CALLS];
static _Atomic uint64_t allocations; /* before the fault was set */

static const char *const names[] = {
#define CALL(ID, function, ...) [KIT_##ID] = #function,
#include "calls.def"
#undef CALL
	[KIT_ALLOC] = "allocation",
};

const char *kit_call_name(kit_call call)
{
	return names[call];
}

void kit_fail(kit_call call, uint64_t nth, int error, bool always)
{
	if (call == KIT_ALLOC) {
		wb_fault_arm(nth, always);
		atomic_store(&allocations, wb_fault_count());
		return;
	}
	fault *f = &faults[call];
	atomic_store(&f->nth, 0);
	atomic_store(&f->n_calls, 0);
	atomic_store(&f->error, error);
	atomic_store(&f->always, always);
	atomic_store(&f->nth, nth);
}

uint64_t kit_called(kit_call call)
{
	return call == KIT_ALLOC ? wb_fault_count() - atomic_load(&allocations) : atomic_load(&faults[call].n_calls);
}

/* With errno set when the call has to fail. */
static bool fails(kit_call call)
{
	fault *f = &faults[call];
	uint64_t n = atomic_fetch_add(&f->n_calls, 1) + 1, nth = atomic_load(&f->nth);
	if (nth == 0 || n < nth || (n > nth && !atomic_load(&f->always)))
		return false;
	errno = atomic_load(&f->error);
	return true;
}

#define CALL(ID, function, counts, failed, type, parameters, arguments) \
	type __real_##function parameters;                              \
	type __wrap_##function parameters;                              \
	type __wrap_##function parameters                               \
	{                                                               \
		if ((counts) && fails(KIT_##ID))                        \
			return failed;                                  \
		return __real_##function arguments;                     \
	}
#include "calls.def"
