/* cli/writing.h - the file that a command makes: there as a whole in the end, or not at all. */
#ifndef CLI_WRITING_H
#define CLI_WRITING_H

#include "base/buf.h"
#include "cli/cli.h"
#include "os/newfile.h"

typedef struct cli_writing {
	const char *path;
	wo_newfile file;
	wb_buf buf;
	uint64_t bytes;
	int error; /* errno of what failed */
} cli_writing;

/* Begins to write to `path`; "-" is standard output, which must not be a terminal.  False: standard error says why, and
 * *ret_status is the exit status. */
bool cli_writing_open(const cli_args *a, const char *path, cli_writing *ret, int *ret_status);

/* A wtr_write_fn; `user` is the cli_writing. */
bool cli_writing_put(void *user, const char *at, size_t n);

/* Ends it: keeps the file when `keep`.  False when it could not be written, and standard error says so. */
bool cli_writing_close(cli_writing *w, bool keep);

#endif
