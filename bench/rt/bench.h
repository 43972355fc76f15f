/* rt/bench.h - what the measuring programs of the runtime share. */
#ifndef RT_BENCH_H
#define RT_BENCH_H

#include <stdint.h>

#include <weft/weft.h>

#define SUBJECT(function, name, per_step) void bench_##function(uint64_t n);
#include "subjects.def"
#undef SUBJECT

/* Subjects that time themselves and print their own lines. */
void bench_parked(void);       /* a million goroutines: made, parked, woken, ended; and their memory */
void bench_parked_floor(void); /* their stacks without goroutines: what the kernel takes for them */
void bench_call(void);         /* a blocking call, less the bare call */
void bench_start(void);        /* a trace begins beside a crowd: how long goroutines stand still */

/* Prints `NAME VALUE`, one result a line: what bench/rt/run.py reads. */
void bench_result(const char *name, double value);

/* Runs `run` with as many steps as take BENCH_NS, several times; nanoseconds per step of the quickest. */
#define BENCH_NS (50 * WEFT_MS)
double bench_time(void (*run)(uint64_t n));

/* Ends the program with a message when a call of the library has failed. */
void bench_must(int ret, const char *what);

#endif
