/* rt/tr/section.c - entering generations, buffers, first mentions: the slow side of inside.h. */
#include "rt/tr/inside.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#include "rt/tr/carrier.h"

_Atomic uint64_t weft__tr_gen;
struct weft__tr_all weft__tr = {
	.joined_lock = PTHREAD_MUTEX_INITIALIZER,
	.late_lock = PTHREAD_MUTEX_INITIALIZER,
	.stw_lock = PTHREAD_MUTEX_INITIALIZER,
	.gc_lock = PTHREAD_MUTEX_INITIALIZER,
};

_Thread_local bool weft__tr_writes;

enum { PAUSE_NS = 200000, SPINS = 64, RESERVE_WAIT_NS = 500000000 };

void weft__tr_fail(int error)
{
	int none = 0;
	atomic_compare_exchange_strong(&weft__tr.error, &none, error);
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

static void pause_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
}

/* ---- buffers ---- */

/* May the writer be waiting for this thread?  Then it may take from the reserve, and does not wait for long: the writer
 * looks at all threads from outside the runtime; it waits for those that write to an old generation; and it takes the
 * locks of those that enter a new one (urgent). */
static bool waited_for(uint64_t gen, bool urgent)
{
	return urgent || weft__tr_writes || atomic_load_explicit(&weft__tr.looking, memory_order_acquire) ||
	       gen != atomic_load_explicit(&weft__tr_gen, memory_order_relaxed);
}

/* What is written now will not be read. */
static bool over(void)
{
	return atomic_load_explicit(&weft__tr.error, memory_order_relaxed) ||
	       atomic_load_explicit(&weft__tr_gen, memory_order_relaxed) == 0;
}

static weft__tr_buf *wait_for_buf(uint64_t gen, bool urgent)
{
	int64_t start = now_ns(), waited = 0, patience = weft__tr.opt.patience_ns;
	weft__tr_buf *b = NULL;
	atomic_fetch_add_explicit(&weft__tr.waits, 1, memory_order_relaxed);
	while (!b && !over()) {
		pause_a_little();
		waited = now_ns() - start;
		bool reserve = waited_for(gen, urgent);
		b = weft__tr_bufs_take(&weft__tr.bufs, reserve);
		if (!b && ((patience >= 0 && waited > patience) || (reserve && waited > RESERVE_WAIT_NS)))
			weft__tr_fail(-ENOBUFS);
	}
	atomic_fetch_add_explicit(&weft__tr.wait_ns, (uint64_t)waited, memory_order_relaxed);
	return b;
}

weft__tr_buf *weft__tr_take_buf(uint64_t gen, bool urgent)
{
	if (atomic_load_explicit(&weft__tr.error, memory_order_relaxed))
		return NULL;
	weft__tr_buf *b = weft__tr_bufs_take(&weft__tr.bufs, waited_for(gen, urgent));
	if (weft__tr_unlikely(!b))
		b = wait_for_buf(gen, urgent);
	if (b)
		b->gen = gen;
	return b;
}

/* Where room for a section begins to lack. */
static uint8_t *short_of(weft__tr_buf *b)
{
	return b->bytes + sizeof(b->bytes) - WEFT__TR_ROOM;
}

static bool open_buf(weft__tr_m *m, uint64_t gen, bool urgent)
{
	weft__tr_buf *b = weft__tr_take_buf(gen, urgent);
	if (!b)
		return false;
	uint64_t now = weft__tr_ticks();
	m->last = now > m->last ? now : m->last + 1;
	b->data = wf_put_batch(b->bytes, gen, m->tid, m->last);
	m->buf = b;
	m->at = b->data;
	m->end = short_of(b);
	return true;
}

void weft__tr_push(weft__tr_m *m)
{
	weft__tr_buf *b = m->buf;
	if (!b)
		return;
	wf_end_batch(b->data, m->at);
	b->n = (uint32_t)(m->at - b->bytes);
	m->buf = NULL;
	m->at = m->end = NULL;
	weft__tr_bufs_push(&weft__tr.bufs, b);
}

bool weft__tr_room(weft__tr_m *m)
{
	if (weft__tr_likely(m->buf && m->at < short_of(m->buf)))
		return true;
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	weft__tr_push(m);
	return open_buf(m, gen, /* urgent= */ false);
}

/* ---- statuses ---- */

static bool known(uint64_t word)
{
	return weft__tr_word_gen(word) >= weft__tr.first;
}

void weft__tr_put_g_status(weft__tr_m *m, const weft__tr_g *g, uint64_t word, uint64_t tid, uint64_t stack)
{
	unsigned status = weft__tr_word_status(word);
	if (stack)
		m->at = wf_put_GoStatusStack(m->at,
			(wf_GoStatusStack){
				.dt = weft__tr_tick(m), .g = g->id, .m = tid, .gstatus = status, .stack = stack });
	else
		m->at = wf_put_GoStatus(
			m->at, (wf_GoStatus){ .dt = weft__tr_tick(m), .g = g->id, .m = tid, .gstatus = status });
	if (word & WEFT__TR_RANGE)
		m->at = wf_put_GCMarkAssistActive(m->at, (wf_GCMarkAssistActive){ .dt = weft__tr_tick(m), .g = g->id });
	if (word & WEFT__TR_COMPUTES)
		weft__tr_carrier_computes(m, g);
}

void weft__tr_put_p_status(weft__tr_m *m, const weft__tr_p *p, uint64_t word, unsigned as)
{
	unsigned status = as ? as : weft__tr_word_status(word);
	m->at = wf_put_ProcStatus(
		m->at, (wf_ProcStatus){ .dt = weft__tr_tick(m), .p = (uint64_t)p->id, .pstatus = status });
	if (word & WEFT__TR_RANGE)
		m->at = wf_put_GCSweepActive(m->at, (wf_GCSweepActive){ .dt = weft__tr_tick(m), .p = (uint64_t)p->id });
}

bool weft__tr_claim(_Atomic uint64_t *word, uint64_t gen, unsigned unknown, uint64_t *ret)
{
	uint64_t w = atomic_load_explicit(word, memory_order_acquire), new;
	do {
		if (weft__tr_word_gen(w) >= gen)
			return false;
		new = weft__tr_word(gen, known(w) ? (unsigned)(w & WEFT__TR_FLAGS) : unknown);
		if (weft__tr_word_status(new) == 0)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(word, &w, new, memory_order_acq_rel, memory_order_acquire));
	*ret = new;
	return true;
}

/* Rule 5: the generation before `gen` is still open and may lack this word.  In a section, taking a lock: nobody waits
 * for this thread while holding it. */
static bool owed(_Atomic uint64_t *word, uint64_t gen)
{
	return weft__tr_word_gen(weft__tr_load(word)) < gen - 1 && gen > weft__tr.first &&
	       atomic_load_explicit(&weft__tr.closed, memory_order_acquire) < gen - 1;
}

static bool late_room(uint64_t gen)
{
	return atomic_load_explicit(&weft__tr.closed, memory_order_relaxed) < gen - 1 && weft__tr_room(&weft__tr.late);
}

static void pay_g(weft__tr_g *g, uint64_t gen, unsigned before)
{
	uint64_t w;
	pthread_mutex_lock(&weft__tr.late_lock);
	if (late_room(gen) && weft__tr_claim(&g->word, gen - 1, before, &w)) {
		weft__tr_put_g_status(&weft__tr.late, g, w, WF_NO_THREAD,
			weft__tr_stack_recall(weft__tr.late.tab, g->stack, gen - 1));
		weft__tr_carrier_label(&weft__tr.late, g);
	}
	pthread_mutex_unlock(&weft__tr.late_lock);
}

static void pay_p(weft__tr_p *p, uint64_t gen, unsigned before)
{
	uint64_t w;
	pthread_mutex_lock(&weft__tr.late_lock);
	if (late_room(gen) && weft__tr_claim(&p->word, gen - 1, before, &w))
		weft__tr_put_p_status(&weft__tr.late, p, w, 0);
	pthread_mutex_unlock(&weft__tr.late_lock);
}

/* The word as it is in the new generation; the writer may raise it to the old one meanwhile. */
static uint64_t raise(_Atomic uint64_t *word, uint64_t gen, unsigned before)
{
	uint64_t w = atomic_load_explicit(word, memory_order_acquire), new;
	do {
		new = weft__tr_word(gen, known(w) ? (unsigned)(w & WEFT__TR_FLAGS) : before);
	} while (!atomic_compare_exchange_weak_explicit(word, &w, new, memory_order_acq_rel, memory_order_acquire));
	if (weft__tr_word_status(new) != (before & WEFT__TR_STATUS))
		atomic_fetch_add_explicit(&weft__tr.odd, 1, memory_order_relaxed);
	return new;
}

static uint64_t own_tid(const weft__tr_m *m, unsigned status)
{
	return status == WF_GO_RUNNING || status == WF_GO_SYSCALL ? m->tid : WF_NO_THREAD;
}

void weft__tr_touch_g_slow(weft__tr_m *m, weft__tr_g *g, unsigned before)
{
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	if (owed(&g->word, gen))
		pay_g(g, gen, before);
	uint64_t w = raise(&g->word, gen, before);
	g->seq = 0;
	uint64_t stack = weft__tr_word_status(w) == WF_GO_WAITING ? weft__tr_stack_recall(m->tab, g->stack, gen) : 0;
	weft__tr_put_g_status(m, g, w, own_tid(m, weft__tr_word_status(w)), stack);
	weft__tr_carrier_label(m, g);
}

void weft__tr_touch_p_slow(weft__tr_m *m, weft__tr_p *p, unsigned before, unsigned as)
{
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	if (owed(&p->word, gen))
		pay_p(p, gen, before);
	uint64_t w = raise(&p->word, gen, before);
	p->seq = 0;
	weft__tr_put_p_status(m, p, w, as);
}

/* ---- generations ---- */

/* Into m's own stream, as a running goroutine or proc is bound by it.  Who is about to steal the proc may still be in a
 * section of this generation (and then waits for m's lock): the theft is the first that counts behind this status. */
static void put_bound(weft__tr_m *m, uint64_t gen)
{
	uint64_t w;
	if (m->p && weft__tr_claim(&m->p->word, gen, 0, &w)) {
		m->p->seq = 0;
		weft__tr_put_p_status(m, m->p, w, 0);
	}
	if (m->g && weft__tr_claim(&m->g->word, gen, 0, &w)) {
		weft__tr_put_g_status(m, m->g, w, m->tid, 0);
		weft__tr_carrier_label(m, m->g);
	}
}

static bool unmentioned(_Atomic uint64_t *word, uint64_t gen)
{
	return weft__tr_word_gen(weft__tr_load(word)) < gen;
}

void weft__tr_catch_up(weft__tr_m *m, uint64_t gen)
{
	if (m->finished >= gen)
		return;
	bool lacks = (m->p && unmentioned(&m->p->word, gen)) || (m->g && unmentioned(&m->g->word, gen));
	if (lacks && atomic_load_explicit(&m->gen, memory_order_relaxed) != gen) { /* it has not been in it */
		weft__tr_carrier_begin(m);
		atomic_store_explicit(&m->gen, gen, memory_order_relaxed);
	}
	if (lacks && (m->buf ? weft__tr_room(m) : open_buf(m, gen, /* urgent= */ true)))
		put_bound(m, gen);
	weft__tr_push(m);
	weft__tr_carrier_end(m);
	atomic_store_explicit(&m->gen, 0, memory_order_release);
	m->finished = gen;
}

/* joined_lock is held.  What m holds is not known but from this call. */
static void join(weft__tr_m *m, uint64_t gen, weft__tr_p *p, weft__tr_g *g)
{
	atomic_store_explicit(&m->joined, true, memory_order_relaxed);
	m->buf = m->side = NULL;
	m->at = m->end = m->chunk = NULL;
	atomic_store_explicit(&m->gen, 0, memory_order_release);
	m->finished = gen - 1;
	m->p = p;
	m->g = g;
	m->next = weft__tr.joined;
	m->link = &weft__tr.joined;
	if (m->next)
		m->next->link = &m->next;
	weft__tr.joined = m;
	weft__tr_bufs_allow(&weft__tr.bufs, WEFT__TR_HELD);
}

/* What is seen before the lock is a guess: a trace may end, and another begin, until this thread has it. */
bool weft__tr_lock_m(weft__tr_m *m)
{
	for (bool joining = !weft__tr_has_joined(m);; joining = true) {
		if (joining)
			pthread_mutex_lock(&weft__tr.joined_lock);
		pthread_mutex_lock(&m->lock);
		if (joining || weft__tr_has_joined(m))
			return joining;
		pthread_mutex_unlock(&m->lock);
	}
}

void weft__tr_unlock_m(weft__tr_m *m, bool joining)
{
	pthread_mutex_unlock(&m->lock);
	if (joining)
		pthread_mutex_unlock(&weft__tr.joined_lock);
}

bool weft__tr_adopt(weft__tr_m *m, uint64_t gen, weft__tr_p *p, weft__tr_g *g)
{
	if (!weft__tr_has_joined(m))
		join(m, gen, p, g);
	if (atomic_load_explicit(&m->gen, memory_order_relaxed) == gen)
		return true;
	weft__tr_catch_up(m, gen - 1);
	m->tab = weft__tr.tabs[gen & 1];
	memset(m->memo, 0, sizeof(m->memo)); /* of the old table perhaps */
	weft__tr_carrier_begin(m);
	if (!open_buf(m, gen, /* urgent= */ true))
		return false;
	atomic_store_explicit(&m->gen, gen, memory_order_relaxed);
	if (atomic_load_explicit(&weft__tr.used, memory_order_relaxed) != gen)
		atomic_store_explicit(&weft__tr.used, gen, memory_order_relaxed);
	return true;
}

/* ---- entering ---- */

/* What every generation should say once, and only a running goroutine can: the number of procs, and that a collection
 * is on.  False: not yet. */
static bool announce(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g, uint64_t gen)
{
	uint64_t old = weft__tr_load(&weft__tr.announced);
	if (old >= gen)
		return true;
	/* Not waited for: who holds it may wait for the writer, and the writer for this section. */
	if (!p || !g || pthread_mutex_trylock(&weft__tr.gc_lock))
		return false;
	if (atomic_compare_exchange_strong(&weft__tr.announced, &old, gen)) {
		weft__tr_touch_p(m, p, WF_PROC_RUNNING);
		weft__tr_touch_g(m, g, WF_GO_RUNNING);
		m->at = wf_put_ProcsChange(m->at,
			(wf_ProcsChange){ .dt = weft__tr_tick(m), .procs_value = (uint64_t)weft__tr.hooks.procs() });
		weft__tr_gc_active(m, gen);
	}
	pthread_mutex_unlock(&weft__tr.gc_lock);
	return true;
}

void weft__tr_gc_active(weft__tr_m *m, uint64_t gen)
{
	if (weft__tr.gc_trace != weft__tr_trace() || weft__tr.gc_gen >= gen)
		return;
	weft__tr.gc_gen = gen;
	m->at = wf_put_GCActive(m->at, (wf_GCActive){ .dt = weft__tr_tick(m), .gc_seq = ++weft__tr.gc_seq });
}

/* With the section closed: whoever waits for m to leave may hold its lock. */
static bool change_generation(weft__tr_m *m, weft__tr_p *p, weft__tr_g *g)
{
	weft__tr_leave(m);
	bool joining = weft__tr_lock_m(m);
	uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_acquire);
	bool ok = gen && weft__tr_adopt(m, gen, p, g);
	weft__tr_unlock_m(m, joining);
	atomic_store_explicit(&m->writing, ok, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	return ok;
}

bool weft__tr_enter_slow(weft__tr_m *m, weft__tr_p *p, unsigned ps, weft__tr_g *g, unsigned gs)
{
	for (;;) {
		uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_acquire);
		if (gen == 0 || atomic_load_explicit(&weft__tr.error, memory_order_relaxed))
			break;
		if (gen != atomic_load_explicit(&m->gen, memory_order_relaxed)) {
			if (!change_generation(m, p, g))
				return false;
			continue;
		}
		if (!weft__tr_room(m))
			break;
		bool runs = ps == WF_PROC_RUNNING && gs == WF_GO_RUNNING;
		/* Until then every section comes here. */
		m->end = announce(m, runs ? p : NULL, g, gen) ? short_of(m->buf) : m->at;
		return true;
	}
	weft__tr_leave(m);
	return false;
}

void weft__tr_wait_out(weft__tr_m *m, void (*meanwhile)(void))
{
	for (unsigned i = 0; atomic_load_explicit(&m->writing, memory_order_acquire); i++) {
		if (meanwhile)
			meanwhile();
		if (i < SPINS)
			sched_yield();
		else
			pause_a_little();
	}
}

/* ---- stacks and strings ---- */

static uint32_t gen_mark(const weft__tr_m *m)
{
	return (uint32_t)atomic_load_explicit(&m->gen, memory_order_relaxed);
}

static uint64_t stack_id(weft__tr_m *m, const uintptr_t *pcs, size_t n)
{
	uint64_t h = n;
	for (size_t i = 0; i < n; i++)
		h = weft__tr_hash_word(h, pcs[i]);
	return weft__tr_dedup_find(
		&m->tab->stacks, pcs, (uint32_t)(n * sizeof(*pcs)), weft__tr_hash_end(h), gen_mark(m));
}

uint64_t weft__tr_stack_of(weft__tr_m *m, const weft__tr_g *g, uintptr_t pc, uintptr_t fp, uintptr_t lo)
{
	size_t n = weft__unwind_fp(pc, fp, lo, g->stack_hi, m->pcs, WF_FRAMES_MAX);
	return n ? stack_id(m, m->pcs, n) : 0;
}

/* Most stacks were seen a moment ago.  Comparing costs the walk only: nothing is stored, and no hash has to be waited
 * for. */
uint64_t weft__tr_stack_at(weft__tr_m *m, const weft__tr_g *g, uintptr_t fp)
{
	uintptr_t hi = g->stack_hi;
	if (weft__tr_unlikely(fp >= hi || hi - fp < 2 * sizeof(uintptr_t) || fp % sizeof(uintptr_t)))
		return 0;
	uint64_t where = (uint64_t)((const volatile uintptr_t *)fp)[1] ^ (uint64_t)(hi - fp) << 32;
	weft__tr_entry **memo = &m->memo[(where ^ where >> 32) * 0x9e3779b97f4a7c15u >> 58];
	weft__tr_entry *e = *memo;
	if (weft__tr_likely(e && weft__unwind_same(fp, fp, hi, e->key, e->n / sizeof(uintptr_t), WF_FRAMES_MAX))) {
		weft__tr_dedup_mark(e, gen_mark(m));
		return e->id;
	}
	uint64_t id = weft__tr_stack_of(m, g, 0, fp, fp);
	*memo = id ? weft__tr_dedup_entry(&m->tab->stacks, (uint32_t)id) : NULL;
	return id;
}

/* Addresses in the table are return addresses: one more than what is shown. */
uint64_t weft__tr_stack_1(weft__tr_m *m, const void *entry)
{
	uintptr_t pc = (uintptr_t)entry + 1;
	return entry ? stack_id(m, &pc, 1) : 0;
}

uint64_t weft__tr_string(weft__tr_m *m, weft__tr_str s)
{
	if (s.n == 0)
		return 0;
	uint32_t n = s.n < WF_STRING_BYTES_MAX ? (uint32_t)s.n : WF_STRING_BYTES_MAX;
	uint32_t id = weft__tr_dedup_find(&m->tab->strings, s.at, n, weft__tr_hash_text(s.at, n), gen_mark(m));
	/* A name must not change between the begin and the end of a region, so never "". */
	return weft__tr_likely(id) ? id : weft__tr_text_once(m, s);
}
