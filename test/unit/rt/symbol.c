/* Names of addresses: functions, inlined frames, and what is left when a program is stripped.
 *
 * This file is built twice: as it is, and with -DSTRIPPED and without symbols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rt/tr/symbol.h"

static uintptr_t here;
static int line_inside, line_outside;

/* Where it returns to, less one, is inside the call. */
__attribute__((noinline)) static void remember_caller(void)
{
	here = (uintptr_t)__builtin_return_address(0) - 1;
	__asm__ volatile("" ::: "memory");
}

__attribute__((always_inline)) static inline void inlined_one(void)
{
	line_inside = __LINE__ + 1;
	remember_caller();
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline)) static void outer_one(void)
{
	line_outside = __LINE__ + 1;
	inlined_one();
	__asm__ volatile("" ::: "memory");
}

static weft__tr_symbols *opened(void)
{
	weft__tr_symbols *s = weft__tr_symbols_open();
	assert_non_null(s);
	return s;
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);
	return n >= k && strcmp(text + n - k, end) == 0;
}

#ifndef STRIPPED

static void inlined_frames(void **state)
{
	(void)state;
	const weft__tr_frame *f;
	weft__tr_symbols *s = opened();
	outer_one();
	for (int again = 0; again < 2; again++) {
		assert_int_equal(weft__tr_symbols_at(s, here, &f), 2);
		assert_string_equal(f[0].func, "inlined_one");
		assert_string_equal(f[1].func, "outer_one");
		assert_int_equal(f[0].line, line_inside);
		assert_int_equal(f[1].line, line_outside);
		assert_true(ends_with(f[0].file, "symbol.c"));
		assert_true(ends_with(f[1].file, "symbol.c"));
	}
	weft__tr_symbols_close(s);
}

/* Where a function begins, as in the stack of a new goroutine. */
static void entries(void **state)
{
	(void)state;
	const weft__tr_frame *f;
	weft__tr_symbols *s = opened();
	assert_int_equal(weft__tr_symbols_at(s, (uintptr_t)outer_one, &f), 1);
	assert_string_equal(f[0].func, "outer_one");
	weft__tr_symbols_close(s);
}

#else

static void module_and_offset(void **state)
{
	(void)state;
	const weft__tr_frame *f;
	weft__tr_symbols *s = opened();
	outer_one();
	assert_int_equal(weft__tr_symbols_at(s, here, &f), 1);
	assert_non_null(strstr(f[0].func, "stripped+0x"));
	assert_true(strchr(f[0].file, '/') != NULL);
	assert_int_equal(f[0].line, 1);
	(void)ends_with;
	weft__tr_symbols_close(s);
}

#endif

/* Of a library: its symbol table at least. */
static void libraries(void **state)
{
	(void)state;
	const weft__tr_frame *f;
	weft__tr_symbols *s = opened();
	size_t n = weft__tr_symbols_at(s, (uintptr_t)qsort + 4, &f);
	assert_true(n >= 1);
	assert_non_null(strstr(f[n - 1].func, "qsort"));
	weft__tr_symbols_close(s);
}

static void no_code_there(void **state)
{
	(void)state;
	const weft__tr_frame *f;
	weft__tr_symbols *s = opened();
	static const uintptr_t bad[] = { 0, 1, 0x1234, (uintptr_t)-1, (uintptr_t)1 << 62 };
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char want[32];
		snprintf(want, sizeof(want), "0x%llx", (unsigned long long)bad[i]);
		assert_int_equal(weft__tr_symbols_at(s, bad[i], &f), 1);
		assert_string_equal(f[0].func, want);
		assert_int_equal(f[0].line, 1);
	}
	weft__tr_symbols_refresh(s);
	assert_int_equal(weft__tr_symbols_at(s, 99, &f), 1);
	weft__tr_symbols_close(s);
	weft__tr_symbols_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef STRIPPED
		cmocka_unit_test(inlined_frames),
		cmocka_unit_test(entries),
#else
		cmocka_unit_test(module_and_offset),
#endif
		cmocka_unit_test(libraries),
		cmocka_unit_test(no_code_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
