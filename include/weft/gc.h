/* weft/gc.h - a collected heap: memory that is freed when nothing points to it any more.
 *
 * It starts with its first use; a program that never calls it pays nothing.  Pointers are found
 *   on the stacks and in the registers of all goroutines and threads of the runtime,
 *   in the static data of the program and its libraries, in collected objects, and in roots added here,
 *   in elements buffered in channels, in arguments and values of goroutines, in arguments of timers that wait,
 * not in memory from malloc(): make it a root.  A weft_timer may be in collected memory, and is kept while it waits;
 * one that has been stopped or has fired keeps nothing: who resets it has kept its argument.
 * A pointer to any byte of an object keeps it, also when it looks like one by chance (the collector is conservative).
 * Objects do not move.
 * All of it is for goroutines and, before weft_main(), for its thread.
 */
#ifndef WEFT_GC_H
#define WEFT_GC_H

#include <weft/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of `bytes`, all zero, in which pointers are looked for at every aligned word.  NULL when the limit is reached
 * or memory is out, after a collection.  Aligned for any type up to 16 bytes; 0 bytes give an address of their own. */
WEFT_API void *weft_new(size_t bytes);
/* The same, never looked into: for text, numbers, pixels. */
WEFT_API void *weft_new_bytes(size_t bytes);

/* What is in an object: its size, and where its pointers are (offsets in bytes, multiples of the size of a pointer).
 * It must stay as it is from its first use on. */
typedef struct weft_type {
	const char *name;
	size_t bytes;
	const size_t *pointers;
	size_t n_pointers;
} weft_type;
/* n objects of a type side by side; only its pointers are followed.  NULL also when n * bytes is too large. */
WEFT_API void *weft_new_typed(const weft_type *type, size_t n);

/* Memory outside the heap in which pointers are looked for, until removed.  0, or -ENOMEM; -ENOENT when it was not
 * added. */
WEFT_API int weft_root_add(const void *at, size_t bytes);
WEFT_API int weft_root_remove(const void *at, size_t bytes);

/* Has fn(object, arg) called once, in a goroutine of the library, some time after the last pointer to the object is
 * gone; the object is there for the call, and gone with a later collection.  fn NULL: takes it back.  `arg` does not
 * keep collected memory alive.  Not called for what is still there at the end of the program. 0; -EINVAL when `object`
 * is not the start of a collected object, -ENOMEM.  Same as Go: runtime.SetFinalizer. */
typedef void weft_finalizer(void *object, void *arg);
WEFT_API int weft_finalize(void *object, weft_finalizer *fn, void *arg);

/* Collects now; when it returns, what was unreachable before the call is free (and its finalizers are queued). */
WEFT_API void weft_gc(void);
/* Grows by how many percent between collections: sets it and returns the one before (100); negative: never collects by
 * itself.  Same as Go: debug.SetGCPercent. */
WEFT_API int weft_gc_percent(int percent);
/* Most bytes of the heap; 0: no limit.  Returns the one before.  Beyond it, weft_new() is NULL. */
WEFT_API size_t weft_gc_limit(size_t bytes);

typedef struct weft_gc_stats {
	uint64_t n_collections;
	size_t heap_bytes;        /* taken from the kernel */
	size_t live_bytes;        /* in use after the last collection */
	uint64_t allocated_bytes; /* in all, ever */
	weft_ns pause_ns;         /* world stopped, in all */
	weft_ns pause_last_ns;
	weft_ns pause_max_ns;
} weft_gc_stats;
/* All zero when the heap was never used. */
WEFT_API void weft_gc_read(weft_gc_stats *ret);

#ifdef __cplusplus
}
#endif
#endif
