/* edit/writer.h - writes a trace of the second container: generations, batches of threads, strings, stacks, samples.
 *
 * Ticks are nanoseconds, so that times come out as they went in.  Whoever writes gives events in the order of their
 * times, which increase strictly over the whole trace; then Go's reader (and ours) delivers them in this order,
 * whatever their threads.  Nothing is checked here: that is machine.h's business.
 */
#ifndef WE_WRITER_H
#define WE_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include <wtr/event.h>
#include <wtr/text.h>

#include "edit/carry.h"

typedef struct we_writer we_writer;

/* Header version 23, 25 or 26.  NULL: out of memory. */
we_writer *we_writer_new(unsigned version, wtr_write_fn *put, void *user);
void we_writer_free(we_writer *w);

/* From now on frames without a name or a line get some, for strict readers want them; broken traces lose them. */
void we_fill_in(we_writer *w);

/* The three clocks at one moment. */
typedef struct we_clock {
	bool known;
	int64_t trace_ns, wall_ns;
	uint64_t mono_ns;
} we_clock;

/* Begins a generation at `sync_ns`, which is not above any time in it, ending the one before.  From version 25 on
 * `clock` must be known. */
void we_generation(we_writer *w, int64_t sync_ns, const we_clock *clock);

/* Ids of this generation; 0 for the empty text and the empty stack.  `key` != 0 stands for the text or stack of that id
 * of the trace that is read, so that it is looked up once. */
uint32_t we_string(we_writer *w, const wtr_trace *t, uint32_t id);
uint32_t we_stack(we_writer *w, const wtr_trace *t, uint32_t id);
/* The id of a stack of these frames. */
uint32_t we_frames(we_writer *w, const wtr_frame *frames, size_t n);

/* Where the events of thread m go (WTR_NONE: of none), for as long as the writer is; 0: out of memory. */
uint32_t we_lane(we_writer *w, int64_t m);
/* One event there; args without the time delta.  Lane 0 takes nothing. */
void we_event(we_writer *w, uint32_t lane, int64_t time_ns, uint8_t type, unsigned n, const uint64_t *args);
void we_sample(we_writer *w, const wtr_event *e, uint32_t stack);
/* Where to tell what this generation has beside its events. */
we_carry *we_carrier(we_writer *w);
/* A batch of an experiment, as it stood in the file. */
void we_experimental(we_writer *w, uint8_t experiment, int64_t m, const uint8_t *data, size_t n);

/* Ends the trace.  False when memory was out or `put` returned false at any time, and *ret_stopped which. */
bool we_finish(we_writer *w, bool *ret_stopped);
uint64_t we_bytes(const we_writer *w); /* written so far */

#endif
