/* Small files that claim to be large: compressed nothing, and records that count to 2^60. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "hostile.h"

#define HEADER26 "go 1.26 trace\0\0\0"
#define HEADER21 "go 1.21 trace\0\0\0"
enum { HEADER_BYTES = 16 };

/* The largest resident set of this process so far. */
static size_t resident_bytes(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (size_t)u.ru_maxrss << 10;
}

static void refused(const void *data, size_t n, wtr_code want)
{
	wtr_options opt = { .threads = 1 };
	kit_run run = { 0 };
	size_t before = kit_heap_now(), resident = resident_bytes();
	kit_heap_mark();
	kit_whole(data, n, &opt, WTR_PART_ALL, &run);
	assert_int_equal(run.opened, want);
	assert_int_equal(kit_heap_now(), before);
	assert_true(kit_heap_peak() - before <= (16u << 20));
	/* Inflated bytes lie in a file, not on the heap; what of it is mapped counts here. */
	assert_true(resident_bytes() - resident <= (256u << 20));
}

/* zstd stores 128 KiB of zeros in 4 bytes: 8 GiB in 256 KiB. */
static void zstd_bomb(void **state)
{
	(void)state;
	enum { BLOCK = 128 << 10, BLOCKS = 65536 };
	size_t n = 0;
	uint8_t *at = malloc(64 + BLOCKS * 4);
	assert_non_null(at);
	memcpy(at, "\x28\xb5\x2f\xfd\x00\x38", 6); /* no content size, window of 128 KiB */
	n = 6;
	/* A raw block with the header of a trace, then blocks of one repeated byte. */
	uint32_t head = HEADER_BYTES << 3;
	memcpy(at + n, &head, 3);
	memcpy(at + n + 3, HEADER26, HEADER_BYTES);
	n += 3 + HEADER_BYTES;
	for (int i = 0; i < BLOCKS; i++) {
		uint32_t h = (uint32_t)BLOCK << 3 | 1u << 1 | (i == BLOCKS - 1);
		memcpy(at + n, &h, 3);
		at[n + 3] = 0;
		n += 4;
	}
	refused(at, n, WTR_E_LIMIT);
	free(at);
}

/* gzip reaches about 1000:1. */
static void gzip_bomb(void **state)
{
	(void)state;
	z_stream z = { 0 };
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	static uint8_t zeros[1 << 20];
	size_t cap = 1 << 20, n = 0;
	uint8_t *at = malloc(cap);
	assert_non_null(at);
	for (int i = 0; i < 300; i++) { /* 300 MB in 300 KB */
		z.next_in = i ? zeros : (uint8_t *)HEADER26;
		z.avail_in = i ? sizeof(zeros) : HEADER_BYTES;
		do {
			z.next_out = at + n;
			z.avail_out = (uInt)(cap - n);
			assert_true(deflate(&z, i == 299 ? Z_FINISH : Z_NO_FLUSH) >= 0);
			n = cap - z.avail_out;
		} while (z.avail_in);
	}
	deflateEnd(&z);
	assert_true(n < 400 << 10);
	wtr_options opt = { .threads = 1, .inflated_bytes_max = 100 << 20 };
	wtr_trace *t = NULL;
	wtr_error err = { 0 };
	assert_int_equal(wtr_open_bytes(at, n, &opt, &t, &err), WTR_E_LIMIT);
	assert_null(t);
	free(at);
}

/* Records whose numbers are larger than any file; each must be refused, or read as empty, without allocating for it. */
#define BIG "\xff\xff\xff\xff\xff\xff\xff\xff\x0f" /* 2^60 - 1 */
#define CLAIM(name, header, body) { name, header body, HEADER_BYTES + sizeof(body) - 1 }
static const struct {
	const char *name, *at;
	size_t      n;
} claims[] = {
	CLAIM("batch of 2^60 bytes", HEADER26, "\x01\x01\x01\x01" BIG),
	CLAIM("batch of generation 2^60", HEADER26, "\x01" BIG "\x01\x01\x00"),
	CLAIM("string of 2^60 bytes", HEADER26, "\x01\x01\x00\x01\x0d\x04\x05\x01" BIG "xx"),
	CLAIM("string with id 2^60", HEADER26, "\x01\x01\x00\x01\x0d\x04\x05" BIG "\x02xx"),
	CLAIM("stack of 2^60 frames", HEADER26, "\x01\x01\x00\x01\x0c\x02\x03\x01" BIG "\x01"),
	CLAIM("stack with id 2^60", HEADER26, "\x01\x01\x00\x01\x10\x02\x03" BIG "\x01\x01\x01\x01\x01"),
	CLAIM("goroutine 2^60", HEADER26, "\x01\x01\x01\x01\x0e\x19\x01" BIG "\x01\x01"),
	CLAIM("v1 string of 2^60 bytes", HEADER21, "\x02\x01" BIG "xx"),
	CLAIM("v1 stack of 2^60 frames", HEADER21, "\xc3" BIG BIG),
	CLAIM("v1 event of 2^60 bytes", HEADER21, "\xc4" BIG "\x01\x01"),
};

static void claims_cost_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		for (int damage = WTR_AS_GO; damage <= WTR_REPAIR; damage++) {
			hostile_slot slot = { 0 };
			wtr_options opt = { .damage = (wtr_damage)damage, .threads = 1 };
			kit_run run = { 0 };
			hostile_try(&slot, claims[i].at, claims[i].n, &opt, &run);
			printf("# %s: %s, %zu bytes\n", claims[i].name,
				wtr_strerror(run.opened ? run.opened : run.ended), slot.peak_bytes);
			assert_int_equal(run.events > 4, 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zstd_bomb),
		cmocka_unit_test(gzip_bomb),
		cmocka_unit_test(claims_cost_nothing),
	};
	return cmocka_run_group_tests_name("hostile/bomb", tests, NULL, NULL);
}
