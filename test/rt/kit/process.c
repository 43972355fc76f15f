/* rt/kit/process.c - one case, in a process of its own: started, awaited, judged. */
#include "inside.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS = 10, SECONDS_TO_DUMP = 2, WRITTEN_MAX = 1 << 20 };

static void inside(void *arg)
{
	const kit_case *c = arg;
	c->run();
}

static void set_environment(const kit_case *c, const kit_mode *mode)
{
	char text[256];
	snprintf(text, sizeof(text), "seed=%llu%s%s%s", (unsigned long long)kit_seed(), mode->hard ? ",hard=1" : "",
		c->debug ? "," : "", c->debug ? c->debug : "");
	setenv("WEFT_DEBUG", text, 1);
	snprintf(text, sizeof(text), "%d", mode->procs);
	setenv("WEFT_PROCS", text, 1);
}

int kit_run_here(const kit_case *c, const kit_mode *mode)
{
	set_environment(c, mode);
	signal(SIGQUIT, SIG_DFL); /* a shell ignores it for what runs in the background */
	if (c->outside)
		c->run();
	else
		kit_equal(weft_main(inside, (void *)c, &c->options), 0);
	return kit_failures() ? 1 : 0;
}

static _Noreturn void child(const kit_case *c, const kit_mode *mode, int out, int err)
{
	struct rlimit none = { 0, 0 };
	setrlimit(RLIMIT_CORE, &none);
	setpgid(0, 0);
	dup2(out, 1);
	dup2(err, 2);
	exit(kit_run_here(c, mode));
}

static int file_in_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC);
	if (fd >= 0)
		return fd;
	perror("memfd_create");
	exit(1);
}

/* What stands in the file, as text; closes it. */
static char *written(int fd)
{
	char *at = calloc(1, WRITTEN_MAX + 1);
	if (!at || pread(fd, at, WRITTEN_MAX, 0) < 0)
		abort();
	close(fd);
	return at;
}

/* Waits for the process: true when it has ended in time. */
static bool ends_within(int pidfd, int seconds)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int n;
	do
		n = poll(&p, 1, seconds * 1000);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

void kit_run(const kit_case *c, const kit_mode *mode, kit_end *ret)
{
	int out = file_in_memory("out"), err = file_in_memory("err"), status;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		child(c, mode, out, err);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid < 0 || pidfd < 0) {
		perror("fork");
		exit(1);
	}
	*ret = (kit_end){ 0 };
	ret->late = !ends_within(pidfd, (c->seconds ? c->seconds : SECONDS) * kit_slowness());
	if (ret->late) {
		kill(pid, SIGQUIT); /* so that it says where it stands */
		ends_within(pidfd, SECONDS_TO_DUMP);
	}
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	close(pidfd);
	ret->status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	ret->out = written(out);
	ret->err = written(err);
}

void kit_end_free(kit_end *end)
{
	free(end->out);
	free(end->err);
}

/* A whole line of the text, or its beginning up to a blank. */
static bool has_line(const char *text, const char *line)
{
	size_t n = strlen(line);
	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && (at[n] == '\n' || at[n] == 0 || at[n] == ' '))
			return true;
	return false;
}

const char *kit_fault(const kit_case *c, const kit_end *end)
{
	static char text[512];
	int status = c->dies && !c->status ? 2 : c->status;
	if (end->late)
		return "it does not end";
	if (end->status != status)
		snprintf(text, sizeof(text), "it ends with %s %d, not %d", end->status < 0 ? "signal" : "status",
			end->status, status);
	else if (c->dies && !has_line(end->err, c->dies))
		snprintf(text, sizeof(text), "it does not say \"%s\"", c->dies);
	else if (c->err && !strstr(end->err, c->err))
		snprintf(text, sizeof(text), "\"%s\" is not in its standard error", c->err);
	else if (c->out && strcmp(end->out, c->out))
		snprintf(text, sizeof(text), "its standard output is \"%.200s\", not \"%.200s\"", end->out, c->out);
	else
		return NULL;
	return text;
}
