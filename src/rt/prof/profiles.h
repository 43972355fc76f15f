/* rt/prof/profiles.h - what the runtime's start asks of the profilers. */
#ifndef WEFT__PROFILES_H
#define WEFT__PROFILES_H

/* Once, before the first goroutine. */
void weft__profiles_init(void);

#endif
