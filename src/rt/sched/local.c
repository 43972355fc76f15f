/* rt/sched/local.c - see local.h and weft/go.h. */
#include "rt/sched/local.h"

#include <errno.h>

#include <weft/go.h>

#include "base/alloc.h"

static _Atomic int n_keys;
static _Atomic(weft_fn *) ends[WEFT_KEYS_MAX];

int weft_key_make(weft_fn *at_end)
{
	int key = atomic_load(&n_keys);
	do
		if (key == WEFT_KEYS_MAX)
			return -EAGAIN;
	while (!atomic_compare_exchange_weak(&n_keys, &key, key + 1));
	atomic_store(&ends[key], at_end);
	return key;
}

static bool is_key(int key)
{
	return key >= 0 && key < atomic_load_explicit(&n_keys, memory_order_relaxed);
}

int weft_key_set(int key, void *value)
{
	weft__g *g = weft__self_g(weft__self());
	if (!g)
		return -EPERM;
	if (!is_key(key))
		return -EINVAL;
	if (!g->locals && !value)
		return 0;
	if (!g->locals)
		g->locals = wb_calloc(WEFT_KEYS_MAX, sizeof(*g->locals));
	if (!g->locals)
		return -ENOMEM;
	g->locals[key] = value;
	return 0;
}

void *weft_key_get(int key)
{
	weft__g *g = weft__self_g(weft__self());
	return g && g->locals && is_key(key) ? g->locals[key] : NULL;
}

int weft_at_end(weft_fn *fn, void *arg)
{
	weft__g *g = weft__self_g(weft__self());
	if (!g)
		return -EPERM;
	weft__cleanup *c = wb_malloc(sizeof(*c));
	if (!c)
		return -ENOMEM;
	*c = (weft__cleanup){ g->at_end, fn, arg, /* owned= */ true };
	g->at_end = c;
	return 0;
}

void weft__local_push(weft__cleanup *c)
{
	weft__g *g = weft__self_g(weft__self());
	if (!g)
		return;
	c->before = g->at_end;
	g->at_end = c;
}

void weft__local_pull(weft__cleanup *c)
{
	weft__g *g = weft__self_g(weft__self());
	if (!g)
		return;
	/* Others may have been registered since. */
	weft__cleanup **at = &g->at_end;
	while (*at != c)
		at = &(*at)->before;
	*at = c->before;
}

/* One round over the values: true when there was one. */
static bool end_values(weft__g *g)
{
	bool any = false;
	for (int key = 0; key < WEFT_KEYS_MAX; key++) {
		void *value = g->locals[key];
		weft_fn *fn = atomic_load_explicit(&ends[key], memory_order_relaxed);
		g->locals[key] = NULL;
		if (!value || !fn)
			continue;
		fn(value);
		any = true;
	}
	return any;
}

void weft__local_end(weft__g *g)
{
	for (;;) {
		weft__cleanup *c = g->at_end;
		if (c) {
			bool owned = c->owned;
			g->at_end = c->before;
			c->fn(c->arg);
			if (owned)
				wb_free(c);
		} else if (!g->locals || !end_values(g)) {
			break;
		}
	}
	wb_free(g->locals);
	g->locals = NULL;
}

void weft__local_each(weft__g *g, void (*fn)(void *lo, void *hi))
{
	if (g->locals)
		fn(g->locals, g->locals + WEFT_KEYS_MAX);
	for (struct weft__cleanup *c = g->at_end; c; c = c->before)
		fn(&c->arg, &c->arg + 1);
}
