/* Packed traces.  First byte even: the rest is packed and must come back; odd: the rest is unpacked, whatever it is. */
#include <string.h>

#include "base/buf.h"
#include "fmt/pack.h"
#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16, OUTPUT_MAX = 64 << 20 };

static bool append(void *user, const void *at, size_t n, uint64_t done)
{
	(void)done;
	wb_buf *b = user;
	wb_buf_put(b, at, n);
	return !b->failed && b->n < OUTPUT_MAX;
}

static void there_and_back(const uint8_t *data, size_t n)
{
	wb_buf packed = { 0 }, again = { 0 };
	kit_check(wf_pack(data, n, append, &packed) == WF_PACK_OK);
	kit_check(wf_unpack(packed.at, packed.n, append, &again) == WF_PACK_OK);
	kit_check(again.n == n);
	kit_check(n == 0 || memcmp(again.at, data, n) == 0);
	wb_buf_free(&packed);
	wb_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1 || n > INPUT_MAX)
		return -1;
	if (data[0] % 2 == 0) {
		there_and_back(data + 1, n - 1);
		return 0;
	}
	wb_buf out = { 0 };
	wf_unpack(data + 1, n - 1, append, &out);
	wb_buf_free(&out);
	return 0;
}
