/* Damaged traces, against Go's own reader where Go is installed: what it accepts we accept, in the same order and at
 * the same times; what it refuses we refuse, at the same event.
 *
 * WEFT_SEED=N tries other damage, WEFT_CASES=N more of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/vec.h"
#include "kit.h"

enum { CASES = 8000, SIZE_MIN = 1000, SIZE_LIMIT = 9900, NAMES_MAX = 64, HEADER_BYTES = 16,
	STABLE_THREADS = 12 }; /* beyond, Go sorts with an unstable algorithm when the first thread cannot go on */

typedef struct whole {
	const char *name;
	uint8_t    *at;
	size_t      n;
} whole;

static whole wholes[NAMES_MAX];
static size_t n_wholes;
static uint64_t seed = 1, cases = CASES;

static uint64_t random_number(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1du;
}

/* The same function as in go/damage.go: one changed byte, two, or the end missing.  The caller frees it. */
static uint8_t *damaged(const whole *w, uint64_t i, size_t *ret_n)
{
	uint64_t state = seed * 0x9e3779b97f4a7c15u + i + 1;
	random_number(&state);
	size_t where = HEADER_BYTES + random_number(&state) % (w->n - HEADER_BYTES);
	uint8_t *at = malloc(w->n);
	kit_check(at);
	memcpy(at, w->at, w->n);
	*ret_n = w->n;
	if (i % 8 == 7) {
		*ret_n = where;
		return at;
	}
	at[where] = (uint8_t)(at[where] + 1 + random_number(&state) % 255);
	if (i % 8 == 6) {
		where = HEADER_BYTES + random_number(&state) % (w->n - HEADER_BYTES);
		at[where] = (uint8_t)(at[where] + 1 + random_number(&state) % 255);
	}
	return at;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15u;
	return h ^ h >> 29;
}

static uint64_t hash(uint64_t h, const wtr_event *e)
{
	h = mix(h, (uint64_t)e->time_ns);
	h = mix(mix(mix(h, (uint64_t)e->m), (uint64_t)e->p), (uint64_t)e->g);
	h = mix(h, e->kind);
	return e->kind == WTR_KIND_STATE_TRANSITION ? mix(mix(h, (uint64_t)e->id), e->detail) : h;
}

typedef struct outcome {
	uint64_t events, hash;
	WB_VEC(int64_t) threads; /* seen */
	wtr_error err;
} outcome;

static void note_thread(outcome *o, int64_t m)
{
	for (size_t i = 0; i < o->threads.n; i++)
		if (o->threads.at[i] == m)
			return;
	kit_check(wb_vec_add(&o->threads, m));
}

static outcome ours(const uint8_t *at, size_t n)
{
	outcome o = { .hash = 1 };
	wtr_options opt = { .threads = 1 };
	wtr_trace *t;
	if (wtr_open_bytes(at, n, &opt, &t, &o.err) != WTR_OK)
		return o;
	wtr_cursor *c = wtr_cursor_open(t, NULL, &o.err);
	kit_check(c);
	const wtr_event *e;
	for (size_t k; (k = wtr_next(c, &e)) > 0; o.events += k)
		for (size_t i = 0; i < k; i++)
			o.hash = hash(o.hash, &e[i]), note_thread(&o, e[i].m);
	o.err = *wtr_cursor_error(c);
	wtr_cursor_close(c);
	wtr_close(t);
	return o;
}

/* Small v2 traces: in v1 files Go's own order of tied events differs from one reading to the next. */
static int gather(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n && n_wholes < NAMES_MAX; i++) {
		whole w = { .name = names[i] };
		w.at = kit_trace(w.name, &w.n);
		if (w.n >= SIZE_MIN && w.n <= SIZE_LIMIT && w.at[5] == '2' && w.at[6] >= '2')
			wholes[n_wholes++] = w;
		else
			free(w.at);
	}
	if (getenv("WEFT_SEED"))
		seed = strtoull(getenv("WEFT_SEED"), NULL, 0);
	if (getenv("WEFT_CASES"))
		cases = strtoull(getenv("WEFT_CASES"), NULL, 0);
	return n_wholes >= 20 ? 0 : -1;
}

static FILE *ask_go(void)
{
	size_t cap = 4096 + n_wholes * 64;
	char *command = malloc(cap);
	kit_check(command && getenv("WEFT_GO"));
	int at = snprintf(command, cap, "%s damage %llu %llu %s", getenv("WEFT_GO"), (unsigned long long)seed,
		(unsigned long long)cases, getenv("WEFT_TEST_DATA"));
	for (size_t i = 0; i < n_wholes; i++)
		at += snprintf(command + at, cap - (size_t)at, " %s", wholes[i].name);
	FILE *f = popen(command, "r");
	kit_check(f);
	free(command);
	return f;
}

/* Go takes a Sync batch whose data ends between two numbers for the end of the file, and says nothing. */
static bool swallowed_by_go(const outcome *o)
{
	return strcmp(o->err.rule, "tables.varint") == 0 &&
	       (strcmp(o->err.event, "ClockSnapshot") == 0 || strcmp(o->err.event, "Frequency") == 0);
}

static void same_events_and_same_refusals(void **state)
{
	(void)state;
	FILE *go = ask_go();
	uint64_t refused = 0, panicked = 0, swallowed = 0, tied = 0, different = 0, seen = 0;
	unsigned long long i, events, h;
	char ended[16];
	while (fscanf(go, "%llu %llu %15s %llx", &i, &events, ended, &h) == 4) {
		assert_int_equal(i, seen++);
		const whole *w = &wholes[i % n_wholes];
		size_t n;
		uint8_t *at = damaged(w, i, &n);
		outcome o = ours(at, n);
		free(at);
		size_t threads = o.threads.n;
		wb_vec_free(&o.threads);
		bool error = strcmp(ended, "ok") != 0;
		refused += error;
		if (strcmp(ended, "panic") == 0) { /* Go's reader is wrong there; ours has to say so as an error */
			panicked++;
			continue;
		}
		if (o.events == events && o.hash == h && error == (o.err.code != WTR_OK))
			continue;
		if (threads > STABLE_THREADS && o.events == events && error == (o.err.code != WTR_OK)) {
			tied++;
			continue;
		}
		if (!error && swallowed_by_go(&o)) {
			swallowed++;
			continue;
		}
		if (different++ < 20)
			printf("# case %llu, %s: Go %s after %llu events, here %s (%s) after %llu%s\n", i, w->name,
				ended, events, o.err.code ? o.err.rule : "ok", o.err.code ? o.err.what : "",
				(unsigned long long)o.events,
				o.events == events && o.hash != h ? ", other events" : "");
	}
	assert_int_equal(pclose(go), 0);
	printf("# %llu cases: Go refuses %llu of them (and panics at %llu, and swallows %llu); %llu differ in the "
	       "order of ties among many threads, %llu otherwise\n",
		(unsigned long long)seen, (unsigned long long)refused, (unsigned long long)panicked,
		(unsigned long long)swallowed, (unsigned long long)tied, (unsigned long long)different);
	assert_int_equal(seen, cases);
	assert_true(refused > cases / 10);
	assert_true(refused < cases - cases / 10);
	assert_true(tied < cases / 500);
	assert_int_equal(different, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(same_events_and_same_refusals, gather),
	};
	return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
