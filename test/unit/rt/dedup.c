/* Texts and stacks, each once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "rt/tr/dedup.h"

static uint32_t find(weft__tr_dedup *t, const char *s, uint32_t gen)
{
	size_t n = strlen(s);
	return weft__tr_dedup_find(t, s, (uint32_t)n, weft__tr_hash_text(s, n), gen);
}

static bool used(const weft__tr_dedup *t, uint32_t id, uint32_t gen)
{
	return atomic_load(&weft__tr_dedup_entry(t, id)->used[gen & 1]) == gen;
}

static void numbers_and_marks(void **state)
{
	(void)state;
	weft__tr_dedup t;
	assert_int_equal(weft__tr_dedup_init(&t, 1 << 16, 100), 0);
	assert_int_equal(find(&t, "one", 5), 1);
	assert_int_equal(find(&t, "two is longer than eight", 5), 2);
	assert_int_equal(find(&t, "12345678", 5), 3);
	assert_int_equal(find(&t, "one", 6), 1);
	assert_int_equal(weft__tr_dedup_count(&t), 3);
	assert_true(used(&t, 1, 5) && used(&t, 1, 6) && used(&t, 3, 5));
	assert_false(used(&t, 3, 6));
	assert_int_equal(find(&t, "one", 7), 1);
	assert_false(used(&t, 1, 5));
	assert_int_equal(weft__tr_dedup_entry(&t, 2)->n, 24);
	assert_memory_equal(weft__tr_dedup_entry(&t, 3)->key, "12345678", 8);
	assert_null(weft__tr_dedup_entry(&t, 0));
	assert_null(weft__tr_dedup_entry(&t, 4));
	assert_null(weft__tr_dedup_entry(&t, 101));
	weft__tr_dedup_done(&t);
	weft__tr_dedup_done(&t);
}

/* Keys with one hash, as an unlucky program may have. */
static void equal_hashes(void **state)
{
	(void)state;
	weft__tr_dedup t;
	assert_int_equal(weft__tr_dedup_init(&t, 1 << 16, 100), 0);
	for (int round = 0; round < 2; round++)
		for (uint64_t i = 0; i < 50; i++)
			assert_int_equal(weft__tr_dedup_find(&t, &i, sizeof(i), 7, 1), i + 1);
	weft__tr_dedup_done(&t);
}

static void full(void **state)
{
	(void)state;
	weft__tr_dedup t;
	char text[32];
	assert_int_equal(weft__tr_dedup_init(&t, 1 << 16, 4), 0);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "text %u", i);
		assert_int_equal(find(&t, text, 1), i + 1);
		assert_int_equal(weft__tr_dedup_filling(&t), i >= 2);
	}
	assert_int_equal(find(&t, "a fifth", 1), 0);
	assert_int_equal(find(&t, "a sixth", 1), 0);
	assert_int_equal(find(&t, "text 2", 1), 3); /* the others are still there */
	assert_int_equal(atomic_load(&t.refused), 2);
	assert_int_equal(weft__tr_dedup_count(&t), 4);
	weft__tr_dedup_done(&t);

	assert_int_equal(weft__tr_dedup_init(&t, 1, 1 << 20), 0); /* the arena fills first */
	unsigned n = 0;
	do
		snprintf(text, sizeof(text), "text %u", n);
	while (n++ < 1 << 20 && find(&t, text, 1));
	assert_true(atomic_load(&t.refused) == 1 && n > 100);
	assert_int_equal(find(&t, "text 99", 1), 100);
	weft__tr_dedup_done(&t);
}

enum { THREADS = 4, KEYS = 20000 };

typedef struct worker {
	weft__tr_dedup *t;
	uint32_t ids[KEYS];
	bool without_entry;
} worker;

static void *work(void *arg)
{
	worker *w = arg;
	for (uint64_t i = 0; i < KEYS; i++) {
		w->ids[i] = weft__tr_dedup_find(w->t, &i, sizeof(i), weft__tr_hash_end(weft__tr_hash_word(1, i)), 1);
		w->without_entry |= weft__tr_dedup_entry(w->t, w->ids[i]) == NULL;
	}
	return NULL;
}

/* All threads get the same numbers, whoever comes first, and find the entry at once, whoever has made it. */
static void threads(void **state)
{
	(void)state;
	static worker w[THREADS];
	weft__tr_dedup t;
	pthread_t id[THREADS];
	assert_int_equal(weft__tr_dedup_init(&t, 16 << 20, 1 << 20), 0);
	for (int i = 0; i < THREADS; i++) {
		w[i].t = &t;
		assert_int_equal(pthread_create(&id[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	for (int i = 0; i < THREADS; i++)
		assert_false(w[i].without_entry);
	for (uint64_t k = 0; k < KEYS; k++) {
		assert_true(w[0].ids[k] != 0);
		assert_int_equal(weft__tr_dedup_entry(&t, w[0].ids[k])->key[0], k);
		for (int i = 1; i < THREADS; i++)
			assert_int_equal(w[i].ids[k], w[0].ids[k]);
	}
	weft__tr_dedup_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_marks),
		cmocka_unit_test(equal_hashes),
		cmocka_unit_test(full),
		cmocka_unit_test(threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
