/* os/file.h - bytes of files: mapped, or collected from pipes into an unlinked temporary file and then mapped. */
#ifndef WO_FILE_H
#define WO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A read-only view of a whole file.  Errors of all functions: 0 or negative errno. */
typedef struct wo_map {
	const uint8_t *at;
	size_t         n;
} wo_map;

int  wo_map_file(const char *path, wo_map *ret);      /* regular files only: -ESPIPE for pipes and the like, -EISDIR */
int  wo_map_fd(int fd, wo_map *ret);                  /* fd stays the caller's */
void wo_unmap(wo_map *m);                             /* m may be empty; leaves it empty */
void wo_map_release(
	const wo_map *m, size_t from, size_t to); /* pages not needed soon: given back, read again on demand */
void wo_map_willneed(const wo_map *m, size_t from, size_t to);

/* A growing scratch file that nobody else sees (O_TMPFILE in $TMPDIR or /tmp, else memory). */
int  wo_scratch(int *ret_fd);
int  wo_write_all(int fd, const void *at, size_t n);
/* The same for what may have to wait for a reader (a pipe, a socket, a terminal): asks given_up() about each 100 ms,
 * and returns -ECANCELED when that says so. */
int  wo_write_while(int fd, const void *at, size_t n, bool (*given_up)(void));
/* Of the same what goes without waiting for longer than wait_ms: bytes, 0: none; or negative errno. */
long wo_write_some(int fd, const void *at, size_t n, int wait_ms);
bool wo_may_wait(int fd);                             /* it is such a one, or unknown */
long wo_read(int fd, void *at, size_t n);             /* restarts after signals; bytes, 0 at the end, or -errno */
int  wo_open_read(const char *path, int *ret_fd);
void wo_close(int fd);
bool wo_exists(const char *path);                     /* something of that name, a link to nowhere too */
uint64_t wo_file_bytes(const char *path);             /* of a regular file; else 0 */

/* Tells a file from one that was there under its name before, and from itself before it was written to. */
typedef struct wo_file_mark {
	uint64_t device, inode; /* 0: nothing is there */
	uint64_t bytes;
	int64_t  changed_ns;
	bool     regular;
} wo_file_mark;

wo_file_mark wo_file_mark_of(const char *path);
bool         wo_file_mark_same(const wo_file_mark *a, const wo_file_mark *b);

#endif
