/* cli/sink.h - where the words of a command go: to the streams of the process or, of several traces that are worked on
 * at once, to there in the order of the traces.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"

/* Whose turn it is.  Whoever has it writes through; what others say is held, up to a bound: then they wait. */
typedef struct cli_turns {
	pthread_mutex_t lock;
	pthread_cond_t  moved; /* the turn, or whatever else its owner tells by it */
	size_t          turn;
	size_t          silent;     /* from this one on nobody is heard */
	size_t          held_bytes; /* of all sinks */
	bool            broken;     /* standard output takes no more */
} cli_turns;

typedef struct cli_sink cli_sink;
typedef struct cli_stream {
	cli_sink *sink;
	FILE     *file, *real;
	wb_buf    held;
} cli_stream;

struct cli_sink {
	cli_turns *turns;
	size_t     number; /* its turn */
	cli_stream out, err;
	bool       reading; /* it has come as far as to open the trace */
	bool       ended;
};

/* The streams of the calling thread. */
FILE *cli_out(void);
FILE *cli_err(void);
/* Tells the calling thread's sink, if it has one, that a trace is being opened. */
void cli_sink_reading(void);

/* From here on, until cli_sink_end(), the calling thread's streams are those of the sink, which must not move.  False:
 * out of memory. */
bool cli_sink_begin(cli_sink *s, cli_turns *turns, size_t number);
/* No more comes.  What is held is still to be written in its turn. */
void cli_sink_end(cli_sink *s);
/* Writes what is held, unless it is silent, in its turn, with turns->lock held. */
void cli_sink_write(cli_sink *s);

#endif
