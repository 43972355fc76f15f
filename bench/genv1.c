/* bench/genv1.c - writes a large trace in the format of Go 1.21, as no such Go is installed to make one.
 *
 *	bench-genv1 FILE [MB]
 *
 * A simulated scheduler: procs with run queues, and goroutines that do what they do in programs bound by the scheduler:
 * pairs that hand a value to and fro, pipelines, workers that share a queue and a lock.  In between they yield, are
 * moved to other procs, make system calls, most of which return at once, allocate, and annotate; collections stop them
 * now and then.  The same size gives the same bytes.  Go's own reader accepts it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/events.h"

enum {
	PROCS = 4,
	GOROUTINES = 120,
	STACKS = 300,
	FRAMES = 12,
	BATCH = 64 << 10,
	QUEUE = 1024,
	STRING_FIRST = 1,
	STRINGS = 120
};

typedef enum state { RUNNABLE, RUNNING, WAITING, SYSCALL } state;

typedef struct goroutine {
	uint64_t seq;
	uint64_t exit_ticks; /* SYSCALL: when it returns */
	int      last_proc;
	state    state;
	bool     region, woke;
} goroutine;

typedef struct proc {
	uint8_t  buf[BATCH];
	size_t   n;
	uint64_t last_ticks, now;
	int      running;      /* goroutine, -1: none */
	int      queue[QUEUE]; /* ring of runnable goroutines */
	unsigned from, to;
	bool     idle;
} proc;

static FILE     *out;
static uint64_t  written, events, rng = 88172645463325252u;
static proc      procs[PROCS];
static goroutine gs[GOROUTINES + 2]; /* ids count from 1 */
static uint64_t  gc_seq, tasks, heap = 4 << 20;

static uint64_t roll(uint64_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng % n;
}

static uint8_t *varint(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

static void put(const void *at, size_t n)
{
	if (fwrite(at, 1, n, out) != n) {
		perror("bench-genv1");
		exit(1);
	}
	written += n;
}

static void flush(proc *p)
{
	put(p->buf, p->n);
	p->n = 0;
}

static void begin(int i)
{
	proc *p = &procs[i];
	if (p->n + 256 <= BATCH && p->n > 0)
		return;
	if (p->n)
		flush(p);
	uint8_t *q = p->buf;
	*q++ = 1 << 6 | WF_V1_Batch;
	q = varint(q, (uint64_t)i);
	q = varint(q, p->now);
	p->last_ticks = p->now;
	p->n = (size_t)(q - p->buf);
}

/* One event of proc i, now; `text` only for UserLog. */
static void event(int i, unsigned type, unsigned n, const uint64_t *args, const char *text)
{
	begin(i);
	proc *p = &procs[i];
	uint8_t body[80], *b = varint(body, p->now - p->last_ticks);
	p->last_ticks = p->now;
	for (unsigned k = 0; k < n; k++)
		b = varint(b, args[k]);
	uint8_t *q = p->buf + p->n;
	*q++ = (uint8_t)((n < 3 ? n : 3) << 6 | type);
	if (n >= 3)
		*q++ = (uint8_t)(b - body);
	memcpy(q, body, (size_t)(b - body));
	q += b - body;
	if (text) {
		q = varint(q, strlen(text));
		memcpy(q, text, strlen(text));
		q += strlen(text);
	}
	p->n = (size_t)(q - p->buf);
	events++;
}

/* EVENT(i, type, arguments..): one argument at least; EVENT0(i, type) for none. */
#define EVENT(i, type, ...) event(i, type, sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, (uint64_t[]){ __VA_ARGS__ }, NULL)
#define EVENT0(i, type) event(i, type, 0, NULL, NULL)

static uint64_t stack(void) { return 1 + roll(roll(16) ? 100 : STACKS); }

/* Time passes for all procs alike, so that what depends on each other is in order. */
static void pass(uint64_t ticks)
{
	for (int i = 0; i < PROCS; i++)
		procs[i].now += ticks;
}

static void enqueue(int i, int g)
{
	proc *p = &procs[i];
	p->queue[p->to++ % QUEUE] = g;
}

static void start(int i, int g)
{
	goroutine *x = &gs[g];
	x->seq++;
	if (x->last_proc == i)
		EVENT(i, WF_V1_GoStartLocal, (uint64_t)g);
	else
		EVENT(i, WF_V1_GoStart, (uint64_t)g, x->seq);
	x->last_proc = i;
	x->state = RUNNING;
	procs[i].running = g;
}

static void unblock(int i, int g, uint64_t from_stack)
{
	goroutine *x = &gs[g];
	x->seq++;
	if (x->last_proc == i)
		EVENT(i, WF_V1_GoUnblockLocal, (uint64_t)g, from_stack);
	else
		EVENT(i, WF_V1_GoUnblock, (uint64_t)g, x->seq, from_stack);
	x->last_proc = i;
	x->state = RUNNABLE;
	enqueue(i, g);
}

static int a_waiting(void)
{
	for (int tries = 0; tries < 12; tries++) {
		int g = 1 + (int)roll(GOROUTINES);
		if (gs[g].state == WAITING)
			return g;
	}
	return 0;
}

/* A goroutine whose blocking system call is over continues here. */
static bool finish_syscall(int i)
{
	for (int tries = 0; tries < 4; tries++) {
		int g = 1 + (int)roll(GOROUTINES);
		goroutine *x = &gs[g];
		if (x->state != SYSCALL || x->exit_ticks > procs[i].now)
			continue;
		x->seq++;
		x->last_proc = i;
		EVENT(i, WF_V1_GoSysExit, (uint64_t)g, x->seq, x->exit_ticks);
		pass(1 + roll(3));
		start(i, g);
		return true;
	}
	return false;
}

static void schedule(int i)
{
	proc *p = &procs[i];
	if (roll(4) == 0 && finish_syscall(i))
		return;
	if (p->from == p->to || roll(200) == 0) { /* steal */
		proc *v = &procs[roll(PROCS)];
		if (v != p && v->to - v->from > 1) {
			start(i, v->queue[v->from++ % QUEUE]);
			return;
		}
	}
	if (p->from != p->to) {
		start(i, p->queue[p->from++ % QUEUE]);
		return;
	}
	if (finish_syscall(i))
		return;
	int g = a_waiting(); /* a timer or the network */
	if (g) {
		unblock(i, g, stack());
		return;
	}
	if (!p->idle) {
		EVENT0(i, WF_V1_ProcStop);
		p->idle = true;
	}
	pass(200);
}

static void collect(int i)
{
	EVENT(i, WF_V1_STWStart, 2);
	pass(40);
	EVENT(i, WF_V1_GCStart, gc_seq++, stack());
	pass(5);
	EVENT0(i, WF_V1_STWDone);
	pass(3000);
	EVENT(i, WF_V1_STWStart, 1);
	pass(30);
	EVENT0(i, WF_V1_GCDone);
	pass(2);
	EVENT0(i, WF_V1_STWDone);
	heap = 4 << 20;
	EVENT(i, WF_V1_HeapGoal, heap * 2);
	EVENT(i, WF_V1_GCSweepStart, stack());
	pass(9);
	EVENT(i, WF_V1_GCSweepDone, 8192, 4096);
}

static void annotate(int i, int g)
{
	goroutine *x = &gs[g];
	switch (roll(3)) {
	case 0: {
		uint64_t task = ++tasks;
		EVENT(i, WF_V1_UserTaskCreate, task, 0, STRING_FIRST + roll(STRINGS), stack());
		event(i, WF_V1_UserLog, 3, (uint64_t[]){ task, STRING_FIRST, stack() },
			roll(2) ? "a message" : "another message");
		EVENT(i, WF_V1_UserTaskEnd, task, stack());
		break;
	}
	default:
		EVENT(i, WF_V1_UserRegion, 0, x->region, STRING_FIRST + 1, stack());
		x->region = !x->region;
	}
}

static void block(int i, unsigned type, uint64_t from_stack)
{
	EVENT(i, type, from_stack);
	gs[procs[i].running].state = WAITING;
	procs[i].running = -1;
}

/* Now and then something that is not in its program; true: done. */
static bool aside(int i)
{
	proc *p = &procs[i];
	int g = p->running;
	goroutine *x = &gs[g];
	uint64_t r = roll(10000);
	if (r < 120) {
		EVENT(i, roll(4) ? WF_V1_GoSched : WF_V1_GoPreempt, stack());
		x->state = RUNNABLE;
		p->running = -1;
		enqueue(i, g);
	} else if (r < 320) {
		EVENT(i, WF_V1_GoSysCall, stack());
		if (roll(4) == 0) {
			pass(1 + roll(40));
			EVENT0(i, WF_V1_GoSysBlock);
			x->state = SYSCALL;
			x->exit_ticks = p->now + 1 + roll(3000);
			p->running = -1;
		}
	} else if (r < 500) {
		heap += roll(1 << 16);
		EVENT(i, WF_V1_HeapAlloc, heap);
	} else if (r < 515) {
		annotate(i, g);
	} else if (r < 516) {
		collect(i);
	} else {
		return false;
	}
	return true;
}

/* What the running goroutine does next: it wakes the one it works for, then waits. */
static void act(int i)
{
	int g = procs[i].running, other;
	goroutine *x = &gs[g];
	if (aside(i))
		return;
	enum { PAIRS = 60, PIPELINES = 90 };
	uint64_t mine = 1 + (uint64_t)g % 40;
	unsigned type;
	if (g <= PAIRS) {
		other = g % 2 ? g + 1 : g - 1;
		type = g % 2 ? WF_V1_GoBlockRecv : WF_V1_GoBlockSend;
	} else if (g <= PIPELINES) {
		other = g % 10 == 0 ? g - 9 : g + 1;
		type = WF_V1_GoBlockRecv;
	} else {
		other = PIPELINES + 1 + (int)roll(GOROUTINES - PIPELINES);
		type = x->seq % 4 ? WF_V1_GoBlockSelect : WF_V1_GoBlockSync;
	}
	if (!x->woke && gs[other].state == WAITING)
		unblock(i, other, mine);
	else
		block(i, type, mine + 40);
	x->woke = !x->woke;
}

static void boot(void)
{
	pass(1000000);
	for (int g = 1; g <= GOROUTINES; g++) {
		gs[g] = (goroutine){ .state = g == 1 ? RUNNABLE : WAITING };
		EVENT(0, WF_V1_GoCreate, (uint64_t)g, stack(), 0);
		pass(1);
		if (g > 1) {
			gs[g].seq++;
			EVENT(0, WF_V1_GoWaiting, (uint64_t)g);
		}
	}
	EVENT(0, WF_V1_ProcStart, 0);
	start(0, 1);
	pass(10);
	EVENT(0, WF_V1_Gomaxprocs, PROCS, stack());
	for (int i = 1; i < PROCS; i++) {
		pass(1);
		procs[i].running = -1;
		EVENT(i, WF_V1_ProcStart, (uint64_t)i + 2);
	}
}

static void put_string(uint64_t id, const char *text)
{
	uint8_t b[200] = { WF_V1_String }, *p = varint(varint(b + 1, id), strlen(text));
	memcpy(p, text, strlen(text));
	put(b, (size_t)(p - b) + strlen(text));
}

static void put_tables(void)
{
	uint8_t b[4096], *p = b;
	*p++ = 1 << 6 | WF_V1_Batch;
	p = varint(varint(p, 0), procs[0].now);
	*p++ = WF_V1_Frequency;
	put(b, (size_t)(varint(p, 46875000) - b));
	for (uint64_t i = 0; i < STRINGS; i++) {
		char text[100];
		snprintf(text, sizeof(text),
			i % 2 ? "/home/someone/project/package%llu/file.go"
			      : "example.org/project/package%llu.(*Type).Method",
			(unsigned long long)i);
		put_string(STRING_FIRST + i, text);
	}
	for (uint64_t s = 1; s <= STACKS; s++) {
		uint8_t args[2048], *a = varint(varint(args, s), FRAMES);
		for (uint64_t f = 0; f < FRAMES; f++) {
			uint64_t pc = 0x480000 + roll(2000) * 16, line = 1 + pc / 16 % 900;
			a = varint(varint(varint(varint(a, pc), STRING_FIRST + 2 * (pc / 16 % (STRINGS / 2))),
					   STRING_FIRST + 1 + 2 * (pc / 16 % (STRINGS / 2))),
				line);
		}
		size_t n = (size_t)(a - args);
		p = b;
		*p++ = 3 << 6 | WF_V1_Stack;
		for (int k = 0; k < 9; k++) /* ten bytes, as the runtime writes it */
			*p++ = (uint8_t)(n >> 7 * k & 0x7f) | 0x80;
		*p++ = 0;
		memcpy(p, args, n);
		put(b, (size_t)(p - b) + n);
	}
}

int main(int argc, char **argv)
{
	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: bench-genv1 FILE [MB]\n");
		return 2;
	}
	uint64_t limit = (argc > 2 ? strtoull(argv[2], NULL, 10) : 63) * 1000000;
	out = fopen(argv[1], "wb");
	if (!out) {
		fprintf(stderr, "bench-genv1: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	put("go 1.21 trace\0\0\0", 16);
	boot();
	while (written < limit) {
		int i = (int)roll(PROCS);
		pass(1 + roll(4));
		if (procs[i].running >= 0)
			act(i);
		else
			schedule(i);
	}
	for (int i = 0; i < PROCS; i++)
		flush(&procs[i]);
	put_tables();
	if (fclose(out)) {
		fprintf(stderr, "bench-genv1: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	printf("%llu bytes, %llu events\n", (unsigned long long)written, (unsigned long long)events);
	return 0;
}
