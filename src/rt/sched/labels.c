/* rt/sched/labels.c - see labels.h. */
#include "rt/sched/labels.h"

#include <errno.h>
#include <string.h>

#include <weft/prof.h>

#include "base/alloc.h"

static _Atomic uint32_t holds;
static _Atomic(weft__labels *) dropped;
static _Atomic uint64_t n_sets;

/* ---- sets ---- */

static size_t cut(const char *text)
{
	return strnlen(text, WEFT__LABEL_BYTES_MAX);
}

/* Where a key stands, or would. */
static uint32_t place_of(const weft__labels *l, const char *key, size_t n, bool *ret_there)
{
	uint32_t i = 0;
	int order = -1;
	for (; l && i < l->n; i++) {
		order = strncmp(l->pairs[i].key, key, n);
		if (order == 0 && l->pairs[i].key[n])
			order = 1;
		if (order >= 0)
			break;
	}
	*ret_there = l && i < l->n && order == 0;
	return i;
}

static char *put(char *at, const char *text, const char **ret)
{
	size_t n = cut(text);
	memcpy(at, text, n);
	at[n] = 0;
	*ret = at;
	return at + n + 1;
}

static weft__labels *copy(const weft__label *pairs, uint32_t n)
{
	size_t bytes = sizeof(weft__labels) + n * sizeof(*pairs);
	for (uint32_t i = 0; i < n; i++)
		bytes += cut(pairs[i].key) + cut(pairs[i].value) + 2;
	weft__labels *l = wb_malloc(bytes);
	if (!l)
		return NULL;
	atomic_init(&l->refs, 1);
	l->n = n;
	l->id = atomic_fetch_add(&n_sets, 1) + 1;
	char *at = (char *)&l->pairs[n];
	for (uint32_t i = 0; i < n; i++)
		at = put(put(at, pairs[i].key, &l->pairs[i].key), pairs[i].value, &l->pairs[i].value);
	return l;
}

int weft__labels_with(const weft__labels *base, const char *key, const char *value, weft__labels **ret)
{
	bool there;
	uint32_t n = base ? base->n : 0, at = place_of(base, key, cut(key), &there);
	weft__label pairs[WEFT_LABELS_MAX + 1];
	if (n)
		memcpy(pairs, base->pairs, n * sizeof(*pairs));
	if (value && !there)
		memmove(&pairs[at + 1], &pairs[at], (n++ - at) * sizeof(*pairs));
	else if (!value && there)
		memmove(&pairs[at], &pairs[at + 1], (--n - at) * sizeof(*pairs));
	if (value)
		pairs[at] = (weft__label){ key, value };
	if (n > WEFT_LABELS_MAX)
		return -E2BIG;
	weft__labels *l = n ? copy(pairs, n) : NULL;
	if (n && !l)
		return -ENOMEM;
	*ret = l;
	return 0;
}

/* ---- lives ---- */

static size_t append(char *ret, size_t at, size_t n, const char *text)
{
	size_t more = strlen(text);
	more = more < n - at ? more : n - at;
	memcpy(ret + at, text, more);
	return at + more;
}

size_t weft__labels_text(const weft__labels *l, char *ret, size_t n)
{
	size_t at = 0;
	for (uint32_t i = 0; i < l->n; i++) {
		at = append(ret, at, n, i ? " " : "");
		at = append(ret, at, n, l->pairs[i].key);
		at = append(ret, at, n, "=");
		at = append(ret, at, n, l->pairs[i].value);
	}
	return at;
}

weft__labels *weft__labels_ref(weft__labels *l)
{
	if (l)
		atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	return l;
}

static void drop(weft__labels *first, weft__labels *last)
{
	weft__labels *head = atomic_load(&dropped);
	do
		last->next = head;
	while (!atomic_compare_exchange_weak(&dropped, &head, first));
}

void weft__labels_unref(weft__labels *l)
{
	if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
		return;
	if (atomic_load(&holds) == 0)
		wb_free(l);
	else
		drop(l, l);
}

void weft__labels_free(weft__labels *list)
{
	while (list) {
		weft__labels *next = list->next;
		wb_free(list);
		list = next;
	}
}

static void put_back(weft__labels *list)
{
	weft__labels *last = list;
	while (last && last->next)
		last = last->next;
	if (last)
		drop(list, last);
}

void weft__labels_hold(void)
{
	atomic_fetch_add(&holds, 1);
}

/* What was dropped before the count was one can be known only to that one: who holds later finds it nowhere. */
void weft__labels_release(void)
{
	weft__labels *list = atomic_exchange(&dropped, NULL);
	if (atomic_fetch_sub(&holds, 1) == 1)
		weft__labels_free(list);
	else
		put_back(list);
}

weft__labels *weft__labels_take_dropped(void)
{
	weft__labels *list = atomic_exchange(&dropped, NULL);
	if (atomic_load(&holds) == 1)
		return list;
	put_back(list);
	return NULL;
}
