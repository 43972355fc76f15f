/* rt/ledger/acts.c - see acts.h.
 *
 * How often a goroutine waits depends on others, unless somebody looks on.  So waits are made in duels: one goroutine
 * waits for what only a second one can give, and that one gives it when it has seen, by the scheduler's own word, that
 * the first one waits. */
#include "acts.h"

#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../kit/rtkit.h"
#include "ledger.h"
#include "rt/sched/gmp.h"

enum { DEPTH_MAX = 3, IDS_LEFT = 2048 };

uint64_t pick(actor *a, uint64_t n)
{
	return kit_random(&a->random) % n;
}

static void nap(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

/* Not told to the library, so it counts as computing.  Without it a trace would be full of yields. */
void look_away(void)
{
	nap(5000);
	weft_yield();
}

/* ---- actors ---- */

static _Atomic uint64_t highest_id;

void actor_enter(actor *a)
{
	a->id = weft_id();
	a->g = weft__self_g(weft__self());
	if (a->id > atomic_load(&highest_id)) /* about is enough */
		atomic_store(&highest_id, a->id);
	ledger_counted(a->id);
}

static void actor_main(void *arg)
{
	actor *a = arg;
	actor_enter(a);
	a->play(a);
	a->ended_before = ledger_before();
	atomic_store(&a->ended, true);
}

void actor_start(actor *a, actor *child)
{
	child->depth = a->depth + 1;
	child->random = kit_random(&a->random);
	uint32_t before = ledger_before();
	kit_go(actor_main, child);
	ledger_add(a->id, before, LEDGER_CREATES, 1);
}

/* Its memory stays, and may be another goroutine's by now: so it is looked at without asking. */
__attribute__((no_sanitize("thread"))) static bool is_gone(const weft__g *g, uint64_t id)
{
	return *(const volatile uint64_t *)&g->tr.id != id || weft__g_state(g) == WEFT__G_DEAD;
}

void actor_await(actor *child)
{
	while (!atomic_load(&child->ended) || !is_gone(child->g, child->id))
		look_away();
	ledger_add(child->id, child->ended_before, LEDGER_ENDS, 1);
}

/* ---- duels ---- */

typedef struct duel {
	const struct weapon *weapon;
	actor second;
	weft__g *first;
	atomic_bool ready, over;
	bool seen; /* that the first one waited */
	uint64_t choice;
	weft_chan *ch[3];
	weft_mutex lock;
	weft_rwmutex rw;
	weft_cond cond;
	weft_wg wg;
	weft_sema sema;
	weft_once once;
	weft_ctx *ctx;
	weft_timer timer;
	weft_fd *to, *from;
} duel;

typedef struct weapon {
	ledger_kind kind;
	void (*prepare)(duel *d); /* by the second one, before the first one waits */
	void (*wait)(duel *d);
	void (*give)(duel *d);
} weapon;

static void prepare_nothing(duel *d)
{
	(void)d;
}

static void make_channels(duel *d)
{
	for (int i = 0; i < 3; i++)
		d->ch[i] = weft_chan_make(sizeof(uint64_t), 0);
}

static void wait_recv(duel *d)
{
	uint64_t v;
	kit_equal(weft_chan_recv(d->ch[0], &v), 1);
	kit_equal(v, 7);
}

static void give_send(duel *d)
{
	weft_chan_send(d->ch[0], &(uint64_t){ 7 });
}

static void wait_send(duel *d)
{
	weft_chan_send(d->ch[0], &(uint64_t){ 7 });
}

static void give_recv(duel *d)
{
	uint64_t v;
	kit_equal(weft_chan_recv(d->ch[0], &v), 1);
}

static void wait_close(duel *d)
{
	kit_equal(weft_chan_recv(d->ch[0], NULL), 0);
}

static void give_close(duel *d)
{
	weft_chan_close(d->ch[0]);
}

static void wait_select(duel *d)
{
	uint64_t v, mine = 7;
	weft_case cases[] = { WEFT_RECV(d->ch[0], &v), WEFT_RECV(d->ch[1], &v), WEFT_SEND(d->ch[2], &mine) };
	kit_equal(weft_select(cases, 3), d->choice % 3);
}

static void give_one_case(duel *d)
{
	uint64_t v = 7;
	if (d->choice % 3 == 2)
		weft_chan_recv(d->ch[2], &v);
	else
		weft_chan_send(d->ch[d->choice % 3], &v);
}

static void prepare_lock(duel *d)
{
	weft_lock(&d->lock);
}

static void wait_lock(duel *d)
{
	weft_lock(&d->lock);
	weft_unlock(&d->lock);
}

static void give_lock(duel *d)
{
	weft_unlock(&d->lock);
}

static void prepare_wlock(duel *d)
{
	weft_wlock(&d->rw);
}

static void wait_rlock(duel *d)
{
	weft_rlock(&d->rw);
	weft_runlock(&d->rw);
}

static void give_wlock(duel *d)
{
	weft_wunlock(&d->rw);
}

static void prepare_rlock(duel *d)
{
	weft_rlock(&d->rw);
}

static void wait_wlock(duel *d)
{
	weft_wlock(&d->rw);
	weft_wunlock(&d->rw);
}

static void give_rlock(duel *d)
{
	weft_runlock(&d->rw);
}

static void wait_cond(duel *d)
{
	weft_lock(&d->lock);
	weft_cond_wait(&d->cond, &d->lock);
	weft_unlock(&d->lock);
}

static void give_signal(duel *d)
{
	if (d->choice % 2)
		weft_cond_signal(&d->cond);
	else
		weft_cond_broadcast(&d->cond);
}

static void prepare_wg(duel *d)
{
	weft_wg_add(&d->wg, 1);
}

static void wait_wg(duel *d)
{
	weft_wg_wait(&d->wg);
}

static void give_done(duel *d)
{
	weft_wg_done(&d->wg);
}

static void wait_sema(duel *d)
{
	weft_sema_acquire(&d->sema);
}

static void give_sema(duel *d)
{
	weft_sema_release(&d->sema);
}

static void prepare_ctx(duel *d)
{
	d->ctx = weft_ctx_make(NULL, WEFT_FOREVER);
}

static void wait_ctx(duel *d)
{
	kit_equal(weft_chan_recv(weft_ctx_done(d->ctx), NULL), 0);
}

static void give_cancel(duel *d)
{
	weft_ctx_cancel(d->ctx);
}

/* Seldom too long to be seen. */
static void wait_sleep(duel *d)
{
	weft_sleep(2 * WEFT_MS + (weft_ns)(d->choice % 1000) * WEFT_US);
}

static void wait_deadline(duel *d)
{
	kit_equal(weft_chan_recv_until(d->ch[0], NULL, weft_in(2 * WEFT_MS)), -ETIMEDOUT);
}

/* The timer looks on, as often as it takes, in goroutines of its own that nobody counts. */
static void timer_fires(void *arg)
{
	duel *d = arg;
	if (weft__g_state(d->first) == WEFT__G_WAITING && weft_chan_try_send(d->ch[0], &(uint64_t){ 7 }) == 0)
		return;
	weft_timer_start(&d->timer, weft_in(50 * WEFT_US), timer_fires, d);
}

static void give_timer(duel *d)
{
	weft_timer_start(&d->timer, weft_in((weft_ns)(d->choice % 200) * WEFT_US), timer_fires, d);
	while (!atomic_load(&d->over))
		look_away();
}

static void prepare_pipe(duel *d)
{
	kit_equal(weft_pipe(&d->from, &d->to), 0);
}

static void wait_read(duel *d)
{
	char c;
	kit_equal(weft_read(d->from, &c, 1), 1);
}

static void give_write(duel *d)
{
	kit_equal(weft_write(d->to, "x", 1), 1);
}

static const weapon weapons[] = {
	{ LEDGER_RECVS, make_channels, wait_recv, give_send },
	{ LEDGER_SENDS, make_channels, wait_send, give_recv },
	{ LEDGER_RECVS, make_channels, wait_close, give_close },
	{ LEDGER_SELECTS, make_channels, wait_select, give_one_case },
	{ LEDGER_SYNCS, prepare_lock, wait_lock, give_lock },
	{ LEDGER_SYNCS, prepare_wlock, wait_rlock, give_wlock },
	{ LEDGER_SYNCS, prepare_rlock, wait_wlock, give_rlock },
	{ LEDGER_CONDS, prepare_nothing, wait_cond, give_signal },
	{ LEDGER_SYNCS, prepare_wg, wait_wg, give_done },
	{ LEDGER_SYNCS, prepare_nothing, wait_sema, give_sema },
	{ LEDGER_RECVS, prepare_ctx, wait_ctx, give_cancel },
	{ LEDGER_RECVS, make_channels, wait_recv, give_timer },
	{ LEDGER_SELECTS, make_channels, wait_deadline, prepare_nothing },
	{ LEDGER_SLEEPS, prepare_nothing, wait_sleep, prepare_nothing },
	{ LEDGER_NETS, prepare_pipe, wait_read, give_write },
};

static void second(actor *a)
{
	duel *d = a->arg;
	d->weapon->prepare(d);
	atomic_store(&d->ready, true);
	while (!d->seen && !atomic_load(&d->over)) {
		d->seen = weft__g_state(d->first) == WEFT__G_WAITING;
		if (!d->seen)
			look_away();
	}
	if (d->seen)
		d->weapon->give(d);
}

static void close_pipe(actor *a, duel *d)
{
	uint32_t before = ledger_before();
	weft_fd_close(d->to);
	weft_fd_close(d->from);
	ledger_add(a->id, before, LEDGER_SYSCALLS, 2);
}

static void clean_up(actor *a, duel *d)
{
	for (int i = 0; i < 3; i++)
		weft_chan_unref(d->ch[i]);
	weft_ctx_unref(d->ctx);
	if (d->to)
		close_pipe(a, d);
}

static void act_duel(actor *a, uint64_t which)
{
	duel d = { .weapon = &weapons[which], .first = a->g, .choice = pick(a, 6000) };
	d.second.play = second;
	d.second.arg = &d;
	actor_start(a, &d.second);
	while (!atomic_load(&d.ready))
		look_away();
	uint32_t before = ledger_before();
	d.weapon->wait(&d);
	atomic_store(&d.over, true);
	actor_await(&d.second);
	if (d.seen) {
		ledger_add(a->id, before, d.weapon->kind, 1);
		ledger_add(a->id, before, LEDGER_UNBLOCKS, 1);
	} else {
		ledger_perhaps(a->id, before, d.weapon->kind);
		ledger_perhaps(a->id, before, LEDGER_UNBLOCKS);
	}
	clean_up(a, &d);
}

/* ---- calls ---- */

static void nap_a_little(void *arg)
{
	(void)arg;
	nap(20000);
}

static void act_call(actor *a)
{
	uint32_t before = ledger_before();
	switch (pick(a, 8)) {
	case 0: weft_syscall(SYS_getpid, 0, 0, 0, 0, 0, 0); break;
	case 1: weft_blocking(nap_a_little, NULL); break;
	case 2:
		weft_syscall_begin();
		nap(pick(a, 10) ? 100000 : 3000000);
		weft_syscall_end();
		break;
	default:
		weft_syscall_begin();
		sched_yield();
		weft_syscall_end();
	}
	ledger_add(a->id, before, LEDGER_SYSCALLS, 1);
}

/* So long, now and then, that the monitor takes its proc. */
static void act_compute(actor *a)
{
	weft_ns until = weft_in(pick(a, 40) ? (weft_ns)pick(a, 50) * WEFT_US : 45 * WEFT_MS);
	while (weft_now() < until) /* outside of the library */
		;
}

/* ---- what users tell ---- */

static const char *const names[] = { "read", "write", "think", "a name with \"quotes\"", "" };

static void act_log(actor *a, const weft_task *task)
{
	uint32_t before = ledger_before();
	weft_log(task, names[pick(a, 5)], "%llu", (unsigned long long)pick(a, 1000));
	ledger_add(a->id, before, LEDGER_LOGS, 1);
}

static void in_region(actor *a, const weft_task *task, unsigned depth)
{
	const char *name = names[pick(a, 3)];
	uint32_t before = ledger_before();
	weft_region_begin(task, name);
	ledger_add(a->id, before, LEDGER_REGIONS, 1);
	if (depth && pick(a, 2))
		in_region(a, task, depth - 1);
	else if (pick(a, 2))
		act_call(a);
	else
		act_log(a, task);
	before = ledger_before();
	weft_region_end(task, name);
	ledger_add(a->id, before, LEDGER_REGION_ENDS, 1);
}

static void act_task(actor *a)
{
	uint32_t before = ledger_before();
	weft_task task = weft_task_begin(NULL, names[pick(a, 5)]);
	ledger_add(a->id, before, LEDGER_TASKS, 1);
	in_region(a, pick(a, 4) ? &task : NULL, 3);
	before = ledger_before();
	weft_task_end(task);
	ledger_add(a->id, before, LEDGER_TASK_ENDS, 1);
}

/* ---- the rest ---- */

static void play_some(actor *a)
{
	for (uint64_t i = pick(a, 4); i > 0; i--)
		act(a, /* collects= */ false);
}

static void act_children(actor *a)
{
	enum { MOST = 5 };
	actor children[MOST] = { 0 };
	uint64_t n = 1 + pick(a, MOST);
	for (uint64_t i = 0; i < n; i++) {
		children[i].play = play_some;
		actor_start(a, &children[i]);
	}
	for (uint64_t i = 0; i < n; i++)
		actor_await(&children[i]);
}

/* In the middle of a call, as other threads do it too: whoever runs the child first tells that it is there. */
static void act_child_in_call(actor *a)
{
	actor child = { .play = play_some, .depth = a->depth + 1, .random = kit_random(&a->random) };
	uint32_t before = ledger_before();
	weft_syscall_begin();
	kit_go(actor_main, &child);
	if (pick(a, 2))
		nap(100000);
	weft_syscall_end();
	ledger_add(a->id, before, LEDGER_SYSCALLS, 1);
	ledger_perhaps(a->id, before, LEDGER_CREATES); /* when the call was found to be over by then */
	actor_await(&child);
}

static void act_tied(actor *a)
{
	weft_thread_lock();
	for (uint64_t i = pick(a, 3); i > 0; i--)
		act_call(a);
	if (pick(a, 2))
		act_duel(a, pick(a, sizeof(weapons) / sizeof(weapons[0])));
	if (pick(a, 3)) /* else it ends tied, and its thread with it */
		weft_thread_unlock();
}

static void act_procs(actor *a)
{
	uint32_t before = ledger_before();
	weft_procs(1 + (int)pick(a, 4));
	ledger_add(a->id, before, LEDGER_STOPS, 1);
}

/* By size, a new one collects: how often is known only in all. */
static void act_collect(actor *a)
{
	weft_gc_stats old, new;
	weft_gc_read(&old);
	uint32_t before = ledger_before();
	bool force = pick(a, 4) == 0;
	if (force)
		weft_gc();
	for (uint64_t i = pick(a, 30); i > 0; i--)
		weft_new(pick(a, 10) ? 64 : 100000);
	weft_gc_read(&new);
	if (force)
		ledger_add(a->id, before, LEDGER_COLLECTIONS, 1);
	for (uint64_t i = old.n_collections + force; i < new.n_collections; i++)
		ledger_perhaps(a->id, before, LEDGER_COLLECTIONS);
}

void act(actor *a, bool collects)
{
	if (atomic_load(&highest_id) > LEDGER_GOROUTINES - IDS_LEFT) {
		act_task(a);
		return;
	}
	switch (pick(a, 16)) {
	case 0:
	case 1: act_task(a); break;
	case 2:
	case 3: act_call(a); break;
	case 4: act_compute(a); break;
	case 5:
	case 6:
		if (a->depth < DEPTH_MAX)
			act_children(a);
		break;
	case 7: act_tied(a); break;
	case 8:
		if (collects)
			act_collect(a);
		else if (pick(a, 4) == 0)
			act_procs(a);
		break;
	case 9:
		if (a->depth < DEPTH_MAX && pick(a, 2))
			act_child_in_call(a);
		else
			weft_yield();
		break;
	default: act_duel(a, pick(a, sizeof(weapons) / sizeof(weapons[0])));
	}
}

/* ---- noise ---- */

static struct {
	weft_chan *ch[3];
	weft_mutex lock;
	weft_rwmutex rw;
	weft_sema sema;
} shared;

void noise_open(void)
{
	static const size_t caps[] = { 0, 1, 16 };
	for (int i = 0; i < 3; i++)
		shared.ch[i] = weft_chan_make(sizeof(uint64_t), caps[i]);
	shared.sema = (weft_sema)WEFT_SEMA(2);
}

void noise_close(void)
{
	for (int i = 0; i < 3; i++)
		weft_chan_unref(shared.ch[i]);
}

void noise(actor *a)
{
	uint64_t v = 1;
	weft_ns soon = weft_in((weft_ns)pick(a, 200) * WEFT_US);
	weft_chan *ch = shared.ch[pick(a, 3)];
	weft_case cases[] = { WEFT_RECV(shared.ch[0], &v), WEFT_SEND(shared.ch[1], &v), WEFT_RECV(shared.ch[2], NULL) };
	switch (pick(a, 8)) {
	case 0: weft_chan_send_until(ch, &v, soon); break;
	case 1: weft_chan_recv_until(ch, &v, soon); break;
	case 2: weft_select_until(cases, 3, soon); break;
	case 3:
		weft_lock(&shared.lock);
		weft_yield();
		weft_unlock(&shared.lock);
		break;
	case 4:
		weft_rlock(&shared.rw);
		weft_yield();
		weft_runlock(&shared.rw);
		break;
	case 5:
		weft_wlock(&shared.rw);
		weft_wunlock(&shared.rw);
		break;
	case 6:
		if (weft_sema_acquire_until(&shared.sema, soon) == 0)
			weft_sema_release(&shared.sema);
		break;
	default: weft_sleep((weft_ns)pick(a, 50) * WEFT_US);
	}
}
