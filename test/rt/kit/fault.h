/* rt/kit/fault.h - makes the nth call of one kind fail, as allocations of the project do by base/alloc.h.
 *
 * A program that links rtfault gets its calls through the linker's --wrap: those of the project, not those inside
 * libraries.
 */
#ifndef RT_KIT_FAULT_H
#define RT_KIT_FAULT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum kit_call {
#define CALL(ID, ...) KIT_##ID,
#include "calls.def"
#undef CALL
	KIT_ALLOC, /* base/alloc.h; the error is ENOMEM */
	KIT_CALLS
} kit_call;

/* From now on the nth call (1 is the next) fails with errno `error`, and with `always` each one after it; nth 0: none
 * does.  Of epoll_ctl only additions count. */
void kit_fail(kit_call call, uint64_t nth, int error, bool always);
/* How often it has been called since. */
uint64_t kit_called(kit_call call);

const char *kit_call_name(kit_call call);

#endif
