/* test/unit/an/play.h - hand-made events for one sink, and the index that comes out.
 *
 * A small trace backs them: it gives texts and three stacks, and its own events are not looked at.
 */
#ifndef PLAY_H
#define PLAY_H

#include "an/index.h"
#include "fmt/events.h"

typedef struct play {
	wtr_trace *trace;
	an_sink   *sink;
	wtr_index *x;
	uint32_t   main_stack;   /* main.leaf < main.main */
	uint32_t   work_stack;   /* main.work */
	uint32_t   system_stack; /* runtime.bgsweep */
	uint32_t   bare_stack;   /* one frame without a name */
	int64_t    now;          /* time of the next event; each play_... takes it */
	int64_t    g, p, m;      /* its context */
} play;

void play_open(play *y, unsigned parts);
void play_event(play *y, wtr_event e);                         /* fills in time and context */
void play_at(play *y, int64_t time_ns, wtr_event e);
void play_finish(play *y);                                     /* y->x is the index from now on */
void play_close(play *y);

uint32_t  play_text(play *y, const char *text);
wtr_event play_go(play *y, int64_t id, wtr_gstate from, wtr_gstate to, const char *reason);
wtr_event play_proc(int64_t id, wtr_pstate from, wtr_pstate to);
wtr_event play_sync(int64_t n);
wtr_event play_range(play *y, wtr_kind kind, wtr_range range, int64_t id, const char *stw_kind);
wtr_event play_region(play *y, wtr_kind kind, uint64_t task, const char *name);
wtr_event play_task(play *y, wtr_kind kind, uint64_t task, uint64_t parent, const char *name);
wtr_event play_log(play *y, uint64_t task, const char *category, const char *message);

#define PLAY_ROWS(y, ID, name) const wtr_##name##_row *name = wtr_table_data((y)->x, WTR_TABLE_##ID)

/* Time that goroutine row `g` waited for a reason; -1 if none. */
int64_t play_waited(const play *y, const wtr_goroutine_row *g, const char *reason);
/* The same for ranges and regions. */
int64_t play_ranged(const play *y, const wtr_goroutine_row *g, const char *name);
int64_t play_region_waited(const play *y, const wtr_region_row *r, const char *reason);

#endif
