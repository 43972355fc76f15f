/* rt/prof/profiles.c - see weft/prof.h: the profiles by name, and how they go out. */
#include "rt/prof/profiles.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include <weft/prof.h>

#include "os/io.h"
#include "os/thread.h"
#include "rt/prof/collectors.h"
#include "rt/prof/contention.h"
#include "rt/prof/cpu.h"
#include "rt/prof/dump.h"
#include "rt/prof/mallocs.h"
#include "rt/sched/park.h"

enum { HZ = 100, HZ_MAX = 10000, PIECE = 64 << 10 };

/* ---- the profiles ---- */

static void count_head(const weft__prof_doc *d, wb_buf *b)
{
	wb_buf_printf(b, "%s profile: total %" PRId64 "\n", d->kind->name, weft__prof_doc_sum(d, 0));
}

static void count_numbers(const weft__prof_row *row, wb_buf *b)
{
	wb_buf_i64(b, row->v[0]);
}

/* A tick of Go's is a nanosecond here. */
static void block_head(const weft__prof_doc *d, wb_buf *b)
{
	(void)d;
	wb_buf_puts(b, "--- contention:\ncycles/second=1000000000\n");
}

static void mutex_head(const weft__prof_doc *d, wb_buf *b)
{
	wb_buf_printf(b, "--- mutex:\ncycles/second=1000000000\nsampling period=%" PRId64 "\n", d->rate);
}

static void contention_numbers(const weft__prof_row *row, wb_buf *b)
{
	wb_buf_printf(b, "%" PRId64 " %" PRId64, row->v[1], row->v[0]);
}

static void heap_head(const weft__prof_doc *d, wb_buf *b)
{
	wb_buf_printf(b, "heap profile: %" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "] @ heap/%" PRId64 "\n",
		weft__prof_doc_sum(d, 2), weft__prof_doc_sum(d, 3), weft__prof_doc_sum(d, 0), weft__prof_doc_sum(d, 1),
		2 * d->rate);
}

static void heap_numbers(const weft__prof_row *row, wb_buf *b)
{
	wb_buf_printf(
		b, "%" PRId64 ": %" PRId64 " [%" PRId64 ": %" PRId64 "]", row->v[2], row->v[3], row->v[0], row->v[1]);
}

/* By name. */
static const struct profile {
	weft__prof_kind kind;
	weft__prof_collect *collect;
	bool by_thing; /* its count is that of what is in it, not of different stacks */
} profiles[] = {
	{ { .name = "allocs",
		  .values = { { "alloc_objects", "count" }, { "alloc_space", "bytes" }, { "inuse_objects", "count" },
			  { "inuse_space", "bytes" } },
		  .period = { "space", "bytes" },
		  .shown_first = "alloc_space",
		  .order = 1,
		  .from_calls = true,
		  .scale = weft__allocs_scale,
		  .head = heap_head,
		  .numbers = heap_numbers },
		weft__allocs_collect, false },
	{ { .name = "block",
		  .values = { { "contentions", "count" }, { "delay", "nanoseconds" } },
		  .period = { "contentions", "count" },
		  .order = 1,
		  .from_calls = true,
		  .head = block_head,
		  .numbers = contention_numbers },
		weft__block_collect, false },
	{ { .name = "goroutine",
		  .values = { { "goroutine", "count" } },
		  .period = { "goroutine", "count" },
		  .from_calls = true,
		  .head = count_head,
		  .numbers = count_numbers },
		weft__goroutines_collect, true },
	{ { .name = "heap",
		  .values = { { "alloc_objects", "count" }, { "alloc_space", "bytes" }, { "inuse_objects", "count" },
			  { "inuse_space", "bytes" } },
		  .period = { "space", "bytes" },
		  .shown_first = "inuse_space",
		  .order = 3,
		  .from_calls = true,
		  .scale = weft__allocs_scale,
		  .head = heap_head,
		  .numbers = heap_numbers },
		weft__allocs_collect, false },
	{ { .name = "mutex",
		  .values = { { "contentions", "count" }, { "delay", "nanoseconds" } },
		  .period = { "contentions", "count" },
		  .order = 1,
		  .from_calls = true,
		  .head = mutex_head,
		  .numbers = contention_numbers },
		weft__mutex_collect, false },
	{ { .name = "threadcreate",
		  .values = { { "threadcreate", "count" } },
		  .period = { "threadcreate", "count" },
		  .head = count_head,
		  .numbers = count_numbers },
		weft__threads_collect, true },
};
enum { N_PROFILES = sizeof(profiles) / sizeof(*profiles) };

static const struct profile *find(const char *name)
{
	for (size_t i = 0; i < N_PROFILES; i++)
		if (strcmp(profiles[i].kind.name, name) == 0)
			return &profiles[i];
	return NULL;
}

const char *weft_profile_name(size_t i)
{
	return i < N_PROFILES ? profiles[i].kind.name : NULL;
}

/* ---- making one, on the thread's own stack ---- */

struct job {
	const struct profile *profile;
	weft__prof_ask by;
	int debug;
	weft__prof_doc doc;
	wb_buf bytes;
	int64_t count;
	weft_cpu_profile_options cpu;
	bool to_sink; /* else to fd */
	int fd;
	int err;
};

static int put_all(int fd, const char *at, size_t n)
{
	while (n > 0) {
		ssize_t k = wo_io_write(fd, at, n);
		if (k == -EAGAIN)
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		else if (k < 0)
			return (int)k;
		at += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return 0;
}

static void encode(struct job *j, bool text)
{
	bool ok = text ? weft__prof_doc_text(&j->doc, &j->bytes) : weft__prof_doc_proto(&j->doc, &j->bytes);
	weft__prof_table_free(&j->doc.table);
	if (!ok)
		j->err = -ENOMEM;
	else if (!j->to_sink)
		j->err = put_all(j->fd, j->bytes.at, j->bytes.n);
}

static void make(void *arg)
{
	struct job *j = arg;
	if (j->debug == 2 && j->profile->collect == weft__goroutines_collect) {
		j->err = weft__dump_all(&j->bytes, j->by.self, j->by.self_fp);
		if (j->err == 0 && !j->to_sink)
			j->err = put_all(j->fd, j->bytes.at, j->bytes.n);
		return;
	}
	j->doc.kind = &j->profile->kind;
	j->profile->collect(&j->doc, &j->by);
	encode(j, j->debug != 0);
}

static void stop_cpu(void *arg)
{
	struct job *j = arg;
	j->err = weft__cpu_stop(&j->doc, &j->cpu);
	if (j->err < 0)
		return;
	j->to_sink = j->cpu.sink != NULL;
	j->fd = j->cpu.fd;
	encode(j, /* text= */ false);
}

static void count(void *arg)
{
	struct job *j = arg;
	j->doc.kind = &j->profile->kind;
	j->profile->collect(&j->doc, &j->by);
	j->count = j->profile->by_thing ? weft__prof_doc_sum(&j->doc, 0) : (int64_t)weft__prof_doc_count(&j->doc);
	weft__prof_table_free(&j->doc.table);
}

/* A sink is the program's: called on its own stack, where it may park. */
static int hand_over(struct job *j, weft_profile_sink *sink, void *arg)
{
	int err = j->err;
	for (size_t at = 0; sink && err == 0 && at < j->bytes.n; at += PIECE) {
		size_t left = j->bytes.n - at;
		err = sink(j->bytes.at + at, left < PIECE ? left : PIECE, arg);
	}
	wb_buf_free(&j->bytes);
	return err;
}

static inline __attribute__((always_inline)) weft__prof_ask asked_here(void)
{
	return (weft__prof_ask){ weft__self_g(weft__self()), (uintptr_t)__builtin_frame_address(0) };
}

int64_t weft_profile_count(const char *name)
{
	struct job j = { .profile = find(name), .by = asked_here() };
	if (!j.profile)
		return -ENOENT;
	weft__blocking(count, &j);
	return j.count;
}

static int write_to(struct job *j, weft_profile_sink *sink, void *arg)
{
	if (!j->profile)
		return -ENOENT;
	if (j->debug < 0 || j->debug > 2)
		return -EINVAL;
	weft__blocking(make, j);
	return hand_over(j, sink, arg);
}

int weft_profile_write(const char *name, int fd, int debug)
{
	struct job j = { .profile = find(name), .by = asked_here(), .debug = debug, .fd = fd };
	return write_to(&j, NULL, NULL);
}

int weft_profile_write_to(const char *name, weft_profile_sink *sink, void *arg, int debug)
{
	struct job j = { .profile = find(name), .by = asked_here(), .debug = debug, .to_sink = true };
	return write_to(&j, sink, arg);
}

/* ---- the difference of two ---- */

static void take(void *arg)
{
	struct job *j = arg;
	j->doc.kind = &j->profile->kind;
	j->profile->collect(&j->doc, &j->by);
	j->doc.start_ns = wo_since_1970_ns();
	j->err = j->doc.table.failed ? -ENOMEM : 0;
}

static void write_later(void *arg)
{
	struct job *j = arg;
	j->err = weft__prof_doc_proto(&j->doc, &j->bytes) ? 0 : -ENOMEM;
}

static int take_later(struct job *later, const weft__prof_doc *before)
{
	weft__blocking(take, later);
	later->doc.before = before;
	later->doc.duration_ns = later->doc.start_ns - before->start_ns;
	if (later->err == 0)
		weft__blocking(write_later, later);
	weft__prof_table_free(&later->doc.table);
	return later->err;
}

int weft__profile_delta(const char *name, int (*wait)(void *arg), void *arg, wb_buf *b)
{
	struct job first = { .profile = find(name), .by = asked_here() }, later = first;
	if (!first.profile)
		return -ENOENT;
	weft__blocking(take, &first);
	int err = first.err == 0 ? wait(arg) : first.err;
	if (err == 0)
		err = take_later(&later, &first.doc);
	weft__prof_table_free(&first.doc.table);
	if (err == 0)
		wb_buf_put(b, later.bytes.at, later.bytes.n);
	wb_buf_free(&later.bytes);
	return err == 0 && b->failed ? -ENOMEM : err;
}

/* ---- the CPU profile ---- */

struct start {
	weft_cpu_profile_options opt;
	int err;
};

static void start_cpu(void *arg)
{
	struct start *s = arg;
	s->err = weft__cpu_start(&s->opt);
}

int weft_cpu_profile_start_with(const weft_cpu_profile_options *opt)
{
	struct start s = { .opt = *opt };
	if (!weft__sched.started)
		return -EPERM;
	if (opt->hz < 0 || opt->hz > HZ_MAX)
		return -EINVAL;
	if (opt->hz == 0)
		s.opt.hz = HZ;
	weft__blocking(start_cpu, &s);
	return s.err;
}

int weft_cpu_profile_start(int fd)
{
	return weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .fd = fd });
}

int weft_cpu_profile_stop(void)
{
	struct job j = { 0 };
	weft__blocking(stop_cpu, &j);
	return hand_over(&j, j.cpu.sink, j.cpu.sink_arg);
}

void weft__profiles_init(void)
{
	weft__cpu_init();
	weft__contention_init();
	weft__mallocs_init();
}
