/* rt/api/profenv.h - WEFT_CPUPROFILE and WEFT_MEMPROFILE: profiles of programs that know nothing of them. */
#ifndef WEFT__PROFENV_H
#define WEFT__PROFENV_H

#include <stdbool.h>

/* Before the first goroutine runs, after weft__trace_from_env: starts what the variables say, if anything.  A value
 * that it does not understand, or a file that cannot be written, is a fatal error. */
void weft__profile_from_env(void);
/* Before the world stops for the last time: writes those profiles; collect: after a collection, in a goroutine. */
void weft__profile_end(bool collect);

#endif
