/* os/thread.h - threads, clocks and the machine. */
#ifndef WO_THREAD_H
#define WO_THREAD_H

#include <pthread.h>
#include <stdint.h>

int wo_thread_start(pthread_t *t, void *(*fn)(void *), void *arg); /* 0 or -errno; signals but SIGPROF blocked inside */
/* The same, detached, with the caller's signal mask: for threads that run other people's code. */
int wo_thread_start_open(pthread_t *t, void *(*fn)(void *), void *arg);
int wo_processors(void);      /* this process may run on, at least 1 */
uint64_t wo_memory_bytes(void); /* that the machine has */
void wo_sleep_ns(int64_t ns); /* about; less than a second; signals end it */
uint64_t wo_thread_id(void);  /* the kernel's, of the calling thread */
int64_t wo_now_ns(void);      /* CLOCK_MONOTONIC */
int64_t wo_since_1970_ns(void);

#endif
