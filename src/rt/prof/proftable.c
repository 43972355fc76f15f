/* rt/prof/proftable.c - see proftable.h. */
#include "rt/prof/proftable.h"

#include <string.h>

#include <weft/prof.h>

/* A key: how many addresses and pairs there are, the addresses, the texts. */
struct head {
	uint32_t n, n_labels;
};

enum {
	TEXTS_MAX = 2 * WEFT_LABELS_MAX * (WEFT__LABEL_BYTES_MAX + 1),
	FEW = sizeof(struct head) + WEFT__PROF_FRAMES * sizeof(uintptr_t),
	KEY_MAX = FEW + TEXTS_MAX,
};

static char *put_text(char *at, const char *text)
{
	return (char *)memcpy(at, text, strlen(text) + 1) + strlen(text) + 1;
}

static uint32_t row_of_key(weft__prof_table *t, const char *key, size_t n)
{
	uint32_t row = wb_intern_add(&t->keys, key, n);
	if (row != WB_INTERN_NONE && row >= t->rows.n && wb_vec_reserve(&t->rows, row + 1 - t->rows.n)) {
		memset(t->rows.at + t->rows.n, 0, (row + 1 - t->rows.n) * sizeof(*t->rows.at));
		t->rows.n = row + 1;
	}
	return row < t->rows.n ? row : 0;
}

/* A key in `few`, or in memory of its own when there are labels; NULL without memory.  Where the texts go. */
static char *begin_key(char *few, const uintptr_t *pcs, size_t n, size_t n_labels, char **ret_texts)
{
	struct head h = { (uint32_t)(n < WEFT__PROF_FRAMES ? n : WEFT__PROF_FRAMES), (uint32_t)n_labels };
	char *key = n_labels ? wb_malloc(KEY_MAX) : few;
	if (!key)
		return NULL;
	memcpy(key, &h, sizeof(h));
	memcpy(key + sizeof(h), pcs, h.n * sizeof(*pcs));
	*ret_texts = key + sizeof(h) + h.n * sizeof(*pcs);
	return key;
}

uint32_t weft__prof_row_of(weft__prof_table *t, const uintptr_t *pcs, size_t n, const weft__labels *labels)
{
	char few[FEW], *at, *key = begin_key(few, pcs, n, labels ? labels->n : 0, &at);
	if (!key)
		return 0;
	for (uint32_t i = 0; labels && i < labels->n; i++)
		at = put_text(put_text(at, labels->pairs[i].key), labels->pairs[i].value);
	uint32_t row = row_of_key(t, key, (size_t)(at - key));
	if (key != few)
		wb_free(key);
	return row;
}

static void add_to(weft__prof_table *t, uint32_t row, const weft__prof_row *more)
{
	t->failed |= row == 0;
	for (int i = 0; row && i < WEFT__PROF_VALUES; i++)
		t->rows.at[row].v[i] += more->v[i];
}

void weft__prof_add(
	weft__prof_table *t, const uintptr_t *pcs, size_t n, const weft__labels *labels, const weft__prof_row *more)
{
	add_to(t, weft__prof_row_of(t, pcs, n, labels), more);
}

void weft__prof_add_stack(weft__prof_table *t, const weft__prof_stack *s, const weft__prof_row *more)
{
	char few[FEW], *at, *key = begin_key(few, s->pcs, s->n, s->n_labels, &at);
	const char *from = s->labels;
	for (size_t i = 0; key && i < 2 * s->n_labels; i++, from += strlen(from) + 1)
		at = put_text(at, from);
	add_to(t, key ? row_of_key(t, key, (size_t)(at - key)) : 0, more);
	if (key != few)
		wb_free(key);
}

void weft__prof_table_free(weft__prof_table *t)
{
	wb_intern_free(&t->keys);
	wb_vec_free(&t->rows);
	t->failed = false;
}

void weft__prof_stack_of(const weft__prof_table *t, uint32_t row, weft__prof_stack *ret)
{
	wb_text key = wb_intern_text(&t->keys, row);
	struct head h;
	memcpy(&h, key.at, sizeof(h));
	memcpy(ret->pcs, key.at + sizeof(h), h.n * sizeof(*ret->pcs));
	ret->n = h.n;
	ret->labels = key.at + sizeof(h) + h.n * sizeof(*ret->pcs);
	ret->n_labels = h.n_labels;
}
