/* edit/machine.h - ordered events in, a valid trace out.
 *
 * A machine knows what each goroutine, proc and thread is doing in the trace that is being written, by the rules that
 * Go's reader holds events to.  An event that fits is written, with sequence numbers of its own.  Where little is
 * missing (a wake-up that was lost, a proc that was never handed over) that is written first; an event that cannot be
 * made to fit is left out and counted.  So whatever comes in, what comes out can be read.
 *
 * Without a writer a machine only follows what happens: that is how the state at the beginning of a cut is found.
 */
#ifndef WE_MACHINE_H
#define WE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include <wtr/event.h>

#include "edit/writer.h"

typedef struct we_machine we_machine;
struct we_recall;

/* `v1`: the events are of the first container, whose threads cannot be taken at their word; others take their place.
 * NULL: out of memory. */
we_machine *we_machine_new(bool v1);
void we_machine_free(we_machine *k);

/* Whether a goroutine is to be in what is written; asked once for each when it turns up. */
typedef bool we_wanted(void *user, int64_t g);
void we_choose(we_machine *k, we_wanted *wanted, void *user);

/* The events that come are of generation `generation` of t (1, 2, ..; 0: of a trace that has none), which is loaded;
 * t NULL: of one that may not be when its ids are asked for. */
void we_source(we_machine *k, const wtr_trace *t, uint64_t generation);

/* Follows one event without writing. */
void we_follow(we_machine *k, const wtr_event *e);

/* Of events later than the moment that the machine has reached: learns what must have been so then already of
 * goroutines and procs that have not been mentioned yet; and, of events that are to be written, which of the
 * others do something. */
void we_foresee(we_machine *k, const wtr_event *e, bool written);

/* Whether something that was followed or foreseen shows that what is before the first generation matters: a proc that
 * was taken from a thread in a system call, a range that had begun. */
bool we_is_unsure(const we_machine *k);

/* Whether a goroutine is there, and to be in what is written. */
bool we_is_wanted(we_machine *k, int64_t g);

/* Makes what is known hang together, and says how many events we_begin() will write. */
size_t we_begin_events(we_machine *k);

/* From here on the machine writes to `w`, first the statuses of everything there is, at times from `time_ns` on, one
 * nanosecond apart, and what `recall` knows of the time before.  `generation` of t, see we_source(), is that of the
 * event that comes next.  Behind we_begin_events() and the first we_generation(). */
void we_begin(we_machine *k, const wtr_trace *t, uint64_t generation, const struct we_recall *recall, we_writer *w,
	int64_t time_ns);

/* What is written ends at end_ns, which is not included.  Of the rest of its generation the statuses are to be taken
 * that we_status_is_missing(); they tell what has been so all the time, and get times before the end.  Returns how many
 * are missing. */
size_t we_end_at(we_machine *k, int64_t end_ns);
bool we_status_is_missing(we_machine *k, const wtr_event *e);

/* To be told when a generation has no more events, before the next one begins or all ends, with the newest time that it
 * has: it says of everything that it has not mentioned what that is doing. */
void we_end_generation(we_machine *k, int64_t time_ns);

/* Writes one event of `t`, or leaves it out. */
void we_take(we_machine *k, const wtr_trace *t, const wtr_event *e);

typedef struct we_counts {
	uint64_t events;   /* written */
	uint64_t added;    /* of them, that are not in the trace read: statuses, and what was missing */
	uint64_t left_out; /* that could not be made to fit */
} we_counts;
void we_get_counts(const we_machine *k, we_counts *ret);
bool we_failed(const we_machine *k); /* out of memory */

#endif
