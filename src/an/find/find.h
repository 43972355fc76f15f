/* an/find/find.h - findings from the inside: one pass, which all rules share.
 *
 *   pass.c      the sink: follows goroutines, keeps the world, tells rules what is over
 *   world.c     procs, how many do what, and integrals over time of it
 *   places.c    what stacks say: start function, which call waits; waits by stack
 *   emit.c      findings: severity, values, ranges
 *   findings.c  what others see
 *   rule_*.c    the rules; rules.h has their state and hooks
 *
 * Memory: rows for goroutines that are there at a time, stacks, start functions and procs; lists of the worst are
 * short. Nothing is kept per event.  One thread.
 */
#ifndef AN_FIND_H
#define AN_FIND_H

#include <wtr/findings.h>
#include <wtr/object.h>

#include "an/follow.h"
#include "an/index.h"
#include "base/arena.h"

typedef enum an_rule_id {
#define RULE(ID, name, title, half, measure, why, next) AN_RULE_##ID,
#include "an/find/rules.def"
	AN_RULE_COUNT
} an_rule_id;

typedef enum an_form {
#define FORM(ID, form, sentence) AN_FORM_##ID##_##form,
#include "an/find/rules.def"
	AN_FORM_COUNT
} an_form;

typedef struct an_find an_find;

/* ---- the worst of something ---- */

enum { AN_WORST = WTR_FINDING_RANGES };

typedef struct an_worst_one {
	int64_t ns, from_ns, to_ns, g;
	uint32_t group;
} an_worst_one;

typedef struct an_worst {
	an_worst_one at[AN_WORST]; /* most first */
	unsigned n;
} an_worst;

void an_worst_slow(an_worst *w, an_worst_one one);
static inline void an_worst_add(an_worst *w, an_worst_one one)
{
	if (w->n < AN_WORST || one.ns > w->at[AN_WORST - 1].ns)
		an_worst_slow(w, one);
}

/* ---- how durations are spread; percentiles are within an eighth ---- */

enum { AN_SPREAD_BUCKETS = 64 * 8 };

typedef struct an_spread {
	uint64_t n;
	int64_t sum_ns, max_ns;
	uint64_t buckets[AN_SPREAD_BUCKETS];
} an_spread;

static inline unsigned an_spread_bucket(int64_t ns)
{
	uint64_t v = ns > 0 ? (uint64_t)ns : 0;
	if (v < 8)
		return (unsigned)v;
	unsigned top = 63u - (unsigned)__builtin_clzll(v);
	return (top - 2) * 8 + ((unsigned)(v >> (top - 3)) & 7);
}

static inline void an_spread_add(an_spread *s, int64_t ns)
{
	s->n++;
	s->sum_ns += ns;
	s->max_ns = ns > s->max_ns ? ns : s->max_ns;
	s->buckets[an_spread_bucket(ns)]++;
}

/* What `per_mille` of them do not exceed. */
int64_t an_spread_percentile(const an_spread *s, unsigned per_mille);

/* ---- the world ---- */

/* What was so while goroutines were ready to run. */
typedef enum an_cause {
	AN_CAUSE_STOPPED,   /* the world was stopped */
	AN_CAUSE_IDLE,      /* there were idle procs */
	AN_CAUSE_SEARCHING, /* there were procs that ran nothing */
	AN_CAUSE_COLLECTOR, /* all procs were taken, some by mark workers */
	AN_CAUSE_BUSY,      /* all procs were taken */
	AN_CAUSES
} an_cause;

typedef struct an_world_proc {
	int64_t id;
	bool running, taken; /* taken: a goroutine is on it, also in a system call */
} an_world_proc;

typedef struct an_world {
	int64_t now_ns, from_ns, to_ns; /* from, to: the time that counts */
	int64_t procs;                  /* GOMAXPROCS, or procs seen */
	int64_t procs_least, procs_most, procs_changes;
	bool procs_told;                  /* by the trace */
	unsigned on, taken;               /* procs that run; that have a goroutine */
	unsigned running, ready, workers; /* goroutines; mark workers that run */
	unsigned users;                   /* goroutines of the program that run */
	unsigned stops, marks;            /* open */
	an_cause cause;
	/* Integrals over the time that counts. */
	int64_t by_cause[AN_CAUSES]; /* whatever is ready */
	int64_t wanted_ns;           /* something was ready, and no proc idle */
	int64_t capacity_ns;         /* of procs */
	int64_t mark_ns, stop_ns;
	int64_t alone_ns, together_ns; /* one, or several of the program run */
	double lost;                   /* min(idle procs, ready) / ready */
	WB_VEC(an_world_proc) all;
	wb_idmap proc_of; /* id -> place in `all` */
} an_world;

#include "an/find/rules.h"

/* ---- goroutines, groups, places ---- */

struct an_find_g {              /* of the follower at the same place */
	uint32_t group, create; /* create: stack; 0: not known */
	uint32_t found;         /* stack of a goroutine that was found waiting; 0: none */
	int64_t born_ns;        /* WTR_NEVER: before the trace */
	uint8_t worker;         /* 1: a mark worker; 2: an idle one */
	uint64_t waits;         /* that are over */
	uint32_t wait_at;       /* waiting: row + 1 of waits; 0: memory was out */
	int64_t holder;         /* waiting for a lock: who held it; WTR_NONE: not known */
	int64_t by_class[WTR_CLASS_COUNT];
	/* ready: the world when it became so */
	int64_t cause_ns[AN_CAUSES];
	int64_t wanted_ns; /* running: likewise */
	double lost;       /* ready: likewise */
	/* the wake-up that made it ready */
	int64_t woken_by, woken_p, woken_m; /* a goroutine, or WTR_NONE, and where it was */
	uint32_t woken_at;                  /* row + 1 of the wait that was ended; 0: it was none */
	uint64_t turn;                      /* of ping-pong: its key; 0: none */
	int64_t last_run_ns;
	bool answered; /* it has woken who woke it */
	bool in_burst; /* it was woken together with others */
	/* the last wait for a write lock */
	int64_t writer_from_ns, writer_to_ns;
	uint32_t writer_at; /* row + 1; 0: none */
	an_burst burst;     /* of wake-ups by it */
	/* alone since it last waited */
	int64_t alone_from, alone_ns, alone_told_ns, alone_since_ns;
	uint32_t alone_woken, alone_at;
	uint32_t regions; /* open ones: row + 1 of the innermost; 0: none */
	/* assist */
	int64_t assist_from_ns; /* WTR_NEVER: none */
	int64_t assisted_ns;    /* in assists that are over, since it runs */
};

/* Goroutines of one start function. */
typedef struct an_find_group {
	uint32_t name; /* in follow.stacks.texts */
	bool system;
	int64_t run_ns, ready_ns, wanted_ns, assist_ns;
} an_find_group;

/* Calls that goroutines wait in (calls.def). */
typedef enum an_call {
	AN_CALL_NONE,
	AN_CALL_MUTEX,
	AN_CALL_RLOCK,
	AN_CALL_WLOCK,
	AN_CALL_COND,
	AN_CALL_GROUP,
	AN_CALL_UNLOCK,
	AN_CALL_RUNLOCK,
	AN_CALL_WUNLOCK,
} an_call;

typedef struct an_place { /* of a stack */
	bool known;
	uint8_t call;   /* an_call */
	uint32_t group; /* of goroutines whose stack it is; 0: no frames */
	uint32_t site;  /* the place in the program, in follow.stacks.places */
	uint32_t wait;  /* row + 1 of waits, of the class met last */
} an_place;

/* Waits of one class at one place in the program; for one object, where the trace names it. */
struct an_wait {
	uint32_t stack; /* of the first */
	uint8_t cls, call;
	bool exact;                                        /* for one object */
	wtr_str object;                                    /* "mutex 'accounts'"; empty: it has no name */
	unsigned now, most;                                /* waiting */
	uint64_t n, handed;                                /* handed: ended by a goroutine, with others still waiting */
	uint64_t by_nobody;                                /* ended by no goroutine: timers, the network, the runtime */
	int64_t ns, busy_ns;                               /* busy: with somebody waiting */
	int64_t busy_from_ns, longest_ns, longest_over_ns; /* over: of those that were ended */
	an_worst *worst;                                   /* NULL: few so far */
	/* who ended the last few, from different goroutines and start functions */
	int64_t wakers[4];
	uint32_t waker_groups[4];
	unsigned n_wakers;
	/* bursts of wake-ups */
	uint64_t bursts, burst_woken, burst_by_nobody, futile;
	unsigned burst_most;
	uint32_t burst_waker;  /* group of a waker */
	an_worst *burst_worst; /* NULL: none */
};

/* ---- all of it ---- */

struct an_find {
	an_sink sink;
	an_follow follow;
	wtr_findings_query q;
	an_span_source from;
	an_world world;
	WB_VEC(an_find_g) gs;         /* as follow.all */
	WB_VEC(an_find_group) groups; /* 0: not known */
	wb_idmap group_of;            /* text of the name -> group */
	WB_VEC(an_place) places;      /* by stack */
	WB_VEC(an_wait) waits;
	wb_idmap wait_of; /* place, class -> wait */
	wb_idmap wait_on; /* object, call -> wait */
	uint64_t events, goroutines;
	bool begun, over;
	an_rules rules;
	wb_arena arena; /* lists of the worst that few rows have */
	WB_VEC(wtr_finding) found;
};

/* A state interval that is over, cut to the time that counts. */
struct an_find_span {
	an_follower *f;
	an_find_g *g;
	const wtr_event *end; /* NULL: at the end */
	int64_t from_ns, to_ns;
	int64_t whole_ns; /* uncut */
};

/* ---- world.c ---- */
void an_world_move(an_world *w, int64_t to_ns); /* time passes */
void an_world_turn(an_world *w);                /* something has changed: what is so now */
bool an_world_proc_event(an_world *w, const wtr_event *e);
void an_world_take(an_world *w, int64_t p, bool taken);
void an_world_procs_told(an_world *w, uint64_t n);
void an_world_free(an_world *w);
static inline unsigned an_world_idle(const an_world *w)
{
	return w->procs > w->on ? (unsigned)(w->procs - w->on) : 0;
}

/* ---- places.c ---- */
an_place *an_place_of_stack(an_find *f, uint32_t stack); /* NULL: out of memory */
an_wait *an_wait_at(an_find *f, uint32_t stack, uint8_t cls);
an_wait *an_wait_for(an_find *f, uint32_t stack, uint8_t cls, const wtr_object *o);
uint32_t an_stack_number(an_find *f, uint32_t id); /* of the trace's id; 0 when memory is out */
/* The function of the program that it is in: the innermost one that is not the runtime's or the library's. */
wtr_str an_stack_site(an_find *f, uint32_t stack);
wtr_str an_group_name(const an_find *f, uint32_t group);
/* A copy that lasts as long as the findings; empty when memory is out, or text is NULL. */
wtr_str an_kept(an_find *f, const char *text, size_t n);

/* ---- wakes.c ---- */
void an_woken(an_find *f, const an_find_span *s); /* a wait is over: somebody made it ready */
an_find_g *an_g_of(an_find *f, int64_t g);        /* NULL: not known */
/* What a goroutine has done up to now, by class. */
void an_sums_of(an_find *f, const an_follower *l, int64_t now, int64_t *ret);

/* ---- emit.c ---- */
/* Begins a finding; NULL: not severe enough to tell, or out of memory.  The pointer is good until the next one. */
wtr_finding *an_found(an_find *f, an_rule_id rule, an_form form, double x);
void an_found_count(wtr_finding *d, const char *name, uint64_t n);
void an_found_ns(wtr_finding *d, const char *name, int64_t ns);
void an_found_bytes(wtr_finding *d, const char *name, uint64_t bytes);
void an_found_percent(wtr_finding *d, const char *name, double part, double whole);
void an_found_number(wtr_finding *d, const char *name, double v);
void an_found_text(wtr_finding *d, const char *name, wtr_str text);
void an_found_g(wtr_finding *d, const char *name, int64_t g);
void an_found_range(wtr_finding *d, int64_t from_ns, int64_t to_ns);
void an_found_goroutine(wtr_finding *d, int64_t g, wtr_str name, int64_t from_ns, int64_t to_ns);
/* Ranges and goroutines of a list. */
void an_found_worst(an_find *f, wtr_finding *d, const an_worst *w);
void an_found_stack(wtr_finding *d, const char *role, uint32_t stack);
void an_found_of(wtr_finding *d, uint64_t seen, uint64_t of, const char *things);
double an_severity(an_rule_id rule, double x);

/* What shares of the time are shares of: short traces say little, so it is at least AN_EVIDENCE_NS. */
#define AN_EVIDENCE_NS INT64_C(200000000)
static inline double an_evidence(int64_t ns)
{
	return (double)(ns > AN_EVIDENCE_NS ? ns : AN_EVIDENCE_NS);
}
static inline int64_t an_window(const an_find *f)
{
	return f->world.to_ns - f->world.from_ns;
}

#endif
