/* an/find/wakes.c - a wait is over: who ended it, and what rules make of that. */
#include "an/find/find.h"

an_find_g *an_g_of(an_find *f, int64_t g)
{
	an_follower *l = an_follow_get(&f->follow, g);
	size_t i = l ? (size_t)(l - f->follow.all.at) : f->gs.n;
	return i < f->gs.n ? &f->gs.at[i] : NULL;
}

void an_sums_of(an_find *f, const an_follower *l, int64_t now, int64_t *ret)
{
	const an_find_g *g = &f->gs.at[l - f->follow.all.at];
	int64_t from = l->from_ns > f->world.from_ns ? l->from_ns : f->world.from_ns;
	unsigned cls = an_follow_class(&f->follow, l);
	for (unsigned c = 0; c < WTR_CLASS_COUNT; c++)
		ret[c] = g->by_class[c];
	ret[cls] += now > from ? now - from : 0;
}

/* Keeps the last few that differ. */
static void keep_waker(an_wait *w, int64_t id, uint32_t group)
{
	enum { KEPT = sizeof(w->wakers) / sizeof(w->wakers[0]) };
	unsigned n = w->n_wakers < KEPT ? w->n_wakers : KEPT;
	for (unsigned i = 0; i < n; i++)
		if (w->wakers[i] == id)
			return;
	w->wakers[w->n_wakers % KEPT] = id;
	w->waker_groups[w->n_wakers++ % KEPT] = group;
}

void an_woken(an_find *f, const an_find_span *s)
{
	an_wait *w = s->g->wait_at ? &f->waits.at[s->g->wait_at - 1] : NULL;
	an_find_g *waker = an_g_of(f, s->end->g);
	if (!w)
		return;
	uint32_t at = (uint32_t)(w - f->waits.at);
	if (waker) {
		keep_waker(w, s->end->g, waker->group);
		an_pingpong_woken(s, at, waker);
		an_rwmutex_woken(f, s, w, waker);
		an_serial_woken(f, s, waker);
	} else {
		s->g->turn = 0;
	}
	an_herd_woken(f, s, at, waker);
	if (w->cls == WTR_CLASS_NETWORK && s->end->g == WTR_NONE)
		an_netpoll_woken(f, s->to_ns);
	s->g->woken_by = s->end->g;
	s->g->woken_p = s->end->p;
	s->g->woken_m = s->end->m;
	s->g->woken_at = at + 1;
	if (w->call == AN_CALL_WLOCK) {
		s->g->writer_from_ns = s->from_ns;
		s->g->writer_to_ns = s->to_ns;
		s->g->writer_at = at + 1;
	}
}
