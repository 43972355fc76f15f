/* kit/kit.h - what tests share: files of the corpus, the heap's high-water mark, a whole pass that checks all it
 * sees. */
#ifndef KIT_H
#define KIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/wtr.h>

/* Says what is wrong and aborts: for code that runs outside cmocka, in forked children and fuzz targets. */
#define kit_check(cond) ((cond) ? (void)0 : kit_fail(__FILE__, __LINE__, #cond))
_Noreturn void kit_fail(const char *file, int line, const char *what);

/* A file's bytes, in memory of exactly that size (so that ASan sees a read beyond); free() them.  Aborts if
 * unreadable. */
uint8_t *kit_read(const char *path, size_t *ret_n);
/* The same for NAME.trace of the corpus (WEFT_TEST_DATA). */
uint8_t *kit_trace(const char *name, size_t *ret_n);
/* Names of all traces of the corpus in order, without suffix; NULL at the end.  They live until the process ends. */
char *const *kit_trace_names(size_t *ret_n);

/* What an input led to. */
typedef struct kit_run {
	wtr_code  opened;
	wtr_code  ended;      /* why the pass ended; = opened when that failed */
	wtr_code  indexed;
	uint64_t  events;
	uint64_t *hashes;     /* of the first `cap` events, if asked for: each covers all before it */
	size_t    cap;
	bool      tables_cut; /* an index so large that not every lane was walked */
} kit_run;

/* Opens the bytes, passes over all events with their strings and stacks, builds an index, looks at its lanes, and
 * closes; aborts when anything contradicts the promises of include/wtr.  Untrusted input: any bytes. ret: hashes and
 * cap as set by the caller; the rest is filled. */
void kit_whole(const void *data, size_t n, const wtr_options *opt, unsigned parts, kit_run *ret);

/* Asks every question about the bytes: profiles, utilization, latencies, requests, critical paths, counters, a part of
 * the time.  Any bytes; aborts when an answer contradicts its header. */
void kit_ask(const void *data, size_t n, const wtr_options *opt);

/* Bytes of the heap that the project holds, and the most it held since kit_heap_mark().  Needs the link arguments of
 * test/kit/meson.build (kit_heap_dep). */
size_t kit_heap_now(void);
void   kit_heap_mark(void);
size_t kit_heap_peak(void);

#endif
