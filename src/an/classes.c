/* an/classes.c - see classes.h. */
#include "an/classes.h"

#include <string.h>

static bool is(wtr_str s, const char *text)
{
	return strlen(text) == s.n && memcmp(text, s.at, s.n) == 0;
}

unsigned an_reason_class(wtr_str reason)
{
	static const struct {
		const char *text;
		uint8_t cls;
	} known[] = {
#define REASON(text, cls) { text, WTR_CLASS_##cls },
#include "fmt/reasons.def"
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (is(reason, known[i].text))
			return known[i].cls;
	return WTR_CLASS_BLOCKED;
}

bool an_collects(const wtr_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(frames[i].func, "runtime.mallocgc") || is(frames[i].func, "runtime.gcStart"))
			return true;
	return false;
}
