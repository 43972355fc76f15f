/* an/within_lanes.c - the goroutines of a part of the time, from the lanes of a finished index.
 *
 * The rows of the whole time say who a goroutine is, its lane what it did when, and notes (notes.c) the rest.  What
 * counts is what goroutines.c counts with within.c; test/unit/an/within.c holds that both say the same.
 */
#include <stdlib.h>
#include <string.h>

#include "an/lanes.h"
#include "an/summary.h"
#include "read/source.h"
#include "read/trace.h"

/* Where the time of a span goes.  A wait's is its reason's, SUM_WAIT + the number of its text. */
enum { SUM_NONE, SUM_EXEC, SUM_SCHED, SUM_SYSCALL, SUM_SYSCALL_BLOCKED, SUM_WAIT, SUMS = SUM_WAIT + AN_REASONS };

typedef struct part {
	const wtr_index *x;
	const an_lanes *l;
	an_summary *s; /* the rows so far */
	int64_t from_ns, to_ns, last_ns;
	uint64_t from, to; /* ns since the trace's start */
	uint8_t *sum_of;   /* by number of the dictionary */
	unsigned n_sums;
	/* of the goroutine that is being added up: */
	uint64_t since; /* what was before does not count */
	int64_t sums[SUMS];
	uint32_t what;                  /* its last span */
	const an_note *note, *end_note; /* its notes */
	const an_note *lost;            /* the next that may be about a system call */
} part;

/* ---- whether lanes know ---- */

/* A repaired trace may have lost what a lane goes by, and ids that are used again have more than one row's worth. */
static bool lanes_know(const wtr_index *x)
{
	enum { ALL = WTR_PART_LANES | WTR_PART_EVENTS };
	return x->lanes && (x->parts & ALL) == ALL && x->totals.events && x->totals.end.code == WTR_OK &&
	       x->trace->opt.damage == WTR_AS_GO && !x->lanes->again && x->lanes->texts.n <= AN_REASONS;
}

/* ---- spans ---- */

static wtr_str reason_text(const an_lanes *l, const an_what *w)
{
	wb_text t = wb_intern_text(&l->texts, w->reason);
	return (wtr_str){ t.at, t.n };
}

/* A wait for ever is as good as an end. */
static unsigned sum_of(const an_lanes *l, const an_what *w)
{
	wtr_str reason;
	switch (w->state) {
	case WTR_G_RUNNING: return SUM_EXEC;
	case WTR_G_RUNNABLE: return SUM_SCHED;
	case WTR_G_SYSCALL: return SUM_SYSCALL;
	case WTR_G_WAITING:
		reason = reason_text(l, w);
		return reason.n == 7 && memcmp(reason.at, "forever", 7) == 0 ? SUM_NONE : SUM_WAIT + w->reason;
	default: return SUM_NONE;
	}
}

/* When its proc left the goroutine in its system call, which is over at `end`; that, if it did not. */
static uint64_t lost_proc(part *k, uint64_t start, uint64_t end)
{
	int64_t from = k->l->start + (int64_t)start, to = k->l->start + (int64_t)end;
	for (; k->lost < k->end_note; k->lost++)
		if (k->lost->kind == AN_NOTE_LOST && k->lost->to_ns > from)
			return k->lost->to_ns < to ? (uint64_t)k->lost->to_ns - (uint64_t)k->l->start : end;
	return end;
}

/* How much of [start, end) counts. */
static inline int64_t counted(const part *k, uint64_t start, uint64_t end)
{
	start = start > k->since ? start : k->since;
	end = end < k->to ? end : k->to;
	return end > start ? (int64_t)(end - start) : 0;
}

static void add_syscall(part *k, uint64_t start, uint64_t end)
{
	uint64_t lost = lost_proc(k, start, end);
	k->sums[SUM_SYSCALL] += counted(k, start, lost);
	k->sums[SUM_SYSCALL_BLOCKED] += counted(k, lost, end);
}

static inline void add_span(void *user, uint64_t start, uint64_t end, uint32_t what, uint32_t next)
{
	part *k = user;
	unsigned sum = k->sum_of[what];
	(void)next;
	k->what = what;
	if (__builtin_expect(sum == SUM_SYSCALL, 0))
		add_syscall(k, start, end);
	else
		k->sums[sum] += counted(k, start, end);
}

/* ---- notes ---- */

static const an_note *note_of(const part *k, an_note_kind kind)
{
	for (const an_note *n = k->note; n < k->end_note; n++)
		if (n->kind == kind)
			return n;
	return NULL;
}

/* The first part of a system call that a goroutine was found in without a proc: nobody saw it leave. */
static void found_in_syscall(part *k, const an_found_g *f)
{
	if (!note_of(k, AN_NOTE_NO_PROC))
		return;
	int64_t ns = counted(k, 0, f->known);
	k->sums[SUM_SYSCALL] -= ns;
	k->sums[SUM_SYSCALL_BLOCKED] += ns;
}

/* How long a range was open in the part; -1: it does not count there. */
static int64_t range_ns(const part *k, const an_note *n)
{
	if (n->known_ns >= k->to_ns || n->to_ns < k->from_ns || (n->kind == AN_NOTE_DROPPED && n->to_ns < k->to_ns))
		return -1;
	int64_t from = n->from_ns > k->from_ns ? n->from_ns : k->from_ns;
	int64_t to = n->to_ns < k->last_ns ? n->to_ns : k->last_ns;
	return to - from;
}

static void add_ranges(part *k, wtr_goroutine_row *row)
{
	an_summary *s = k->s;
	row->first_range = (uint32_t)s->range_times.n;
	for (const an_note *n = k->note; n < k->end_note; n++) {
		int64_t ns = n->kind == AN_NOTE_RANGE || n->kind == AN_NOTE_DROPPED ? range_ns(k, n) : -1;
		if (ns < 0)
			continue;
		wb_text name = wb_intern_text(&k->x->texts, n->name);
		size_t i = row->first_range;
		while (i < s->range_times.n && s->range_times.at[i].name.at != name.at)
			i++;
		if (i < s->range_times.n)
			s->range_times.at[i].ns += ns;
		else
			AN_ADD(s, range_times, (wtr_range_time_row){ 0, { name.at, name.n }, ns });
	}
	row->n_range = (uint32_t)(s->range_times.n - row->first_range);
}

/* ---- rows ---- */

static void add_waits(part *k, wtr_goroutine_row *row)
{
	row->first_block = (uint32_t)k->s->block_times.n;
	row->n_block = 0;
	row->block_ns = 0;
	for (unsigned i = SUM_WAIT; i < k->n_sums; i++) {
		if (!k->sums[i])
			continue;
		wb_text reason = wb_intern_text(&k->l->texts, i - SUM_WAIT);
		AN_ADD(k->s, block_times, (wtr_block_time_row){ 0, { reason.at, reason.n }, k->sums[i] });
		row->block_ns += k->sums[i];
		row->n_block++;
	}
}

/* What was not known yet when the part ended. */
static void forget_the_future(const part *k, wtr_goroutine_row *row)
{
	const an_what *w = &k->l->dict.whats.at[k->what];
	const an_note *named = note_of(k, AN_NOTE_NAMED);
	if (named && named->to_ns >= k->to_ns) {
		row->name = (wtr_str){ "", 0 };
		row->entry_stack = 0;
	}
	if (row->name.n == 0)
		row->group = AN_NO_ROW; /* there may be no group of the nameless yet */
	if (row->start_ns >= k->to_ns)
		row->start_ns = WTR_NEVER;
	if (row->end_ns >= k->to_ns)
		row->end_ns = WTR_NEVER;
	row->final_state = w->state;
	row->final_reason =
		w->state == WTR_G_WAITING || w->state == WTR_G_RUNNABLE ? reason_text(k->l, w) : (wtr_str){ "", 0 };
}

static int64_t total_ns(const part *k, const wtr_goroutine_row *row)
{
	int64_t from = k->l->start + (int64_t)k->since, to = row->end_ns == WTR_NEVER ? k->last_ns : row->end_ns;
	from = row->create_ns > from ? row->create_ns : from;
	return to > from ? to - from : 0;
}

static void add_row(part *k, const wtr_goroutine_row *whole, const an_g *g, const an_found_g *f)
{
	wtr_goroutine_row row = *whole;
	memset(k->sums, 0, k->n_sums * sizeof(k->sums[0]));
	k->lost = k->note;
	an_strip_walk(&k->l->store, &g->strip, k->from, k->to, add_span, k);
	if (f)
		found_in_syscall(k, f);
	forget_the_future(k, &row);
	row.exec_ns = k->sums[SUM_EXEC];
	row.sched_ns = k->sums[SUM_SCHED];
	row.syscall_ns = k->sums[SUM_SYSCALL];
	row.syscall_block_ns = k->sums[SUM_SYSCALL_BLOCKED];
	row.total_ns = total_ns(k, &row);
	row.n_regions = 0;
	add_waits(k, &row);
	add_ranges(k, &row);
	an_g_unknown(&row);
	AN_ADD(k->s, goroutines, row);
}

/* The goroutine of row i of the whole time, if it was there in the part. */
static void goroutine(part *k, uint32_t i, const wtr_goroutine_row *row)
{
	const an_lanes *l = k->l;
	uint32_t gi = l->g_of_row[i];
	bool over = row->final_state == WTR_G_NOTEXIST && row->end_ns < k->from_ns;
	const an_g *g = gi == AN_NO || over ? NULL : an_g_at(l, gi);
	if (!g || !g->strip.first)
		return;
	const an_found_g *f = g->flags & AN_G_OPEN ? &l->founds.at[wb_idmap_get(&l->found_of, gi)] : NULL;
	if ((f ? f->known : g->strip.first->start) >= k->to)
		return;
	k->since = f && f->sync > k->from ? f->sync : k->from;
	k->note = &k->x->notes[k->x->first_note[i]];
	k->end_note = &k->x->notes[k->x->first_note[i + 1]];
	add_row(k, row, g, f);
}

/* ---- all of it ---- */

static bool begin(part *k, int64_t from_ns, int64_t to_ns)
{
	const an_lanes *l = k->l;
	int64_t end_ns = l->start + (int64_t)l->store.end;
	k->from_ns = from_ns > l->start ? from_ns : l->start;
	k->to_ns = to_ns;
	k->last_ns = to_ns < end_ns ? to_ns : end_ns;
	k->from = (uint64_t)k->from_ns - (uint64_t)l->start;
	k->to = (uint64_t)to_ns - (uint64_t)l->start;
	k->n_sums = SUM_WAIT + (unsigned)l->texts.n;
	k->s = wb_calloc(1, sizeof(*k->s));
	k->sum_of = wb_calloc(l->dict.whats.n + 1, 1);
	if (!k->s || !k->sum_of)
		return false;
	k->s->parts = WTR_PART_GOROUTINES;
	for (size_t i = 1; i < l->dict.whats.n; i++)
		k->sum_of[i] = (uint8_t)sum_of(l, &l->dict.whats.at[i]);
	return true;
}

static bool publish(part *k, int64_t from_ns, wtr_index *ret)
{
	const wtr_totals *t = &k->x->totals;
	ret->trace = k->x->trace;
	ret->parts = WTR_PART_GOROUTINES;
	ret->totals =
		(wtr_totals){ .start_ns = t->start_ns, .end_ns = k->last_ns, .from_ns = from_ns, .to_ns = k->last_ns };
	return !k->s->oom && an_g_publish(k->s, ret);
}

static void free_rows(an_summary *s)
{
	if (!s)
		return;
	wb_vec_free(&s->goroutines);
	wb_vec_free(&s->block_times);
	wb_vec_free(&s->range_times);
	wb_idmap_free(&s->g_rows);
	wb_free(s);
}

static wtr_index *from_lanes(const wtr_index *x, int64_t from_ns, int64_t to_ns)
{
	part k = { .x = x, .l = x->lanes };
	wtr_index *ret = wb_calloc(1, sizeof(*ret));
	bool ok = ret && begin(&k, from_ns, to_ns);
	const wtr_goroutine_row *rows = wtr_table_data(x, WTR_TABLE_GOROUTINES);
	for (uint32_t i = 0; ok && i < k.l->n_rows; i++) {
		goroutine(&k, i, &rows[i]);
		ok = !k.s->oom;
	}
	ok = ok && publish(&k, from_ns, ret);
	free_rows(k.s);
	wb_free(k.sum_of);
	if (ok)
		return ret;
	wtr_index_free(ret);
	return NULL;
}

wtr_code wtr_index_within(const wtr_index *x, int64_t from_ns, int64_t to_ns, wtr_index **ret, wtr_error *err)
{
	const an_lanes *l = x->lanes;
	bool inside = l && to_ns > from_ns && to_ns > l->start && from_ns < l->start + (int64_t)l->store.end;
	if (!inside || !lanes_know(x))
		return wtr_index_build_within(
			x->trace, WTR_PART_TOTALS | WTR_PART_GOROUTINES, from_ns, to_ns, ret, err);
	wtr_index *rows = from_lanes(x, from_ns, to_ns);
	if (!rows)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	*ret = rows;
	return WTR_OK;
}
