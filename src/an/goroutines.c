/* an/goroutines.c - what each goroutine did with its time.
 *
 * Definitions: Go 1.27's summarizer (internal/trace), and where that is wrong, the right ones: docs/analyses.md.
 */
#include "an/summary.h"
#include "an/taken.h"

#include <string.h>

uint32_t an_g_row(const an_summary *s, int64_t id)
{
	uint32_t g = id == WTR_NONE ? AN_NO_ROW : wb_idmap_get(&s->g_rows, (uint64_t)id);
	return g < AN_DONE ? g : AN_NO_ROW;
}

/* ---- waits by reason ---- */

static void add_wait_more(an_summary *s, an_gcold *c, uint8_t reason, int64_t ns)
{
	for (uint32_t i = c->more_waits; i; i = s->waits.at[i - 1].next)
		if (s->waits.at[i - 1].reason == reason) {
			s->waits.at[i - 1].ns += ns;
			return;
		}
	if (!wb_vec_add(&s->waits, (an_wait){ ns, c->more_waits, reason }))
		s->oom = true;
	else
		c->more_waits = (uint32_t)s->waits.n;
}

/* The sum that waits for this reason go to. */
static inline unsigned wait_sum(an_ghot *h, uint8_t reason)
{
	for (unsigned i = 0; i < AN_WAITS_INLINE; i++) {
		if (h->wait_reason[i] == 0)
			h->wait_reason[i] = (uint8_t)(reason + 1);
		if (h->wait_reason[i] == reason + 1)
			return AN_SUM_WAIT + i;
	}
	return AN_SUM_RARE;
}

/* ---- system calls and the procs they hold ---- */

static void hold_proc(an_summary *s, uint32_t g, int64_t proc)
{
	uint32_t p = proc == WTR_NONE ? AN_NO_ROW : an_proc_row(s, proc);
	s->cold.at[g].syscall_proc = 0;
	if (p == AN_NO_ROW)
		return;
	s->procs.at[p].syscall_g = g + 1;
	s->cold.at[g].syscall_proc = p + 1;
}

/* Another goroutine may be in a system call with the same proc by now: that one keeps it. */
static void unhold_proc(an_summary *s, uint32_t g)
{
	uint32_t p = s->cold.at[g].syscall_proc;
	if (p && s->procs.at[p - 1].syscall_g == g + 1)
		s->procs.at[p - 1].syscall_g = 0;
	s->cold.at[g].syscall_proc = 0;
}

void an_g_lost_proc(an_summary *s, uint32_t g, int64_t now)
{
	an_ghot *h = &s->hot.at[g];
	if (h->doing != AN_SYSCALL)
		return;
	s->cold.at[g].syscall_ns += now - h->since_ns;
	h->since_ns = now;
	h->doing = AN_SYSCALL_BLOCKED;
	an_note_at(s, g, AN_NOTE_LOST, now);
}

/* ---- states ---- */

static void close_rare(an_summary *s, uint32_t g, an_ghot *h)
{
	an_gcold *c = &s->cold.at[g];
	int64_t ns = h->sum_ns[AN_SUM_RARE];
	h->sum_ns[AN_SUM_RARE] = 0;
	switch (h->doing) {
	case AN_WAITING:
		add_wait_more(s, c, c->reason, ns);
		break;
	case AN_SYSCALL:
		c->syscall_ns += ns;
		unhold_proc(s, g);
		break;
	case AN_SYSCALL_BLOCKED:
		c->syscall_block_ns += ns;
		unhold_proc(s, g);
		break;
	default: /* off: counts for nothing */
		break;
	}
}

/* Counts what the goroutine is doing up to `now`. */
static inline void close_state(an_summary *s, uint32_t g, an_ghot *h, int64_t now)
{
	h->sum_ns[h->sum] += now - h->since_ns;
	if (__builtin_expect(h->sum == AN_SUM_RARE, 0))
		close_rare(s, g, h);
}

static void set_off(an_ghot *h)
{
	h->doing = AN_OFF;
	h->sum = AN_SUM_RARE;
}

static uint32_t take_slot(an_summary *s)
{
	if (s->free_slots.n)
		return s->free_slots.at[--s->free_slots.n];
	if (s->cold.n >= AN_DONE - 1 || !wb_vec_reserve(&s->hot, 1) || !wb_vec_reserve(&s->cold, 1))
		return AN_NO_ROW;
	s->hot.n++;
	s->cold.n++;
	s->cold.at[s->cold.n - 1].regions = NULL;
	return (uint32_t)s->cold.n - 1;
}

/* How many goroutines had this id before, now that it is used again. */
static uint32_t next_life(an_summary *s, int64_t id)
{
	uint32_t life = wb_idmap_get(&s->lives, (uint64_t)id);
	life = life == WB_IDMAP_NONE ? 1 : life + 1;
	s->oom |= !wb_idmap_set(&s->lives, (uint64_t)id, life);
	return life;
}

/* A slot for a goroutine that is named for the first time, or again after its death. */
static uint32_t born(an_summary *s, int64_t id)
{
	uint32_t was = wb_idmap_get(&s->g_rows, (uint64_t)id), g = was;
	if (was < AN_DONE) {
		unhold_proc(s, g);
		an_regions_drop(s, g);
	} else {
		g = take_slot(s);
		if (g == AN_NO_ROW || !wb_idmap_set(&s->g_rows, (uint64_t)id, g)) {
			s->oom = true;
			return AN_NO_ROW;
		}
		if (was != WB_IDMAP_NONE)
			an_g_forget(s, was - AN_DONE);
	}
	uint32_t life = was == WB_IDMAP_NONE ? 0 : next_life(s, id);
	s->hot.at[g] = (an_ghot){ .doing = AN_OFF, .sum = AN_SUM_RARE };
	s->cold.at[g] = (an_gcold){
		.id = id, .creator = WTR_NONE, .start_ns = WTR_NEVER, .end_ns = WTR_NEVER, .life = life, .used = true
	};
	return g;
}

/* The proc that a goroutine entered its system call with.  A status that another thread reports comes with the proc of
 * that thread: it says nothing about this one's. */
static int64_t syscall_proc(an_summary *s, const wtr_event *e)
{
	if (e->p == WTR_NONE || s->v1 || wtr_from(e) != WTR_G_UNDETERMINED)
		return e->p;
	uint32_t row = an_proc_row(s, e->p);
	return row != AN_NO_ROW && s->procs.at[row].m == e->m ? e->p : WTR_NONE;
}

/* From when on that counts which was there before the trace, or since a Sync. */
static int64_t counting_since(const an_summary *s)
{
	return s->inside && s->sync_ns < s->from_ns ? s->from_ns : s->sync_ns;
}

static uint32_t found(an_summary *s, const wtr_event *e, uint8_t reason)
{
	uint32_t g = born(s, e->id);
	if (g == AN_NO_ROW)
		return g;
	an_ghot *h = &s->hot.at[g];
	an_gcold *c = &s->cold.at[g];
	int64_t since = counting_since(s);
	int64_t ns = e->time_ns - since;
	c->create_ns = s->sync_ns;
	c->count_ns = since;
	switch (an_to(e)) {
	case WTR_G_RUNNING:
		h->sum_ns[AN_SUM_EXEC] = ns;
		break;
	case WTR_G_RUNNABLE:
		h->sum_ns[AN_SUM_SCHED] = ns;
		break;
	case WTR_G_WAITING:
		h->sum_ns[wait_sum(h, reason)] = ns;
		break;
	case WTR_G_SYSCALL:
		if (syscall_proc(s, e) == WTR_NONE) {
			c->syscall_block_ns = ns;
			an_note_at(s, g, AN_NOTE_NO_PROC, e->time_ns);
		} else {
			c->syscall_ns = ns;
		}
		break;
	default:
		break;
	}
	an_kept_goroutine(s, g);
	return g;
}

static uint32_t created(an_summary *s, const wtr_event *e)
{
	uint32_t g = born(s, e->id);
	if (g == AN_NO_ROW)
		return g;
	an_gcold *c = &s->cold.at[g];
	c->create_ns = c->count_ns = e->time_ns;
	c->creator = e->g;
	c->create_stack = e->stack;
	an_regions_inherit(s, g, e->g, e->time_ns);
	return g;
}

void an_g_name(an_summary *s, uint32_t g, uint32_t stack)
{
	uint32_t no = an_stack_name(s, stack);
	if (no == 0)
		return;
	s->cold.at[g].name = no;
	s->cold.at[g].entry_stack = stack;
	s->hot.at[g].named = true;
}

static void open_rare(an_summary *s, uint32_t g, an_ghot *h, const wtr_event *e, uint8_t reason)
{
	h->sum = AN_SUM_RARE;
	switch (wtr_to(e)) {
	case WTR_G_WAITING:
		h->doing = AN_WAITING;
		s->cold.at[g].reason = reason;
		break;
	case WTR_G_SYSCALL:
		h->doing = AN_SYSCALL;
		hold_proc(s, g, syscall_proc(s, e));
		break;
	case WTR_G_NOTEXIST:
		an_g_end(s, g, e->time_ns, false);
		break;
	default:
		set_off(h);
	}
}

static inline void open_state(an_summary *s, uint32_t g, an_ghot *h, const wtr_event *e, uint8_t reason)
{
	static const uint8_t doing_of[WTR_G_COUNT] = {
		[WTR_G_RUNNABLE] = AN_RUNNABLE, [WTR_G_RUNNING] = AN_RUNNING, [WTR_G_WAITING] = AN_WAITING
	};
	unsigned to = an_to(e), sum = AN_SUM_RARE;
	h->since_ns = e->time_ns;
	h->doing = doing_of[to];
	if (to == WTR_G_RUNNING)
		sum = AN_SUM_EXEC;
	else if (to == WTR_G_RUNNABLE)
		sum = AN_SUM_SCHED;
	else if (to == WTR_G_WAITING)
		sum = wait_sum(h, reason);
	h->sum = (uint8_t)sum;
	if (__builtin_expect(sum == AN_SUM_RARE, 0))
		open_rare(s, g, h, e, reason);
	else if (__builtin_expect(to == WTR_G_RUNNING && !h->started, 0)) {
		h->started = true;
		s->cold.at[g].start_ns = e->time_ns;
	}
}

/* What it waits for.  A status says that again, of one that has waited for long. */
static void keep_wait(an_summary *s, uint32_t g, const wtr_event *e)
{
	s->names_waits |= e->wait != 0;
	if (g != AN_NO_ROW && s->names_waits && (e->wait || wtr_from(e) != wtr_to(e)))
		s->cold.at[g].wait = e->wait;
}

void an_g_transition(an_summary *s, const wtr_event *e)
{
	unsigned from = wtr_from(e), to = wtr_to(e);
	if (from >= WTR_G_COUNT || to >= WTR_G_COUNT)
		return;
	uint8_t reason = an_reason_no(s, e->str);
	s->g_transitions[from][to][reason]++;
	if (e->wait == WTR_PROC_TAKEN) {
		if (from != WTR_G_UNDETERMINED) /* goes on running */
			return;
		to = WTR_G_RUNNING;
	}
	uint32_t g = an_g_row(s, e->id);
	if (from == to) { /* says nothing new */
		keep_wait(s, g, e);
		if (g != AN_NO_ROW) {
			s->hot.at[g].final_state = (uint8_t)to;
			if (reason)
				s->hot.at[g].final_reason = reason;
		}
		return;
	}
	if (from == WTR_G_NOTEXIST)
		g = created(s, e);
	else if (from == WTR_G_UNDETERMINED || g == AN_NO_ROW)
		g = found(s, e, reason);
	else
		close_state(s, g, &s->hot.at[g], e->time_ns);
	if (g == AN_NO_ROW)
		return;
	if (__builtin_expect(to == WTR_G_WAITING && (e->wait || s->names_waits), 0))
		keep_wait(s, g, e);
	an_ghot *h = &s->hot.at[g];
	if (__builtin_expect(!h->named && e->transition_stack, 0)) {
		an_g_name(s, g, e->transition_stack);
		if (h->named)
			an_note_at(s, g, AN_NOTE_NAMED, e->time_ns);
	}
	h->final_state = (uint8_t)to;
	h->final_reason = reason;
	open_state(s, g, h, e, reason);
	if (__builtin_expect(to == WTR_G_WAITING && reason && reason == s->texts.forever, 0)) /* as good as dead */
		an_g_end(s, g, e->time_ns, false);
	if (__builtin_expect(to == WTR_G_NOTEXIST, 0))
		an_g_retire(s, g);
}

/* ---- ranges ---- */

static an_grange *range_of(an_summary *s, uint32_t g, unsigned no)
{
	for (uint32_t i = s->cold.at[g].ranges; i; i = s->granges.at[i - 1].next)
		if (s->granges.at[i - 1].no == no)
			return &s->granges.at[i - 1];
	an_grange fresh = { .since_ns = WTR_NEVER, .next = s->cold.at[g].ranges, .no = (uint8_t)no };
	if (!wb_vec_add(&s->granges, fresh)) {
		s->oom = true;
		return NULL;
	}
	s->cold.at[g].ranges = (uint32_t)s->granges.n;
	return &s->granges.at[s->granges.n - 1];
}

static void count_range(an_summary *s, uint32_t g, an_grange *r, int64_t now)
{
	an_note_range(s, g, AN_NOTE_RANGE, r, now);
	r->ns += now - r->since_ns;
	r->counted = true;
	r->since_ns = WTR_NEVER;
}

/* It counts for nobody: there is no end of it. */
static void drop_range(an_summary *s, uint32_t g, an_grange *r, int64_t now)
{
	if (r->since_ns != WTR_NEVER)
		an_note_range(s, g, AN_NOTE_DROPPED, r, now);
	r->since_ns = WTR_NEVER;
}

/* A sweep is bound to a proc; it counts for a goroutine if it ends on the one it began on. */
static uint32_t range_owner(an_summary *s, const wtr_event *e)
{
	if (e->resource == WTR_RES_GOROUTINE)
		return an_g_row(s, e->id);
	if (e->resource != WTR_RES_PROC)
		return AN_NO_ROW;
	uint32_t row = an_proc_row(s, e->id), g = an_g_row(s, e->g);
	if (row == AN_NO_ROW)
		return AN_NO_ROW;
	an_proc *p = &s->procs.at[row];
	if (e->kind != WTR_KIND_RANGE_END) {
		if (g != AN_NO_ROW) {
			p->has_sweep_g = true;
			p->sweep_g = e->g;
		}
		return g;
	}
	if (!p->has_sweep_g)
		return AN_NO_ROW;
	p->has_sweep_g = false;
	if (p->sweep_g == e->g)
		return g;
	uint32_t other = an_g_row(s, p->sweep_g);
	an_grange *r = other == AN_NO_ROW ? NULL : range_of(s, other, AN_RANGE_SWEEP);
	if (r)
		drop_range(s, other, r, e->time_ns);
	return AN_NO_ROW;
}

void an_g_range(an_summary *s, const wtr_event *e, unsigned no)
{
	uint32_t g = range_owner(s, e);
	an_grange *r = g == AN_NO_ROW ? NULL : range_of(s, g, no);
	if (!r)
		return;
	if (e->kind == WTR_KIND_RANGE_END) {
		if (r->since_ns != WTR_NEVER)
			count_range(s, g, r, e->time_ns);
		return;
	}
	bool active = e->kind == WTR_KIND_RANGE_ACTIVE, again = active && r->since_ns != WTR_NEVER;
	int64_t since = active ? counting_since(s) : e->time_ns;
	if (again)
		count_range(s, g, r, since);
	drop_range(s, g, r, e->time_ns);
	r->since_ns = since;
	r->known_ns = again ? since : e->time_ns;
}

/* ---- sums ---- */

static void stat_wait(an_stat *st, uint8_t reason, int64_t ns)
{
	st->wait_reason[st->n_waits] = reason;
	st->wait_ns[st->n_waits++] = ns;
}

/* Adds the wait that goes on to what is there already for its reason. */
static void stat_open_wait(an_stat *st, uint8_t reason, int64_t ns)
{
	for (unsigned i = 0; i < st->n_waits; i++)
		if (st->wait_reason[i] == reason) {
			st->wait_ns[i] += ns;
			return;
		}
	stat_wait(st, reason, ns);
}

static int64_t total_at(const an_gcold *c, int64_t now)
{
	return c->has_total ? c->total_ns : now - c->count_ns;
}

void an_g_stat(an_summary *s, uint32_t g, int64_t now, an_stat *st)
{
	const an_ghot *h = &s->hot.at[g];
	const an_gcold *c = &s->cold.at[g];
	int64_t ns = now - h->since_ns;
	st->total_ns = total_at(c, now);
	st->exec_ns = h->sum_ns[AN_SUM_EXEC] + (h->doing == AN_RUNNING ? ns : 0);
	st->sched_ns = h->sum_ns[AN_SUM_SCHED] + (h->doing == AN_RUNNABLE ? ns : 0);
	st->syscall_ns = c->syscall_ns + (h->doing == AN_SYSCALL ? ns : 0);
	st->syscall_block_ns = c->syscall_block_ns + (h->doing == AN_SYSCALL_BLOCKED ? ns : 0);
	st->n_waits = 0;
	for (unsigned i = 0; i < AN_WAITS_INLINE && h->wait_reason[i]; i++)
		if (h->sum_ns[AN_SUM_WAIT + i]) /* else no wait for it is over yet, or it was for ever */
			stat_wait(st, (uint8_t)(h->wait_reason[i] - 1), h->sum_ns[AN_SUM_WAIT + i]);
	for (uint32_t i = c->more_waits; i; i = s->waits.at[i - 1].next)
		if (s->waits.at[i - 1].ns)
			stat_wait(st, s->waits.at[i - 1].reason, s->waits.at[i - 1].ns);
	if (h->doing == AN_WAITING)
		stat_open_wait(st,
			h->sum == AN_SUM_RARE ? c->reason : (uint8_t)(h->wait_reason[h->sum - AN_SUM_WAIT] - 1), ns);
}

/* A system goroutine by its start function, as Go tells them apart; one without a name is one too. */
bool an_g_system(const an_summary *s, uint32_t g)
{
	wtr_str f = an_text(&s->texts, s->cold.at[g].name);
	if (f.n == 0)
		return true;
	if (f.n == 12 && memcmp(f.at, "runtime.main", 12) == 0)
		return false;
	return f.n >= 8 && memcmp(f.at, "runtime.", 8) == 0;
}

void an_g_end(an_summary *s, uint32_t g, int64_t now, bool trace_ends)
{
	an_ghot *h = &s->hot.at[g];
	an_gcold *c = &s->cold.at[g];
	if (trace_ends)
		close_state(s, g, h, now);
	else
		c->end_ns = now;
	set_off(h);
	for (uint32_t i = c->ranges; i; i = s->granges.at[i - 1].next)
		if (s->granges.at[i - 1].since_ns != WTR_NEVER)
			count_range(s, g, &s->granges.at[i - 1], now);
	c->total_ns = total_at(c, now);
	c->has_total = true;
	an_regions_end(s, g, now, trace_ends);
}
