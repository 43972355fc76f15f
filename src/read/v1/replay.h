/* read/v1/replay.h - decoding the events of one proc, and of all procs in the order that the merge found.
 *
 * Only for bytes that scan.c has checked: nothing is checked again here.
 */
#ifndef READ_V1_REPLAY_H
#define READ_V1_REPLAY_H

#include <string.h>

#include "read/v1/v1.h"

typedef struct wtr__v1_event {
	const uint8_t *at;  /* its first byte */
	int64_t  ts;        /* ticks */
	uint64_t g;         /* context */
	uint64_t a[4];      /* arguments after the time, without the stack; UserLog: [2] is the offset of its message */
	uint32_t stack;     /* on the wire */
	uint8_t  type;      /* WF_V1_... */
} wtr__v1_event;

/* One proc's events, batch after batch. */
typedef struct wtr__v1_stream {
	const uint8_t *at, *end; /* of the current batch */
	int64_t  ts;             /* of the last event */
	uint64_t g;              /* running here; 0: none */
	uint32_t batch;          /* the next one */
} wtr__v1_stream;

/* How events set and clear the running goroutine. */
enum { WTR__V1_CTX_KEEP, WTR__V1_CTX_START, WTR__V1_CTX_END, WTR__V1_CTX_ARG };

#define V1_HIGH UINT64_C(0x8080808080808080)
enum { V1_EVENT_BYTES_MAX = 80 }; /* type, length and five arguments, none longer than 10 bytes, fit */

static inline uint64_t wtr__v1_load(const uint8_t *p)
{
	uint64_t w;
	memcpy(&w, p, sizeof(w));
	return w; /* little-endian machines only */
}

/* The seven-bit groups of a number, put together. */
static inline uint64_t wtr__v1_compact(uint64_t w)
{
	w = (w & UINT64_C(0x7f007f007f007f00)) >> 1 | (w & UINT64_C(0x007f007f007f007f));
	w = (w & UINT64_C(0xffff0000ffff0000)) >> 2 | (w & UINT64_C(0x0000ffff0000ffff));
	return w >> 32 << 28 | (w & UINT64_C(0xffffffff));
}

/* A varint known to be sound, with at least 10 readable bytes. */
static inline uint64_t wtr__v1_uv(const uint8_t **pp)
{
	const uint8_t *p = *pp;
	uint64_t w = wtr__v1_load(p);
	if (!(w & 0x80)) {
		*pp = p + 1;
		return w & 0x7f;
	}
	uint64_t ends = ~w & V1_HIGH;
	if (__builtin_expect(ends == 0, 0)) {
		uint64_t v = 0;
		for (unsigned shift = 0;; shift += 7) {
			v |= (uint64_t)(*p & 0x7f) << shift;
			if (*p++ < 0x80)
				break;
		}
		*pp = p;
		return v;
	}
	*pp = p + (__builtin_ctzll(ends) >> 3) + 1;
	w &= ends ^ (ends - 1); /* up to and with the last byte */
	return wtr__v1_compact(w & ~V1_HIGH);
}

/* The same for any length of readable bytes. */
static inline uint64_t wtr__v1_uv_near_end(const uint8_t **pp)
{
	uint64_t v = 0;
	for (unsigned shift = 0;; shift += 7) {
		uint8_t c = *(*pp)++;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80)
			return v;
	}
}

void wtr__v1_stream_open(const wtr__v1 *v, uint32_t proc, wtr__v1_stream *s);
/* Steps into the next batch; false: there is none. */
bool wtr__v1_stream_batch(const wtr__v1 *v, wtr__v1_stream *s);
/* Steps over an entry that is no timed event. */
const uint8_t *wtr__v1_stream_skip(const uint8_t *p);

extern const struct wtr__v1_kind {
	uint8_t timed, n_args, has_stack, ctx;
	uint8_t seq;     /* wtr__v1_seq */
	uint8_t seq_arg; /* argument with the number */
	uint8_t needs, leaves; /* status */
} wtr__v1_kinds[64];

/* The next timed event of a proc; false at its end. */
static inline bool wtr__v1_stream_next(const wtr__v1 *v, wtr__v1_stream *s, wtr__v1_event *e)
{
	const struct wtr__v1_kind *k;
	const uint8_t *p;
	for (;;) {
		if (__builtin_expect(s->at == s->end, 0)) {
			if (!wtr__v1_stream_batch(v, s))
				return false;
			continue;
		}
		p = s->at;
		k = &wtr__v1_kinds[*p & 63];
		if (__builtin_expect(k->timed, 1))
			break;
		s->at = wtr__v1_stream_skip(p);
	}
	uint8_t near_end[V1_EVENT_BYTES_MAX];
	const uint8_t *from = p;
	uint64_t left = (uint64_t)(v->at + v->n - p);
	if (__builtin_expect(left < V1_EVENT_BYTES_MAX, 0)) {
		memcpy(near_end, p, left);
		memset(near_end + left, 0, sizeof(near_end) - left);
		from = near_end;
	}
	const uint8_t *q = from;
	uint8_t first = *q++;
	e->at = p;
	e->type = first & 63;
	if (first >= 3 << 6) { /* the length */
		if (__builtin_expect(*q < 0x80, 1))
			q++;
		else
			wtr__v1_uv(&q);
	}
	e->ts = s->ts = (int64_t)((uint64_t)s->ts + wtr__v1_uv(&q));
	unsigned n = k->n_args;
	for (unsigned i = 0; i < n; i++)
		e->a[i] = wtr__v1_uv(&q);
	e->stack = k->has_stack ? (uint32_t)e->a[n - 1] : 0;
	s->at = p + (q - from);
	e->g = s->g;
	switch (k->ctx) {
	case WTR__V1_CTX_START: e->g = s->g = e->a[0]; break;
	case WTR__V1_CTX_END: s->g = 0; break;
	case WTR__V1_CTX_ARG: e->g = e->a[0]; break;
	default:
		if (__builtin_expect(e->type == WF_V1_UserLog, 0)) {
			e->a[2] = (uint64_t)(s->at - v->at);
			uint64_t text = wtr__v1_uv_near_end(&s->at);
			s->at += text;
		}
	}
	return true;
}

/* All events in the order to deliver them. */
typedef struct wtr__v1_replay {
	const wtr__v1  *v;
	wtr__v1_stream *streams;   /* one per proc */
	const uint8_t  *pick;
	const uint8_t  *pick_end;
	size_t   sample, moved;    /* the next ones */
	uint32_t index;            /* of the next event in merge order */
	bool     has_held;         /* `held` is decoded and waits for moved events before it */
	uint32_t held_stream;
	wtr__v1_event held;
} wtr__v1_replay;

/* What comes next: an event of stream `stream`, the sample stream being procs.n. */
typedef enum wtr__v1_step { WTR__V1_END, WTR__V1_EVENT, WTR__V1_MOVED } wtr__v1_step;

bool wtr__v1_replay_open(wtr__v1_replay *r, const wtr__v1 *v); /* false: out of memory */
void wtr__v1_replay_close(wtr__v1_replay *r);

static inline uint32_t wtr__v1_pick(wtr__v1_replay *r)
{
	const uint8_t *p = r->pick;
	r->pick += r->v->pick_bytes;
	if (__builtin_expect(r->v->pick_bytes == 1, 1))
		return *p;
	if (r->v->pick_bytes == 2)
		return (uint32_t)(p[0] | p[1] << 8);
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* Decodes the next event that is delivered where it stands into `held`; false at the end. */
static inline bool wtr__v1_replay_hold(wtr__v1_replay *r)
{
	const wtr__v1 *v = r->v;
	const uint32_t escape = UINT32_MAX >> (32 - 8 * v->pick_bytes);
	while (r->pick < r->pick_end) {
		uint32_t s = wtr__v1_pick(r), how = UINT32_MAX;
		if (__builtin_expect(s == escape, 0)) {
			how = wtr__v1_pick(r);
			s = wtr__v1_pick(r);
		}
		r->index++;
		wtr__v1_event *e = &r->held;
		r->held_stream = s;
		if (__builtin_expect(s == v->procs.n, 0)) {
			const wtr__v1_sample *c = &v->samples.at[r->sample++];
			*e = (wtr__v1_event){ v->at + c->at, c->ts, c->g, { (uint64_t)(int64_t)c->p, 0, 0, 0 },
				c->stack, WF_V1_CPUSample };
		} else if (!wtr__v1_stream_next(v, &r->streams[s], e)) {
			return false; /* does not happen */
		}
		if (__builtin_expect(how == WTR__V1_SKIP, 0))
			continue;
		if (e->type == WF_V1_GoSysExit && e->a[2] != 0 && how != WTR__V1_STAY)
			continue; /* it comes from v->moved */
		return true;
	}
	return false;
}

/* The next event, in r->held, or the next moved GoSysExit, v->moved.at[r->moved - 1]. */
static inline wtr__v1_step wtr__v1_replay_next(wtr__v1_replay *r)
{
	const wtr__v1 *v = r->v;
	if (!r->has_held)
		r->has_held = wtr__v1_replay_hold(r);
	if (r->moved < v->moved.n) {
		const wtr__v1_moved *m = &v->moved.at[r->moved];
		if (!r->has_held || m->ts < r->held.ts || (m->ts == r->held.ts && m->index < r->index - 1)) {
			r->moved++;
			return WTR__V1_MOVED;
		}
	}
	if (!r->has_held)
		return WTR__V1_END;
	r->has_held = false;
	return WTR__V1_EVENT;
}

#endif
