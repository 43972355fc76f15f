/* rt/stack/unwind.h - the call stack, from frame pointers. */
#ifndef WEFT__UNWIND_H
#define WEFT__UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes pc (unless 0) and the return addresses above it to pcs, at most n in all, innermost first; how many.  fp is
 * the frame pointer that goes with pc.  Each frame must lie whole in [lo, hi) - from the stack pointer to the end of
 * the stack -, higher than the one before; anything else ends the walk, so that whatever a register or a foreign frame
 * holds, only [lo, hi) is read.  The outermost frame of a context, whose caller is weft__ctx_entry, adds no return
 * address. Async-signal-safe, calls nothing.  A function without a frame of its own hides its caller. */
size_t weft__unwind_fp(uintptr_t pc, uintptr_t fp, uintptr_t lo, uintptr_t hi, uintptr_t *pcs, size_t n);

/* Would weft__unwind_fp(0, fp, lo, hi, ..., max) find exactly these n frames?  Faster than finding them again. */
bool weft__unwind_same(uintptr_t fp, uintptr_t lo, uintptr_t hi, const uintptr_t *pcs, size_t n, size_t max);

/* The same for a stack whose ends are not known: each frame is read through the kernel, which knows what is there. */
size_t weft__unwind_anywhere(uintptr_t pc, uintptr_t fp, uintptr_t lo, uintptr_t *pcs, size_t n);

/* The return addresses from the frame at fp on, on whatever stack of the calling thread it is. */
size_t weft__unwind_here(uintptr_t fp, uintptr_t *pcs, size_t n);

/* A return address as it was: arm64 may have signed it (xpaclri; nothing on processors before it). */
static inline uintptr_t weft__unwind_plain(uintptr_t pc)
{
#ifdef __aarch64__
	register uintptr_t x30 __asm__("x30") = pc;
	__asm__("hint #7" : "+r"(x30));
	return x30;
#else
	return pc;
#endif
}

/* The functions that are marked with WEFT__ENTRY. */
extern const char __start_weft_entry[] __attribute__((weak, visibility("hidden")));
extern const char __stop_weft_entry[] __attribute__((weak, visibility("hidden")));

/* n, less the outermost frames that are of such functions. */
static inline size_t weft__unwind_trim(const uintptr_t *pcs, size_t n)
{
	while (n > 0 && pcs[n - 1] >= (uintptr_t)__start_weft_entry && pcs[n - 1] <= (uintptr_t)__stop_weft_entry)
		n--;
	return n;
}

#endif
