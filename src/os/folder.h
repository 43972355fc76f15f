/* os/folder.h - what is in a folder. */
#ifndef WO_FOLDER_H
#define WO_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct wo_folder {
	char **names; /* of its regular files, in order of their bytes; without those that begin with a dot */
	size_t n;
} wo_folder;

bool wo_is_folder(const char *path);
int wo_folder_list(const char *path, wo_folder *ret); /* 0 or negative errno */
void wo_folder_free(wo_folder *f);
int wo_folder_make(const char *path, bool *ret_made); /* 0, also when it is there already, or negative errno */
int wo_folder_remove(const char *path);               /* an empty one */

#endif
