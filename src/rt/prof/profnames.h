/* rt/prof/profnames.h - what profiles say of an address: functions, lines, and the file that was mapped there.
 *
 * On a thread's own stack only: libdw needs more than a goroutine has.
 */
#ifndef WEFT__PROF_NAMES_H
#define WEFT__PROF_NAMES_H

#include "base/vec.h"
#include "rt/tr/symbol.h"

enum { WEFT__BUILD_ID_MAX = 64 };

/* A part of the program or a library that is code. */
typedef struct weft__prof_map {
	uintptr_t start, limit;
	uint64_t offset;
	const char *file;
	char build_id[2 * WEFT__BUILD_ID_MAX + 1]; /* in hexadecimal; "" when it has none */
} weft__prof_map;

typedef struct weft__prof_names {
	weft__tr_symbols *symbols; /* NULL: there are addresses only */
	WB_VEC(weft__prof_map) maps;
	char program[4096];
	bool failed;
} weft__prof_names;

void weft__prof_names_open(weft__prof_names *n);
void weft__prof_names_close(weft__prof_names *n);

/* The frames at a return address, innermost first; as weft__tr_symbols_at. */
size_t weft__prof_names_at(weft__prof_names *n, uintptr_t pc, const weft__tr_frame **ret);
/* The place in maps of an address; maps.n when it is in none. */
size_t weft__prof_map_of(const weft__prof_names *n, uintptr_t pc);

#endif
