/* What base/bytes.h promises, and that it agrees with the rules of varints in the format document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static size_t put(uint8_t *at, uint64_t v, size_t pad)
{
	size_t n = 0;
	do {
		at[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	} while (v || n < pad);
	at[n - 1] &= 0x7f;
	return n;
}

static void reads_every_length_and_padding(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++)
		for (int d = -1; d <= 1; d++)
			for (size_t pad = 0; pad <= 10; pad++) {
				uint64_t v = ((uint64_t)1 << bit) + (uint64_t)d;
				uint8_t t[16];
				size_t n = put(t, v, pad);
				if (n > 10)
					continue;
				wb_bytes b = { .at = t, .end = t + n };
				assert_int_equal(wb_uvarint(&b), v);
				assert_false(b.bad);
				assert_ptr_equal(b.at, t + n);
				for (size_t cut = 0; cut < n;
					cut++) { /* every proper prefix is bad, and does not move */
					b = (wb_bytes){ .at = t, .end = t + cut };
					assert_int_equal(wb_uvarint(&b), 0);
					assert_true(b.bad);
					assert_ptr_equal(b.at, t);
				}
			}
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	uint8_t eleven[11], tenth[10];
	memset(eleven, 0x80, sizeof(eleven));
	eleven[10] = 0;
	wb_bytes b = { .at = eleven, .end = eleven + 11 };
	wb_uvarint(&b);
	assert_true(b.bad);
	memset(tenth, 0xff, sizeof(tenth));
	tenth[9] = 2;
	b = (wb_bytes){ .at = tenth, .end = tenth + 10 };
	wb_uvarint(&b);
	assert_true(b.bad);
	tenth[9] = 1;
	b = (wb_bytes){ .at = tenth, .end = tenth + 10 };
	assert_int_equal(wb_uvarint(&b), UINT64_MAX);
	assert_false(b.bad);
	assert_int_equal(wb_byte(&b), 0);
	assert_true(b.bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_length_and_padding),
		cmocka_unit_test(refuses_what_does_not_fit),
	};
	return cmocka_run_group_tests_name("base/bytes", tests, NULL, NULL);
}
