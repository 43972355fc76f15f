/* rt/api/labelled.c - labels of goroutines, see weft/prof.h. */
#include <weft/prof.h>

#include <errno.h>
#include <string.h>

#include "rt/sched/labels.h"
#include "rt/sched/local.h"
#include "rt/sched/park.h"

static weft__labels *labels_of(weft__g *g)
{
	return g ? atomic_load_explicit(&g->labels, memory_order_relaxed) : NULL;
}

enum { TOLD_BYTES_MAX = 1024 }; /* as much as a trace takes of a text */

static __attribute__((noinline)) void tell(weft__m *m, const weft__labels *l)
{
	char text[TOLD_BYTES_MAX];
	weft__tr_str label = { text, l ? weft__labels_text(l, text, sizeof(text)) : 0 };
	WEFT__TELL(m, label, label);
}

/* l, with its reference, instead of what m's goroutine has. */
static void exchange(weft__m *m, weft__labels *l)
{
	if (weft__tr_on()) /* before: what a generation mentions first are those so far */
		tell(m, l);
	weft__labels_unref(atomic_exchange(&weft__self_g(m)->labels, l));
}

static int change(const char *key, const char *value)
{
	weft__labels *l;
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	int err = g ? weft__labels_with(labels_of(g), key, value, &l) : -EPERM;
	if (err == 0)
		exchange(m, l);
	weft__leave(m);
	return err;
}

int weft_labels_set(const char *key, const char *value)
{
	return change(key, value);
}

static void put_back(void *l)
{
	weft__m *m = weft__enter();
	exchange(m, l);
	weft__leave(m);
}

void weft_labels_clear(void)
{
	if (weft__self_g(weft__self()))
		put_back(NULL);
}

int weft_labels_do(const char *key, const char *value, weft_fn *fn, void *arg)
{
	weft__labels *before = weft__labels_ref(labels_of(weft__self_g(weft__self())));
	int err = change(key, value);
	if (err < 0) {
		weft__labels_unref(before);
		return err;
	}
	weft__cleanup ends_in_fn = { .fn = put_back, .arg = before };
	weft__local_push(&ends_in_fn);
	fn(arg);
	weft__local_pull(&ends_in_fn);
	put_back(before);
	return 0;
}

const char *weft_labels_get(const char *key)
{
	const weft__labels *l = labels_of(weft__self_g(weft__self()));
	for (uint32_t i = 0; l && i < l->n; i++)
		if (strncmp(l->pairs[i].key, key, WEFT__LABEL_BYTES_MAX) == 0)
			return l->pairs[i].value;
	return NULL;
}
