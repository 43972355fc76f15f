/* rt/kit/main.c - runs the cases of a program and tells how they went, in TAP. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { LINES_SHOWN = 60 };

static const kit_mode modes[] = { { "one", 1, false }, { "two", 2, false }, { "hard", 2, true } };

static kit_case *first, **last = &first;

void kit_add(kit_case *c)
{
	*last = c;
	last = &c->next;
}

typedef struct arguments {
	bool list, here;
	const char *mode, *program;
	char **names;
	int n_names;
} arguments;

static bool wanted(const arguments *a, const kit_case *c, const kit_mode *m)
{
	if (a->mode && strcmp(a->mode, m->name))
		return false;
	if ((c->procs && c->procs != m->procs) || (c->soft && m->hard))
		return false;
	if (!a->mode && kit_watches_races() && m->procs == 1 && !c->procs)
		return false; /* races take two, and time is short */
	for (int i = 0; i < a->n_names; i++)
		if (!strcmp(a->names[i], c->name))
			return true;
	return a->n_names == 0;
}

static void show(const char *text)
{
	for (int i = 0; *text && i < LINES_SHOWN; i++) {
		int n = (int)strcspn(text, "\n");
		printf("#   %.*s\n", n, text);
		text += n + (text[n] == '\n');
	}
}

/* The last line. */
static const char *reason(kit_end *end)
{
	size_t n = strlen(end->err);
	if (n > 0)
		end->err[n - 1] = 0;
	const char *line = strrchr(end->err, '\n');
	return line ? line + 1 : end->err;
}

/* One line of TAP, and what is needed to understand a failure; true when all is well. */
static bool tell(const arguments *a, const kit_case *c, const kit_mode *m, int number)
{
	kit_end end;
	kit_run(c, m, &end);
	bool skipped = end.status == KIT_SKIPPED && !end.late;
	const char *fault = skipped ? NULL : kit_fault(c, &end);
	printf("%sok %d %s, %s - %s", fault ? "not " : "", number, c->name, m->name, c->says);
	printf("%s%s\n", skipped ? " # SKIP " : "", skipped ? reason(&end) : "");
	if (fault) {
		printf("# %s; again: %s --mode=%s --seed=%llu %s\n", fault, a->program, m->name,
			(unsigned long long)kit_seed(), c->name);
		show(end.err);
	}
	fflush(stdout);
	kit_end_free(&end);
	return !fault;
}

static int run_all(const arguments *a)
{
	int n = 0, n_bad = 0;
	for (const kit_case *c = first; c; c = c->next)
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (wanted(a, c, &modes[i]))
				n_bad += !tell(a, c, &modes[i], ++n);
	printf("1..%d\n", n);
	return n_bad || n == 0;
}

static int run_one_here(const arguments *a)
{
	for (const kit_case *c = first; c; c = c->next)
		for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (wanted(a, c, &modes[i]))
				return kit_run_here(c, &modes[i]);
	fprintf(stderr, "%s: no such case\n", a->program);
	return 2;
}

static void list(void)
{
	for (const kit_case *c = first; c; c = c->next)
		printf("%s\n", c->name);
}

static uint64_t new_seed(void)
{
	uint32_t seed = 1; /* short enough to type */
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = 1;
	return seed ? seed : 1;
}

int main(int argc, char **argv)
{
	arguments a = { .program = argv[0] };
	int i = 1;
	kit_seed_set(new_seed());
	for (; i < argc && !strncmp(argv[i], "--", 2); i++) {
		if (!strcmp(argv[i], "--list"))
			a.list = true;
		else if (!strcmp(argv[i], "--here"))
			a.here = true;
		else if (!strncmp(argv[i], "--mode=", 7))
			a.mode = argv[i] + 7;
		else if (!strncmp(argv[i], "--seed=", 7))
			kit_seed_set(strtoull(argv[i] + 7, NULL, 10));
		else {
			fprintf(stderr, "%s: [--list] [--here] [--mode=one|two|hard] [--seed=N] [CASE..]\n", argv[0]);
			return 2;
		}
	}
	a.names = argv + i;
	a.n_names = argc - i;
	if (a.list)
		return list(), 0;
	return a.here ? run_one_here(&a) : run_all(&a);
}
