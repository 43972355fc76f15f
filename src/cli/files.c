/* cli/files.c - see files.h. */
#include "cli/files.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "os/file.h"
#include "os/folder.h"

static bool add(cli_files *f, const char *path)
{
	if (f->n == f->cap && !wb_vec_grow((void **)&f->paths, &f->cap, f->n, 1, sizeof(*f->paths)))
		return false;
	f->paths[f->n] = wb_copy(&f->arena, path, strlen(path));
	return f->paths[f->n++] != NULL;
}

static bool begins_like_a_trace(const char *path)
{
	char first[16];
	int fd;
	if (wo_open_read(path, &fd) < 0)
		return false;
	long n = wo_read(fd, first, sizeof(first));
	wo_close(fd);
	return n > 0 && wtr_is_trace(first, (size_t)n);
}

static bool add_folder(cli_files *f, const char *folder, const wo_folder *in)
{
	size_t before = f->n;
	bool ok = true;
	for (size_t i = 0; ok && i < in->n; i++) {
		wb_buf path = { 0 };
		wb_buf_printf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", in->names[i]);
		ok = !path.failed && (!begins_like_a_trace(wb_buf_cstr(&path)) || add(f, wb_buf_cstr(&path)));
		wb_buf_free(&path);
	}
	if (!ok)
		fputs("weft: out of memory\n", cli_err());
	else if (f->n == before)
		fprintf(cli_err(), "weft: %s: there is no trace in this folder\n", folder);
	return ok && f->n > before;
}

bool cli_files_add(cli_files *f, const char *operand)
{
	wo_folder in;
	if (!wo_is_folder(operand)) {
		if (add(f, operand))
			return true;
		fputs("weft: out of memory\n", cli_err());
		return false;
	}
	int rc = wo_folder_list(operand, &in);
	if (rc < 0) {
		fprintf(cli_err(), "weft: %s: %s\n", operand, strerror(-rc));
		return false;
	}
	bool ok = add_folder(f, operand, &in);
	wo_folder_free(&in);
	return ok;
}

void cli_files_free(cli_files *f)
{
	wb_arena_free(&f->arena);
	wb_free(f->paths);
	*f = (cli_files){ 0 };
}
