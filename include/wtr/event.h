/* wtr/event.h - the ordered events of a trace, with their strings and stacks.
 *
 * The order, the context (thread, proc, goroutine before the event) and the times are those of Go 1.27's reader
 * (internal/trace, Reader.ReadEvent): times are strictly increasing over the whole trace.
 */
#ifndef WTR_EVENT_H
#define WTR_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/open.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WTR_NONE (-1) /* no thread, proc, goroutine, task */

/* Kinds of event, in Go's spelling (internal/trace, EventKind). */
#define WTR_KINDS(X)                                                                                            \
	X(BAD, "Bad")                                                                                           \
	X(SYNC, "Sync") X(METRIC, "Metric") X(LABEL, "Label") X(STACK_SAMPLE, "StackSample")                    \
		X(RANGE_BEGIN, "RangeBegin") X(RANGE_ACTIVE, "RangeActive") X(RANGE_END, "RangeEnd")            \
			X(TASK_BEGIN, "TaskBegin") X(TASK_END, "TaskEnd") X(REGION_BEGIN, "RegionBegin")        \
				X(REGION_END, "RegionEnd") X(LOG, "Log") X(STATE_TRANSITION, "StateTransition") \
					X(EXPERIMENTAL, "Experimental")

typedef enum wtr_kind {
#define WTR_KIND_ENUM(ID, name) WTR_KIND_##ID,
	WTR_KINDS(WTR_KIND_ENUM)
#undef WTR_KIND_ENUM
		WTR_KIND_COUNT
} wtr_kind;

/* What a transition or a range is about. */
typedef enum wtr_resource { WTR_RES_NONE, WTR_RES_GOROUTINE, WTR_RES_PROC, WTR_RES_THREAD } wtr_resource;

/* Goroutine states (GoState) and proc states (ProcState). */
typedef enum wtr_gstate {
	WTR_G_UNDETERMINED,
	WTR_G_NOTEXIST,
	WTR_G_RUNNABLE,
	WTR_G_RUNNING,
	WTR_G_WAITING,
	WTR_G_SYSCALL,
	WTR_G_COUNT
} wtr_gstate;
typedef enum wtr_pstate { WTR_P_UNDETERMINED, WTR_P_NOTEXIST, WTR_P_RUNNING, WTR_P_IDLE, WTR_P_COUNT } wtr_pstate;

typedef enum wtr_range {
	WTR_RANGE_STW,
	WTR_RANGE_GC_MARK,
	WTR_RANGE_SWEEP,
	WTR_RANGE_MARK_ASSIST,
	WTR_RANGE_COUNT
} wtr_range;
typedef enum wtr_metric {
	WTR_METRIC_GOMAXPROCS,
	WTR_METRIC_HEAP_BYTES,
	WTR_METRIC_HEAP_GOAL_BYTES,
	WTR_METRIC_COUNT
} wtr_metric;

/* One event.  Which fields mean something depends on `kind`; the others are 0.
 *
 *   kind               resource  detail      id           value[0]       value[1]     str        str2      stack  other
 *   SYNC                                     N (1, 2, ..) generation+1 (0: no data, the last)
 *   METRIC                       wtr_metric               value                                            own
 *   LABEL              G                     goroutine                                label
 *   STACK_SAMPLE                                                                                           sample
 *   RANGE_*            N, G, P   wtr_range   g or p       swept bytes    reclaimed    STW kind             own
 *                                                         (the two at the end of a sweep only)
 *   TASK_BEGIN, _END                         task         parent task                 type                 own
 *   REGION_BEGIN, _END                       task                                     type                 own
 *   LOG                                      task                                     category   message   own
 *   STATE_TRANSITION   G or P    from<<4|to  g or p       (ProcStatus: as  -           reason               own    its
 *                                                         on the wire)
 *   EXPERIMENTAL                             arg 0        arg 1          arg 2
 *
 * "own": the stack of the context, that is of goroutine `g` at this moment; other is transition_stack, "its" is that of
 * the resource.  0 is "no stack", and the empty string.
 * The order of a stack is innermost frame first.  A parent that is not there is WTR_NONE (as uint64_t).
 */
typedef struct wtr_event {
	int64_t time_ns; /* the trace's own clock; subtract wtr_span's start for display */
	int64_t m, p, g; /* thread, proc and goroutine before the event; WTR_NONE if none */
	int64_t id;
	uint64_t value[2];
	uint32_t stack, transition_stack; /* for wtr_stack() */
	uint32_t str, str2;               /* for wtr_string() */
	uint8_t kind;                     /* wtr_kind */
	uint8_t type;                     /* wire number of the v2 event (WF_EV_...), in v1 of its like; 0: Sync */
	uint8_t resource;                 /* wtr_resource */
	uint8_t detail;
	uint32_t wait; /* of a goroutine that begins to wait: for wtr_wait_objects(); 0: not known */
} wtr_event;

/* wait of a goroutine that goes to Syscall, or is found there, though it makes no system call: it computed for long,
 * and its proc was taken (libweft's traces only). */
#define WTR_PROC_TAKEN UINT32_MAX

static inline wtr_gstate wtr_from(const wtr_event *e)
{
	return (wtr_gstate)(e->detail >> 4);
}
static inline wtr_gstate wtr_to(const wtr_event *e)
{
	return (wtr_gstate)(e->detail & 15);
}

/* "Running", ... in Go's spelling; "Bad" for a number that is none. */
WTR_API const char *wtr_kind_name(unsigned kind);
WTR_API const char *wtr_gstate_name(unsigned state);
WTR_API const char *wtr_pstate_name(unsigned state);
/* "stop-the-world", "GC concurrent mark phase", "GC incremental sweep", "GC mark assist". */
WTR_API const char *wtr_range_name(unsigned range);
/* "/sched/gomaxprocs:threads", "/memory/classes/heap/objects:bytes", "/gc/heap/goal:bytes". */
WTR_API const char *wtr_metric_name(unsigned metric);
/* "GoCreate", ...: the wire event behind `type`; "Sync" for 0. */
WTR_API const char *wtr_type_name(unsigned type);

/* Which events a cursor delivers.  All zero: all of them. */
typedef struct wtr_filter {
	bool has_from, has_to; /* use from_ns / to_ns: absolute times, from included, to excluded */
	int64_t from_ns, to_ns;
	bool has_g, has_p, has_m; /* context or, for transitions and ranges, the resource */
	int64_t g, p, m;
	uint32_t kinds; /* bit set of 1 << wtr_kind; 0: all */
	bool has_type;
	uint8_t type; /* one wire type */
} wtr_filter;

/* A pass over the ordered events.
 *
 * Ownership: the caller's until wtr_cursor_close().
 * Threads: a cursor belongs to one thread at a time; reading happens on background threads too unless
 *   wtr_options.threads is 1.
 * Errors: NULL, and *err filled, only when memory is out.
 */
typedef struct wtr_cursor wtr_cursor;
WTR_API wtr_cursor *wtr_cursor_open(wtr_trace *t, const wtr_filter *filter, wtr_error *err);
WTR_API void wtr_cursor_close(wtr_cursor *c);

/* The next events: their number, 0 at the end or at an error, with *ret pointing to them.
 * They, and the strings and stacks of their generation, stay valid until the next call (strings and stacks until
 * wtr_close() when wtr_options.keep_tables is set). */
WTR_API size_t wtr_next(wtr_cursor *c, const wtr_event **ret);

/* Why wtr_next() ended: code OK at the proper end of the trace.  Belongs to the cursor. */
WTR_API const wtr_error *wtr_cursor_error(const wtr_cursor *c);

/* How many events this pass went through so far that are in the time of its filter, delivered or not. */
WTR_API uint64_t wtr_cursor_seen(const wtr_cursor *c);

/* What this pass stepped over so far (only with WTR_REPAIR, or behind an error). */
typedef struct wtr_losses {
	uint64_t events;      /* decoded but impossible to order */
	uint64_t batches;     /* unreadable */
	uint64_t generations; /* dropped whole */
	uint64_t bytes;       /* of the trace, not delivered as events */
} wtr_losses;
WTR_API void wtr_cursor_losses(const wtr_cursor *c, wtr_losses *ret);

/* A borrowed text: not 0-terminated, may hold any byte. */
typedef struct wtr_str {
	const char *at;
	size_t n;
} wtr_str;

typedef struct wtr_frame {
	uint64_t pc;
	wtr_str func, file;
	uint64_t line;
} wtr_frame;

/* The text of a string id of an event of `t`; the empty string for 0, unknown ids and released generations. */
WTR_API wtr_str wtr_string(const wtr_trace *t, uint32_t id);

/* Writes at most `n` frames of a stack, innermost first, and returns how many it has (0 for no stack).  */
WTR_API size_t wtr_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n);

/* Experimental batches of generation `i` are not interpreted; this gives their number. */
WTR_API size_t wtr_experimental_batches(wtr_trace *t, size_t i);

#ifdef __cplusplus
}
#endif
#endif
