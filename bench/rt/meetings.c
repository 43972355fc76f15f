/* rt/meetings.c - channels, select and locks. */
#include "bench.h"

typedef struct pair {
	weft_chan *there, *back;
	uint64_t n;
} pair;

static void pong(void *arg)
{
	pair *p = arg;
	uint64_t v;
	while (weft_chan_recv(p->there, &v) == 1)
		weft_chan_send(p->back, &v);
	weft_chan_close(p->back);
}

void bench_ping_pong(uint64_t n)
{
	pair p = { weft_chan_make(sizeof(uint64_t), 0), weft_chan_make(sizeof(uint64_t), 0), n };
	uint64_t v;
	bench_must(weft_go(pong, &p), "weft_go");
	for (uint64_t i = 0; i < n; i++) {
		weft_chan_send(p.there, &i);
		weft_chan_recv(p.back, &v);
	}
	weft_chan_close(p.there);
	weft_chan_recv(p.back, &v);
	weft_chan_unref(p.there);
	weft_chan_unref(p.back);
}

static void produce(void *arg)
{
	pair *p = arg;
	for (uint64_t i = 0; i < p->n; i++)
		weft_chan_send(p->there, &i);
	weft_chan_close(p->there);
}

void bench_buffered(uint64_t n)
{
	pair p = { weft_chan_make(sizeof(uint64_t), 128), NULL, n };
	uint64_t v;
	bench_must(weft_go(produce, &p), "weft_go");
	while (weft_chan_recv(p.there, &v) == 1) {
	}
	weft_chan_unref(p.there);
}

typedef struct four {
	weft_chan *ch[4];
	uint64_t n;
	weft_wg done;
} four;

static void four_make(four *f, uint64_t n)
{
	*f = (four){ .n = n };
	for (int i = 0; i < 4; i++)
		f->ch[i] = weft_chan_make(sizeof(uint64_t), 0);
}

static void four_free(four *f)
{
	for (int i = 0; i < 4; i++)
		weft_chan_unref(f->ch[i]);
}

static void go_round(void *arg)
{
	four *f = arg;
	for (uint64_t i = 0; i < f->n; i++)
		weft_chan_send(f->ch[i % 4], &i);
	weft_wg_done(&f->done);
}

void bench_select_four(uint64_t n)
{
	four f;
	uint64_t v;
	four_make(&f, n);
	weft_wg_add(&f.done, 1);
	bench_must(weft_go(go_round, &f), "weft_go");
	weft_case cases[4] = { WEFT_RECV(f.ch[0], &v), WEFT_RECV(f.ch[1], &v), WEFT_RECV(f.ch[2], &v),
		WEFT_RECV(f.ch[3], &v) };
	for (uint64_t i = 0; i < n; i++)
		weft_select(cases, 4);
	weft_wg_wait(&f.done);
	four_free(&f);
}

void bench_select_default(uint64_t n)
{
	four f;
	uint64_t v;
	four_make(&f, n);
	weft_case cases[4] = { WEFT_RECV(f.ch[0], &v), WEFT_RECV(f.ch[1], &v), WEFT_RECV(f.ch[2], &v),
		WEFT_RECV(f.ch[3], &v) };
	for (uint64_t i = 0; i < n; i++)
		weft_select_try(cases, 4);
	four_free(&f);
}

typedef struct counter {
	weft_mutex lock;
	uint64_t count, n;
	weft_wg done;
} counter;

static void count(void *arg)
{
	counter *c = arg;
	for (uint64_t i = 0; i < c->n; i++) {
		weft_lock(&c->lock);
		c->count++;
		weft_unlock(&c->lock);
	}
	weft_wg_done(&c->done);
}

void bench_mutex(uint64_t n)
{
	counter c = { .n = n };
	weft_wg_add(&c.done, 4);
	for (int i = 0; i < 4; i++)
		bench_must(weft_go(count, &c), "weft_go");
	weft_wg_wait(&c.done);
	bench_must(c.count == 4 * n ? 0 : -1, "mutex: lost counts");
}
