/* rt/prof/cpu.c - see cpu.h. */
#include "rt/prof/cpu.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/idmap.h"
#include "os/thread.h"
#include "rt/prof/ring.h"
#include "rt/sched/scheduler.h"
#include "rt/stack/unwind.h"
#include "rt/tr/clock.h"

enum {
	SLOTS = 4096,
	READ_NS = 20000000, /* between two looks at the ring, and for new threads */
	NS = 1000000000,
	LOST_GENS = 4 /* more than wait for the tracer at a time */
};

typedef struct timer {
	uint64_t tid;
	timer_t timer;
	bool alive; /* seen at the last look */
} timer;

static struct {
	pthread_mutex_t lock; /* who starts and stops */
	pid_t pid;            /* that it was started in: 0, none */
	_Atomic bool on;
	_Atomic uint32_t inside; /* handlers that may put a sample */
	_Atomic uint64_t lost;   /* periods for which the ring had no room */
	weft__ring ring;
	int64_t period_ns, start_ns, start_mono_ns;
	weft_cpu_profile_options opt;
	pthread_t reader;
	pthread_mutex_t wake_lock;
	pthread_cond_t wake;
	bool stop;

	WB_VEC(timer) timers; /* the reader's, once it runs */
	uint64_t rng;
	int timer_error;

	pthread_mutex_t read_lock; /* the rest */
	weft__prof_table table;
	weft__tr_symbols *symbols; /* NULL: not asked yet, or out of memory */
	/* By address: where its function's return address is, in words above the stack pointer; WEFT__SAMPLE_TOP: not
	 * there. */
	wb_idmap returns;
	wb_buf kept; /* samples for the tracer: struct kept, then its addresses */
	struct lost {
		uint64_t gen, ticks, n;
	} lost_of[LOST_GENS]; /* samples that the tracer gets without their stacks */
	uint64_t lost_told;   /* of `lost` */
	weft__labels *doomed;
	uint64_t doomed_until; /* read, these can go */
} cpu = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.read_lock = PTHREAD_MUTEX_INITIALIZER,
	.wake_lock = PTHREAD_MUTEX_INITIALIZER,
	.wake = PTHREAD_COND_INITIALIZER };

static struct sigaction before;
wo_cputimer_clock weft__cpu_clock = WO_CPUTIMER_CPU;
size_t weft__cpu_kept_most = 32 << 20;

/* ---- the handler ---- */

static size_t append(uintptr_t *pcs, size_t n, const weft__g *g)
{
	return n + weft__unwind_fp((uintptr_t)g->ctx.pc, (uintptr_t)g->ctx.fp, (uintptr_t)g->ctx.sp,
			   (uintptr_t)g->stack_hi, pcs + n, WEFT__SAMPLE_FRAMES - n);
}

/* The stack that the registers are of, and whose it is.  A goroutine's own stack says so itself, also in the middle of
 * a switch.  On the thread's stack m's goroutine, if any, waits for what is done there (sched/outside.c): then its
 * stack follows. */
static weft__g *walk(weft__sample *s, const wo_registers *r, weft__m *m)
{
	weft__stack_place at;
	uintptr_t pc = r->pc + 1; /* readers take one off, as from a return address */
	if (weft__stack_find((void *)r->sp, &at)) {
		s->n = (uint32_t)weft__unwind_fp(pc, r->fp, r->sp, (uintptr_t)at.hi, s->pcs, WEFT__SAMPLE_FRAMES);
		return weft__g_of_stack(at.hi);
	}
	weft__g *g = weft__self_g(m);
	size_t n = weft__unwind_anywhere(pc, r->fp, r->sp, s->pcs, WEFT__SAMPLE_FRAMES);
	s->n = (uint32_t)(g ? append(s->pcs, n, g) : n);
	return g;
}

static void copy_top(weft__sample *s, const wo_registers *r)
{
	weft__stack_place at;
	s->n_top = 0;
	if (WEFT__CTX_TSAN || r->sp % sizeof(uintptr_t) != 0)
		return;
	size_t room = WEFT__SAMPLE_TOP;
	if (weft__stack_find((void *)r->sp, &at) && ((uintptr_t)at.hi - r->sp) / sizeof(uintptr_t) < room)
		room = ((uintptr_t)at.hi - r->sp) / sizeof(uintptr_t);
	if (wo_peek(r->sp, s->top, room * sizeof(uintptr_t)))
		s->n_top = (uint32_t)room;
}

#if WEFT__CTX_TSAN
/* TSan calls handlers later, where it likes: what was interrupted may have gone on. */
static wo_registers registers_of(const void *context)
{
	(void)context;
	uintptr_t fp = (uintptr_t)__builtin_frame_address(0);
	return (wo_registers){ (uintptr_t)__builtin_return_address(0), fp, fp, 0 };
}
#else
static wo_registers registers_of(const void *context)
{
	return wo_registers_of(context);
}
#endif

static void take_sample(const void *context, uint32_t weight)
{
	weft__sample *s = weft__ring_claim(&cpu.ring);
	if (!s) {
		atomic_fetch_add_explicit(&cpu.lost, weight, memory_order_relaxed);
		return;
	}
	weft__m *m = weft__self();
	weft__p *p = weft__self_p(m);
	wo_registers r = registers_of(context);
	weft__g *g = walk(s, &r, m);
	copy_top(s, &r);
	s->link = weft__unwind_plain(r.link);
	s->g = g ? g->tr.id : 0;
	s->labels = g ? atomic_load_explicit(&g->labels, memory_order_relaxed) : NULL;
	s->p = p ? p->id : -1;
	s->tid = m->tr.tid ? m->tr.tid : wo_thread_id();
	s->gen = atomic_load_explicit(&weft__tr_gen, memory_order_relaxed);
	s->ticks = weft__tr_ticks();
	s->weight = weight;
	weft__ring_put(s);
}

static void as_before(int signal, siginfo_t *info, void *context)
{
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(signal, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(signal);
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	int error = errno;
	int periods = wo_cputimer_periods(info, &cpu);
	if (periods == 0) {
		as_before(signal, info, context);
	} else {
		atomic_fetch_add(&cpu.inside, 1);
		if (atomic_load(&cpu.on))
			take_sample(context, (uint32_t)periods);
		atomic_fetch_sub(&cpu.inside, 1);
	}
	errno = error;
}

/* For good: a signal may be on its way when the last timer is gone, and would end the process. */
static int handle_signals(void)
{
	static bool done;
	struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
	sigemptyset(&sa.sa_mask);
	if (!done && sigaction(SIGPROF, &sa, &before) < 0)
		return -errno;
	done = true;
	return 0;
}

/* ---- what is lost: there, under a name that says so, in the profile as in the trace ---- */

static __attribute__((noinline)) void weft__lost_samples(void)
{
	__asm__ volatile("nop");
}

static uintptr_t lost_pc(void)
{
	return (uintptr_t)weft__lost_samples + 1;
}

/* ---- reading; under read_lock ---- */

struct kept {
	uint64_t ticks, gen, tid, g;
	int32_t p;
	uint32_t n, weight;
};

/* `n` more that the trace will not have the stacks of. */
static void count_lost(uint64_t gen, uint64_t ticks, uint64_t n)
{
	struct lost *at = &cpu.lost_of[gen % LOST_GENS];
	if (at->gen != gen) /* that generation has been handed out */
		*at = (struct lost){ gen, ticks, 0 };
	at->n += n;
}

static void keep(const weft__sample *s)
{
	struct kept k = { s->ticks, s->gen, s->tid, s->g, s->p, s->n, s->weight };
	size_t bytes = s->n * sizeof(*s->pcs);
	bool full = cpu.kept.n + sizeof(k) + bytes > weft__cpu_kept_most;
	char *at = full ? NULL : wb_buf_room(&cpu.kept, sizeof(k) + bytes);
	if (!at) {
		cpu.kept.failed = false;
		count_lost(s->gen, s->ticks, s->weight);
		return;
	}
	memcpy(at, &k, sizeof(k));
	memcpy(at + sizeof(k), s->pcs, bytes);
	cpu.kept.n += sizeof(k) + bytes;
}

/* Periods for which the ring had no room since the last look. */
static void see_lost(void)
{
	uint64_t lost = atomic_load(&cpu.lost), gen = atomic_load_explicit(&weft__tr_gen, memory_order_relaxed);
	if (lost != cpu.lost_told && gen)
		count_lost(gen, weft__tr_ticks(), lost - cpu.lost_told);
	cpu.lost_told = lost;
}

enum { BY_FRAME = WEFT__SAMPLE_TOP, IN_LINK };

/* Where in s->top the return address of the innermost function is; IN_LINK; or BY_FRAME: where its frame pointer leads,
 * or too far away. */
static uint32_t return_of(uintptr_t pc)
{
	uint32_t known = wb_idmap_get(&cpu.returns, pc);
	if (known != WB_IDMAP_NONE)
		return known;
	if (!cpu.symbols)
		cpu.symbols = weft__tr_symbols_open();
	int64_t at = cpu.symbols ? weft__tr_symbols_return_at(cpu.symbols, pc) : -1;
	int64_t word = at == WEFT__TR_IN_LINK ? IN_LINK : at < 0 ? BY_FRAME : at / (int64_t)sizeof(uintptr_t);
	uint32_t ret = word > IN_LINK || (at >= 0 && word >= BY_FRAME) ? BY_FRAME : (uint32_t)word;
	wb_idmap_set(&cpu.returns, pc, ret);
	return ret;
}

/* 0: it is among those that the frame pointers found, or not known. */
static uintptr_t hidden_caller(const weft__sample *s)
{
	uint32_t word = s->n ? return_of(s->pcs[0] - 1) : BY_FRAME;
	uintptr_t pc = word == IN_LINK ? s->link : word < s->n_top ? weft__unwind_plain(s->top[word]) : 0;
	return s->n > 1 && s->pcs[1] == pc ? 0 : pc;
}

/* A function without a frame of its own (small ones, and those of libc) hides its caller from who goes by frame
 * pointers. */
static void insert_caller(weft__sample *s)
{
	uintptr_t pc = hidden_caller(s);
	if (pc == 0)
		return;
	uint32_t n = s->n < WEFT__SAMPLE_FRAMES ? s->n : WEFT__SAMPLE_FRAMES - 1;
	memmove(&s->pcs[2], &s->pcs[1], (n - 1) * sizeof(*s->pcs));
	s->pcs[1] = pc;
	s->n = n + 1;
}

static void read_ring(void)
{
	if (!cpu.doomed) {
		cpu.doomed = weft__labels_take_dropped();
		cpu.doomed_until = weft__ring_claimed(&cpu.ring);
	}
	for (weft__sample *s; (s = weft__ring_get(&cpu.ring)) != NULL; weft__ring_next(&cpu.ring)) {
		insert_caller(s);
		weft__prof_row more = { { s->weight, s->weight * cpu.period_ns } };
		weft__prof_add(&cpu.table, s->pcs, s->n, s->labels, &more);
		if (s->gen)
			keep(s);
	}
	see_lost();
	if (cpu.doomed && weft__ring_read(&cpu.ring) >= cpu.doomed_until) {
		weft__labels_free(cpu.doomed);
		cpu.doomed = NULL;
	}
}

static void read_now(void)
{
	pthread_mutex_lock(&cpu.read_lock);
	if (cpu.ring.slots)
		read_ring();
	pthread_mutex_unlock(&cpu.read_lock);
}

static void hand_out_lost(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg)
{
	uintptr_t pc = lost_pc();
	for (struct lost *at = cpu.lost_of; at < cpu.lost_of + LOST_GENS; at++) {
		for (uint64_t i = 0; i < at->n && at->gen >= first && at->gen <= gen; i++)
			fn(&(weft__tr_sample){ at->ticks, wo_thread_id(), -1, 0, 1, &pc }, arg);
		if (at->gen <= gen)
			at->n = 0;
	}
}

/* For the tracer: see weft__tr_hooks. */
static void hand_out(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg)
{
	pthread_mutex_lock(&cpu.read_lock);
	if (cpu.ring.slots)
		read_ring();
	size_t at = 0, left = 0;
	while (at < cpu.kept.n) {
		struct kept k;
		uintptr_t pcs[WEFT__SAMPLE_FRAMES];
		memcpy(&k, cpu.kept.at + at, sizeof(k));
		size_t bytes = sizeof(k) + k.n * sizeof(*pcs);
		memcpy(pcs, cpu.kept.at + at + sizeof(k), k.n * sizeof(*pcs));
		/* As often as it counts in the profile: what the kernel saw late stands for several. */
		for (uint32_t i = 0; i < k.weight && k.gen >= first && k.gen <= gen; i++)
			fn(&(weft__tr_sample){ k.ticks, k.tid, k.p, k.g, k.n, pcs }, arg);
		if (k.gen > gen && left != at)
			memmove(cpu.kept.at + left, cpu.kept.at + at, bytes);
		left += k.gen <= gen ? 0 : bytes;
		at += bytes;
	}
	cpu.kept.n = left;
	hand_out_lost(first, gen, fn, arg);
	pthread_mutex_unlock(&cpu.read_lock);
}

void weft__cpu_init(void)
{
	weft__tr_samples_from(hand_out);
}

/* ---- timers ---- */

static timer *timer_of(uint64_t tid)
{
	for (size_t i = 0; i < cpu.timers.n; i++)
		if (cpu.timers.at[i].tid == tid)
			return &cpu.timers.at[i];
	return NULL;
}

/* The first signal comes at any moment of the first period, so that what a thread does first is not always missed. */
static void see_thread(uint64_t tid, void *unused)
{
	(void)unused;
	timer *known = timer_of(tid), t = { .tid = tid, .alive = true };
	if (known) {
		known->alive = true;
		return;
	}
	int64_t first = 1 + (int64_t)(weft__rng(&cpu.rng) % (uint64_t)cpu.period_ns);
	int err = wb_vec_reserve(&cpu.timers, 1)
			  ? wo_cputimer_start(&t.timer, tid, weft__cpu_clock, first, cpu.period_ns, SIGPROF, &cpu)
			  : -ENOMEM;
	if (err == 0)
		wb_vec_add(&cpu.timers, t);
	else if (err != -EINVAL) /* it has ended meanwhile */
		cpu.timer_error = err;
}

static void see_threads(void)
{
	for (size_t i = 0; i < cpu.timers.n; i++)
		cpu.timers.at[i].alive = false;
	int err = wo_threads_each(see_thread, NULL);
	if (err < 0)
		cpu.timer_error = err;
	for (size_t i = cpu.timers.n; err == 0 && i-- > 0;) {
		if (cpu.timers.at[i].alive)
			continue;
		wo_cputimer_stop(cpu.timers.at[i].timer);
		cpu.timers.at[i] = cpu.timers.at[--cpu.timers.n];
	}
}

static void stop_timers(void)
{
	for (size_t i = 0; i < cpu.timers.n; i++)
		wo_cputimer_stop(cpu.timers.at[i].timer);
	wb_vec_free(&cpu.timers);
	atomic_store(&cpu.on, false);
	while (atomic_load(&cpu.inside) != 0)
		wo_sleep_ns(1000);
}

/* ---- the reader ---- */

static bool wait_a_little(void)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	int64_t ns = until.tv_nsec + READ_NS;
	until.tv_sec += ns / NS;
	until.tv_nsec = ns % NS;
	pthread_mutex_lock(&cpu.wake_lock);
	if (!cpu.stop)
		pthread_cond_timedwait(&cpu.wake, &cpu.wake_lock, &until);
	bool stop = cpu.stop;
	pthread_mutex_unlock(&cpu.wake_lock);
	return !stop;
}

static void *reader(void *unused)
{
	while (wait_a_little()) {
		see_threads();
		read_now();
	}
	return unused;
}

/* ---- start and stop; under lock ---- */

static void clean_up(void)
{
	pthread_mutex_lock(&cpu.read_lock);
	weft__ring_done(&cpu.ring);
	weft__labels_free(cpu.doomed);
	cpu.doomed = NULL;
	weft__tr_symbols_close(cpu.symbols);
	cpu.symbols = NULL;
	wb_idmap_free(&cpu.returns);
	pthread_mutex_unlock(&cpu.read_lock);
	weft__labels_release();
	cpu.pid = 0;
}

static int start(const weft_cpu_profile_options *opt)
{
	cpu.opt = *opt;
	cpu.period_ns = NS / opt->hz;
	cpu.start_ns = wo_since_1970_ns();
	cpu.start_mono_ns = wo_now_ns();
	cpu.rng = (uint64_t)cpu.start_ns | 1;
	cpu.stop = false;
	cpu.timer_error = 0;
	atomic_store(&cpu.lost, 0);
	cpu.lost_told = 0;
	weft__labels_hold();
	cpu.pid = getpid();
	atomic_store(&cpu.on, true);
	see_threads();
	int err = cpu.timer_error;
	if (err == 0)
		err = wo_thread_start(&cpu.reader, reader, NULL);
	if (err < 0) {
		stop_timers();
		clean_up();
	}
	return err;
}

int weft__cpu_start(const weft_cpu_profile_options *opt)
{
	pthread_mutex_lock(&cpu.lock);
	int err = cpu.pid == getpid() ? -EBUSY : handle_signals();
	if (err == 0) {
		pthread_mutex_lock(&cpu.read_lock);
		if (!weft__ring_init(&cpu.ring, SLOTS))
			err = -ENOMEM;
		pthread_mutex_unlock(&cpu.read_lock);
	}
	if (err == 0)
		err = start(opt);
	pthread_mutex_unlock(&cpu.lock);
	return err;
}

static void add_lost(void)
{
	int64_t n = (int64_t)atomic_load(&cpu.lost);
	uintptr_t pc = lost_pc();
	if (n)
		weft__prof_add(&cpu.table, &pc, 1, NULL, &(weft__prof_row){ { n, n * cpu.period_ns } });
}

static void stop(weft__prof_doc *ret)
{
	pthread_mutex_lock(&cpu.wake_lock);
	cpu.stop = true;
	pthread_cond_signal(&cpu.wake);
	pthread_mutex_unlock(&cpu.wake_lock);
	pthread_join(cpu.reader, NULL);
	stop_timers();
	read_now();
	add_lost();
	ret->table = cpu.table;
	ret->rate = cpu.period_ns;
	ret->start_ns = cpu.start_ns;
	ret->duration_ns = wo_now_ns() - cpu.start_mono_ns;
	memset(&cpu.table, 0, sizeof(cpu.table));
	clean_up();
}

int weft__cpu_stop(weft__prof_doc *ret, weft_cpu_profile_options *ret_opt)
{
	static const weft__prof_kind kind = {
		.name = "cpu",
		.values = { { "samples", "count" }, { "cpu", "nanoseconds" } },
		.period = { "cpu", "nanoseconds" },
	};
	pthread_mutex_lock(&cpu.lock);
	int err = cpu.pid == getpid() ? 0 : -EINVAL;
	if (err == 0) {
		ret->kind = &kind;
		*ret_opt = cpu.opt;
		stop(ret);
	}
	pthread_mutex_unlock(&cpu.lock);
	return err;
}
