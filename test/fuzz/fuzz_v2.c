/* The v2 reader (Go 1.22 on) and all that is built on its events.  The first byte chooses the options. */
#include <string.h>

#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 1 || n > INPUT_MAX)
		return -1;
	wtr_options opt = {
		.damage = data[0] & 1 ? WTR_REPAIR : WTR_AS_GO,
		.threads = data[0] & 2 ? 2 : 1,
		.keep_tables = data[0] & 4,
		.inflated_bytes_max = 4 << 20,
	};
	kit_run run = { 0 };
	kit_whole(data + 1, n - 1, &opt, data[0] & 8 ? 0 : WTR_PART_ALL, &run);
	if (data[0] & 0x40)
		kit_ask(data + 1, n - 1, &opt);
	return 0;
}
