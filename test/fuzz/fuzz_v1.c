/* The v1 reader (Go 1.11 to 1.21).  The first byte chooses the options and the version; the rest follows a v1
 * header. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16, HEADER_BYTES = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char headers[4][HEADER_BYTES + 1] = {
		"go 1.11 trace\0\0\0", "go 1.19 trace\0\0\0", "go 1.21 trace\0\0\0", "go 1.21 trace\0\0\0",
	};
	if (n < 1 || n > INPUT_MAX)
		return -1;
	uint8_t *at = malloc(HEADER_BYTES + n - 1);
	kit_check(at);
	memcpy(at, headers[data[0] >> 4 & 3], HEADER_BYTES);
	memcpy(at + HEADER_BYTES, data + 1, n - 1);
	wtr_options opt = { .damage = data[0] & 1 ? WTR_REPAIR : WTR_AS_GO, .threads = data[0] & 2 ? 2 : 1 };
	kit_run run = { 0 };
	kit_whole(at, HEADER_BYTES + n - 1, &opt, data[0] & 8 ? 0 : WTR_PART_ALL, &run);
	if (data[0] & 0x40)
		kit_ask(at, HEADER_BYTES + n - 1, &opt);
	free(at);
	return 0;
}
