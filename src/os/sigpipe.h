/* os/sigpipe.h - a pipe that nobody reads any more: an error of the write, not the end of the program.
 *
 * The kernel raises SIGPIPE on the thread that writes.  Blocking it there would be inherited by the programs that this
 * one starts, and ignoring it, too; a handler is not, and it can tell whose write it was. */
#ifndef WO_SIGPIPE_H
#define WO_SIGPIPE_H

#include <signal.h>

/* From now on wo_io_write and wo_io_writev return -EPIPE, except where they write to standard output or error: that,
 * and all that others write or send, still ends the program as if no handler were there.  Changes nothing where
 * SIGPIPE does not have its default action. */
void wo_sigpipe_init(void);

/* This thread is in a write that is to fail.  io.c's. */
extern __thread volatile sig_atomic_t wo_sigpipe_spared __attribute__((tls_model("initial-exec")));

#endif
