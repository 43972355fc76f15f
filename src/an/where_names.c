/* an/where_names.c - fields whose values are known beforehand, and what is said of one that is none of them.
 *
 * Reasons for waiting are not all known: a newer runtime, or libweft, may write others.  Only what is nearly a known
 * one is refused.
 */
#include <string.h>

#include "an/where.h"
#include "base/near.h"

static const char *const reasons[] = {
#define REASON(text, cls) text,
#include "fmt/reasons.def"
};

enum { REASONS = sizeof(reasons) / sizeof(*reasons), WIRE_TYPES = 256 };

/* Name i of a field; NULL behind the last, "" for a number that names nothing. */
static const char *name(unsigned field, unsigned i)
{
	switch (field) {
	case AN_FIELD_KIND: return i + 1 < WTR_KIND_COUNT ? wtr_kind_name(i + 1) : NULL;
	case AN_FIELD_TYPE:
		if (i >= WIRE_TYPES)
			return NULL;
		return strcmp(wtr_type_name(i), "Bad") == 0 ? "" : wtr_type_name(i);
	case AN_FIELD_REASON: return i < REASONS ? reasons[i] : NULL;
	default: return NULL;
	}
}

static bool is_any(const an_term *t, wb_near *near)
{
	const char *s;
	for (unsigned i = 0; (s = name(t->field, i)) != NULL; i++) {
		if (!*s)
			continue;
		if (an_term_text(t, (wtr_str){ s, strlen(s) }))
			return true;
		wb_near_try(near, s);
	}
	return false;
}

bool an_term_names(const an_term *t, wb_buf *ret)
{
	wb_near near = { .word = t->text.at, .n = t->want == AN_WANT_REGEX ? 0 : t->text.n };
	const char *what = t->field == AN_FIELD_KIND   ? "kind of events"
			   : t->field == AN_FIELD_TYPE ? "event type"
						       : "reason to wait";
	const char *s;
	if (name(t->field, 0) == NULL || is_any(t, &near))
		return true;
	if (t->field == AN_FIELD_REASON && (t->want != AN_WANT_PART || !near.best[0]))
		return true;
	wb_buf_printf(ret, "there is no %s '%.*s'", what, (int)(t->text.n < 40 ? t->text.n : 40), t->text.at);
	if (near.best[0]) {
		wb_buf_printf(ret, "; did you mean %s?", near.best);
	} else if (t->field == AN_FIELD_TYPE) {
		wb_buf_puts(ret, "; there are GoCreate, GoBlock, GoUnblock, ProcStart, STWBegin, GCBegin, ...");
	} else {
		wb_buf_puts(ret, "; there are ");
		for (unsigned i = 0; (s = name(t->field, i)) != NULL; i++)
			wb_buf_printf(ret, "%s%s", i ? ", " : "", s);
	}
	return false;
}
