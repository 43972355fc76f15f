/* cli/many.c - see many.h. */
#include "cli/many.h"

#include <stdio.h>
#include <string.h>

#include "cli/files.h"
#include "cli/pool.h"
#include "os/folder.h"
#include "out/units.h"

static bool takes_many(const cli_command *c)
{
	size_t n = strlen(c->operands), end = strlen("FILE...");
	return c->operands_max == CLI_OPERANDS_MAX && n >= end && strcmp(c->operands + n - end, "FILE...") == 0;
}

static void header(const cli_args *a, const char *path, bool first)
{
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, 0);
		out_json_object(&j);
		out_json_put_text(&j, "file", path);
		out_json_object_end(&j);
		out_json_done(&j);
		wb_buf_putc(&b, '\n');
	} else {
		wb_buf_printf(&b, "%s%s==> ", first ? "" : "\n", cli_styled(CLI_BOLD));
		out_clean(&b, path, strlen(path));
		wb_buf_printf(&b, " <==%s\n", cli_styled(CLI_PLAIN));
	}
	cli_flush(&b, true);
	wb_buf_free(&b);
}

typedef struct each {
	size_t fixed; /* operands before the files */
	const cli_files *files;
} each;

static int run_one(void *user, const cli_args *a, size_t i)
{
	const each *e = user;
	cli_args one = *a;
	one.operands[e->fixed] = e->files->paths[i];
	one.n_operands = e->fixed + 1;
	header(a, e->files->paths[i], i == 0);
	return a->command->run(&one);
}

int cli_run_many(const cli_args *a)
{
	size_t fixed = a->command->operands_min - 1; /* operands before the files */
	if (!takes_many(a->command) || (a->n_operands == fixed + 1 && !wo_is_folder(a->operands[fixed])))
		return a->command->run(a);
	if (cli_has(a, CLI_OPT_OUTPUT))
		return cli_usage(a->command, "--output is for one trace: each of several would overwrite it");
	cli_files f = { 0 };
	int rc = CLI_OK;
	for (size_t i = fixed; i < a->n_operands; i++)
		if (!cli_files_add(&f, a->operands[i]))
			rc = CLI_UNREADABLE;
	if (f.n) {
		bool rank = a->command == &cli_commands[CLI_CMD_SUMMARY];
		int answer = rank ? cli_rank_many(a, &f) : cli_each(a, &f, run_one, &(each){ fixed, &f });
		rc = answer > rc ? answer : rc;
	}
	cli_files_free(&f);
	return rc;
}
