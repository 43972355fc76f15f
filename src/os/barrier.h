/* os/barrier.h - memory barriers that other threads pay for. */
#ifndef WO_BARRIER_H
#define WO_BARRIER_H

#include <stdbool.h>

/* Makes wo_barrier_all possible in this process: false where the kernel has no membarrier(2). */
bool wo_barrier_init(void);

/* Every thread of this process that runs passes a full memory barrier before this returns; some 15 us when others run.
 */
void wo_barrier_all(void);

#endif
