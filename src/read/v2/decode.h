/* read/v2/decode.h - the fast way to decode an event; decode.c has the careful one. */
#ifndef WTR_READ_V2_DECODE_H
#define WTR_READ_V2_DECODE_H

#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "read/v2/order.h"

enum { FAST_BYTES = 64 }; /* fast_decode looks at up to 41 bytes: with this much left in the file it needs no bounds */

/* Arguments by event, dt included; 0: not an event that may stand in a batch of events. */
extern const uint8_t wtr__n_args[256];

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
static inline __attribute__((always_inline)) unsigned nth_end(uint32_t ends, unsigned n, const uint8_t by_rest[4], bool pext)
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

/* Decodes the event at c->at into d if it has up to four numbers (dt included) in 16 bytes, without a branch per number or byte: all four are
 * extracted, how many belong to the event only decides where the next one begins.  false: nothing done, decode() knows. */
static inline __attribute__((always_inline)) bool fast_decode(const order *o, cursor *c, decoded *d, bool pext)
{
	const uint8_t *p = c->at;
	if (__builtin_expect(p >= c->fast_end, 0))
		return false;
	unsigned type = p[0], n = wtr__n_args[type];
	const uint8_t *q = p + 1;
	__builtin_prefetch(p + 512);
	uint32_t more = continuation_bits(q);
	uint32_t ends = ~more; /* ends behind the 16 bytes are not real, but they are there, so that all four exist */
	unsigned e0 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e1 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e2 = (unsigned)__builtin_ctz(ends);
	ends &= ends - 1;
	unsigned e3 = (unsigned)__builtin_ctz(ends);
	unsigned last = nth_end(~more, n, (const uint8_t[4]){ (uint8_t)e3, (uint8_t)e0, (uint8_t)e1, (uint8_t)e2 }, pext);
	const uint8_t *next = q + last + 1;
	if (__builtin_expect(n - 1 >= 4 || next > c->end, 0))
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
	d->event = p;
	d->type = (uint8_t)type;
	d->time = c->last += (int64_t)((double)(int64_t)dt * o->k);
	c->at = next;
	return true;
}

#endif
