/* cli/into.h - commands that write a file, of several traces: one for each, in a folder. */
#ifndef CLI_INTO_H
#define CLI_INTO_H

#include "cli/cli.h"
#include "cli/files.h"

/* What the names of files end with that `a` makes, such as ".html"; NULL, after saying what is wrong with it: wrong
 * usage.  Lives as long as the arena. */
const char *cli_into_ending(const cli_args *a, wb_arena *arena);

/* Runs the command for each trace, operand `fixed` and the last one, several at once (pool.h), with --output a file in
 * the folder that it was: named like the trace, with that ending.  A folder that is not there is made.  Nothing is
 * written when two traces would have the same file, or one that is there already. */
int cli_each_into(const cli_args *a, cli_files *f, size_t fixed);

#endif
