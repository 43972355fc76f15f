/* an/regions.c - user regions: what their goroutine did between begin and end. */
#include "an/summary.h"

#include <stdlib.h>

/* What a goroutine had waited for, by reason, when a region began.  Regions that begin with nothing waited for in
 * between share it, so that deep nests stay small. */
typedef struct snapshot {
	unsigned       users, n;
	an_region_wait waits[];
} snapshot;

typedef struct an_open_region {
	struct an_open_region *outer;
	snapshot *before;
	uint64_t  task;
	uint32_t  name, stack;
	bool      inherited;
	int64_t   start_ns;
	int64_t   total_ns, exec_ns, sched_ns, syscall_ns, syscall_block_ns; /* of the goroutine, at the start */
} an_open_region;

static bool equal(const snapshot *x, const an_stat *at)
{
	if (x->n != at->n_waits)
		return false;
	for (unsigned i = 0; i < x->n; i++)
		if (x->waits[i].ns != at->wait_ns[i] || x->waits[i].reason != at->wait_reason[i])
			return false;
	return true;
}

static snapshot *take_snapshot(const an_open_region *outer, const an_stat *at)
{
	if (outer && equal(outer->before, at)) {
		outer->before->users++;
		return outer->before;
	}
	snapshot *x = wb_malloc(sizeof(*x) + at->n_waits * sizeof(x->waits[0]));
	if (!x)
		return NULL;
	x->users = 1;
	x->n = at->n_waits;
	for (unsigned i = 0; i < x->n; i++)
		x->waits[i] = (an_region_wait){ at->wait_ns[i], at->wait_reason[i] };
	return x;
}

static an_open_region *push(an_summary *s, uint32_t g, int64_t now, const an_stat *at)
{
	an_open_region *r = wb_calloc(1, sizeof(*r));
	an_open_region *outer = s->cold.at[g].regions;
	if (r)
		r->before = take_snapshot(outer, at);
	if (!r || !r->before) {
		wb_free(r);
		s->oom = true;
		return NULL;
	}
	r->start_ns = now;
	r->total_ns = at->total_ns;
	r->exec_ns = at->exec_ns;
	r->sched_ns = at->sched_ns;
	r->syscall_ns = at->syscall_ns;
	r->syscall_block_ns = at->syscall_block_ns;
	r->outer = outer;
	s->cold.at[g].regions = r;
	return r;
}

static void pop(an_summary *s, uint32_t g)
{
	an_open_region *r = s->cold.at[g].regions;
	s->cold.at[g].regions = r->outer;
	if (--r->before->users == 0)
		wb_free(r->before);
	wb_free(r);
}

void an_regions_drop(an_summary *s, uint32_t g)
{
	while (s->cold.at[g].regions)
		pop(s, g);
}

/* Rows of a region's waits.  Real regions have a handful each; should they have more on average than Go has reasons,
 * which takes a trace made for it, further regions get one row for all their waits together. */
enum { WAITS_PER_REGION = 20, WAITS_FREE = 4096 };

static void add_waits(an_summary *s, const snapshot *before, const an_stat *at)
{
	int64_t ns[AN_REASONS] = { 0 }, sum = 0;
	for (unsigned i = 0; i < at->n_waits; i++)
		ns[at->wait_reason[i]] = at->wait_ns[i];
	for (unsigned i = 0; before && i < before->n; i++)
		ns[before->waits[i].reason] -= before->waits[i].ns;
	bool fold = s->region_waits.n > s->regions.n * WAITS_PER_REGION + WAITS_FREE;
	for (unsigned i = 0; i < at->n_waits; i++) {
		int64_t v = ns[at->wait_reason[i]];
		if (fold)
			sum += v;
		else if (v != 0)
			AN_ADD(s, region_waits, (an_region_wait){ v, at->wait_reason[i] });
	}
	if (sum != 0)
		AN_ADD(s, region_waits, (an_region_wait){ sum, AN_REASONS - 1 });
}

/* Adds the row of a region that is over: the goroutine's sums `at` its end minus those at its start. */
static void add_row(an_summary *s, uint32_t g, const an_open_region *r, int64_t end_ns, const an_stat *at)
{
	an_gcold *c = &s->cold.at[g];
	c->n_regions++;
	if (!s->keep)
		return;
	an_region x = { .life = c->life,
		.row = {
			.g = c->id,
			.task = r->task,
			.name = an_text(&s->texts, r->name),
			.inherited = r->inherited,
			.start_ns = r->start_ns,
			.end_ns = end_ns,
			.start_stack = r->stack,
			.total_ns = at->total_ns - r->total_ns,
			.exec_ns = at->exec_ns - r->exec_ns,
			.sched_ns = at->sched_ns - r->sched_ns,
			.syscall_ns = at->syscall_ns - r->syscall_ns,
			.syscall_block_ns = at->syscall_block_ns - r->syscall_block_ns,
			.first_block = (uint32_t)s->region_waits.n,
		} };
	add_waits(s, r->before, at);
	x.row.n_block = (uint32_t)s->region_waits.n - x.row.first_block;
	AN_ADD(s, regions, x);
}

/* A new goroutine belongs to the task of the region in which it was created. */
void an_regions_inherit(an_summary *s, uint32_t g, int64_t creator, int64_t now)
{
	uint32_t c = an_g_row(s, creator);
	if (c == AN_NO_ROW || c == g || !s->cold.at[c].regions)
		return;
	uint64_t task = s->cold.at[c].regions->task;
	an_stat zero = { .n_waits = 0 };
	an_open_region *r = push(s, g, now, &zero);
	if (!r)
		return;
	r->task = task;
	r->inherited = true;
}

void an_regions_kept(an_summary *s, uint32_t g, uint64_t task, uint32_t name)
{
	an_stat zero = { .n_waits = 0 };
	an_open_region *r = push(s, g, WTR_NEVER, &zero);
	uint32_t row = an_task_of(s, task, s->cold.at[g].id);
	if (!r || row == AN_NO_ROW)
		return;
	r->task = task;
	r->name = name;
	s->tasks.at[row].row.n_regions++;
}

static void begin(an_summary *s, uint32_t g, const wtr_event *e)
{
	an_stat st;
	an_g_stat(s, g, e->time_ns, &st);
	an_open_region *r = push(s, g, e->time_ns, &st);
	uint32_t task = an_task_of(s, (uint64_t)e->id, e->g);
	if (!r || task == AN_NO_ROW)
		return;
	r->task = (uint64_t)e->id;
	r->name = an_text_no(s, e->str);
	r->stack = e->stack;
	s->tasks.at[task].row.n_regions++;
}

/* An end without a begin: the region began before the trace did, or on another goroutine.  It cannot end an inherited
 * region, which no code began: that one stays open (Go's summarizer ends it, docs/analyses.md). */
static void end(an_summary *s, uint32_t g, const wtr_event *e)
{
	an_stat st;
	an_g_stat(s, g, e->time_ns, &st);
	an_open_region *r = s->cold.at[g].regions;
	if (r && !r->inherited) {
		add_row(s, g, r, e->time_ns, &st);
		pop(s, g);
		return;
	}
	uint32_t task = an_task_of(s, (uint64_t)e->id, e->g);
	if (task == AN_NO_ROW)
		return;
	s->tasks.at[task].row.n_regions++;
	an_open_region lone = { .task = (uint64_t)e->id, .name = an_text_no(s, e->str), .start_ns = WTR_NEVER };
	add_row(s, g, &lone, e->time_ns, &st);
}

void an_region_event(an_summary *s, const wtr_event *e)
{
	uint32_t g = an_g_row(s, e->g);
	if (g == AN_NO_ROW)
		return;
	if (e->kind == WTR_KIND_REGION_BEGIN)
		begin(s, g, e);
	else
		end(s, g, e);
}

/* What is still open when a goroutine ends.  System goroutines may have inherited a region (a GC that starts inside one
 * creates its workers there), but are never part of it. */
void an_regions_end(an_summary *s, uint32_t g, int64_t now, bool trace_ends)
{
	if (!s->cold.at[g].regions)
		return;
	an_stat st;
	an_g_stat(s, g, now, &st);
	bool system = an_g_system(s, g);
	for (; s->cold.at[g].regions; pop(s, g))
		if (!system)
			add_row(s, g, s->cold.at[g].regions, trace_ends ? WTR_NEVER : now, &st);
}

/* ---- tables ---- */

static int by_place(const void *a, const void *b)
{
	const wtr_region_row *x = &((const an_region *)a)->row, *y = &((const an_region *)b)->row;
	if (x->g != y->g)
		return x->g < y->g ? -1 : 1;
	if (x->start_ns != y->start_ns) /* WTR_NEVER is the smallest */
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->end_ns != y->end_ns)
		return x->end_ns != WTR_NEVER && (y->end_ns == WTR_NEVER || x->end_ns < y->end_ns) ? -1 : 1;
	int c = an_text_order(x->name, y->name);
	if (c != 0)
		return c;
	return x->first_block < y->first_block ? -1 : x->first_block > y->first_block;
}

bool an_regions_publish(an_summary *s, wtr_index *x)
{
	if (!s->keep)
		return true;
	if (s->regions.n)
		qsort(s->regions.at, s->regions.n, sizeof(s->regions.at[0]), by_place);
	WB_VEC(wtr_region_row) rows = { 0 };
	WB_VEC(wtr_region_block_time_row) blocks = { 0 };
	bool ok = wb_vec_reserve(&rows, s->regions.n) && wb_vec_reserve(&blocks, s->region_waits.n);
	for (size_t i = 0; ok && i < s->regions.n; i++) {
		const an_region *r = &s->regions.at[i];
		uint32_t last = wb_idmap_get(&s->lives, (uint64_t)r->row.g);
		if (r->life != (last == WB_IDMAP_NONE ? 0 : last)) /* of an earlier goroutine with this id */
			continue;
		uint32_t first = r->row.first_block;
		rows.at[rows.n] = r->row;
		rows.at[rows.n].first_block = (uint32_t)blocks.n;
		for (uint32_t k = 0; k < r->row.n_block; k++) {
			const an_region_wait *w = &s->region_waits.at[first + k];
			wtr_str reason = an_reason_text(&s->texts, w->reason);
			blocks.at[blocks.n++] = (wtr_region_block_time_row){ (uint32_t)rows.n, reason, w->ns };
		}
		rows.n++;
	}
	AN_PUBLISH(x, REGIONS, &rows);
	AN_PUBLISH(x, REGION_BLOCK_TIMES, &blocks);
	return ok;
}
