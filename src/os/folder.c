/* os/folder.c - see folder.h. */
#include "os/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"

bool wo_is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_file(DIR *d, const char *name)
{
	struct stat st;
	return name[0] != '.' && fstatat(dirfd(d), name, &st, 0) == 0 && S_ISREG(st.st_mode);
}

int wo_folder_list(const char *path, wo_folder *ret)
{
	WB_VEC(char *) names = { 0 };
	DIR *d = opendir(path);
	int rc = d ? 0 : -errno;
	const struct dirent *e;
	while (rc == 0 && (e = readdir(d)) != NULL) {
		if (!is_file(d, e->d_name))
			continue;
		size_t n = strlen(e->d_name) + 1;
		char *name = wb_malloc(n);
		if (!name || !wb_vec_add(&names, name)) {
			wb_free(name);
			rc = -ENOMEM;
			break;
		}
		memcpy(name, e->d_name, n);
	}
	if (d)
		closedir(d);
	wo_folder f = { names.at, names.n };
	if (rc < 0) {
		wo_folder_free(&f);
		return rc;
	}
	if (f.n)
		qsort(f.names, f.n, sizeof(*f.names), by_bytes);
	*ret = f;
	return 0;
}

void wo_folder_free(wo_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		wb_free(f->names[i]);
	wb_free(f->names);
	*f = (wo_folder){ 0 };
}

int wo_folder_make(const char *path, bool *ret_made)
{
	bool made = mkdir(path, 0777) == 0;
	if (!made && (errno != EEXIST || !wo_is_folder(path)))
		return errno == EEXIST ? -ENOTDIR : -errno;
	*ret_made = made;
	return 0;
}

int wo_folder_remove(const char *path)
{
	return rmdir(path) < 0 ? -errno : 0;
}
