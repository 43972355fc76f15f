/* rt/prof/dumpwaits.h - what parked goroutines wait for, as text for dumps. */
#ifndef WEFT__DUMPWAITS_H
#define WEFT__DUMPWAITS_H

#include "rt/sched/gmp.h"

enum { WEFT__WAIT_TEXT_BYTES = 512 };

/* "for mutex 'accounts', held by goroutine 12", "for channel 0x7f04 (empty, 0 of 4)", "in select over 2: 'a', 0x7f04":
 * the length; 0: not known.  g waits; if it goes on meanwhile, the text is of a wait that is over. */
size_t weft__wait_text(const weft__g *g, char ret[WEFT__WAIT_TEXT_BYTES]);

/* Calls say(text, arg) for each circle of goroutines, every one of which waits for a lock that the next one holds, the
 * last one's is held by the first.  One circle is a line: "goroutine 7 waits for mutex 'a', held by goroutine 8, ..."
 * and is told in parts. */
void weft__wait_circles(void (*say)(const char *text, void *arg), void *arg);

#endif
