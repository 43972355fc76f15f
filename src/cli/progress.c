/* cli/progress.c - one line on the terminal about what takes long. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "os/term.h"
#include "os/thread.h"

/* The line is the terminal's, so there is one of it in a process. */
static struct {
	pthread_mutex_t lock;
	int      terminal;   /* 0: not known yet, 1: yes, -1: no */
	int64_t  start_ns;   /* of what is being done */
	int64_t  shown_ns;   /* last time; 0: nothing stands there */
	char     doing[32];
	size_t   files;      /* 0: of one trace; else it is theirs, all together: */
	uint64_t done, total;
} line = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum { WAIT_NS = 500000000, EVERY_NS = 100000000 };

static void show(const char *doing, uint64_t done, uint64_t total, double seconds)
{
	char text[160];
	double rate = (double)done / seconds;
	int n = snprintf(text, sizeof(text), "%s", doing);
	if (total)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "  %2.0f %%", 100 * (double)done / (double)total);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "  %.0f MB/s", rate / 1e6);
	if (total > done && rate > 0)
		snprintf(text + n, sizeof(text) - (size_t)n, "  %.0f s left", ((double)(total - done)) / rate + 0.5);
	fprintf(stderr, "\r%s\033[K", text);
}

bool cli_progress(void *user, const char *doing, uint64_t done, uint64_t total)
{
	(void)user;
	if (pthread_mutex_trylock(&line.lock) != 0)
		return true;
	if (line.terminal == 0)
		line.terminal = wo_is_terminal(2) ? 1 : -1;
	int64_t now = wo_now_ns();
	if (line.files) {
		doing = "traces";
		done = line.done;
		total = line.total;
	}
	if (strncmp(line.doing, doing, sizeof(line.doing) - 1) != 0) {
		snprintf(line.doing, sizeof(line.doing), "%s", doing);
		line.start_ns = now;
	}
	if (line.terminal > 0 && now - line.start_ns > WAIT_NS && now - line.shown_ns > EVERY_NS) {
		show(doing, done, total, (double)(now - line.start_ns) / 1e9);
		line.shown_ns = now;
	}
	pthread_mutex_unlock(&line.lock);
	return true;
}

void cli_progress_done(void)
{
	pthread_mutex_lock(&line.lock);
	if (line.shown_ns)
		fputs("\r\033[K", stderr);
	line.shown_ns = 0;
	if (!line.files)
		line.doing[0] = 0;
	pthread_mutex_unlock(&line.lock);
}

void cli_progress_files(size_t n, uint64_t done, uint64_t total)
{
	pthread_mutex_lock(&line.lock);
	line.files = n;
	line.done = done;
	line.total = total;
	pthread_mutex_unlock(&line.lock);
}
