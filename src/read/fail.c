/* read/fail.c - filling in wtr_error. */
#include <stdarg.h>
#include <stdio.h>

#include "read/source.h"

wtr_code wtr__fail(wtr_error *err, wtr_code code, uint64_t offset, uint64_t generation, int64_t thread,
	const char *event, const char *rule, const char *fmt, ...)
{
	if (!err)
		return code;
	*err = (wtr_error){
		.code = code, .offset = offset, .generation = generation, .thread = thread, .event = event, .rule = rule
	};
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	va_end(ap);
	return code;
}

const char *wtr_strerror(wtr_code code)
{
	switch (code) {
#define TEXT(name, number, text) case WTR_##name: return text;
		WTR_CODES(TEXT)
#undef TEXT
	}
	return "unknown error";
}
