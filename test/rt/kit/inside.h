/* rt/kit/inside.h - what the files of the kit share. */
#ifndef RT_KIT_INSIDE_H
#define RT_KIT_INSIDE_H

#include "rtkit.h"

typedef struct kit_mode {
	const char *name;
	int procs;
	bool hard;
} kit_mode;

/* What became of a case's process. */
enum { KIT_SKIPPED = 77 }; /* exit status of kit_skip(), whose reason is the last line of standard error */

typedef struct kit_end {
	bool late;       /* it was stopped at its time limit */
	int status;      /* exit status, or a negative signal */
	char *out, *err; /* what it wrote; kit_end_free() */
} kit_end;

/* Runs the case here; the process's exit status. */
int kit_run_here(const kit_case *c, const kit_mode *mode);
/* Runs it in a process of its own. */
void kit_run(const kit_case *c, const kit_mode *mode, kit_end *ret);
void kit_end_free(kit_end *end);

/* Why that end is not what the case wants; NULL when it is. */
const char *kit_fault(const kit_case *c, const kit_end *end);

int kit_failures(void);
void kit_seed_set(uint64_t seed);
int kit_slowness(void); /* 1, or how much more time is needed here (KIT_SLOWER, sanitizers) */

#endif
