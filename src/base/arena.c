/* base/arena.c - see arena.h.  Blocks double from 4 KiB to 1 MiB; a larger push gets a block of its own. */
#include "base/arena.h"

#include <string.h>

#include "base/alloc.h"

enum { BLOCK_BYTES_MIN = 4 << 10, BLOCK_BYTES_MAX = 1 << 20 };

struct wb_block {
	wb_block *next;
	size_t    size, used; /* of data */
	_Alignas(16) char data[];
};

static wb_block *grow(wb_arena *a, size_t need)
{
	size_t size = a->head ? a->head->size * 2 : BLOCK_BYTES_MIN;
	if (size > BLOCK_BYTES_MAX)
		size = BLOCK_BYTES_MAX;
	if (size < need)
		size = need;
	if (size > SIZE_MAX - sizeof(wb_block))
		return NULL;
	size_t bytes = size + sizeof(wb_block);
	if (a->limit_bytes && (bytes > a->limit_bytes || a->total_bytes > a->limit_bytes - bytes))
		return NULL;
	wb_block *b = wb_malloc(bytes);
	if (!b)
		return NULL;
	b->next = a->head;
	b->size = size;
	b->used = 0;
	a->head = b;
	a->total_bytes += bytes;
	return b;
}

void *wb_push(wb_arena *a, size_t size, size_t align)
{
	wb_block *b = a->head;
	size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;
	if (!b || at > b->size || size > b->size - at) {
		b = grow(a, size);
		if (!b) {
			a->failed = true;
			return NULL;
		}
		at = 0;
	}
	b->used = at + size;
	return memset(b->data + at, 0, size);
}

void *wb_push_n(wb_arena *a, size_t n, size_t size, size_t align)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, size, &bytes)) {
		a->failed = true;
		return NULL;
	}
	return wb_push(a, bytes, align);
}

wb_mark wb_mark_now(const wb_arena *a)
{
	return (wb_mark){ a->head, a->head ? a->head->used : 0 };
}

void wb_rewind(wb_arena *a, wb_mark m)
{
	while (a->head != m.head) {
		wb_block *b = a->head;
		a->head = b->next;
		a->total_bytes -= b->size + sizeof(wb_block);
		wb_free(b);
	}
	if (a->head)
		a->head->used = m.used;
}

void wb_arena_free(wb_arena *a)
{
	if (!a)
		return;
	wb_rewind(a, (wb_mark){ 0 });
	a->failed = false;
}

char *wb_copy(wb_arena *a, const char *at, size_t n)
{
	char *s = wb_push(a, n + 1, 1);
	if (s && n)
		memcpy(s, at, n);
	return s;
}
