/* os/fault.h - memory faults: a function that sees them first, and stacks for signal handlers to run on. */
#ifndef WO_FAULT_H
#define WO_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wo_fault {
	int signal;           /* SIGSEGV or SIGBUS */
	void *addr;           /* what was touched */
	uintptr_t pc, fp, sp; /* of the code that did */
} wo_fault;

/* From here on fn sees every fault of the process, in a signal handler on the faulting thread, on its alternate stack
 * if it has one.  When it returns, whatever would have happened before happens: the handler that was there is called,
 * or the process is killed.  Once per process (-EALREADY); 0 or negative errno. */
int wo_fault_watch(void (*fn)(const wo_fault *f));

/* An alternate stack for this thread's signal handlers. */
typedef struct wo_sigstack {
	void *at; /* NULL: the thread had a large enough one */
	size_t n_bytes;
	void *old_at;
	size_t old_n_bytes;
	int old_flags;
} wo_sigstack;

/* At least 64 KiB beyond what the kernel itself puts there, with a guard page below.  0 or negative errno. */
int wo_sigstack_init(wo_sigstack *s);
/* Puts back what was, on the same thread and not from a handler. */
void wo_sigstack_done(wo_sigstack *s);

#endif
