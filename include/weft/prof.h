/* weft/prof.h - profiles: where a program spends its time and memory, and what its goroutines wait for.
 *
 * The profiles and their meaning are Go's (runtime/pprof), and so is the format: `go tool pprof FILE` and every other
 * reader of profile.proto opens them.  Stacks are walked by frame pointers: build with -fno-omit-frame-pointer, or a
 * function without one hides who called it (of CPU profiles the innermost one does not).  Names are looked up
 * when a profile is written; a stripped program shows "program+0x1234".
 *
 * Without a change to the program, by its environment:
 *   WEFT_CPUPROFILE=FILE[,hz=N]     a CPU profile from the start to the end of weft_main()
 *   WEFT_MEMPROFILE=FILE[,rate=N]   the heap profile at its end
 */
#ifndef WEFT_PROF_H
#define WEFT_PROF_H

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where a profile goes when not to a descriptor: called in order, on the calling goroutine or a thread of the library
 * meanwhile.  0, or a negative errno that ends the writing. */
typedef int weft_profile_sink(const void *at, size_t n, void *arg);

/* ---- the CPU profiler ---- */

/* How a CPU profile is taken.  All zero: as weft_cpu_profile_start(0). */
typedef struct weft_cpu_profile_options {
	int fd;                  /* where weft_cpu_profile_stop() writes it; stays the caller's */
	weft_profile_sink *sink; /* instead of fd */
	void *sink_arg;
	int hz; /* samples for each second of CPU time of a thread; 0: 100.  At most 10,000; kernels look at the time
		 * used so far some 100 to 1,000 times a second, and what they see late counts for as many samples */
} weft_cpu_profile_options;

/* Starts to profile all threads of the process, also those that run no goroutines, for the CPU time that they use.
 *
 * Returns 0; -EBUSY when it runs already, -EPERM when the scheduler does not, -EINVAL for hz, -ENOMEM, -EAGAIN when the
 * kernel has no timers left.  While a trace runs (weft/trace.h) the samples are in the trace, too.
 * Those for which there was no room are counted, in both, as samples of weft__lost_samples.
 * Uses SIGPROF; a handler that the program has for it sees the signals of others.  Any goroutine.
 * Same as Go: pprof.StartCPUProfile.
 */
WEFT_API int weft_cpu_profile_start(int fd);
WEFT_API int weft_cpu_profile_start_with(const weft_cpu_profile_options *opt);
/* Stops it and writes the profile: 0, -EINVAL when none runs, or the error of writing.
 * Same as Go: pprof.StopCPUProfile. */
WEFT_API int weft_cpu_profile_stop(void);

/* ---- the other profiles ----
 *
 *   goroutine      stacks of all goroutines
 *   threadcreate   stacks that led to new threads
 *   heap, allocs   sampled allocations of the collected heap (weft/gc.h) and, with libweft_malloc, of malloc(): objects
 *                  and bytes, allocated and still in use.  What is collected is as of the last collection, as in Go.
 *                  The two differ in what is shown first
 *   block          where goroutines waited, how often and how long, for channels, locks, conditions, groups
 *   mutex          who held locks that others waited for: stacks of the unlocks, and the time that others waited
 */

/* Writes a profile to fd (or to sink).
 *
 * debug 0: gzipped profile.proto.  1: text, with the same numbers, as Go's debug=1.  2: goroutines as weft_dump()
 * writes them; other profiles as with 1.
 * Returns 0, -ENOENT for a name that is none of the above, -EINVAL for debug, -ENOMEM, or the error of writing.  Any
 * thread.  Same as Go: pprof.Lookup(name).WriteTo.
 */
WEFT_API int weft_profile_write(const char *name, int fd, int debug);
WEFT_API int weft_profile_write_to(const char *name, weft_profile_sink *sink, void *arg, int debug);

/* The names, in order of the alphabet; NULL beyond the last one. */
WEFT_API const char *weft_profile_name(size_t i);
/* How many different records (goroutine, threadcreate: how many goroutines, threads) the profile has now; -ENOENT. */
WEFT_API int64_t weft_profile_count(const char *name);

/* Rates: each sets one and returns the one before; a negative number only asks.  Any thread. */

/* One blocking event is recorded for each `ns` of waiting, on average; 1: every one; 0: none (at first).
 * Same as Go: runtime.SetBlockProfileRate. */
WEFT_API int64_t weft_block_profile_rate(int64_t ns);
/* One of `n` contentions is recorded, on average; 0: none (at first).  Same as Go: runtime.SetMutexProfileFraction. */
WEFT_API int64_t weft_mutex_profile_fraction(int64_t n);
/* One allocation is recorded for each `bytes`, on average; 1: every one; 0: none.  At first 524,288.
 * To be set once, as early as possible.  Same as Go: runtime.MemProfileRate. */
WEFT_API int64_t weft_mem_profile_rate(int64_t bytes);

/* ---- labels ----
 *
 * Pairs of texts that a goroutine has, and those that it starts inherit: in CPU and goroutine profiles, and in traces.
 * Texts are cut at 255 bytes, and there are at most WEFT_LABELS_MAX pairs.  Same as Go: pprof.Do, pprof.Labels. */

#define WEFT_LABELS_MAX 16

/* Has fn(arg) called with one more label, in place of one of the same key: 0, or -ENOMEM, -E2BIG, -EPERM outside a
 * goroutine; then fn has not been called. */
WEFT_API int weft_labels_do(const char *key, const char *value, weft_fn *fn, void *arg);
/* The same without a function: sets one label of this goroutine; value NULL: takes it away. */
WEFT_API int weft_labels_set(const char *key, const char *value);
/* Takes all away. */
WEFT_API void weft_labels_clear(void);
/* The value of this goroutine's label, until its labels change; NULL. */
WEFT_API const char *weft_labels_get(const char *key);

#ifdef __cplusplus
}
#endif
#endif
