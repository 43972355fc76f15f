/* rt/tr/record.c - the calls of tr.h while a trace runs: each a section with its events. */
#include "rt/tr/inside.h"

#include "rt/tr/carrier.h"

/* An event into m's buffer, now; arguments are named as in events.def.  Stacks and strings are looked up before, as the
 * time is taken here. */
#define PUT(m, Name, ...) ((m)->at = wf_put_##Name((m)->at, (wf_##Name){ .dt = weft__tr_tick(m), __VA_ARGS__ }))
#define PUT_BARE(m, Name) ((m)->at = wf_put_##Name((m)->at, (wf_##Name){ .dt = weft__tr_tick(m) }))

static bool enter_running(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	return weft__tr_enter(m, p, WF_PROC_RUNNING, g, WF_GO_RUNNING);
}

static uint64_t gen_of(const weft__tr_m *m)
{
	return atomic_load_explicit(&m->gen, memory_order_relaxed);
}

/* ---- procs ---- */

void weft__tr_proc_start_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_enter(m, NULL, 0, g, WF_GO_SYSCALL))
		return;
	weft__tr_touch_p(m, p, WF_PROC_IDLE);
	PUT(m, ProcStart, .p = (uint64_t)p->id, .p_seq = ++p->seq);
	weft__tr_set(&p->word, WF_PROC_RUNNING);
	m->p = p;
	weft__tr_leave(m);
}

void weft__tr_proc_stop_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_enter(m, p, g ? WF_PROC_SYSCALL : WF_PROC_RUNNING, g, WF_GO_SYSCALL))
		return;
	PUT_BARE(m, ProcStop);
	weft__tr_set(&p->word, WF_PROC_IDLE);
	m->p = NULL;
	weft__tr_leave(m);
}

void weft__tr_proc_change_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_p *to)
{
	if (!enter_running(m, p, g))
		return;
	weft__tr_touch_p(m, to, WF_PROC_IDLE);
	PUT_BARE(m, ProcStop);
	weft__tr_set(&p->word, WF_PROC_IDLE);
	PUT(m, ProcStart, .p = (uint64_t)to->id, .p_seq = ++to->seq);
	weft__tr_set(&to->word, WF_PROC_RUNNING);
	m->p = to;
	weft__tr_leave(m);
}

/* The victim is outside, so its stream and what it holds may be changed here, with its lock: which nobody holds who
 * waits for this section.  If it has not joined, or not any more, there is nothing to change. */
static void let_go(weft__tr_m *victim, uint64_t gen)
{
	pthread_mutex_lock(&victim->lock);
	if (weft__tr_has_joined(victim)) {
		weft__tr_catch_up(victim, gen - 1);
		victim->p = NULL;
	}
	pthread_mutex_unlock(&victim->lock);
}

void weft__tr_proc_steal_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_p *stolen, weft__tr_m *victim)
{
	bool self = victim == m;
	if (self ? !weft__tr_enter(m, p, WF_PROC_SYSCALL, g, WF_GO_SYSCALL) : !enter_running(m, p, g))
		return;
	if (self)
		m->p = NULL;
	else
		let_go(victim, gen_of(m));
	/* Whose first mention in a generation is a theft was left in a system call in an earlier one. */
	if (weft__tr_word_gen(weft__tr_load(&stolen->word)) != gen_of(m))
		weft__tr_touch_p_slow(m, stolen, WF_PROC_SYSCALL, WF_PROC_SYSCALL_ABANDONED);
	PUT(m, ProcSteal, .p = (uint64_t)stolen->id, .p_seq = ++stolen->seq, .m = victim->tid);
	weft__tr_set(&stolen->word, WF_PROC_IDLE);
	weft__tr_leave(m);
}

void weft__tr_procs_change_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, int n, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, ProcsChange, .procs_value = (uint64_t)n, .stack = stack);
	weft__tr_leave(m);
}

/* ---- goroutines ---- */

void weft__tr_go_create_on(
	weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *created, const void *entry, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	created->seq = 0;
	created->stack = 0;
	uint64_t stack = weft__tr_stack(m, g, fp), new_stack = weft__tr_stack_1(m, entry);
	PUT(m, GoCreate, .new_g = created->id, .new_stack = new_stack, .stack = stack);
	weft__tr_carrier_label(m, created);
	atomic_store_explicit(&created->word, weft__tr_word(gen_of(m), WF_GO_RUNNABLE), memory_order_release);
	weft__tr_leave(m);
}

void weft__tr_go_start_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_enter(m, p, WF_PROC_RUNNING, NULL, 0))
		return;
	weft__tr_touch_g(m, g, WF_GO_RUNNABLE);
	PUT(m, GoStart, .g = g->id, .g_seq = ++g->seq);
	weft__tr_set(&g->word, WF_GO_RUNNING);
	m->g = g;
	weft__tr_leave(m);
}

void weft__tr_go_destroy_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!enter_running(m, p, g))
		return;
	PUT_BARE(m, GoDestroy);
	atomic_store_explicit(&g->word, weft__tr_word(gen_of(m), 0), memory_order_relaxed);
	m->g = NULL;
	weft__tr_leave(m);
}

void weft__tr_go_block_on(
	weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp, const weft__tr_object *what)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, GoBlock, .reason_string = why, .stack = stack);
	g->stack = weft__tr_stack_memo(m->tab, stack);
	weft__tr_carrier_wait(m, g, what);
	weft__tr_set(&g->word, WF_GO_WAITING);
	m->g = NULL;
	weft__tr_leave(m);
}

void weft__tr_go_stop_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, GoStop, .reason_string = why, .stack = stack);
	weft__tr_set(&g->word, WF_GO_RUNNABLE);
	m->g = NULL;
	weft__tr_leave(m);
}

void weft__tr_go_unblock_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *woken, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	weft__tr_touch_g(m, woken, WF_GO_WAITING);
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, GoUnblock, .g = woken->id, .g_seq = ++woken->seq, .stack = stack);
	weft__tr_set(&woken->word, WF_GO_RUNNABLE);
	weft__tr_leave(m);
}

void weft__tr_go_switch_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_g *next)
{
	if (!enter_running(m, p, g))
		return;
	weft__tr_touch_g(m, next, WF_GO_WAITING);
	PUT(m, GoSwitch, .g = next->id, .g_seq = ++next->seq);
	g->stack = 0;
	weft__tr_set(&g->word, WF_GO_WAITING);
	weft__tr_set(&next->word, WF_GO_RUNNING);
	m->g = next;
	weft__tr_leave(m);
}

/* ---- system calls ---- */

static void begin_syscall(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t stack)
{
	PUT(m, GoSyscallBegin, .p_seq = ++p->seq, .stack = stack);
	weft__tr_set(&p->word, WF_PROC_SYSCALL);
	weft__tr_set(&g->word, WF_GO_SYSCALL);
	m->p = p;
	m->g = g;
}

void weft__tr_syscall_begin_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	begin_syscall(m, p, g, weft__tr_stack(m, g, fp));
	weft__tr_leave(m);
}

void weft__tr_syscall_end_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_enter(m, p, WF_PROC_SYSCALL, g, WF_GO_SYSCALL))
		return;
	PUT_BARE(m, GoSyscallEnd);
	weft__tr_set(&p->word, WF_PROC_RUNNING);
	weft__tr_set(&g->word, WF_GO_RUNNING);
	weft__tr_leave(m);
}

void weft__tr_syscall_end_blocked_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_enter(m, p, WF_PROC_RUNNING, g, WF_GO_SYSCALL))
		return;
	PUT_BARE(m, GoSyscallEndBlocked);
	weft__tr_set(&g->word, WF_GO_RUNNABLE);
	m->g = NULL;
	weft__tr_leave(m);
}

/* Another thread writes, so without a section: with m's lock, which the writer takes to finish a generation on m. */
void weft__tr_hog_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	bool joining = weft__tr_lock_m(m);
	uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_acquire);
	if (gen && weft__tr_adopt(m, gen, p, g) && weft__tr_room(m)) {
		weft__tr_touch_p(m, p, WF_PROC_RUNNING);
		weft__tr_touch_g(m, g, WF_GO_RUNNING);
		begin_syscall(m, p, g, 0);
		weft__tr_set(&g->word, WF_GO_SYSCALL | WEFT__TR_COMPUTES);
		weft__tr_carrier_hog(m, g);
	}
	weft__tr_unlock_m(m, joining);
}

/* ---- stopping the world, collecting ---- */

void weft__tr_stw_begin(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_text why, const void *fp)
{
	pthread_mutex_lock(&weft__tr.stw_lock);
	if (!weft__tr_on() || !enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, STWBegin, .kind_string = why, .stack = stack);
	weft__tr.stw_trace = weft__tr_trace();
	weft__tr_leave(m);
}

void weft__tr_stw_end(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (weft__tr_on() && weft__tr.stw_trace && enter_running(m, p, g)) {
		if (weft__tr.stw_trace == weft__tr_trace())
			PUT_BARE(m, STWEnd);
		weft__tr_leave(m);
	}
	weft__tr.stw_trace = 0;
	pthread_mutex_unlock(&weft__tr.stw_lock);
}

/* gc_lock before the section: so the order of sequence numbers is that of generations. */
void weft__tr_gc_begin_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, const void *fp)
{
	pthread_mutex_lock(&weft__tr.gc_lock);
	if (enter_running(m, p, g)) {
		uint64_t stack = weft__tr_stack(m, g, fp);
		PUT(m, GCBegin, .gc_seq = ++weft__tr.gc_seq, .stack = stack);
		weft__tr.gc_trace = weft__tr_trace();
		weft__tr.gc_gen = gen_of(m);
		weft__tr_leave(m);
	}
	pthread_mutex_unlock(&weft__tr.gc_lock);
}

void weft__tr_gc_end_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	pthread_mutex_lock(&weft__tr.gc_lock);
	if (weft__tr.gc_trace && enter_running(m, p, g)) {
		if (weft__tr.gc_trace == weft__tr_trace()) {
			weft__tr_gc_active(m, gen_of(m));
			PUT(m, GCEnd, .gc_seq = ++weft__tr.gc_seq);
		}
		weft__tr_leave(m);
	}
	weft__tr.gc_trace = 0;
	pthread_mutex_unlock(&weft__tr.gc_lock);
}

/* Opens or closes the range of a word; false: it is as asked for already. */
static bool set_range(_Atomic uint64_t *word, bool open)
{
	uint64_t w = weft__tr_load(word);
	if (((w & WEFT__TR_RANGE) != 0) == open)
		return false;
	atomic_store_explicit(word, w ^ WEFT__TR_RANGE, memory_order_relaxed);
	return true;
}

void weft__tr_sweep_begin_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	if (set_range(&p->word, true)) {
		uint64_t stack = weft__tr_stack(m, g, fp);
		PUT(m, GCSweepBegin, .stack = stack);
	}
	weft__tr_leave(m);
}

void weft__tr_sweep_end_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t swept_bytes, uint64_t reclaimed_bytes)
{
	if (!enter_running(m, p, g))
		return;
	if (set_range(&p->word, false))
		PUT(m, GCSweepEnd, .swept_value = swept_bytes, .reclaimed_value = reclaimed_bytes);
	weft__tr_leave(m);
}

void weft__tr_assist_begin_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	if (set_range(&g->word, true)) {
		uint64_t stack = weft__tr_stack(m, g, fp);
		PUT(m, GCMarkAssistBegin, .stack = stack);
	}
	weft__tr_leave(m);
}

void weft__tr_assist_end_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	if (!enter_running(m, p, g))
		return;
	if (set_range(&g->word, false))
		PUT_BARE(m, GCMarkAssistEnd);
	weft__tr_leave(m);
}

void weft__tr_heap_alloc_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t bytes)
{
	if (!enter_running(m, p, g))
		return;
	PUT(m, HeapAlloc, .heapalloc_value = bytes);
	weft__tr_leave(m);
}

void weft__tr_heap_goal_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t bytes)
{
	if (!enter_running(m, p, g))
		return;
	PUT(m, HeapGoal, .heapgoal_value = bytes);
	weft__tr_leave(m);
}

/* ---- what users tell ---- */

void weft__tr_task_begin_on(
	weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t task, uint64_t parent, weft__tr_str name, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp), id = weft__tr_string(m, name);
	PUT(m, UserTaskBegin, .task = task, .parent_task = parent, .name_string = id, .stack = stack);
	weft__tr_leave(m);
}

void weft__tr_task_end_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t task, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp);
	PUT(m, UserTaskEnd, .task = task, .stack = stack);
	weft__tr_leave(m);
}

void weft__tr_region_begin_on(
	weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str name, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp), id = weft__tr_string(m, name);
	PUT(m, UserRegionBegin, .task = task, .name_string = id, .stack = stack);
	weft__tr_leave(m);
}

void weft__tr_region_end_on(
	weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str name, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp), id = weft__tr_string(m, name);
	PUT(m, UserRegionEnd, .task = task, .name_string = id, .stack = stack);
	weft__tr_leave(m);
}

void weft__tr_log_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t task, weft__tr_str category,
	weft__tr_str message, const void *fp)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t stack = weft__tr_stack(m, g, fp), key = weft__tr_string(m, category);
	uint64_t value = weft__tr_text_once(m, message);
	PUT(m, UserLog, .task = task, .key_string = key, .value_string = value, .stack = stack);
	weft__tr_leave(m);
}

void weft__tr_label_on(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, weft__tr_str label)
{
	if (!enter_running(m, p, g))
		return;
	uint64_t id = weft__tr_string(m, label);
	PUT(m, GoLabel, .label_string = id);
	weft__tr_leave(m);
}
