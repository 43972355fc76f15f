/* an/build.c - the one pass that fills an index.
 *
 * The caller's thread orders events into the blocks of a ring; each sink sees all blocks, in order, in a thread of its
 * own.  With two threads all sinks share one, with one thread everything happens in the caller's.
 *
 * The ring counts blocks: `filled` by the reader, `done` by each sink; block i lives in slot i % RING.  One mutex
 * guards the counters; it is taken once per block and side, which is rare (a block is about a thousand events).
 * Sleepers are woken when half the ring is theirs, so that a pair of unequal speed does not switch at every block.
 */
#include "an/index.h"

#include "base/alloc.h"
#include "os/thread.h"
#include "read/cursor.h"
#include "read/source.h"
#include "read/trace.h"

enum { RING = 16, HALF = RING / 2, BLOCK = 1024, SINKS = AN_PASS_SINKS };

typedef struct block {
	size_t    n;
	uint64_t  generation; /* of the last Sync in it, + 1; 0: no Sync */
	wtr_event ev[BLOCK];
} block;

typedef struct build build;

/* A thread and the sinks that it runs. */
typedef struct worker {
	build    *b;
	pthread_t thread;
	bool      started;
	an_sink  *sinks[SINKS];
	unsigned  n_sinks;
	uint64_t  done;       /* blocks; guarded */
} worker;

struct build {
	wtr_trace  *trace;
	wtr_cursor *cursor;
	wtr_index  *x;
	an_sink    *sinks[SINKS];
	unsigned    n_sinks;
	bool        release;      /* tables of passed generations are let go */

	block      *ring;
	worker      workers[SINKS];
	unsigned    n_workers;
	pthread_mutex_t lock;
	pthread_cond_t  more, room;
	uint64_t    filled;   /* blocks; guarded */
	bool        ended;    /* no more blocks will come; guarded */
	bool        failed;   /* a sink is out of memory; guarded */
};

/* ---- both ways ---- */

/* Fills a block as far as the trace goes; false: it is over. */
static bool fill(build *b, block *k)
{
	k->n = 0;
	k->generation = 0;
	while (k->n + 4 <= BLOCK) {
		size_t n = wtr__cursor_fill(b->cursor, k->ev + k->n, BLOCK - k->n);
		if (n == 0)
			return false;
		k->n += n;
	}
	return true;
}

static bool feed(build *b, an_sink *const *sinks, unsigned n, block *k)
{
	/* The sink that every build has looks for generations; they are let go when all sinks have passed. */
	if (b->release && sinks[0] == b->sinks[0])
		for (size_t i = 0; i < k->n; i++)
			if (k->ev[i].kind == WTR_KIND_SYNC)
				k->generation = k->ev[i].value[0];
	for (unsigned i = 0; i < n; i++)
		if (!sinks[i]->events(sinks[i], k->ev, k->n))
			return false;
	return true;
}

/* No sink needs the generations before that of the last Sync in `k` any more. */
static void release(build *b, const block *k)
{
	if (b->release && k->generation > 1)
		wtr__cursor_release(b->cursor, (size_t)k->generation - 2);
}

/* ---- one thread ---- */

static wtr_code run_alone(build *b)
{
	block *k = &b->ring[0];
	for (bool more = true; more;) {
		more = fill(b, k);
		if (!feed(b, b->sinks, b->n_sinks, k))
			return WTR_E_NOMEM;
		release(b, k);
	}
	return WTR_OK;
}

/* ---- several ---- */

static uint64_t slowest(const build *b)
{
	uint64_t done = b->workers[0].done;
	for (unsigned i = 1; i < b->n_workers; i++)
		done = b->workers[i].done < done ? b->workers[i].done : done;
	return done;
}

/* Waits for blocks behind `w->done`; returns how many there are to `w->done` + that, 0: no more will come. */
static uint64_t await_blocks(worker *w)
{
	build *b = w->b;
	pthread_mutex_lock(&b->lock);
	while (b->filled == w->done && !b->ended && !b->failed)
		pthread_cond_wait(&b->more, &b->lock);
	uint64_t n = b->failed ? 0 : b->filled - w->done;
	pthread_mutex_unlock(&b->lock);
	return n;
}

static void block_done(worker *w, bool ok)
{
	build *b = w->b;
	pthread_mutex_lock(&b->lock);
	const block *k = &b->ring[w->done % RING];
	uint64_t before = slowest(b);
	w->done++;
	b->failed |= !ok;
	bool last = slowest(b) != before; /* all have seen it now */
	if (last)
		release(b, k);
	if (b->failed || (last && b->filled - slowest(b) <= HALF))
		pthread_cond_signal(&b->room);
	if (b->failed)
		pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->lock);
}

static void *work(void *arg)
{
	worker *w = arg;
	for (uint64_t n; (n = await_blocks(w)) != 0;)
		for (bool ok = true; n && ok; n--) {
			ok = feed(w->b, w->sinks, w->n_sinks, &w->b->ring[w->done % RING]);
			block_done(w, ok);
		}
	return NULL;
}

/* A free block, or NULL when a sink has failed. */
static block *await_room(build *b)
{
	pthread_mutex_lock(&b->lock);
	if (b->filled - slowest(b) == RING)
		while (b->filled - slowest(b) > HALF && !b->failed)
			pthread_cond_wait(&b->room, &b->lock);
	block *k = b->failed ? NULL : &b->ring[b->filled % RING];
	pthread_mutex_unlock(&b->lock);
	return k;
}

static void block_filled(build *b, bool ended)
{
	pthread_mutex_lock(&b->lock);
	b->filled++;
	b->ended = ended;
	if (ended || b->filled - slowest(b) >= HALF)
		pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->lock);
}

static void end_workers(build *b)
{
	pthread_mutex_lock(&b->lock);
	b->ended = true;
	pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < b->n_workers; i++)
		if (b->workers[i].started)
			pthread_join(b->workers[i].thread, NULL);
}

static void abandon(build *b)
{
	pthread_mutex_lock(&b->lock);
	b->failed = true;
	pthread_mutex_unlock(&b->lock);
}

static wtr_code read_all(build *b)
{
	for (bool more = true; more;) {
		block *k = await_room(b);
		if (!k)
			return WTR_E_NOMEM;
		more = fill(b, k);
		block_filled(b, !more);
	}
	return WTR_OK;
}

static wtr_code run_threads(build *b, unsigned n_workers)
{
	b->n_workers = n_workers;
	for (unsigned i = 0; i < b->n_sinks; i++) {
		worker *w = &b->workers[i % n_workers];
		w->b = b;
		w->sinks[w->n_sinks++] = b->sinks[i];
	}
	wtr_code rc = WTR_OK;
	for (unsigned i = 0; i < n_workers && rc == WTR_OK; i++) {
		b->workers[i].started = wo_thread_start(&b->workers[i].thread, work, &b->workers[i]) == 0;
		if (!b->workers[i].started)
			rc = WTR_E_NOMEM;
	}
	if (rc == WTR_OK)
		rc = read_all(b);
	if (rc != WTR_OK)
		abandon(b);
	end_workers(b);
	return rc == WTR_OK && b->failed ? WTR_E_NOMEM : rc;
}

/* ---- all of it ---- */

static wtr_code run(build *b)
{
	int threads = b->trace->opt.threads ? b->trace->opt.threads : wo_processors();
	if (threads <= 1)
		return run_alone(b);
	/* Told to use two, one reads and one runs the sinks; free to choose, each sink has its own even on two
	 * processors, because they wait for the reader most of the time. */
	bool free_to_choose = b->trace->opt.threads == 0;
	return run_threads(b, threads == 2 && !free_to_choose ? 1 : b->n_sinks);
}

static bool add_sink(build *b, an_sink *s)
{
	if (!s)
		return false;
	b->sinks[b->n_sinks++] = s;
	return true;
}

static bool set_up(build *b, wtr_trace *t, unsigned parts, const an_window_ns *within)
{
	b->trace = t;
	b->release = !wtr__keeps_tables(t);
	b->x = wb_calloc(1, sizeof(*b->x));
	b->ring = wb_malloc(sizeof(block) * RING);
	if (!b->x || !b->ring)
		return false;
	b->x->trace = t;
	b->x->parts = parts;
	return add_sink(b, an_summary_sink(t, parts, within)) &&
	       (!(parts & WTR_PART_LANES) || add_sink(b, an_lanes_sink(t)));
}

/* Why there can be no index although the pass is over: damage in the trace is no reason, but these are. */
static wtr_code stopped(const build *b, wtr_error *err)
{
	const wtr_error *end = wtr_cursor_error(b->cursor);
	if (end->code != WTR_E_NOMEM && end->code != WTR_E_IO)
		return WTR_OK;
	if (err)
		*err = *end;
	return end->code;
}

static bool finish(build *b)
{
	for (unsigned i = 0; i < b->n_sinks; i++)
		if (!b->sinks[i]->finish(b->sinks[i], b->x))
			return false;
	wtr_totals *t = &b->x->totals;
	t->end = *wtr_cursor_error(b->cursor);
	wtr_cursor_losses(b->cursor, &t->losses);
	if (t->end.code == WTR_OK) {
		t->valid_events = t->events;
		t->valid_end_ns = t->end_ns;
	}
	return true;
}

static void init_locks(build *b)
{
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	pthread_cond_init(&b->room, NULL);
}

static void destroy_locks(build *b)
{
	pthread_cond_destroy(&b->more);
	pthread_cond_destroy(&b->room);
	pthread_mutex_destroy(&b->lock);
}

/* Opens the cursor and lets all events pass. */
static wtr_code pass(build *b, wtr_error *err)
{
	b->cursor = wtr_cursor_open(b->trace, NULL, err);
	wtr_code rc = b->cursor ? run(b) : WTR_E_NOMEM;
	return rc == WTR_OK ? stopped(b, err) : rc;
}

wtr_code an_pass(wtr_trace *t, an_sink *s, wtr_error *ret_end, wtr_error *err)
{
	wtr_losses none;
	return an_pass_of(t, &s, 1, ret_end, &none, err);
}

wtr_code an_pass_of(wtr_trace *t, an_sink *const *sinks, unsigned n, wtr_error *ret_end, wtr_losses *ret_losses,
	wtr_error *err)
{
	build b = { .trace = t, .release = !wtr__keeps_tables(t) };
	for (unsigned i = 0; i < n; i++)
		add_sink(&b, sinks[i]);
	init_locks(&b);
	b.ring = wb_malloc(sizeof(block) * RING);
	wtr_code rc = b.ring ? pass(&b, err) : WTR_E_NOMEM;
	if (rc == WTR_OK) {
		*ret_end = *wtr_cursor_error(b.cursor);
		wtr_cursor_losses(b.cursor, ret_losses);
	}
	wtr_cursor_close(b.cursor);
	wb_free(b.ring);
	destroy_locks(&b);
	if (rc == WTR_E_NOMEM)
		wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return rc;
}

/* `extra` sees all events too, but is neither finished nor freed here; NULL: none. */
static wtr_code build_index(wtr_trace *t, unsigned parts, const an_window_ns *within, an_sink *extra, wtr_index **ret,
	wtr_error *err)
{
	parts |= WTR_PART_TOTALS;
	if (parts & (WTR_PART_EVENTS | WTR_PART_LANES | WTR_PART_OBJECTS)) {
		parts |= WTR_PART_GOROUTINES | WTR_PART_OBJECTS;
		wtr__keep_tables(t); /* their rows hold stack ids, and waits are read there */
	}
	build b = { 0 };
	init_locks(&b);
	wtr_code rc = WTR_E_NOMEM;
	if (set_up(&b, t, parts, within)) {
		unsigned n = b.n_sinks;
		if (extra)
			add_sink(&b, extra);
		rc = pass(&b, err);
		b.n_sinks = n;
		if (rc == WTR_OK && !finish(&b))
			rc = WTR_E_NOMEM;
	}
	for (unsigned i = 0; i < b.n_sinks; i++)
		b.sinks[i]->free(b.sinks[i]);
	wtr_cursor_close(b.cursor);
	wb_free(b.ring);
	destroy_locks(&b);
	if (rc == WTR_OK)
		*ret = b.x;
	else
		wtr_index_free(b.x);
	if (rc == WTR_E_NOMEM)
		wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return rc;
}

wtr_code wtr_index_build(wtr_trace *t, unsigned parts, wtr_index **ret, wtr_error *err)
{
	return build_index(t, parts, NULL, NULL, ret, err);
}

wtr_code an_index_with(wtr_trace *t, unsigned parts, const an_window_ns *within, an_sink *extra, wtr_index **ret,
	wtr_error *err)
{
	unsigned others = parts & ~(unsigned)(WTR_PART_TOTALS | WTR_PART_GOROUTINES | WTR_PART_OBJECTS);
	if (within && (others || within->to_ns <= within->from_ns))
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "index.within",
			"a part of the time has totals and goroutines, and it does not end before it begins");
	return build_index(t, parts, within, extra, ret, err);
}

wtr_code wtr_index_build_within(
	wtr_trace *t, unsigned parts, int64_t from_ns, int64_t to_ns, wtr_index **ret, wtr_error *err)
{
	return an_index_with(t, parts, &(an_window_ns){ from_ns, to_ns }, NULL, ret, err);
}
