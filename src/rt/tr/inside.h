/* rt/tr/inside.h - what the tracer's files share: its state, the section around each event, statuses.
 *
 * A generation ends without stopping anybody.  The rules that make that work:
 *
 * 1. Every call is a section: writing = 1, then the generation is read, events are written, writing = 0.  The stores
 * are plain; the writer thread publishes the new number and then calls membarrier(2), after which every thread is
 * either seen in its section or reads the new number.
 * 2. A thread that reads a number other than its buffer's takes its lock and moves on (weft__tr_enter_slow); the writer
 *    takes the same lock to finish those that do not come by.  Who comes first writes, into the old generation and the
 *    thread's own stream, the statuses of the proc and goroutine on it (weft__tr_catch_up).
 * 3. Numbers grow along with what happens: the generation is read when the event is written, by a thread that owns what
 *    the event is about.  So nothing about a goroutine lands in an older generation than what happened to it before.
 * 4. Each goroutine and proc has a word: the newest generation that mentions it, and its status.  The first in a
 *    generation to raise it (by compare-and-swap) writes the status event, and sequence numbers count from it.  Later
 *    in that generation only the owner writes it.  The writer thread raises all that are still low to the generation
 *    that it closes.
 * 5. A thread in the new generation that finds a word that the old, still open one lacks, adds it there as well
 * (`late`).
 *
 * Order of locks: joined, a thread's own, late.  None is taken in a section but when the comments say so.
 */
#ifndef WEFT__TR_INSIDE_H
#define WEFT__TR_INSIDE_H

#include "fmt/emit.h"
#include "rt/stack/unwind.h"
#include "rt/tr/clock.h"
#include "rt/tr/bufs.h"
#include "rt/tr/dedup.h"
#include "rt/tr/tr.h"

#define weft__tr_likely(x)   __builtin_expect(!!(x), 1)
#define weft__tr_unlikely(x) __builtin_expect(!!(x), 0)

enum {
	WEFT__TR_VERSION = 26,
	WEFT__TR_ROOM = 1024, /* that a section finds in its buffer: several events with statuses */
	WEFT__TR_HELD = 2,    /* buffers that a thread fills: events, and the carrier */
	WEFT__TR_TEXT_IDS_MAX = 1 << 20,
	WEFT__TR_ONCE_ID = 1 << 20, /* ids of texts that are not in the table are from here on */
};

/* Stacks and strings of a generation, often the same as the one's before. */
typedef struct weft__tr_tables {
	weft__tr_dedup stacks, strings;
	uint32_t epoch; /* 1..255: tells whose ids a goroutine remembers */
} weft__tr_tables;

struct weft__tr_all {
	weft__tr_hooks hooks;
	weft__tr_options opt;
	weft__tr_bufs bufs;
	weft__tr_tables *tabs[2];     /* by parity of the generation */
	_Atomic uint64_t trace;       /* its number */
	uint64_t first;               /* its first generation */
	_Atomic uint64_t closed;      /* newest generation that takes no more statuses */
	_Atomic uint64_t used;        /* newest generation that a thread has written to */
	_Atomic uint64_t announced;   /* newest generation that has its ProcsChange */
	_Atomic int error;            /* why the trace ends by itself: negative errno */
	_Atomic bool looking;         /* the writer is in each_m */
	_Atomic uint64_t once_ids[2]; /* by parity of the generation: texts in it outside of the table */
	_Atomic uint64_t waits, wait_ns, odd, lost_stacks, lost_strings;

	pthread_mutex_t joined_lock;
	weft__tr_m *joined;
	uint64_t swept; /* generation that the writer has finished on all of them */

	pthread_mutex_t late_lock;
	weft__tr_m late;      /* no thread: statuses of what does not run */
	uint64_t late_pieces; /* that it has put into the generation that is being closed */

	pthread_mutex_t stw_lock; /* held while the world is stopped, and when the generation changes */
	uint64_t stw_trace;       /* the trace that has the begin of the running stop */

	pthread_mutex_t gc_lock;
	uint64_t gc_trace; /* the trace that has the begin of the running collection; 0: none */
	uint64_t gc_seq;
	uint64_t gc_gen; /* newest generation that knows of it */
};

extern struct weft__tr_all weft__tr;

/* ---- words ---- */

/* COMPUTES: the system call that a goroutine is in is none, its proc was taken (tr.h, hog). */
enum { WEFT__TR_STATUS = 7, WEFT__TR_RANGE = 8, WEFT__TR_COMPUTES = 16, WEFT__TR_WORD_SHIFT = 8 };
enum { WEFT__TR_FLAGS = WEFT__TR_STATUS | WEFT__TR_RANGE | WEFT__TR_COMPUTES };

static inline uint64_t weft__tr_word(uint64_t gen, unsigned flags)
{
	return gen << WEFT__TR_WORD_SHIFT | flags;
}
static inline uint64_t weft__tr_word_gen(uint64_t w)
{
	return w >> WEFT__TR_WORD_SHIFT;
}
static inline unsigned weft__tr_word_status(uint64_t w)
{
	return w & WEFT__TR_STATUS;
}
static inline uint64_t weft__tr_load(_Atomic uint64_t *w)
{
	return atomic_load_explicit(w, memory_order_relaxed);
}

/* A new status, COMPUTES or not, in the generation that the word is in already; the open range stays. */
static inline void weft__tr_set(_Atomic uint64_t *word, unsigned status)
{
	uint64_t kept = weft__tr_load(word) & ~(uint64_t)(WEFT__TR_STATUS | WEFT__TR_COMPUTES);
	atomic_store_explicit(word, kept | status, memory_order_relaxed);
}

/* Writes the first mention of g, or p, in m's generation: its status is `before`, COMPUTES or not, unless the word
 * knows better.  p: `as` is written instead (WF_PROC_SYSCALL_ABANDONED), 0: the status.  In a section, or with m's
 * lock. */
void weft__tr_touch_g_slow(weft__tr_m *m, weft__tr_g *g, unsigned before);
void weft__tr_touch_p_slow(weft__tr_m *m, weft__tr_p *p, unsigned before, unsigned as);

static inline void weft__tr_touch_g(weft__tr_m *m, weft__tr_g *g, unsigned before)
{
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	if (weft__tr_unlikely(weft__tr_word_gen(weft__tr_load(&g->word)) != gen))
		weft__tr_touch_g_slow(m, g, before);
}

static inline void weft__tr_touch_p(weft__tr_m *m, weft__tr_p *p, unsigned before)
{
	uint64_t gen = atomic_load_explicit(&m->gen, memory_order_relaxed);
	if (weft__tr_unlikely(weft__tr_word_gen(weft__tr_load(&p->word)) != gen))
		weft__tr_touch_p_slow(m, p, before, 0);
}

/* Raises a word to a generation that is being closed.  False: it was there already, or is newer, or nothing is known of
 * it (and `unknown` is 0).  *ret: the word as raised. */
bool weft__tr_claim(_Atomic uint64_t *word, uint64_t gen, unsigned unknown, uint64_t *ret);

/* Status events into m's buffer, with room made. */
void weft__tr_put_g_status(weft__tr_m *m, const weft__tr_g *g, uint64_t word, uint64_t tid, uint64_t stack);
void weft__tr_put_p_status(weft__tr_m *m, const weft__tr_p *p, uint64_t word, unsigned as);

/* ---- sections ---- */

/* Stays while a section lasts; outside, it is another one before anybody can look. */
static inline uint64_t weft__tr_trace(void)
{
	return weft__tr_load(&weft__tr.trace);
}

bool weft__tr_enter_slow(weft__tr_m *m, weft__tr_p *p, unsigned ps, weft__tr_g *g, unsigned gs);

static inline void weft__tr_leave(weft__tr_m *m)
{
	atomic_store_explicit(&m->writing, 0, memory_order_release);
}

/* Begins a section with WEFT__TR_ROOM bytes of room, p and g (NULL: none) mentioned in its generation, with these
 * statuses if this is the first time.  False: no trace; no section. */
static inline bool weft__tr_enter(weft__tr_m *m, weft__tr_p *p, unsigned ps, weft__tr_g *g, unsigned gs)
{
	atomic_store_explicit(&m->writing, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_acquire);
	/* Acquired: both may be 0, and then the writer has left `at` and `end` so that the slow way is taken. */
	if (weft__tr_unlikely(gen != atomic_load_explicit(&m->gen, memory_order_acquire) || m->at >= m->end))
		if (!weft__tr_enter_slow(m, p, ps, g, gs))
			return false;
	if (p)
		weft__tr_touch_p(m, p, ps);
	if (g)
		weft__tr_touch_g(m, g, gs);
	return true;
}

/* Ticks since the newest event of m, at least 1. */
static inline uint64_t weft__tr_tick(weft__tr_m *m)
{
	uint64_t dt = weft__tr_ticks() - m->last;
	if (weft__tr_unlikely((int64_t)dt < 1))
		dt = 1;
	m->last += dt;
	return dt;
}

/* Room in m's buffer, a new one if need be.  False: the trace is at its end. */
bool weft__tr_room(weft__tr_m *m);

/* Makes m ready for writes of generation `gen` by whoever holds its lock: joins, finishes the old one, opens a buffer.
 * False: the trace is at its end. */
bool weft__tr_adopt(weft__tr_m *m, uint64_t gen, weft__tr_p *p, weft__tr_g *g);

/* Finishes generation `gen` on m, whose lock is held and which is not in a section (or is the caller). */
void weft__tr_catch_up(weft__tr_m *m, uint64_t gen);

static inline bool weft__tr_has_joined(weft__tr_m *m)
{
	return atomic_load_explicit(&m->joined, memory_order_relaxed);
}

/* Takes m's lock, and joined's before if m has not joined the trace; weft__tr_unlock_m drops both.  While they are held
 * the running trace, if weft__tr_gen says that there is one, is not exchanged for another.  Not in a section. */
bool weft__tr_lock_m(weft__tr_m *m);
void weft__tr_unlock_m(weft__tr_m *m, bool joining);

/* A running collection that m's generation does not know of yet is told; gc_lock is held. */
void weft__tr_gc_active(weft__tr_m *m, uint64_t gen);

/* Waits until m is in no section; runs `meanwhile` (may be NULL) now and then. */
void weft__tr_wait_out(weft__tr_m *m, void (*meanwhile)(void));

/* A buffer for a batch of that generation; waits for one.  urgent: locks are held that the writer may want.  NULL: the
 * trace is at its end. */
weft__tr_buf *weft__tr_take_buf(uint64_t gen, bool urgent);

/* Hands m's buffer over. */
void weft__tr_push(weft__tr_m *m);

/* The trace ends by itself, with the first such error. */
void weft__tr_fail(int error);

/* This thread is the writer, which must not wait for itself. */
extern _Thread_local bool weft__tr_writes;

/* The id of the stack at fp of g, 0: none. */
uint64_t weft__tr_stack_of(weft__tr_m *m, const weft__tr_g *g, uintptr_t pc, uintptr_t fp, uintptr_t lo);
uint64_t weft__tr_stack_at(weft__tr_m *m, const weft__tr_g *g, uintptr_t fp);
uint64_t weft__tr_stack_1(weft__tr_m *m, const void *entry); /* of one frame: where a function begins */

static inline uint64_t weft__tr_stack(weft__tr_m *m, const weft__tr_g *g, const void *fp)
{
	return g && fp ? weft__tr_stack_at(m, g, (uintptr_t)fp) : 0;
}

uint64_t weft__tr_string(weft__tr_m *m, weft__tr_str s);

/* An id for a text of that generation that is not in the table.  Each begins anew: there are days' worth of texts. */
static inline uint64_t weft__tr_once_id(uint64_t gen)
{
	return WEFT__TR_ONCE_ID + atomic_fetch_add_explicit(&weft__tr.once_ids[gen & 1], 1, memory_order_relaxed);
}

/* What a goroutine keeps of a stack id, for its status in later generations. */
enum { WEFT__TR_STACK_IDS_MAX = (1 << 24) - 1 };

static inline uint32_t weft__tr_stack_memo(const weft__tr_tables *t, uint64_t id)
{
	return t->epoch << 24 | (uint32_t)id;
}
static inline uint64_t weft__tr_stack_recall(const weft__tr_tables *t, uint32_t memo, uint64_t gen)
{
	weft__tr_entry *e =
		memo >> 24 == t->epoch ? weft__tr_dedup_entry(&t->stacks, memo & WEFT__TR_STACK_IDS_MAX) : NULL;
	if (!e)
		return 0;
	weft__tr_dedup_mark(e, (uint32_t)gen);
	return e->id;
}

#endif
