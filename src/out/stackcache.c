/* out/stackcache.c - see stackcache.h.  Slots by id; when the texts get too long all of them are forgotten. */
#include "out/stackcache.h"

#include <string.h>

#include "base/alloc.h"

enum { SLOTS = 4096, CACHE_BYTES_MAX = 8 << 20 };

struct out_stack_cache {
	wb_buf texts;
	struct slot {
		uint32_t id; /* 0: free */
		uint32_t off, n;
	} slots[SLOTS];
};

out_stack_cache *out_stack_cache_new(void)
{
	return wb_calloc(1, sizeof(out_stack_cache));
}

void out_stack_cache_free(out_stack_cache *c)
{
	if (!c)
		return;
	wb_buf_free(&c->texts);
	wb_free(c);
}

static void forget(out_stack_cache *c)
{
	memset(c->slots, 0, sizeof(c->slots));
	c->texts.n = 0;
}

/* The slot with the text of a stack; NULL when memory is out. */
static const struct slot *find(out_stack_cache *c, const wtr_trace *t, uint32_t stack, out_stack_fn *fn)
{
	struct slot *s = &c->slots[stack % SLOTS];
	if (s->id == stack)
		return s;
	if (c->texts.n > CACHE_BYTES_MAX)
		forget(c);
	size_t off = c->texts.n;
	fn(&c->texts, t, stack);
	if (c->texts.failed) {
		forget(c);
		wb_buf_free(&c->texts);
		return NULL;
	}
	*s = (struct slot){ stack, (uint32_t)off, (uint32_t)(c->texts.n - off) };
	return s;
}

void out_stack_put(wb_buf *b, const wtr_trace *t, uint32_t stack, out_stack_fn *fn, out_stack_cache *c)
{
	if (!stack)
		return;
	const struct slot *s = c ? find(c, t, stack, fn) : NULL;
	if (s)
		wb_buf_put(b, c->texts.at + s->off, s->n);
	else
		fn(b, t, stack);
}
