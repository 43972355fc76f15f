/* os/newfile.h - a file that is there as a whole, or not at all.
 *
 * What is written goes to a file without a name (or, where the file system has none, a temporary name beside it);
 * commit gives it its name in one step, over what stood there, with the rights of that; where that is a symbolic link,
 * over what it leads to.  Pipes, devices and "-" (standard output) are written to as they are.  A signal that ends the
 * process (SIGINT, SIGTERM, SIGHUP) leaves nothing.  Errors: 0 or negative errno.
 */
#ifndef WO_NEWFILE_H
#define WO_NEWFILE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct wo_newfile {
	int fd;
	char *path, *temp; /* NULL: nothing to rename */
	bool unnamed;
} wo_newfile;

int wo_newfile_open(const char *path, wo_newfile *ret);
/* With a temporary name, ret->temp, in any case: for who writes to names.  -EINVAL for what is written to as it is. */
int wo_newfile_open_named(const char *path, wo_newfile *ret);
int wo_newfile_commit(wo_newfile *f);   /* closes it, whatever comes of it; after a failure nothing is left */
void wo_newfile_abandon(wo_newfile *f); /* the same without keeping anything; fine after a commit */

#endif
