/* Runs a fuzz target over the files of the folders named, one TAP case each folder: replay FOLDER.. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "kit.h"

enum { SECONDS_MAX = 20 };

static int is_visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* How many inputs the folder has; -1 when it cannot be read. */
static int replay(const char *folder)
{
	struct dirent **list;
	int n = scandir(folder, &list, is_visible, alphasort);
	for (int i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name);
		fprintf(stderr, "%s\n", path); /* the last line names the input that broke it */
		size_t bytes;
		uint8_t *at = kit_read(path, &bytes);
		alarm(SECONDS_MAX);
		LLVMFuzzerTestOneInput(at, bytes);
		alarm(0);
		free(at);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return n;
}

int main(int argc, char **argv)
{
	printf("1..%d\n", argc - 1);
	int bad = argc < 2;
	for (int i = 1; i < argc; i++) {
		int n = replay(argv[i]);
		printf("%s %d %s: %d inputs\n", n > 0 ? "ok" : "not ok", i,
			strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i], n);
		bad |= n <= 0;
	}
	return bad;
}
