/* cli/writing.c - see writing.h. */
#include "cli/writing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"
#include "os/term.h"

enum { BUFFER_BYTES = 1 << 20 };

static const char *shown(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard output" : path;
}

bool cli_writing_open(const cli_args *a, const char *path, cli_writing *ret, int *ret_status)
{
	if (strcmp(path, "-") == 0 && wo_is_terminal(1)) {
		*ret_status =
			cli_usage(a->command, "%s writes bytes, not for a terminal: name a file", a->command->name);
		return false;
	}
	*ret = (cli_writing){ .path = path };
	int rc = wo_newfile_open(path, &ret->file);
	if (rc == 0)
		return true;
	fprintf(cli_err(), "weft: %s: %s\n", shown(path), strerror(-rc));
	*ret_status = CLI_UNREADABLE;
	return false;
}

static bool flush(cli_writing *w)
{
	int rc = w->buf.failed ? -ENOMEM : wo_write_all(w->file.fd, w->buf.at, w->buf.n);
	w->buf.n = 0;
	if (rc < 0 && !w->error)
		w->error = -rc;
	return rc == 0;
}

bool cli_writing_put(void *user, const char *at, size_t n)
{
	cli_writing *w = user;
	wb_buf_put(&w->buf, at, n);
	w->bytes += n;
	return w->buf.n < BUFFER_BYTES && !w->buf.failed ? true : flush(w);
}

bool cli_writing_close(cli_writing *w, bool keep)
{
	cli_progress_done();
	if (keep && !w->error)
		flush(w);
	wb_buf_free(&w->buf);
	if (keep && !w->error)
		w->error = -wo_newfile_commit(&w->file);
	else
		wo_newfile_abandon(&w->file);
	if (w->error)
		fprintf(cli_err(), "weft: %s: %s\n", shown(w->path), strerror(w->error));
	return !w->error;
}
