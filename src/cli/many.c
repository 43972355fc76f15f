/* cli/many.c - see many.h. */
#include "cli/many.h"

#include <stdio.h>
#include <string.h>

#include "cli/files.h"
#include "cli/into.h"
#include "cli/pool.h"
#include "os/folder.h"
#include "out/units.h"

/* Whether the command is asked about several traces. */
static bool is_many(const cli_args *a, size_t fixed)
{
	const cli_command *c = a->command;
	bool last = cli_several_of(c)->how == CLI_WRITES_LAST;
	size_t n = strlen(c->operands), end = strlen("FILE...");
	if (c->operands_max != CLI_OPERANDS_MAX || n < end)
		return false;
	if (last ? !cli_has(a, CLI_OPT_OUTPUT) : strcmp(c->operands + n - end, "FILE...") != 0)
		return false;
	bool folder = cli_has(a, CLI_OPT_OUTPUT) && wo_is_folder(a->values[CLI_OPT_OUTPUT]);
	return folder || a->n_operands != fixed + 1 || wo_is_folder(a->operands[fixed]);
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

static int run_files(const cli_args *a, cli_files *f, size_t fixed)
{
	if (cli_has(a, CLI_OPT_OUTPUT))
		return cli_each_into(a, f, fixed);
	if (cli_several_of(a->command)->how == CLI_COMPARES)
		return cli_rank_many(a, f);
	return cli_each(a, f, run_one, &(each){ fixed, f });
}

int cli_run_many(const cli_args *a)
{
	size_t fixed = a->command->operands_min - 1; /* operands before the files */
	if (!is_many(a, fixed))
		return a->command->run(a);
	if (cli_several_of(a->command)->how == CLI_WRITES && !cli_has(a, CLI_OPT_OUTPUT))
		return cli_usage(
			a->command, "of several traces, %s wants -o FOLDER for what it writes", a->command->name);
	cli_files f = { 0 };
	int rc = CLI_OK;
	for (size_t i = fixed; i < a->n_operands; i++)
		if (!cli_files_add(&f, a->operands[i]))
			rc = CLI_UNREADABLE;
	if (f.n) {
		int answer = run_files(a, &f, fixed);
		rc = answer == CLI_USAGE || answer > rc ? answer : rc;
	}
	cli_files_free(&f);
	return rc;
}
