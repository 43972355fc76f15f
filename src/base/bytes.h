/* base/bytes.h - a view that is read from its front.
 *
 * Reads past the end and malformed numbers set `bad`, return 0 and leave the position where it was: read a whole
 * record, then look at the flag once.
 */
#ifndef WB_BYTES_H
#define WB_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wb_bytes {
	const uint8_t *at, *end;
	bool           bad;
} wb_bytes;

/* Unsigned LEB128: at most 10 bytes, the tenth at most 1; zero-padded forms are fine (encoding/binary, Uvarint). */
static inline uint64_t wb_uvarint(wb_bytes *b)
{
	uint64_t v = 0;
	const uint8_t *p = b->at;
	for (unsigned shift = 0; p < b->end && shift < 70; shift += 7) {
		uint8_t c = *p++;
		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			b->at = p;
			return v;
		}
	}
	b->bad = true;
	return 0;
}

static inline uint8_t wb_byte(wb_bytes *b)
{
	if (b->at < b->end)
		return *b->at++;
	b->bad = true;
	return 0;
}

#endif
