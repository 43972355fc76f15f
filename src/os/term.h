/* os/term.h - the terminal, Ctrl-C and other programs. */
#ifndef WO_TERM_H
#define WO_TERM_H

#include <stdbool.h>
#include <stdint.h>

bool wo_is_terminal(int fd);
int  wo_columns(int fd); /* width of the terminal; 0 when it is none or does not say */

/* From here on SIGINT, SIGTERM and SIGHUP do not end the process but wait for wo_stop_wait(); threads started later
 * inherit this.  Call it before the first one. */
void wo_stop_block(void);
/* Waits for one of them at most `timeout_ns` (negative: forever); true when one came. */
bool wo_stop_wait(int64_t timeout_ns);

/* Starts a program found in $PATH, its input and output going nowhere, in a process group of its own; 0 or -errno. */
int wo_spawn(const char *const argv[], int *ret_pid);
/* Has it ended?  Then true, with its exit status (128 + signal if killed). */
bool wo_ended(int pid, int *ret_status);

#endif
