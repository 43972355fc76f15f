/* Asking weftcheck (Go's own packages, see with_go.sh); its path is in WEFT_GO. */
#ifndef TEST_GOPROC_H
#define TEST_GOPROC_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"

/* Runs `weftcheck MODE [FILE]`; its output in *out, which the caller frees; its exit status, or -1.  What it prints on
 * standard error goes to *err when that is not NULL. */
static inline int go_ask(const char *mode, const char *file, wb_buf *out, wb_buf *err)
{
	const char *go = getenv("WEFT_GO");
	char errs[] = "/tmp/weftcheck-XXXXXX";
	int fd = err ? mkstemp(errs) : -1;
	wb_buf cmd = { 0 };
	wb_buf_printf(&cmd, "'%s' %s '%s' 2>%s", go ? go : "false", mode, file ? file : "", err ? errs : "/dev/null");
	if (!file)
		cmd.n = 0, wb_buf_printf(&cmd, "'%s' %s 2>/dev/null", go ? go : "false", mode);
	FILE *p = popen(wb_buf_cstr(&cmd), "r");
	wb_buf_free(&cmd);
	char piece[1 << 14];
	for (size_t n = 1; p && n;) {
		n = fread(piece, 1, sizeof(piece), p);
		wb_buf_put(out, piece, n);
	}
	int status = p ? pclose(p) : -1;
	if (fd >= 0) {
		FILE *f = fdopen(fd, "rb");
		for (size_t n = 1; f && n;) {
			n = fread(piece, 1, sizeof(piece), f);
			wb_buf_put(err, piece, n);
		}
		if (f)
			fclose(f);
		unlink(errs);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
