/* rt/stack/unwind.c - see unwind.h. */
#include "rt/stack/unwind.h"

/* On both processors a frame pointer points to the caller's one, and the return address follows. */
typedef struct frame {
	uintptr_t fp;
	uintptr_t pc;
} frame;

/* arm64 may have signed the address (xpaclri; nothing on processors before it). */
static inline uintptr_t plain(uintptr_t pc)
{
#ifdef __aarch64__
	register uintptr_t x30 __asm__("x30") = pc;
	__asm__("hint #7" : "+r"(x30));
	return x30;
#else
	return pc;
#endif
}

/* Stacks are read as they are: also what ASan calls a redzone, and what another thread writes. */
__attribute__((no_sanitize("address", "thread"))) size_t weft__unwind_fp(
	uintptr_t pc, uintptr_t fp, uintptr_t lo, uintptr_t hi, uintptr_t *pcs, size_t n)
{
	size_t got = 0;
	if (pc && n)
		pcs[got++] = pc;
	while (got < n && fp >= lo && fp < hi && hi - fp >= sizeof(frame) && fp % sizeof(void *) == 0) {
		frame f = *(const volatile frame *)fp;
		if (f.fp == 0 || f.pc == 0)
			break;
		pcs[got++] = plain(f.pc);
		if (f.fp <= fp)
			break;
		fp = f.fp;
	}
	return got;
}
