/* os/term.c - see term.h. */
#include "os/term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

bool wo_is_terminal(int fd)
{
	return isatty(fd) == 1;
}

int wo_columns(int fd)
{
	struct winsize w = { 0 };
	return ioctl(fd, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

static void stop_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

void wo_stop_block(void)
{
	sigset_t set;
	stop_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

bool wo_stop_wait(int64_t timeout_ns)
{
	sigset_t set;
	stop_signals(&set);
	for (;;) {
		struct timespec t = { timeout_ns / 1000000000, timeout_ns % 1000000000 };
		int rc = timeout_ns < 0 ? sigwaitinfo(&set, NULL) : sigtimedwait(&set, NULL, &t);
		if (rc > 0)
			return true;
		if (errno != EINTR)
			return false;
	}
}

int wo_spawn(const char *const argv[], int *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int rc = posix_spawn_file_actions_init(&files);
	if (rc)
		return -rc;
	rc = posix_spawnattr_init(&attr);
	if (rc) {
		posix_spawn_file_actions_destroy(&files);
		return -rc;
	}
	sigset_t none, stops;
	sigemptyset(&none);
	stop_signals(&stops);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &stops);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	pid_t pid = 0;
	rc = posix_spawnp(&pid, argv[0], &files, &attr, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (rc == 0)
		*ret_pid = pid;
	return -rc;
}

bool wo_ended(int pid, int *ret_status)
{
	int status = 0;
	pid_t rc;
	do
		rc = waitpid(pid, &status, WNOHANG);
	while (rc < 0 && errno == EINTR);
	if (rc == 0)
		return false;
	*ret_status = rc < 0 ? 127 : WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}
