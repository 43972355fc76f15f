/* rt/gc.c - the collected heap: what is reachable stays, wherever it is reached from; the rest goes. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os/thread.h"
#include "rt/heap/heap.h"
#include "rt/sched/enter.h"

static weft_wg done;
static atomic_int n_finalized;

typedef struct node {
	struct node *next;
	uint64_t value;
} node;

static const size_t node_pointers[] = { offsetof(node, next) };
static const weft_type node_type = { "node", sizeof(node), node_pointers, 1 };

static node *push(node *list, uint64_t value)
{
	node *n = weft_new_typed(&node_type, 1);
	kit_require(n);
	*n = (node){ list, value };
	return n;
}

static node *list_of(uint64_t n, uint64_t seed)
{
	node *list = NULL;
	for (uint64_t i = 0; i < n; i++)
		list = push(list, seed + i);
	return list;
}

static bool is_list(const node *list, uint64_t n, uint64_t seed)
{
	for (uint64_t i = n; i > 0; i--, list = list->next)
		if (!list || list->value != seed + i - 1)
			return false;
	return !list;
}

/* So much garbage that whatever was freed wrongly is used again. */
static void make_garbage(void)
{
	for (int i = 0; i < 20000; i++)
		memset(weft_new(sizeof(node)), 0xab, sizeof(node));
}

static void collect(void)
{
	weft_gc();
	make_garbage();
	weft_gc();
}

static bool all_zero(const unsigned char *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (at[i])
			return false;
	return true;
}

CASE(memory_is_zero,
	"Spec, The zero value: each element of such a variable or value is set to the zero value for its type")
{
	for (int k = 0; k < 3; k++) {
		for (size_t n = 0; n < 5000; n = n * 2 + 1) {
			unsigned char *a = weft_new(n), *b = weft_new_bytes(n);
			kit_require(a && b);
			kit_expect(a != b);
			kit_equal((uintptr_t)a % (n >= 16 ? 16 : 1), 0);
			kit_expect(all_zero(a, n));
			kit_expect(all_zero(b, n));
			memset(a, 0xff, n);
			memset(b, 0xff, n);
		}
		weft_gc();
	}
	node *row = weft_new_typed(&node_type, 1000);
	kit_expect(all_zero((unsigned char *)row, 1000 * sizeof(node)));
	kit_expect(!weft_new_typed(&node_type, SIZE_MAX / 8));
	kit_expect(!weft_new(SIZE_MAX / 2));
}

CASE(reached_from_stack, "gc.h: pointers are found on the stack and in the registers of the one that runs")
{
	node *list = list_of(1000, 5);
	collect();
	kit_expect(is_list(list, 1000, 5));
}

static node *global;

CASE(reached_from_static, "gc.h: pointers are found in the static data of the program")
{
	global = list_of(1000, 6);
	collect();
	kit_expect(is_list(global, 1000, 6));
}

static void hold(void *arg)
{
	node *list = list_of(100, (uint64_t)weft_id());
	weft_wg_done(&done);
	weft_chan_recv(arg, NULL);
	kit_expect(is_list(list, 100, (uint64_t)weft_id()));
	weft_wg_done(&done);
}

CASE(reached_from_parked, "gc.h: pointers are found on the stacks of all goroutines, running or parked")
{
	int n = (int)kit_times(500);
	weft_chan *gate = weft_chan_make(0, 0);
	weft_wg_add(&done, n);
	for (int i = 0; i < n; i++)
		kit_go(hold, gate);
	weft_wg_wait(&done);
	weft_wg_add(&done, n);
	for (int i = 0; i < 3; i++)
		collect();
	weft_chan_close(gate);
	weft_wg_wait(&done);
	weft_chan_unref(gate);
}

static void make_and_check(void *arg)
{
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	for (int i = 0; i < (int)kit_times(300); i++) {
		uint64_t n = kit_random(&random) % 200, seed = kit_random(&random);
		node *list = list_of(n, seed);
		switch (kit_random(&random) % 8) {
		case 0: weft_gc(); break;
		case 1: weft_sleep((weft_ns)(kit_random(&random) % 50000)); break;
		case 2:
			weft_syscall_begin();
			weft_syscall_end();
			break;
		default: weft_yield();
		}
		kit_expect(is_list(list, n, seed));
	}
	weft_wg_done(&done);
}

CASE(under_migration, "gc.h: the same while goroutines move between threads and several collect", .seconds = 30)
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(make_and_check, (void *)(intptr_t)i);
	weft_wg_wait(&done);
}

/* ---- the first use ---- */

static atomic_int held; /* a thread in the runtime: 1, it is there; 2, it is about to leave */
static _Atomic(weft__g *) second;
static atomic_bool second_is_back;

static bool second_waits(void)
{
	weft__g *g = atomic_load(&second);
	weft__m *m = g ? atomic_load(&g->m) : NULL;
	return m && atomic_load(&m->in_call) && !atomic_load(&m->in_rt);
}

/* The thread cannot join the collector before it leaves.  It stays until the second goroutine waits for it, or goes
 * on. */
static void stay_inside(void *unused)
{
	(void)unused;
	weft__m *m = weft__enter();
	atomic_store(&held, 1);
	while (!second_waits() && !atomic_load(&second_is_back))
		wo_sleep_ns(10000);
	atomic_store(&held, 2);
	weft__leave(m);
}

static void use_second(void *unused)
{
	(void)unused;
	kit_until(weft__heap_started());
	atomic_store(&second, weft__self_g(weft__self()));
	kit_expect(weft_new(sizeof(node)));
	kit_equal(held, 2);
	atomic_store(&second_is_back, true);
	weft_wg_done(&done);
}

CASE(first_use_by_two,
	"collect.h: before an allocation the heap knows every thread, also where another goroutine has just begun to "
	"use it",
	.procs = 2)
{
	weft_wg_add(&done, 1);
	kit_go(stay_inside, NULL);
	kit_go(use_second, NULL);
	kit_until(held);
	kit_expect(weft_new(sizeof(node)));
	kit_equal(held, 2);
	weft_wg_wait(&done);
}

static void use_and_end_tied(void *arg)
{
	uint64_t seed = (uint64_t)(intptr_t)arg;
	weft_thread_lock();
	node *list = list_of(50, seed);
	if (seed % 3 == 0)
		weft_gc();
	if (seed % 2)
		weft_sleep(10 * WEFT_US);
	kit_expect(is_list(list, 50, seed));
	weft_wg_done(&done);
}

CASE(threads_that_ended,
	"go.h: a goroutine that ends tied ends its thread: it is forgotten, were it the first that used the heap")
{
	weft_wg_add(&done, 1);
	kit_go(use_and_end_tied, NULL);
	weft_wg_wait(&done);
	node *list = list_of(1000, 11);
	for (int i = 0; i < (int)kit_times(200); i++) {
		weft_wg_add(&done, 1);
		kit_go(use_and_end_tied, (void *)(intptr_t)i);
		if (i % 8 == 0)
			weft_wg_wait(&done);
		if (i % 32 == 0)
			collect();
	}
	weft_wg_wait(&done);
	kit_expect(is_list(list, 1000, 11));
}

static void check_argument(void *arg)
{
	kit_expect(is_list(arg, 50, 9));
	weft_wg_done(&done);
}

CASE(reached_from_argument, "gc.h: pointers are found in the arguments of goroutines that have not run yet")
{
	weft_wg_add(&done, 50);
	for (int i = 0; i < 50; i++)
		kit_go(check_argument, list_of(50, 9));
	collect();
	weft_wg_wait(&done);
}

CASE(reached_from_channel, "gc.h: pointers are found in elements buffered in channels")
{
	weft_chan *ch = weft_chan_make(sizeof(node *), 100);
	node *list;
	for (int i = 0; i < 100; i++) {
		list = list_of(50, (uint64_t)i);
		kit_equal(weft_chan_send(ch, &list), 0);
	}
	list = NULL;
	collect();
	for (int i = 0; i < 100; i++) {
		kit_equal(weft_chan_recv(ch, &list), 1);
		kit_expect(is_list(list, 50, (uint64_t)i));
	}
	weft_chan_unref(ch);
}

static void send_list(void *arg)
{
	node *list = list_of(50, 4);
	kit_equal(weft_chan_send(arg, &list), 0);
	weft_wg_done(&done);
}

CASE(reached_from_waiting_send, "gc.h: pointers are found in what a goroutine waits to send")
{
	weft_chan *ch = weft_chan_make(sizeof(node *), 0);
	node *list;
	weft_wg_add(&done, 10);
	for (int i = 0; i < 10; i++)
		kit_go(send_list, ch);
	kit_until_parked(10);
	collect();
	for (int i = 0; i < 10; i++) {
		kit_equal(weft_chan_recv(ch, &list), 1);
		kit_expect(is_list(list, 50, 4));
	}
	weft_wg_wait(&done);
	weft_chan_unref(ch);
}

CASE(reached_from_value, "gc.h: pointers are found in the values of goroutines")
{
	int key = weft_key_make(NULL);
	kit_equal(weft_key_set(key, list_of(100, 3)), 0);
	collect();
	kit_expect(is_list(weft_key_get(key), 100, 3));
}

/* Every other one is collected memory itself. */
static void start_timers(void *arg)
{
	weft_timer *timers = arg;
	for (int i = 0; i < 50; i++) {
		weft_timer *t = i % 2 ? &timers[i] : weft_new(sizeof(*t));
		kit_equal(weft_timer_start(t, weft_in(20 * WEFT_MS), check_argument, list_of(50, 9)), 0);
	}
	weft_wg_done(&done);
}

CASE(reached_from_timer,
	"gc.h: pointers are found in arguments of timers that wait; a weft_timer may be in collected memory")
{
	weft_timer *timers = calloc(50, sizeof(*timers));
	weft_wg_add(&done, 51);
	kit_go(start_timers, timers);
	collect();
	weft_wg_wait(&done);
	free(timers);
}

/* What only a timer has: it says itself whether it is whole. */
typedef struct timed {
	node *list;
	uint64_t seed, not_seed;
} timed;

static atomic_int n_storms, n_fired;

static void check_timed(void *arg)
{
	timed *t = arg;
	if (kit_equal(t->not_seed, ~t->seed))
		kit_expect(is_list(t->list, 3, t->seed));
	n_fired++;
}

static void start_timed(weft_timer *at, weft_ns in, uint64_t seed)
{
	timed *t = weft_new(sizeof(*t));
	kit_require(t);
	*t = (timed){ list_of(3, seed), seed, ~seed };
	kit_equal(weft_timer_start(at, weft_in(in), check_timed, t), 0);
}

static void storm(void *arg)
{
	enum { TIMERS = 1000 };
	uint64_t random = kit_seed() + (uint64_t)(intptr_t)arg;
	weft_timer *timers = calloc(TIMERS, sizeof(*timers));
	for (int i = 0; i < (int)kit_times(10000); i++) {
		uint64_t r = kit_random(&random);
		weft_timer *t = &timers[r % TIMERS];
		if (r >> 20 & 1)
			weft_timer_stop(t);
		else
			start_timed(t, (weft_ns)(r >> 40) % (20 * WEFT_MS), r >> 10);
		if (i % 64 == 0)
			weft_sleep((weft_ns)(r >> 50));
	}
	weft_sleep(20 * WEFT_MS); /* the rest fires */
	for (int i = 0; i < TIMERS; i++)
		weft_timer_stop(&timers[i]);
	free(timers);
	n_storms--;
}

CASE(timers_under_collection,
	"gc.h: the same while thousands of timers start, stop, fire and move to other procs, and others collect",
	.seconds = 30)
{
	n_storms = 4;
	for (int i = 0; i < 4; i++)
		kit_go(storm, (void *)(intptr_t)i);
	int procs = weft_procs(0);
	for (int i = 0; n_storms > 0; i++) {
		collect();
		if (i % 8 == 0)
			weft_procs(i % 16 == 0 ? 1 : procs);
		weft_yield();
	}
	kit_expect(n_fired > 0);
	weft_procs(procs);
}

CASE(reached_from_root, "gc.h: memory outside the heap in which pointers are looked for, until removed")
{
	node **table = calloc(100, sizeof(*table));
	kit_equal(weft_root_add(table, 100 * sizeof(*table)), 0);
	for (int i = 0; i < 100; i++)
		table[i] = list_of(20, (uint64_t)i);
	collect();
	for (int i = 0; i < 100; i++)
		kit_expect(is_list(table[i], 20, (uint64_t)i));
	kit_equal(weft_root_remove(table, 100 * sizeof(*table)), 0);
	kit_equal(weft_root_remove(table, 100 * sizeof(*table)), -ENOENT);
	free(table);
}

CASE(inner_pointers, "gc.h: a pointer to any byte of an object keeps it")
{
	unsigned char *inner = (unsigned char *)weft_new_bytes(1000) + 777;
	*inner = 42;
	collect();
	kit_equal(*inner, 42);
}

static void finalized(void *object, void *arg)
{
	kit_expect(weft_id() != 1); /* in a goroutine, but none of ours */
	kit_expect(((node *)object)->value == (uint64_t)(uintptr_t)arg);
	weft_yield();
	n_finalized++;
}

__attribute__((noinline)) static void drop_finalizable(int n)
{
	for (int i = 0; i < n; i++) {
		node *obj = push(NULL, (uint64_t)i);
		kit_equal(weft_finalize(obj, finalized, (void *)(uintptr_t)i), 0);
	}
}

CASE(finalizers, "runtime.SetFinalizer: When the garbage collector finds an unreachable block with an associated "
		 "finalizer, it clears "
		 "the association and runs finalizer(obj) in a separate goroutine.")
{
	enum { N = 200 };
	drop_finalizable(N);
	for (int i = 0; i < 20 && n_finalized < N * 9 / 10; i++) {
		collect();
		weft_sleep(WEFT_MS);
	}
	kit_expect(n_finalized >= N * 9 / 10); /* conservative: a few may look reachable */
	kit_expect(n_finalized <= N);
}

CASE(finalizer_taken_back, "runtime.SetFinalizer: SetFinalizer(obj, nil) clears any finalizer associated with obj.")
{
	node *obj = push(NULL, 1);
	kit_equal(weft_finalize(obj, finalized, (void *)1), 0);
	kit_equal(weft_finalize(obj, NULL, NULL), 0);
	obj = NULL;
	for (int i = 0; i < 5; i++)
		collect();
	weft_sleep(WEFT_MS);
	kit_equal(n_finalized, 0);
	int not_collected;
	kit_equal(weft_finalize(&not_collected, finalized, NULL), -EINVAL);
}

CASE(heap_does_not_grow, "gc.h: what is unreachable is used again")
{
	weft_gc_stats s;
	for (int i = 0; i < 200; i++)
		kit_require(weft_new_bytes(1 << 20));
	weft_gc_read(&s);
	kit_expect(s.n_collections > 0);
	kit_expect(s.allocated_bytes >= UINT64_C(200) << 20);
	kit_expect(s.heap_bytes < (size_t)100 << 20);
}

static void come(void *arg)
{
	(void)arg;
	weft_wg_done(&done);
}

CASE(not_from_stopped_timer, "gc.h: a timer that has been stopped or has fired keeps nothing")
{
	enum { N = 200 };
	weft_gc_stats s;
	weft_timer *timers = calloc(N, sizeof(*timers));
	for (int i = 0; i < N; i++) {
		void *big = weft_new_bytes(1 << 20);
		kit_require(big);
		weft_wg_add(&done, 1);
		kit_equal(weft_timer_start(&timers[i], i % 2 ? 0 : weft_in(WEFT_SECOND * 1000), come, big), 0);
		if (i % 2)
			weft_wg_wait(&done);
		else if (kit_expect(weft_timer_stop(&timers[i])))
			weft_wg_done(&done);
	}
	weft_gc_read(&s);
	kit_expect(s.heap_bytes < (size_t)100 << 20);
	free(timers);
}

CASE(limit, "gc.h: beyond the limit, weft_new() is NULL, after a collection")
{
	enum { MIB = 1 << 20 };
	static void *kept[64];
	int n = 0;
	kit_equal(weft_gc_limit((size_t)32 * MIB), 0);
	while (n < 64 && (kept[n] = weft_new_bytes(MIB)))
		n++;
	kit_expect(n > 8);
	kit_expect(n <= 32);
	memset(kept, 0, sizeof(kept));
	kit_expect(weft_new_bytes(MIB) != NULL); /* there is room again */
	kit_equal(weft_gc_limit(0), (size_t)32 * MIB);
}

CASE(percent, "debug.SetGCPercent: sets the garbage collection target percentage and returns the previous setting")
{
	kit_equal(weft_gc_percent(50), 100);
	kit_equal(weft_gc_percent(-1), 50);
	kit_expect(weft_gc_percent(100) < 0);
}

CASE(unused_heap, "gc.h: a program that never calls it pays nothing: all zero when the heap was never used")
{
	weft_gc_stats s;
	weft_gc_read(&s);
	kit_expect(all_zero((unsigned char *)&s, sizeof(s)));
}
