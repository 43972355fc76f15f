/* edit/pack.c - the public face of packed traces; see wtr/edit.h and fmt/pack.h. */
#include <pthread.h>
#include <string.h>

#include <wtr/edit.h>

#include "fmt/pack.h"
#include "os/thread.h"
#include "read/input.h"
#include "read/source.h"

/* Where the bytes go, and how many went. */
typedef struct output {
	wtr_trace *t;
	const char *doing;
	wtr_write_fn *put;
	void *user;
	uint64_t n;
} output;

static bool put_on(void *user, const void *at, size_t n, uint64_t done)
{
	output *o = user;
	const wtr_options *opt = &o->t->opt;
	if (opt->progress && !opt->progress(opt->progress_user, o->doing, done, o->t->n))
		return false;
	o->n += n;
	return o->put(o->user, at, n);
}

static wtr_code translate(wf_pack_code rc, const output *o, wtr_error *err)
{
	switch (rc) {
	case WF_PACK_OK: return WTR_OK;
	case WF_PACK_NOMEM: return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	case WF_PACK_STOPPED:
		return wtr__fail(err, WTR_E_IO, o->n, 0, WTR_NONE, "", "output", "the output could not be written");
	case WF_PACK_BROKEN: break;
	}
	if (!wf_is_packed(o->t->at, o->t->n))
		return wtr__fail(err, WTR_E_FORMAT, 0, 0, WTR_NONE, "", "pack", "this is not a packed trace");
	return wtr__fail(err, WTR_E_FORMAT, o->n, 0, WTR_NONE, "", "pack",
		"the packed trace is torn or damaged behind %llu bytes of the trace", (unsigned long long)o->n);
}

/* ---- blocks packed by several threads, and written in order by the caller's ---- */

enum { THREADS_MAX = 8, WORTH_THREADS_BYTES = 2 << 20 };

typedef struct slot {
	wb_buf out;
	size_t behind; /* of the trace, when it is written; 0: not packed yet */
} slot;

typedef struct press {
	const uint8_t *at;
	size_t n, next; /* next: where the next block begins; guarded, as all below but the slot that a thread fills */
	size_t taken, written, n_slots;
	slot slots[2 * THREADS_MAX];
	bool stop, no_memory;
	pthread_mutex_t lock;
	pthread_cond_t changed;
} press;

/* Packs the next block, false: there is none.  With the lock, which it lets go meanwhile. */
static bool pack_next(press *x, wf_packer *p)
{
	while (!x->stop && x->next < x->n && x->taken - x->written == x->n_slots)
		pthread_cond_wait(&x->changed, &x->lock);
	if (x->stop || x->next == x->n)
		return false;
	size_t from = x->next, n = wf_pack_measure(false, x->at + from, x->n - from);
	slot *s = &x->slots[x->taken++ % x->n_slots];
	x->next += n;
	pthread_mutex_unlock(&x->lock);
	s->out.n = 0;
	bool packed = wf_pack_block(p, false, x->at + from, n, &s->out) == n;
	pthread_mutex_lock(&x->lock);
	s->behind = from + n;
	x->no_memory |= !packed;
	x->stop |= !packed;
	pthread_cond_broadcast(&x->changed);
	return packed;
}

static void *pack_some(void *user)
{
	press *x = user;
	wf_packer *p = wf_packer_new();
	pthread_mutex_lock(&x->lock);
	if (!p) {
		x->no_memory = x->stop = true;
		pthread_cond_broadcast(&x->changed);
	}
	while (p && pack_next(x, p)) {
	}
	pthread_mutex_unlock(&x->lock);
	wf_packer_free(p);
	return NULL;
}

static wf_pack_code write_blocks(press *x, output *o)
{
	bool going_on = true;
	pthread_mutex_lock(&x->lock);
	while (going_on && !x->stop && (x->next < x->n || x->written < x->taken)) {
		slot *s = &x->slots[x->written % x->n_slots];
		if (x->written == x->taken || !s->behind) {
			pthread_cond_wait(&x->changed, &x->lock);
			continue;
		}
		pthread_mutex_unlock(&x->lock);
		going_on = put_on(o, s->out.at, s->out.n, s->behind);
		pthread_mutex_lock(&x->lock);
		s->behind = 0;
		x->written++;
		pthread_cond_broadcast(&x->changed);
	}
	x->stop = true;
	pthread_cond_broadcast(&x->changed);
	pthread_mutex_unlock(&x->lock);
	return x->no_memory ? WF_PACK_NOMEM : going_on ? WF_PACK_OK : WF_PACK_STOPPED;
}

static wf_pack_code pack_between(press *x, int threads, output *o)
{
	pthread_t t[THREADS_MAX];
	int n = 0;
	while (n < threads && wo_thread_start(&t[n], pack_some, x) == 0)
		n++;
	wf_pack_code rc = n ? write_blocks(x, o) : WF_PACK_NOMEM;
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return rc;
}

static wf_pack_code pack_together(const wtr_trace *t, int threads, output *o)
{
	uint8_t start[WF_PACK_START_BYTES_MAX];
	press x = { .at = t->at, .n = t->n, .n_slots = 2 * (size_t)threads };
	size_t start_n = wf_pack_start(t->at, t->n, start, &x.next);
	if (!put_on(o, start, start_n, x.next))
		return WF_PACK_STOPPED;
	pthread_mutex_init(&x.lock, NULL);
	pthread_cond_init(&x.changed, NULL);
	wf_pack_code rc = pack_between(&x, threads, o);
	wb_buf end = { 0 };
	wf_pack_end(t->n, &end);
	if (rc == WF_PACK_OK)
		rc = end.failed ? WF_PACK_NOMEM : put_on(o, end.at, end.n, t->n) ? WF_PACK_OK : WF_PACK_STOPPED;
	wb_buf_free(&end);
	for (size_t i = 0; i < x.n_slots; i++)
		wb_buf_free(&x.slots[i].out);
	pthread_cond_destroy(&x.changed);
	pthread_mutex_destroy(&x.lock);
	return rc;
}

/* Where the blocks of the first container end shows only when they are made. */
static wf_pack_code pack(const wtr_trace *t, output *o)
{
	int threads = t->opt.threads ? t->opt.threads : wo_processors();
	threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	bool alone = threads < 2 || t->n < WORTH_THREADS_BYTES || wf_pack_is_v1(t->at, t->n);
	return alone ? wf_pack(t->at, t->n, put_on, o) : pack_together(t, threads, o);
}

/* ---- the public face ---- */

static wtr_trace empty_trace(const wtr_options *opt)
{
	return (wtr_trace){ .opt = opt ? *opt : (wtr_options){ 0 },
		.compression = "none",
		.map.at = (const uint8_t *)"",
		.at = (const uint8_t *)"" };
}

wtr_code wtr_pack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err)
{
	wtr_trace t = empty_trace(opt);
	output o = { .t = &t, .doing = "packing", .put = put, .user = user };
	wtr_code rc = wtr__input_path(&t, path, err);
	if (rc == WTR_OK)
		rc = translate(pack(&t, &o), &o, err);
	if (rc == WTR_OK && ret)
		*ret = (wtr_pack_result){ .trace_bytes = t.n, .packed_bytes = o.n };
	wo_unmap(&t.map);
	return rc;
}

wtr_code wtr_unpack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err)
{
	wtr_trace t = empty_trace(opt);
	output o = { .t = &t, .doing = "unpacking", .put = put, .user = user };
	wtr_code rc = wtr__input_raw(&t, path, err);
	if (rc == WTR_OK)
		rc = translate(wf_unpack(t.at, t.n, put_on, &o), &o, err);
	if (rc == WTR_OK && ret)
		*ret = (wtr_pack_result){ .trace_bytes = o.n, .packed_bytes = t.n };
	wo_unmap(&t.map);
	return rc;
}
