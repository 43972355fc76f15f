/* os/process.h - other programs. */
#ifndef WO_PROCESS_H
#define WO_PROCESS_H

/* Runs a program, found like a shell finds it, with this one's environment and standard files, and waits for its end.
 * Interrupts from the terminal meanwhile are for it, not for us.  *ret_status: what it exited with, or 128 + the signal
 * that killed it.  0, or negative errno: it was not started. */
int wo_process_run(char *const *argv, int *ret_status);

#endif
