/* base/arena.h - memory that dies together.
 *
 * A zeroed arena is ready for use.  Nothing pushed is freed on its own: wb_arena_free() releases all of it,
 * wb_rewind() all of it since a mark.  A push that fails returns NULL and sets `failed`, which stays set, so a
 * builder may push many times and test once at its end.
 * Not thread-safe: one arena, one thread.
 */
#ifndef WB_ARENA_H
#define WB_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct wb_block wb_block;
typedef struct wb_arena {
	wb_block *head;        /* newest block; older ones hang behind it */
	size_t    total_bytes; /* taken from the system so far */
	size_t    limit_bytes; /* 0: none */
	bool      failed;
} wb_arena;

typedef struct wb_mark {
	wb_block *head;
	size_t    used;
} wb_mark;

void   *wb_push(wb_arena *a, size_t size, size_t align); /* zeroed, or NULL */
void   *wb_push_n(wb_arena *a, size_t n, size_t size, size_t align);
wb_mark wb_mark_now(const wb_arena *a);
void    wb_rewind(wb_arena *a, wb_mark m);
void    wb_arena_free(wb_arena *a); /* a may be NULL; leaves it empty and usable */

/* n objects of type T, zeroed; NULL when n * sizeof(T) overflows or memory is out. */
#define wb_new(a, T, n) ((T *)wb_push_n((a), (n), sizeof(T), _Alignof(T)))

/* A 0-terminated copy of n bytes; NULL when memory is out. */
char *wb_copy(wb_arena *a, const char *at, size_t n);

#endif
