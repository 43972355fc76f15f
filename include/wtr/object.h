/* wtr/object.h - what goroutines wait for, where a trace says it: those of libweft do, Go's own do not.
 *
 * A GoBlock says why a goroutine waits, and no more.  libweft writes beside it which channel, lock, timer or
 * descriptor that is, and who holds the lock (docs/carrier.md).
 */
#ifndef WTR_OBJECT_H
#define WTR_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of objects, numbered as in the file, and their names. */
#define WTR_OBJECTS(X)                                                                                            \
	X(CHAN, "channel")                                                                                        \
	X(MUTEX, "mutex")                                                                                         \
	X(RWMUTEX, "rwmutex")                                                                                     \
	X(COND, "cond") X(WAITGROUP, "waitgroup") X(SEMAPHORE, "semaphore") X(TIMER, "timer") X(FD, "descriptor") \
		X(GROUP, "group")

typedef enum wtr_object_kind {
	WTR_OBJECT_NONE,
#define WTR_OBJECT_ENUM(ID, name) WTR_OBJECT_##ID,
	WTR_OBJECTS(WTR_OBJECT_ENUM)
#undef WTR_OBJECT_ENUM
		WTR_OBJECT_KIND_COUNT
} wtr_object_kind;

/* "channel", ...; "object" for a number that is none. */
WTR_API const char *wtr_object_name(unsigned kind);

typedef struct wtr_object {
	uint64_t id;    /* tells it from others of its kind, for as long as it lives (its address) */
	uint64_t attr;  /* of a channel its capacity, of a descriptor its number */
	int64_t holder; /* of a mutex or rwmutex: the goroutine that held it when the wait began; WTR_NONE: not known */
	uint8_t kind;   /* wtr_object_kind */
	uint8_t send;   /* of a channel: 1: waits to send, so it is full; 0: waits to receive, so it is empty */
	wtr_str name;   /* that its program gave it, living as long as the strings of the generation; empty: none */
} wtr_object;

enum { WTR_WAIT_OBJECTS_MAX = 16 }; /* of one wait: further cases of a select are not recorded */

/* The objects that a wait is for: writes at most n of them and returns how many there are, 0: not known.
 * wait: wtr_event.wait of an event of `t`; valid as long as the strings of its generation. */
WTR_API size_t wtr_wait_objects(const wtr_trace *t, uint32_t wait, wtr_object *ret, size_t n);

/* Whether the trace names objects at all.  Known after a pass that kept the tables (an index with lanes does); before
 * it: false. */
WTR_API bool wtr_names_objects(const wtr_trace *t);

/* A goroutine's label when its generation first mentions it.  Valid as long as the generation's strings. */
typedef struct wtr_kept_label {
	int64_t g;
	wtr_str label;
} wtr_kept_label;

/* The labels of generation i (0, 1, .., as in wtr_get_generation), sorted by goroutine: writes at most n of them and
 * returns how many there are.  A label that changes meanwhile is an event (WTR_KIND_LABEL). */
WTR_API size_t wtr_kept_labels(wtr_trace *t, size_t i, wtr_kept_label *ret, size_t n);

#ifdef __cplusplus
}
#endif
#endif
