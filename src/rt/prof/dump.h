/* rt/prof/dump.h - goroutines as text: dumps, and what is said when the program ends by itself. */
#ifndef WEFT__DUMP_H
#define WEFT__DUMP_H

/* Once, before the first goroutine: overflow reports, SIGQUIT (where the program has no handler), and the dumps of
 * fatal.c.  0 or negative errno. */
int weft__dump_init(void);

#endif
