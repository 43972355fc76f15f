/* an/where_text.c - texts, numbers and stacks against what a term wants. */
#include <string.h>

#include "an/where.h"

static unsigned char lower(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Whether `part` is in `text`, ASCII case aside. */
static bool contains(wtr_str text, wtr_str part)
{
	for (size_t i = 0; part.n <= text.n && i <= text.n - part.n; i++) {
		size_t k = 0;
		while (k < part.n && lower(text.at[i + k]) == lower(part.at[k]))
			k++;
		if (k == part.n)
			return true;
	}
	return false;
}

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
	default: return contains(s, t->text);
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
