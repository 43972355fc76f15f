/* rt/powser.c - power series as goroutines: what powser1.go and powser2.go of Go's tests of channels compute, after
 * "Squinting at Power Series" by Doug McIlroy.
 *
 * A series is a goroutine that gives its next coefficient to whoever asks; sums and products are goroutines that ask
 * others, and some series are made of themselves.  Hundreds of goroutines, of which all but one wait at any moment. */
#include "kit/rtkit.h"

#include <stdatomic.h>

typedef struct rational {
	int64_t over, under;
} rational;

static int64_t divisor(int64_t a, int64_t b)
{
	return b ? divisor(b, a % b) : a < 0 ? -a : a;
}

static rational ratio(int64_t over, int64_t under)
{
	int64_t d = divisor(over, under);
	return (rational){ over / d, under / d };
}

static rational plus(rational a, rational b)
{
	return ratio(a.over * b.under + b.over * a.under, a.under * b.under);
}

static rational times(rational a, rational b)
{
	return ratio(a.over * b.over, a.under * b.under);
}

/* ---- streams ---- */

typedef struct stream {
	weft_chan *want, *have;
} stream;

enum { STREAMS = 2000 };
static stream all[STREAMS]; /* their goroutines wait in them at the end */
static atomic_int n_all;

static stream *make_stream(void)
{
	int n = n_all++;
	kit_require(n < STREAMS);
	all[n] = (stream){ weft_chan_make(0, 0), weft_chan_make(sizeof(rational), 0) };
	kit_require(all[n].want && all[n].have);
	return &all[n];
}

static rational next(stream *s)
{
	rational r = { 0, 1 };
	kit_equal(weft_chan_send(s->want, NULL), 0);
	kit_equal(weft_chan_recv(s->have, &r), 1);
	return r;
}

static void await(stream *s)
{
	kit_equal(weft_chan_recv(s->want, NULL), 1);
}

static void answer(stream *s, rational r)
{
	kit_equal(weft_chan_send(s->have, &r), 0);
}

/* What a series is made of. */
typedef struct node {
	stream *f, *g, *out, *out_too;
	rational c;
} node;

static stream *start(weft_fn *fn, node n)
{
	if (!n.out)
		n.out = make_stream();
	kit_equal(weft_go_copy(fn, &n, sizeof(n), NULL), 0);
	return n.out;
}

/* ---- series ---- */

/* c c c .. */
static void repeat(void *arg)
{
	node *n = arg;
	for (;;) {
		await(n->out);
		answer(n->out, n->c);
	}
}

/* c, then f: c + x f */
static void shift(void *arg)
{
	node *n = arg;
	await(n->out);
	answer(n->out, n->c);
	for (;;) {
		await(n->out);
		answer(n->out, next(n->f));
	}
}

static void add(void *arg)
{
	node *n = arg;
	for (;;) {
		await(n->out);
		answer(n->out, plus(next(n->f), next(n->g)));
	}
}

static void scale(void *arg)
{
	node *n = arg;
	for (;;) {
		await(n->out);
		answer(n->out, times(n->c, next(n->f)));
	}
}

/* c + the integral of f */
static void integrate(void *arg)
{
	node *n = arg;
	await(n->out);
	answer(n->out, n->c);
	for (int64_t i = 1;; i++) {
		await(n->out);
		answer(n->out, times(ratio(1, i), next(n->f)));
	}
}

/* f twice: each side gets all of it, and may ask much earlier than the other.  While f thinks, which may take it what
 * the other side still has to get, that side is served. */
enum { KEPT = 64 };

typedef struct twin {
	stream *f, *out[2];
	rational kept[KEPT];
	uint64_t n_got, n_given[2];
	bool waits[2], asked;
} twin;

static void serve(twin *t, int side)
{
	if (t->n_given[side] < t->n_got) {
		answer(t->out[side], t->kept[t->n_given[side]++ % KEPT]);
		t->waits[side] = false;
	} else if (!t->asked) {
		kit_equal(weft_chan_send(t->f->want, NULL), 0);
		t->asked = true;
	}
}

static void split(void *arg)
{
	node *n = arg;
	twin t = { .f = n->f, .out = { n->out, n->out_too } };
	for (;;) {
		rational r;
		weft_case cases[] = { WEFT_RECV(t.waits[0] ? NULL : t.out[0]->want, NULL),
			WEFT_RECV(t.waits[1] ? NULL : t.out[1]->want, NULL),
			WEFT_RECV(t.asked ? t.f->have : NULL, &r) };
		int which = weft_select(cases, 3);
		if (which < 2) {
			t.waits[which] = true;
		} else {
			kit_require(t.n_got - t.n_given[0] < KEPT && t.n_got - t.n_given[1] < KEPT);
			t.kept[t.n_got++ % KEPT] = r;
			t.asked = false;
		}
		for (int side = 0; side < 2; side++)
			if (t.waits[side])
				serve(&t, side);
	}
}

static void split_into(stream *f, stream *ret[static 2])
{
	ret[0] = make_stream();
	ret[1] = make_stream();
	start(split, (node){ .f = f, .out = ret[0], .out_too = ret[1] });
}

/* (f0 + x F) (g0 + x G) = f0 g0 + x (f0 G + g0 F + x F G) */
static void multiply(void *arg)
{
	node *n = arg;
	stream *f[2], *g[2];
	await(n->out);
	rational f0 = next(n->f), g0 = next(n->g);
	answer(n->out, times(f0, g0));
	await(n->out);
	split_into(n->f, f);
	split_into(n->g, g);
	stream *cross = start(add, (node){ .f = start(scale, (node){ .c = f0, .f = g[0] }),
					   .g = start(scale, (node){ .c = g0, .f = f[0] }) });
	stream *rest = start(shift, (node){ .c = { 0, 1 }, .f = start(multiply, (node){ .f = f[1], .g = g[1] }) });
	stream *sum = start(add, (node){ .f = cross, .g = rest });
	for (;;) {
		answer(n->out, next(sum));
		await(n->out);
	}
}

/* ---- cases ---- */

static void expect_series(stream *s, const rational *want, int n)
{
	for (int i = 0; i < n; i++) {
		rational r = next(s);
		kit_equal(r.over, want[i].over);
		kit_equal(r.under, want[i].under);
	}
}

enum { TERMS = 8 };

CASE(product, "test/chan/powser1.go: the square of 1 + x + x^2 + .. is 1 + 2x + 3x^2 + ..")
{
	rational want[TERMS];
	stream *ones = start(repeat, (node){ .c = { 1, 1 } }), *twice[2];
	split_into(ones, twice);
	for (int i = 0; i < TERMS; i++)
		want[i] = (rational){ i + 1, 1 };
	expect_series(start(multiply, (node){ .f = twice[0], .g = twice[1] }), want, TERMS);
}

CASE(exponential, "test/chan/powser1.go: e^x is 1 + its own integral")
{
	static const rational want[TERMS] = { { 1, 1 }, { 1, 1 }, { 1, 2 }, { 1, 6 }, { 1, 24 }, { 1, 120 }, { 1, 720 },
		{ 1, 5040 } };
	stream *itself = make_stream(), *twice[2];
	split_into(itself, twice);
	start(integrate, (node){ .c = { 1, 1 }, .f = twice[0], .out = itself });
	expect_series(twice[1], want, TERMS);
}

CASE(tangent, "test/chan/powser1.go, powser2.go: tan x is the integral of 1 + (tan x)^2")
{
	static const rational want[TERMS] = { { 0, 1 }, { 1, 1 }, { 0, 1 }, { 1, 3 }, { 0, 1 }, { 2, 15 }, { 0, 1 },
		{ 17, 315 } };
	stream *itself = make_stream(), *twice[2], *factors[2];
	split_into(itself, twice);
	split_into(twice[0], factors);
	stream *one = start(shift, (node){ .c = { 1, 1 }, .f = start(repeat, (node){ .c = { 0, 1 } }) });
	stream *square = start(multiply, (node){ .f = factors[0], .g = factors[1] });
	start(integrate, (node){ .c = { 0, 1 }, .f = start(add, (node){ .f = one, .g = square }), .out = itself });
	expect_series(twice[1], want, TERMS);
}
