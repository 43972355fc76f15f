/* rt/prof/profiles.h - what the runtime's start and the debug endpoint ask of the profilers, beyond weft/prof.h. */
#ifndef WEFT__PROFILES_H
#define WEFT__PROFILES_H

#include "rt/prof/doc.h"

/* Once, before the first goroutine. */
void weft__profiles_init(void);

/* Appends to b, as gzipped profile.proto, what the profile of that name has more after wait(arg) than before.  The
 * goroutine that asks is in both with the same stack, and so in neither.
 * 0, -ENOENT, -ENOMEM, or what else wait() returned: then b is as it was.  Any thread. */
int weft__profile_delta(const char *name, int (*wait)(void *arg), void *arg, wb_buf *b);

#endif
