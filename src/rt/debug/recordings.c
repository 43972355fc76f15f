/* rt/debug/recordings.c - traces: of the next seconds, and of those before, which the flight recorder has. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/block.h>
#include <weft/time.h>
#include <weft/trace.h>

#include "base/alloc.h"
#include "os/file.h"
#include "os/io.h"
#include "rt/debug/server.h"

enum { CHUNK = 65536, PIPE_BYTES = 1 << 20 };

weft_ns weft__debug_seconds(weft__con *c, weft_ns otherwise)
{
	char text[32], *end;
	if (!weft__query_text(c->rq.query, "seconds", text, sizeof(text)))
		return otherwise;
	double s = strtod(text, &end);
	if (*end || end == text || isnan(s) || s <= 0)
		return otherwise;
	if (s > WEFT__SECONDS_MAX) {
		weft__con_refuse(c, 400, "profile duration exceeds server's WriteTimeout"); /* of 10 minutes */
		return -1;
	}
	return (weft_ns)(s * 1e9);
}

/* ---- traces ---- */

/* The tracer writes into a pipe.  It waits when the client is slow, and ends the trace when it has waited for too long:
 * the program does not wait for the client. */
typedef struct tracing {
	weft__con *con;
	weft_ns ns;
	weft_fd *from;
	int to;
	int err; /* what ended it */
	weft_wg ending;
} tracing;

static const char *why_not(int err)
{
	return err == -EBUSY ? "tracing is already enabled" : strerror(-err);
}

static int open_pipe(tracing *t)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES); /* as large as the system allows; smaller will do */
	int err = wo_io_unblock(fds[0]);         /* the tracer's end blocks */
	if (err == 0)
		err = weft_fd_wrap(fds[0], &t->from);
	if (err < 0) {
		wo_close(fds[0]);
		wo_close(fds[1]);
		return err;
	}
	t->to = fds[1];
	return 0;
}

/* When the time is over, or the client has gone. */
static void end_trace(void *arg)
{
	tracing *t = arg;
	weft_ctx_sleep(t->con->ctx, t->ns);
	t->err = weft_trace_stop();
	if (t->err == -EINVAL) /* the program itself has stopped it */
		t->err = 0;
	wo_close(t->to); /* what has been written is still in the pipe, and then its end */
}

static const weft__head trace_head = { .status = 200, .type = "application/octet-stream", .saved = "trace" };

static void send_trace(tracing *t)
{
	char *chunk = wb_malloc(CHUNK);
	ssize_t n = -ENOMEM;
	weft__con_begin(t->con, &trace_head);
	while (chunk && (n = weft_read(t->from, chunk, CHUNK)) > 0 && !weft__con_gone(t->con))
		weft__con_put(t->con, chunk, (size_t)n);
	if (n != 0)
		weft_ctx_cancel(t->con->ctx); /* nobody wants the rest */
	weft_fd_close(t->from);
	weft_wg_wait(&t->ending);
	if (n == 0 && t->err == 0)
		weft__con_end(t->con);
	wb_free(chunk);
}

void weft__debug_trace(weft__con *c)
{
	tracing t = { .con = c, .ns = weft__debug_seconds(c, WEFT_SECOND) };
	if (t.ns < 0 || weft__con_head_only(c, &trace_head))
		return;
	int err = open_pipe(&t);
	if (err < 0) {
		weft__con_refuse(c, 500, "Could not enable tracing: %s", why_not(err));
		return;
	}
	err = weft_trace_start(t.to);
	bool started = err == 0;
	if (started)
		err = weft_wg_go(&t.ending, end_trace, &t);
	if (err == 0) {
		send_trace(&t);
		return;
	}
	weft__con_refuse(c, 500, "Could not enable tracing: %s", why_not(err));
	weft_fd_close(t.from);
	if (started)
		weft_trace_stop();
	wo_close(t.to);
}

/* ---- the flight recorder ---- */

void weft__debug_flight(weft__con *c)
{
	static const weft__head h = { .status = 200, .type = "application/octet-stream", .saved = "flight" };
	int fd;
	int err = wo_scratch(&fd);
	if (err < 0) {
		weft__con_refuse(c, 500, "Could not write the snapshot: %s", strerror(-err));
		return;
	}
	err = weft_trace_snapshot(fd);
	if (err == 0) {
		weft__con_answer_file(c, &h, fd);
		return;
	}
	wo_close(fd);
	if (err == -EINVAL)
		weft__con_refuse(c, 404,
			"no flight recorder runs: start it with window_bytes in weft_trace_start_with(), or with "
			"WEFT_TRACE=FILE,window=10s in the environment");
	else
		weft__con_refuse(c, 500, "Could not write the snapshot: %s", strerror(-err));
}
