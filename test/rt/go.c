/* rt/go.c - the life of a goroutine: starting, arguments, values of its own, cleanups, ending. */
#include "kit/rtkit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static weft_wg done;
static atomic_int count;

static void count_one(void *arg)
{
	count += (int)(intptr_t)arg;
	weft_wg_done(&done);
}

CASE(go_runs_it,
	"Spec, Go statements: A \"go\" statement starts the execution of a function call as an independent concurrent "
	"thread of control, or goroutine, within the same address space.")
{
	weft_wg_add(&done, 100);
	for (int i = 1; i <= 100; i++)
		kit_equal(weft_go(count_one, (void *)(intptr_t)i), 0);
	weft_wg_wait(&done);
	kit_equal(count, 5050);
}

CASE(go_does_not_wait, "Spec, Go statements: program execution does not wait for the invoked function to complete.",
	.procs = 1, .soft = true)
{
	weft_wg_add(&done, 1);
	kit_go(count_one, (void *)1);
	kit_equal(count, 0);
	weft_wg_wait(&done);
	kit_equal(count, 1);
}

CASE(start_is_synchronized,
	"Memory model: The go statement that starts a new goroutine is synchronized before the start of the "
	"goroutine's execution.")
{
	for (int i = 0; i < (int)kit_times(1000); i++) {
		int *plain = malloc(sizeof(int));
		*plain = i;
		weft_wg_add(&done, 1);
		kit_go(count_one, (void *)(intptr_t)*plain);
		weft_wg_wait(&done);
		free(plain);
	}
}

static void tree(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	count++;
	if (depth > 0) {
		weft_wg_add(&done, 2);
		kit_go(tree, (void *)(depth - 1));
		kit_go(tree, (void *)(depth - 1));
	}
	weft_wg_done(&done);
}

CASE(tree_of_goroutines, "test/chan/goroutines.go and the like: thousands of goroutines that start each other")
{
	int depth = kit_times(2) == 2 ? 13 : 9;
	weft_wg_add(&done, 1);
	kit_go(tree, (void *)(intptr_t)depth);
	weft_wg_wait(&done);
	kit_equal(count, (2 << depth) - 1);
}

typedef struct link {
	weft_chan *left, *right;
} link;

static void pass_on(void *arg)
{
	link *l = arg;
	int v;
	kit_equal(weft_chan_recv(l->right, &v), 1);
	v++;
	kit_equal(weft_chan_send(l->left, &v), 0);
	weft_chan_unref(l->right);
}

CASE(chain, "test/chan/goroutines.go: a chain of 10,000 goroutines passes a value on")
{
	int n = (int)kit_times(10000), v = 0;
	weft_chan *leftmost = weft_chan_make(sizeof(int), 0), *left = leftmost;
	for (int i = 0; i < n; i++) {
		link l = { left, weft_chan_make(sizeof(int), 0) };
		kit_equal(weft_go_copy(pass_on, &l, sizeof(l), NULL), 0);
		left = l.right;
	}
	weft_chan_ref(left);
	kit_equal(weft_chan_send(left, &v), 0);
	kit_equal(weft_chan_recv(leftmost, &v), 1);
	kit_equal(v, n);
	weft_chan_unref(left);
	weft_chan_unref(leftmost);
}

/* ---- ids and counts ---- */

static uint64_t ids[100];

static void note_id(void *arg)
{
	ids[(intptr_t)arg] = weft_id();
	weft_yield();
	kit_equal(weft_id(), ids[(intptr_t)arg]);
	weft_wg_done(&done);
}

CASE(ids_are_unique, "go.h: the number of a goroutine: 1 for the first, never reused")
{
	kit_equal(weft_id(), 1);
	for (int i = 0; i < 100; i++) {
		weft_wg_add(&done, 1);
		kit_go(note_id, (void *)(intptr_t)i);
		if (i % 10 == 9)
			weft_wg_wait(&done); /* so that some have ended before others start */
	}
	for (int i = 0; i < 100; i++) {
		kit_expect(ids[i] > 1);
		for (int k = 0; k < i; k++)
			kit_expect(ids[i] != ids[k]);
	}
	kit_equal(weft_id(), 1);
}

static void wait_for(void *arg)
{
	weft_chan_recv(arg, NULL);
	weft_wg_done(&done);
}

CASE(counting, "runtime.NumGoroutine: the number of goroutines that currently exist")
{
	weft_chan *gate = weft_chan_make(0, 0);
	kit_equal(weft_count(), 1);
	weft_wg_add(&done, 20);
	for (int i = 0; i < 20; i++)
		kit_go(wait_for, gate);
	kit_equal(weft_count(), 21);
	weft_chan_close(gate);
	weft_wg_wait(&done);
	kit_until(weft_count() == 1);
	weft_chan_unref(gate);
}

/* ---- arguments ---- */

static void check_copy(void *arg)
{
	const unsigned char *at = arg;
	size_t n = (size_t)at[0] * 256 + at[1];
	kit_equal((uintptr_t)arg % _Alignof(max_align_t), 0);
	for (int k = 0; k < 3; k++) {
		for (size_t i = 2; i < n; i++)
			kit_equal(at[i], (unsigned char)(i * 7 + n));
		weft_yield();
	}
	weft_wg_done(&done);
}

CASE(copied_arguments,
	"go.h: fn gets the address of a copy, aligned for any type, which lives as long as the goroutine")
{
	unsigned char bytes[WEFT_GO_COPY_MAX];
	for (size_t n = 2; n <= WEFT_GO_COPY_MAX; n += n < 40 ? 1 : 41) {
		for (size_t i = 2; i < n; i++)
			bytes[i] = (unsigned char)(i * 7 + n);
		bytes[0] = (unsigned char)(n / 256);
		bytes[1] = (unsigned char)n;
		weft_wg_add(&done, 1);
		kit_equal(weft_go_copy(check_copy, bytes, n, NULL), 0);
		memset(bytes, 0, sizeof(bytes));
	}
	weft_wg_wait(&done);
	kit_equal(weft_go_copy(check_copy, bytes, WEFT_GO_COPY_MAX + 1, NULL), -E2BIG);
}

static void end_copy(void *arg)
{
	(void)arg;
	weft_wg_done(&done);
}

CASE(nothing_copied, "go.h: a copy of no bytes is fine")
{
	weft_wg_add(&done, 1);
	kit_equal(weft_go_copy(end_copy, NULL, 0, NULL), 0);
	weft_wg_wait(&done);
}

/* ---- stacks ---- */

static int deep(int n)
{
	volatile char space[1000];
	space[0] = (char)n;
	space[999] = 1;
	int below = n > 0 ? deep(n - 1) : 0;
	return below + space[999];
}

static void go_deep(void *arg)
{
	kit_equal(deep((int)(intptr_t)arg), (intptr_t)arg + 1);
	weft_wg_done(&done);
}

CASE(stack_of_a_size, "go.h: stack_bytes: what a goroutine may use")
{
	weft_go_options mib = { .name = "deep", .stack_bytes = 1 << 20 };
	weft_go_options four = { .stack_bytes = 4 << 20 };
	weft_go_options absurd = { .stack_bytes = (size_t)1 << 40 };
	int slow = kit_times(10) < 10 ? 3 : 1; /* frames are larger with sanitizers */
	for (int i = 0; i < 10; i++) {
		weft_wg_add(&done, 2);
		kit_equal(weft_go_with(go_deep, (void *)(intptr_t)(900 / slow), &mib), 0);
		kit_equal(weft_go_with(go_deep, (void *)(intptr_t)(3600 / slow), &four), 0);
	}
	weft_wg_wait(&done);
	kit_equal(weft_go_with(go_deep, NULL, &absurd), -EINVAL);
}

CASE(stack_by_default, "go.h: weft_options.stack_bytes: of goroutines started without a size of their own",
	.options = { .stack_bytes = 512 << 10 })
{
	weft_wg_add(&done, 1);
	kit_go(go_deep, (void *)(intptr_t)(kit_times(10) < 10 ? 100 : 400));
	weft_wg_wait(&done);
}

static void overflow(void *arg)
{
	deep((int)(intptr_t)arg);
}

CASE(stack_overflow,
	"go.h: a goroutine that uses more than its stack ends the program: \"goroutine N: stack overflow (SIZE)\"",
	.status = 2, .err = "stack overflow")
{
	kit_go(overflow, (void *)1000000);
	weft_sleep(WEFT_SECOND);
}

/* ---- cleanups ---- */

static char trail[100];

static void leave(void *arg)
{
	size_t n = strlen(trail);
	trail[n] = *(const char *)arg;
	trail[n + 1] = 0;
}

static void leave_late(void *arg)
{
	weft_yield(); /* a cleanup may park */
	weft_sleep(WEFT_US);
	leave(arg);
	kit_equal(weft_at_end(leave, "x"), 0); /* and register more */
}

static void with_cleanups(void *arg)
{
	kit_equal(weft_at_end(count_one, (void *)1), 0);
	kit_equal(weft_at_end(leave, "a"), 0);
	kit_equal(weft_at_end(leave_late, "b"), 0);
	kit_equal(weft_at_end(leave, "c"), 0);
	if (arg)
		weft_exit();
	leave("r");
}

CASE(cleanups_run_backwards,
	"Spec, Defer statements: deferred functions are invoked immediately before the surrounding function "
	"returns, in the reverse order they were deferred.")
{
	weft_wg_add(&done, 1);
	kit_go(with_cleanups, NULL);
	weft_wg_wait(&done);
	kit_expect(!strcmp(trail, "rcbxa"));
}

CASE(exit_runs_cleanups, "runtime.Goexit: Goexit runs all deferred calls before terminating the goroutine.")
{
	weft_wg_add(&done, 1);
	kit_go(with_cleanups, "exit");
	weft_wg_wait(&done);
	kit_expect(!strcmp(trail, "cbxa"));
}

static void say(void *arg)
{
	printf("%s\n", (const char *)arg);
	fflush(stdout);
}

CASE(cleanups_of_main, "go.h: cleanups run when the goroutine ends by return: the first goroutine is no exception",
	.out = "one\ntwo\n")
{
	weft_key_set(weft_key_make(say), "two");
	weft_at_end(say, "one");
}

static void nested_exit(int depth)
{
	static void (*volatile deeper)(int depth) = nested_exit; /* compilers warn of a recursion without return */
	if (depth == 0)
		weft_exit();
	deeper(depth - 1);
}

static void exit_deep(void *arg)
{
	kit_equal(weft_at_end(count_one, arg), 0);
	nested_exit(20);
	kit_expect(false); /* weft_exit() does not return */
}

CASE(exit_ends_only_this,
	"runtime.Goexit: Goexit terminates the goroutine that calls it.  No other goroutine is affected.")
{
	weft_wg_add(&done, 50);
	for (int i = 0; i < 50; i++)
		kit_go(exit_deep, (void *)1);
	weft_wg_wait(&done);
	kit_equal(count, 50);
}

static void print_later(void *arg)
{
	weft_sleep(WEFT_MS);
	say(arg);
}

CASE(exit_of_main,
	"runtime.Goexit: Calling Goexit from the main goroutine terminates that goroutine without func main returning. "
	" "
	"The program continues execution of other goroutines.  If all other goroutines exit, the program crashes.",
	.out = "later\n", .dies = "fatal error: no goroutines (main called runtime.Goexit) - deadlock!")
{
	kit_go(print_later, "later");
	weft_exit();
}

static void never(void *arg)
{
	(void)arg;
	weft_sleep(60 * WEFT_SECOND);
	printf("too late\n");
}

CASE(main_does_not_wait,
	"Spec, Program execution: When that function invocation returns, the program exits.  It does not wait for "
	"other (non-main) goroutines to complete.",
	.out = "end\n")
{
	for (int i = 0; i < 10; i++)
		kit_go(never, NULL);
	printf("end\n");
}

/* ---- values of a goroutine ---- */

static int key;

static void own_value(void *arg)
{
	kit_expect(!weft_key_get(key));
	kit_equal(weft_key_set(key, arg), 0);
	for (int i = 0; i < 10; i++) {
		weft_yield();
		kit_expect(weft_key_get(key) == arg);
	}
	weft_wg_done(&done);
}

static void add_up(void *value)
{
	count += (int)(intptr_t)value;
}

CASE(values_of_their_own,
	"go.h: a key under which each goroutine can keep a pointer of its own; at_end gets it when it ends")
{
	key = weft_key_make(add_up);
	kit_require(key >= 0);
	weft_wg_add(&done, 100);
	for (int i = 1; i <= 100; i++)
		kit_go(own_value, (void *)(intptr_t)i);
	weft_wg_wait(&done);
	kit_until(count == 5050);
	kit_expect(!weft_key_get(key));
}

CASE(keys_are_checked, "go.h: what is no key gives NULL and -EINVAL; -EAGAIN when WEFT_KEYS_MAX are made")
{
	int n = 0, last = -1, k;
	kit_expect(!weft_key_get(0));
	kit_equal(weft_key_set(0, &n), -EINVAL);
	while ((k = weft_key_make(NULL)) >= 0) {
		kit_expect(k != last);
		last = k;
		n++;
	}
	kit_equal(n, WEFT_KEYS_MAX);
	kit_equal(k, -EAGAIN);
	kit_equal(weft_key_set(last, &n), 0);
	kit_expect(weft_key_get(last) == &n);
	kit_equal(weft_key_set(-1, &n), -EINVAL);
	kit_equal(weft_key_set(last + 1, &n), -EINVAL);
	kit_expect(!weft_key_get(-1));
	kit_expect(!weft_key_get(last + 1));
	kit_equal(weft_key_set(last, NULL), 0);
}

/* ---- outside ---- */

static void *outside(void *arg)
{
	(void)arg;
	kit_equal(weft_id(), 0);
	weft_yield();
	kit_equal(weft_at_end(leave, "a"), -EPERM);
	kit_expect(!weft_key_get(0));
	for (int i = 0; i < 100; i++)
		kit_equal(weft_go(count_one, (void *)1), 0);
	return NULL;
}

CASE(started_by_another_thread, "go.h: weft_go() is for any thread while weft_main() runs")
{
	pthread_t t;
	weft_wg_add(&done, 100);
	kit_require(!pthread_create(&t, NULL, outside, NULL));
	kit_equal(weft_wg_wait_until(&done, weft_in(60 * WEFT_SECOND)), 0);
	kit_equal(count, 100);
	pthread_join(t, NULL);
}

static void nothing(void *arg)
{
	(void)arg;
	kit_equal(weft_main(nothing, NULL, NULL), -EALREADY);
}

CASE(main_once,
	"go.h: -EPERM when the scheduler does not run; -EALREADY when the process has called weft_main() before",
	.outside = true)
{
	kit_equal(weft_go(nothing, NULL), -EPERM);
	kit_equal(weft_id(), 0);
	kit_equal(weft_main(nothing, NULL, NULL), 0);
	kit_equal(weft_main(nothing, NULL, NULL), -EALREADY);
	kit_equal(weft_go(nothing, NULL), -EPERM);
	kit_equal(weft_id(), 0);
}

static void *main_elsewhere(void *arg)
{
	(void)arg;
	kit_equal(weft_main(nothing, NULL, NULL), 0);
	return NULL;
}

CASE(main_on_any_thread, "go.h: the caller's thread becomes one of the runtime's", .outside = true)
{
	pthread_t t;
	kit_require(!pthread_create(&t, NULL, main_elsewhere, NULL));
	pthread_join(t, NULL);
}

CASE(bad_options, "go.h: -EINVAL for options out of range, and weft_main() can be called again", .outside = true)
{
	unsetenv("WEFT_PROCS"); /* would go before the option */
	kit_equal(weft_main(nothing, NULL, &(weft_options){ .procs = -1 }), -EINVAL);
	kit_equal(weft_main(nothing, NULL, NULL), 0);
}
