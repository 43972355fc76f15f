/* rt/sched/fatal.c - ends of the program. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <weft/go.h>

#include "rt/sched/enter.h"
#include "rt/sched/scheduler.h"

enum { STATUS = 2, TEXT_MAX = 1024 };

void (*weft__dump_hook)(int fd, bool all);
void (*weft__end_hook)(void);
bool weft__crash_aborts;

static void say(const char *text)
{
	size_t n = strlen(text);
	while (n > 0) {
		ssize_t k = write(STDERR_FILENO, text, n);
		if (k <= 0)
			return;
		text += k;
		n -= (size_t)k;
	}
}

/* The first thread that ends the program does; others wait for it. */
static void only_one(void)
{
	static _Atomic bool ending;
	static __thread bool mine;
	if (atomic_exchange(&ending, true)) {
		if (mine)
			_exit(STATUS); /* it fails while it says why it failed */
		for (;;)
			nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	}
	mine = true;
}

_Noreturn static void end(const char *kind, const char *text, bool all, bool is_abort)
{
	only_one();
	say(kind);
	say(text);
	say("\n");
	if (weft__dump_hook)
		weft__dump_hook(STDERR_FILENO, all);
	/* Not after a broken invariant, nor while the world is stopped: whoever it waits for may never come. */
	if (weft__end_hook && !is_abort && !atomic_load(&weft__sched.stopping)) {
		weft__leave(weft__self());
		weft__end_hook();
	}
	if (is_abort || weft__crash_aborts)
		abort();
	_exit(STATUS);
}

_Noreturn void weft__throw(const char *what)
{
	end("fatal error: weft: broken invariant: ", what, /* all= */ true, /* is_abort= */ true);
}

_Noreturn void weft__fatal(const char *what)
{
	end("fatal error: ", what, /* all= */ true, /* is_abort= */ false);
}

void weft_panic(const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	end("panic: ", text, /* all= */ false, /* is_abort= */ false);
}
