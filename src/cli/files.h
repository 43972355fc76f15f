/* cli/files.h - operands that stand for one file or for many. */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct cli_files {
	wb_arena arena; /* of the paths */
	const char **paths;
	size_t n, cap;
} cli_files;

/* Adds the operand; if it is a folder, the traces in it (what begins like one), by name.  False: standard error says
 * why. */
bool cli_files_add(cli_files *f, const char *operand);
void cli_files_free(cli_files *f);

#endif
