/* os/newfile.c - see newfile.h. */
#include "os/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/file.h"

/* Temporary names that a signal must not leave behind; NULL: none.  Freed only when they are not here any more.  More
 * than the threads that write a file each. */
enum { LEFTOVERS = 64 };
static _Atomic(char *) leftovers[LEFTOVERS];

static void end(int signal)
{
	for (unsigned i = 0; i < LEFTOVERS; i++) {
		const char *path = leftovers[i];
		if (path)
			unlink(path);
	}
	raise(signal); /* SA_RESETHAND: as if nobody had caught it, behind the handler */
}

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

static void look_after(char *temp)
{
	for (unsigned i = 0; i < LEFTOVERS; i++) {
		char *none = NULL;
		if (atomic_compare_exchange_strong(&leftovers[i], &none, temp))
			break;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction now, ours = { .sa_handler = end, .sa_flags = (int)SA_RESETHAND };
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			sigaction(signals[i], &ours, NULL);
	}
}

static void forget(wo_newfile *f)
{
	for (unsigned i = 0; f->temp && i < LEFTOVERS; i++) {
		char *own = f->temp;
		atomic_compare_exchange_strong(&leftovers[i], &own, NULL);
	}
	wb_free(f->path);
	wb_free(f->temp);
	*f = (wo_newfile){ .fd = -1 };
}

static bool is_written_as_it_is(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* path and PATH.XXXXXX, as copies. */
static bool name(wo_newfile *f, const char *path)
{
	size_t n = strlen(path);
	f->path = wb_malloc(n + 1);
	f->temp = wb_malloc(n + sizeof(".XXXXXX"));
	if (!f->path || !f->temp)
		return false;
	memcpy(f->path, path, n + 1);
	memcpy(f->temp, path, n);
	memcpy(f->temp + n, ".XXXXXX", sizeof(".XXXXXX"));
	return true;
}

static int open_unnamed(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	int n = slash ? snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path + 1), path)
		      : snprintf(dir, sizeof(dir), ".");
	if (n < 0 || (size_t)n >= sizeof(dir))
		return -1;
	return open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
}

/* With a name of its own.  No signal comes between its making and its being looked after. */
static int open_named(char *temp)
{
	sigset_t held, before;
	sigemptyset(&held);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&held, signals[i]);
	pthread_sigmask(SIG_BLOCK, &held, &before);
	int fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		fd = -errno;
	else
		look_after(temp);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return fd;
}

/* The rights of what it takes the place of; else those that open() would have given it. */
static void set_rights(const wo_newfile *f)
{
	struct stat st;
	mode_t mask = umask(0);
	umask(mask);
	fchmod(f->fd, stat(f->path, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask);
}

/* Where a symbolic link leads, in `room`; the path itself when it is none, or leads nowhere. */
static const char *target_of(const char *path, char room[PATH_MAX])
{
	struct stat st;
	const char *target = lstat(path, &st) == 0 && S_ISLNK(st.st_mode) ? realpath(path, room) : NULL;
	return target ? target : path;
}

static int open_beside(const char *path, bool named, wo_newfile *ret)
{
	wo_newfile f = { .fd = -1 };
	if (!name(&f, path)) {
		forget(&f);
		return -ENOMEM;
	}
	if (!named)
		f.fd = open_unnamed(path);
	f.unnamed = f.fd >= 0;
	if (f.fd < 0)
		f.fd = open_named(f.temp);
	if (f.fd < 0) {
		int rc = f.fd;
		forget(&f);
		return rc;
	}
	set_rights(&f);
	*ret = f;
	return 0;
}

int wo_newfile_open(const char *path, wo_newfile *ret)
{
	char room[PATH_MAX];
	path = target_of(path, room);
	bool standard = strcmp(path, "-") == 0;
	if (!standard && !is_written_as_it_is(path))
		return open_beside(path, /* named= */ false, ret);
	int fd = standard ? fcntl(1, F_DUPFD_CLOEXEC, 0) : open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	*ret = (wo_newfile){ .fd = fd };
	return 0;
}

int wo_newfile_open_named(const char *path, wo_newfile *ret)
{
	char room[PATH_MAX];
	path = target_of(path, room);
	if (strcmp(path, "-") == 0 || is_written_as_it_is(path))
		return -EINVAL;
	return open_beside(path, /* named= */ true, ret);
}

/* Gives a file without a name one that nobody has. */
static int give_name(const wo_newfile *f)
{
	char self[64];
	snprintf(self, sizeof(self), "/proc/self/fd/%d", f->fd);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(
			f->temp + strlen(f->path), sizeof(".XXXXXX"), ".%06u", (unsigned)(getpid() + (int)i) % 1000000);
		if (linkat(AT_FDCWD, self, AT_FDCWD, f->temp, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

int wo_newfile_commit(wo_newfile *f)
{
	int rc = f->unnamed ? give_name(f) : 0;
	bool named = f->temp && rc == 0;
	if (close(f->fd) < 0 && rc == 0)
		rc = -errno;
	if (named && rc == 0 && rename(f->temp, f->path) < 0)
		rc = -errno;
	if (named && rc < 0)
		unlink(f->temp);
	forget(f);
	return rc;
}

void wo_newfile_abandon(wo_newfile *f)
{
	wo_close(f->fd);
	if (f->temp && !f->unnamed)
		unlink(f->temp);
	forget(f);
}
