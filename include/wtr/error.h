/* wtr/error.h - what can go wrong while reading a trace, and where it did. */
#ifndef WTR_ERROR_H
#define WTR_ERROR_H

#include <stdint.h>

#include <wtr/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every code, its pinned number and its text.  Append only: numbers are part of the ABI. */
#define WTR_CODES(X)                                           \
	X(OK,         0, "success")                            \
	X(E_IO,      -1, "the operating system refused")       \
	X(E_MAGIC,   -2, "not a Go execution trace")           \
	X(E_VERSION, -3, "trace version not supported")        \
	X(E_TRUNC,   -4, "the trace ends inside a record")     \
	X(E_FORMAT,  -5, "a record breaks the wire format")    \
	X(E_ORDER,   -6, "no order of events explains this trace") \
	X(E_LIMIT,   -7, "a limit was reached")                \
	X(E_NOMEM,   -8, "out of memory")                      \
	X(E_USAGE,   -9, "a function was called with arguments it does not take")

typedef enum wtr_code {
#define WTR_CODE_ENUM(name, number, text) WTR_##name = number,
	WTR_CODES(WTR_CODE_ENUM)
#undef WTR_CODE_ENUM
} wtr_code;

/* Where and why reading stopped.  Plain values: nothing to free, copy it freely. */
typedef struct wtr_error {
	wtr_code    code;
	uint64_t    offset;     /* bytes from the start of the (inflated) trace */
	uint64_t    generation; /* its number in the file; 0 when not inside one */
	int64_t     thread;     /* OS thread id, -1 when none is involved */
	const char *event;      /* event name in Go's spelling, "" when none; static */
	const char *rule;       /* short stable name of the broken rule, such as "order.go-exists"; static */
	char        what[240];  /* one English sentence with the values involved, no trailing stop */
} wtr_error;

/* The text of a code ("success", ...); never NULL, also for numbers that are no code. */
WTR_API const char *wtr_strerror(wtr_code code);

#ifdef __cplusplus
}
#endif
#endif
