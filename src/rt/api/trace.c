/* rt/api/trace.c - see weft/trace.h and trace.h. */
#include "rt/api/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/block.h>
#include <weft/trace.h>

#include "base/alloc.h"
#include "rt/sched/park.h"

enum { TEXT_MAX = 1024, DEPTH_STEP = 8 };

/* ---- recording ---- */

int weft_trace_start_with(const weft_trace_options *opt)
{
	if (!weft__sched.started)
		return -EPERM;
	weft__tr_options o = {
		.fd = opt->fd,
		.write = opt->write,
		.write_arg = opt->write_arg,
		.window_bytes = opt->window_bytes,
		.window_ns = opt->window,
		.buffer_bytes = opt->buffer_bytes,
	};
	weft_syscall_begin();
	int err = weft__tr_start(&o);
	weft_syscall_end();
	return err;
}

int weft_trace_start(int fd)
{
	return weft_trace_start_with(&(weft_trace_options){ .fd = fd });
}

int weft_trace_stop(void)
{
	weft_syscall_begin();
	int err = weft__tr_stop();
	weft_syscall_end();
	return err;
}

bool weft_trace_on(void)
{
	return weft__tr_on();
}

int weft_trace_snapshot(int fd)
{
	weft_syscall_begin();
	int err = weft__tr_snapshot(fd);
	weft_syscall_end();
	return err;
}

int weft_trace_snapshot_soon(int fd)
{
	return weft__tr_snapshot_soon(fd);
}

void weft_trace_read(weft_trace_stats *ret)
{
	weft__tr_stats s;
	weft__tr_read_stats(&s);
	*ret = (weft_trace_stats){
		.generations = s.generations,
		.bytes = s.bytes,
		.waits = s.waits,
		.wait_ns = (weft_ns)s.wait_ns,
		.lost_stacks = s.lost_stacks,
		.lost_strings = s.lost_strings,
	};
}

/* ---- what the program tells ---- */

static weft__tr_str text(const char *at)
{
	return (weft__tr_str){ at ? at : "", at ? strnlen(at, TEXT_MAX) : 0 };
}

/* Ids go on for the life of the process: a task may begin before a trace and end in it. */
static _Atomic uint64_t n_tasks;

weft_task weft_task_begin(const weft_task *parent, const char *name)
{
	weft_task task = { atomic_fetch_add_explicit(&n_tasks, 1, memory_order_relaxed) + 1 };
	if (weft__tr_on()) {
		weft__m *m = weft__enter();
		if (weft__self_g(m))
			WEFT__TELL(m, task_begin, task.id, parent ? parent->id : 0, text(name), WEFT__FRAME);
		weft__leave(m);
	}
	return task;
}

void weft_task_end(weft_task task)
{
	if (!weft__tr_on() || task.id == 0)
		return;
	weft__m *m = weft__enter();
	if (weft__self_g(m))
		WEFT__TELL(m, task_end, task.id, WEFT__FRAME);
	weft__leave(m);
}

/* Readers stop at a region's end that has no beginning, or another's: so the open ones of each goroutine are known, by
 * task and by where the name lies. */
struct weft__regions {
	uint32_t n, cap;
	struct {
		uint64_t task;
		uint64_t hash;
	} open[];
};

static uint64_t hash(const char *name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t i = 0; i < TEXT_MAX && name && name[i]; i++)
		h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
	return h;
}

static bool open_region(weft__g *g, uint64_t task, uint64_t h)
{
	struct weft__regions *r = g->regions;
	if (!r || r->n == r->cap) {
		uint32_t cap = r ? r->cap * 2 : DEPTH_STEP;
		uint32_t n = r ? r->n : 0;
		r = wb_realloc(r, 1, sizeof(*r) + cap * sizeof(r->open[0]));
		if (!r)
			return false;
		r->n = n;
		r->cap = cap;
		g->regions = r;
	}
	r->open[r->n].task = task;
	r->open[r->n++].hash = h;
	return true;
}

static bool close_region(weft__g *g, uint64_t task, uint64_t h)
{
	struct weft__regions *r = g->regions;
	if (!r || r->n == 0 || r->open[r->n - 1].task != task || r->open[r->n - 1].hash != h)
		return false;
	r->n--;
	return true;
}

int weft_region_begin(const weft_task *task, const char *name)
{
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	uint64_t id = task ? task->id : 0;
	int err = !g ? -EPERM : open_region(g, id, hash(name)) ? 0 : -ENOMEM;
	if (err == 0)
		WEFT__TELL(m, region_begin, id, text(name), WEFT__FRAME);
	weft__leave(m);
	return err;
}

int weft_region_end(const weft_task *task, const char *name)
{
	weft__m *m = weft__enter();
	weft__g *g = weft__self_g(m);
	uint64_t id = task ? task->id : 0;
	int err = !g ? -EPERM : close_region(g, id, hash(name)) ? 0 : -EINVAL;
	if (err == 0)
		WEFT__TELL(m, region_end, id, text(name), WEFT__FRAME);
	weft__leave(m);
	return err;
}

void weft_log(const weft_task *task, const char *category, const char *fmt, ...)
{
	if (!weft__tr_on())
		return;
	char *message;
	va_list args;
	va_start(args, fmt);
	int n = vasprintf(&message, fmt, args);
	va_end(args);
	if (n < 0)
		return;
	weft__m *m = weft__enter();
	if (weft__self_g(m))
		WEFT__TELL(m, log, task ? task->id : 0, text(category), text(message), WEFT__FRAME);
	weft__leave(m);
	free(message);
}

/* ---- WEFT_TRACE ---- */

static struct {
	int fd;
	bool window;
	const char *path;
	pid_t pid; /* whose it is: not that of processes that are forked from it */
} env = { .fd = -1 };

void weft__trace_end(void)
{
	if (env.fd < 0 || env.pid != getpid())
		return;
	int err = env.window ? weft_trace_snapshot(env.fd) : 0;
	int stopped = weft_trace_stop();
	if (err == 0 && stopped != -EINVAL)
		err = stopped;
	if (close(env.fd) < 0 && err == 0)
		err = -errno;
	env.fd = -1;
	if (err < 0)
		fprintf(stderr, "weft: %s: the trace is not whole: %s\n", env.path, strerror(-err));
}

static _Noreturn void refuse(const char *what, const char *why)
{
	char line[512];
	snprintf(line, sizeof(line), "WEFT_TRACE: %.300s: %s", what, why);
	weft__fatal(line);
}

/* "10s", "500ms" */
static bool read_time(const char *at, weft_ns *ret)
{
	char *end;
	unsigned long long n = strtoull(at, &end, 10);
	weft_ns unit = strcmp(end, "s") == 0 ? WEFT_SECOND : strcmp(end, "ms") == 0 ? WEFT_MS : 0;
	if (end == at || unit == 0 || n == 0 || n > 1000000)
		return false;
	*ret = (weft_ns)n * unit;
	return true;
}

static bool read_bytes(const char *at, size_t *ret)
{
	char *end;
	unsigned long long n = strtoull(at, &end, 10);
	unsigned shift = strcmp(end, "M") == 0 ? 20 : strcmp(end, "K") == 0 ? 10 : *end ? 64 : 0;
	if (end == at || shift == 64 || n == 0 || n > UINT32_MAX)
		return false;
	*ret = (size_t)n << shift;
	return true;
}

void weft__trace_from_env(void)
{
	const char *value = getenv("WEFT_TRACE");
	if (!value || !*value)
		return;
	static char words[4096];
	if (strlen(value) >= sizeof(words))
		refuse(value, "too long");
	strcpy(words, value);
	char *rest = words;
	env.path = strsep(&rest, ",");
	weft_trace_options opt = { .fd = -1 };
	while (rest) {
		char *word = strsep(&rest, ",");
		if (strncmp(word, "window=", 7) == 0 && read_time(word + 7, &opt.window)) {
			opt.window_bytes = opt.window_bytes ? opt.window_bytes : (size_t)256 << 20;
			env.window = true;
		} else if (!(strncmp(word, "bytes=", 6) == 0 && read_bytes(word + 6, &opt.window_bytes))) {
			refuse(word, "not window=TIME (10s, 500ms) or bytes=N (64M)");
		}
	}
	env.fd = open(env.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (env.fd < 0)
		refuse(env.path, strerror(errno));
	env.pid = getpid();
	if (!env.window)
		opt.fd = env.fd;
	int err = weft_trace_start_with(&opt);
	if (err < 0)
		refuse(env.path, strerror(-err));
	atexit(weft__trace_end);
	weft__end_hook = weft__trace_end;
}
