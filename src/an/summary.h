/* an/summary.h - the summary sink from the inside: totals, goroutines, tasks, regions (docs/analyses.md defines them).
 *
 * summary.c   the sink: one look at each event, and who gets it
 * texts.c     from the trace's string and stack ids to texts that stay
 * totals.c    counters, procs, threads, ranges, metrics, samples
 * goroutines.c, gtables.c, regions.c, tasks.c
 * within.c    only a part of the time
 * kept.c      what a part of a trace says of the time before it
 * notes.c     what lanes lack, for parts of the time that are asked for later
 *
 * All of it belongs to one thread.  Memory that runs out sets `oom`, which stays set; the sink looks at it once per
 * block.
 */
#ifndef AN_SUMMARY_H
#define AN_SUMMARY_H

#include "an/index.h"
#include "base/vec.h"

/* Distinct reasons, and distinct names of ranges, that are told apart; Go's runtime has 20 and 20.  The last number
 * stands for all others, so that a hostile trace cannot make lists by reason long. */
enum { AN_REASONS = 64, AN_RANGES = 64 };
enum { AN_RANGE_GC, AN_RANGE_SWEEP, AN_RANGE_ASSIST, AN_RANGE_STW /* and on: one number for each kind */ };

enum { AN_STRING_CACHE = 2048, AN_SMALL_CACHE = 512 };
typedef struct an_cached {
	uint32_t id, no;
} an_cached;

typedef struct an_texts {
	wb_intern all;                        /* becomes the index's own */
	an_cached strings[AN_STRING_CACHE];   /* string id -> number in `all` */
	an_cached reasons[AN_SMALL_CACHE];    /* string id -> reason number; 0 is "no reason" */
	an_cached kinds[AN_SMALL_CACHE];      /* string id of a stop-the-world's kind -> range number */
	an_cached names[AN_SMALL_CACHE];      /* stack id -> its outermost function, a number in `all` */
	uint32_t  reason_text[AN_REASONS];    /* numbers in `all` */
	uint32_t  range_text[AN_RANGES];
	unsigned  n_reasons, n_ranges;
	uint8_t   forever;                    /* the reason that is as good as death; 0 until it is seen */
} an_texts;

/* What a goroutine is doing. */
enum { AN_OFF, AN_RUNNING, AN_RUNNABLE, AN_WAITING, AN_SYSCALL, AN_SYSCALL_BLOCKED };

/* Per goroutine, touched by every transition: one cache line.  What it is doing adds to one of its sums, so that
 * leaving a state is one addition without a branch; the last sum stands for all that is rarer and is sorted out by
 * `doing`. */
enum { AN_WAITS_INLINE = 3 };
enum { AN_SUM_EXEC, AN_SUM_SCHED, AN_SUM_WAIT, AN_SUM_RARE = AN_SUM_WAIT + AN_WAITS_INLINE, AN_SUMS };
typedef struct an_ghot {
	int64_t since_ns;                      /* when `doing` began */
	int64_t sum_ns[AN_SUMS];
	uint8_t sum;                           /* the one that time goes to now */
	uint8_t doing;
	uint8_t wait_reason[AN_WAITS_INLINE];  /* + 1, of the sums from AN_SUM_WAIT on; 0: free */
	uint8_t final_state, final_reason;
	bool    named : 1, started : 1;        /* has a name; has been running */
} an_ghot;
_Static_assert(sizeof(an_ghot) == 64, "a cache line");

/* The rest, touched rarely. */
typedef struct an_gcold {
	int64_t  id, creator;
	int64_t  create_ns, start_ns, end_ns, total_ns;
	int64_t  count_ns;                    /* total_ns counts from here */
	int64_t  syscall_ns, syscall_block_ns;
	uint32_t name, create_stack, entry_stack;
	uint32_t syscall_proc;                /* row + 1 of the proc it took into its system call */
	uint32_t more_waits;                  /* in `waits`, + 1: of reasons that did not fit into the hot part */
	uint8_t  reason;                      /* of the wait that goes on, if it is one of those */
	uint32_t ranges;                      /* in `granges`, + 1 */
	uint32_t n_regions;
	uint32_t life;                        /* counts reuses of the id */
	uint32_t wait;                        /* wtr_event.wait of its newest wait, where traces say it */
	bool     has_total, used;
	struct an_open_region *regions;       /* innermost first */
} an_gcold;

typedef struct an_wait {
	int64_t  ns;
	uint32_t next;
	uint8_t  reason;
} an_wait;

typedef struct an_grange {
	int64_t  since_ns, ns;                /* since: WTR_NEVER when not open */
	int64_t  known_ns;                    /* of the event that opened it */
	uint32_t next;
	uint8_t  no;
	bool     counted;                     /* ns is a sum, even if it is 0 */
} an_grange;

/* Sums of a goroutine at a moment. */
typedef struct an_stat {
	int64_t  total_ns, exec_ns, sched_ns, syscall_ns, syscall_block_ns;
	unsigned n_waits;
	int64_t  wait_ns[AN_REASONS];
	uint8_t  wait_reason[AN_REASONS];
} an_stat;

typedef struct an_proc {
	wtr_proc_row row;
	int64_t  since_ns;
	int64_t  m;                           /* thread that it last ran on */
	uint32_t syscall_g;                   /* row + 1 of the goroutine that is in a system call with it */
	int64_t  sweep_g;                     /* goroutine that began the open sweep */
	bool     running, has_sweep_g;
} an_proc;

/* A range from begin to end, for sums and the table of ranges; one slot per resource. */
typedef struct an_open_range {
	int64_t  since_ns;
	uint32_t row;                         /* in `ranges` */
	bool     open;
} an_open_range;

typedef struct an_region {
	wtr_region_row row;                   /* first_block: in region_waits */
	uint32_t life;                        /* of its goroutine */
} an_region;

typedef struct an_region_wait {
	int64_t ns;
	uint8_t reason;
} an_region_wait;

typedef struct an_task {
	wtr_task_row row;                     /* parent: a row of `tasks` */
	bool kept;                            /* goes on since before the trace, which knows its name all the same */
} an_task;

typedef struct an_task_g {
	uint32_t task;
	int64_t  g;
} an_task_g;

typedef struct an_summary {
	an_sink    sink;
	wtr_trace *trace;
	bool       v1, keep, oom;             /* keep: WTR_PART_EVENTS */
	bool       names_waits;               /* some event said what for */
	bool       within, inside;            /* only [from_ns, to_ns) counts; it has begun */
	int64_t    from_ns, to_ns;
	unsigned   parts;
	an_texts   texts;
	int64_t    last_ns, sync_ns;
	wtr_totals totals;

	wb_idmap   g_rows;                    /* id -> slot of the living, AN_DONE + row of the dead */
	wb_idmap   final_waits;               /* becomes the index's own */
	wb_idmap   lives;                     /* id -> life, of ids used again */
	WB_VEC(an_ghot) hot;                  /* slots */
	WB_VEC(an_gcold) cold;
	WB_VEC(uint32_t) free_slots;
	WB_VEC(wtr_goroutine_row) goroutines; /* the dead, and at the end all */
	WB_VEC(wtr_block_time_row) block_times;
	WB_VEC(wtr_range_time_row) range_times;
	size_t     n_dropped;
	WB_VEC(an_wait) waits;
	WB_VEC(an_grange) granges;
	WB_VEC(an_note) notes;

	wb_idmap   proc_rows, thread_rows;
	an_cached  recent_threads[64];        /* id + 1 -> row */
	WB_VEC(an_proc) procs;
	WB_VEC(wtr_thread_row) threads;
	uint64_t   g_transitions[WTR_G_COUNT][WTR_G_COUNT][AN_REASONS];
	uint64_t   p_transitions[WTR_P_COUNT][WTR_P_COUNT];
	uint64_t   experimental[256];

	wtr_range_sum_row range_sums[AN_RANGES];
	an_open_range     global_ranges[AN_RANGES]; /* GC, stop-the-worlds */
	wb_idmap          sweep_slots, assist_slots;
	WB_VEC(an_open_range) range_slots;

	wb_idmap   label_rows;
	WB_VEC(wtr_label_row) labels;
	WB_VEC(wtr_sync_row) syncs;
	WB_VEC(uint64_t) sync_generations;    /* value[0] of each */
	WB_VEC(wtr_gomaxprocs_row) gomaxprocs;
	WB_VEC(wtr_metric_row) metrics;
	WB_VEC(wtr_range_row) ranges;
	WB_VEC(wtr_sample_row) samples;
	WB_VEC(wtr_log_row) logs;

	const struct wtr__carrier *kept;      /* of this generation; NULL: none */

	wb_idmap   task_rows;
	WB_VEC(an_task) tasks;
	WB_VEC(an_task_g) task_gs;
	WB_VEC(an_region) regions;
	WB_VEC(an_region_wait) region_waits;
	wtr_frame  frames[1024];
} an_summary;

/* ---- texts.c ---- */
uint32_t an_text_no(an_summary *s, uint32_t string_id);    /* number in texts.all */
wtr_str  an_text(const an_texts *t, uint32_t no);
wtr_str  an_reason_text(const an_texts *t, unsigned reason);
int      an_text_order(wtr_str a, wtr_str b);              /* by bytes, as strcmp */
uint8_t  an_reason_slow(an_summary *s, uint32_t string_id);
uint8_t  an_stw_no(an_summary *s, uint32_t string_id);     /* range number of a stop-the-world of that kind */
uint32_t an_stack_name(an_summary *s, uint32_t stack_id);  /* outermost function, 0: no stack or no name */
bool     an_texts_init(an_texts *t);

static inline uint8_t an_reason_no(an_summary *s, uint32_t id)
{
	if (id == 0)
		return 0;
	const an_cached *c = &s->texts.reasons[id % AN_SMALL_CACHE];
	return __builtin_expect(c->id == id, 1) ? (uint8_t)c->no : an_reason_slow(s, id);
}

/* ---- totals.c ---- */
#define AN_NO_ROW UINT32_MAX
uint32_t an_proc_row_slow(an_summary *s, int64_t id);      /* AN_NO_ROW: out of memory */
uint32_t an_thread_row_slow(an_summary *s, int64_t id);
void     an_proc_transition(an_summary *s, const wtr_event *e);
void     an_totals_rare(an_summary *s, const wtr_event *e); /* all kinds but transitions */
void     an_totals_range(an_summary *s, const wtr_event *e, unsigned no);
bool     an_totals_publish(an_summary *s, wtr_index *x);

static inline uint32_t an_proc_row(an_summary *s, int64_t id)
{
	uint32_t i = wb_idmap_get(&s->proc_rows, (uint64_t)id);
	return __builtin_expect(i != WB_IDMAP_NONE, 1) ? i : an_proc_row_slow(s, id);
}

/* ---- goroutines.c ---- */
#define AN_DONE 0x80000000u
void     an_g_transition(an_summary *s, const wtr_event *e);
void     an_g_lost_proc(an_summary *s, uint32_t g, int64_t now);  /* its proc left it in its system call */
void     an_g_range(an_summary *s, const wtr_event *e, unsigned no);
uint32_t an_g_row(const an_summary *s, int64_t id);               /* AN_NO_ROW: not seen, or dead */
void     an_g_stat(an_summary *s, uint32_t g, int64_t now, an_stat *ret);
void     an_g_end(an_summary *s, uint32_t g, int64_t now, bool trace_ends);
void     an_g_name(an_summary *s, uint32_t g, uint32_t stack);    /* by the stack that it began with */
bool     an_g_system(const an_summary *s, uint32_t g);

/* ---- gtables.c ---- */
void     an_g_retire(an_summary *s, uint32_t g);                  /* it has ended: its slot is free for another one */
void     an_g_forget(an_summary *s, uint32_t row);                /* of the dead: its id is used again */
void     an_g_unknown(wtr_goroutine_row *r);                      /* what is left of its total */
bool     an_g_publish(an_summary *s, wtr_index *x);               /* all rows are in s->goroutines */

/* ---- regions.c ---- */
void     an_region_event(an_summary *s, const wtr_event *e);
void     an_regions_inherit(an_summary *s, uint32_t g, int64_t creator, int64_t now);
void     an_regions_kept(an_summary *s, uint32_t g, uint64_t task, uint32_t name); /* goes on since before the trace */
void     an_regions_end(an_summary *s, uint32_t g, int64_t now, bool trace_ends); /* `g` ends, its sums are final */
void     an_regions_drop(an_summary *s, uint32_t g);
bool     an_regions_publish(an_summary *s, wtr_index *x);

/* ---- tasks.c ---- */
/* A task's row, noting that goroutine g took part in it; AN_NO_ROW: out of memory. */
uint32_t an_task_of(an_summary *s, uint64_t id, int64_t g);
void     an_task_event(an_summary *s, const wtr_event *e);
void     an_task_kept(an_summary *s, uint64_t id, uint64_t parent, uint32_t name); /* goes on since before the trace */
void     an_log_event(an_summary *s, const wtr_event *e);
bool     an_tasks_publish(an_summary *s, wtr_index *x);

/* ---- kept.c ---- */
void an_kept_begin(an_summary *s, const wtr_event *sync); /* a generation begins */
void an_kept_goroutine(an_summary *s, uint32_t g);        /* is found: it was there before the trace */

/* ---- notes.c ---- */
void an_note_at(an_summary *s, uint32_t g, an_note_kind kind, int64_t when);  /* happened to the goroutine in slot g */
void an_note_range(an_summary *s, uint32_t g, an_note_kind kind, const an_grange *r, int64_t to); /* it is over */
bool an_notes_publish(an_summary *s, wtr_index *x);                           /* rows have their numbers */

/* ---- within.c ---- */
void an_within_begin(an_summary *s); /* counting begins anew at s->from_ns */

/* Hands the rows of a vector to the index. */
#define AN_PUBLISH(x, ID, vec)                                    \
	((x)->tables[WTR_TABLE_##ID].rows = (vec)->at,            \
	 (x)->tables[WTR_TABLE_##ID].n = (vec)->n,                \
	 (vec)->at = NULL, (vec)->n = (vec)->cap = 0)

/* Adds to a vector of the summary, or notes that memory is out. */
#define AN_ADD(s, vec, ...) ((void)(wb_vec_add(&(s)->vec, __VA_ARGS__) || ((s)->oom = true)))

#endif
