/* rt/prof/cpu.h - the CPU profiler.
 *
 * Each thread of the process has a timer on its CPU time that signals it; the handler walks the stack by frame pointers
 * and puts a sample into a ring, without locks and without memory of its own.  A thread of the library reads the ring,
 * finds the callers of functions that have no frame, adds samples up by stack and labels, keeps those taken while a
 * trace ran until the tracer asks for them, and looks for threads that have come since.
 */
#ifndef WEFT__CPU_H
#define WEFT__CPU_H

#include <weft/prof.h>

#include "os/cputimer.h"
#include "rt/prof/doc.h"

/* Once, before the first goroutine: tells the tracer whom to ask for samples. */
void weft__cpu_init(void);

/* 0; -EBUSY, -ENOMEM, -EAGAIN, or another negative errno.  opt->hz is not 0. */
int weft__cpu_start(const weft_cpu_profile_options *opt);
/* The profile since then, to be freed by weft__prof_table_free, and what it was started with; -EINVAL: none ran. */
int weft__cpu_stop(weft__prof_doc *ret, weft_cpu_profile_options *ret_opt);

/* For tests: real time is as fine as one likes. */
extern wo_cputimer_clock weft__cpu_clock;
/* Bytes of samples that wait for the tracer; more are counted only. */
extern size_t weft__cpu_kept_most;

#endif
