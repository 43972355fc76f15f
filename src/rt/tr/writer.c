/* rt/tr/writer.c - see writer.h. */
#include "rt/tr/writer.h"

#include <errno.h>
#include <sys/prctl.h>
#include <time.h>

#include "os/barrier.h"
#include "os/file.h"
#include "os/thread.h"
#include "rt/tr/carrier.h"
#include "rt/tr/inside.h"

enum { POLL_BUSY_NS = 2000000, POLL_IDLE_NS = 50000000, STW_PAUSE_NS = 50000 };
enum { SEND_MS = 1, LAST_MS = 100 }; /* that readers of snapshots are waited for, and at the end */

weft__tr_writer weft__tr_the_writer = {
	.ask = { .lock = PTHREAD_MUTEX_INITIALIZER, .ended = true, .soon_fd = -1 },
	.sink.fd = -1,
	.out = { { .fd = -1 }, { .fd = -1 } },
};

static weft__tr_writer *const w = &weft__tr_the_writer;

/* ---- buffers out ---- */

static void put_buf(weft__tr_buf *b)
{
	weft__tr_sink_put(&w->sink, b->bytes, b->n);
	weft__tr_bufs_give(&weft__tr.bufs, b);
}

/* Batches of the next generation wait until this one is whole. */
static void put_aside(weft__tr_buf *b)
{
	atomic_store_explicit(&b->next, 0, memory_order_relaxed);
	if (w->next_last)
		weft__tr_bufs_link(&weft__tr.bufs, w->next_last, b);
	else
		w->next_first = b;
	w->next_last = b;
	w->next_bytes += b->n;
}

static unsigned n_drained;

static void drain(void)
{
	for (weft__tr_buf *b = weft__tr_bufs_pull(&weft__tr.bufs), *next; b; b = next) {
		next = weft__tr_bufs_next(&weft__tr.bufs, b);
		n_drained++;
		if (b->gen == w->gen)
			put_buf(b);
		else if (w->last)
			weft__tr_bufs_give(&weft__tr.bufs, b);
		else
			put_aside(b);
	}
	if (w->sink.error)
		weft__tr_fail(w->sink.error);
}

static void put_next(void)
{
	for (weft__tr_buf *b = w->next_first, *next; b; b = next) {
		next = weft__tr_bufs_next(&weft__tr.bufs, b);
		put_buf(b);
	}
	w->next_first = w->next_last = NULL;
	w->next_bytes = 0;
}

/* ---- the beginning ---- */

static unsigned status_of(const weft__tr_m_now *now)
{
	return !now->in_syscall ? WF_GO_RUNNING : WF_GO_SYSCALL | (now->computes ? WEFT__TR_COMPUTES : 0);
}

/* What runs when a trace begins says so in its thread's own stream. */
static void bind(weft__tr_m *m, const weft__tr_m_now *now, void *arg)
{
	(void)arg;
	bool joining = weft__tr_lock_m(m);
	uint64_t gen = atomic_load_explicit(&weft__tr_gen, memory_order_acquire);
	/* One that has joined has told by its events. */
	if (joining && weft__tr_adopt(m, gen, now->p, now->g) && weft__tr_room(m)) {
		if (now->p)
			weft__tr_touch_p(m, now->p, now->in_syscall ? WF_PROC_SYSCALL : WF_PROC_RUNNING);
		if (now->g)
			weft__tr_touch_g(m, now->g, status_of(now));
	}
	weft__tr_unlock_m(m, joining);
}

/* ---- the end of a generation ---- */

static weft__tr_tables *tables_for_next(uint64_t gen)
{
	weft__tr_tables *t = weft__tr.tabs[gen & 1], *new = NULL;
	if (weft__tr_dedup_filling(&t->stacks) || weft__tr_dedup_filling(&t->strings))
		new = weft__tr_tables_new(t->epoch % 255 + 1);
	return new ? new : t;
}

/* From here on events go to the next generation, except those being written.  Not while the world is stopped. */
static void publish_next(uint64_t gen)
{
	while (pthread_mutex_trylock(&weft__tr.stw_lock)) { /* its holder may be waiting for a buffer */
		drain();
		nanosleep(&(struct timespec){ .tv_nsec = STW_PAUSE_NS }, NULL);
	}
	weft__tr.tabs[(gen + 1) & 1] = tables_for_next(gen);
	atomic_store_explicit(&weft__tr.once_ids[(gen + 1) & 1], 0, memory_order_relaxed);
	atomic_store_explicit(&weft__tr_gen, gen + 1, memory_order_release);
	pthread_mutex_unlock(&weft__tr.stw_lock);
	wo_barrier_all();
}

static void finish_threads(uint64_t gen)
{
	pthread_mutex_lock(&weft__tr.joined_lock);
	for (weft__tr_m *m = weft__tr.joined; m; m = m->next) {
		pthread_mutex_lock(&m->lock);
		if (m->finished < gen) {
			weft__tr_wait_out(m, drain);
			weft__tr_catch_up(m, gen);
		}
		pthread_mutex_unlock(&m->lock);
	}
	pthread_mutex_unlock(&weft__tr.joined_lock);
}

static void close_late(uint64_t gen)
{
	pthread_mutex_lock(&weft__tr.late_lock);
	atomic_store_explicit(&weft__tr.closed, gen, memory_order_release);
	weft__tr_push(&weft__tr.late);
	weft__tr_carrier_end(&weft__tr.late);
	weft__tr.late_pieces = weft__tr.late.chunks;
	weft__tr_carrier_begin(&weft__tr.late);
	atomic_store_explicit(&weft__tr.late.gen, gen + 1, memory_order_relaxed);
	weft__tr.late.tab = weft__tr.tabs[(gen + 1) & 1];
	pthread_mutex_unlock(&weft__tr.late_lock);
}

static void retire_tables(uint64_t gen)
{
	weft__tr_tables **old = &weft__tr.tabs[gen & 1], *new = weft__tr.tabs[(gen + 1) & 1];
	if (*old != new)
		weft__tr_tables_free(*old);
	*old = new;
}

static bool failed(void)
{
	return atomic_load_explicit(&weft__tr.error, memory_order_relaxed) != 0;
}

/* ---- the end of the trace ---- */

static void give_back(weft__tr_buf **b)
{
	if (*b)
		weft__tr_bufs_give(&weft__tr.bufs, *b);
	*b = NULL;
}

static void discard(weft__tr_m *m)
{
	pthread_mutex_lock(&m->lock);
	weft__tr_wait_out(m, NULL);
	give_back(&m->buf);
	give_back(&m->side);
	m->at = m->end = m->chunk = NULL;
	atomic_store_explicit(&m->joined, false, memory_order_relaxed);
	atomic_store_explicit(&m->gen, 0, memory_order_release);
	pthread_mutex_unlock(&m->lock);
}

/* No thread writes any more when this returns.  A second time changes nothing. */
static void quit(void)
{
	atomic_store_explicit(&weft__tr_gen, 0, memory_order_release);
	wo_barrier_all();
	pthread_mutex_lock(&weft__tr.joined_lock);
	for (weft__tr_m *m = weft__tr.joined, *next; m; m = next) {
		next = m->next;
		discard(m);
		m->next = NULL;
		m->link = NULL;
	}
	weft__tr.joined = NULL;
	pthread_mutex_unlock(&weft__tr.joined_lock);
}

/* ---- from generation to generation ---- */

/* Ends w->gen.  A generation that cannot be made whole gets no end, so that a reader leaves it out. */
static void flip(void)
{
	uint64_t gen = w->gen;
	publish_next(gen);
	finish_threads(gen);
	weft__tr_put_statuses(gen, drain);
	close_late(gen);
	drain();
	if (failed())
		return;
	if (w->last) /* or threads would wait for buffers while names are looked up */
		quit();
	weft__tr_put_tables(w, gen);
	weft__tr_window_end(&w->sink.window, wo_now_ns());
	retire_tables(gen);
	atomic_fetch_add(&w->n_gens, 1);
	w->gen = gen + 1;
	w->gen_start_ns = wo_now_ns();
	w->sink.gen_bytes = 0;
	if (!w->last) {
		weft__tr_put_sync(w, w->gen);
		put_next();
	}
	atomic_store(&w->n_bytes, w->sink.bytes);
	if (w->sink.error)
		weft__tr_fail(w->sink.error);
}

/* ---- snapshots ---- */

static bool sending(void)
{
	return w->out[WEFT__TR_ASKED].fd >= 0 || w->out[WEFT__TR_SOON].fd >= 0;
}

/* With ask.lock. */
static void answer(int error)
{
	if (!w->ask.snapshot)
		return;
	w->ask.snapshot->error = error;
	w->ask.snapshot->done = true;
	w->ask.snapshot = NULL;
}

static void say_sent(int error)
{
	pthread_mutex_lock(&w->ask.lock);
	answer(error);
	pthread_cond_broadcast(&w->ask.done);
	pthread_mutex_unlock(&w->ask.lock);
}

static void end_sending(unsigned i, int fd, int error)
{
	weft__tr_outgoing_end(&w->out[i]);
	if (i == WEFT__TR_ASKED)
		say_sent(error);
	else
		wo_close(fd);
}

static void begin_sending(unsigned i, int fd)
{
	if (fd < 0)
		return;
	int error = atomic_load(&weft__tr.error);
	if (error == 0)
		error = weft__tr_outgoing_begin(&w->out[i], &w->sink.window, fd, WEFT__TR_VERSION);
	if (error < 0)
		end_sending(i, fd, error);
}

/* What a signal handler, say, has asked for, one after the other. */
static int soon_fd(void)
{
	return w->out[WEFT__TR_SOON].fd >= 0 ? -1 : atomic_exchange(&w->ask.soon_fd, -1);
}

static void send_some(int wait_ms)
{
	for (unsigned i = 0; i < WEFT__TR_OUTGOING; i++) {
		weft__tr_outgoing *o = &w->out[i];
		int rc = o->fd < 0 ? 0 : weft__tr_outgoing_move(o, wait_ms, weft__tr.opt.snapshot_patience_ns);
		if (rc != 0)
			end_sending(i, o->fd, rc < 0 ? rc : 0);
	}
}

/* Those that are under way, or were asked for at the last moment, when the trace ends: they are waited for, unless that
 * has failed. */
static void send_rest(void)
{
	begin_sending(WEFT__TR_SOON, soon_fd());
	while (sending() && !failed())
		send_some(LAST_MS);
	for (unsigned i = 0; i < WEFT__TR_OUTGOING; i++)
		if (w->out[i].fd >= 0)
			end_sending(i, w->out[i].fd, atomic_load(&weft__tr.error));
}

/* ---- what others ask ---- */

static void wait_for_request(int64_t ns)
{
	int64_t until = wo_now_ns() + ns;
	struct timespec t = { .tv_sec = until / 1000000000, .tv_nsec = until % 1000000000 };
	pthread_mutex_lock(&w->ask.lock);
	bool asked = w->ask.stop || w->ask.flips_asked != w->ask.flips_done || w->ask.snapshot || sending();
	w->ask.idle = true;
	if (!asked)
		pthread_cond_timedwait(&w->ask.asked, &w->ask.lock, &t);
	w->ask.idle = false;
	pthread_mutex_unlock(&w->ask.lock);
}

typedef struct wishes {
	bool stop;
	uint64_t flips;
	int snapshot_fd, soon_fd; /* new ones */
} wishes;

static wishes read_wishes(void)
{
	pthread_mutex_lock(&w->ask.lock);
	wishes r = { .stop = w->ask.stop, .flips = w->ask.flips_asked, .snapshot_fd = -1 };
	if (w->ask.snapshot && w->out[WEFT__TR_ASKED].fd < 0)
		r.snapshot_fd = w->ask.snapshot->fd;
	pthread_mutex_unlock(&w->ask.lock);
	r.soon_fd = r.stop ? -1 : soon_fd();
	return r;
}

static void grant(const wishes *r)
{
	begin_sending(WEFT__TR_ASKED, r->snapshot_fd);
	begin_sending(WEFT__TR_SOON, r->soon_fd);
	pthread_mutex_lock(&w->ask.lock);
	if (!failed())
		w->ask.flips_done = r->flips;
	pthread_cond_broadcast(&w->ask.done);
	pthread_mutex_unlock(&w->ask.lock);
}

static bool due(void)
{
	const weft__tr_options *o = &weft__tr.opt;
	if (weft__tr_load(&weft__tr.used) < w->gen) /* nothing has happened */
		return false;
	return wo_now_ns() - w->gen_start_ns >= o->gen_ns || w->sink.gen_bytes >= o->gen_bytes;
}

/* Returns when the trace shall end, or has failed. */
static void serve(void)
{
	int64_t poll_ns = POLL_BUSY_NS;
	while (!failed()) {
		int64_t left = w->gen_start_ns + weft__tr.opt.gen_ns - wo_now_ns();
		wait_for_request(left > 0 && left < poll_ns ? left : poll_ns);
		n_drained = 0;
		drain();
		poll_ns = n_drained ? POLL_BUSY_NS : poll_ns * 2 < POLL_IDLE_NS ? poll_ns * 2 : POLL_IDLE_NS;
		wishes r = read_wishes();
		if (r.stop)
			return;
		bool asked = r.flips != w->ask.flips_done || r.snapshot_fd >= 0 || r.soon_fd >= 0;
		if (asked || due())
			flip();
		if (asked)
			grant(&r);
		send_some(SEND_MS);
	}
}

static void wait_to_begin(void)
{
	pthread_mutex_lock(&w->ask.lock);
	w->ask.idle = true;
	while (!w->ask.begun)
		pthread_cond_wait(&w->ask.asked, &w->ask.lock);
	w->ask.idle = false;
	pthread_mutex_unlock(&w->ask.lock);
}

static void say_ended(void)
{
	pthread_mutex_lock(&w->ask.lock);
	w->ask.ended = true;
	answer(failed() ? atomic_load(&weft__tr.error) : -EINVAL);
	pthread_cond_broadcast(&w->ask.done);
	pthread_mutex_unlock(&w->ask.lock);
}

void *weft__tr_writer_run(void *arg)
{
	(void)arg;
	weft__tr_writes = true;
	prctl(PR_SET_NAME, "weft-trace");
	wait_to_begin();
	w->gen_start_ns = wo_now_ns();
	weft__tr_sink_header(&w->sink, WEFT__TR_VERSION);
	weft__tr.hooks.each_m(bind, NULL);
	atomic_store_explicit(&weft__tr.looking, false, memory_order_release);
	w->frequency = weft__tr_clock_frequency();
	weft__tr_put_sync(w, w->gen);
	serve();
	w->last = true;
	if (!failed())
		flip();
	quit();
	send_rest();
	say_ended();
	int error = atomic_load(&weft__tr.error);
	if (error && weft__tr.opt.ended)
		weft__tr.opt.ended(error, weft__tr.opt.ended_arg);
	return NULL;
}
