/* rt/kit/rtkit.h - cases for the runtime: each a process of its own, with a time limit, told in TAP.
 *
 *   CASE(recv_from_nil, "Spec, Receive operator: Receiving from a nil channel blocks forever.", .dies = KIT_DEADLOCK)
 *   {
 *           weft_chan_recv(NULL, NULL);
 *   }
 *
 * The body is the first goroutine (unless .outside).  A program of cases links rtkit and has nothing else to do:
 *
 *   rt_chan [--list] [--here] [--mode=one|two|hard] [--seed=N] [CASE..]
 *
 * Each case runs with one proc, with two, and with two and WEFT_DEBUG=hard=1; a failure prints what it takes to see it
 * again.  --here runs one case in this process, for gdb and valgrind.
 */
#ifndef RT_KIT_H
#define RT_KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weft/weft.h>

/* What a case is, and what must become of its process.  All zero: it ends well, and prints what it likes. */
typedef struct kit_case {
	const char *name;
	const char *says; /* the sentence of Go's specification or documentation that it checks, and where it stands */
	void (*run)(void);
	bool outside;         /* run() is called outside weft_main(), and calls that itself if it wants to */
	bool soft;            /* not with hard=1 */
	int procs;            /* only with this many */
	int seconds;          /* time limit; 0: 10.  Longer under sanitizers. */
	const char *debug;    /* more for WEFT_DEBUG, such as "leaks=1" */
	const char *dies;     /* ends with this line on standard error, and exit status 2 */
	const char *err;      /* this stands somewhere in its standard error */
	const char *out;      /* this, and nothing else, is its standard output */
	int status;           /* exit status; a negative number is a signal */
	weft_options options; /* .procs is overwritten */
	struct kit_case *next;
} kit_case;

#define KIT_DEADLOCK "fatal error: all goroutines are asleep - deadlock!"

#define CASE(name_, ...)                                                                          \
	static void case_##name_(void);                                                           \
	__attribute__((constructor)) static void add_##name_(void)                                \
	{                                                                                         \
		static kit_case c = { .says = __VA_ARGS__, .name = #name_, .run = case_##name_ }; \
		kit_add(&c);                                                                      \
	}                                                                                         \
	static void case_##name_(void)

void kit_add(kit_case *c);

/* ---- in a case, on any goroutine or thread ---- */

/* Records a failure and goes on; true when all is well. */
#define kit_expect(cond) kit_expect_at(__FILE__, __LINE__, (cond), #cond)
/* The same for two integers that should be equal, and shows them. */
#define kit_equal(a, b) kit_equal_at(__FILE__, __LINE__, (int64_t)(a), (int64_t)(b), #a " == " #b)
/* Ends the process when it is not so: for what the rest of the case cannot do without. */
#define kit_require(cond) (kit_expect(cond) ? (void)0 : kit_stop())

bool kit_expect_at(const char *file, int line, bool good, const char *what);
bool kit_equal_at(const char *file, int line, int64_t a, int64_t b, const char *what);
_Noreturn void kit_stop(void);
/* Ends the case, which then counts as skipped, not as passed, for this reason. */
_Noreturn void kit_skip(const char *why);

/* Starts a goroutine; ends the process when that fails. */
void kit_go(weft_fn *fn, void *arg);

/* Lets others run until the condition holds.  The case's time limit is its limit. */
#define kit_until(cond) \
	while (!(cond)) \
	kit_pause()
void kit_pause(void);
/* Until at least n goroutines are parked, besides the one that calls. */
void kit_until_parked(size_t n);

/* This run's seed, for random tests. */
uint64_t kit_seed(void);
uint64_t kit_random(uint64_t *state); /* next number after *state */

/* How much work: n, less under sanitizers and valgrind. */
size_t kit_times(size_t n);
bool kit_watches_races(void); /* built with TSan */

#endif
