/* rt/api/profenv.c - see profenv.h and weft/prof.h. */
#include "rt/api/profenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weft/gc.h>
#include <weft/prof.h>

#include "rt/heap/heap.h"
#include "rt/sched/scheduler.h"

typedef struct output {
	const char *variable, *option; /* and what may stand behind the file's name */
	char path[4096];
	int fd; /* -1: not asked for */
	int64_t number;
} output;

static output cpu = { .variable = "WEFT_CPUPROFILE", .option = "hz=", .fd = -1 };
static output mem = { .variable = "WEFT_MEMPROFILE", .option = "rate=", .fd = -1 };
static void (*next_hook)(void);

static _Noreturn void refuse(const output *o, const char *what, const char *why)
{
	char line[512];
	snprintf(line, sizeof(line), "%s: %.300s: %s", o->variable, what, why);
	weft__fatal(line);
}

/* "FILE" or "FILE,hz=250"; true when the variable is set. */
static bool read_variable(output *o)
{
	const char *value = getenv(o->variable);
	if (!value || !*value)
		return false;
	size_t n = strcspn(value, ",");
	if (n >= sizeof(o->path))
		refuse(o, value, "too long");
	memcpy(o->path, value, n);
	if (value[n]) {
		const char *word = value + n + 1;
		size_t k = strlen(o->option);
		char *end = NULL;
		if (strncmp(word, o->option, k) == 0)
			o->number = strtoll(word + k, &end, 10);
		if (!end || end == word + k || *end || o->number <= 0 || o->number > INT32_MAX)
			refuse(o, word, o == &cpu ? "not hz=N" : "not rate=BYTES");
	}
	o->fd = open(o->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (o->fd < 0)
		refuse(o, o->path, strerror(errno));
	return true;
}

static void finish(output *o, int err)
{
	if (close(o->fd) < 0 && err == 0)
		err = -errno;
	o->fd = -1;
	if (err < 0)
		fprintf(stderr, "weft: %s: the profile is not whole: %s\n", o->path, strerror(-err));
}

void weft__profile_end(bool collect)
{
	if (cpu.fd >= 0) {
		int err = weft_cpu_profile_stop();
		finish(&cpu, err == -EINVAL ? 0 : err); /* the program has stopped it itself */
	}
	if (mem.fd >= 0) {
		if (collect && weft__heap_started())
			weft_gc();
		finish(&mem, weft_profile_write("heap", mem.fd, 0));
	}
}

static void end_at_exit(void)
{
	weft__profile_end(/* collect= */ false);
}

static void end_hook(void)
{
	end_at_exit();
	if (next_hook)
		next_hook();
}

void weft__profile_from_env(void)
{
	bool any = read_variable(&mem);
	if (any && mem.number)
		weft_mem_profile_rate(mem.number);
	if (read_variable(&cpu)) {
		any = true;
		int err =
			weft_cpu_profile_start_with(&(weft_cpu_profile_options){ .fd = cpu.fd, .hz = (int)cpu.number });
		if (err < 0)
			refuse(&cpu, cpu.path, err == -EINVAL ? "hz is at most 10000" : strerror(-err));
	}
	if (!any)
		return;
	atexit(end_at_exit);
	next_hook = weft__end_hook;
	weft__end_hook = end_hook;
}
