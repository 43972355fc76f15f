/* an/find/rule_deadlock.c - goroutines that wait at the end, each for another one of them.
 *
 * Whom a goroutine waits for is not in a Go trace.  Who ended waits at the same place before is: such a goroutine or,
 * when it is gone, one of the same start function that waits elsewhere, is whom it probably waits for.
 */
#include <string.h>

#include "an/find/find.h"

enum { NODES_MAX = 1024, EDGES = 4, TIMES_THE_LONGEST = 4, SHARE = 4, SHARE_EXACT = 20 };
/* SHARE: a wait is a quarter of the time at least; or a twentieth, where only the others of the circle are guessed.  A
 * circle in which the trace says whom each waits for is one from its first moment on. */

typedef struct node {
	uint32_t follower, wait; /* wait: row */
	int64_t from_ns;
	uint32_t to[EDGES];
	unsigned n, seen; /* seen: number of the walk that came by */
	bool exact;       /* the trace says so */
	bool brief;       /* exact, but too short for a circle that is not */
} node;

typedef struct graph {
	an_find *f;
	WB_VEC(node) nodes;
	wb_idmap of; /* goroutine -> node */
} graph;

/* In the time that counts. */
static int64_t waited(const an_find *f, const an_follower *l)
{
	return f->world.to_ns - (l->from_ns > f->world.from_ns ? l->from_ns : f->world.from_ns);
}

static bool stuck(an_find *f, const an_follower *l, const an_find_g *g, const an_wait *w)
{
	int64_t ns = waited(f, l);
	if (g->holder != WTR_NONE)
		return true;
	return (w->cls == WTR_CLASS_LOCK || w->cls == WTR_CLASS_BLOCKED) && w->by_nobody == 0 && w->n_wakers > 0 &&
	       ns >= an_window(f) / SHARE && ns / TIMES_THE_LONGEST >= w->longest_over_ns;
}

static bool find_nodes(graph *k)
{
	an_find *f = k->f;
	for (uint32_t i = 0; i < f->follow.all.n && i < f->gs.n && k->nodes.n < NODES_MAX; i++) {
		const an_follower *l = &f->follow.all.at[i];
		if (l->state != WTR_G_WAITING)
			continue;
		const an_find_g *g = &f->gs.at[i];
		if (g->wait_at == 0 || !stuck(f, l, g, &f->waits.at[g->wait_at - 1]))
			continue;
		node n = {
			.follower = i, .wait = g->wait_at - 1, .from_ns = l->from_ns, .exact = g->holder != WTR_NONE
		};
		n.brief = n.exact && waited(f, l) < an_window(f) / SHARE_EXACT;
		if (!wb_vec_add(&k->nodes, n) || !wb_idmap_set(&k->of, (uint64_t)l->id, (uint32_t)k->nodes.n - 1))
			return false;
	}
	return true;
}

/* Another one of that start function, which waits elsewhere. */
static uint32_t of_group(const graph *k, const node *n, uint32_t group)
{
	for (uint32_t i = 0; group && i < k->nodes.n; i++)
		if (k->f->gs.at[k->nodes.at[i].follower].group == group && k->nodes.at[i].wait != n->wait)
			return i;
	return WB_IDMAP_NONE;
}

static void find_edges(graph *k)
{
	for (size_t i = 0; i < k->nodes.n; i++) {
		node *n = &k->nodes.at[i];
		const an_wait *w = &k->f->waits.at[n->wait];
		uint32_t holder = wb_idmap_get(&k->of, (uint64_t)k->f->gs.at[n->follower].holder);
		if (n->exact) {
			if (holder != WB_IDMAP_NONE)
				n->to[n->n++] = holder;
			continue;
		}
		for (unsigned e = 0; e < EDGES && e < w->n_wakers; e++) {
			uint32_t to = wb_idmap_get(&k->of, (uint64_t)w->wakers[e]);
			if (to == WB_IDMAP_NONE || k->nodes.at[to].wait == n->wait)
				to = of_group(k, n, w->waker_groups[e]);
			if (to != WB_IDMAP_NONE && to != i)
				n->to[n->n++] = to;
		}
	}
}

/* Walks from a node along first edges until it comes by a node again; the first node of the circle, or NONE. */
static uint32_t walk(graph *k, uint32_t from, unsigned number)
{
	for (uint32_t at = from;;) {
		node *n = &k->nodes.at[at];
		if (n->seen)
			return n->seen == number ? at : WB_IDMAP_NONE;
		n->seen = number;
		if (n->n == 0)
			return WB_IDMAP_NONE;
		at = n->to[0];
		for (unsigned e = 1; e < n->n; e++) /* rather on to where the walk has been */
			at = k->nodes.at[n->to[e]].seen == number ? n->to[e] : at;
	}
}

static void name(graph *k, wtr_finding *d, const node *n, const char *g, const char *of, const char *site)
{
	an_find *f = k->f;
	an_found_g(d, g, f->follow.all.at[n->follower].id);
	an_found_text(d, of, an_group_name(f, f->gs.at[n->follower].group));
	an_found_text(d, site, an_stack_site(f, f->waits.at[n->wait].stack));
}

/* The lock that the next one holds: "mutex 'accounts', held by "; nothing where the trace does not say that. */
static wtr_str held_lock(an_find *f, const node *n)
{
	static const char held[] = ", held by ";
	wtr_str lock = f->waits.at[n->wait].object;
	if (!n->exact || !lock.n)
		return (wtr_str){ "", 0 };
	char *text = wb_new(&f->arena, char, lock.n + sizeof(held));
	if (text) {
		memcpy(text, lock.at, lock.n);
		memcpy(text + lock.n, held, sizeof(held));
	}
	return an_kept(f, text, lock.n + sizeof(held) - 1);
}

static uint32_t next(const graph *k, uint32_t at, unsigned number)
{
	const node *n = &k->nodes.at[at];
	for (unsigned e = 0; e < n->n; e++)
		if (k->nodes.at[n->to[e]].seen == number)
			return n->to[e];
	return n->to[0];
}

static void tell(graph *k, uint32_t first, unsigned number, size_t waiting)
{
	an_find *f = k->f;
	unsigned n = 0;
	int64_t last = INT64_MIN;
	uint32_t at = first;
	bool exact = true, brief = false;
	do {
		exact &= k->nodes.at[at].exact;
		brief |= k->nodes.at[at].brief;
		last = k->nodes.at[at].from_ns > last ? k->nodes.at[at].from_ns : last;
		at = next(k, at, number);
		n++;
	} while (at != first && n < NODES_MAX);
	wtr_finding *d = brief && !exact ? NULL : an_found(f, AN_RULE_DEADLOCK, AN_FORM_DEADLOCK_CIRCLE, n);
	if (!d)
		return;
	d->probable = !exact;
	an_found_count(d, "n", n);
	an_found_ns(d, "since", f->world.to_ns - last);
	name(k, d, &k->nodes.at[first], "g", "name", "site");
	an_found_text(d, "lock", held_lock(f, &k->nodes.at[first]));
	name(k, d, &k->nodes.at[next(k, first, number)], "other_g", "other_name", "other_site");
	an_found_range(d, last, f->world.to_ns);
	for (unsigned i = 0; i < n; i++, at = next(k, at, number)) {
		const node *m = &k->nodes.at[at];
		an_found_goroutine(d, f->follow.all.at[m->follower].id, an_group_name(f, f->gs.at[m->follower].group),
			m->from_ns > f->world.from_ns ? m->from_ns : f->world.from_ns, f->world.to_ns);
		an_found_stack(d, "waits at", f->waits.at[m->wait].stack);
	}
	an_found_of(d, n, waiting, "goroutines that wait for another");
}

void an_deadlock_report(an_find *f)
{
	graph k = { .f = f };
	if (!find_nodes(&k)) {
		f->follow.oom = true;
	} else {
		find_edges(&k);
		for (uint32_t i = 0; i < k.nodes.n; i++) {
			uint32_t first = walk(&k, i, i + 1);
			if (first != WB_IDMAP_NONE)
				tell(&k, first, i + 1, k.nodes.n);
		}
	}
	wb_vec_free(&k.nodes);
	wb_idmap_free(&k.of);
}
