/* Packed traces: the same bytes come back, whatever they are; damage is found, and what was whole before it is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "fmt/pack.h"
#include "kit.h"

static bool append(void *user, const void *at, size_t n, uint64_t done)
{
	(void)done;
	wb_buf_put(user, at, n);
	return !((wb_buf *)user)->failed;
}

static bool refuse(void *user, const void *at, size_t n, uint64_t done)
{
	(void)at;
	(void)n;
	(void)done;
	return (*(int *)user)-- > 0;
}

static bool same(const wb_buf *b, const void *at, size_t n)
{
	return b->n == n && (n == 0 || memcmp(b->at, at, n) == 0);
}

static void there_and_back(const void *at, size_t n)
{
	wb_buf packed = { 0 }, again = { 0 };
	assert_int_equal(wf_pack(at, n, append, &packed), WF_PACK_OK);
	assert_true(wf_is_packed(packed.at, packed.n));
	assert_int_equal(wf_unpack(packed.at, packed.n, append, &again), WF_PACK_OK);
	assert_true(same(&again, at, n));
	wb_buf_free(&packed);
	wb_buf_free(&again);
}

static void every_trace(void **state)
{
	(void)state;
	size_t n_names;
	char *const *names = kit_trace_names(&n_names);
	assert_true(n_names > 200);
	for (size_t i = 0; i < n_names; i++) {
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		there_and_back(at, n);
		free(at);
	}
}

static void every_prefix(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.26-hello", "go1.19-hello" };
	for (size_t k = 0; k < 2; k++) {
		size_t n;
		uint8_t *at = kit_trace(names[k], &n);
		for (size_t i = 0; i <= n; i++)
			there_and_back(at, i);
		free(at);
	}
}

/* Bytes of one trace in front of another's, numbers that are padded, noise: nothing is lost. */
static void odd_bytes(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.26-hello", &n);
	uint64_t x = 1;
	for (unsigned round = 0; round < 2000; round++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		uint8_t *c = malloc(n);
		memcpy(c, at, n);
		for (unsigned k = 0; k < 1 + round % 5; k++)
			c[(x >> (7 * k)) % n] = (uint8_t)(x >> (40 + k));
		there_and_back(c, n);
		free(c);
	}
	free(at);
}

/* Long enough for several blocks. */
static void many_blocks(void **state)
{
	(void)state;
	size_t n, times = 40;
	uint8_t *at = kit_trace("go1.26-httpload-gens", &n);
	uint8_t *all = malloc(16 + times * (n - 16));
	memcpy(all, at, 16);
	for (size_t i = 0; i < times; i++)
		memcpy(all + 16 + i * (n - 16), at + 16, n - 16);
	there_and_back(all, 16 + times * (n - 16));
	wb_buf packed = { 0 };
	assert_int_equal(wf_pack(all, 16 + times * (n - 16), append, &packed), WF_PACK_OK);
	assert_true(packed.n * 3 < times * n);
	wb_buf_free(&packed);
	free(all);
	free(at);
}

/* Torn anywhere: broken, and what was delivered is how the trace begins. */
static void torn(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.26-annotate", &n);
	wb_buf packed = { 0 };
	assert_int_equal(wf_pack(at, n, append, &packed), WF_PACK_OK);
	for (size_t i = 0; i < packed.n; i++) {
		wb_buf out = { 0 };
		assert_int_equal(wf_unpack(packed.at, i, append, &out), WF_PACK_BROKEN);
		assert_true(out.n <= n && (out.n == 0 || memcmp(out.at, at, out.n) == 0));
		wb_buf_free(&out);
	}
	wb_buf_free(&packed);
	free(at);
}

/* One byte changed anywhere is either found or makes no difference (zstd has bits that say nothing). */
static void damaged(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.26-hello", &n);
	wb_buf packed = { 0 };
	assert_int_equal(wf_pack(at, n, append, &packed), WF_PACK_OK);
	unsigned found = 0;
	for (size_t i = 10 + 16; i < packed.n; i++) {
		packed.at[i] = (char)(packed.at[i] ^ (1 << i % 8));
		wb_buf out = { 0 };
		wf_pack_code rc = wf_unpack(packed.at, packed.n, append, &out);
		assert_true(rc == WF_PACK_BROKEN || (rc == WF_PACK_OK && same(&out, at, n)));
		found += rc == WF_PACK_BROKEN;
		wb_buf_free(&out);
		packed.at[i] = (char)(packed.at[i] ^ (1 << i % 8));
	}
	assert_true(found + 8 > packed.n - 26);
	wb_buf_free(&packed);
	free(at);
}

static void not_packed(void **state)
{
	(void)state;
	wb_buf out = { 0 };
	assert_false(wf_is_packed("", 0));
	assert_false(wf_is_packed("go 1.26 trace\0\0", 16));
	assert_int_equal(wf_unpack("", 0, append, &out), WF_PACK_BROKEN);
	assert_int_equal(wf_unpack("go 1.26 trace\0\0", 16, append, &out), WF_PACK_BROKEN);
	assert_int_equal(out.n, 0);
}

static void no_memory(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.26-hello", &n);
	wb_buf packed = { 0 };
	assert_int_equal(wf_pack(at, n, append, &packed), WF_PACK_OK);
	for (int back = 0; back < 2; back++)
		for (uint64_t i = 1;; i++) {
			int often = 1 << 30;
			wb_fault_arm(i, false);
			wf_pack_code rc =
				back ? wf_unpack(packed.at, packed.n, refuse, &often) : wf_pack(at, n, refuse, &often);
			uint64_t asked = wb_fault_count();
			wb_fault_arm(0, false);
			assert_true(rc == WF_PACK_NOMEM || rc == WF_PACK_OK);
			if (rc == WF_PACK_OK) {
				assert_true(asked && i > 3);
				break;
			}
		}
	wb_buf_free(&packed);
	free(at);
}

static void stopped(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.26-hello", &n);
	wb_buf packed = { 0 };
	assert_int_equal(wf_pack(at, n, append, &packed), WF_PACK_OK);
	for (int i = 0; i < 3; i++) { /* its start, its one block, its end */
		int left = i;
		assert_int_equal(wf_pack(at, n, refuse, &left), WF_PACK_STOPPED);
	}
	for (int i = 0; i < 2; i++) {
		int left = i;
		assert_int_equal(wf_unpack(packed.at, packed.n, refuse, &left), WF_PACK_STOPPED);
	}
	wb_buf_free(&packed);
	free(at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_trace),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(odd_bytes),
		cmocka_unit_test(many_blocks),
		cmocka_unit_test(torn),
		cmocka_unit_test(damaged),
		cmocka_unit_test(not_packed),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(stopped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
