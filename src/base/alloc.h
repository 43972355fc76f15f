/* base/alloc.h - every allocation of the project goes through here, so that tests can fail any of them.
 *
 * wb_fault_arm(n) makes the n-th allocation from now (1 is the next) return NULL, and every one after it when
 * `sticky`; wb_fault_arm(0, false) disarms.  Counting is process-wide and atomic.
 */
#ifndef WB_ALLOC_H
#define WB_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *wb_malloc(size_t n);
void *wb_calloc(size_t n, size_t size);             /* NULL also when n * size overflows */
void *wb_realloc(void *p, size_t n, size_t size);   /* to n * size bytes; p stays valid on NULL */
void *wb_aligned(size_t align, size_t n);           /* align: a power of two, a multiple of sizeof(void *) */
void  wb_free(void *p);

void     wb_fault_arm(uint64_t nth, bool sticky);
uint64_t wb_fault_count(void);                      /* allocations asked for since the process began */

#endif
