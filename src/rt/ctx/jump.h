/* rt/ctx/jump.h - the instructions of a stack switch, for each processor; for ctx.h and ctx.c only.
 *
 * A parked context is three words: where its stack ends, its frame pointer, and where to go on.  All else that a
 * function may keep in registers is told to the compiler as lost, so that it saves what is alive there and nothing
 * more. Inlined, a switch costs two predictable jumps less than a call, and it ends in an indirect jump: `ret` would be
 * predicted from the call history of the other stack, always wrongly (about 10 ns).
 *
 * sp is stored before the stack pointer changes, so that whoever stops this thread at any instruction finds each stack
 * either under a running stack pointer or with its end written down.
 */
#ifndef WEFT__CTX_JUMP_H
#define WEFT__CTX_JUMP_H

#define WEFT__CTX_INLINE static inline __attribute__((always_inline))

/* Where a new context begins (entry.S): takes the argument and the function from the stack and calls it. */
void weft__ctx_entry(void);

#if defined(__x86_64__)

/* The compiler may hold live values in the 128 bytes below the stack pointer: sp is stored so as to cover them. */
enum { WEFT__CTX_RED_BYTES = 128 };

#ifdef __AVX512F__
#define WEFT__CTX_CLOBBER_AVX512                                                                                      \
	, "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", \
		"xmm28", "xmm29", "xmm30", "xmm31", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define WEFT__CTX_CLOBBER_AVX512
#endif

#define WEFT__CTX_CLOBBER                                                                                            \
	"rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2",    \
		"xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", \
		"xmm15", "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",                  \
		"memory" WEFT__CTX_CLOBBER_AVX512

/* clang-format off */
WEFT__CTX_INLINE void weft__ctx_jump(void **from, void **to)
{
	__asm__ volatile(
		"leaq	-128(%%rsp), %%rax\n\t"
		"leaq	1f(%%rip), %%rcx\n\t"
		"movq	%%rax, (%0)\n\t"
		"movq	%%rbp, 8(%0)\n\t"
		"movq	%%rcx, 16(%0)\n\t"
		"movq	(%1), %%rax\n\t"
		"movq	16(%1), %%rcx\n\t"
		"movq	8(%1), %%rbp\n\t"
		"leaq	128(%%rax), %%rsp\n\t"
		"jmp	*%%rcx\n"
		"1:	endbr64"
		: "+D"(from), "+S"(to) : : WEFT__CTX_CLOBBER);
}

WEFT__CTX_INLINE _Noreturn void weft__ctx_jump_last(void **to)
{
	__asm__ volatile(
		"movq	(%0), %%rax\n\t"
		"movq	16(%0), %%rcx\n\t"
		"movq	8(%0), %%rbp\n\t"
		"leaq	128(%%rax), %%rsp\n\t"
		"jmp	*%%rcx"
		: : "S"(to) : "rax", "rcx", "memory");
	__builtin_unreachable();
}
/* clang-format on */

#elif defined(__aarch64__)

enum { WEFT__CTX_RED_BYTES = 0 };

#ifdef __ARM_FEATURE_SVE
#define WEFT__CTX_CLOBBER_SVE \
	, "p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9", "p10", "p11", "p12", "p13", "p14", "p15", "ffr"
#else
#define WEFT__CTX_CLOBBER_SVE
#endif

#define WEFT__CTX_CLOBBER                                                                                              \
	"x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x18", \
		"x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "x30", "v0", "v1", "v2", "v3",   \
		"v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17", "v18",     \
		"v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "cc",       \
		"memory" WEFT__CTX_CLOBBER_SVE

/* clang-format off */
WEFT__CTX_INLINE void weft__ctx_jump(void **from, void **to)
{
	register void **x0 __asm__("x0") = from;
	register void **x1 __asm__("x1") = to;
	__asm__ volatile(
		"mov	x9, sp\n\t"
		"adr	x10, 1f\n\t"
		"stp	x9, x29, [x0]\n\t"
		"str	x10, [x0, #16]\n\t"
		"ldr	x16, [x1, #16]\n\t"
		"ldp	x9, x29, [x1]\n\t"
		"mov	sp, x9\n\t"
		"br	x16\n"
		"1:	hint	#38" /* bti jc */
		: "+r"(x0), "+r"(x1) : : WEFT__CTX_CLOBBER);
}

WEFT__CTX_INLINE _Noreturn void weft__ctx_jump_last(void **to)
{
	register void **x1 __asm__("x1") = to;
	__asm__ volatile(
		"ldr	x16, [x1, #16]\n\t"
		"ldp	x9, x29, [x1]\n\t"
		"mov	sp, x9\n\t"
		"br	x16"
		: : "r"(x1) : "x9", "x16", "memory");
	__builtin_unreachable();
}
/* clang-format on */

#else
#error "rt/ctx knows x86-64 and arm64: write a weft__ctx_jump and a weft__ctx_entry for this processor"
#endif

#endif
