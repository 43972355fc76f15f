/* rt/sched/threads.c - threads that run goroutines: they begin, and end with a goroutine that is tied to them.
 * Source: Go, runtime/proc.go (newm, mexit).
 */
#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/heap/heap.h"
#include "rt/sched/collect.h"
#include "rt/sched/park.h"
#include "rt/stack/overflow.h"
#include "rt/stack/unwind.h"

weft__m weft__no_m = { .attn = WEFT__ATTN_FOREIGN };
__thread weft__m *weft__m_here = &weft__no_m;

/* ---- descriptors ---- */

weft__m *weft__make_m(void)
{
	weft__m *m = wb_aligned(64, sizeof(weft__m));
	if (!m)
		return NULL;
	*m = (weft__m){ .in_rt = 1,
		.attn = (weft__sched.hard ? WEFT__ATTN_HARD : 0) | (weft__heap_started() ? WEFT__ATTN_JOIN : 0),
		.rng = weft__sched.seed ^ (uint64_t)(uintptr_t)m ^ (uint64_t)wo_now_ns() };
	m->n_made_at = (uint32_t)weft__unwind_here((uintptr_t)__builtin_frame_address(0), m->made_at, WEFT__M_FRAMES);
	weft__m *first = atomic_load(&weft__sched.all_m);
	do
		atomic_store_explicit(&m->all, first, memory_order_relaxed);
	while (!atomic_compare_exchange_weak(&weft__sched.all_m, &first, m));
	return m;
}

/* One whose thread has ended, or never began. */
static weft__m *take_spare(void)
{
	uintptr_t at[WEFT__M_FRAMES];
	size_t n = weft__unwind_here((uintptr_t)__builtin_frame_address(0), at, WEFT__M_FRAMES);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	weft__m *m = weft__sched.spare_m;
	if (m) {
		weft__sched.spare_m = m->link;
		m->spare = false;
		memcpy(m->made_at, at, n * sizeof(*at));
		m->n_made_at = (uint32_t)n;
		atomic_store(&m->in_rt, 1);
	}
	weft__lock_drop(&weft__sched.lock);
	return m;
}

static weft__m *descriptor(void)
{
	weft__m *m = take_spare();
	return m ? m : weft__make_m();
}

/* m has no thread; it stays in the list of all, where nobody must wait for it. */
static void keep_spare(weft__m *m)
{
	weft__idle_begin(m);
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	m->spare = true;
	m->link = weft__sched.spare_m;
	weft__sched.spare_m = m;
	weft__lock_drop(&weft__sched.lock);
}

size_t weft__m_made_at(weft__m *m, uintptr_t ret[WEFT__M_FRAMES])
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	size_t n = m->spare ? 0 : m->n_made_at;
	memcpy(ret, m->made_at, n * sizeof(*ret));
	weft__lock_drop(&weft__sched.lock);
	return n;
}

/* ---- they begin and end ---- */

/* A trace that begins just now looks at all descriptors (tell.c): either it sees that this one has no thread, or that
 * its thread is inside. */
static void set_tid(weft__m *m, uint64_t tid)
{
	weft__lock_take(&m->retake, WEFT__RANK_RETAKE);
	m->tr.tid = tid;
	weft__lock_drop(&m->retake);
}

static pthread_key_t ending;
static bool has_ending;

/* The thread's last words, as a destructor: it goes to the end of the queue once, behind those of what users keep.  A
 * thread of the program's whose destructors call in yet later counts anew. */
static void end(void *arg)
{
	weft__m *m = arg;
	if (m->ends) {
		m->ends = false;
		if (pthread_setspecific(ending, m) == 0)
			return;
	}
	weft__enter();
	weft__tr_m_exit(&m->tr);
	weft__heap_leave();
	weft__stack_thread_done(&m->sigstack);
	weft__ctx_done(&m->g0);
	set_tid(m, 0);
	atomic_fetch_and(&m->attn, ~(uint32_t)WEFT__ATTN_FOREIGN);
	weft__m_here = &weft__no_m;
	keep_spare(m);
	weft__external_end();
}

static void make_ending(void)
{
	has_ending = pthread_key_create(&ending, end) == 0;
}

void weft__threads_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_ending);
}

static void *thread_main(void *arg)
{
	weft__m *m = arg;
	weft__m_here = m;
	set_tid(m, wo_thread_id());
	weft__ctx_thread_init(&m->g0);
	weft__stack_thread_init(&m->sigstack);
	if (weft__heap_started()) /* perhaps just now, and this thread was overlooked */
		weft__collect_join(m);
	weft__schedule(m);
	/* Destructors may still call what any thread may. */
	atomic_fetch_or(&m->attn, WEFT__ATTN_FOREIGN);
	weft__leave(m);
	if (has_ending && pthread_setspecific(ending, m) == 0)
		return NULL;
	m->ends = false;
	end(m);
	return NULL;
}

weft__m *weft__thread_call_in(void)
{
	weft__threads_init(); /* weft_main may be still to come */
	weft__m *m = descriptor();
	if (!m)
		weft__fatal("out of memory for a thread that calls in");
	atomic_store(&m->attn, WEFT__ATTN_FOREIGN | (weft__sched.hard ? WEFT__ATTN_HARD : 0));
	set_tid(m, wo_thread_id());
	m->ends = true;
	weft__m_here = m;
	weft__external_begin();
	if (!has_ending || pthread_setspecific(ending, m) != 0)
		m->ends = false; /* then it counts for ever */
	return m;
}

/* More of those that are counted; false: there are too many. */
static bool count(int n)
{
	weft__lock_take(&weft__sched.lock, WEFT__RANK_SCHED);
	bool room = n < 0 || weft__sched.n_m < weft__sched.m_max;
	weft__sched.n_m += room ? n : 0;
	weft__lock_drop(&weft__sched.lock);
	return room;
}

int weft__thread_start(weft__p *p, bool spinning)
{
	if (!count(1))
		weft__fatal("thread exhaustion");
	weft__m *m = descriptor();
	int err = -ENOMEM;
	if (m) {
		pthread_t unused;
		m->spinning = spinning;
		m->next_p = p;
		err = wo_thread_start_open(&unused, thread_main, m);
	}
	if (err == 0)
		return 0;
	if (m)
		keep_spare(m);
	count(-1);
	return err;
}
