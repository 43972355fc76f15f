/* read/v2/decode.h - the fast way to decode an event; decode.c has the careful one. */
#ifndef WTR_READ_V2_DECODE_H
#define WTR_READ_V2_DECODE_H

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "read/v2/order.h"

enum {
	FAST_BYTES = 64, /* fast_decode looks at up to 41 bytes: with this much left in the file it needs no bounds, */
	FAST_EVENT_BYTES = 17, /* and its events have at most so many: with them left in the batch, they end in it */
};

/* Arguments by event, dt included; 0: not an event that may stand in a batch of events. */
extern const uint8_t wtr__n_args[256];
/* The same n as 1 << (n - 1), or 0 where n is 0 or above 4. */
extern const uint8_t wtr__nth_bit[256];

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

/* Pushes the 7-bit groups of a varint of n bytes (1 to 8, in the low bytes of w) together. */
static inline __attribute__((always_inline)) uint64_t join_groups(uint64_t w, unsigned n, bool pext)
{
#if defined(__x86_64__)
	if (pext) {
		uint64_t v;
		__asm__("bzhi %2, %1, %0" : "=r"(v) : "r"(w), "r"((uint64_t)(8 * n)) : "cc");
		__asm__("pext %2, %1, %0" : "=r"(v) : "r"(v), "r"(0x7f7f7f7f7f7f7f7fu));
		return v;
	}
#else
	(void)pext;
#endif
	w &= UINT64_MAX >> (64 - 8 * n);
	w &= 0x7f7f7f7f7f7f7f7fu;
	w = (w & 0x007f007f007f007fu) | (w & 0x7f007f007f007f00u) >> 1;
	w = (w & 0x00003fff00003fffu) | (w & 0x3fff00003fff0000u) >> 2;
	return (w & 0x000000000fffffffu) | (w & 0x0fffffff00000000u) >> 4;
}

/* One bit per byte of the 16 at p: 1 where a varint goes on. */
static inline uint32_t continuation_bits(const uint8_t *p)
{
#if defined(__SSE2__)
	__m128i v;
	memcpy(&v, p, 16);
	return (uint32_t)_mm_movemask_epi8(v);
#else
	/* Gathers the eight top bits of a word by a multiplication that puts each in the highest byte. */
	uint64_t lo = (load_le64(p) & 0x8080808080808080u) >> 7, hi = (load_le64(p + 8) & 0x8080808080808080u) >> 7;
	return (uint32_t)(lo * 0x0102040810204080u >> 56 | hi * 0x0102040810204080u >> 56 << 8);
#endif
}

/* The place of the n-th (1 to 4) set bit; `by_rest` has them by n % 4.  Without a branch: the kind of the next event is
 * the hardest thing to predict here. */
static inline __attribute__((always_inline)) unsigned nth_end(
	uint32_t ends, unsigned n, const uint8_t by_rest[4], bool pext)
{
#if defined(__x86_64__)
	if (pext) {
		uint32_t v;
		__asm__("pdep %2, %1, %0" : "=r"(v) : "r"(1u << ((n - 1) & 31)), "r"(ends));
		return (unsigned)__builtin_ctz(v | 1u << 31);
	}
#else
	(void)pext;
#endif
	return by_rest[n & 3];
}

static inline __attribute__((always_inline)) void decoded_at(
	const order *o, cursor *c, decoded *d, uint64_t dt, const uint8_t *next)
{
	d->event = c->at;
	d->type = c->at[0];
	d->time = c->last += (int64_t)((double)(int64_t)dt * o->k);
	c->at = next;
}

/* Decodes the event at c->at into d if it has up to four numbers (dt included) in 16 bytes, without a branch per number
 * or byte: all four are extracted, how many belong to the event only decides where the next one begins.  false: nothing
 * done, decode() knows.  c->at is before c->fast_end. */
static inline __attribute__((always_inline)) bool decode_16(const order *o, cursor *c, decoded *d, bool pext)
{
	const uint8_t *q = c->at + 1;
	unsigned n = wtr__n_args[c->at[0]];
	uint32_t more = continuation_bits(q);
	uint32_t ends = ~more; /* ends behind the 16 bytes are not real, but they are there, so that all four exist */
	unsigned e0 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e1 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e2 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e3 = (unsigned)__builtin_ctz(ends);
	unsigned last =
		nth_end(~more, n, (const uint8_t[4]){ (uint8_t)e3, (uint8_t)e0, (uint8_t)e1, (uint8_t)e2 }, pext);
	if (__builtin_expect(n - 1 >= 4, 0))
		return false;
	if (__builtin_expect(last >= 8, 0)) { /* only then can a number have more than 8 bytes */
		uint32_t eight = more & more >> 1;
		eight &= eight >> 2;
		if (last >= 16 || (eight & eight >> 4))
			return false;
	}
	uint64_t dt = join_groups(load_le64(q), e0 + 1, pext);
	if (__builtin_expect(dt >= o->dt_safe, 0))
		return false;
	/* Lengths of numbers that are not the event's may be anything up to 31: keep the shifts defined. */
	d->arg[0] = join_groups(load_le64(q + e0 + 1), pext ? e1 - e0 : ((e1 - e0 - 1) & 7) + 1, pext);
	d->arg[1] = join_groups(load_le64(q + e1 + 1), pext ? e2 - e1 : ((e2 - e1 - 1) & 7) + 1, pext);
	d->arg[2] = join_groups(load_le64(q + e2 + 1), pext ? e3 - e2 : ((e3 - e2 - 1) & 7) + 1, pext);
	decoded_at(o, c, d, dt, q + last + 1);
	return true;
}

bool wtr__decode_16(const order *o, cursor *c, decoded *d); /* the same, not inlined */

#if defined(__x86_64__)
static inline uint64_t without_lowest(uint64_t ends)
{
	uint64_t v;
	__asm__("blsr %1, %0" : "=r"(v) : "r"(ends) : "cc");
	return v;
}

/* The bits of varints' payload up to the lowest of `ends`; all of them if there is none. */
static inline uint64_t payload_to_end(uint64_t ends)
{
	uint64_t v;
	__asm__("blsmsk %1, %0" : "=r"(v) : "r"(ends) : "cc");
	return v & 0x7f7f7f7f7f7f7f7fu;
}

static inline uint64_t gather(uint64_t w, uint64_t mask)
{
	uint64_t v;
	__asm__("pext %2, %1, %0" : "=r"(v) : "r"(w), "r"(mask));
	return v;
}
#endif

/* Decodes the event at c->at into d if it is one of the usual ones; false: nothing done, decode() knows. */
static inline __attribute__((always_inline)) bool fast_decode(const order *o, cursor *c, decoded *d, bool pext)
{
	if (__builtin_expect(c->at >= c->fast_end, 0))
		return false;
	__builtin_prefetch(c->at + 512);
#if defined(__x86_64__)
	if (pext) {
		/* All its numbers in one word: each has the bits from behind the end of the one before to its own
		 * end. */
		const uint8_t *p = c->at;
		uint64_t w = load_le64(p + 1), ends = ~w & 0x8080808080808080u, last;
		__asm__("pdep %2, %1, %0" : "=r"(last) : "r"((uint64_t)wtr__nth_bit[*p]), "r"(ends));
		if (__builtin_expect(last == 0, 0))
			return wtr__decode_16(o, c, d);
		uint64_t end0 = payload_to_end(ends), end1 = payload_to_end(ends = without_lowest(ends)),
			 end2 = payload_to_end(ends = without_lowest(ends)),
			 end3 = payload_to_end(without_lowest(ends));
		uint64_t dt = gather(w, end0);
		if (__builtin_expect(dt >= o->dt_safe, 0))
			return false;
		d->arg[0] = gather(w, end1 ^ end0); /* those that are not the event's get anything */
		d->arg[1] = gather(w, end2 ^ end1);
		d->arg[2] = gather(w, end3 ^ end2);
		decoded_at(o, c, d, dt, p + 2 + ((unsigned)__builtin_ctzll(last) >> 3));
		return true;
	}
#endif
	return decode_16(o, c, d, pext);
}

#endif
