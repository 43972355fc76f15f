/* weft/trace.h - the execution tracer: everything that goroutines do, in Go's own trace format.
 *
 * A trace holds each goroutine's creation, start and end, each block and unblock with its reason and stack, system
 * calls, network waits, garbage collections, and the tasks, regions and messages of the program, every one of them with
 * its time.  Stacks begin with the program's call into the library, those of CPU samples with what was running.  `weft
 * FILE` and `go tool trace FILE` open it.  Costs: some 20 ns an event; when no trace runs, a load and a branch.
 *
 * Without a change to the program: WEFT_TRACE=FILE in its environment traces it from its start to its end, and
 * WEFT_TRACE=FILE,window=10s keeps the last 10 seconds and writes them when it ends (`weft record` sets these).
 */
#ifndef WEFT_TRACE_H
#define WEFT_TRACE_H

#include <stdbool.h>

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- recording ---- */

typedef int weft_trace_write(const void *at, size_t n, void *arg);

/* Where a trace goes and how much of it is kept. */
typedef struct weft_trace_options {
	int fd; /* written to, not closed; -1: none */
	weft_trace_write
		*write; /* instead of fd: 0, or a negative errno that ends the trace; on a thread of the library */
	void *write_arg;
	/* Flight recorder: the newest part is kept in memory for weft_trace_snapshot(), as long as it takes so many
	 * bytes and is so old at most; a generation (about a second) always is.  0 bytes: none. */
	size_t window_bytes;
	weft_ns window;
	size_t buffer_bytes; /* for events that are not written yet; 0: 64 MiB */
} weft_trace_options;

/* Starts a trace of the whole process to fd, which stays the caller's.
 *
 * Returns 0; -EBUSY when one runs, -EPERM when the scheduler does not, -ENOSYS without membarrier(2), -ENOMEM, -EAGAIN.
 * The world is not stopped.  Any goroutine; any number of times, one after the other.  When writing fails, or all
 * buffers are full for a second, the trace ends, what is written stays readable, and weft_trace_stop() says why. Same
 * as Go: trace.Start.
 */
WEFT_API int weft_trace_start(int fd);
WEFT_API int weft_trace_start_with(const weft_trace_options *opt);
/* Ends it and waits until all is written: 0, or what had ended it before; -EINVAL when none was started.
 * Same as Go: trace.Stop. */
WEFT_API int weft_trace_stop(void);
/* Any thread. */
WEFT_API bool weft_trace_on(void);

/* Writes what the flight recorder holds, up to now, to fd: a whole trace.  0, -EINVAL without a window, or an error of
 * writing; -ETIMEDOUT when fd is a pipe or the like, and nobody has read from it for 5 seconds: what it has got is
 * readable up to the last whole generation.  The program and its trace never wait for that reader.  One snapshot at a
 * time.  Same as Go: FlightRecorder.WriteTo. */
WEFT_API int weft_trace_snapshot(int fd);
/* The same without waiting, also from a signal handler; fd is closed when it is done, or given up.  -EINVAL, or -EBUSY
 * when one asked for before has not begun.  weft_trace_stop() waits for it. */
WEFT_API int weft_trace_snapshot_soon(int fd);

/* ---- what the program tells ----
 *
 * Names and messages are cut at 1,024 bytes.  No trace: nothing happens, and nothing is formatted.  For goroutines:
 * what other threads tell is left out, as Go's format has no place for it. */

/* Something that the program does for somebody, such as a request, perhaps on many goroutines: pass it along.  It is a
 * value; all zero is no task. */
typedef struct weft_task {
	uint64_t id;
} weft_task;

/* parent NULL: none.  Same as Go: trace.NewTask, Task.End. */
WEFT_API weft_task weft_task_begin(const weft_task *parent, const char *name);
WEFT_API void weft_task_end(weft_task task);

/* A part of a goroutine's time, for a task (NULL: none).  Regions of a goroutine nest, and end in the goroutine that
 * began them: -EINVAL for an end without a beginning, or of another name.  Same as Go: trace.StartRegion, Region.End.
 */
WEFT_API int weft_region_begin(const weft_task *task, const char *name);
WEFT_API int weft_region_end(const weft_task *task, const char *name);

/* A message, for a task (NULL: none), with a category ("" is one).  Same as Go: trace.Logf. */
WEFT_API void weft_log(const weft_task *task, const char *category, const char *fmt, ...) WEFT_PRINTF(3, 4);

/* ---- how it went ---- */

typedef struct weft_trace_stats {
	uint64_t generations, bytes; /* written so far */
	uint64_t waits;              /* times that a thread waited for a free buffer */
	weft_ns wait_ns;
	uint64_t lost_stacks, lost_strings; /* left out because tables were full */
} weft_trace_stats;
/* Of the running trace, else of the last.  Any thread. */
WEFT_API void weft_trace_read(weft_trace_stats *ret);

#ifdef __cplusplus
}
#endif
#endif
