/* edit/carry.c - see carry.h. */
#include "edit/carry.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/idmap.h"
#include "base/vec.h"
#include "fmt/carrier.h"
#include "fmt/wire.h"

enum { ENTRY_BYTES_MAX = WF_STRING_BYTES_MAX - WF_CARRIER_MARK_BYTES - 1 - 20 };
_Static_assert(1 + 30 + WE_CARRY_TEXT_MAX <= ENTRY_BYTES_MAX, "a text and three numbers");

static const bool has_holder[WTR_OBJECT_KIND_COUNT] = {
	false,
#define OBJECT(ID, text, attr, holder) holder,
#include "fmt/objects.def"
};

/* What is said of a thread: its newest piece, and what its reader knows. */
typedef struct lane {
	int64_t m;
	uint64_t pieces, guessed;
	uint8_t kind; /* of the piece */
	wb_buf piece;
	wtr_object slots[WF_CARRIER_SLOTS];
	uint32_t guess[WF_CARRIER_GUESSES]; /* number of a wait */
} lane;

typedef struct extent {
	size_t at, n;
} extent;

struct we_carry {
	bool failed;
	WB_VEC(lane *) lanes; /* all that ever were; those of this generation first */
	size_t n_lanes;
	wb_idmap lane_of;
	wb_intern waits; /* as bytes, so that equal ones have one number; 0: not known */
	wb_buf entry, done;
	WB_VEC(extent) pieces; /* in done */
};

we_carry *we_carry_new(void)
{
	return wb_calloc(1, sizeof(we_carry));
}

void we_carry_free(we_carry *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->lanes.n; i++) {
		wb_buf_free(&c->lanes.at[i]->piece);
		wb_free(c->lanes.at[i]);
	}
	wb_vec_free(&c->lanes);
	wb_idmap_free(&c->lane_of);
	wb_intern_free(&c->waits);
	wb_buf_free(&c->entry);
	wb_buf_free(&c->done);
	wb_vec_free(&c->pieces);
	wb_free(c);
}

bool we_carry_failed(const we_carry *c)
{
	return c->failed || c->entry.failed || c->done.failed;
}

void we_carry_begin(we_carry *c)
{
	wb_idmap_free(&c->lane_of);
	wb_intern_free(&c->waits);
	c->lane_of = (wb_idmap){ 0 };
	c->waits = (wb_intern){ 0 };
	c->n_lanes = c->pieces.n = c->done.n = 0;
}

/* ---- pieces ---- */

static void uvarint(wb_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wb_buf_putc(b, (char)(v | 0x80));
	wb_buf_putc(b, (char)v);
}

static lane *new_lane(we_carry *c)
{
	if (c->n_lanes < c->lanes.n)
		return c->lanes.at[c->n_lanes];
	lane *l = wb_calloc(1, sizeof(*l));
	if (l && wb_vec_add(&c->lanes, l))
		return l;
	wb_free(l);
	return NULL;
}

static lane *lane_of(we_carry *c, int64_t m)
{
	uint32_t i = wb_idmap_get(&c->lane_of, (uint64_t)m);
	if (i != WB_IDMAP_NONE)
		return c->lanes.at[i];
	lane *l = new_lane(c);
	if (!l || !wb_idmap_set(&c->lane_of, (uint64_t)m, (uint32_t)c->n_lanes)) {
		c->failed = true;
		return NULL;
	}
	wb_buf piece = l->piece;
	piece.n = 0;
	*l = (lane){ .m = m, .piece = piece };
	c->n_lanes++;
	return l;
}

static void end_piece(we_carry *c, lane *l)
{
	if (l->piece.n == 0)
		return;
	c->failed |= l->piece.failed || !wb_vec_add(&c->pieces, (extent){ c->done.n, l->piece.n });
	wb_buf_put(&c->done, l->piece.at, l->piece.n);
	l->piece.n = 0;
}

/* What has been put into c->entry goes to a piece of that kind. */
static void put_entry(we_carry *c, lane *l, uint8_t kind)
{
	if (l->piece.n && (l->kind != kind || l->piece.n + c->entry.n > WF_STRING_BYTES_MAX))
		end_piece(c, l);
	if (l->piece.n == 0) {
		l->kind = kind;
		wb_buf_put(&l->piece, WF_CARRIER_MARK, WF_CARRIER_MARK_BYTES);
		wb_buf_putc(&l->piece, (char)kind);
		uvarint(&l->piece, (uint64_t)l->m);
		uvarint(&l->piece, l->pieces++);
	}
	wb_buf_put(&l->piece, c->entry.at, c->entry.n);
}

void we_carry_end(we_carry *c)
{
	for (size_t i = 0; i < c->n_lanes; i++)
		end_piece(c, c->lanes.at[i]);
}

bool we_carry_piece(const we_carry *c, size_t i, wb_text *ret)
{
	if (i >= c->pieces.n || c->done.failed)
		return false;
	*ret = (wb_text){ c->done.at + c->pieces.at[i].at, c->pieces.at[i].n };
	return true;
}

/* ---- waits ---- */

static unsigned slot_of(const wtr_object *o)
{
	return (unsigned)((o->id << 4 | o->kind) * 0x9e3779b97f4a7c15u >> 58) % WF_CARRIER_SLOTS;
}

static void put_object(we_carry *c, lane *l, const wtr_object *o)
{
	unsigned slot = slot_of(o);
	wtr_object *at = &l->slots[slot];
	if (at->kind == o->kind && at->id == o->id && at->attr == o->attr) {
		wb_buf_putc(&c->entry, (char)(WF_OBJECT_SLOT + slot));
	} else {
		*at = *o;
		wb_buf_putc(&c->entry, WF_OBJECT_DEFINE);
		wb_buf_putc(&c->entry, (char)slot);
		wb_buf_putc(&c->entry, (char)o->kind);
		uvarint(&c->entry, o->id);
		uvarint(&c->entry, o->attr);
	}
	if (has_holder[o->kind])
		uvarint(&c->entry, o->holder == WTR_NONE ? 0 : (uint64_t)o->holder);
}

static uint32_t sends(const wtr_object *o, size_t n)
{
	uint32_t bits = 0;
	for (size_t i = 0; i < n; i++)
		bits |= (uint32_t)(o[i].send != 0) << i;
	return bits;
}

/* `several`: the form that tells by itself who waits to send. */
static void put_wait(we_carry *c, lane *l, const wtr_object *o, size_t n, bool several)
{
	if (n == 0) {
		wb_buf_putc(&c->entry, WF_ENTRY_NOTHING);
		return;
	}
	if (several) {
		wb_buf_putc(&c->entry, WF_ENTRY_SEVERAL);
		wb_buf_putc(&c->entry, (char)n);
		uvarint(&c->entry, sends(o, n));
	}
	for (size_t i = 0; i < n; i++)
		put_object(c, l, &o[i]);
}

/* The number of a wait: equal ones have the same. */
static uint32_t wait_no(we_carry *c, const wtr_object *o, size_t n, bool several)
{
	c->entry.n = 0;
	uvarint(&c->entry, several ? 2 + (uint64_t)sends(o, n) : 1);
	for (size_t i = 0; i < n; i++) {
		wb_buf_putc(&c->entry, (char)o[i].kind);
		uvarint(&c->entry, o[i].id);
		uvarint(&c->entry, o[i].attr);
		if (has_holder[o[i].kind])
			uvarint(&c->entry, (uint64_t)o[i].holder);
	}
	uint32_t no = wb_intern_add(&c->waits, c->entry.at, n ? c->entry.n : 0);
	c->failed |= no == WB_INTERN_NONE;
	return no;
}

/* How many of them can be told. */
static size_t known(const wtr_object *o, size_t n)
{
	n = n < WTR_WAIT_OBJECTS_MAX ? n : WTR_WAIT_OBJECTS_MAX;
	for (size_t i = 0; i < n; i++)
		if (o[i].kind == WTR_OBJECT_NONE || o[i].kind >= WTR_OBJECT_KIND_COUNT)
			return 0;
	return n;
}

void we_carry_wait(we_carry *c, int64_t m, int64_t g, const wtr_object *o, size_t n, bool says_send)
{
	lane *l = lane_of(c, m);
	if (!l)
		return;
	n = known(o, n);
	bool several = n > 1 || (n == 1 && o->kind == WTR_OBJECT_CHAN && (o->send != 0) != says_send);
	uint32_t no = wait_no(c, o, n, several);
	uint32_t *guess = &l->guess[(uint64_t)g % WF_CARRIER_GUESSES];
	if (*guess == no) {
		l->guessed++;
		return;
	}
	*guess = no;
	c->entry.n = 0;
	uvarint(&c->entry, l->guessed);
	l->guessed = 0;
	put_wait(c, l, o, n, several);
	put_entry(c, l, WF_PIECE_WAITS);
}

/* ---- facts ---- */

/* Begins one in c->entry. */
static void fact(we_carry *c, unsigned number, uint64_t a, uint64_t b)
{
	c->entry.n = 0;
	wb_buf_putc(&c->entry, (char)number);
	uvarint(&c->entry, a);
	uvarint(&c->entry, b);
}

static void put_fact(we_carry *c, int64_t m)
{
	lane *l = lane_of(c, m);
	if (l)
		put_entry(c, l, WF_PIECE_FACTS);
}

static size_t cut(wtr_str s)
{
	return s.n < WE_CARRY_TEXT_MAX ? s.n : WE_CARRY_TEXT_MAX;
}

void we_carry_taken(we_carry *c, int64_t m, uint64_t ticks, int64_t g)
{
	fact(c, WF_FACT_TAKEN, ticks, (uint64_t)g);
	put_fact(c, m);
}

/* Its piece ends with it, as the tracer's do (rt/tr/carrier.c). */
void we_carry_computes(we_carry *c, int64_t g)
{
	c->entry.n = 0;
	wb_buf_putc(&c->entry, WF_FACT_COMPUTES);
	uvarint(&c->entry, (uint64_t)g);
	lane *l = lane_of(c, WTR_NONE);
	if (!l)
		return;
	put_entry(c, l, WF_PIECE_FACTS);
	end_piece(c, l);
}

void we_carry_label(we_carry *c, int64_t g, wtr_str label)
{
	fact(c, WF_FACT_LABEL, (uint64_t)g, cut(label));
	wb_buf_put(&c->entry, label.at, cut(label));
	put_fact(c, WTR_NONE);
}

void we_carry_reason(we_carry *c, int64_t g, wtr_str reason)
{
	fact(c, WF_FACT_REASON, (uint64_t)g, cut(reason));
	wb_buf_put(&c->entry, reason.at, cut(reason));
	put_fact(c, WTR_NONE);
}

/* A fact of two numbers and a text. */
static void put_named(we_carry *c, unsigned number, uint64_t a, uint64_t b, wtr_str name)
{
	fact(c, number, a, b);
	uvarint(&c->entry, cut(name));
	wb_buf_put(&c->entry, name.at, cut(name));
	put_fact(c, WTR_NONE);
}

void we_carry_part(we_carry *c)
{
	c->entry.n = 0;
	wb_buf_putc(&c->entry, WF_FACT_PART);
	put_fact(c, WTR_NONE);
}

void we_carry_task(we_carry *c, uint64_t id, uint64_t parent, wtr_str name)
{
	put_named(c, WF_FACT_TASK, id, parent, name);
}

void we_carry_region(we_carry *c, int64_t g, uint64_t task, wtr_str name)
{
	put_named(c, WF_FACT_REGION, (uint64_t)g, task, name);
}

void we_carry_origin(we_carry *c, int64_t g, uint64_t start, uint64_t create)
{
	if (!start && !create)
		return;
	fact(c, WF_FACT_ORIGIN, (uint64_t)g, start);
	uvarint(&c->entry, create);
	put_fact(c, WTR_NONE);
}

void we_carry_kept_wait(we_carry *c, int64_t g, const wtr_object *o, size_t n)
{
	lane *l = lane_of(c, WTR_NONE);
	n = known(o, n);
	if (!l || n == 0)
		return;
	c->entry.n = 0;
	wb_buf_putc(&c->entry, WF_FACT_WAITS);
	uvarint(&c->entry, (uint64_t)g);
	put_wait(c, l, o, n, n > 1 || o->send);
	put_entry(c, l, WF_PIECE_FACTS);
}

void we_carry_name(we_carry *c, uint64_t id, wtr_str name)
{
	fact(c, WF_FACT_NAME, id, cut(name));
	wb_buf_put(&c->entry, name.at, cut(name));
	put_fact(c, WTR_NONE);
}

void we_carry_sums(we_carry *c, unsigned number, uint64_t a, uint64_t b)
{
	if (!a && !b)
		return;
	fact(c, number, a, b);
	put_fact(c, WTR_NONE);
}
