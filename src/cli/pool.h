/* cli/pool.h - several traces at once: spread over the processors, answered in order.
 *
 * As many traces are worked on at a time as --threads says (else as there are processors), as long as they are not too
 * large together: their bytes, times what an index of them may take (16), stay under half of the machine's memory.  One
 * is always worked on.  What they say comes out in the order of the traces, the first one's as it comes; at most 64 MiB
 * of what the others say is held meanwhile.
 */
#ifndef CLI_POOL_H
#define CLI_POOL_H

#include "cli/cli.h"
#include "cli/files.h"

/* Answers about trace i; `a` has its part of the threads.  The exit status. */
typedef int cli_each_fn(void *user, const cli_args *a, size_t i);

/* The largest exit status of all.  When one is CLI_USAGE before a trace was opened, it is that of all: those behind it
 * say nothing. */
int cli_each(const cli_args *a, const cli_files *f, cli_each_fn *fn, void *user);

#endif
