/* rt/api/gc.c - see weft/gc.h. */
#include <weft/gc.h>
#include <weft/go.h>

#include <errno.h>
#include <string.h>

#define GC_THREADS
#define GC_NO_THREAD_REDIRECTS
#include <gc/gc.h>
#include <gc/gc_mark.h>
#include <gc/gc_typed.h>

#include "base/alloc.h"
#include "rt/heap/heap.h"
#include "rt/heap/ranges.h"
#include "rt/prof/allocs.h"
#include "rt/sched/collect.h"
#include "rt/sched/park.h"

enum { TYPES = 512, WORD = sizeof(void *), PERCENT_FIRST = 100 };

static int percent = PERCENT_FIRST;
static size_t limit;

static void set_percent(int to)
{
	/* libgc collects when so many bytes are new: heap / divisor. */
	if (to > 0)
		GC_set_free_space_divisor((GC_word)(to >= 100 ? 1 : 100 / to));
}

/* Into the runtime, with the heap ready for this thread; before weft_main there is no runtime, and NULL.  frame: of the
 * public function. */
static weft__m *begin(const void *frame)
{
	bool first = !weft__heap_started();
	weft__m *m = NULL;
	if (weft__likely(weft__sched.started)) {
		m = weft__enter();
		if (weft__unlikely(!weft__self_g(m)))
			weft_panic("the collected heap is for goroutines only");
		m = weft__collect_prepare(m);
		m->frame = frame;
	} else {
		weft__collect_init();
		weft__heap_start();
	}
	if (weft__unlikely(first)) {
		set_percent(percent);
		GC_set_max_heap_size(limit);
	}
	return m;
}

static void end(weft__m *m)
{
	if (!m)
		return;
	if (weft__tr_on())
		weft__collect_tell_heap(m);
	m->frame = NULL;
	weft__leave(m);
}

/* At the limit libgc gives up without a collection. */
static bool try_again(const void *at)
{
	if (at)
		return false;
	GC_gcollect();
	return true;
}

void *weft_new(size_t bytes)
{
	weft__m *m = begin(WEFT__FRAME);
	void *at = GC_MALLOC(bytes);
	if (weft__unlikely(try_again(at)))
		at = GC_MALLOC(bytes);
	weft__allocs_count(m, at, bytes);
	end(m);
	return at;
}

void *weft_new_bytes(size_t bytes)
{
	weft__m *m = begin(WEFT__FRAME);
	void *at = GC_MALLOC_ATOMIC(bytes);
	if (weft__unlikely(try_again(at)))
		at = GC_MALLOC_ATOMIC(bytes);
	weft__allocs_count(m, at, bytes);
	end(m);
	return at ? memset(at, 0, bytes) : NULL;
}

/* ---- types ---- */

static struct {
	_Atomic(const weft_type *) type; /* set last */
	GC_descr descr;
} types[TYPES];
static weft__lock types_lock;

static GC_descr describe(const weft_type *type)
{
	size_t words = (type->bytes + WORD - 1) / WORD;
	size_t n = (words + GC_WORDSZ - 1) / GC_WORDSZ;
	GC_word few[8] = { 0 };
	GC_word *bits = n <= 8 ? few : wb_calloc(n, sizeof(*bits));
	if (!bits)
		return GC_DS_LENGTH | (type->bytes & ~(size_t)(WORD - 1)); /* every word */
	for (size_t i = 0; i < type->n_pointers; i++)
		GC_set_bit(bits, type->pointers[i] / WORD);
	GC_descr d = GC_make_descriptor(bits, words);
	if (bits != few)
		wb_free(bits);
	return d;
}

static GC_descr descr_of(const weft_type *type)
{
	size_t at = ((uintptr_t)type >> 4) * UINT64_C(0x9e3779b97f4a7c15) % TYPES;
	for (size_t i = 0; i < TYPES; i++, at = (at + 1) % TYPES) {
		const weft_type *t = atomic_load_explicit(&types[at].type, memory_order_acquire);
		if (t == type)
			return types[at].descr;
		if (t)
			continue;
		GC_descr d = describe(type);
		weft__lock_take(&types_lock, WEFT__RANK_COND);
		bool ours = atomic_load(&types[at].type) == NULL;
		if (ours) {
			types[at].descr = d;
			atomic_store_explicit(&types[at].type, type, memory_order_release);
		}
		weft__lock_drop(&types_lock);
		return d;
	}
	return describe(type);
}

static void *new_typed(const weft_type *type, size_t n, GC_descr d)
{
	return n == 1 ? GC_malloc_explicitly_typed(type->bytes, d)
		      : GC_calloc_explicitly_typed(n ? n : 1, type->bytes, d);
}

void *weft_new_typed(const weft_type *type, size_t n)
{
	size_t bytes;
	if (__builtin_mul_overflow(n, type->bytes, &bytes))
		return NULL;
	if (type->n_pointers == 0)
		return weft_new_bytes(bytes);
	weft__m *m = begin(WEFT__FRAME);
	GC_descr d = descr_of(type);
	void *at = new_typed(type, n, d);
	if (weft__unlikely(try_again(at)))
		at = new_typed(type, n, d);
	weft__allocs_count(m, at, bytes);
	end(m);
	return at;
}

/* ---- roots ---- */

int weft_root_add(const void *at, size_t bytes)
{
	return weft__range_add(at, bytes) ? 0 : -ENOMEM;
}

int weft_root_remove(const void *at, size_t bytes)
{
	weft__range *r = weft__range_of(at, bytes);
	weft__range_drop(r);
	return r ? 0 : -ENOENT;
}

/* ---- finalizers ---- */

struct finalizer {
	weft_finalizer *fn;
	void *arg;
};

static void call(void *object, void *data)
{
	struct finalizer f = *(struct finalizer *)data;
	wb_free(data);
	f.fn(object, f.arg);
}

int weft_finalize(void *object, weft_finalizer *fn, void *arg)
{
	if (!weft__heap_started() || GC_base(object) != object)
		return -EINVAL;
	struct finalizer *f = NULL;
	if (fn) {
		f = wb_malloc(sizeof(*f));
		if (!f)
			return -ENOMEM;
		*f = (struct finalizer){ fn, arg };
	}
	weft__m *m = begin(WEFT__FRAME);
	GC_finalization_proc old_fn = NULL;
	void *old = NULL;
	GC_register_finalizer_no_order(object, fn ? call : NULL, f, &old_fn, &old);
	end(m);
	if (old_fn == call)
		wb_free(old);
	return 0;
}

/* ---- collecting ---- */

void weft_gc(void)
{
	weft__m *m = begin(WEFT__FRAME);
	GC_gcollect();
	end(m);
}

int weft_gc_percent(int to)
{
	int before = percent;
	percent = to;
	if (!weft__heap_started())
		return before;
	set_percent(to);
	if (to < 0 && before >= 0)
		GC_disable();
	else if (to >= 0 && before < 0)
		GC_enable();
	weft__collect_goal_changed();
	return before;
}

size_t weft_gc_limit(size_t bytes)
{
	size_t before = limit;
	limit = bytes;
	if (weft__heap_started())
		GC_set_max_heap_size(bytes);
	return before;
}

void weft_gc_read(weft_gc_stats *ret)
{
	*ret = (weft_gc_stats){ 0 };
	if (!weft__heap_started())
		return;
	struct GC_prof_stats_s s;
	GC_get_prof_stats(&s, sizeof(s));
	const weft__heap_pauses *p = weft__heap_read_pauses();
	ret->n_collections = s.gc_no;
	ret->heap_bytes = s.heapsize_full - s.unmapped_bytes;
	ret->live_bytes = s.heapsize_full - s.free_bytes_full;
	ret->allocated_bytes = s.allocd_bytes_before_gc + s.bytes_allocd_since_gc;
	ret->pause_ns = atomic_load(&p->sum_ns);
	ret->pause_last_ns = atomic_load(&p->last_ns);
	ret->pause_max_ns = atomic_load(&p->max_ns);
}
