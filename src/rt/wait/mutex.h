/* rt/wait/mutex.h - mutexes, for what is made of them. */
#ifndef WEFT__MUTEX_H
#define WEFT__MUTEX_H

#include <weft/sync.h>

#include "rt/wait/waiter.h"

/* weft_lock and weft_unlock, inside the runtime; `why` and `object` are for dumps.  *m is the thread afterwards. */
void weft__mutex_lock(weft__m **m, weft_mutex *mutex, weft__reason why, const void *object);
/* True: the mutex now belongs to a goroutine that runs next here, so the caller should park or yield soon. */
bool weft__mutex_unlock(weft__m *m, weft_mutex *mutex);

#endif
