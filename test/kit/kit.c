/* kit/kit.c - see kit.h. */
#include "kit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kit_fail(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

uint8_t *kit_read(const char *path, size_t *ret_n)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		kit_fail(path, 0, "it can be read");
	kit_check(fseek(f, 0, SEEK_END) == 0);
	long n = ftell(f);
	rewind(f);
	uint8_t *at = malloc(n > 0 ? (size_t)n : 1);
	kit_check(n >= 0 && at && fread(at, 1, (size_t)n, f) == (size_t)n);
	fclose(f);
	*ret_n = (size_t)n;
	return at;
}

static const char *data_dir(void)
{
	const char *dir = getenv("WEFT_TEST_DATA");
	if (!dir)
		kit_fail(__FILE__, __LINE__, "WEFT_TEST_DATA names the corpus");
	return dir;
}

uint8_t *kit_trace(const char *name, size_t *ret_n)
{
	char path[1024];
	snprintf(path, sizeof(path), "%s/%s.trace", data_dir(), name);
	return kit_read(path, ret_n);
}

static int is_trace(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 6 && !strcmp(e->d_name + n - 6, ".trace");
}

char *const *kit_trace_names(size_t *ret_n)
{
	static char **names;
	static int n;
	*ret_n = (size_t)n;
	if (names)
		return names;
	struct dirent **list;
	n = scandir(data_dir(), &list, is_trace, alphasort);
	kit_check(n > 0);
	names = calloc((size_t)n + 1, sizeof(*names));
	kit_check(names);
	for (int i = 0; i < n; i++) {
		names[i] = strndup(list[i]->d_name, strlen(list[i]->d_name) - 6);
		free(list[i]);
	}
	free(list);
	*ret_n = (size_t)n;
	return names;
}
