/* kit/fakesched.h - a scheduler that runs nothing: goroutines, procs and threads that change state at random, by the
 * rules, and tell the tracer.  And a ledger of everything it told.
 *
 * One step is one thing that a thread of a runtime would do.  With threads, each M is a real one, and one more is the
 * monitor, which takes procs away.  Threads end, and others come in their place.  Without threads, the caller makes
 * steps of any M, and the same seed gives the same run.
 */
#ifndef KIT_FAKESCHED_H
#define KIT_FAKESCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fs fs;

typedef struct fs_options {
	uint64_t seed;
	unsigned n_threads, n_procs; /* the monitor not counted */
	unsigned n_goroutines;       /* that may live at once */
	unsigned deep;               /* frames of a stack at most; 0: 8 */
	unsigned quiet_percent;      /* steps that do nothing, 0..100 */
} fs_options;

fs *fs_open(const fs_options *opt);
void fs_close(fs *f); /* only when no trace runs */

/* One step of M i; n_threads is the monitor. */
void fs_step(fs *f, unsigned i);

/* Steps until M 0 runs a goroutine, which then gives itself n labels, each another one, numbered from `first`. */
void fs_labels(fs *f, unsigned first, unsigned n);

/* Runs `steps` of each M on a thread of its own, the monitor too; returns when all have ended. */
void fs_run(fs *f, unsigned steps);
/* The same in two parts. */
void fs_begin(fs *f, unsigned steps);
void fs_wait(fs *f);
bool fs_running(const fs *f); /* some thread has steps left */

/* ---- the ledger ---- */

enum { FS_TYPES = 64, FS_TIDS_FROM = 1000, FS_TIDS_STEP = 16, FS_TIDS = 128 };

/* How often each wire event was told, in all; and of one goroutine (transitions of its own). */
uint64_t fs_told(const fs *f, unsigned type);
uint64_t fs_told_of(const fs *f, uint64_t goroutine, unsigned type);
uint64_t fs_goroutines(const fs *f); /* ids are 1 .. result */

/* What the n-th GoBlock of the M with that tid waited for: codes for the test of the carrier.  Fills at most `max`
 * objects; how many there are. */
struct weft__tr_object;
typedef struct fs_object {
	unsigned kind;
	uint64_t id, attr, holder;
	bool send; /* among several */
} fs_object;
unsigned fs_waited(uint64_t tid, uint64_t n, fs_object *ret, unsigned max);
/* What goroutine `id` waits for as far as hooks know, at any time. */
fs_object fs_kept(uint64_t id);
/* The label of goroutine `id`, for ever: its length; 0: it has none. */
size_t fs_label(uint64_t id, char *ret, size_t n);

#endif
