/* an/find/rules.h - what each rule keeps, and what it is told.
 *
 * Hooks with `over` are told of a state interval of a goroutine that is over; hooks with `report` add findings, when
 * everything is over.  Spans are cut to the time that counts, and asked of the filter.
 */
#ifndef AN_FIND_RULES_H
#define AN_FIND_RULES_H

/* Included by find.h, behind what it needs. */
typedef struct an_find_span an_find_span;
typedef struct an_find_g an_find_g;
typedef struct an_wait an_wait;

/* rule_sched.c */
typedef struct an_rule_sched {
	an_spread waits;
	int64_t by_cause[AN_CAUSES];
	an_worst worst;
} an_rule_sched;
void an_sched_ready_over(an_find *f, const an_find_span *s);
void an_sched_running_over(an_find *f, const an_find_span *s);
void an_sched_report(an_find *f);

/* rule_leak.c: looks at what is left at the end */
void an_leak_report(an_find *f);

/* rule_convoy.c: looks at waits by stack */
void an_convoy_report(an_find *f);

/* rule_deadlock.c: looks at what is left, and at who ended waits before */
void an_deadlock_report(an_find *f);

/* rule_rwmutex.c: readers that wait for a writer that waits */
enum { AN_RW_PAIRS = 64 };
typedef struct an_rw_pair {
	uint32_t reader, writer; /* waits */
	uint64_t n;
	int64_t ns;
	an_worst worst;
} an_rw_pair;
typedef struct an_rule_rwmutex {
	an_rw_pair pairs[AN_RW_PAIRS];
	unsigned n;
} an_rule_rwmutex;
void an_rwmutex_woken(an_find *f, const an_find_span *s, const an_wait *w, const an_find_g *waker);
void an_rwmutex_report(an_find *f);

/* rule_greedy.c */
typedef struct an_rule_greedy {
	int64_t stop_ns;         /* since when the world is being stopped; WTR_NEVER: it is not */
	int64_t stopper;         /* the goroutine that stops it */
	int64_t last_ns, last_g; /* who stopped last; WTR_NEVER: nobody yet */
	uint32_t last_stack, last_group, stack, run_stack; /* stack, run_stack: of the worst */
	uint64_t stops, slow;
	int64_t run_ns; /* the worst run as a whole */
	an_worst worst_stop, worst_run;
} an_rule_greedy;
void an_greedy_stop(an_find *f, const wtr_event *e); /* begins, or is over */
void an_greedy_running_over(an_find *f, const an_find_span *s);
void an_greedy_report(an_find *f);

/* rule_idle.c */
typedef struct an_rule_idle {
	uint64_t n;
	double lost_ns;
	an_worst worst;
} an_rule_idle;
void an_idle_ready_over(an_find *f, const an_find_span *s);
void an_idle_report(an_find *f);

/* rule_syscall.c */
typedef struct an_rule_syscall {
	uint64_t calls, brief, lost, callbacks;
	an_worst worst;
} an_rule_syscall;
void an_syscall_over(an_find *f, const an_find_span *s);
void an_syscall_report(an_find *f);

/* rule_fanout.c */
typedef struct an_fanout { /* goroutines made at one place */
	uint32_t create, group;
	unsigned now, most;
	uint64_t n; /* that have ended */
	int64_t run_ns, ready_ns, first_ns, last_ns;
} an_fanout;
typedef struct an_rule_fanout {
	WB_VEC(an_fanout) all;
	wb_idmap of; /* create stack -> fanout */
} an_rule_fanout;
void an_fanout_born(an_find *f, an_find_g *g, int64_t now);
void an_fanout_died(an_find *f, const an_find_g *g, int64_t now);
void an_fanout_report(an_find *f);
void an_fanout_free(an_find *f);

/* rule_herd.c */
typedef struct an_burst { /* of wake-ups, one after the other */
	uint32_t wait;    /* row + 1; 0: none */
	unsigned n;
	int64_t from_ns, last_ns;
} an_burst;
enum { AN_NOBODY = 16 };
typedef struct an_rule_herd {
	an_burst nobody[AN_NOBODY]; /* by proc */
} an_rule_herd;
void an_herd_woken(an_find *f, const an_find_span *s, uint32_t wait, an_find_g *waker);
void an_herd_running_over(an_find *f, const an_find_span *s);
void an_herd_waits(an_find *f, an_find_g *g, uint32_t wait);
void an_herd_report(an_find *f);

/* rule_pingpong.c */
enum { AN_PAIRS = 256 };
typedef struct an_turns { /* at two places */
	uint64_t key;
	int64_t g, other;
	uint32_t group, other_group, stack;
	uint64_t n, across;
	int64_t ns, first_ns, last_ns;
} an_turns;
typedef struct an_rule_pingpong {
	an_turns all[AN_PAIRS]; /* by hash of the key; who comes first stays */
} an_rule_pingpong;
void an_pingpong_woken(const an_find_span *s, uint32_t wait, an_find_g *waker);
void an_pingpong_ready_over(an_find *f, const an_find_span *s);
void an_pingpong_report(an_find *f);

/* rule_netpoll.c */
typedef struct an_rule_netpoll {
	an_spread waits;
	unsigned burst, most;
	int64_t last_ns;
	an_worst worst;
} an_rule_netpoll;
void an_netpoll_woken(an_find *f, int64_t now);
void an_netpoll_ready_over(an_find *f, const an_find_span *s);
void an_netpoll_report(an_find *f);

/* rule_outliers.c */
enum { AN_TYPES_MAX = 128, AN_TYPE_BUCKETS = 40 };
typedef struct an_type_bucket { /* of those that took 2^i to 2^(i+1) us */
	uint64_t n;
	int64_t by_class[WTR_CLASS_COUNT];
} an_type_bucket;
typedef struct an_type { /* of a task or region */
	uint32_t name;
	bool task;
	an_spread took;
	an_type_bucket buckets[AN_TYPE_BUCKETS];
	int64_t slowest[WTR_CLASS_COUNT];
	an_worst worst;
} an_type;
typedef struct an_open {     /* begun, not over */
	uint32_t type, next; /* next: the region around it, or a free one; row + 1 */
	int64_t g, from_ns;
	int64_t by_class[WTR_CLASS_COUNT]; /* what the goroutine had done */
} an_open;
typedef struct an_rule_outliers {
	WB_VEC(an_type *) types;
	wb_idmap type_of; /* text, task or region -> type */
	WB_VEC(an_open) open;
	uint32_t free;  /* row + 1 */
	wb_idmap tasks; /* id -> open */
} an_rule_outliers;
void an_outliers_event(an_find *f, const wtr_event *e);
void an_outliers_died(an_find *f, an_find_g *g);
void an_outliers_report(an_find *f);
void an_outliers_free(an_find *f);

/* rule_serial.c */
typedef struct an_serial { /* woken at one place by who ran alone before */
	uint32_t group, stack;
	uint64_t woken;
	int64_t ns;
	an_worst worst;
} an_serial;
typedef struct an_rule_serial {
	WB_VEC(an_serial) all;
	wb_idmap of; /* waker's stack -> serial */
} an_rule_serial;
void an_serial_runs(an_find *f, an_find_g *g, int64_t now);
void an_serial_waits(an_find *f, an_find_g *g, int64_t id, int64_t now);
void an_serial_running_over(an_find *f, const an_find_span *s);
void an_serial_woken(an_find *f, const an_find_span *s, an_find_g *waker);
void an_serial_report(an_find *f);
void an_serial_free(an_find *f);

/* rule_gc.c */
typedef struct an_rule_gc {
	int64_t worker_ns, running_ns; /* mark workers, not idle ones; goroutines of the program */
	int64_t assist_ns, assist_waited_ns; /* in assists: on a proc, and for credit */
	uint64_t assists, cycles;
	an_worst worst_assist, worst_mark;
	int64_t mark_from_ns;
	uint64_t goal_bytes;
} an_rule_gc;
void an_gc_running_over(an_find *f, const an_find_span *s);
void an_gc_waited(an_find *f, const an_find_span *s); /* was in state WAITING */
void an_gc_range(an_find *f, const wtr_event *e);
void an_gc_assist_end(an_find *f, const an_follower *l, an_find_g *g, int64_t to_ns);
void an_gc_end(an_find *f); /* closes what is open */
void an_gc_report(an_find *f);

/* rule_stw.c */
enum { AN_STOP_KINDS = 24 };
typedef struct an_stop_kind {
	uint32_t name;       /* in follow.stacks.texts */
	int64_t from_ns, ns; /* from: WTR_NEVER when it is not so now */
	uint64_t n;
} an_stop_kind;
typedef struct an_rule_stw {
	an_stop_kind kinds[AN_STOP_KINDS];
	unsigned n_kinds;
	uint64_t n;
	int64_t ns;
	an_worst worst;
} an_rule_stw;
void an_stw_range(an_find *f, const wtr_event *e);
void an_stw_end(an_find *f);
void an_stw_report(an_find *f);

/* rule_health.c: looks at how reading went */
void an_health_report(an_find *f, const wtr_findings_totals *t);

typedef struct an_rules {
	an_rule_sched sched;
	an_rule_rwmutex rwmutex;
	an_rule_greedy greedy;
	an_rule_idle idle;
	an_rule_syscall syscall;
	an_rule_fanout fanout;
	an_rule_herd herd;
	an_rule_pingpong pingpong;
	an_rule_netpoll netpoll;
	an_rule_outliers outliers;
	an_rule_serial serial;
	an_rule_gc gc;
	an_rule_stw stw;
} an_rules;

#endif
