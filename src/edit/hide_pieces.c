/* edit/hide_pieces.c - see hide_pieces.h. */
#include "edit/hide_pieces.h"

#include <string.h>

#include "base/bytes.h"
#include "fmt/wire.h"

static const bool has_holder[] = {
	false,
#define OBJECT(ID, text, attr, holder) holder,
#include "fmt/objects.def"
};
enum { KINDS = sizeof(has_holder) / sizeof(*has_holder) };

typedef struct walk {
	wb_bytes in;
	we_hide_slots *slots;
	we_hide *hide;
	wb_buf *out; /* NULL: texts are told of only */
	wb_buf text;
} walk;

bool we_is_piece(const void *at, size_t n)
{
	return n > WF_CARRIER_MARK_BYTES && memcmp(at, WF_CARRIER_MARK, WF_CARRIER_MARK_BYTES) == 0;
}

void we_hide_pieces_reset(we_hide_pieces *p)
{
	wb_idmap_free(&p->slots_of);
	p->slots_of = (wb_idmap){ 0 };
	wb_vec_free(&p->slots);
}

static we_hide_slots *slots_of(we_hide_pieces *p, uint64_t m)
{
	uint32_t i = wb_idmap_get(&p->slots_of, m);
	if (i != WB_IDMAP_NONE)
		return &p->slots.at[i];
	bool ok = wb_idmap_set(&p->slots_of, m, (uint32_t)p->slots.n) && wb_vec_add(&p->slots, (we_hide_slots){ 0 });
	p->failed |= !ok;
	return ok ? &p->slots.at[p->slots.n - 1] : NULL;
}

/* ---- what is walked over: false when it is not as it should be ---- */

static bool numbers(walk *w, unsigned n)
{
	while (n--)
		wb_uvarint(&w->in);
	return !w->in.bad;
}

static bool object(walk *w, unsigned code)
{
	unsigned slot = code == WF_OBJECT_DEFINE ? wb_byte(&w->in) : code - WF_OBJECT_SLOT;
	if (slot >= WF_CARRIER_SLOTS)
		return false;
	if (code == WF_OBJECT_DEFINE) {
		w->slots->kind[slot] = wb_byte(&w->in);
		numbers(w, 2);
	}
	unsigned kind = w->slots->kind[slot];
	return !w->in.bad && kind && kind < KINDS && (!has_holder[kind] || numbers(w, 1));
}

static bool entry(walk *w)
{
	unsigned code = wb_byte(&w->in), n = 1;
	if (code == WF_ENTRY_NOTHING)
		return !w->in.bad;
	if (code != WF_ENTRY_SEVERAL)
		return object(w, code);
	n = wb_byte(&w->in);
	numbers(w, 1);
	while (n-- && !w->in.bad)
		if (!object(w, wb_byte(&w->in)))
			return false;
	return !w->in.bad;
}

/* ---- texts ---- */

/* The text that comes next: what is in front of it, from `from` on, stays. */
static bool text(walk *w, const uint8_t *from, unsigned uses)
{
	const uint8_t *to = w->in.at;
	uint64_t n = wb_uvarint(&w->in);
	if (w->in.bad || n > (uint64_t)(w->in.end - w->in.at))
		return false;
	const uint8_t *at = w->in.at;
	w->in.at += n;
	if (!w->out) {
		we_hide_use(w->hide, at, (size_t)n, uses);
		return true;
	}
	w->text.n = 0;
	we_hide_put(w->hide, at, (size_t)n, &w->text);
	wb_buf_put(w->out, from, (size_t)(to - from));
	for (uint64_t v = w->text.n; v >= 0x80 || (wb_buf_putc(w->out, (char)v), false); v >>= 7)
		wb_buf_putc(w->out, (char)(v | 0x80));
	wb_buf_put(w->out, w->text.at, w->text.n);
	return true;
}

/* What has been walked over stays. */
static bool keep(walk *w, const uint8_t *from, bool fine)
{
	if (fine && w->out)
		wb_buf_put(w->out, from, (size_t)(w->in.at - from));
	return fine;
}

static bool fact(walk *w)
{
	const uint8_t *from = w->in.at;
	switch (wb_byte(&w->in)) {
	case WF_FACT_TAKEN:
	case WF_FACT_STALLS:
	case WF_FACT_LOST: return keep(w, from, numbers(w, 2));
	case WF_FACT_ORIGIN: return keep(w, from, numbers(w, 3));
	case WF_FACT_PART: return keep(w, from, true);
	case WF_FACT_COMPUTES: return keep(w, from, numbers(w, 1));
	case WF_FACT_WAITS: return keep(w, from, numbers(w, 1) && entry(w));
	case WF_FACT_LABEL:
	case WF_FACT_NAME: return numbers(w, 1) && text(w, from, WE_USE_LABEL);
	case WF_FACT_REASON: return numbers(w, 1) && text(w, from, WE_USE_RUNTIME);
	case WF_FACT_TASK:
	case WF_FACT_REGION: return numbers(w, 2) && text(w, from, WE_USE_SAID);
	default: return false;
	}
}

static bool wait(walk *w)
{
	const uint8_t *from = w->in.at;
	return keep(w, from, numbers(w, 1) && entry(w));
}

/* Texts may get longer: what does not fit any more is left out, and what is behind it. */
void we_hide_piece(we_hide_pieces *p, we_hide *h, const void *at, size_t n, wb_buf *out)
{
	walk w = { .in = { at, (const uint8_t *)at + n, false }, .hide = h, .out = out };
	w.in.at += WF_CARRIER_MARK_BYTES;
	uint8_t kind = wb_byte(&w.in);
	w.slots = slots_of(p, wb_uvarint(&w.in));
	numbers(&w, 1);
	size_t start = out ? out->n : 0;
	bool fine = w.slots && keep(&w, at, !w.in.bad) && (kind == WF_PIECE_WAITS || kind == WF_PIECE_FACTS);
	while (fine && w.in.at < w.in.end) {
		size_t before = out ? out->n : 0;
		fine = kind == WF_PIECE_WAITS ? wait(&w) : fact(&w);
		if (out && (!fine || out->n - start > WF_STRING_BYTES_MAX)) {
			out->n = before;
			fine = false;
		}
	}
	wb_buf_free(&w.text);
}
