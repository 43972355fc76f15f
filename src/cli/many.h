/* cli/many.h - commands that take one trace, asked about several. */
#ifndef CLI_MANY_H
#define CLI_MANY_H

#include "cli/cli.h"
#include "cli/files.h"

/* Runs the command; when its operands are several files, or a folder, once for each trace: text behind a line with its
 * name, JSON behind an object {"file": name}, several at once (pool.h); with --output, a file for each (into.h).  What
 * cannot be read does not stop the rest; the exit status is the largest of all. */
int cli_run_many(const cli_args *a);

/* weft summary of several: which is odd. */
int cli_rank_many(const cli_args *a, const cli_files *f);

#endif
