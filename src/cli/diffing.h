/* cli/diffing.h - the two sides of `weft diff`: which files, which part of their time, and what was gathered of them.
 */
#ifndef CLI_DIFFING_H
#define CLI_DIFFING_H

#include <wtr/diff.h>

#include "cli/cli.h"
#include "cli/files.h"

typedef struct cli_side {
	const char *text; /* as given */
	cli_files files;
	const char *range; /* NULL: all of it */
	wtr_period period;
	wtr_side *side;
	size_t unreadable; /* files */
} cli_side;

/* The sides that the command line names.  The exit status, after saying what is wrong. */
int cli_sides_parse(const cli_args *a, cli_side sides[2]);

/* Reads the files of one side; with `stacks`, their profiles of that kind, too.  A file that cannot be read does not
 * stop the others, unless it is the only one. */
int cli_side_gather(const cli_args *a, cli_side *s, unsigned side, wtr_stacks *stacks, wtr_profile_kind kind);

void cli_sides_free(cli_side sides[2]);

#endif
