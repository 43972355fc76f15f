/* rt/tr/control.c - starting and stopping traces: the last part of tr.h. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "os/barrier.h"
#include "os/file.h"
#include "os/thread.h"
#include "rt/tr/carrier.h"
#include "rt/tr/inside.h"
#include "rt/tr/writer.h"

enum { GEN_NS = 1000000000, GEN_BYTES = 16 << 20, BUFFER_BYTES = 64 << 20, PATIENCE_NS = 1000000000 };
static const int64_t snapshot_patience_ns = 5000000000;

static pthread_mutex_t control = PTHREAD_MUTEX_INITIALIZER; /* starting and stopping */
static bool running;                                        /* started, and not stopped */
static pthread_t thread;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static weft__tr_writer *const w = &weft__tr_the_writer;

/* ---- fork ---- */

/* The lists and tables must not be half changed in the child. */
static void before_fork(void)
{
	pthread_mutex_lock(&control);
	pthread_mutex_lock(&w->ask.lock);
	pthread_mutex_lock(&weft__tr.joined_lock);
}

static void after_fork_parent(void)
{
	pthread_mutex_unlock(&weft__tr.joined_lock);
	pthread_mutex_unlock(&w->ask.lock);
	pthread_mutex_unlock(&control);
}

static void free_all(void)
{
	for (unsigned i = 0; i < WEFT__TR_OUTGOING; i++)
		weft__tr_outgoing_end(&w->out[i]);
	weft__tr_symbols_close(w->symbols);
	w->symbols = NULL;
	weft__tr_window_free(&w->sink.window);
	weft__tr_tables_free(weft__tr.tabs[0]);
	if (weft__tr.tabs[1] != weft__tr.tabs[0])
		weft__tr_tables_free(weft__tr.tabs[1]);
	weft__tr.tabs[0] = weft__tr.tabs[1] = NULL;
	weft__tr_bufs_done(&weft__tr.bufs);
}

/* For a child that was forked while the writer was at work: what it had in its hands may be half changed, and stays. */
static void leave_all(void)
{
	w->symbols = NULL;
	w->sink.window = (weft__tr_window){ 0 };
	for (unsigned i = 0; i < WEFT__TR_OUTGOING; i++)
		w->out[i] = (weft__tr_outgoing){ .fd = -1 };
	weft__tr.tabs[0] = weft__tr.tabs[1] = NULL;
	weft__tr_bufs_done(&weft__tr.bufs);
}

static void init_cond(pthread_cond_t *c)
{
	pthread_condattr_t a;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
}

static void init_locks(void)
{
	pthread_mutex_init(&weft__tr.late_lock, NULL);
	pthread_mutex_init(&weft__tr.stw_lock, NULL);
	pthread_mutex_init(&weft__tr.gc_lock, NULL);
	init_cond(&w->ask.asked);
	init_cond(&w->ask.done);
}

/* The writer and all other threads are gone: so is the trace. */
static void after_fork_child(void)
{
	atomic_store(&weft__tr_gen, 0);
	for (weft__tr_m *m = weft__tr.joined, *next; m; m = next) {
		next = m->next;
		pthread_mutex_init(&m->lock, NULL);
		atomic_store(&m->gen, 0);
		atomic_store(&m->writing, 0);
		m->buf = m->side = NULL;
		m->at = m->end = m->chunk = NULL;
		atomic_store(&m->joined, false);
		m->next = NULL;
		m->link = NULL;
	}
	weft__tr.joined = NULL;
	init_locks();
	if (running && w->ask.idle)
		free_all();
	else if (running)
		leave_all();
	running = false;
	w->ask.ended = true;
	w->ask.snapshot = NULL;
	atomic_store(&w->ask.soon_fd, -1);
	after_fork_parent();
}

static void init_once(void)
{
	init_locks();
	weft__tr_clock_init();
	pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void weft__tr_init(const weft__tr_hooks *hooks)
{
	pthread_once(&once, init_once);
	weft__tr.hooks = *hooks;
}

void weft__tr_samples_from(void (*samples)(uint64_t first, uint64_t gen, weft__tr_sample_fn *fn, void *arg))
{
	weft__tr.hooks.samples = samples;
}

/* ---- starting ---- */

static weft__tr_options with_defaults(const weft__tr_options *opt)
{
	weft__tr_options o = *opt;
	o.gen_ns = o.gen_ns ? o.gen_ns : GEN_NS;
	o.gen_bytes = o.gen_bytes ? o.gen_bytes : GEN_BYTES;
	o.buffer_bytes = o.buffer_bytes ? o.buffer_bytes : BUFFER_BYTES;
	o.patience_ns = o.patience_ns ? o.patience_ns : PATIENCE_NS;
	o.snapshot_patience_ns = o.snapshot_patience_ns ? o.snapshot_patience_ns : snapshot_patience_ns;
	return o;
}

/* A reader that stands still does not hold up the end of a trace that is lost anyway. */
static bool has_failed(void)
{
	return atomic_load_explicit(&weft__tr.error, memory_order_relaxed) != 0;
}

static void reset_writer(const weft__tr_options *o, uint64_t first)
{
	memset(&w->sink, 0, sizeof(w->sink)); /* it is large, and the caller's stack may be small */
	w->sink.fd = o->fd;
	w->sink.may_wait = o->fd >= 0 && wo_may_wait(o->fd);
	w->sink.given_up = has_failed;
	w->sink.write = o->write;
	w->sink.write_arg = o->write_arg;
	w->sink.window.max_bytes = o->window_bytes;
	w->sink.window.max_ns = o->window_ns;
	for (unsigned i = 0; i < WEFT__TR_OUTGOING; i++)
		w->out[i] = (weft__tr_outgoing){ .fd = -1 };
	w->gen = first;
	w->last = false;
	w->next_first = w->next_last = NULL;
	w->next_bytes = w->waits = w->wait_ns = 0;
	atomic_store(&w->n_gens, 0);
	atomic_store(&w->n_bytes, 0);
	pthread_mutex_lock(&w->ask.lock);
	w->ask.begun = w->ask.stop = w->ask.ended = w->ask.idle = false;
	w->ask.flips_asked = w->ask.flips_done = 0;
	pthread_mutex_unlock(&w->ask.lock);
}

/* Generation numbers go on from trace to trace, so that old words mean nothing. */
static uint64_t reset_state(const weft__tr_options *o)
{
	uint64_t first = w->gen + 2;
	weft__tr.opt = *o;
	weft__tr.first = first;
	atomic_store(&weft__tr.trace, weft__tr_trace() + 1);
	atomic_store(&weft__tr.closed, first - 1);
	atomic_store(&weft__tr.announced, first - 1);
	atomic_store(&weft__tr.used, first - 1);
	atomic_store(&weft__tr.once_ids[first & 1], 0);
	atomic_store(&weft__tr.error, 0);
	atomic_store(&weft__tr.looking, true);
	atomic_store(&weft__tr.waits, 0);
	atomic_store(&weft__tr.wait_ns, 0);
	atomic_store(&weft__tr.odd, 0);
	atomic_store(&weft__tr.lost_stacks, 0);
	atomic_store(&weft__tr.lost_strings, 0);
	weft__tr_m *late = &weft__tr.late;
	late->tid = WF_NO_THREAD;
	late->buf = late->side = NULL;
	late->at = late->end = late->chunk = NULL;
	weft__tr_carrier_begin(late);
	late->last = 0;
	late->tab = weft__tr.tabs[0];
	atomic_store(&late->gen, first);
	return first;
}

static int take_memory(const weft__tr_options *o)
{
	int rc = weft__tr_bufs_init(&weft__tr.bufs, o->buffer_bytes);
	if (rc)
		return rc;
	weft__tr.tabs[0] = weft__tr.tabs[1] = weft__tr_tables_new(/* epoch= */ 1);
	return weft__tr.tabs[0] ? 0 : -ENOMEM;
}

static void begin(uint64_t first)
{
	/* The release store hands all of the above to whoever reads the number. */
	atomic_store_explicit(&weft__tr_gen, first, memory_order_release);
	pthread_mutex_lock(&w->ask.lock);
	w->ask.begun = true;
	pthread_cond_signal(&w->ask.asked);
	pthread_mutex_unlock(&w->ask.lock);
}

static int start(const weft__tr_options *opt)
{
	weft__tr_options o = with_defaults(opt);
	if (running)
		return -EBUSY;
	if ((o.fd < 0 && !o.write && !o.window_bytes) || o.gen_ns < 0)
		return -EINVAL;
	if (!wo_barrier_init())
		return -ENOSYS;
	int rc = take_memory(&o);
	if (rc == 0) {
		uint64_t first = reset_state(&o);
		reset_writer(&o, first);
		rc = wo_thread_start(&thread, weft__tr_writer_run, NULL);
		if (rc == 0) {
			running = true;
			begin(first);
			return 0;
		}
		w->ask.ended = true;
	}
	free_all();
	return rc;
}

int weft__tr_start(const weft__tr_options *opt)
{
	pthread_mutex_lock(&control);
	int rc = start(opt);
	pthread_mutex_unlock(&control);
	return rc;
}

/* ---- while it runs ---- */

int weft__tr_stop(void)
{
	pthread_mutex_lock(&control);
	int rc = running ? 0 : -EINVAL;
	if (running) {
		pthread_mutex_lock(&w->ask.lock);
		w->ask.stop = true;
		pthread_cond_signal(&w->ask.asked);
		pthread_mutex_unlock(&w->ask.lock);
		pthread_join(thread, NULL);
		rc = atomic_load(&weft__tr.error);
		free_all();
		running = false;
	}
	pthread_mutex_unlock(&control);
	return rc;
}

int weft__tr_flip(void)
{
	pthread_mutex_lock(&w->ask.lock);
	uint64_t wanted = ++w->ask.flips_asked, trace = weft__tr_trace();
	pthread_cond_signal(&w->ask.asked);
	/* Another trace may have begun before this thread is back. */
	while (!w->ask.ended && weft__tr_trace() == trace && w->ask.flips_done < wanted)
		pthread_cond_wait(&w->ask.done, &w->ask.lock);
	int rc = weft__tr_trace() == trace && w->ask.flips_done >= wanted ? 0 : -EINVAL;
	pthread_mutex_unlock(&w->ask.lock);
	return rc;
}

int weft__tr_snapshot(int fd)
{
	weft__tr_wanted mine = { .fd = fd, .error = -EINVAL };
	if (fd < 0)
		return -EBADF;
	pthread_mutex_lock(&w->ask.lock);
	while (!w->ask.ended && w->ask.snapshot)
		pthread_cond_wait(&w->ask.done, &w->ask.lock);
	if (!w->ask.ended && weft__tr.opt.window_bytes > 0) {
		w->ask.snapshot = &mine;
		pthread_cond_signal(&w->ask.asked);
		while (!mine.done)
			pthread_cond_wait(&w->ask.done, &w->ask.lock);
	}
	pthread_mutex_unlock(&w->ask.lock);
	return mine.error;
}

int weft__tr_snapshot_soon(int fd)
{
	int none = -1, mine = fd;
	if (fd < 0)
		return -EBADF;
	if (!weft__tr_on() || weft__tr.opt.window_bytes == 0)
		return -EINVAL;
	if (!atomic_compare_exchange_strong(&w->ask.soon_fd, &none, fd))
		return -EBUSY;
	/* The writer looks for the last time when the number is 0: then nobody takes it any more, or it just has. */
	bool late = atomic_load(&weft__tr_gen) == 0 && atomic_compare_exchange_strong(&w->ask.soon_fd, &mine, -1);
	return late ? -EINVAL : 0;
}

void weft__tr_m_exit(weft__tr_m *m)
{
	pthread_mutex_lock(&weft__tr.joined_lock);
	pthread_mutex_lock(&m->lock);
	if (weft__tr_has_joined(m)) {
		weft__tr_push(m);
		weft__tr_carrier_end(m);
		weft__tr_bufs_allow(&weft__tr.bufs, -WEFT__TR_HELD);
		*m->link = m->next;
		if (m->next)
			m->next->link = m->link;
		m->next = NULL;
		m->link = NULL;
	}
	atomic_store_explicit(&m->joined, false, memory_order_relaxed);
	atomic_store_explicit(&m->gen, 0, memory_order_release);
	pthread_mutex_unlock(&m->lock);
	pthread_mutex_unlock(&weft__tr.joined_lock);
}

void weft__tr_read_stats(weft__tr_stats *ret)
{
	*ret = (weft__tr_stats){
		.generations = atomic_load(&w->n_gens),
		.bytes = atomic_load(&w->n_bytes),
		.waits = weft__tr_load(&weft__tr.waits),
		.wait_ns = weft__tr_load(&weft__tr.wait_ns),
		.lost_stacks = weft__tr_load(&weft__tr.lost_stacks),
		.lost_strings = weft__tr_load(&weft__tr.lost_strings),
		.odd = weft__tr_load(&weft__tr.odd),
	};
}
