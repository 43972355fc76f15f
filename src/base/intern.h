/* base/intern.h - equal texts get equal numbers.
 *
 * Numbers count from 0 in order of first sight; number 0 is always the empty text.  Texts are copied into the table's
 * own arena, 0-terminated.  A zeroed table is ready for use.  Not thread-safe.
 */
#ifndef WB_INTERN_H
#define WB_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct wb_text {
	const char *at; /* 0-terminated */
	size_t      n;
} wb_text;

typedef struct wb_intern {
	wb_arena  arena;
	wb_text  *texts;
	uint32_t *hashes;
	size_t    n, cap_texts;
	uint32_t *slots; /* text number + 1 */
	size_t    cap;
	uint64_t  seed;  /* of the hash */
} wb_intern;

#define WB_INTERN_NONE UINT32_MAX

uint32_t wb_intern_add(wb_intern *t, const char *at, size_t n);        /* WB_INTERN_NONE: out of memory */
uint32_t wb_intern_get(const wb_intern *t, const char *at, size_t n);  /* WB_INTERN_NONE: not there */
wb_text  wb_intern_text(const wb_intern *t, uint32_t i);               /* empty for numbers that are none */
void     wb_intern_free(wb_intern *t);

#endif
