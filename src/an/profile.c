/* an/profile.c - what each kind of profile takes from a pass (docs/analyses.md defines them). */
#include "an/profile.h"

#include <string.h>

#include "read/source.h"
#include "read/trace.h"

/* A wait that was over before its goroutine first ran: it counts only if the goroutine never runs. */
typedef struct early {
	uint32_t row, next;
	int64_t ns;
} early;

typedef struct gather {
	an_sink sink;
	an_follow follow;
	wtr_profile_query q;
	wtr_profile *p;
	an_span_source from;
	wb_idmap rows; /* key of a record -> its row */
	WB_VEC(early) earlies;
	unsigned states;  /* bits of wtr_gstate that the kind asks for */
	int64_t limit_ns; /* later events only tell who ever ran; INT64_MAX: none */
	int64_t first_ns;
	const wtr_index *lives; /* set: as go tool trace, when an id had several */
	uint64_t events;
	/* ALONE */
	unsigned running, runnable;
	int64_t since_ns;
	uint32_t alone;           /* sum of the numbers of running followers: the number of the one, when it is one */
	WB_VEC(int64_t) alone_ns; /* by follower */
} gather;

/* ---- records ---- */

uint32_t an_profile_row_slow(wtr_profile *p, wb_idmap *rows, uint64_t key, const an_prow *fresh)
{
	uint32_t i = (uint32_t)p->rows.n;
	if (i >= UINT32_MAX - 1 || !wb_vec_add(&p->rows, *fresh) || !wb_idmap_set(rows, key, i))
		return UINT32_MAX;
	return i;
}

static inline uint32_t row_of(gather *g, uint64_t key, an_prow fresh)
{
	uint32_t i = an_profile_row(g->p, &g->rows, key, &fresh);
	g->follow.oom |= i == UINT32_MAX;
	return i;
}

/* A record shows the stack that was met last, of those that are the same to it. */
static inline uint32_t row_of_stack(gather *g, uint32_t stack, unsigned state)
{
	uint64_t same = an_stackset_same(&g->follow.stacks, stack);
	uint32_t row = row_of(g, same * WTR_CLASS_COUNT + state, (an_prow){ .stack = stack, .state = state });
	if (__builtin_expect(row != UINT32_MAX, 1))
		g->p->rows.at[row].stack = stack;
	return row;
}

static void add(gather *g, uint32_t row, uint64_t count, int64_t ns)
{
	if (row == UINT32_MAX)
		return;
	g->p->rows.at[row].count += count;
	g->p->rows.at[row].ns += ns;
}

static uint32_t stack_of(gather *g, uint32_t id)
{
	uint32_t no = an_stackset_add(&g->follow.stacks, g->follow.trace, id);
	if (no != UINT32_MAX)
		return no;
	g->follow.oom = true;
	return 0;
}

/* How much of an interval the query is about. */
static int64_t part_of(gather *g, const an_follower *f, const wtr_event *end, int64_t from, int64_t to)
{
	if (g->q.ranged) {
		from = from > g->q.from_ns ? from : g->q.from_ns;
		to = to < g->q.to_ns ? to : g->q.to_ns;
	}
	if (to <= from)
		return 0;
	if (!g->q.where)
		return to - from;
	an_state_span s = an_follow_span(&g->follow, f, end, from, to);
	return an_where_span(g->q.where, &g->from, &s);
}

/* ---- the four of go tool trace ---- */

static bool has(wtr_str s, const char *word)
{
	return s.n && memmem(s.at, s.n, word, strlen(word));
}

bool an_profile_waits(wtr_profile_kind kind, wtr_str reason)
{
	switch (kind) {
	case WTR_PROFILE_NET: return reason.n == 7 && has(reason, "network");
	case WTR_PROFILE_SYNC: return has(reason, "chan") || has(reason, "sync") || has(reason, "select");
	default: return true;
	}
}

static void fresh_reason(void *user, an_follow *w, uint32_t reason)
{
	gather *g = user;
	wb_text t = wb_intern_text(&w->stacks.texts, w->reasons.at[reason].text);
	w->reasons.at[reason].mark = an_profile_waits(g->q.kind, (wtr_str){ t.at, t.n });
}

static void keep_early(gather *g, an_follower *f, uint32_t row, int64_t ns)
{
	if (!wb_vec_add(&g->earlies, (early){ row, f->early, ns }))
		g->follow.oom = true;
	else
		f->early = (uint32_t)g->earlies.n;
}

static void drop_early(gather *g, an_follower *f)
{
	for (uint32_t i = f->early; i; i = g->earlies.at[i - 1].next)
		g->earlies.at[i - 1].ns = 0;
	f->early = 0;
}

/* go tool trace looks at the last life of an id only. */
static void cut_to_last_life(gather *g, int64_t id, int64_t *from, int64_t *to)
{
	const wtr_goroutine_row *r = wtr_goroutine(g->lives, id);
	if (!r)
		return;
	if (r->start_ns != WTR_NEVER && r->start_ns > *from)
		*from = r->start_ns;
	if (r->end_ns != WTR_NEVER && r->end_ns < *to)
		*to = r->end_ns;
}

static inline void delay_over(gather *g, an_follower *f, const wtr_event *end)
{
	if (!end) /* what is open at the end does not count */
		return;
	bool starts = !f->started && !g->lives && wtr_to(end) == WTR_G_RUNNING;
	if (starts && f->early)
		drop_early(g, f);
	if (!(g->states >> f->state & 1) || starts || end->time_ns > g->limit_ns)
		return;
	if (f->state == WTR_G_WAITING && !g->follow.reasons.at[f->reason].mark)
		return;
	int64_t from = f->known_ns, to = end->time_ns;
	if (g->lives)
		cut_to_last_life(g, f->id, &from, &to);
	int64_t ns = part_of(g, f, end, from, to);
	if (ns <= 0)
		return;
	uint32_t row = row_of_stack(g, f->stack, 0);
	if (__builtin_expect(f->started || g->lives, 1))
		add(g, row, 1, ns);
	else
		keep_early(g, f, row, ns);
}

/* ---- off the processor ---- */

static void offcpu_over(gather *g, an_follower *f, const wtr_event *end, int64_t now)
{
	int64_t ns = part_of(g, f, end, f->from_ns, now);
	if (ns <= 0)
		return;
	an_state_span s = an_follow_span(&g->follow, f, end, f->from_ns, now);
	add(g, row_of_stack(g, f->stack, s.cls), 1, ns);
}

static void offwake_over(gather *g, an_follower *f, const wtr_event *end, int64_t now)
{
	if (!end || wtr_to(end) != WTR_G_RUNNABLE)
		return;
	int64_t ns = part_of(g, f, end, f->from_ns, now);
	if (ns <= 0)
		return;
	uint32_t waker = stack_of(g, end->stack);
	add(g, row_of(g, (uint64_t)f->stack << 32 | waker, (an_prow){ .stack = f->stack, .waker = waker }), 1, ns);
}

/* ---- who created whom ---- */

static void created(gather *g, an_follower *f, const wtr_event *e)
{
	an_state_span s = an_follow_span(&g->follow, f, NULL, e->time_ns, e->time_ns + 1);
	bool in = !g->q.ranged || (e->time_ns >= g->q.from_ns && e->time_ns < g->q.to_ns);
	if (!in || (g->q.where && !an_where_span(g->q.where, &g->from, &s)))
		return;
	uint32_t row = row_of_stack(g, f->stack, 0);
	add(g, row, 1, 0);
	f->create = row == UINT32_MAX ? 0 : row + 1;
}

static void create_over(gather *g, an_follower *f, const wtr_event *end, int64_t now)
{
	(void)end;
	int64_t from = f->from_ns, to = now;
	if (g->q.ranged) {
		from = from > g->q.from_ns ? from : g->q.from_ns;
		to = to < g->q.to_ns ? to : g->q.to_ns;
	}
	if (f->create && to > from)
		add(g, f->create - 1, 0, to - from);
}

/* ---- how many at once, and who runs alone ---- */

/* Counts the time up to `now` with what goes on. */
static void count_time(gather *g, int64_t now)
{
	int64_t from = g->since_ns, to = now;
	g->since_ns = now;
	if (g->q.ranged) {
		from = from > g->q.from_ns ? from : g->q.from_ns;
		to = to < g->q.to_ns ? to : g->q.to_ns;
	}
	if (to <= from || g->follow.oom)
		return;
	enum { LAST = WTR_PROFILE_AT_ONCE - 1 };
	g->p->totals.running_ns[g->running < LAST ? g->running : LAST] += to - from;
	g->p->totals.runnable_ns[g->runnable < LAST ? g->runnable : LAST] += to - from;
	if (g->running == 1)
		g->alone_ns.at[g->alone] += to - from;
}

static void enters(gather *g, const an_follower *f)
{
	uint32_t i = (uint32_t)(f - g->follow.all.at);
	while (g->alone_ns.n <= i)
		if (!wb_vec_add(&g->alone_ns, 0)) {
			g->follow.oom = true;
			return;
		}
	if (f->state == WTR_G_RUNNING) {
		g->running++;
		g->alone += i;
		g->alone_ns.at[i] = 0;
	}
	g->runnable += f->state == WTR_G_RUNNABLE;
}

static void alone_over(gather *g, an_follower *f, const wtr_event *end)
{
	uint32_t i = (uint32_t)(f - g->follow.all.at);
	g->runnable -= f->state == WTR_G_RUNNABLE;
	if (f->state != WTR_G_RUNNING)
		return;
	g->running--;
	g->alone -= i;
	if (i >= g->alone_ns.n || g->alone_ns.at[i] <= 0) /* not there: memory was out when it began */
		return;
	uint32_t stack = end ? stack_of(g, end->transition_stack ? end->transition_stack : end->stack) : 0;
	add(g, row_of_stack(g, stack, 0), 1, g->alone_ns.at[i]);
	g->alone_ns.at[i] = 0;
}

/* ---- the sink ---- */

static void over(void *user, an_follow *w, an_follower *f, const wtr_event *end)
{
	gather *g = user;
	if (an_profile_is_delay(g->q.kind)) {
		delay_over(g, f, end);
		return;
	}
	if (g->q.kind == WTR_PROFILE_ALONE) {
		alone_over(g, f, end);
		return;
	}
	if (!(g->states >> f->state & 1))
		return;
	int64_t now = end ? end->time_ns : w->now_ns;
	switch (g->q.kind) {
	case WTR_PROFILE_OFFCPU: offcpu_over(g, f, end, now); break;
	case WTR_PROFILE_OFFWAKE: offwake_over(g, f, end, now); break;
	case WTR_PROFILE_CREATE: create_over(g, f, end, now); break;
	default: break;
	}
}

static void sample(gather *g, const wtr_event *e)
{
	const an_follower *f = an_follow_get(&g->follow, e->g);
	uint32_t stack = stack_of(g, e->stack);
	if (g->q.ranged && (e->time_ns < g->q.from_ns || e->time_ns >= g->q.to_ns))
		return;
	if (g->q.where) {
		an_state_span s = { .g = e->g,
			.from_ns = e->time_ns,
			.to_ns = e->time_ns + 1,
			.waker = WTR_NONE,
			.p = e->p,
			.m = e->m,
			.stack = stack };
		if (f) {
			an_state_span is = an_follow_span(&g->follow, f, NULL, s.from_ns, s.to_ns);
			s.state = is.state;
			s.cls = is.cls;
			s.reason = is.reason;
		}
		if (!an_where_span(g->q.where, &g->from, &s))
			return;
	}
	add(g, row_of_stack(g, stack, 0), 1, 0);
}

static inline void one(gather *g, const wtr_event *e)
{
	bool alone = g->q.kind == WTR_PROFILE_ALONE;
	if (alone)
		count_time(g, e->time_ns);
	if (__builtin_expect(e->kind == WTR_KIND_STATE_TRANSITION, 1)) {
		if (e->resource != WTR_RES_GOROUTINE)
			return;
		an_follower *f = an_follow_transition(&g->follow, e);
		if (f && alone)
			enters(g, f);
		else if (f && g->q.kind == WTR_PROFILE_CREATE && wtr_from(e) == WTR_G_NOTEXIST)
			created(g, f, e);
		return;
	}
	an_follow_other(&g->follow, e);
	if (e->kind == WTR_KIND_STACK_SAMPLE && g->q.kind == WTR_PROFILE_CPU)
		sample(g, e);
}

static bool gather_events(an_sink *sink, const wtr_event *ev, size_t n)
{
	gather *g = (gather *)sink;
	if (n && g->events == 0)
		g->first_ns = g->since_ns = ev[0].time_ns;
	g->events += n;
	bool delays = g->q.kind <= WTR_PROFILE_SCHED;
	for (size_t i = 0; i < n; i++) {
		if (ev[i].time_ns > g->limit_ns && !delays)
			break; /* what is open ends with the last event that counts */
		one(g, &ev[i]);
	}
	return !g->follow.oom && an_where_memory(g->q.where);
}

static bool no_finish(an_sink *sink, wtr_index *x)
{
	(void)sink;
	(void)x;
	return true;
}

static void gather_free(gather *g)
{
	an_follow_free(&g->follow);
	wb_idmap_free(&g->rows);
	wb_vec_free(&g->earlies);
	wb_vec_free(&g->alone_ns);
	wtr_profile_free(g->p);
	wb_free(g);
}

static void no_free(an_sink *sink)
{
	(void)sink;
}

unsigned an_profile_states(wtr_profile_kind kind)
{
	static const unsigned states[WTR_PROFILE_COUNT] = {
		[WTR_PROFILE_NET] = 1u << WTR_G_WAITING,
		[WTR_PROFILE_SYNC] = 1u << WTR_G_WAITING,
		[WTR_PROFILE_SYSCALL] = 1u << WTR_G_SYSCALL,
		[WTR_PROFILE_SCHED] = 1u << WTR_G_RUNNABLE,
		[WTR_PROFILE_OFFCPU] = 1u << WTR_G_WAITING | 1u << WTR_G_RUNNABLE | 1u << WTR_G_SYSCALL,
		[WTR_PROFILE_OFFWAKE] = 1u << WTR_G_WAITING,
		[WTR_PROFILE_CREATE] = 1u << WTR_G_RUNNING,
	};
	return states[kind];
}

static gather *gather_new(wtr_trace *t, const wtr_profile_query *q, const wtr_index *lives, int64_t limit_ns)
{
	gather *g = wb_calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->sink = (an_sink){ gather_events, no_finish, no_free };
	g->q = *q;
	g->states = an_profile_states(q->kind);
	g->limit_ns = limit_ns;
	g->lives = lives;
	g->follow.over = over;
	g->follow.fresh = fresh_reason;
	g->follow.user = g;
	g->from = an_follow_source(&g->follow);
	an_where_asker(q->where);
	g->p = wb_calloc(1, sizeof(*g->p));
	if (g->p && an_follow_init(&g->follow, t))
		return g;
	gather_free(g);
	return NULL;
}

/* ---- all of it ---- */

/* Closes what is open and takes the profile out. */
static wtr_profile *finished(gather *g, const wtr_error *end)
{
	wtr_profile *p = g->p;
	int64_t now = g->follow.now_ns;
	if (g->q.kind == WTR_PROFILE_ALONE)
		count_time(g, now);
	an_follow_end(&g->follow);
	for (size_t i = 0; i < g->earlies.n; i++)
		if (g->earlies.at[i].ns)
			add(g, g->earlies.at[i].row, 1, g->earlies.at[i].ns);
	if (g->follow.oom || !an_where_memory(g->q.where))
		return NULL;
	g->p = NULL;
	int64_t from = g->q.ranged && g->q.from_ns > g->first_ns ? g->q.from_ns : g->first_ns;
	int64_t to = g->q.ranged && g->q.to_ns < now ? g->q.to_ns : now;
	p->kind = p->totals.kind = g->q.kind;
	p->totals.duration_ns = to > from ? to - from : 0;
	p->totals.end = *end;
	p->stacks = g->follow.stacks;
	g->follow.stacks = (an_stackset){ 0 };
	an_profile_finish(p);
	return p;
}

/* What a pass found out that asks for another one. */
typedef struct found_out {
	int64_t sync_ns;    /* the last one */
	bool several_lives; /* of one goroutine id */
} found_out;

static wtr_code one_pass(wtr_trace *t, const wtr_profile_query *q, const wtr_index *lives, int64_t limit_ns,
	found_out *found, wtr_profile **ret, wtr_error *err)
{
	wtr_error end = { 0 };
	gather *g = gather_new(t, q, lives, limit_ns);
	wtr_code rc = g ? an_pass(t, &g->sink, &end, err) : WTR_E_NOMEM;
	if (rc == WTR_OK) {
		*found = (found_out){ g->follow.sync_ns, g->follow.several_lives };
		*ret = finished(g, &end);
		rc = *ret ? WTR_OK : WTR_E_NOMEM;
	}
	if (g)
		gather_free(g);
	if (rc == WTR_E_NOMEM)
		wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return rc;
}

wtr_code wtr_profile_make(wtr_trace *t, const wtr_profile_query *q, wtr_profile **ret, wtr_error *err)
{
	if ((unsigned)q->kind >= WTR_PROFILE_COUNT)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "profile.kind", "there is no such profile");
	if (q->kind == WTR_PROFILE_ALONE && q->where)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "profile.filter",
			"the profile of what runs alone takes a range, but no filter");
	if (an_profile_in_lanes(t, q)) {
		*ret = an_profile_from_lanes(t, q);
		return *ret ? WTR_OK : wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	}
	found_out found, again;
	wtr_profile *p = NULL;
	wtr_index *lives = NULL;
	wtr_code rc = one_pass(t, q, NULL, INT64_MAX, &found, &p, err);
	if (rc != WTR_OK)
		return rc;
	bool cut = p->totals.end.code != WTR_OK && t->opt.damage == WTR_AS_GO;
	bool several = q->as_go && found.several_lives && an_profile_is_delay(q->kind);
	if (cut || several) {
		wtr_profile_free(p);
		if (several)
			rc = wtr_index_build(t, WTR_PART_GOROUTINES, &lives, err);
		if (rc == WTR_OK)
			rc = one_pass(t, q, lives, cut ? found.sync_ns : INT64_MAX, &again, &p, err);
		wtr_index_free(lives);
	}
	if (rc == WTR_OK)
		*ret = p;
	return rc;
}
