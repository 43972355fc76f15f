/* rt/api/options.c - see options.h and weft/debug.h. */
#include "rt/api/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/alloc.h"
#include "os/thread.h"
#include "rt/prof/reports.h"
#include "rt/sched/scheduler.h"
#include "rt/wait/mutex.h"

enum { THREADS_MAX = 10000, LEAKS_STATUS = 3, MS = 1000000 };

/* What WEFT_DEBUG can say; each is a number. */
static struct {
	const char *name;
	uint64_t value;
	bool given;
} words[] = {
	{ "seed", 0, false },
	{ "hard", 0, false },
	{ "leaks", 0, false },
	{ "crash", 0, false },
	{ "hog", 0, false },
	{ "sched", 0, false },
	{ "guard", 1, false },
	{ "locks", 0, false },
};
enum { SEED, HARD, LEAKS, CRASH, HOG, SCHED, GUARD, LOCKS, N_WORDS };

static _Noreturn void complain(const char *word, size_t n)
{
	char text[512];
	int k = snprintf(text, sizeof(text), "WEFT_DEBUG: '%.*s' is not one of", (int)(n < 64 ? n : 64), word);
	for (int i = 0; i < N_WORDS; i++)
		k += snprintf(text + k, sizeof(text) - (size_t)k, " %s=N%s", words[i].name, i + 1 < N_WORDS ? "," : "");
	weft__fatal(text);
}

static void read_word(const char *at, size_t n)
{
	const char *eq = memchr(at, '=', n);
	for (int i = 0; eq && i < N_WORDS; i++) {
		if (strlen(words[i].name) != (size_t)(eq - at) || strncmp(words[i].name, at, (size_t)(eq - at)) != 0)
			continue;
		char *end;
		words[i].value = strtoull(eq + 1, &end, 10);
		words[i].given = true;
		if (end == at + n && end > eq + 1)
			return;
	}
	complain(at, n);
}

static void read_debug(const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, ",");
		read_word(text, n);
		text += n + (text[n] == ',');
	}
}

int weft__options_read(const weft_options *opt, weft__world_options *ret)
{
	read_debug(getenv("WEFT_DEBUG"));
	weft__crash_aborts = words[CRASH].value != 0;
	weft__keeps_holders = words[LOCKS].value != 0;
	weft__reports_init((int64_t)words[HOG].value * MS, (int64_t)words[SCHED].value * MS);
	int procs = opt->procs;
	const char *env = getenv("WEFT_PROCS");
	if (env && atoi(env) > 0)
		procs = atoi(env);
	if (procs < 0 || procs > WEFT_PROCS_MAX || opt->threads_max < 0)
		return -EINVAL;
	uint64_t seed = words[SEED].given ? words[SEED].value : opt->seed;
	if (seed == 0 && getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (uint64_t)wo_now_ns();
	if (opt->report_leaks && !words[LEAKS].given)
		words[LEAKS].value = 1;
	*ret = (weft__world_options){
		.procs = procs                              ? procs
			 : wo_processors() < WEFT_PROCS_MAX ? wo_processors()
							    : WEFT_PROCS_MAX,
		.threads_max = opt->threads_max ? opt->threads_max : THREADS_MAX,
		.stack_bytes = opt->stack_bytes ? opt->stack_bytes : WEFT__STACK_DEFAULT_BYTES,
		.seed = seed,
		.hard = opt->hard || words[HARD].value != 0,
	};
	return 0;
}

void weft__options_report_leaks(void)
{
	if (words[LEAKS].value == 0 || weft__g_count() <= 1)
		return;
	fprintf(stderr, "weft: %lld goroutines are left at the end\n", (long long)weft__g_count() - 1);
	weft__dump_parked(STDERR_FILENO);
	if (words[LEAKS].value == 2)
		_exit(LEAKS_STATUS);
}

char *weft__options_copy_name(const char *name, size_t most)
{
	size_t n = strnlen(name, most);
	char *copy = wb_malloc(n + 1);
	if (!copy)
		return NULL;
	memcpy(copy, name, n);
	copy[n] = 0;
	return copy;
}
