/* read/v1/replay.c - see replay.h. */
#include "read/v1/replay.h"

#include "base/bytes.h"

enum { DEAD, RUNNABLE, RUNNING, WAITING };
enum { CONST = 0x80 }; /* the sequence number is fixed, not an argument */

#define SEQ_UNTIMED WTR__V1_SEQ_NONE, 0, 0, 0
#define SEQ_SAMPLE  WTR__V1_SEQ_NONE, 0, 0, 0
#define SEQ_FREE    WTR__V1_SEQ_NONE, 0, 0, 0
#define SEQ_GC      WTR__V1_SEQ_EXACT, 0, DEAD, DEAD
#define SEQ_CREATE  WTR__V1_SEQ_EXACT, CONST | 0, DEAD, RUNNABLE
#define SEQ_INITIAL WTR__V1_SEQ_EXACT, CONST | 1, RUNNABLE, WAITING
#define SEQ_START   WTR__V1_SEQ_EXACT, 1, RUNNABLE, RUNNING
#define SEQ_BLOCK   WTR__V1_SEQ_KEEP, 0, RUNNING, WAITING
#define SEQ_YIELD   WTR__V1_SEQ_KEEP, 0, RUNNING, RUNNABLE
#define SEQ_UNBLOCK WTR__V1_SEQ_EXACT, 1, WAITING, RUNNABLE

#define TIMED_UNTIMED 0
#define TIMED_SAMPLE  0
#define TIMED_FREE    1
#define TIMED_GC      1
#define TIMED_CREATE  1
#define TIMED_INITIAL 1
#define TIMED_START   1
#define TIMED_BLOCK   1
#define TIMED_YIELD   1
#define TIMED_UNBLOCK 1

#define CTX_UNTIMED WTR__V1_CTX_KEEP
#define CTX_SAMPLE  WTR__V1_CTX_KEEP
#define CTX_FREE    WTR__V1_CTX_KEEP
#define CTX_GC      WTR__V1_CTX_KEEP
#define CTX_CREATE  WTR__V1_CTX_KEEP
#define CTX_INITIAL WTR__V1_CTX_ARG
#define CTX_START   WTR__V1_CTX_START
#define CTX_BLOCK   WTR__V1_CTX_END
#define CTX_YIELD   WTR__V1_CTX_END
#define CTX_UNBLOCK WTR__V1_CTX_KEEP

/* Some rows are written twice, on purpose. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#ifdef __clang__
#pragma clang diagnostic ignored "-Winitializer-overrides"
#endif
const struct wtr__v1_kind wtr__v1_kinds[64] = {
#define V1(no, Name, since, cls, n, stk) [no] = { TIMED_##cls, n, stk, CTX_##cls, SEQ_##cls },
#include "fmt/v1events.def"
	/* Where the class does not say all. */
	[WF_V1_GoEnd] = { 1, 0, 0, WTR__V1_CTX_END, SEQ_FREE },
	[WF_V1_GoStop] = { 1, 1, 1, WTR__V1_CTX_END, SEQ_FREE },
	[WF_V1_GoSysExit] = { 1, 3, 0, WTR__V1_CTX_ARG, SEQ_UNBLOCK },
	[WF_V1_GoStartLocal] = { 1, 1, 0, WTR__V1_CTX_START, WTR__V1_SEQ_COUNT, 0, RUNNABLE, RUNNING },
	[WF_V1_GoUnblockLocal] = { 1, 2, 1, WTR__V1_CTX_KEEP, WTR__V1_SEQ_COUNT, 0, WAITING, RUNNABLE },
	[WF_V1_GoSysExitLocal] = { 1, 2, 0, WTR__V1_CTX_KEEP, WTR__V1_SEQ_COUNT, 0, WAITING, RUNNABLE },
};
#pragma GCC diagnostic pop

void wtr__v1_stream_open(const wtr__v1 *v, uint32_t proc, wtr__v1_stream *s)
{
	*s = (wtr__v1_stream){ .at = v->at, .end = v->at, .batch = v->procs.at[proc].first };
}

bool wtr__v1_stream_batch(const wtr__v1 *v, wtr__v1_stream *s)
{
	if (s->batch == WTR__V1_NONE)
		return false;
	const wtr__v1_batch *b = &v->batches.at[s->batch];
	s->at = v->at + b->at + 1;
	s->end = v->at + (s->batch + 1 < v->batches.n ? b[1].at : v->n);
	wtr__v1_uv_near_end(&s->at); /* the proc */
	s->ts = (int64_t)wtr__v1_uv_near_end(&s->at);
	s->batch = b->next;
	return true;
}

const uint8_t *wtr__v1_stream_skip(const uint8_t *p)
{
	uint8_t first = *p++;
	if ((first & 63) == WF_V1_String) {
		wtr__v1_uv_near_end(&p);
		uint64_t n = wtr__v1_uv_near_end(&p);
		return p + n;
	}
	if (first >> 6 == 3) {
		uint64_t n = wtr__v1_uv_near_end(&p);
		return p + n;
	}
	for (unsigned i = 0; i <= first >> 6; i++)
		wtr__v1_uv_near_end(&p);
	return p;
}

bool wtr__v1_replay_open(wtr__v1_replay *r, const wtr__v1 *v)
{
	*r = (wtr__v1_replay){ .v = v, .pick = v->picks.at, .pick_end = v->picks.at + v->picks.n };
	r->streams = wb_calloc(v->procs.n + 1, sizeof(*r->streams));
	if (!r->streams)
		return false;
	for (uint32_t i = 0; i < v->procs.n; i++)
		wtr__v1_stream_open(v, i, &r->streams[i]);
	return true;
}

void wtr__v1_replay_close(wtr__v1_replay *r)
{
	wb_free(r->streams);
	*r = (wtr__v1_replay){ 0 };
}
