/* an/texts.c - from the trace's string and stack ids to texts that stay.
 *
 * String ids live as long as their generation; the tables of an index live longer, so every text that one keeps is
 * interned.  Ids are unique in a trace, so small direct-mapped caches in front never need to be emptied.
 */
#include "an/summary.h"
#include <string.h>

#include "base/buf.h"

bool an_texts_init(an_texts *t)
{
	t->n_reasons = 1;
	t->n_ranges = AN_RANGE_STW;
	const struct {
		uint32_t   *to;
		const char *text;
	} fixed[] = {
		{ &t->reason_text[0], "" },
		{ &t->reason_text[AN_REASONS - 1], "(other reasons)" },
		{ &t->range_text[AN_RANGE_GC], wtr_range_name(WTR_RANGE_GC_MARK) },
		{ &t->range_text[AN_RANGE_SWEEP], wtr_range_name(WTR_RANGE_SWEEP) },
		{ &t->range_text[AN_RANGE_ASSIST], wtr_range_name(WTR_RANGE_MARK_ASSIST) },
		{ &t->range_text[AN_RANGES - 1], "stop-the-world (other kinds)" },
	};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		*fixed[i].to = wb_intern_add(&t->all, fixed[i].text, strlen(fixed[i].text));
		if (*fixed[i].to == WB_INTERN_NONE)
			return false;
	}
	return true;
}

wtr_str an_text(const an_texts *t, uint32_t no)
{
	wb_text x = wb_intern_text(&t->all, no);
	return (wtr_str){ x.at, x.n };
}

wtr_str an_reason_text(const an_texts *t, unsigned reason)
{
	return an_text(t, t->reason_text[reason]);
}

int an_text_order(wtr_str a, wtr_str b)
{
	int c = memcmp(a.at, b.at, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static uint32_t intern(an_summary *s, const char *at, size_t n)
{
	uint32_t no = wb_intern_add(&s->texts.all, at, n);
	if (no != WB_INTERN_NONE)
		return no;
	s->oom = true;
	return 0;
}

uint32_t an_text_no(an_summary *s, uint32_t id)
{
	if (id == 0)
		return 0;
	an_cached *c = &s->texts.strings[id % AN_STRING_CACHE];
	if (c->id != id) {
		wtr_str x = wtr_string(s->trace, id);
		*c = (an_cached){ id, intern(s, x.at, x.n) };
	}
	return c->no;
}

/* The number of `text` in a list of at most `max`, from `first` on; the last number takes what does not fit. */
static unsigned short_list(uint32_t *list, unsigned *n, unsigned first, unsigned max, uint32_t text)
{
	for (unsigned i = first; i < *n; i++)
		if (list[i] == text)
			return i;
	if (*n == max - 1)
		return max - 1;
	list[*n] = text;
	return (*n)++;
}

uint8_t an_reason_slow(an_summary *s, uint32_t id)
{
	an_texts *t = &s->texts;
	uint32_t text = an_text_no(s, id);
	unsigned no = 0;
	if (text != 0)
		no = short_list(t->reason_text, &t->n_reasons, 1, AN_REASONS, text);
	wtr_str x = an_text(t, t->reason_text[no]);
	if (no && x.n == 7 && memcmp(x.at, "forever", 7) == 0)
		t->forever = (uint8_t)no;
	t->reasons[id % AN_SMALL_CACHE] = (an_cached){ id, no };
	return (uint8_t)no;
}

uint8_t an_stw_no(an_summary *s, uint32_t id)
{
	an_texts *t = &s->texts;
	an_cached *c = &t->kinds[id % AN_SMALL_CACHE];
	if (c->id == id && c->no != 0)
		return (uint8_t)c->no;
	wtr_str kind = wtr_string(s->trace, id);
	wb_buf b = { 0 };
	wb_buf_puts(&b, "stop-the-world (");
	wb_buf_put(&b, kind.at, kind.n);
	wb_buf_putc(&b, ')');
	s->oom |= b.failed;
	uint32_t text = b.failed ? 0 : intern(s, b.at, b.n);
	wb_buf_free(&b);
	unsigned no = short_list(t->range_text, &t->n_ranges, AN_RANGE_STW, AN_RANGES, text);
	*c = (an_cached){ id, no };
	return (uint8_t)no;
}

uint32_t an_stack_name(an_summary *s, uint32_t id)
{
	if (id == 0)
		return 0;
	an_cached *c = &s->texts.names[id % AN_SMALL_CACHE];
	if (c->id != id) {
		size_t cap = sizeof(s->frames) / sizeof(s->frames[0]);
		size_t n = wtr_stack(s->trace, id, s->frames, cap);
		n = n < cap ? n : cap;
		wtr_str f = n ? s->frames[n - 1].func : (wtr_str){ "", 0 };
		*c = (an_cached){ id, intern(s, f.at, f.n) };
	}
	return c->no;
}
