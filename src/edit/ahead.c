/* edit/ahead.c - see ahead.h.
 *
 * A ring of blocks: `filled` by the reader, `taken` by the caller, who holds the one before.  Block i lies in slot
 * i % RING.  As in an/build.c, sleepers are woken when half the ring is theirs.
 */
#include "edit/ahead.h"

#include "base/alloc.h"
#include "os/thread.h"
#include "read/cursor.h"
#include "read/source.h"
#include "read/trace.h"

/* Sleeping and being woken costs as much as ordering a thousand events: it should be rare. */
enum { RING = 8, HALF = RING / 2, BLOCK = 4096, BLOCK_ALONE = 256, ROOM = 4 };

typedef struct block {
	size_t n;
	wtr_event ev[BLOCK];
} block;

struct we_ahead {
	wtr_cursor *cursor;
	int64_t from_ns;
	block *ring;
	size_t block; /* events of one: without a thread as few as stay in the nearest cache */
	pthread_t thread;
	bool threaded;
	size_t generation; /* 1, 2, ..: of the newest Sync that was handed out; 0: none yet */
	pthread_mutex_t lock;
	pthread_cond_t more, room;
	uint64_t filled, taken; /* blocks; guarded */
	bool ended, stop;       /* guarded: no more blocks will come, or are wanted */
};

/* ---- reading ---- */

/* Drops what is before from_ns, until an event is not: times increase. */
static size_t drop(we_ahead *a, wtr_event *at, size_t n)
{
	size_t kept = 0;
	for (size_t i = 0; i < n; i++) {
		bool late = at[i].time_ns >= a->from_ns;
		if (late && at[i].kind != WTR_KIND_SYNC)
			a->from_ns = INT64_MIN;
		if (late || at[i].kind == WTR_KIND_SYNC)
			at[kept++] = at[i];
	}
	return kept;
}

/* Fills a block as far as the trace goes; false: it is over. */
static bool fill(we_ahead *a, block *k)
{
	k->n = 0;
	while (k->n + ROOM <= a->block && (k->n == 0 || a->from_ns == INT64_MIN)) {
		size_t n = wtr__cursor_fill(a->cursor, k->ev + k->n, a->block - k->n);
		if (n == 0)
			return false;
		k->n += a->from_ns == INT64_MIN ? n : drop(a, k->ev + k->n, n);
	}
	return true;
}

/* A free block; NULL: nobody wants more. */
static block *await_room(we_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->filled - a->taken == RING - 1)
		while (a->filled - a->taken > HALF && !a->stop)
			pthread_cond_wait(&a->room, &a->lock);
	block *k = a->stop ? NULL : &a->ring[a->filled % RING];
	pthread_mutex_unlock(&a->lock);
	return k;
}

static void block_filled(we_ahead *a, bool ended)
{
	pthread_mutex_lock(&a->lock);
	a->filled++;
	a->ended = ended;
	if (ended || a->filled - a->taken >= HALF)
		pthread_cond_signal(&a->more);
	pthread_mutex_unlock(&a->lock);
}

static void *read_on(void *arg)
{
	we_ahead *a = arg;
	block *k;
	for (bool more = true; more && (k = await_room(a)) != NULL;) {
		more = fill(a, k);
		block_filled(a, !more);
	}
	return NULL;
}

/* ---- the caller's side ---- */

/* NULL: there are no more. */
static block *await_block(we_ahead *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->filled - a->taken <= HALF)
		pthread_cond_signal(&a->room);
	while (a->filled == a->taken && !a->ended)
		pthread_cond_wait(&a->more, &a->lock);
	block *k = a->filled == a->taken ? NULL : &a->ring[a->taken++ % RING];
	pthread_mutex_unlock(&a->lock);
	return k;
}

static block *read_block(we_ahead *a)
{
	if (!a->ended)
		a->ended = !fill(a, a->ring);
	else
		a->ring->n = 0;
	return a->ring->n ? a->ring : NULL;
}

/* Generations before that of the block which was handed out are not needed any more. */
static void let_go(we_ahead *a, const block *k)
{
	if (a->generation > 1)
		wtr__cursor_release(a->cursor, a->generation - 2);
	for (size_t i = 0; k && i < k->n; i++)
		if (k->ev[i].kind == WTR_KIND_SYNC && k->ev[i].value[0])
			a->generation = (size_t)k->ev[i].value[0];
}

size_t we_ahead_next(we_ahead *a, const wtr_event **ret)
{
	block *k;
	do
		k = a->threaded ? await_block(a) : read_block(a);
	while (k && k->n == 0);
	let_go(a, k);
	if (!k)
		return 0;
	*ret = k->ev;
	return k->n;
}

const wtr_error *we_ahead_error(const we_ahead *a)
{
	return wtr_cursor_error(a->cursor);
}

we_ahead *we_ahead_open(wtr_trace *t, size_t first, int64_t from_ns, wtr_error *err)
{
	we_ahead *a = wb_calloc(1, sizeof(*a));
	bool several = (t->opt.threads ? t->opt.threads : wo_processors()) > 1;
	block *ring = wb_malloc(sizeof(block) * (several ? RING : 1));
	if (!a || !ring) {
		wb_free(a);
		wb_free(ring);
		wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
		return NULL;
	}
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->more, NULL);
	pthread_cond_init(&a->room, NULL);
	a->from_ns = from_ns;
	a->ring = ring;
	a->block = several ? BLOCK : BLOCK_ALONE;
	a->cursor = wtr__cursor_open_at(t, first, err);
	if (!a->cursor) {
		we_ahead_close(a);
		return NULL;
	}
	a->threaded = several && wo_thread_start(&a->thread, read_on, a) == 0;
	return a;
}

void we_ahead_close(we_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->room);
	pthread_mutex_unlock(&a->lock);
	if (a->threaded)
		pthread_join(a->thread, NULL);
	wtr_cursor_close(a->cursor);
	pthread_cond_destroy(&a->room);
	pthread_cond_destroy(&a->more);
	pthread_mutex_destroy(&a->lock);
	wb_free(a->ring);
	wb_free(a);
}
