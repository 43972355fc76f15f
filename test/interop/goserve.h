/* One weftcheck for many traces (see with_go.sh); its path is in WEFT_GO. */
#ifndef TEST_GOSERVE_H
#define TEST_GOSERVE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

typedef struct go_server {
	FILE *to, *from;
} go_server;

static inline bool go_start(go_server *g)
{
	int in[2], out[2];
	const char *path = getenv("WEFT_GO");
	if (!path || pipe(in) || pipe(out))
		return false;
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[0]), close(in[1]), close(out[0]), close(out[1]);
		execl(path, path, "serve", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	*g = (go_server){ fdopen(in[1], "wb"), fdopen(out[0], "rb") };
	return pid > 0 && g->to && g->from;
}

/* Appends the events of a trace as Go prints them.  Status 0, 1 (refused), 2 (Go threw), or -1. */
static inline int go_ask_bytes(go_server *g, const wb_buf *bytes, wb_buf *text)
{
	fprintf(g->to, "%zu\n", bytes->n);
	fwrite(bytes->at, 1, bytes->n, g->to);
	fflush(g->to);
	int status;
	size_t n;
	if (fscanf(g->from, "%d %zu", &status, &n) != 2 || fgetc(g->from) != '\n')
		return -1;
	char *p = wb_buf_room(text, n + 1);
	if (!p || fread(p, 1, n, g->from) != n)
		return -1;
	text->n += n;
	return status;
}

#endif
