/* fmt/text.h - a trace as text, one event a line, and back to the same bytes.
 *
 *	Trace Go1.26
 *	EventBatch gen=1 m=18446744073709551615 time=100 size=15/10
 *	Sync
 *	Frequency freq=15625000
 *	ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123
 *	EventBatch gen=1 m=7 time=110 size=9/10
 *	ProcStatus dt=1 p=0 pstatus=1
 *	GoStatus dt=1 g=1 m=7 gstatus=2
 *	EndOfGeneration
 *
 * The form is that of Go (internal/trace/raw): names and arguments of events.def, in order; a string's bytes and an
 * experimental batch's follow on a line of their own, quoted; a stack's frames one a line.  Ours in addition:
 *   NAME=11/10        the number 11 in a varint of 10 bytes: more than it needs (also data="..."/10, for its length)
 *   size=/10          a batch size that the assembler finds, in 10 bytes; without size= in as few as it needs.
 *                     nframes= of a stack may be left out likewise
 *   m=-1              numbers may be negative (two's complement) or hexadecimal (0x...)
 *   <cut>             instead of the remaining arguments, data or frames: the event ends here
 *   Bytes 00ff...     bytes as they are; within a batch they count for its size
 *   # ...             a comment, anywhere but behind data
 * v1 traces have the same form with the names of v1args.def and no batch sizes; two arguments may stand in front of an
 * event's own: c=N, bits 6 and 7 of the first byte (of a string, or of a stack of no frames), and len=N/W, the length
 * in front of the arguments where it is not as the runtime writes it (len=/W: found by the assembler).
 */
#ifndef WF_TEXT_H
#define WF_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum wf_text_code {
	WF_TEXT_OK,
	WF_TEXT_BROKEN,  /* dump: something could not be read as an event; assemble: a line could not be understood */
	WF_TEXT_STOPPED, /* the sink returned false */
	WF_TEXT_NOMEM,
} wf_text_code;

/* The first thing wrong.  Plain values. */
typedef struct wf_text_error {
	wf_text_code code;
	uint64_t     offset;    /* dump: of the first broken byte in the trace; assemble: of the line in the text */
	uint64_t     line;      /* assemble: its number, from 1 */
	uint64_t lost; /* dump: bytes not shown as events, over the whole trace; wire, footprint: from the damage on */
	char         what[160]; /* one English sentence, no trailing stop */
} wf_text_error;

/* Takes a piece of text; false stops. */
typedef bool wf_text_put(void *user, const char *at, size_t n);

/* Told now and then: bytes of the trace before `offset` will not be looked at again. */
typedef void wf_text_passed(void *user, uint64_t offset);

typedef struct wf_text_options {
	bool wire;    /* as wf_text_wire(), and nothing of the rest but `passed` */
	bool bytes;   /* what cannot be read as an event is written as Bytes, so that assembling gives the same file */
	bool offsets; /* a comment with the offset in front of each batch (v2) */
	wf_text_passed *passed; /* may be NULL; gets the sink's user */
} wf_text_options;

/* Writes the trace as text.  Damage does not stop it: it is named in a comment, and reading goes on at the next batch.
 * OK; BROKEN when there was damage (everything has been written), STOPPED or NOMEM.  err may be NULL.
 * Memory: a buffer of constant size. */
wf_text_code wf_text_dump(
	const void *at, size_t n, const wf_text_options *opt, wf_text_put *put, void *user, wf_text_error *err);

/* Writes what `go tool trace -d=wire` prints, byte for byte: no first line, no additions, batch sizes not looked at,
 * and an end at the first damage (BROKEN, like Go with nothing on standard output about it).  Unlike Go it also reads
 * v1 traces, and events newer than the file's version. */
wf_text_code wf_text_wire(const void *at, size_t n, wf_text_put *put, void *user, wf_text_error *err);

/* Appends the bytes of a text to *out.  BROKEN with the line in *err (may be NULL), or NOMEM; *out is then as before.
 * Time and memory are linear in the text. */
wf_text_code wf_text_assemble(const char *at, size_t n, wb_buf *out, wf_text_error *err);

/* How often each event occurs in a file, and how many bytes its shortest form takes. */
typedef struct wf_footprint {
	unsigned version;
	uint64_t file_bytes;
	uint64_t events;
	uint64_t count[256], bytes[256]; /* by number */
} wf_footprint;

/* Counts.  OK, or BROKEN at the first damage with *ret covering what is before it. */
wf_text_code wf_footprint_count(const void *at, size_t n, wf_footprint *ret, wf_text_error *err);

/* Appends the table that `go tool trace -d=footprint` prints.  Rows of equal size stand by number; Go leaves their
 * order to its unstable sort. */
void wf_footprint_print(const wf_footprint *f, wb_buf *out);

#endif
