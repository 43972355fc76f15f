/* weft/block.h - calls that block a thread, without blocking other goroutines.
 *
 * A thread that blocks in the kernel keeps its proc only while nobody else needs it: the monitor takes the proc away
 * after about 20 microseconds to 10 milliseconds when other goroutines wait, and the goroutine queues for one when its
 * call ends.
 */
#ifndef WEFT_BLOCK_H
#define WEFT_BLOCK_H

#include <sys/types.h>
#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct addrinfo;

/* Around anything that may block this thread: a system call, a lock of pthread, a slow library.  Nothing of this
 * library may be called in between, except what is for any thread.  errno of the call is still there after _end(); read
 * it with weft_errno().  They do not nest.  Nothing at all outside a goroutine.
 * Same as Go: what every system call of package syscall does. */
WEFT_API void weft_syscall_begin(void);
WEFT_API void weft_syscall_end(void);

/* Runs fn(arg) on the thread's own large stack, between _begin() and _end(): for library code that blocks or needs more
 * stack than a goroutine has.  Nothing of this library may be called in fn, except what is for any thread.  Outside a
 * goroutine it just calls. */
WEFT_API void weft_blocking(weft_fn *fn, void *arg);

/* Any system call by its number (SYS_*), with _begin() and _end() around it: its result, or a negative errno.  The last
 * arguments may be 0. */
WEFT_API long weft_syscall(long number, long a, long b, long c, long d, long e, long f);

/* The calls of the same names, with _begin() and _end() around them; a negative errno instead of -1.  EINTR is not
 * retried. */
WEFT_API pid_t weft_waitpid(pid_t pid, int *ret_status, int options);
WEFT_API int weft_fsync(int fd);
WEFT_API int weft_fdatasync(int fd);
WEFT_API int weft_flock(int fd, int operation);
/* getaddrinfo() by weft_blocking(): its own result (EAI_*), *ret to be given to freeaddrinfo(). */
WEFT_API int weft_getaddrinfo(
	const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

#ifdef __cplusplus
}
#endif
#endif
