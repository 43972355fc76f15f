/* cli/main.c - weft: finds the command and runs it. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/many.h"

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		cli_help_all(true);
		return CLI_USAGE;
	}
	if (is_help(argv[1])) {
		cli_help_all(false);
		return CLI_OK;
	}
	const cli_command *c = cli_find_command(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
	int skip = c ? 2 : 1;
	if (!c)
		c = &cli_commands[CLI_CMD_GOTRACE];
	cli_args a;
	if (!cli_parse(c, argc - skip, argv + skip, &a))
		return CLI_USAGE;
	int rc = CLI_OK;
	if (cli_has(&a, CLI_OPT_HELP))
		cli_help_command(c, false);
	else
		rc = cli_run_many(&a);
	if (fflush(stdout) != 0 && rc == CLI_OK) {
		perror("weft: standard output");
		rc = CLI_UNREADABLE;
	}
	return rc;
}
