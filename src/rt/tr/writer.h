/* rt/tr/writer.h - the tracer's own thread: takes full buffers out, ends generations, writes their tables. */
#ifndef WEFT__TR_WRITER_H
#define WEFT__TR_WRITER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rt/tr/clock.h"
#include "rt/tr/outgoing.h"
#include "rt/tr/sink.h"
#include "rt/tr/symbol.h"

/* A snapshot that somebody waits for: whoever asks has it, until it is done. */
typedef struct weft__tr_wanted {
	int fd, error;
	bool done;
} weft__tr_wanted;

/* What others ask of it: under `lock`, and `asked` is signalled. */
typedef struct weft__tr_requests {
	pthread_mutex_t lock;
	pthread_cond_t asked, done; /* on CLOCK_MONOTONIC */
	bool begun;                 /* the trace is on: it may look around */
	bool stop;
	bool ended; /* it takes no more */
	bool idle;  /* it waits: nothing that it owns is half changed */
	uint64_t flips_asked, flips_done;
	weft__tr_wanted *snapshot; /* asked for by weft__tr_snapshot, until it is sent; or NULL */
	_Atomic int soon_fd;       /* by weft__tr_snapshot_soon: -1 none */
} weft__tr_requests;

/* Snapshots that are on their way, by who asked. */
enum { WEFT__TR_ASKED, WEFT__TR_SOON, WEFT__TR_OUTGOING };

typedef struct weft__tr_writer {
	weft__tr_requests ask;
	weft__tr_sink sink;
	weft__tr_outgoing out[WEFT__TR_OUTGOING];
	weft__tr_symbols *symbols; /* NULL until the first stack */
	uint64_t frequency;
	weft__tr_moment last_sync;
	uint64_t gen; /* that goes out now */
	bool last;    /* none comes after it */
	int64_t gen_start_ns;
	struct weft__tr_buf *next_first, *next_last; /* buffers of the generation after it */
	uint64_t next_bytes;
	uint64_t waits, wait_ns; /* as of the generation before */
	_Atomic uint64_t n_gens, n_bytes;
} weft__tr_writer;

extern weft__tr_writer weft__tr_the_writer;

void *weft__tr_writer_run(void *); /* the thread */

/* New tables for a trace's strings and stacks, with the runtime's texts in: NULL when memory is out. */
struct weft__tr_tables *weft__tr_tables_new(uint32_t epoch);
void weft__tr_tables_free(struct weft__tr_tables *t);

/* ---- finish.c: what stands at the ends of a generation; the batches of threads come between ---- */

void weft__tr_put_sync(weft__tr_writer *w, uint64_t gen);
/* Statuses of what no thread had in the generation. */
void weft__tr_put_statuses(uint64_t gen, void (*meanwhile)(void));
/* Samples, stacks, strings, facts, and the mark of the end. */
void weft__tr_put_tables(weft__tr_writer *w, uint64_t gen);

#endif
