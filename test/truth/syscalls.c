/* test/truth/syscalls.c - system calls whose loss of the proc Go's summarizer does not notice.
 *
 * It remembers which goroutine is in a system call with each proc.  When a goroutine comes back from a call whose proc
 * was taken, it forgets the proc's entry even if that is about another goroutine by now, and so never sees that one
 * lose the proc: all of that call counts as `syscall`.  This is a model of both bookkeepings, Go's and the right one,
 * that gives the difference for each goroutine.
 */
#include "truth.h"

#include <stdlib.h>

#include "base/idmap.h"
#include "base/vec.h"

typedef struct call {
	int64_t  g, p;          /* goroutine id; proc id it took into the call */
	bool     open;
	int64_t  go_lost_ns, lost_ns; /* when it lost its proc, in Go's eyes and really; WTR_NEVER: has not */
	int64_t  unnoticed_ns;
} call;

typedef struct holder {
	uint32_t go, really;    /* call + 1 */
} holder;

typedef struct model {
	wb_idmap calls_of, holders_of;
	WB_VEC(call) calls;     /* one per goroutine */
	WB_VEC(holder) holders; /* one per proc */
} model;

static call *call_of(model *m, int64_t g)
{
	uint32_t i = wb_idmap_get(&m->calls_of, (uint64_t)g);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)m->calls.n;
		if (!wb_idmap_set(&m->calls_of, (uint64_t)g, i) ||
			!wb_vec_add(&m->calls, (call){ .g = g, .p = WTR_NONE }))
			abort();
	}
	return &m->calls.at[i];
}

static holder *holder_of(model *m, int64_t p)
{
	uint32_t i = wb_idmap_get(&m->holders_of, (uint64_t)p);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)m->holders.n;
		if (!wb_idmap_set(&m->holders_of, (uint64_t)p, i) || !wb_vec_add(&m->holders, (holder){ 0 }))
			abort();
	}
	return &m->holders.at[i];
}

static void leave(model *m, call *c, int64_t now)
{
	if (!c->open)
		return;
	int64_t go = c->go_lost_ns == WTR_NEVER ? now : c->go_lost_ns,
		really = c->lost_ns == WTR_NEVER ? now : c->lost_ns;
	c->unnoticed_ns += go - really;
	holder *h = holder_of(m, c->p);
	h->go = 0;
	if (h->really == (uint32_t)(c - m->calls.at) + 1)
		h->really = 0;
	c->open = false;
}

static void enter(model *m, call *c, int64_t p)
{
	c->open = true;
	c->p = p;
	c->go_lost_ns = c->lost_ns = WTR_NEVER;
	holder *h = holder_of(m, p);
	h->go = h->really = (uint32_t)(c - m->calls.at) + 1;
}

static void proc_idle(model *m, int64_t p, int64_t now)
{
	holder *h = holder_of(m, p);
	if (h->go)
		m->calls.at[h->go - 1].go_lost_ns = now;
	if (h->really)
		m->calls.at[h->really - 1].lost_ns = now;
	*h = (holder){ 0 };
}

static void look(model *m, const wtr_event *e)
{
	if (e->kind != WTR_KIND_STATE_TRANSITION || wtr_from(e) == wtr_to(e))
		return;
	if (e->resource == WTR_RES_PROC && (unsigned)wtr_to(e) == WTR_P_IDLE)
		proc_idle(m, e->id, e->time_ns);
	if (e->resource != WTR_RES_GOROUTINE)
		return;
	call *c = call_of(m, e->id);
	if (wtr_from(e) == WTR_G_SYSCALL)
		leave(m, c, e->time_ns);
	else if (wtr_from(e) == WTR_G_NOTEXIST || wtr_from(e) == WTR_G_UNDETERMINED)
		c->unnoticed_ns = 0;
	if (wtr_to(e) == WTR_G_SYSCALL)
		enter(m, c, e->p);
}

void truth_exempt_syscalls(yajl_val truth, wtr_trace *t, truth_exempted *ret)
{
	model m = { 0 };
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *ev;
	int64_t last = 0;
	for (size_t n; c && (n = wtr_next(c, &ev)) != 0; last = ev[n - 1].time_ns)
		for (size_t i = 0; i < n; i++)
			look(&m, &ev[i]);
	for (size_t i = 0; i < m.calls.n; i++) {
		leave(&m, &m.calls.at[i], last);
		if (m.calls.at[i].unnoticed_ns)
			ret->unnoticed_steals += truth_move_syscall(truth, m.calls.at[i].g, m.calls.at[i].unnoticed_ns);
	}
	wtr_cursor_close(c);
	wb_idmap_free(&m.calls_of);
	wb_idmap_free(&m.holders_of);
	wb_vec_free(&m.calls);
	wb_vec_free(&m.holders);
}
