/* an/where_text.c - texts, numbers and stacks against what a term wants. */
#include <string.h>

#include "an/where.h"
#include "base/near.h"

static bool matches(const regex_t *re, wtr_str s)
{
	regmatch_t in = { .rm_so = 0, .rm_eo = (regoff_t)s.n };
	return regexec(re, s.n ? s.at : "", 1, &in, REG_STARTEND) == 0;
}

bool an_term_text(const an_term *t, wtr_str s)
{
	switch (t->want) {
	case AN_WANT_WHOLE: return s.n == t->text.n && (s.n == 0 || memcmp(s.at, t->text.at, s.n) == 0);
	case AN_WANT_REGEX: return matches(t->regex, s);
	default: return wb_has_part(s.at, s.n, t->text.at, t->text.n);
	}
}

bool an_term_number(const an_term *t, int64_t v)
{
	return v >= t->lo && v <= t->hi;
}

bool an_term_frames(const an_term *t, const wtr_frame *frames, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (an_term_text(t, frames[i].func))
			return true;
	return false;
}
