/* cli/cmd_gotrace.c - the command line of `go tool trace`: weft stands in its place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum { DEBUG_WIRE, DEBUG_PARSED, DEBUG_FOOTPRINT };

/* Two words and the first is no file: more likely a command with a slip than a test binary. */
static bool looks_like_command(const char *word)
{
	FILE *f = strpbrk(word, "./") ? NULL : fopen(word, "r");
	if (f)
		fclose(f);
	return !strpbrk(word, "./") && !f;
}

int cli_run_GOTRACE(const cli_args *a)
{
	if (a->n_operands == 2 && looks_like_command(a->operands[0]))
		return cli_no_command(a->operands[0]);
	const char *path = a->operands[a->n_operands - 1];
	if (cli_has(a, CLI_OPT_PPROF))
		return cli_print_pprof(a, path);
	if (!cli_has(a, CLI_OPT_DEBUG))
		return cli_run_VIEW(a);
	switch (cli_choice(a, CLI_OPT_DEBUG, DEBUG_PARSED)) {
	case DEBUG_PARSED: return cli_print_parsed(a, path);
	default: return cli_print_wire(a, path, cli_choice(a, CLI_OPT_DEBUG, 0) == DEBUG_FOOTPRINT);
	}
}
