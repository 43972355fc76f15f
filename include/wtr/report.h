/* wtr/report.h - what a whole trace says: totals, tables, goroutine summaries, lanes for drawing.
 *
 * An index is one pass over the ordered events that keeps answers instead of events.  Definitions are those of
 * `go tool trace` of Go 1.27 (internal/trace, Summarizer), unless docs/analyses.md says where Go is wrong.
 */
#ifndef WTR_REPORT_H
#define WTR_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/error.h>
#include <wtr/event.h>
#include <wtr/open.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WTR_NEVER INT64_MIN /* a time that the trace does not know */

typedef struct wtr_index wtr_index;

/* What an index computes; a bit set.  Memory: TOTALS grows with goroutines, procs, threads and tasks (about 200 bytes
 * each while it is built), GOROUTINES keeps a row of each, EVENTS grows with ranges, metrics, annotations and samples,
 * LANES with state intervals (about 6 to 8 bytes each). */
typedef enum wtr_part {
	WTR_PART_TOTALS     = 1 << 0,
	WTR_PART_GOROUTINES = 1 << 1,
	WTR_PART_EVENTS     = 1 << 2, /* includes GOROUTINES */
	WTR_PART_LANES      = 1 << 3, /* includes GOROUTINES */
	WTR_PART_ALL        = 15,
	WTR_PART_OBJECTS    = 1 << 4, /* includes GOROUTINES; EVENTS and LANES include it: see wtr_goroutine_wait() */
} wtr_part;

/* Reads the whole trace once.
 *
 * Ownership: *ret is the caller's until wtr_index_free(); it must be freed before the trace is closed.
 * Errors: damage inside the trace is none: what was read before it counts, and wtr_totals.end says why reading ended.
 *   E_NOMEM, E_LIMIT or E_IO (progress returned false) leave *ret untouched.
 * Threads: reads on up to wtr_options.threads threads; the finished index is immutable and may be asked from many
 * threads.
 */
WTR_API wtr_code wtr_index_build(wtr_trace *t, unsigned parts, wtr_index **ret, wtr_error *err);
WTR_API void wtr_index_free(wtr_index *x); /* x may be NULL */

/* The same, counting only what happens in [from_ns, to_ns) (absolute times): as if everything that is going on at
 * from_ns began then, and the trace ended at to_ns.  Goroutines that ended before are not there, nor those that were
 * first named later.  For the parts TOTALS, GOROUTINES and OBJECTS; E_USAGE with others, or when the time is empty. */
WTR_API wtr_code wtr_index_build_within(
	wtr_trace *t, unsigned parts, int64_t from_ns, int64_t to_ns, wtr_index **ret, wtr_error *err);

/* The goroutines of a part of the time, as wtr_index_build_within() counts them, for whoever asks for one part after
 * the other: added up from the lanes of a finished index, in the time that its part of them takes.  That takes an index
 * with all parts, of a trace that is sound and uses no goroutine id twice; else the trace is read.
 * *ret has the tables of goroutines (their n_regions are 0), and of the totals start_ns, end_ns, from_ns, to_ns and
 * goroutines.  It must be freed before `x`.  Errors: as wtr_index_build_within().  Any thread. */
WTR_API wtr_code wtr_index_within(
	const wtr_index *x, int64_t from_ns, int64_t to_ns, wtr_index **ret, wtr_error *err);

/* Totals of the trace. */
typedef struct wtr_totals {
	int64_t  start_ns, end_ns;     /* first and last event, absolute */
	int64_t  from_ns, to_ns;       /* what is counted: the same, or the part that was asked for */
	int64_t  valid_end_ns;         /* last Sync; the last event when reading ended well */
	uint64_t events;               /* delivered */
	uint64_t valid_events;         /* up to and including the last Sync */
	uint64_t by_kind[WTR_KIND_COUNT];
	bool     has_wall;
	int64_t  wall_start_ns;        /* wall clock of start_ns, since 1970 UTC */
	uint64_t goroutines, procs, threads, tasks, regions;
	uint64_t gc_count;             /* mark phases begun */
	int64_t  gc_mark_ns;
	uint64_t stw_count, stw_open;
	int64_t  stw_ns, stw_longest_ns;
	uint64_t heap_samples, heap_max_bytes, heap_last_bytes;
	uint64_t goal_samples, goal_max_bytes, goal_last_bytes;
	uint64_t gomaxprocs_events;
	uint64_t cpu_samples, cpu_samples_with_g, cpu_samples_with_p, cpu_samples_with_m;
	wtr_error  end;                /* why reading ended; code OK at the proper end */
	wtr_losses losses;
} wtr_totals;

WTR_API void wtr_get_totals(const wtr_index *x, wtr_totals *ret);

/* ---- tables ---- */

#define WTR_C_I64 int64_t
#define WTR_C_U64 uint64_t
#define WTR_C_U32 uint32_t
#define WTR_C_U8  uint8_t
#define WTR_C_STR wtr_str

#define TABLE(ID, name, part, doc) typedef struct wtr_##name##_row {
#define COL(type, name, unit, doc) WTR_C_##type name;
#define END(ID, name) } wtr_##name##_row;
#include <wtr/tables.def>

typedef enum wtr_table {
#define TABLE(ID, name, part, doc) WTR_TABLE_##ID,
#define COL(type, name, unit, doc)
#define END(ID, name)
#include <wtr/tables.def>
	WTR_TABLE_COUNT
} wtr_table;

typedef enum wtr_column_type { WTR_COL_I64, WTR_COL_U64, WTR_COL_U32, WTR_COL_U8, WTR_COL_STR } wtr_column_type;

/* One column of a table: value i stands at (const char *)first + i * stride_bytes. */
typedef struct wtr_column {
	const char     *name, *unit, *doc; /* static */
	wtr_column_type type;
	const void     *first;             /* NULL when the table is empty */
	size_t          stride_bytes;
} wtr_column;

/* Name ("goroutine") and doc of a table; NULL when there is no such table.  Static. */
WTR_API const char *wtr_table_name(unsigned table, const char **ret_doc);
/* Number of rows; 0 when its part was not asked for. */
WTR_API size_t wtr_table_rows(const wtr_index *x, wtr_table table);
/* Its rows as an array of struct wtr_<name>_row, living as long as the index; NULL when empty. */
WTR_API const void *wtr_table_data(const wtr_index *x, wtr_table table);
/* Describes at most `n` columns and returns how many there are.  Views into the index, no copy. */
WTR_API size_t wtr_columns(const wtr_index *x, wtr_table table, wtr_column *ret, size_t n);

/* The row of a goroutine id in WTR_TABLE_GOROUTINES; NULL if not seen.  A reused id gives its last life. */
WTR_API const wtr_goroutine_row *wtr_goroutine(const wtr_index *x, int64_t id);

/* What a goroutine waits for at the end: for wtr_wait_objects().  0: it does not wait, or that is not known, as without
 * one of the parts OBJECTS, EVENTS and LANES, which keep what the trace says of objects. */
WTR_API uint32_t wtr_goroutine_wait(const wtr_index *x, int64_t id);

/* ---- lanes: gapless state intervals, and their drawing ---- */

/* What a lane shows at a moment.  The first is nothing (unborn, dead, idle); the eight others are what shares count. */
#define WTR_CLASSES(X)                                                                                     \
	X(NONE, "none", "not there, or idle")                                                              \
	X(RUNNING, "running", "executing on a proc")                                                       \
	X(RUNNABLE, "runnable", "ready, waiting for a proc")                                               \
	X(BLOCKED, "blocked", "waiting on a channel, select, condition or anything else")                  \
	X(LOCK, "lock", "waiting for a lock or another sync primitive")                                    \
	X(NETWORK, "network", "waiting for the network poller")                                            \
	X(SYSCALL, "syscall", "in a system call or C code")                                                \
	X(SLEEP, "sleep", "sleeping, or parked by the runtime")                                            \
	X(GC, "gc", "working for the garbage collector, or waiting for it")
typedef enum wtr_class {
#define WTR_CLASS_ENUM(ID, name, doc) WTR_CLASS_##ID,
	WTR_CLASSES(WTR_CLASS_ENUM)
#undef WTR_CLASS_ENUM
	WTR_CLASS_COUNT
} wtr_class;
WTR_API const char *wtr_class_name(unsigned cls);

typedef enum wtr_lane_kind {
	WTR_LANE_PROC,      /* id: proc id; spans: which goroutine runs on it */
	WTR_LANE_THREAD,    /* id: thread id */
	WTR_LANE_GOROUTINE, /* id: goroutine id */
	WTR_LANE_GROUP,     /* id: row of the groups table; all its goroutines as one lane: shares only */
	WTR_LANE_GC,        /* id 0: mark phases */
	WTR_LANE_STW,       /* id 0: stop the world */
	WTR_LANE_KIND_COUNT
} wtr_lane_kind;

typedef struct wtr_lane {
	wtr_lane_kind kind;
	int64_t       id;
} wtr_lane;

/* One state interval.  `reason`, stacks and wakers are there when the trace says so. */
typedef struct wtr_span {
	int64_t  start_ns, end_ns; /* end: start of the next one, or the end of the trace */
	uint8_t  cls;              /* wtr_class */
	uint8_t  state;            /* wtr_gstate on goroutine lanes, else wtr_pstate */
	bool     open_start;       /* it began before the trace did */
	bool     open_end;         /* the trace ended before it did */
	wtr_str  reason;           /* of waiting or stopping; STW kind */
	uint32_t stack;            /* of the goroutine when it got into this state */
	int64_t  g, p, m;          /* who: goroutine on the lane or on the proc, where it runs */
	int64_t  waker;            /* runnable, or just created: goroutine that unblocked or created it, WTR_NONE */
	uint32_t waker_stack;
	int64_t  waker_p;          /* proc that the waker ran on, WTR_NONE if none */
} wtr_span;

/* The span of a lane at a time; false when the lane has none there (or is a group). */
WTR_API bool wtr_span_at(const wtr_index *x, wtr_lane lane, int64_t time_ns, wtr_span *ret);
/* The span before (-1) or after (+1) the one at a time; class NONE is skipped. */
WTR_API bool wtr_span_step(const wtr_index *x, wtr_lane lane, int64_t time_ns, int direction, wtr_span *ret);

/* One thing to draw. */
typedef enum wtr_run_kind {
	WTR_RUN_EXACT,   /* one span */
	WTR_RUN_BLENDED, /* several spans of several classes: see share */
	WTR_RUN_FOLDED,  /* several spans of one class */
} wtr_run_kind;

#define WTR_MARK_STW    1 /* something rare inside: a stop-the-world, */
#define WTR_MARK_ASSIST 2 /* a mark assist, */
#define WTR_MARK_LOG    4 /* a user log, */
#define WTR_MARK_SAMPLE 8 /* a CPU sample */

typedef struct wtr_run {
	float    x0, x1;    /* pixels from the tile's start; may reach beyond its edges when a span does */
	uint8_t  kind;      /* wtr_run_kind */
	uint8_t  cls;       /* wtr_class of the largest share */
	uint8_t  marks;     /* WTR_MARK_... */
	uint8_t  flags;     /* 1: open start, 2: open end */
	uint32_t count;     /* spans inside */
	uint32_t ref;       /* EXACT on proc and thread lanes: row of the goroutine, else UINT32_MAX */
	uint8_t  share[8];  /* of x1-x0 in classes 1 .. 8, in 255ths (groups: of all its goroutines) */
} wtr_run;

/* What to draw of a lane in [t0_ns, t0_ns + width_px * 2^zoom ns): at most one run per 2 px.
 * Returns how many runs there are and writes at most `n`; width_px + 2 always suffice.
 * Nothing is written for class NONE.  Cost: proportional to width_px, not to the spans inside. */
WTR_API size_t wtr_tile(
	const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret, size_t n);

/* Counts of goroutines by class over [t0_ns, t0_ns + n * step_ns): ret[i * WTR_CLASS_COUNT + cls] is the mean number in
 * class cls during step i.  For the whole trace (group < 0) or the goroutines of one group. */
WTR_API bool wtr_counts(const wtr_index *x, int64_t group, int64_t t0_ns, int64_t step_ns, size_t n, float *ret);

/* Goroutines in lane order: by group, then by creation.  Writes at most n rows of the group from `first` on, returns
 * how many were written. */
WTR_API size_t wtr_group_goroutines(const wtr_index *x, uint32_t group, size_t first, uint32_t *ret, size_t n);

#ifdef __cplusplus
}
#endif
#endif
