/* cli/into.c - see into.h. */
#include "cli/into.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/pool.h"
#include "os/file.h"
#include "os/folder.h"

static const char *copy(wb_arena *arena, wb_buf *b)
{
	const char *ret = b->failed ? NULL : wb_copy(arena, wb_buf_cstr(b), b->n);
	wb_buf_free(b);
	return ret;
}

const char *cli_into_ending(const cli_args *a, wb_arena *arena)
{
	const cli_several *of = cli_several_of(a->command);
	wb_buf b = { 0 };
	if (of->ending && !of->ending(a, &b))
		return NULL;
	return copy(arena, &b);
}

/* ---- the files ---- */

typedef struct into {
	cli_files *files;
	const char **paths; /* of what is made, in the files' arena */
	size_t fixed;
} into;

static bool name_them(into *t, const char *folder, const char *ending)
{
	t->paths = wb_calloc(t->files->n + 1, sizeof(*t->paths));
	for (size_t i = 0; t->paths && i < t->files->n; i++) {
		const char *path = t->files->paths[i], *slash = strrchr(path, '/');
		const char *name = strcmp(path, "-") == 0 ? "stdin" : slash ? slash + 1 : path;
		wb_buf b = { 0 };
		wb_buf_printf(&b, "%s%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name, ending);
		t->paths[i] = copy(&t->files->arena, &b);
		if (!t->paths[i])
			return false;
	}
	return t->paths != NULL;
}

/* Of paths in one folder: no file may be meant twice, or be there. */
static bool all_are_free(const into *t)
{
	for (size_t i = 0; i < t->files->n; i++) {
		if (wo_exists(t->paths[i])) {
			fprintf(cli_err(), "weft: %s: it is there already\n", t->paths[i]);
			cli_hint("nothing was written: move it away, or name another folder");
			return false;
		}
		for (size_t k = 0; k < i; k++) {
			if (strcmp(t->paths[i], t->paths[k]) != 0)
				continue;
			fprintf(cli_err(), "weft: %s: %s and %s would both be written there\n", t->paths[i],
				t->files->paths[k], t->files->paths[i]);
			cli_hint("nothing was written: they need a folder each");
			return false;
		}
	}
	return true;
}

/* ---- the traces ---- */

static int run_one(void *user, const cli_args *a, size_t i)
{
	const into *t = user;
	cli_args one = *a;
	one.operands[t->fixed] = t->files->paths[i];
	one.n_operands = t->fixed + 1;
	one.values[CLI_OPT_OUTPUT] = t->paths[i];
	return a->command->run(&one);
}

static int run_all(const cli_args *a, into *t, const char *folder)
{
	bool made = false;
	int rc = wo_folder_make(folder, &made);
	if (rc < 0) {
		fprintf(cli_err(), "weft: %s: %s\n", folder, strerror(-rc));
		return CLI_UNREADABLE;
	}
	int status = cli_each(a, t->files, run_one, t);
	if (made && status != CLI_OK)
		wo_folder_remove(folder); /* unless something is in it */
	return status;
}

int cli_each_into(const cli_args *a, cli_files *f, size_t fixed)
{
	into t = { .files = f, .fixed = fixed };
	const char *folder = a->values[CLI_OPT_OUTPUT], *ending = cli_into_ending(a, &f->arena);
	int status = CLI_USAGE;
	if (!ending)
		return status;
	if (!*folder)
		return cli_usage(a->command, "--output wants a folder");
	if (!name_them(&t, folder, ending)) {
		fputs("weft: out of memory\n", cli_err());
		status = CLI_UNREADABLE;
	} else if (all_are_free(&t)) {
		status = run_all(a, &t, folder);
	}
	wb_free(t.paths);
	return status;
}
