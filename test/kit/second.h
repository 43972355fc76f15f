/* kit/second.h - a second validator of traces, written from the description of the format and nothing else.
 *
 * It shares no code with the tracer, with fmt or with libwtr, so that a mistake in what they share is seen.  It takes
 * header version 1.26 only, and whole traces only: where Go's reader is lenient (a tail that is cut off, a goroutine
 * that a generation does not mention) this one is not.
 */
#ifndef KIT_SECOND_H
#define KIT_SECOND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECOND_TYPES = 137, SECOND_WHY = 256 };

typedef struct second_result {
	uint64_t generations;
	uint64_t n[SECOND_TYPES]; /* timed events by number */
	char why[SECOND_WHY];     /* "" when all is well */
} second_result;

/* The bytes of a trace.  True when it is sound:
 *   - the container, the sections and the limits of their entries, ids that are used and not defined;
 *   - times in each thread's stream, and an order of all threads' events that their rules allow;
 *   - each generation says what every goroutine and proc that lives is doing, so that any can be the first;
 *   - no world is stopped across generations. */
bool second_check(const void *at, size_t n, second_result *ret);

#endif
