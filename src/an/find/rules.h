/* an/find/rules.h - what each rule keeps, and what it is told.
 *
 * Hooks with `over` are told of a state interval of a goroutine that is over; hooks with `report` add findings, when
 * everything is over.  Spans are cut to the time that counts, and asked of the filter.
 */
#ifndef AN_FIND_RULES_H
#define AN_FIND_RULES_H

#include "an/find/find.h"

typedef struct an_find an_find;
typedef struct an_find_span an_find_span;

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

/* rule_gc.c */
typedef struct an_rule_gc {
	int64_t worker_ns, running_ns; /* mark workers, not idle ones; goroutines of the program */
	int64_t assist_ns;
	uint64_t assists, cycles;
	an_worst worst_assist, worst_mark;
	int64_t mark_from_ns;
	uint64_t goal_bytes;
} an_rule_gc;
void an_gc_running_over(an_find *f, const an_find_span *s);
void an_gc_range(an_find *f, const wtr_event *e);
void an_gc_assist_end(an_find *f, an_find_g *g, int64_t id, int64_t to_ns);
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
	an_rule_gc gc;
	an_rule_stw stw;
} an_rules;

#endif
