/* rt/sync.c - locks and other meetings: what package sync says, and the cases of its tests. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static weft_wg done;
static atomic_bool stop;
static atomic_int count;

/* ---- mutex ---- */

static weft_mutex mutex;
static int guarded; /* by `mutex`, not atomic: the thread sanitizer looks on */

static void hammer(void *arg)
{
	int n = (int)(intptr_t)arg;
	for (int i = 0; i < n; i++) {
		if (i % 3 == 0) {
			if (weft_try_lock(&mutex)) {
				guarded++;
				weft_unlock(&mutex);
			} else
				count++;
			continue;
		}
		weft_lock(&mutex);
		guarded++;
		weft_unlock(&mutex);
	}
	weft_wg_done(&done);
}

CASE(mutex_excludes, "Go's TestMutex (HammerMutex): an uncontended and a contended mutex, with TryLock in between")
{
	int n = (int)kit_times(1000);
	kit_expect(weft_try_lock(&mutex));
	kit_expect(!weft_try_lock(&mutex));
	weft_unlock(&mutex);
	weft_wg_add(&done, 10);
	for (int i = 0; i < 10; i++)
		kit_go(hammer, (void *)(intptr_t)n);
	weft_wg_wait(&done);
	kit_equal(guarded + count, 10 * n);
	kit_expect(weft_try_lock(&mutex));
}

CASE(mutex_is_small, "sync.h: a mutex is 16 bytes, all zero is ready")
{
	kit_equal(sizeof(weft_mutex), 16); /* Go's 8, and who holds it */
	weft_mutex *m = calloc(1, sizeof(*m));
	weft_lock(m);
	weft_unlock(m);
	free(m);
}

static void yield_inside(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		weft_lock(&mutex);
		int before = guarded;
		weft_yield();
		weft_sleep(WEFT_US);
		kit_equal(guarded, before);
		guarded++;
		weft_unlock(&mutex);
	}
	weft_wg_done(&done);
}

CASE(mutex_over_yield, "sync.Mutex: a goroutine that holds it may park; others wait, threads do not")
{
	weft_wg_add(&done, 8);
	for (int i = 0; i < 8; i++)
		kit_go(yield_inside, NULL);
	weft_wg_wait(&done);
	kit_equal(guarded, 400);
}

static void unlock_it(void *arg)
{
	weft_unlock(arg);
}

CASE(mutex_has_no_owner,
	"sync.Mutex: A locked Mutex is not associated with a particular goroutine.  It is allowed for one "
	"goroutine to lock a Mutex and then arrange for another goroutine to unlock it.")
{
	for (int i = 0; i < 100; i++) {
		weft_lock(&mutex);
		kit_go(unlock_it, &mutex);
	}
	weft_lock(&mutex);
}

CASE(unlock_of_unlocked, "sync.Mutex: It is a run-time error if m is not locked on entry to Unlock.",
	.dies = "fatal error: sync: unlock of unlocked mutex")
{
	weft_lock(&mutex);
	weft_unlock(&mutex);
	weft_unlock(&mutex);
}

CASE(lock_twice,
	"sync.Mutex: If the lock is already in use, the calling goroutine blocks until the mutex is available.",
	.dies = KIT_DEADLOCK)
{
	weft_lock(&mutex);
	weft_lock(&mutex);
}

static void hold_long(void *arg)
{
	(void)arg;
	while (!stop) {
		weft_lock(&mutex);
		weft_sleep(100 * WEFT_US);
		weft_unlock(&mutex);
	}
	weft_wg_done(&done);
}

CASE(mutex_fairness,
	"Go's TestMutexFairness: a goroutine that holds the mutex for long and takes it again at once does not starve "
	"another")
{
	weft_wg_add(&done, 1);
	kit_go(hold_long, NULL);
	for (int i = 0; i < 10; i++) {
		weft_sleep(100 * WEFT_US);
		weft_lock(&mutex);
		weft_unlock(&mutex);
	}
	stop = true;
	weft_wg_wait(&done);
}

/* ---- rwmutex ---- */

static weft_rwmutex rw;
static atomic_int n_inside; /* readers count 1, a writer 10000 */

static void read_many(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		weft_rlock(&rw);
		int n = ++n_inside;
		kit_expect(n >= 1 && n < 10000);
		if (i % 4 == 0)
			weft_yield();
		n_inside--;
		weft_runlock(&rw);
	}
	weft_wg_done(&done);
}

static void write_many(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		weft_wlock(&rw);
		kit_equal(atomic_fetch_add(&n_inside, 10000), 0);
		guarded++;
		if (i % 4 == 0)
			weft_yield();
		n_inside -= 10000;
		weft_wunlock(&rw);
	}
	weft_wg_done(&done);
}

CASE(rwmutex_excludes,
	"sync.RWMutex (HammerRWMutex): The lock can be held by an arbitrary number of readers or a single writer.")
{
	static const int readers[] = { 1, 3, 10, 10 };
	int n = (int)kit_times(1000);
	for (int k = 0; k < 4; k++) {
		guarded = 0;
		weft_wg_add(&done, readers[k] + 2);
		kit_go(write_many, (void *)(intptr_t)n);
		for (int i = 0; i < readers[k]; i++)
			kit_go(read_many, (void *)(intptr_t)n);
		kit_go(write_many, (void *)(intptr_t)n);
		weft_wg_wait(&done);
		kit_equal(guarded, 2 * n);
	}
}

static weft_chan *gate;

static void read_together(void *arg)
{
	(void)arg;
	weft_rlock(&rw);
	count++;
	weft_chan_recv(gate, NULL);
	weft_runlock(&rw);
	weft_wg_done(&done);
}

CASE(parallel_readers, "Go's TestParallelReaders: readers do not keep each other out")
{
	gate = weft_chan_make(0, 0);
	weft_wg_add(&done, 10);
	for (int i = 0; i < 10; i++)
		kit_go(read_together, NULL);
	kit_until(count == 10);
	weft_chan_close(gate);
	weft_wg_wait(&done);
	weft_chan_unref(gate);
}

static void write_once(void *arg)
{
	(void)arg;
	weft_wlock(&rw);
	count = 1;
	weft_wunlock(&rw);
	weft_wg_done(&done);
}

CASE(writer_keeps_readers_out,
	"sync.RWMutex: If any goroutine calls Lock while the lock is already held by one or more readers, "
	"concurrent calls to RLock will block until the writer has acquired (and released) the lock.")
{
	weft_rlock(&rw);
	weft_wg_add(&done, 1);
	kit_go(write_once, NULL);
	kit_until_parked(1);
	kit_expect(!weft_try_rlock(&rw));
	kit_equal(count, 0);
	weft_runlock(&rw);
	weft_rlock(&rw);
	weft_wg_wait(&done);
	kit_equal(count, 1);
	kit_expect(weft_try_rlock(&rw));
	kit_expect(!weft_try_wlock(&rw));
	weft_runlock(&rw);
	weft_runlock(&rw);
	kit_expect(weft_try_wlock(&rw));
	kit_expect(!weft_try_rlock(&rw));
	kit_expect(!weft_try_wlock(&rw));
	weft_wunlock(&rw);
}

CASE(runlock_of_unlocked, "sync.RWMutex: It is a run-time error if rw is not locked for reading on entry to RUnlock.",
	.dies = "fatal error: sync: RUnlock of unlocked RWMutex")
{
	weft_runlock(&rw);
}

CASE(runlock_of_written, "Go's TestMutexMisuse: RUnlock of what is locked for writing",
	.dies = "fatal error: sync: RUnlock of unlocked RWMutex")
{
	weft_wlock(&rw);
	weft_runlock(&rw);
}

CASE(wunlock_of_unlocked, "sync.RWMutex: It is a run-time error if rw is not locked for writing on entry to Unlock.",
	.dies = "fatal error: sync: Unlock of unlocked RWMutex")
{
	weft_wlock(&rw);
	weft_wunlock(&rw);
	weft_wunlock(&rw);
}

CASE(wunlock_of_read, "Go's TestMutexMisuse: Unlock of what is locked for reading",
	.dies = "fatal error: sync: Unlock of unlocked RWMutex")
{
	weft_rlock(&rw);
	weft_wunlock(&rw);
}

/* ---- cond ---- */

static weft_cond cond;
static int n_waiting, n_awake;

static void wait_once(void *arg)
{
	(void)arg;
	weft_lock(&mutex);
	n_waiting++;
	weft_cond_wait(&cond, &mutex);
	n_awake++;
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

/* Until n of those that wait have not been woken; with the mutex held. */
static void lock_when_waiting(int n)
{
	for (;;) {
		weft_lock(&mutex);
		if (n_waiting == n)
			return;
		weft_unlock(&mutex);
		kit_pause();
	}
}

CASE(cond_signal, "sync.Cond: Signal wakes one goroutine waiting on c, if there is any (Go's TestCondSignal)")
{
	enum { N = 5 };
	weft_cond_signal(&cond); /* nobody there: forgotten */
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++)
		kit_go(wait_once, NULL);
	lock_when_waiting(N);
	for (int i = 1; i <= N; i++) {
		kit_equal(n_awake, i - 1);
		weft_cond_signal(&cond);
		weft_unlock(&mutex);
		for (weft_lock(&mutex); n_awake < i; weft_lock(&mutex)) {
			weft_unlock(&mutex);
			kit_pause();
		}
		weft_unlock(&mutex);
		weft_sleep(WEFT_MS / 2);
		weft_lock(&mutex);
		kit_equal(n_awake, i); /* and no other */
	}
	weft_cond_signal(&cond);
	weft_unlock(&mutex);
	weft_wg_wait(&done);
}

static int order[100], n_order;

static void note_order(void *arg)
{
	weft_lock(&mutex);
	n_waiting++;
	weft_cond_wait(&cond, &mutex);
	order[n_order++] = (int)(intptr_t)arg;
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

CASE(cond_order, "Go's TestCondSignalGenerations: the waiter that came first is woken first", .soft = true)
{
	weft_wg_add(&done, 100);
	for (int i = 0; i < 100; i++) {
		kit_go(note_order, (void *)(intptr_t)i);
		lock_when_waiting(i + 1);
		weft_unlock(&mutex);
	}
	for (int i = 0; i < 100; i++) {
		weft_lock(&mutex);
		weft_cond_signal(&cond);
		weft_unlock(&mutex);
		kit_until((weft_lock(&mutex), guarded = n_order, weft_unlock(&mutex), guarded) == i + 1);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < 100; i++)
		kit_equal(order[i], i);
}

static bool released;

static void wait_for_release(void *arg)
{
	(void)arg;
	weft_lock(&mutex);
	while (!released) {
		n_waiting++;
		weft_cond_wait(&cond, &mutex);
	}
	n_awake++;
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

CASE(cond_broadcast, "sync.Cond: Broadcast wakes all goroutines waiting on c (Go's TestCondBroadcast)")
{
	enum { N = 200 };
	weft_wg_add(&done, N);
	for (int i = 0; i < N; i++)
		kit_go(wait_for_release, NULL);
	lock_when_waiting(N);
	weft_cond_broadcast(&cond); /* for nothing: they wait again */
	weft_unlock(&mutex);
	lock_when_waiting(2 * N);
	kit_equal(n_awake, 0);
	released = true;
	weft_cond_broadcast(&cond);
	weft_unlock(&mutex);
	weft_wg_wait(&done);
	kit_equal(n_awake, N);
}

CASE(cond_deadline, "sync.h: -ETIMEDOUT, and *m is locked again; the one that gave up takes no signal from another")
{
	weft_lock(&mutex);
	for (int i = 0; i < 20; i++) {
		kit_equal(weft_cond_wait_until(&cond, &mutex, weft_in(i * WEFT_MS / 10)), -ETIMEDOUT);
		kit_expect(!weft_try_lock(&mutex));
	}
	weft_unlock(&mutex);
	weft_wg_add(&done, 1);
	kit_go(wait_once, NULL);
	lock_when_waiting(1);
	kit_equal(weft_cond_wait_until(&cond, &mutex, weft_in(WEFT_MS)), -ETIMEDOUT);
	weft_cond_signal(&cond);
	weft_unlock(&mutex);
	weft_wg_wait(&done);
	kit_equal(n_awake, 1);
}

static void bump(void *arg)
{
	for (int i = 0; i < (int)(intptr_t)arg; i++) {
		weft_lock(&mutex);
		guarded++;
		weft_cond_signal(&cond);
		weft_unlock(&mutex);
		if (i % 8 == 0)
			weft_yield();
	}
	weft_wg_done(&done);
}

CASE(cond_signal_races_with_deadline, "sync.h: a signal that comes at the deadline is not lost: somebody takes it")
{
	int n = (int)kit_times(2000), seen = 0;
	uint64_t random = kit_seed();
	weft_wg_add(&done, 1);
	kit_go(bump, (void *)(intptr_t)n);
	weft_lock(&mutex);
	while (seen < n) {
		if (guarded == seen)
			weft_cond_wait_until(&cond, &mutex, weft_in((weft_ns)(kit_random(&random) % 20000)));
		kit_expect(guarded >= seen);
		seen = guarded;
	}
	weft_unlock(&mutex);
	weft_wg_wait(&done);
}

static int stage; /* under the mutex */

static void first_of_three(void *arg)
{
	(void)arg;
	weft_lock(&mutex);
	stage = 1;
	weft_cond_wait(&cond, &mutex);
	kit_equal(stage, 2);
	stage = 3;
	weft_cond_signal(&cond);
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

/* Until the stage is no less than n; the mutex is held then. */
static void lock_at_stage(int n)
{
	weft_lock(&mutex);
	while (stage < n) {
		weft_unlock(&mutex);
		weft_yield();
		weft_lock(&mutex);
	}
}

static void second_of_three(void *arg)
{
	(void)arg;
	lock_at_stage(1);
	stage = 2;
	weft_cond_signal(&cond);
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

static void third_of_three(void *arg)
{
	(void)arg;
	lock_at_stage(2);
	if (stage == 2) {
		weft_cond_wait(&cond, &mutex);
		kit_equal(stage, 3);
	}
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

CASE(cond_race, "Go's TestRace (sync.Cond): a signal for one who waits is not taken by one who comes to wait later")
{
	for (int i = 0; i < (int)kit_times(200); i++) {
		stage = 0;
		weft_wg_add(&done, 3);
		kit_go(i % 2 ? first_of_three : third_of_three, NULL);
		kit_go(second_of_three, NULL);
		kit_go(i % 2 ? third_of_three : first_of_three, NULL);
		weft_wg_wait(&done);
	}
}

static bool all_over; /* under the mutex */

static void broadcast_once(void *arg)
{
	(void)arg;
	weft_cond_broadcast(&cond);
	weft_wg_done(&done);
}

static void wait_until_over(void *arg)
{
	(void)arg;
	weft_lock(&mutex);
	while (!all_over)
		weft_cond_wait(&cond, &mutex);
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

CASE(cond_stealing,
	"Go's TestCondSignalStealing: a broadcast without the lock wakes who waited before it, whoever comes "
	"to wait meanwhile")
{
	for (int i = 0; i < (int)kit_times(300); i++) {
		n_waiting = n_awake = 0;
		all_over = false;
		weft_wg_add(&done, 3);
		kit_go(wait_once, NULL);
		lock_when_waiting(1); /* it is in the wait: it has let go of the mutex */
		weft_unlock(&mutex);
		kit_go(broadcast_once, NULL);
		kit_go(wait_until_over, NULL);
		int awake = 0;
		while (!awake) {
			weft_yield();
			weft_lock(&mutex);
			awake = n_awake;
			weft_unlock(&mutex);
		}
		weft_lock(&mutex);
		all_over = true;
		weft_unlock(&mutex);
		weft_cond_broadcast(&cond);
		weft_wg_wait(&done);
	}
}

/* ---- waitgroup ---- */

static void finish(void *arg)
{
	guarded += (int)(intptr_t)arg; /* one at a time: not atomic on purpose */
	weft_wg_done(&done);
}

CASE(waitgroup,
	"sync.WaitGroup: Wait blocks until the counter is zero; Done is synchronized before the return of any Wait it "
	"unblocks (Go's TestWaitGroup)")
{
	weft_wg_wait(&done); /* zero already */
	for (int i = 1; i <= (int)kit_times(1000); i++) {
		weft_wg_add(&done, 1);
		kit_go(finish, (void *)1);
		weft_wg_wait(&done);
		kit_equal(guarded, i);
	}
}

static weft_wg other;

static void wait_too(void *arg)
{
	(void)arg;
	weft_wg_wait(&done);
	kit_equal(count, 16);
	weft_wg_done(&other);
}

static void count_down(void *arg)
{
	(void)arg;
	weft_yield();
	count++;
	weft_wg_done(&done);
}

CASE(waitgroup_many, "sync.WaitGroup: any number of goroutines wait for any number of others, again and again")
{
	for (int k = 0; k < (int)kit_times(50); k++) {
		count = 0;
		weft_wg_add(&done, 16);
		weft_wg_add(&other, 8);
		for (int i = 0; i < 8; i++)
			kit_go(wait_too, NULL);
		for (int i = 0; i < 16; i++)
			kit_go(count_down, NULL);
		weft_wg_wait(&done);
		weft_wg_wait(&other);
	}
}

CASE(waitgroup_negative, "sync.WaitGroup: If the counter goes negative, Add panics (Go's TestWaitGroupMisuse).",
	.dies = "panic: sync: negative WaitGroup counter")
{
	weft_wg_add(&done, 1);
	weft_wg_done(&done);
	weft_wg_done(&done);
}

static void wait_for_both(void *arg)
{
	weft_wg_wait(arg);
	kit_equal(count, 2);
	weft_wg_done(&other);
}

static weft_wg both;

static void one_of_both(void *arg)
{
	(void)arg;
	count++;
	weft_wg_done(&both);
}

CASE(waitgroup_race, "Go's TestWaitGroupRace: the end of the last and the beginning of Wait come at the same time")
{
	for (int i = 0; i < (int)kit_times(1000); i++) {
		count = 0;
		weft_wg_add(&both, 1);
		kit_go(one_of_both, NULL);
		weft_wg_add(&both, 1);
		kit_go(one_of_both, NULL);
		weft_wg_add(&other, 2);
		kit_go(wait_for_both, &both);
		kit_go(wait_for_both, &both);
		weft_wg_wait(&both);
		kit_equal(count, 2);
		weft_wg_wait(&other);
	}
}

static void wait_for_once(void *arg)
{
	weft_wg_wait(arg);
	count++;
}

CASE(waitgroup_reused,
	"sync.WaitGroup: If a WaitGroup is reused to wait for several independent sets of events, new Add calls must "
	"happen after all previous Wait calls have returned.",
	.procs = 1, .soft = true, .dies = "panic: sync: WaitGroup is reused before previous Wait has returned")
{
	for (;;) { /* at the first time, unless the monitor takes the proc just there */
		int before = count;
		weft_wg_add(&both, 1);
		kit_go(wait_for_once, &both);
		kit_until_parked(1);
		weft_wg_done(&both); /* the waiter can run, but has not */
		weft_wg_add(&both, 1);
		kit_until(count > before);
		weft_wg_done(&both);
	}
}

CASE(waitgroup_misused,
	"sync.WaitGroup: calls with a positive delta that occur when the counter is zero must happen before a Wait",
	.dies = "panic: sync: WaitGroup misuse: Add called concurrently with Wait")
{
	both.state = 1; /* a counter of 0 and one that waits: what only two threads at once can see */
	weft_wg_add(&both, 1);
}

CASE(waitgroup_deadline, "sync.h: 0, or -ETIMEDOUT; and it can be waited for again")
{
	weft_wg_add(&done, 2);
	kit_go(count_down, NULL);
	kit_until(count == 1);
	for (int i = 0; i < 10; i++)
		kit_equal(weft_wg_wait_until(&done, weft_in(i * WEFT_MS / 10)), -ETIMEDOUT);
	kit_go(count_down, NULL);
	kit_equal(weft_wg_wait_until(&done, WEFT_FOREVER), 0);
	kit_equal(weft_wg_wait_until(&done, 0), 0);
}

static void exit_at_once(void *arg)
{
	count += (int)(intptr_t)arg;
	weft_exit();
}

CASE(waitgroup_go, "sync.WaitGroup.Go: Go calls f in a new goroutine and adds that task to the WaitGroup.  When f "
		   "returns, the task "
		   "is removed from the WaitGroup; also when it ends by Goexit.")
{
	for (int i = 0; i < 100; i++)
		kit_equal(weft_wg_go(&done, exit_at_once, (void *)1), 0);
	weft_wg_wait(&done);
	kit_equal(count, 100);
}

/* ---- semaphore ---- */

static weft_sema sema = WEFT_SEMA(3);

static void hold_permit(void *arg)
{
	(void)arg;
	for (int i = 0; i < 100; i++) {
		weft_sema_acquire(&sema);
		int n = ++count;
		kit_expect(n <= 3);
		weft_yield();
		count--;
		weft_sema_release(&sema);
	}
	weft_wg_done(&done);
}

CASE(semaphore, "sync.h: permits that can be taken while there are any")
{
	weft_wg_add(&done, 10);
	for (int i = 0; i < 10; i++)
		kit_go(hold_permit, NULL);
	weft_wg_wait(&done);
	for (int i = 0; i < 3; i++)
		kit_expect(weft_sema_try_acquire(&sema));
	kit_expect(!weft_sema_try_acquire(&sema));
	kit_equal(weft_sema_acquire_until(&sema, weft_in(WEFT_MS)), -ETIMEDOUT);
	weft_sema_release(&sema);
	kit_equal(weft_sema_acquire_until(&sema, 0), 0);
	kit_equal(weft_sema_acquire_until(&sema, 0), -ETIMEDOUT);
}

static weft_sema empty;

static void queue_up(void *arg)
{
	weft_sema_acquire(&empty);
	weft_lock(&mutex);
	order[n_order++] = (int)(intptr_t)arg;
	weft_unlock(&mutex);
	weft_wg_done(&done);
}

CASE(semaphore_order, "sync.h: those who wait are served in the order they came", .soft = true)
{
	weft_wg_add(&done, 20);
	for (int i = 0; i < 20; i++) {
		kit_go(queue_up, (void *)(intptr_t)i);
		kit_until_parked((size_t)i + 1);
	}
	for (int i = 0; i < 20; i++) {
		weft_sema_release(&empty);
		kit_until((weft_lock(&mutex), guarded = n_order, weft_unlock(&mutex), guarded) == i + 1);
	}
	weft_wg_wait(&done);
	for (int i = 0; i < 20; i++)
		kit_equal(order[i], i);
}

static void *release_from_outside(void *arg)
{
	for (int i = 0; i < 200; i++)
		weft_sema_release(arg);
	return NULL;
}

CASE(semaphore_from_outside, "sync.h: weft_sema_release() is for any thread, and wakes a goroutine though no proc runs")
{
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, release_from_outside, &empty));
	for (int i = 0; i < 200; i++)
		kit_equal(weft_sema_acquire_until(&empty, weft_in(60 * WEFT_SECOND)), 0);
	pthread_join(t, NULL);
	kit_expect(!weft_sema_try_acquire(&empty));
}

/* ---- once ---- */

static weft_once once;

static void slow_start(void *arg)
{
	weft_yield();
	weft_sleep(WEFT_MS);
	guarded += (int)(intptr_t)arg;
}

static void need_it(void *arg)
{
	(void)arg;
	weft_once_do(&once, slow_start, (void *)1);
	kit_equal(guarded, 1);
	weft_wg_done(&done);
}

CASE(once_is_once, "sync.Once: Do calls the function f if and only if Do is being called for the first time; no call "
		   "to Do returns "
		   "until the one call to f returns (Go's TestOnce).")
{
	weft_wg_add(&done, 20);
	for (int i = 0; i < 20; i++)
		kit_go(need_it, NULL);
	weft_wg_wait(&done);
	weft_once_do(&once, slow_start, (void *)1);
	kit_equal(guarded, 1);
}

static void leave_once(void *arg)
{
	guarded += (int)(intptr_t)arg;
	weft_exit();
}

static void try_once(void *arg)
{
	weft_at_end(count_down, NULL);
	weft_once_do(&once, leave_once, arg);
}

CASE(once_with_exit,
	"sync.h: fn counts as called when it ends by weft_exit(), too (Go: \"If f panics, Do considers it to have "
	"returned\")")
{
	weft_wg_add(&done, 5);
	for (int i = 0; i < 5; i++)
		kit_go(try_once, (void *)1);
	weft_wg_wait(&done);
	kit_equal(guarded, 1);
}

static void recurse(void *arg)
{
	weft_once_do(&once, recurse, arg);
}

CASE(once_in_itself, "sync.Once: if f causes Do to be called, it will deadlock.", .dies = KIT_DEADLOCK)
{
	weft_once_do(&once, recurse, NULL);
}

/* ---- outside ---- */

static void *lock_outside(void *arg)
{
	(void)arg;
	kit_expect(weft_try_lock(&mutex));
	weft_unlock(&mutex);
	kit_expect(weft_try_wlock(&rw));
	weft_wunlock(&rw);
	weft_wg_add(&done, 1);
	weft_wg_done(&done);
	weft_cond_signal(&cond);
	weft_cond_broadcast(&cond);
	return NULL;
}

CASE(foreign_thread, "sync.h: what never waits is for any thread")
{
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, lock_outside, NULL));
	pthread_join(t, NULL);
}
