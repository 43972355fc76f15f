/* rt/api/trace.h - WEFT_TRACE: traces of programs that know nothing of it. */
#ifndef WEFT__TRACE_H
#define WEFT__TRACE_H

/* Before the first goroutine runs: starts what WEFT_TRACE says, if anything.  A value that it does not understand, or a
 * file that cannot be written, is a fatal error. */
void weft__trace_from_env(void);
/* Before the world stops for the last time: ends that trace.  Outside the runtime. */
void weft__trace_end(void);

#endif
