/* Switching stacks: what is kept, where a parked context says it is, how one ends, and other threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rt/ctx/ctx.h"

enum { STACK_BYTES = 64 << 10 };

/* cmocka's asserts jump: on other stacks facts are written down, and looked at in the test's own function. */
static weft__ctx home;
static bool failed;

#define EXPECT(cond) (failed |= !(cond))

typedef struct strand {
	weft__ctx ctx;
	char *lo, *hi;
	uint64_t seed;
	unsigned turns;
	bool enough;
} strand;

static void strand_init(strand *s, void (*fn)(void *arg))
{
	s->lo = s->lo ? s->lo : aligned_alloc(4096, STACK_BYTES);
	s->hi = s->lo + STACK_BYTES;
	assert_int_equal(weft__ctx_make(&s->ctx, s->lo, s->hi, fn, s), 0);
}

static void strand_done(strand *s)
{
	weft__ctx_done(&s->ctx);
	free(s->lo);
	s->lo = NULL;
}

static int setup(void **state)
{
	(void)state;
	failed = false;
	weft__ctx_thread_init(&home);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	weft__ctx_done(&home);
	return failed ? -1 : 0;
}

/* One strand at a time runs, and what it does comes before what the next does: TSan is told. */
static void hop(weft__ctx *from, weft__ctx *to)
{
	weft__ctx_release(&home);
	weft__ctx_switch(from, to);
	weft__ctx_acquire(&home);
}

static bool on(const strand *s, const void *p)
{
	return (const char *)p >= s->lo && (const char *)p < s->hi;
}

/* ---- the first switch, and the last ---- */

static int frames_from(void **frame)
{
	int n = 0;
	for (; frame && n < 10; frame = *frame)
		n++;
	return n;
}

static void begin_and_end(void *arg)
{
	strand *s = arg;
	EXPECT(on(s, __builtin_frame_address(0)));
	EXPECT(((uintptr_t)__builtin_frame_address(0) & 15) == 0);
	EXPECT(frames_from(__builtin_frame_address(0)) == 1 + WEFT__CTX_SANITIZED);
	s->turns++;
	weft__ctx_exit(&s->ctx, &home);
}

static void the_first_switch_calls_entry_on_the_new_stack(void **state)
{
	(void)state;
	strand s = { 0 };
	strand_init(&s, begin_and_end);
	assert_true(on(&s, s.ctx.sp));
	hop(&home, &s.ctx);
	assert_int_equal(s.turns, 1);
	strand_done(&s);
}

static void one_that_never_ran_is_done(void **state)
{
	(void)state;
	strand s = { 0 };
	for (int i = 0; i < 10000; i++) { /* more than there may be fibers */
		strand_init(&s, begin_and_end);
		weft__ctx_done(&s.ctx);
	}
	strand_init(&s, begin_and_end);
	strand_done(&s);
	assert_int_equal(s.turns, 0);
}

__attribute__((noinline)) static void end_deep(strand *s, unsigned depth)
{
	volatile char frame[100];
	memset((char *)frame, (int)depth, sizeof(frame));
	if (depth > 0)
		end_deep(s, depth - 1);
	else if (s->turns)
		weft__ctx_exit(&s->ctx, &home);
	EXPECT(false);
}

static void end_at_some_depth(void *arg)
{
	strand *s = arg;
	end_deep(s, s->turns++ % 50);
}

static void a_stack_is_used_again_after_an_end_at_any_depth(void **state)
{
	(void)state;
	strand s = { 0 };
	for (int i = 0; i < 20000; i++) {
		strand_init(&s, end_at_some_depth);
		hop(&home, &s.ctx);
		weft__ctx_done(&s.ctx);
	}
	assert_int_equal(s.turns, 20000);
	free(s.lo);
}

/* ---- what is kept ---- */

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	return *seed ^= *seed << 17;
}

/* Many values alive over each switch: integers, floating point, vectors, and on the stack. */
static void keep(void *arg)
{
	typedef uint32_t v4 __attribute__((vector_size(16)));

	strand *s = arg;
	uint64_t a = next(&s->seed), b = next(&s->seed), c = next(&s->seed), d = next(&s->seed), e = next(&s->seed);
	uint64_t sum = a ^ b ^ c ^ d ^ e, block[8];
	double x = (double)(a >> 12), y = (double)(b >> 12);
	double xy = x + y;
	long double z = (long double)c, z2 = z + 1;
	v4 v = { (uint32_t)a, (uint32_t)b, (uint32_t)c, (uint32_t)d }, w = v + 1;
	for (size_t i = 0; i < 8; i++)
		block[i] = sum + i;
	for (unsigned i = 0; i < s->turns; i++) {
		hop(&s->ctx, &home);
		v4 one = w - v;
		EXPECT((a ^ b ^ c ^ d ^ e) == sum);
		EXPECT(x + y == xy);
		EXPECT(z + 1 == z2);
		EXPECT(one[0] == 1 && one[1] == 1 && one[2] == 1 && one[3] == 1);
		for (size_t k = 0; k < 8; k++)
			EXPECT(block[k] == sum + k);
		a += i, b ^= i, c -= i, d += c, e ^= d;
		sum = a ^ b ^ c ^ d ^ e;
		x += 1, xy += 1;
		z += 1, z2 += 1;
		v += 3, w += 3;
		for (size_t k = 0; k < 8; k++)
			block[k] = sum + k;
	}
	weft__ctx_exit(&s->ctx, &home);
}

static void values_survive_switches(void **state)
{
	(void)state;
	enum { N = 7, TURNS = 20000 };
	strand s[N] = { 0 };
	for (size_t i = 0; i < N; i++) {
		s[i].seed = i + 1;
		s[i].turns = TURNS;
		strand_init(&s[i], keep);
	}
	for (unsigned turn = 0; turn <= TURNS; turn++)
		for (size_t i = 0; i < N; i++)
			hop(&home, &s[i].ctx);
	for (size_t i = 0; i < N; i++)
		strand_done(&s[i]);
	assert_false(failed);
}

/* Calls fn(arg) with known values in all registers that a call keeps (but the frame pointer), and reads them after. */
#if defined(__x86_64__)
enum { N_KEPT = 5 };
/* clang-format off */
__asm__(".text\n.type with_registers, @function\nwith_registers:\n"
	"push %rbp; mov %rsp, %rbp; push %rbx; push %r12; push %r13; push %r14; push %r15; push %rdx\n"
	"mov %rdi, %rax; mov %rsi, %rdi\n"
	"mov (%rdx), %rbx; mov 8(%rdx), %r12; mov 16(%rdx), %r13; mov 24(%rdx), %r14; mov 32(%rdx), %r15\n"
	"call *%rax\n"
	"pop %rdx; mov %rbx, (%rdx); mov %r12, 8(%rdx); mov %r13, 16(%rdx); mov %r14, 24(%rdx); mov %r15, 32(%rdx)\n"
	"pop %r15; pop %r14; pop %r13; pop %r12; pop %rbx; pop %rbp; ret\n"
	".size with_registers, . - with_registers\n");
/* clang-format on */
#elif defined(__aarch64__)
enum { N_KEPT = 18 }; /* x19 to x28, d8 to d15 */
		      /* clang-format off */
__asm__(".text\n.type with_registers, %function\nwith_registers:\n"
	"stp x29, x30, [sp, #-176]!; mov x29, sp\n"
	"stp x19, x20, [sp, #16]; stp x21, x22, [sp, #32]; stp x23, x24, [sp, #48]\n"
	"stp x25, x26, [sp, #64]; stp x27, x28, [sp, #80]\n"
	"stp d8, d9, [sp, #96]; stp d10, d11, [sp, #112]; stp d12, d13, [sp, #128]\n"
	"stp d14, d15, [sp, #144]; str x2, [sp, #160]\n"
	"mov x9, x0; mov x0, x1\n"
	"ldp x19, x20, [x2]; ldp x21, x22, [x2, #16]; ldp x23, x24, [x2, #32]\n"
	"ldp x25, x26, [x2, #48]; ldp x27, x28, [x2, #64]\n"
	"ldp d8, d9, [x2, #80]; ldp d10, d11, [x2, #96]\n"
	"ldp d12, d13, [x2, #112]; ldp d14, d15, [x2, #128]\n"
	"blr x9\n"
	"ldr x2, [sp, #160]\n"
	"stp x19, x20, [x2]; stp x21, x22, [x2, #16]; stp x23, x24, [x2, #32]\n"
	"stp x25, x26, [x2, #48]; stp x27, x28, [x2, #64]\n"
	"stp d8, d9, [x2, #80]; stp d10, d11, [x2, #96]\n"
	"stp d12, d13, [x2, #112]; stp d14, d15, [x2, #128]\n"
	"ldp x19, x20, [sp, #16]; ldp x21, x22, [sp, #32]; ldp x23, x24, [sp, #48]\n"
	"ldp x25, x26, [sp, #64]; ldp x27, x28, [sp, #80]\n"
	"ldp d8, d9, [sp, #96]; ldp d10, d11, [sp, #112]\n"
	"ldp d12, d13, [sp, #128]; ldp d14, d15, [sp, #144]\n"
	"ldp x29, x30, [sp], #176; ret\n"
	".size with_registers, . - with_registers\n");
		      /* clang-format on */
#endif
void with_registers(void (*fn)(void *arg), void *arg, uint64_t kept[N_KEPT]) __asm__("with_registers");

__attribute__((noinline)) static void park(void *arg)
{
	strand *s = arg;
	hop(&s->ctx, &home);
}

static void park_with_registers(void *arg)
{
	strand *s = arg;
	uint64_t kept[N_KEPT], seen[N_KEPT];
	for (unsigned i = 0; i < s->turns; i++) {
		for (size_t k = 0; k < N_KEPT; k++)
			kept[k] = next(&s->seed);
		memcpy(seen, kept, sizeof(seen));
		with_registers(park, s, seen);
		EXPECT(memcmp(seen, kept, sizeof(seen)) == 0);
	}
	weft__ctx_exit(&s->ctx, &home);
}

static void registers_of_the_callers_survive(void **state)
{
	(void)state;
	enum { TURNS = 1000 };
	strand s[2] = { { .seed = 3, .turns = TURNS }, { .seed = 5, .turns = TURNS } };
	strand_init(&s[0], park_with_registers);
	strand_init(&s[1], park_with_registers);
	for (unsigned turn = 0; turn <= TURNS; turn++)
		for (size_t i = 0; i < 2; i++)
			hop(&home, &s[i].ctx);
	strand_done(&s[0]);
	strand_done(&s[1]);
	assert_false(failed);
}

/* ---- many ---- */

static void count(void *arg)
{
	strand *s = arg;
	for (; !s->enough; s->turns++)
		hop(&s->ctx, &home);
	weft__ctx_exit(&s->ctx, &home);
}

static void count_enough(strand *s)
{
	s->enough = true;
	hop(&home, &s->ctx);
	strand_done(s);
}

static void millions_of_switches(void **state)
{
	(void)state;
	unsigned n = WEFT__CTX_SANITIZED ? 300000 : 5000000;
	strand s = { 0 };
	strand_init(&s, count);
	for (unsigned i = 0; i < n; i++)
		hop(&home, &s.ctx);
	assert_int_equal(s.turns, n - 1);
	count_enough(&s);
}

/* ---- what a parked context says ---- */

static uint64_t *volatile local_at;

/* A function that calls nothing else: its locals may lie below the stack pointer. */
static void leaf(void *arg)
{
	strand *s = arg;
	volatile uint64_t local[4] = { 1, 2, 3, 4 };
	local_at = (uint64_t *)local;
	weft__ctx_release(&home); /* inlined: nothing is called */
	weft__ctx_switch(&s->ctx, &home);
	EXPECT(local[0] + local[1] + local[2] + local[3] == 10);
	weft__ctx_exit(&s->ctx, &home);
}

static void all_that_is_alive_is_above_sp(void **state)
{
	(void)state;
	strand s = { 0 };
	strand_init(&s, leaf);
	hop(&home, &s.ctx);
	assert_true(on(&s, s.ctx.sp));
	assert_true(on(&s, s.ctx.fp));
	assert_true(on(&s, weft__ctx_sp(&s.ctx)));
	if (on(&s, local_at)) /* not where ASan moves locals to the heap */
		assert_true((char *)local_at >= (char *)s.ctx.sp);
	memset(s.lo, 0x55, (size_t)((char *)s.ctx.sp - s.lo)); /* nobody misses what is below */
	hop(&home, &s.ctx);
	strand_done(&s);
	assert_false(failed);
}

/* ---- other threads ---- */

static pthread_barrier_t barrier;

static void *resume_here(void *arg)
{
	strand *s = arg;
	weft__ctx own = home;
	weft__ctx_thread_init(&home); /* the strand goes back to whoever runs it now */
	for (int i = 0; i < 1000; i++)
		hop(&home, &s->ctx);
	weft__ctx_done(&home);
	home = own;
	return NULL;
}

static void a_context_moves_between_threads(void **state)
{
	(void)state;
	strand s = { 0 };
	strand_init(&s, count);
	for (int i = 0; i < 10; i++) {
		pthread_t t;
		hop(&home, &s.ctx);
		assert_int_equal(pthread_create(&t, NULL, resume_here, &s), 0);
		pthread_join(t, NULL);
	}
	assert_int_equal(s.turns, 10 + 10 * 1000 - 1);
	count_enough(&s);
}

enum { SIDE_BY_SIDE = 100000 };

typedef struct pair {
	weft__ctx home;
	strand s;
	uint64_t sum;
} pair;

static void add(void *arg)
{
	pair *p = arg;
	for (uint64_t i = 0; i < SIDE_BY_SIDE; i++) {
		p->sum += i;
		weft__ctx_switch(&p->s.ctx, &p->home);
	}
	weft__ctx_exit(&p->s.ctx, &p->home);
}

static void *switch_alone(void *arg)
{
	pair *p = arg;
	weft__ctx_thread_init(&p->home);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i <= SIDE_BY_SIDE; i++)
		weft__ctx_switch(&p->home, &p->s.ctx);
	weft__ctx_done(&p->home);
	return NULL;
}

static void threads_switch_side_by_side(void **state)
{
	(void)state;
	enum { N = 3 };
	pthread_t t[N];
	pair p[N] = { 0 };
	pthread_barrier_init(&barrier, NULL, N);
	for (size_t i = 0; i < N; i++) {
		strand_init(&p[i].s, add);
		assert_int_equal(weft__ctx_make(&p[i].s.ctx, p[i].s.lo, p[i].s.hi, add, &p[i]), 0);
	}
	for (size_t i = 0; i < N; i++)
		assert_int_equal(pthread_create(&t[i], NULL, switch_alone, &p[i]), 0);
	for (size_t i = 0; i < N; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(p[i].sum, (uint64_t)SIDE_BY_SIDE * (SIDE_BY_SIDE - 1) / 2);
		strand_done(&p[i].s);
	}
	pthread_barrier_destroy(&barrier);
}

static void no_shadow_stack_here(void **state)
{
	(void)state;
	assert_int_equal(weft__ctx_start(), 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(no_shadow_stack_here),
		CASE(the_first_switch_calls_entry_on_the_new_stack),
		CASE(one_that_never_ran_is_done),
		CASE(a_stack_is_used_again_after_an_end_at_any_depth),
		CASE(values_survive_switches),
		CASE(registers_of_the_callers_survive),
		CASE(millions_of_switches),
		CASE(all_that_is_alive_is_above_sp),
		CASE(a_context_moves_between_threads),
		CASE(threads_switch_side_by_side),
	};
	return cmocka_run_group_tests_name("rt/ctx", tests, NULL, NULL);
}
