/* read/v2/decode.c - events out of batches, with every check. */
#include "read/v2/decode.h"

#include "base/bytes.h"

const uint8_t wtr__n_args[256] = {
#define ARG(name, type) +1
/* A clock snapshot has a time and so can be decoded; that it stands in the wrong place is found when its turn comes. */
#define EV(no, ID, Name, since, cls, args) [no] = no == WF_EV_CLOCK_SNAPSHOT ? 0 args : 0,
#define TIMED(no, ID, Name, since, begin, args) [no] = 0 args,
#define EXPT(no, ID, Name, since, exp, args) [no] = 0 args,
#include "fmt/events.def"
};

const uint8_t wtr__nth_bit[256] = {
#define ARG(name, type) +1
#define NTH_BIT(n) ((n) > 0 && (n) <= 4 ? 1 << (((n) - 1) & 7) : 0)
#define EV(no, ID, Name, since, cls, args) [no] = NTH_BIT(no == WF_EV_CLOCK_SNAPSHOT ? 0 args : 0),
#define TIMED(no, ID, Name, since, begin, args) [no] = NTH_BIT(0 args),
#define EXPT(no, ID, Name, since, exp, args) [no] = NTH_BIT(0 args),
#include "fmt/events.def"
};

bool wtr__decode_16(const order *o, cursor *c, decoded *d)
{
	return decode_16(o, c, d, o->has_pext);
}

static wtr_code bad_event(order *o, cursor *c, const char *rule, const char *what)
{
	const char *name = wf_specs[c->at[0]].name;
	return wtr__fail(&o->base.err, WTR_E_FORMAT, (uint64_t)(c->at - o->t->at), o->gen_number, c->m,
		name ? name : "", rule, "%s (event byte 0x%02x)", what, c->at[0]);
}

/* Decodes the event at c->at into c->now with every check; see fast_decode. */
static wtr_code decode(order *o, cursor *c)
{
	wb_bytes b = { .at = c->at, .end = c->end };
	unsigned n = wtr__n_args[c->at[0]];
	if (n == 0)
		return bad_event(o, c, "event.type",
			wf_specs[c->at[0]].name ? "this event may not stand among events" : "no such event");
	c->now->type = wb_byte(&b);
	uint64_t dt = wb_uvarint(&b);
	for (unsigned i = 1; i < n; i++)
		c->now->arg[i - 1] = wb_uvarint(&b);
	if (b.bad)
		return bad_event(o, c, "event.varint",
			"a number of this event is cut short by the end of its batch, or too long");
	c->now->event = c->at;
	c->at = b.at;
	if (c->last == 0) /* as in Go, which takes 0 for "not yet begun": matters only where times overflow */
		c->last = wtr__ns(o->t->v2->batches.at[c->batch].time, o->k);
	c->now->time = c->last += wtr__ns(dt, o->k);
	return WTR_OK;
}

/* Puts the cursor on the next batch that has events; false when there is none. */
static bool next_batch(order *o, cursor *c)
{
	const wtr__batch *all = o->t->v2->batches.at;
	while (c->at == c->end) {
		if (c->batch == UINT32_MAX)
			return false;
		const wtr__batch *b = &all[c->batch];
		if (c->end) {
			o->base.done_bytes += b->size;
			if (b->next == UINT32_MAX)
				return false;
			c->batch = b->next;
			b = &all[c->batch];
		}
		c->at = o->t->at + b->offset + b->head;
		c->end = c->at + b->size;
		c->fast_end = b->size > FAST_EVENT_BYTES ? c->end - FAST_EVENT_BYTES : c->at;
		if (c->fast_end > o->fast_end)
			c->fast_end = o->fast_end;
		c->last = wtr__ns(b->time, o->k);
	}
	return true;
}

/* Decodes the cursor's next event. */
step wtr__advance_cursor(order *o, cursor *c)
{
	for (;;) {
		if (__builtin_expect(c->at == c->end, 0) && !next_batch(o, c))
			return STEP_END;
		if (__builtin_expect(decode(o, c) == WTR_OK, 1))
			return STEP_OK;
		if (!o->repair)
			return STEP_ERROR;
		/* Nothing tells where the next event of this batch begins: leave out the rest of it. */
		o->base.losses.batches++;
		o->base.losses.bytes += (uint64_t)(c->end - c->at);
		o->base.diag[WTR__DIAG_SKIPPED_BATCHES]++;
		o->base.err = (wtr_error){ 0 };
		c->at = c->end;
	}
}
