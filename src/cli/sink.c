/* cli/sink.c - see sink.h. */
#include "cli/sink.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"

enum { HELD_BYTES_MAX = 64 << 20 };

static _Thread_local cli_sink *mine;

FILE *cli_out(void)
{
	return mine ? mine->out.file : stdout;
}

FILE *cli_err(void)
{
	return mine ? mine->err.file : stderr;
}

void cli_sink_reading(void)
{
	if (mine)
		mine->reading = true;
}

/* Standard output and error take turns by the flush behind each. */
static bool write_real(cli_turns *t, FILE *real, const char *at, size_t n)
{
	cli_progress_done();
	if (n == 0 || (fwrite(at, 1, n, real) == n && fflush(real) == 0))
		return true;
	if (real == stdout)
		t->broken = true;
	if (errno == EPIPE)
		kill(getpid(), SIGPIPE); /* which threads of ours do not take: as without them, nobody reads on */
	return false;
}

static bool write_held(cli_sink *sink, cli_stream *s)
{
	cli_turns *t = sink->turns;
	bool ok = sink->number >= t->silent || write_real(t, s->real, s->held.at, s->held.n);
	t->held_bytes -= s->held.n;
	wb_buf_free(&s->held);
	return ok;
}

static ssize_t put(void *cookie, const char *at, size_t n)
{
	cli_stream *s = cookie;
	cli_turns *t = s->sink->turns;
	pthread_mutex_lock(&t->lock);
	while (t->turn != s->sink->number && t->held_bytes + n > HELD_BYTES_MAX)
		pthread_cond_wait(&t->moved, &t->lock);
	bool ok = !t->broken, heard = s->sink->number < t->silent;
	if (t->turn == s->sink->number) {
		ok = ok && write_held(s->sink, &s->sink->out) && write_held(s->sink, &s->sink->err) &&
		     (!heard || write_real(t, s->real, at, n));
	} else if (ok && heard) {
		size_t before = s->held.n;
		wb_buf_put(&s->held, at, n);
		t->held_bytes += s->held.n - before;
		ok = !s->held.failed;
	}
	pthread_mutex_unlock(&t->lock);
	return ok ? (ssize_t)n : 0;
}

static bool stream_init(cli_stream *s, cli_sink *sink, FILE *real)
{
	cookie_io_functions_t io = { .write = put };
	*s = (cli_stream){ .sink = sink, .real = real, .file = fopencookie(s, "w", io) };
	return s->file != NULL;
}

bool cli_sink_begin(cli_sink *s, cli_turns *turns, size_t number)
{
	*s = (cli_sink){ .turns = turns, .number = number };
	if (!stream_init(&s->out, s, stdout) || !stream_init(&s->err, s, stderr)) {
		if (s->out.file)
			fclose(s->out.file);
		return false;
	}
	setvbuf(s->err.file, NULL, _IOLBF, BUFSIZ);
	mine = s;
	return true;
}

void cli_sink_end(cli_sink *s)
{
	mine = NULL;
	fclose(s->out.file);
	fclose(s->err.file);
}

void cli_sink_write(cli_sink *s)
{
	write_held(s, &s->out);
	write_held(s, &s->err);
}
