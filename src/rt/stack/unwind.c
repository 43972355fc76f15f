/* rt/stack/unwind.c - see unwind.h. */
#include "rt/stack/unwind.h"

#include "os/cputimer.h"
#include "rt/stack/stack.h"

/* On both processors a frame pointer points to the caller's one, and the return address follows. */
typedef struct frame {
	uintptr_t fp;
	uintptr_t pc;
} frame;

/* Stacks are read as they are: also what ASan calls a redzone, and what another thread writes. */
#define RAW __attribute__((no_sanitize("address", "thread")))

/* The return address of the frame at *fp, and the frame above it: `hi`, where none can be, after the last.  False: no
 * frame. */
RAW static inline bool step(uintptr_t *fp, uintptr_t lo, uintptr_t hi, uintptr_t *ret_pc)
{
	uintptr_t at = *fp;
	if (at < lo || at >= hi || hi - at < sizeof(frame) || at % sizeof(void *) != 0)
		return false;
	frame f = *(const volatile frame *)at;
	if (f.fp == 0 || f.pc == 0)
		return false;
	*ret_pc = weft__unwind_plain(f.pc);
	*fp = f.fp > at ? f.fp : hi;
	return true;
}

RAW size_t weft__unwind_fp(uintptr_t pc, uintptr_t fp, uintptr_t lo, uintptr_t hi, uintptr_t *pcs, size_t n)
{
	size_t got = 0;
	if (pc && n)
		pcs[got++] = pc;
	while (got < n && step(&fp, lo, hi, &pcs[got]))
		got++;
	return got;
}

RAW bool weft__unwind_same(uintptr_t fp, uintptr_t lo, uintptr_t hi, const uintptr_t *pcs, size_t n, size_t max)
{
	uintptr_t pc;
	for (size_t i = 0; i < n; i++)
		if (!step(&fp, lo, hi, &pc) || pc != pcs[i])
			return false;
	return n == max || !step(&fp, lo, hi, &pc);
}

/* Frames of one stack lie no further apart than this. */
enum { FRAME_BYTES_MAX = 1 << 20 };

size_t weft__unwind_anywhere(uintptr_t pc, uintptr_t fp, uintptr_t lo, uintptr_t *pcs, size_t n)
{
	size_t got = 0;
	if (pc && n)
		pcs[got++] = pc;
	while (got < n) {
		frame f;
		if (fp < lo || fp - lo > FRAME_BYTES_MAX || fp % sizeof(void *) != 0 || !wo_peek(fp, &f, sizeof(f)) ||
			f.pc == 0)
			break;
		pcs[got++] = weft__unwind_plain(f.pc);
		if (f.fp <= fp)
			break;
		lo = fp;
		fp = f.fp;
	}
	return got;
}

size_t weft__unwind_here(uintptr_t fp, uintptr_t *pcs, size_t n)
{
	weft__stack_place at;
	if (weft__stack_find((void *)fp, &at))
		return weft__unwind_fp(0, fp, fp, (uintptr_t)at.hi, pcs, n);
	return weft__unwind_anywhere(0, fp, fp, pcs, n);
}
