/* rt/death.c - how programs end: panics, deadlocks, dumps, reports, and what WEFT_DEBUG says. */
#include "kit/rtkit.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

CASE(panic, "Spec, Handling panics: program execution terminates, and the error condition is reported",
	.dies = "panic: the sum is 12, not 13", .err = "goroutine 1 [running]")
{
	weft_panic("the sum is %d, not %d", 12, 13);
}

static void panic_there(void *arg)
{
	weft_panic("%s", (const char *)arg);
}

CASE(panic_elsewhere, "Spec, Handling panics: a panic in any goroutine ends the program", .dies = "panic: over there")
{
	kit_go(panic_there, "over there");
	weft_sleep(3600 * WEFT_SECOND);
}

static void tell(void *arg)
{
	printf("%s\n", (const char *)arg);
	fflush(stdout);
}

CASE(panic_runs_no_cleanup, "go.h: cleanups do not run: there is no recovery", .dies = "panic: now", .out = "")
{
	weft_at_end(tell, "cleanup");
	weft_panic("now");
}

CASE(crash_dumps_core, "debug.h: crash=1: panics end with SIGABRT after their message", .debug = "crash=1",
	.status = -SIGABRT, .dies = "panic: for the debugger")
{
	weft_panic("for the debugger");
}

CASE(exit_status, "a program may end by exit() itself, from any goroutine", .status = 7, .out = "seven\n")
{
	printf("seven\n");
	exit(7);
}

/* ---- deadlock ---- */

static void wait_for(void *arg)
{
	weft_chan_recv(arg, NULL);
}

CASE(deadlock, "debug.h: the report has every goroutine's state and reason", .dies = KIT_DEADLOCK,
	.err = "chan receive")
{
	weft_chan *ch = weft_chan_make(0, 0);
	for (int i = 0; i < 3; i++)
		kit_go(wait_for, ch);
	weft_chan_recv(ch, NULL);
}

CASE(deadlock_from_the_call, "runtime.Stack: frames of the runtime's own are not shown", .dies = KIT_DEADLOCK,
	.err = "]:\nweft_chan_recv()\n")
{
	weft_chan_recv(weft_chan_make(0, 0), NULL);
}

CASE(deadlock_from_the_lock, "runtime.Stack: nor is what a public function calls", .dies = KIT_DEADLOCK,
	.err = "]:\nweft_lock()\n")
{
	weft_mutex m = { 0 };
	weft_lock(&m);
	weft_lock(&m);
}

CASE(deadlock_of_send, "the reason of a send", .dies = KIT_DEADLOCK, .err = "chan send")
{
	weft_chan_send(weft_chan_make(0, 0), NULL);
}

CASE(deadlock_of_nil, "the reason of a nil channel", .dies = KIT_DEADLOCK, .err = "chan receive (nil chan)")
{
	weft_chan_recv(NULL, NULL);
}

CASE(deadlock_of_select, "the reason of a select", .dies = KIT_DEADLOCK, .err = "select")
{
	weft_chan *ch = weft_chan_make(0, 0);
	weft_case cases[] = { WEFT_RECV(ch, NULL), WEFT_RECV(ch, NULL) };
	weft_select(cases, 2);
}

CASE(deadlock_of_empty_select, "the reason of a select without cases", .dies = KIT_DEADLOCK, .err = "select (no cases)")
{
	weft_select(NULL, 0);
}

CASE(deadlock_of_mutex, "the reason of a lock", .dies = KIT_DEADLOCK, .err = "sync.Mutex.Lock")
{
	weft_mutex m = { 0 };
	weft_lock(&m);
	weft_lock(&m);
}

CASE(deadlock_of_waitgroup, "the reason of a wait group", .dies = KIT_DEADLOCK, .err = "sync.WaitGroup.Wait")
{
	weft_wg wg = { 0 };
	weft_wg_add(&wg, 1);
	weft_wg_wait(&wg);
}

CASE(deadlock_of_cond, "the reason of a condition", .dies = KIT_DEADLOCK, .err = "sync.Cond.Wait")
{
	weft_mutex m = { 0 };
	weft_cond c = { 0 };
	weft_lock(&m);
	weft_cond_wait(&c, &m);
}

static void first_wait(void *arg)
{
	weft_sleep(5 * WEFT_MS);
	weft_chan_recv(arg, NULL);
}

CASE(deadlock_later, "the last goroutine that could do something goes to wait, too", .dies = KIT_DEADLOCK)
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(first_wait, ch);
	weft_chan_recv(ch, NULL);
}

static void end_later(void *arg)
{
	(void)arg;
	weft_sleep(5 * WEFT_MS);
}

CASE(deadlock_after_end, "the last goroutine that could do something ends", .dies = KIT_DEADLOCK)
{
	kit_go(end_later, NULL);
	weft_chan_recv(NULL, NULL);
}

CASE(deadlock_names, "debug.h: goroutines have the name they were started with", .dies = KIT_DEADLOCK,
	.err = "the-collector")
{
	weft_go_options opt = { .name = "the-collector" };
	weft_chan *ch = weft_chan_make(0, 0);
	kit_equal(weft_go_with(wait_for, ch, &opt), 0);
	weft_chan_recv(ch, NULL);
}

static void block_a_while(void *arg)
{
	weft_syscall_begin();
	usleep(20000);
	weft_syscall_end();
	weft_chan_close(arg);
}

CASE(blocking_call_is_no_deadlock, "go.h: no deadlock while a goroutine is in a blocking call")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(block_a_while, ch);
	kit_equal(weft_chan_recv(ch, NULL), 0);
	weft_chan_unref(ch);
}

/* ---- dumps ---- */

static void sleep_long(void *arg)
{
	(void)arg;
	weft_sleep(3600 * WEFT_SECOND);
}

CASE(dump, "debug.h: weft_dump() writes every goroutine with its state, at any time, and the program goes on",
	.out = "and on\n", .err = "[sleep")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(wait_for, ch);
	kit_go(sleep_long, NULL);
	kit_until_parked(2);
	kit_equal(weft_dump(2), 0);
	printf("and on\n");
	weft_chan_unref(ch);
}

/* What a dump says, up to n bytes. */
static void dump_text(char *ret, size_t n)
{
	FILE *f = tmpfile();
	kit_require(kit_expect(f != NULL));
	kit_equal(weft_dump(fileno(f)), 0);
	ssize_t got = pread(fileno(f), ret, n - 1, 0);
	ret[got > 0 ? got : 0] = 0;
	fclose(f);
}

enum { CHOICES = 17, TEXT_BYTES = 1 << 16 }; /* one more than are told */

typedef struct choice {
	weft_chan *ch[CHOICES];
	size_t n;
} choice;

static weft_wg gone_on; /* who waited in a dump, and is done with what it waited for */

static void choose(void *arg)
{
	const choice *c = arg;
	weft_case cases[CHOICES];
	for (size_t i = 0; i < c->n; i++)
		cases[i] = (weft_case){ .op = WEFT_OP_RECV, .ch = c->ch[i] };
	weft_select(cases, c->n);
	weft_wg_done(&gone_on);
}

CASE(dump_select,
	"debug.h: a select waits for several channels, told by name or address; of many only how many they are")
{
	static char text[TEXT_BYTES];
	char unnamed[32];
	choice few = { .n = 3 }, many = { .n = CHOICES };
	for (size_t i = 0; i < CHOICES; i++)
		many.ch[i] = weft_chan_make(0, 0);
	memcpy(few.ch, many.ch, sizeof(few.ch));
	kit_equal(weft_name(few.ch[0], "jobs"), 0);
	kit_equal(weft_name(few.ch[2], "stop"), 0);
	weft_wg_add(&gone_on, 2);
	kit_go(choose, &few);
	kit_go(choose, &many);
	kit_until_parked(2);
	dump_text(text, sizeof(text));
	snprintf(unnamed, sizeof(unnamed), " %p", (void *)few.ch[1]);
	const char *line = strstr(text, " waits in select over 3: ");
	kit_require(kit_expect(line != NULL));
	char *end = strchr(line, '\n');
	kit_require(kit_expect(end != NULL));
	*end = 0;
	kit_expect(strstr(line, " 'jobs'") && strstr(line, " 'stop'") && strstr(line, unnamed));
	*end = '\n';
	kit_expect(strstr(text, " waits in select over 17 channels\n") != NULL);
	weft_chan_close(many.ch[0]);
	weft_wg_wait(&gone_on);
	for (size_t i = 0; i < CHOICES; i++)
		weft_chan_unref(many.ch[i]);
}

static void read_named(void *arg)
{
	char c;
	weft_read(arg, &c, 1);
	weft_wg_done(&gone_on);
}

CASE(dump_names_descriptors, "debug.h: weft_fd_name(): dumps tell it, until the descriptor is closed")
{
	static char text[TEXT_BYTES];
	weft_fd *ends[2];
	kit_require(kit_equal(weft_pipe(&ends[0], &ends[1]), 0));
	kit_equal(weft_fd_name(ends[0], "a pipe"), 0);
	kit_equal(weft_fd_name(NULL, "nothing"), -EINVAL);
	weft_wg_add(&gone_on, 1);
	kit_go(read_named, ends[0]);
	kit_until_parked(1);
	dump_text(text, sizeof(text));
	kit_expect(strstr(text, " 'a pipe'\n") != NULL);
	kit_equal(weft_fd_name(ends[0], NULL), 0);
	dump_text(text, sizeof(text));
	kit_expect(strstr(text, " waits for descriptor ") && !strstr(text, "a pipe"));
	kit_equal(weft_write(ends[1], "x", 1), 1);
	weft_wg_wait(&gone_on);
	weft_fd_close(ends[1]);
	weft_fd_close(ends[0]);
}

static weft_wg both; /* have their first lock */

static void lock_both(void *arg)
{
	weft_mutex **locks = arg;
	weft_lock(locks[0]);
	weft_wg_done(&both);
	weft_wg_wait(&both);
	weft_lock(locks[1]);
}

static void two_locks(void)
{
	static weft_mutex a, b;
	static weft_mutex *there[] = { &a, &b }, *back[] = { &b, &a };
	kit_equal(weft_name(&a, "account a"), 0);
	kit_equal(weft_name(&b, "account b"), 0);
	weft_name(there, "gone");
	kit_equal(weft_name(there, ""), 0);
	kit_equal(weft_name(NULL, "nothing"), -EINVAL);
	weft_wg_add(&both, 2);
	kit_go(lock_both, there);
	kit_go(lock_both, back);
	weft_sleep(20 * WEFT_MS);
	weft_chan_recv(NULL, NULL);
}

CASE(deadlock_object, "debug.h: what a goroutine waits for, by its name", .dies = KIT_DEADLOCK,
	.err = "waits for mutex 'account b'\n")
{
	two_locks();
}

CASE(deadlock_circle, "debug.h: locks=1: the report of a deadlock names circles", .debug = "locks=1",
	.dies = KIT_DEADLOCK, .err = " waits for mutex 'account a', held by goroutine ")
{
	two_locks();
}

CASE(deadlock_circle_first, "debug.h: circles come first of all", .debug = "locks=1", .dies = KIT_DEADLOCK,
	.err = "\n# a circle: goroutine ")
{
	two_locks();
}

CASE(names_are_bounded, "debug.h: -ENOSPC when WEFT_NAMES_MAX have a name; freed channels have none")
{
	static char things[WEFT_NAMES_MAX + 1];
	for (int i = 0; i < WEFT_NAMES_MAX; i++)
		kit_equal(weft_name(&things[i], "thing"), 0);
	kit_equal(weft_name(&things[WEFT_NAMES_MAX], "one more"), -ENOSPC);
	kit_equal(weft_name(&things[7], "another name"), 0);
	kit_equal(weft_name(&things[7], NULL), 0);
	weft_chan *ch = weft_chan_make(0, 0);
	kit_equal(weft_name(ch, "channel"), 0);
	kit_equal(weft_name(&things[7], "thing"), -ENOSPC);
	weft_chan_unref(ch);
	kit_equal(weft_name(&things[7], "thing"), 0);
}

CASE(dump_of_running, "debug.h: the caller itself is running", .err = "goroutine 1 [running]")
{
	kit_equal(weft_dump(2), 0);
}

CASE(dump_to_nowhere, "debug.h: or the error of write(2)")
{
	kit_expect(weft_dump(-1) < 0);
}

CASE(sigquit, "debug.h: SIGQUIT writes the dump and ends the program with status 2", .status = 2, .err = "[sleep")
{
	kit_go(sleep_long, NULL);
	kit_until_parked(1);
	kill(getpid(), SIGQUIT);
	weft_sleep(3600 * WEFT_SECOND);
}

static void own_handler(int signal)
{
	(void)signal;
	_exit(5);
}

static void quit_own(void *arg)
{
	(void)arg;
	kill(getpid(), SIGQUIT);
	weft_sleep(3600 * WEFT_SECOND);
}

CASE(sigquit_of_the_program, "debug.h: unless the program had a handler of its own before weft_main()", .outside = true,
	.status = 5)
{
	signal(SIGQUIT, own_handler);
	weft_main(quit_own, NULL, NULL);
}

/* ---- reports ---- */

CASE(leaks_reported, "debug.h: leaks=1: at the end, goroutines that are still parked, with their stacks",
	.debug = "leaks=1", .err = "chan receive")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(wait_for, ch);
	kit_until_parked(1);
}

CASE(leaks_as_status, "debug.h: leaks=2: the same, and exit status 3 when there are any", .debug = "leaks=2",
	.status = 3, .err = "chan receive")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(wait_for, ch);
	kit_until_parked(1);
}

CASE(no_leaks, "debug.h: leaks=2: nothing is said when there are none", .debug = "leaks=2", .out = "")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(wait_for, ch);
	kit_until_parked(1);
	weft_chan_close(ch);
	kit_until(weft_count() == 1);
	weft_chan_unref(ch);
}

CASE(leaks_by_option, "go.h: weft_options.report_leaks", .options = { .report_leaks = true }, .err = "chan receive")
{
	weft_chan *ch = weft_chan_make(0, 0);
	kit_go(wait_for, ch);
	kit_until_parked(1);
}

CASE(unknown_debug, "debug.h: anything else is a fatal error that lists them", .debug = "nonsense=1", .status = 2,
	.err = "nonsense")
{
	kit_expect(false); /* it does not start */
}

CASE(stats, "debug.h: a moment's picture of the scheduler")
{
	weft_stats s;
	weft_chan *ch = weft_chan_make(0, 0);
	for (int i = 0; i < 5; i++)
		kit_go(wait_for, ch);
	kit_until_parked(5);
	weft_stats_read(&s);
	kit_equal(s.n_goroutines, 6);
	kit_equal(s.n_parked, 5);
	kit_equal(s.n_procs, weft_procs(0));
	kit_equal(s.n_started, 6);
	weft_chan_close(ch);
	kit_until(weft_count() == 1);
	weft_stats_read(&s);
	kit_equal(s.n_goroutines, 1);
	kit_equal(s.n_parked, 0);
	weft_chan_unref(ch);
}
