/* edit/machine_inside.h - the machine from the inside.
 *
 * machine.c          see machine.h; the rules are those of docs/format.md, "Order"
 * machine_write.c    what the machine writes, and what is missing before an event
 * machine_states.c   transitions of procs and goroutines: whether they fit, and what they change
 * machine_ranges.c   ranges of the collector, and what the program says of itself
 * machine_take.c     which thread an event is of, and taking it
 * machine_usual.h    the same for the commonest events, on a short way
 * machine_begin.c    the state of everything at the beginning of what is written
 * machine_carry.c    what stands beside the events: what goroutines wait for, their labels, where they are
 *
 * Functions that take an event say whether it fits; then it is written and the state is changed.
 */
#ifndef WE_MACHINE_INSIDE_H
#define WE_MACHINE_INSIDE_H

#include "base/alloc.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "edit/machine.h"
#include "read/v2/carried.h"

#define WE_NO_SOURCE (UINT64_MAX - 1)

enum { WE_NONE = -1, WE_DEAD = 0xff, WE_V1_PSEUDO_PROC = 1000000, WE_RECENT = 16 };

typedef struct we_region {
	uint64_t task;
	uint32_t name;
} we_region;

typedef struct we_goroutine {
	int64_t id;
	int32_t m;      /* place of its thread while running or in a system call */
	uint8_t status; /* WF_GO_..., DEAD */
	bool wanted, foreseen, touched, assist, stw;
	bool computes; /* the system call that it is in is none: its proc was taken */
	uint32_t stw_kind; /* string id of the trace that is read */
	uint64_t gen, seq;
	/* What is told in each generation anew, good while said or known == we_known(k): its label, in names; and ids
	 * of the trace that is read, of its stack and of what it waits for and why. */
	uint64_t said, known;
	uint32_t label, stack, wait, reason;
	WB_VEC(we_region) regions;
} we_goroutine;

typedef struct we_proc {
	int64_t id;
	int32_t m;      /* NONE when idle */
	uint8_t status; /* WF_PROC_RUNNING, _IDLE, _SYSCALL, _SYSCALL_ABANDONED */
	bool sweep, foreseen, touched;
	uint64_t gen, seq;
} we_proc;

typedef struct we_thread {
	int64_t id;
	int32_t g, p;  /* places; NONE */
	uint32_t lane; /* see we_lane(); 0: not asked for */
} we_thread;

struct we_machine {
	bool v1, failed;
	we_writer *w;       /* NULL while following */
	const wtr_trace *t; /* of the event being taken */
	we_wanted *wanted;
	void *user;
	WB_VEC(we_goroutine) gs;
	WB_VEC(we_proc) ps;
	WB_VEC(we_thread) ms;
	wb_idmap g_of, p_of, m_of;
	uint32_t recent[WE_RECENT]; /* by id % WE_RECENT: place of the thread that was looked up last */
	wb_idmap later_g, later_p; /* created behind the moment of we_foresee() */
	wb_idmap tasks;            /* active */
	wb_intern names;           /* of regions; labels */
	uint64_t source;           /* number of the generation that is read; WE_NO_SOURCE: ids are not to be kept */
	const wtr__carrier *carrier; /* its; NULL: none */
	bool tells_waits;            /* it says something of single events */
	WB_VEC(int32_t) free_gs, g_order, p_order;
	bool gc_on, gc_known; /* whether the collector marks, and whether we can tell */
	bool unsure;          /* see we_is_unsure() */
	uint32_t stws_later;  /* stop-the-worlds that began behind the moment of we_foresee() and go on */
	uint64_t gc_seq;
	uint64_t gen;
	/* Of the first generation, which says everything at its beginning: an idle proc or a goroutine that waits all
	 * the time, whose status it says at its end, so that it lasts as long as it should; NONE. */
	int32_t last_p, last_g;
	uint64_t last_stack; /* of last_g, as numbered there */
	int64_t end_ns;      /* times of statuses at the end: the next one; 0: as they come */
	int64_t last_ns;
	bool has_held;
	wtr_event held; /* see proc_steal() */
	we_counts counts;
};

/* ---- machine.c ---- */

/* NULL: not known, or dead. */
we_goroutine *we_find_g(we_machine *k, int64_t id);
we_proc *we_find_p(we_machine *k, int64_t id);
/* Places in the lists of the machine, which stay when the lists grow. */
int32_t we_place_g(const we_machine *k, const we_goroutine *g);
int32_t we_place_p(const we_machine *k, const we_proc *p);
/* The thread of that id, made if it is new; NULL for none, or out of memory. */
we_thread *we_thread_of(we_machine *k, int64_t id);
/* NULL: out of memory. */
we_goroutine *we_new_g(we_machine *k, int64_t id, uint8_t status);
we_proc *we_new_p(we_machine *k, int64_t id, uint8_t status);
/* Puts a goroutine or proc on a thread, off whatever it was on; or off its thread. */
void we_bind_g(we_machine *k, we_thread *m, we_goroutine *g);
void we_unbind_g(we_machine *k, we_goroutine *g);
void we_bind_p(we_machine *k, we_thread *m, we_proc *p);
void we_unbind_p(we_machine *k, we_proc *p);
void we_remove_g(we_machine *k, we_goroutine *g);
uint8_t we_go_status(wtr_gstate s);

/* ---- machine_write.c ---- */

/* Writes an event of `n` arguments, or nothing while the machine only follows. */
void we_emit(we_machine *k, int64_t m, int64_t time_ns, uint8_t type, unsigned n, const uint64_t *args);
/* Numbers in what is written of a stack and a string of what is read. */
uint64_t we_stack_no(we_machine *k, uint32_t id);
uint64_t we_text_no(we_machine *k, uint32_t id);
int64_t we_id_of_m(const we_machine *k, int32_t m);
void we_write_g_status(we_machine *k, we_goroutine *g, int64_t time_ns, uint64_t stk);
void we_write_p_status(we_machine *k, we_proc *p, int64_t time_ns);
/* Mentions a proc in this generation, unless it was. */
void we_say_proc(we_machine *k, we_proc *p, int64_t time_ns);
/* The next sequence number, after a mention in this generation. */
uint64_t we_next_g_seq(we_machine *k, we_goroutine *g, int64_t time_ns);
uint64_t we_next_p_seq(we_machine *k, we_proc *p, int64_t time_ns);
/* Events that are missing: a proc stops, or starts on a thread; a goroutine becomes ready. */
void we_stop_proc(we_machine *k, we_proc *p, int64_t time_ns);
void we_start_proc(we_machine *k, we_thread *m, we_proc *p, int64_t time_ns);
/* So that thread m can start it. */
void we_make_idle(we_machine *k, we_thread *m, we_proc *p, int64_t time_ns);
/* Gives a thread the proc that it should have. */
void we_need_proc(we_machine *k, we_thread *m, int64_t id, int64_t time_ns);
void we_wake(we_machine *k, we_goroutine *g, int64_t m, int64_t time_ns);
#define WE_EMIT(k, m, time_ns, type, ...)                                                    \
	we_emit(k, m, time_ns, type, sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), \
		(uint64_t[]){ __VA_ARGS__ })
/* The same for what is not in the trace that is read: counted as added. */
#define WE_ADD(k, ...) ((k)->counts.added += (k)->w != NULL, WE_EMIT(k, __VA_ARGS__))

/* ---- machine_states.c ---- */

bool we_steal(we_machine *k, we_thread *m, const wtr_event *e);
/* The goroutine that runs on a thread with its proc, as most events need it; NULL if it is not so. */
we_goroutine *we_running(we_machine *k, we_thread *m, int64_t id);
bool we_go_transition(we_machine *k, we_thread *m, const wtr_event *e);
bool we_proc_transition(we_machine *k, we_thread *m, const wtr_event *e);

/* ---- machine_begin.c ---- */

/* Statuses of what this generation has not mentioned. */
void we_say_the_rest(we_machine *k, int64_t time_ns);

/* ---- machine_ranges.c ---- */

bool we_range_event(we_machine *k, we_thread *m, const wtr_event *e);
bool we_task_event(we_machine *k, we_thread *m, const wtr_event *e);
bool we_region_event(we_machine *k, we_thread *m, const wtr_event *e);
bool we_other_event(we_machine *k, we_thread *m, const wtr_event *e);

/* ---- machine_carry.c ---- */

/* The events that come are of that generation, as for we_source(), but what is known of goroutines stays.  While
 * writing it says of the generation what is not about goroutines. */
void we_enter(we_machine *k, const wtr_trace *t, uint64_t generation);
/* While following: what an event says of where goroutines are and what they wait for. */
void we_learn(we_machine *k, const wtr_event *e);
/* The same of events behind the moment that is looked for: the status of a goroutine that nothing has happened to. */
void we_learn_later(we_machine *k, const we_goroutine *g, const wtr_event *status);
/* The label of a goroutine that is new. */
void we_find_label(we_machine *k, we_goroutine *g);
void we_take_label(we_machine *k, const wtr_event *e);
/* While writing.  The generation mentions a goroutine for the first time, g->gen being older: its label, and whether
 * its system call is one; in a GoStatus it waits for `wait` and because of `reason`, ids of what is read; thread m has
 * written the GoBlock e of it, or the GoSyscallBegin e. */
void we_tell_goroutine(we_machine *k, const we_goroutine *g);
void we_tell_kept_wait(we_machine *k, const we_goroutine *g, uint32_t wait);
void we_tell_reason(we_machine *k, const we_goroutine *g, uint32_t reason);
void we_tell_wait(we_machine *k, int64_t m, const wtr_event *e);
void we_tell_taken(we_machine *k, int64_t m, const wtr_event *e);

/* What `known` of a goroutine is that has been learnt of now; never 0. */
static inline uint64_t we_known(const we_machine *k)
{
	return k->source + 1;
}

/* ---- machine_take.c ---- */

/* One that has nothing, made if there is none; NULL: out of memory. */
we_thread *we_free_thread(we_machine *k);
/* Takes the event that was held back, now that the next one is known (NULL: there is none). */
void we_let_go(we_machine *k, const wtr_event *next);

#endif
