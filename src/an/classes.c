/* an/classes.c - what a block reason means for statistics and drawing. */
#include <string.h>

#include "an/where.h"

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
		if (strlen(known[i].text) == reason.n && memcmp(known[i].text, reason.at, reason.n) == 0)
			return known[i].cls;
	return WTR_CLASS_BLOCKED;
}
