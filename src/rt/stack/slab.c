/* rt/stack/slab.c - address space for stacks, their guards, and who is where (see slab.h, stack.h). */
#include "rt/stack/slab.h"

#include <errno.h>

#include "base/alloc.h"
#include "os/pages.h"

#ifdef WEFT__VALGRIND
#include <valgrind/valgrind.h>
#endif

/* mmap does not hand out higher addresses without being asked to, on neither processor. */
enum { ADDRESS_BITS = 48, TABLE_SLOTS = 1 << (ADDRESS_BITS - WEFT__SLAB_SHIFT) };
enum { TABLE_BYTES = TABLE_SLOTS * sizeof(void *) };
/* Of the mappings that a process may have, these are left to others than guards. */
enum { MAPS_SPARE = 2048, MAPS_PER_GUARD = 2 };
/* Places told to the kernel at once. */
enum { BATCH = 512 };

static _Atomic(weft__slab *) *table; /* by address / WEFT__SLAB_BYTES; touched where there are slabs */
static _Atomic(weft__slab *) newest;
static size_t guard_bytes;
static size_t page_bytes;
static bool light;
static size_t maps_left; /* for guards of the mapped kind; under the pool's lock */

static bool class_ok(int class)
{
	return class >= 0 && class < WEFT__STACK_CLASSES;
}

static int choose_guards(const weft__stack_options *opt)
{
	bool can = opt->guards != WEFT__GUARDS_MAPPED && wo_pages_can_guard();
	if (!can && opt->guards == WEFT__GUARDS_LIGHT)
		return -EOPNOTSUPP;
	size_t max = opt->maps_max ? opt->maps_max : wo_maps_max();
	size_t taken = wo_maps_used() + MAPS_SPARE;
	maps_left = max > taken ? max - taken : 0;
	light = can;
	return 0;
}

int weft__slab_init(const weft__stack_options *opt)
{
	page_bytes = wo_page_bytes();
	size_t guard = opt->guard_bytes ? opt->guard_bytes : page_bytes;
	if (guard % page_bytes || guard > WEFT__SLAB_BYTES / 2)
		return -EINVAL;
	int rc = choose_guards(opt);
	if (rc)
		return rc;
	guard_bytes = guard;
	void *at;
	rc = wo_pages_reserve(TABLE_BYTES, &at);
	if (rc)
		return rc;
	table = at;
	weft__stack_leaks_init();
	return 0;
}

size_t weft__stack_guard_bytes(void)
{
	return guard_bytes;
}

int weft__stack_class(size_t bytes)
{
	size_t least = bytes > 2 * guard_bytes ? bytes : 2 * guard_bytes;
	for (int class = 0; class < WEFT__STACK_CLASSES; class ++)
		if (weft__stack_bytes(class) >= least)
			return class;
	return -E2BIG;
}

/* ---- slabs ---- */

int weft__slab_make(int class, weft__slab **ret)
{
	if (!class_ok(class) || weft__stack_bytes(class) < 2 * guard_bytes)
		return -EINVAL;
	weft__slab *s = wb_calloc(1, sizeof(*s));
	void *at = NULL;
	int rc = s ? wo_pages_reserve(WEFT__SLAB_BYTES, &at) : -ENOMEM;
	if (rc == 0 && (uintptr_t)at >> ADDRESS_BITS) {
		wo_pages_release(at, WEFT__SLAB_BYTES);
		rc = -ENOMEM;
	}
	if (rc) {
		wb_free(s);
		return rc;
	}
	uint32_t n = (uint32_t)(WEFT__SLAB_BYTES / weft__stack_bytes(class));
	*s = (weft__slab){ .next = newest, .at = at, .class = class, .n = n };
	atomic_store_explicit(&table[(uintptr_t)at >> WEFT__SLAB_SHIFT], s, memory_order_release);
	atomic_store_explicit(&newest, s, memory_order_release);
	*ret = s;
	return 0;
}

void weft__stack_each(void (*fn)(void *hi, int class, void *arg), void *arg)
{
	for (const weft__slab *s = atomic_load_explicit(&newest, memory_order_acquire); s; s = s->next) {
		uint32_t n = atomic_load_explicit(&s->claimed, memory_order_acquire);
		for (uint32_t i = 0; i < n; i++)
			fn(weft__slab_hi(s, i), s->class, arg);
	}
}

bool weft__stack_find(const void *addr, weft__stack_place *ret)
{
	uintptr_t a = (uintptr_t)addr;
	if (!table || a >> ADDRESS_BITS)
		return false;
	const weft__slab *s = atomic_load_explicit(&table[a >> WEFT__SLAB_SHIFT], memory_order_acquire);
	if (!s)
		return false;
	size_t bytes = weft__stack_bytes(s->class);
	uint32_t i = (uint32_t)((a - (uintptr_t)s->at) / bytes);
	if (i >= atomic_load_explicit(&s->claimed, memory_order_acquire))
		return false;
	char *hi = weft__slab_hi(s, i);
	char *lo = hi - bytes + guard_bytes;
	*ret = (weft__stack_place){ .lo = lo, .hi = hi, .class = s->class, .guard = a < (uintptr_t)lo };
	return true;
}

/* ---- what makes a slot a stack ---- */

uint32_t weft__guard_reserve(uint32_t n)
{
	if (light)
		return n;
	size_t most = maps_left / MAPS_PER_GUARD;
	n = n < most ? n : (uint32_t)most;
	maps_left -= (size_t)n * MAPS_PER_GUARD;
	return n;
}

void weft__guard_unreserve(uint32_t n)
{
	if (!light)
		maps_left += (size_t)n * MAPS_PER_GUARD;
}

static int guard_mapped(const struct iovec *v, size_t n, size_t *ret_n)
{
	int rc = 0;
	for (*ret_n = 0; *ret_n < n && rc == 0; *ret_n += rc == 0)
		rc = wo_pages_deny(v[*ret_n].iov_base, v[*ret_n].iov_len);
	return rc;
}

/* Tells Valgrind which changes of the stack pointer are switches.  A handful of instructions outside of Valgrind. */
static void register_stacks(const weft__slab *s, uint32_t from, size_t n)
{
#ifdef WEFT__VALGRIND
	for (uint32_t i = from; i < from + n; i++) {
		char *hi = weft__slab_hi(s, i);
		(void)VALGRIND_STACK_REGISTER(hi - weft__stack_bytes(s->class) + guard_bytes, hi - 1);
	}
#else
	(void)s, (void)from, (void)n;
#endif
}

/* At most BATCH of them. */
static int furnish_some(const weft__slab *s, uint32_t from, uint32_t n, uint32_t *ret_n)
{
	struct iovec v[BATCH];
	size_t bytes = weft__stack_bytes(s->class), done;
	for (uint32_t i = 0; i < n; i++)
		v[i] = (struct iovec){ s->at + (from + i) * bytes, guard_bytes };
	int rc = light ? wo_pages_guard(v, n, &done) : guard_mapped(v, n, &done);
	for (uint32_t i = 0; i < done; i++)
		v[i] = (struct iovec){ (char *)weft__slab_hi(s, from + i) - page_bytes, page_bytes };
	if (done)
		wo_pages_populate(v, done); /* where it fails, the first touch does it */
	register_stacks(s, from, done);
	*ret_n = (uint32_t)done;
	return rc;
}

int weft__slab_furnish(const weft__slab *s, uint32_t from, uint32_t n, uint32_t *ret_n)
{
	int rc = 0;
	uint32_t done = 0, some;
	while (done < n && rc == 0) {
		rc = furnish_some(s, from + done, n - done < BATCH ? n - done : BATCH, &some);
		done += some;
	}
	*ret_n = done;
	return rc;
}

void weft__slab_drop(int class, void *const *hi, size_t n)
{
	struct iovec v[BATCH];
	size_t bytes = weft__stack_bytes(class) - guard_bytes;
	for (size_t done = 0; done < n;) {
		size_t some = n - done < BATCH ? n - done : BATCH;
		for (size_t i = 0; i < some; i++)
			v[i] = (struct iovec){ (char *)hi[done + i] - bytes, bytes };
		wo_pages_drop(v, some); /* where it fails, memory stays in use: nothing else */
		done += some;
	}
}

void weft__slab_read_stats(weft__stack_stats *ret)
{
	ret->slabs = 0;
	for (const weft__slab *s = atomic_load(&newest); s; s = s->next)
		ret->slabs++;
	ret->light_guards = light;
}
