/* rt/api/options.h - what weft_options, WEFT_PROCS and WEFT_DEBUG say. */
#ifndef WEFT__OPTIONS_H
#define WEFT__OPTIONS_H

#include <weft/go.h>

#include "rt/sched/world.h"

/* Defaults filled in, the environment's word last.  0 or -EINVAL; an unknown word in WEFT_DEBUG is a fatal error. */
int weft__options_read(const weft_options *opt, weft__world_options *ret);
/* At the end of the program: goroutines that are still parked, if that was asked for. */
void weft__options_report_leaks(void);
/* At most `most` bytes of it, to be freed with wb_free; NULL without memory. */
char *weft__options_copy_name(const char *name, size_t most);

#endif
