/* rt/prof/dump.c - see dump.h.  The form is Go's: "goroutine 7 [chan receive, 2 minutes]: NAME", then its calls. */
#include "rt/prof/dump.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/debug.h>

#include "os/thread.h"
#include "rt/prof/dumpwaits.h"
#include "rt/prof/reports.h"
#include "rt/sched/park.h"
#include "rt/stack/overflow.h"
#include "rt/stack/unwind.h"
#include "rt/tr/symbol.h"

enum {
	FRAMES_MAX = 128,
	FRAMES_SHOWN = 40, /* of a stack that has run over: from each end */
	LINE_MAX_BYTES = 1024,
	STATUS = 2,
	ASKED_NS = 1000000,
};

static const char *const states[] = {
#define STATE(ID, text) [WEFT__G_##ID] = text,
#include "rt/sched/states.def"
};

static const char *const reasons[] = {
#define REASON(ID, text, trace, kind, blocks) [WEFT__WAIT_##ID] = text,
#include "rt/sched/states.def"
};

/* Where a dump goes; the first error stays. */
struct out {
	int fd;
	wb_buf *buf; /* instead of fd */
	int err;
	weft__tr_symbols *symbols;
	weft__g *self, *shown;
	uintptr_t self_fp;
	int64_t now_ns;
	bool parked_only;
	bool nameless; /* addresses only */
};

static __attribute__((format(printf, 2, 3))) void say(struct out *o, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (o->buf && n > 0)
		wb_buf_put(o->buf, line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	size_t left = o->buf || n < 0 ? 0 : (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1;
	for (const char *at = line; left > 0 && o->err == 0;) {
		ssize_t k = write(o->fd, at, left);
		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			o->err = -errno;
			break;
		}
		at += k;
		left -= (size_t)k;
	}
}

/* ---- stacks ---- */

static void say_frames_at(struct out *o, uintptr_t pc, size_t first)
{
	const weft__tr_frame *f;
	/* A return address belongs to the call before it. */
	size_t n = o->symbols ? weft__tr_symbols_at(o->symbols, pc - 1, &f) : 0;
	if (n == 0)
		say(o, "\t%#" PRIxPTR "\n", pc);
	for (size_t i = first; i < n; i++)
		say(o, "%s()\n\t%s:%" PRIu32 "\n", f[i].func, f[i].file, f[i].line);
}

static void say_frames(struct out *o, const uintptr_t *pcs, size_t n, weft__tr_called from)
{
	for (size_t i = from.pc; i < n; i++)
		say_frames_at(o, pcs[i], i == from.pc ? from.frame : 0);
}

static void say_origin(struct out *o, const weft__g *g)
{
	if (!g->created_at)
		return;
	const weft__tr_frame *f;
	size_t n = o->symbols ? weft__tr_symbols_at(o->symbols, g->created_at - 1, &f) : 0;
	if (g->creator == 0 || n == 0)
		return;
	say(o, "created by %s in goroutine %" PRIu64 "\n\t%s:%" PRIu32 "\n", f[0].func, g->creator, f[0].file,
		f[0].line);
}

/* ---- goroutines ---- */

/* "chan receive, 2 minutes" */
static void describe(const weft__g *g, weft__state s, const struct out *o, char *ret, size_t n)
{
	const char *what = s == WEFT__G_WAITING ? reasons[g->reason] : states[s];
	int64_t ms = s == WEFT__G_WAITING && g->since_ns ? (o->now_ns - g->since_ns) / 1000000 : 0;
	const char *tied = g->flags & WEFT__G_LOCKED ? ", locked to thread" : "";
	if (ms >= 60000)
		snprintf(ret, n, "%s, %" PRId64 " minutes%s", what, ms / 60000, tied);
	else if (ms >= 1000)
		snprintf(ret, n, "%s, %" PRId64 " s%s", what, ms / 1000, tied);
	else if (ms >= 10)
		snprintf(ret, n, "%s, %" PRId64 " ms%s", what, ms, tied);
	else
		snprintf(ret, n, "%s%s", what, tied);
}

/* Before the header, not behind it: what reads Go's dumps skips lines between goroutines, and no others. */
static void say_wait(struct out *o, const weft__g *g)
{
	char text[WEFT__WAIT_TEXT_BYTES];
	if (weft__wait_text(g, text) > 0)
		say(o, "# goroutine %" PRIu64 " waits %s\n", g->tr.id, text);
}

static void say_circle(const char *text, void *arg)
{
	say(arg, "%s", text);
}

static void say_g(weft__g *g, void *arg)
{
	struct out *o = arg;
	weft__state s = weft__g_state(g);
	if (g == o->shown || s == WEFT__G_DEAD || g->flags & WEFT__G_SYSTEM || (o->parked_only && s != WEFT__G_WAITING))
		return;
	char text[160];
	describe(g, s, o, text, sizeof(text));
	say(o, "\n");
	if (s == WEFT__G_WAITING)
		say_wait(o, g);
	say(o, "goroutine %" PRIu64 " [%s]:%s%s\n", g->tr.id, text, g->name ? " " : "", g->name ? g->name : "");
	uintptr_t pcs[FRAMES_MAX];
	size_t n = 0;
	if (g == o->self)
		n = weft__unwind_fp(0, o->self_fp, o->self_fp, (uintptr_t)g->stack_hi, pcs, FRAMES_MAX);
	else if (s == WEFT__G_WAITING || s == WEFT__G_RUNNABLE)
		n = weft__unwind_fp((uintptr_t)g->ctx.pc, (uintptr_t)g->ctx.fp, (uintptr_t)g->ctx.sp,
			(uintptr_t)g->stack_hi, pcs, FRAMES_MAX);
	else
		say(o, "\tgoroutine running on another thread; its stack is not known\n");
	n = weft__unwind_trim(pcs, n);
	/* From the program's call into the library on, as in Go. */
	say_frames(o, pcs, n, weft__tr_symbols_called(o->symbols, pcs, n));
	say_origin(o, g);
}

static int dump(struct out *o, bool all)
{
	o->symbols = o->nameless ? NULL : weft__tr_symbols_open();
	o->now_ns = wo_now_ns();
	if (all)
		weft__wait_circles(say_circle, o);
	if (o->self && !o->parked_only)
		say_g(o->self, o);
	o->shown = o->self;
	if (all)
		weft__g_each(say_g, o);
	weft__tr_symbols_close(o->symbols);
	return o->err;
}

static void *dump_elsewhere(void *arg)
{
	dump(arg, /* all= */ true);
	return NULL;
}

/* Names of functions are looked up by a library that needs more stack than a goroutine has: another thread does it, or,
 * without one, there are addresses only. */
static int dump_all(struct out *o)
{
	pthread_t t;
	if (!weft__self_g(weft__self()))
		return dump(o, /* all= */ true);
	if (wo_thread_start(&t, dump_elsewhere, o) == 0) {
		pthread_join(t, NULL);
		return o->err;
	}
	o->nameless = true;
	return dump(o, /* all= */ true);
}

__attribute__((noinline)) int weft_dump(int fd)
{
	struct out o = {
		.fd = fd, .self = weft__self_g(weft__self()), .self_fp = (uintptr_t)__builtin_frame_address(0)
	};
	return dump_all(&o);
}

int weft__dump_all(wb_buf *b, weft__g *self, uintptr_t self_fp)
{
	struct out o = { .fd = -1, .buf = b, .self = self, .self_fp = self_fp };
	dump(&o, /* all= */ true);
	return b->failed ? -ENOMEM : 0;
}

static struct {
	struct out out;
	bool all;
	_Atomic bool done;
} at_end;

static void dump_asked(void)
{
	dump(&at_end.out, at_end.all);
	atomic_store(&at_end.done, true);
}

/* A goroutine has a small stack, and little of it may be left: the monitor does it. */
static __attribute__((noinline)) void dump_at_end(int fd, bool all)
{
	weft__m *m = weft__self();
	at_end.out =
		(struct out){ .fd = fd, .self = weft__self_g(m), .self_fp = (uintptr_t)__builtin_frame_address(0) };
	at_end.all = all;
	if (!at_end.out.self) {
		dump_asked();
		return;
	}
	weft__monitor_ask(dump_asked);
	while (!atomic_load(&at_end.done))
		wo_sleep_ns(ASKED_NS);
}

void weft__dump_parked(int fd)
{
	struct out o = { .fd = fd, .parked_only = true };
	dump_all(&o);
}

/* ---- stack overflow and SIGQUIT ----
 *
 * Both come to a signal handler, where nothing may be allocated: it leaves word for the monitor, which has a stack and
 * time, and the thread stays where it is. */

static struct {
	_Atomic bool taken;
	uint64_t g;
	size_t bytes;
	size_t n;
	uintptr_t pcs[FRAMES_MAX];
} over;

static void report_overflow(void)
{
	struct out o = { .fd = STDERR_FILENO };
	o.symbols = weft__tr_symbols_open();
	say(&o, "fatal error: goroutine %" PRIu64 ": stack overflow (%zu KiB)\n\ngoroutine %" PRIu64 " [running]:\n",
		over.g, over.bytes >> 10, over.g);
	over.n = weft__unwind_trim(over.pcs, over.n);
	size_t head = over.n < FRAMES_SHOWN ? over.n : FRAMES_SHOWN;
	say_frames(&o, over.pcs, head, (weft__tr_called){ 0 });
	if (over.n > head)
		say(&o, "...more calls, and perhaps more than are known...\n");
	if (weft__crash_aborts)
		abort();
	_exit(STATUS);
}

static void overflowed(const wo_fault *f, const weft__stack_place *stack)
{
	if (atomic_exchange(&over.taken, true))
		return;
	weft__g *g = weft__self_g(weft__self());
	over.g = g ? g->tr.id : 0;
	over.bytes = weft__stack_bytes(stack->class);
	uintptr_t lo = f->sp > (uintptr_t)stack->lo ? f->sp : (uintptr_t)stack->lo;
	over.n = weft__unwind_fp(f->pc + 1, f->fp, lo, (uintptr_t)stack->hi, over.pcs, FRAMES_MAX);
	weft__monitor_ask(report_overflow);
	for (;;)
		wo_sleep_ns(ASKED_NS);
}

static void report_quit(void)
{
	static const char text[] = "SIGQUIT: quit\n";
	ssize_t unused = write(STDERR_FILENO, text, sizeof(text) - 1);
	(void)unused;
	struct out o = { .fd = STDERR_FILENO };
	dump(&o, /* all= */ true);
	if (weft__crash_aborts)
		abort();
	_exit(STATUS);
}

static void quit(int sig)
{
	(void)sig;
	weft__monitor_ask(report_quit);
}

int weft__dump_init(void)
{
	weft__dump_hook = dump_at_end;
	struct sigaction now;
	if (sigaction(SIGQUIT, NULL, &now) == 0 && now.sa_handler == SIG_DFL) {
		struct sigaction ours = { .sa_handler = quit, .sa_flags = SA_RESTART | SA_ONSTACK };
		sigaction(SIGQUIT, &ours, NULL);
	}
	return weft__stack_overflow_init(overflowed);
}
