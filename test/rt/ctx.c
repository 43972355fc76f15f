/* rt/ctx.c - contexts and groups: what packages context and errgroup say, and the cases of their tests. */
#include "kit/rtkit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

static weft_wg done;
static atomic_int count;

/* Whether the channel of the context is closed. */
static bool is_done(weft_ctx *c)
{
	return weft_chan_try_recv(weft_ctx_done(c), NULL) == 0;
}

CASE(cancel, "context.WithCancel: The returned context's Done channel is closed when the returned cancel function is "
	     "called or when "
	     "the parent context's Done channel is closed, whichever happens first.")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER), *child = weft_ctx_make(c, WEFT_FOREVER);
	kit_require(c && child);
	kit_equal(weft_ctx_err(c), 0);
	kit_expect(!is_done(c));
	kit_expect(!is_done(child));
	weft_ctx_cancel(c);
	kit_expect(is_done(c));
	kit_expect(is_done(child)); /* before weft_ctx_cancel() returns */
	kit_equal(weft_ctx_err(c), -ECANCELED);
	kit_equal(weft_ctx_err(child), -ECANCELED);
	weft_ctx_cancel(c); /* "After the first call, subsequent calls to a CancelFunc do nothing." */
	weft_ctx_cancel(child);
	kit_equal(weft_ctx_err(c), -ECANCELED);
	weft_ctx_unref(child);
	weft_ctx_unref(c);
}

CASE(child_does_not_cancel,
	"context: Calling the CancelFunc cancels the child and its children, removes the parent's reference to the "
	"child.")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER), *child = weft_ctx_make(c, WEFT_FOREVER),
		 *grandchild = weft_ctx_make(child, WEFT_FOREVER), *sibling = weft_ctx_make(c, WEFT_FOREVER);
	weft_ctx_cancel(child);
	kit_equal(weft_ctx_err(c), 0);
	kit_equal(weft_ctx_err(sibling), 0);
	kit_equal(weft_ctx_err(grandchild), -ECANCELED);
	kit_expect(is_done(grandchild));
	weft_ctx_unref(c); /* the children keep it */
	weft_ctx_unref(child);
	weft_ctx_unref(grandchild);
	kit_equal(weft_ctx_err(sibling), 0);
	weft_ctx_unref(sibling);
}

CASE(background, "context.Background: It is never canceled, has no deadline (here: NULL).")
{
	kit_expect(!weft_ctx_done(NULL));
	kit_equal(weft_ctx_err(NULL), 0);
	kit_expect(weft_ctx_deadline(NULL) == WEFT_FOREVER);
	kit_expect(!weft_ctx_ref(NULL));
	weft_ctx_unref(NULL);
	kit_equal(weft_ctx_sleep(NULL, WEFT_US), 0);
}

CASE(child_of_ended, "context: a child of a context that has ended has ended")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER);
	weft_ctx_cancel(c);
	weft_ctx *child = weft_ctx_make(c, WEFT_FOREVER);
	kit_expect(is_done(child));
	kit_equal(weft_ctx_err(child), -ECANCELED);
	weft_ctx_unref(child);
	weft_ctx_unref(c);
}

CASE(deadline, "context.WithDeadline: The returned Context.Done channel is closed when the deadline expires; Err is "
	       "DeadlineExceeded.")
{
	weft_ns moment = weft_in(5 * WEFT_MS);
	weft_ctx *c = weft_ctx_make(NULL, moment), *child = weft_ctx_make(c, WEFT_FOREVER);
	kit_expect(weft_ctx_deadline(c) == moment);
	kit_expect(weft_ctx_deadline(child) == moment);
	kit_equal(weft_chan_recv(weft_ctx_done(child), NULL), 0);
	kit_expect(weft_now() >= moment);
	kit_equal(weft_ctx_err(child), -ETIMEDOUT);
	kit_equal(weft_chan_recv(weft_ctx_done(c), NULL), 0);
	kit_equal(weft_ctx_err(c), -ETIMEDOUT);
	weft_ctx_cancel(c);
	kit_equal(weft_ctx_err(c), -ETIMEDOUT); /* as it ended first */
	weft_ctx_unref(child);
	weft_ctx_unref(c);
}

CASE(earlier_deadline_counts,
	"context.WithDeadline: If the parent's deadline is already earlier than d, WithDeadline(parent, d) is "
	"semantically equivalent to parent.")
{
	weft_ns soon = weft_in(60 * WEFT_SECOND), later = soon + WEFT_SECOND, sooner = soon - WEFT_SECOND;
	weft_ctx *c = weft_ctx_make(NULL, soon), *a = weft_ctx_make(c, later), *b = weft_ctx_make(c, sooner);
	kit_expect(weft_ctx_deadline(a) == soon);
	kit_expect(weft_ctx_deadline(b) == sooner);
	weft_ctx_unref(a);
	weft_ctx_unref(b);
	weft_ctx_unref(c);
}

CASE(deadline_passed, "context.WithDeadline: a deadline that has passed ends the context at once")
{
	weft_ctx *c = weft_ctx_make(NULL, weft_now() - 1);
	kit_expect(is_done(c));
	kit_equal(weft_ctx_err(c), -ETIMEDOUT);
	weft_ctx_unref(c);
}

CASE(cancelled_before_deadline,
	"context.WithDeadline: Canceling this context releases resources associated with it: no timer is left",
	.dies = KIT_DEADLOCK)
{
	weft_ctx *c = weft_ctx_make(NULL, weft_in(3600 * WEFT_SECOND));
	weft_ctx_cancel(c);
	kit_equal(weft_ctx_err(c), -ECANCELED);
	weft_ctx_unref(c);
	weft_ctx_unref(weft_ctx_make(NULL, weft_in(3600 * WEFT_SECOND)));
	weft_chan_recv(NULL, NULL);
}

static void wait_for_end(void *arg)
{
	weft_ctx *c = arg;
	kit_equal(weft_chan_recv(weft_ctx_done(c), NULL), 0);
	kit_equal(weft_ctx_err(c), -ECANCELED);
	weft_wg_done(&done);
}

CASE(wakes_all, "context.Done: Successive calls to Done return the same value; all who wait are woken")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER);
	kit_expect(weft_ctx_done(c) == weft_ctx_done(c));
	weft_wg_add(&done, 20);
	for (int i = 0; i < 20; i++)
		kit_go(wait_for_end, c);
	kit_until_parked(20);
	weft_ctx_cancel(c);
	weft_wg_wait(&done);
	weft_ctx_unref(c);
}

static void sleep_long(void *arg)
{
	kit_equal(weft_ctx_sleep(arg, 3600 * WEFT_SECOND), -ECANCELED);
	weft_wg_done(&done);
}

CASE(sleep_ends_early, "ctx.h: weft_sleep() that ends early: 0, or what weft_ctx_err() says")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER);
	kit_equal(weft_ctx_sleep(c, WEFT_MS), 0);
	weft_wg_add(&done, 1);
	kit_go(sleep_long, c);
	kit_until_parked(1);
	weft_ctx_cancel(c);
	weft_wg_wait(&done);
	kit_equal(weft_ctx_sleep(c, 3600 * WEFT_SECOND), -ECANCELED);
	weft_ctx_unref(c);
	c = weft_ctx_make(NULL, weft_in(WEFT_MS));
	kit_equal(weft_ctx_sleep(c, 3600 * WEFT_SECOND), -ETIMEDOUT);
	weft_ctx_unref(c);
}

static void grow_and_drop(void *arg)
{
	weft_ctx *c = arg;
	while (weft_ctx_err(c) == 0) {
		weft_ctx *a = weft_ctx_make(c, WEFT_FOREVER), *b = weft_ctx_make(a, weft_in(50 * WEFT_US));
		weft_yield();
		if (is_done(c))
			kit_expect(weft_ctx_err(b) != 0);
		weft_ctx_unref(a);
		weft_ctx_unref(b);
		count++;
	}
	weft_wg_done(&done);
}

CASE(tree_under_load, "context: contexts are made, cancelled and dropped by many goroutines while their parent ends")
{
	for (int k = 0; k < 5; k++) {
		weft_ctx *c = weft_ctx_make(NULL, weft_in(10 * WEFT_MS));
		weft_wg_add(&done, 8);
		for (int i = 0; i < 8; i++)
			kit_go(grow_and_drop, c);
		weft_wg_wait(&done);
		kit_equal(weft_ctx_err(c), -ETIMEDOUT);
		weft_ctx_unref(c);
	}
	kit_expect(count > 0);
}

CASE(deep_tree, "context: a chain of a thousand ends from its root")
{
	enum { N = 1000 };
	static weft_ctx *c[N];
	for (int i = 0; i < N; i++)
		c[i] = weft_ctx_make(i ? c[i - 1] : NULL, WEFT_FOREVER);
	weft_ctx_cancel(c[0]);
	for (int i = 0; i < N; i++)
		kit_equal(weft_ctx_err(c[i]), -ECANCELED);
	for (int i = 0; i < N; i++)
		weft_ctx_unref(c[i]);
}

/* ---- all of it at once ---- */

enum { WIDE = 500 };

static void cancel_it(void *arg)
{
	weft_ctx_cancel(arg);
	weft_wg_done(&done);
}

CASE(error_means_done, "Go's TestContextErrDoneRace: whoever sees Err sees Done closed, and all below have ended")
{
	weft_ctx *below[WIDE];
	for (int i = 0; i < (int)kit_times(20); i++) {
		weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER);
		for (int k = 0; k < WIDE; k++)
			below[k] = weft_ctx_make(c, WEFT_FOREVER);
		weft_wg_add(&done, 1);
		kit_go(cancel_it, c);
		for (int k = 1; weft_ctx_err(c) == 0; k++)
			if (k % 1000 == 0)
				weft_yield();
		kit_expect(is_done(c));
		for (int k = 0; k < WIDE; k++) {
			kit_require(kit_equal(weft_ctx_err(below[k]), -ECANCELED) && is_done(below[k]));
			weft_ctx_unref(below[k]);
		}
		weft_wg_wait(&done);
		weft_ctx_unref(c);
	}
}

enum { TREE = 85, BRANCHES = 4 }; /* four levels */

static weft_ctx *tree[TREE];

static void expect_ended(int i)
{
	if (i >= TREE)
		return;
	kit_require(is_done(tree[i]) && kit_equal(weft_ctx_err(tree[i]), -ECANCELED));
	for (int k = 1; k <= BRANCHES; k++)
		expect_ended(i * BRANCHES + k);
}

static void cancel_and_look(void *arg)
{
	weft_ctx_cancel(tree[(intptr_t)arg]);
	expect_ended((int)(intptr_t)arg);
	weft_wg_done(&done);
}

CASE(simultaneous_cancels,
	"Go's TestSimultaneousCancels: each context of a tree is cancelled by a goroutine of its own; ctx.h: Ends the "
	"context and all below it, before it returns.")
{
	for (int k = 0; k < (int)kit_times(20); k++) {
		weft_wg_add(&done, TREE);
		for (int i = 0; i < TREE; i++)
			tree[i] = weft_ctx_make(i ? tree[(i - 1) / BRANCHES] : NULL, WEFT_FOREVER);
		for (intptr_t i = 0; i < TREE; i++) /* 37 and 85 have no common factor */
			kit_go(cancel_and_look, (void *)(i * 37 % TREE));
		weft_wg_wait(&done);
		for (int i = 0; i < TREE; i++)
			weft_ctx_unref(tree[i]);
	}
}

CASE(cancels_meet, "ctx.h: Ends the context and all below it, before it returns: also what another call is ending")
{
	weft_ctx *below[WIDE];
	uint64_t random = kit_seed();
	for (int i = 0; i < (int)kit_times(40); i++) {
		weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER), *middle = weft_ctx_make(c, WEFT_FOREVER);
		for (int k = 0; k < WIDE; k++)
			below[k] = weft_ctx_make(middle, WEFT_FOREVER);
		weft_wg_add(&done, 1);
		kit_go(cancel_it, middle);
		weft_sleep_until(weft_in((weft_ns)(kit_random(&random) % (80 * WEFT_US))));
		weft_ctx_cancel(c);
		kit_require(is_done(middle) && kit_equal(weft_ctx_err(middle), -ECANCELED));
		for (int k = 0; k < WIDE; k++) {
			kit_require(is_done(below[k]));
			weft_ctx_unref(below[k]);
		}
		weft_wg_wait(&done);
		weft_ctx_unref(middle);
		weft_ctx_unref(c);
	}
}

static weft_ctx *parent, *child;

static void cancel_child(void *arg)
{
	(void)arg;
	weft_chan_recv(weft_ctx_done(parent), NULL);
	weft_ctx_cancel(child);
	kit_equal(weft_ctx_err(child), -ECANCELED);
	weft_wg_done(&done);
}

CASE(interlocked_cancels, "Go's TestInterlockedCancels: the end of the parent makes another goroutine cancel the child")
{
	for (int i = 0; i < 50; i++) {
		parent = weft_ctx_make(NULL, WEFT_FOREVER);
		child = weft_ctx_make(parent, WEFT_FOREVER);
		weft_wg_add(&done, 1);
		kit_go(cancel_child, NULL);
		if (i % 2)
			kit_until_parked(1);
		weft_ctx_cancel(parent);
		kit_equal(weft_chan_recv(weft_ctx_done(child), NULL), 0);
		weft_wg_wait(&done);
		weft_ctx_unref(child);
		weft_ctx_unref(parent);
	}
}

CASE(child_of_one_that_ends,
	"Go's TestWithCancelSimultaneouslyCanceledParent: a child made while its parent ends ends with it, as it did")
{
	for (int i = 0; i < 100; i++) {
		weft_ctx *c = weft_ctx_make(NULL, i % 2 ? weft_in(i * WEFT_US) : WEFT_FOREVER);
		weft_wg_add(&done, 1);
		kit_go(cancel_it, c);
		weft_ctx *late = weft_ctx_make(c, i % 3 ? WEFT_FOREVER : weft_in(3600 * WEFT_SECOND));
		kit_equal(weft_chan_recv(weft_ctx_done(late), NULL), 0);
		weft_wg_wait(&done);
		kit_equal(weft_ctx_err(late), weft_ctx_err(c));
		weft_ctx_unref(late);
		weft_ctx_unref(c);
	}
}

static void make_layers(bool in_time)
{
	enum { N = 40 };
	weft_ctx *c[N];
	uint64_t random = kit_seed();
	for (int i = 0; i < N; i++) {
		weft_ns soon = in_time ? weft_in(WEFT_MS) : weft_in(3600 * WEFT_SECOND);
		c[i] = weft_ctx_make(i ? c[i - 1] : NULL, i && kit_random(&random) % 2 ? WEFT_FOREVER : soon);
	}
	int from = in_time ? 0 : (int)(kit_random(&random) % N);
	if (in_time)
		weft_chan_recv(weft_ctx_done(c[N - 1]), NULL);
	else
		weft_ctx_cancel(c[from]);
	for (int i = N - 1; i >= from; i--) {
		weft_chan_recv(weft_ctx_done(c[i]), NULL);
		kit_equal(weft_ctx_err(c[i]), in_time ? -ETIMEDOUT : -ECANCELED);
	}
	for (int i = 0; i < from; i++)
		kit_equal(weft_ctx_err(c[i]), 0);
	for (int i = 0; i < N; i++)
		weft_ctx_unref(c[i]);
}

CASE(layers, "Go's TestLayersCancel, TestLayersTimeout: forty contexts with and without deadlines, one above the other")
{
	for (int i = 0; i < 20; i++)
		make_layers(i % 4 == 0);
}

CASE(deadlines_at_the_edges, "context.WithTimeout: a deadline long passed ends it at once, one beyond the clock never")
{
	static const weft_ns passed[] = { INT64_MIN, -1, 0, 1 };
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++) {
		weft_ctx *c = weft_ctx_make(NULL, passed[i]), *below = weft_ctx_make(c, WEFT_FOREVER);
		kit_expect(is_done(c) && is_done(below));
		kit_equal(weft_ctx_err(below), -ETIMEDOUT);
		kit_expect(weft_ctx_deadline(below) == passed[i]);
		weft_ctx_unref(below);
		weft_ctx_unref(c);
	}
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER - 1), *d = weft_ctx_make(c, weft_in(WEFT_FOREVER));
	weft_sleep(WEFT_MS);
	kit_equal(weft_ctx_err(c), 0);
	kit_equal(weft_ctx_err(d), 0);
	weft_ctx_unref(c);
	weft_ctx_unref(d);
}

/* ---- groups ---- */

static weft_group *group;

static int give_back(void *arg)
{
	weft_yield();
	count++;
	return (int)(intptr_t)arg;
}

CASE(group_waits, "errgroup: Wait blocks until all function calls from the Go method have returned, then returns the "
		  "first non-nil "
		  "error (if any) from them.")
{
	group = weft_group_make(NULL);
	kit_require(group);
	for (int i = 0; i < 50; i++)
		kit_equal(weft_group_go(group, give_back, NULL), 0);
	kit_equal(weft_group_wait(group), 0);
	kit_equal(count, 50);
	kit_expect(is_done(weft_group_ctx(group)));
	weft_group_unref(group);
}

static int fail_later(void *arg)
{
	weft_sleep((weft_ns)(intptr_t)arg * WEFT_MS);
	return -(int)(intptr_t)arg;
}

static int until_cancelled(void *arg)
{
	(void)arg;
	kit_equal(weft_chan_recv(weft_ctx_done(weft_group_ctx(group)), NULL), 0);
	count++;
	return -ECANCELED;
}

CASE(first_error_ends_group,
	"errgroup.WithContext: The derived Context is canceled the first time a function passed to Go returns a "
	"non-nil error or the first time Wait returns.")
{
	group = weft_group_make(NULL);
	for (int i = 0; i < 10; i++)
		kit_equal(weft_group_go(group, until_cancelled, NULL), 0);
	kit_equal(weft_group_go(group, fail_later, (void *)7), 0);
	kit_equal(weft_group_wait(group), -7);
	kit_equal(count, 10);
	weft_group_unref(group);
}

CASE(group_under_context, "errgroup.WithContext: a group's context ends with its parent")
{
	weft_ctx *c = weft_ctx_make(NULL, WEFT_FOREVER);
	group = weft_group_make(c);
	kit_equal(weft_group_go(group, until_cancelled, NULL), 0);
	weft_ctx_cancel(c);
	kit_equal(weft_group_wait(group), -ECANCELED);
	weft_group_unref(group);
	weft_ctx_unref(c);
}

static atomic_int n_now, most;

static int count_at_once(void *arg)
{
	int n = ++n_now, m = most;
	(void)arg;
	while (n > m && !atomic_compare_exchange_weak(&most, &m, n)) {
	}
	weft_sleep(100 * WEFT_US);
	n_now--;
	return 0;
}

CASE(group_limit, "errgroup.SetLimit: SetLimit limits the number of active goroutines in this group to at most n; any "
		  "subsequent call to "
		  "the Go method will block until it can add an active goroutine.")
{
	group = weft_group_make(NULL);
	weft_group_limit(group, 3);
	for (int i = 0; i < 60; i++)
		kit_equal(weft_group_go(group, count_at_once, NULL), 0);
	kit_equal(weft_group_wait(group), 0);
	kit_expect(most <= 3);
	kit_expect(most >= 1);
	weft_group_unref(group);
}

CASE(group_try, "errgroup.TryGo: TryGo calls the given function in a new goroutine only if the number of active "
		"goroutines in the group is "
		"currently below the configured limit.")
{
	group = weft_group_make(NULL);
	weft_group_limit(group, 1);
	kit_equal(weft_group_try_go(group, until_cancelled, NULL), 0);
	kit_equal(weft_group_try_go(group, until_cancelled, NULL), -EAGAIN);
	weft_ctx_cancel(weft_group_ctx(group));
	kit_equal(weft_group_wait(group), -ECANCELED);
	kit_equal(count, 1);
	weft_group_limit(group, 0);
	kit_equal(weft_group_try_go(group, give_back, NULL), -EAGAIN);
	weft_group_unref(group);
}

CASE(group_keeps_the_first_error, "errgroup: TestZeroGroup: Wait returns the first non-nil error, whatever comes later")
{
	static const int errors[][3] = { { 0, 0, 0 }, { 5, 0, 0 }, { 0, 5, 0 }, { 0, 5, 7 }, { 5, 0, 7 } };
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		int first = 0;
		group = weft_group_make(NULL);
		for (int k = 0; k < 3; k++) {
			kit_equal(weft_group_go(group, give_back, (void *)(intptr_t)errors[i][k]), 0);
			if (!first)
				first = errors[i][k];
			kit_equal(weft_group_wait(group), first); /* and again */
		}
		weft_group_unref(group);
	}
}

static int leave_group(void *arg)
{
	count += (int)(intptr_t)arg;
	weft_exit();
}

CASE(exit_in_group, "errgroup: TestGoexit: a function that ends its goroutine has returned, without an error")
{
	group = weft_group_make(NULL);
	weft_group_limit(group, 2);
	for (int i = 0; i < 20; i++)
		kit_equal(weft_group_go(group, leave_group, (void *)1), 0);
	kit_equal(weft_group_wait(group), 0);
	kit_equal(count, 20);
	weft_group_unref(group);
}

CASE(group_limit_too_late,
	"errgroup.SetLimit: The limit must not be modified while any goroutines in the group are active.", .status = 2,
	.err = "panic: errgroup: modify limit while 1 goroutines in the group are still active")
{
	group = weft_group_make(NULL);
	kit_equal(weft_group_go(group, until_cancelled, NULL), 0);
	weft_group_limit(group, 4);
}
