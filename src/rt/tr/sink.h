/* rt/tr/sink.h - where a trace goes, and the batches that the writer thread makes itself.  The writer thread only. */
#ifndef WEFT__TR_SINK_H
#define WEFT__TR_SINK_H

#include "fmt/emit.h"
#include "rt/tr/window.h"

typedef struct weft__tr_sink {
	int fd;                 /* -1: none */
	bool may_wait;          /* for somebody who reads */
	bool (*given_up)(void); /* then nobody waits any more */
	int (*write)(const void *at, size_t n, void *arg);
	void *write_arg;
	weft__tr_window window;
	uint64_t bytes;     /* in all */
	uint64_t gen_bytes; /* in the running generation */
	int error;          /* the first: nothing is written after it */

	/* The batch that is being made. */
	uint64_t gen, time;
	uint8_t section; /* its first byte; 0: none is open */
	uint8_t *data, *at;
	uint8_t batch[WF_BATCH_HEAD_BYTES_MAX + WF_BATCH_BYTES_MAX];
} weft__tr_sink;

/* The header goes to fd and write only. */
void weft__tr_sink_header(weft__tr_sink *o, unsigned version);
/* Bytes of the running generation. */
void weft__tr_sink_put(weft__tr_sink *o, const void *at, size_t n);

/* Room for n bytes in a batch of that section; writes the one before if that is another or full.  Returns where to
 * write; then set o->at to the end. */
uint8_t *weft__tr_sink_room(weft__tr_sink *o, uint64_t gen, uint64_t time, uint8_t section, size_t n);
void weft__tr_sink_end_batch(weft__tr_sink *o);

#endif
