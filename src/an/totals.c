/* an/totals.c - counters, procs, threads, ranges, metrics, samples. */
#include "an/summary.h"

#include <stdlib.h>
#include <string.h>

#include "fmt/events.h"

/* ---- procs and threads ---- */

uint32_t an_proc_row_slow(an_summary *s, int64_t id)
{
	uint32_t i = (uint32_t)s->procs.n;
	if (i < AN_NO_ROW - 1 && wb_vec_reserve(&s->procs, 1) && wb_idmap_set(&s->proc_rows, (uint64_t)id, i)) {
		s->procs.at[s->procs.n++] = (an_proc){ .row = { .id = id }, .m = WTR_NONE };
		return i;
	}
	s->oom = true;
	return AN_NO_ROW;
}

uint32_t an_thread_row_slow(an_summary *s, int64_t id)
{
	uint32_t i = wb_idmap_get(&s->thread_rows, (uint64_t)id);
	if (i == WB_IDMAP_NONE) {
		i = (uint32_t)s->threads.n;
		if (i >= AN_NO_ROW - 1 || !wb_vec_reserve(&s->threads, 1) ||
			!wb_idmap_set(&s->thread_rows, (uint64_t)id, i)) {
			s->oom = true;
			return AN_NO_ROW;
		}
		s->threads.at[s->threads.n++] = (wtr_thread_row){ .id = id };
	}
	if (id >= 0 && id < UINT32_MAX)
		s->recent_threads[(uint64_t)id % 64] = (an_cached){ (uint32_t)id + 1, i };
	return i;
}

/* A proc that is first seen running has been so since the last Sync. */
void an_proc_transition(an_summary *s, const wtr_event *e)
{
	unsigned from = wtr_from(e), to = wtr_to(e);
	uint32_t row = an_proc_row(s, e->id);
	if (from >= WTR_P_COUNT || to >= WTR_P_COUNT || row == AN_NO_ROW)
		return;
	s->p_transitions[from][to]++;
	an_proc *p = &s->procs.at[row];
	p->row.transitions++;
	if (to == WTR_P_RUNNING)
		p->m = e->m;
	if (!p->running && to == WTR_P_RUNNING) {
		p->running = true;
		p->since_ns = from == WTR_P_UNDETERMINED ? s->sync_ns : e->time_ns;
	} else if (p->running && to != WTR_P_RUNNING) {
		p->running = false;
		p->row.running_ns += e->time_ns - p->since_ns;
	}
	if (from != to && to == WTR_P_IDLE && p->syscall_g) {
		an_g_lost_proc(s, p->syscall_g - 1, e->time_ns);
		p->syscall_g = 0;
	}
}

/* ---- ranges ---- */

/* Where the range of this event is kept while it is open.  Only one stop-the-world of a kind is open at a time. */
static an_open_range *slot_of(an_summary *s, const wtr_event *e, unsigned no)
{
	if (no != AN_RANGE_SWEEP && no != AN_RANGE_ASSIST)
		return &s->global_ranges[no];
	wb_idmap *map = no == AN_RANGE_SWEEP ? &s->sweep_slots : &s->assist_slots;
	uint32_t i = wb_idmap_get(map, (uint64_t)e->id);
	if (i != WB_IDMAP_NONE)
		return &s->range_slots.at[i];
	i = (uint32_t)s->range_slots.n;
	if (i >= AN_NO_ROW - 1 || !wb_vec_reserve(&s->range_slots, 1) || !wb_idmap_set(map, (uint64_t)e->id, i)) {
		s->oom = true;
		return NULL;
	}
	s->range_slots.at[s->range_slots.n++] = (an_open_range){ 0 };
	return &s->range_slots.at[i];
}

static void open_range(an_summary *s, an_open_range *r, const wtr_event *e, int64_t since)
{
	r->open = true;
	r->since_ns = since;
	if (!s->keep)
		return;
	r->row = (uint32_t)s->ranges.n;
	wtr_str kind = e->detail == WTR_RANGE_STW ? an_text(&s->texts, an_text_no(s, e->str)) : (wtr_str){ "", 0 };
	AN_ADD(s, ranges,
		(wtr_range_row){ .start_ns = since,
			.end_ns = WTR_NEVER,
			.type = e->detail,
			.resource = e->resource,
			.id = e->id,
			.g = e->g,
			.p = e->p,
			.stack = e->stack,
			.kind = kind });
}

static void close_range(an_summary *s, an_open_range *r, const wtr_event *e, unsigned no)
{
	wtr_range_sum_row *sum = &s->range_sums[no];
	int64_t ns = e->time_ns - r->since_ns;
	r->open = false;
	sum->open--;
	sum->total_ns += ns;
	sum->longest_ns = ns > sum->longest_ns ? ns : sum->longest_ns;
	if (s->keep && r->row < s->ranges.n) {
		wtr_range_row *row = &s->ranges.at[r->row];
		row->end_ns = e->time_ns;
		row->swept_bytes = e->value[0];
		row->reclaimed_bytes = e->value[1];
	}
}

void an_totals_range(an_summary *s, const wtr_event *e, unsigned no)
{
	wtr_range_sum_row *sum = &s->range_sums[no];
	an_open_range *r = slot_of(s, e, no);
	if (!r)
		return;
	if (e->kind == WTR_KIND_RANGE_END) {
		sum->ends++;
		if (r->open)
			close_range(s, r, e, no);
		return;
	}
	bool active = e->kind == WTR_KIND_RANGE_ACTIVE;
	*(active ? &sum->actives : &sum->begins) += 1;
	if (r->open)
		return;
	sum->open++;
	open_range(s, r, e, active ? s->sync_ns : e->time_ns);
}

/* ---- metrics, labels, samples, Syncs ---- */

static void metric(an_summary *s, const wtr_event *e)
{
	wtr_totals *t = &s->totals;
	uint64_t v = e->value[0];
	switch (e->detail) {
	case WTR_METRIC_GOMAXPROCS:
		t->gomaxprocs_events++;
		if (s->gomaxprocs.n == 0 || s->gomaxprocs.at[s->gomaxprocs.n - 1].value != v)
			AN_ADD(s, gomaxprocs, (wtr_gomaxprocs_row){ e->time_ns, v });
		break;
	case WTR_METRIC_HEAP_BYTES:
		t->heap_samples++;
		t->heap_max_bytes = v > t->heap_max_bytes ? v : t->heap_max_bytes;
		t->heap_last_bytes = v;
		break;
	case WTR_METRIC_HEAP_GOAL_BYTES:
		t->goal_samples++;
		t->goal_max_bytes = v > t->goal_max_bytes ? v : t->goal_max_bytes;
		t->goal_last_bytes = v;
		break;
	}
	if (s->keep)
		AN_ADD(s, metrics, (wtr_metric_row){ e->time_ns, e->detail, v });
}

static void label(an_summary *s, const wtr_event *e)
{
	uint32_t no = an_text_no(s, e->str), row = wb_idmap_get(&s->label_rows, no);
	if (row == WB_IDMAP_NONE) {
		row = (uint32_t)s->labels.n;
		if (!wb_vec_reserve(&s->labels, 1) || !wb_idmap_set(&s->label_rows, no, row)) {
			s->oom = true;
			return;
		}
		s->labels.at[s->labels.n++] = (wtr_label_row){ .label = an_text(&s->texts, no) };
	}
	s->labels.at[row].n++;
}

static void sample(an_summary *s, const wtr_event *e)
{
	wtr_totals *t = &s->totals;
	t->cpu_samples++;
	t->cpu_samples_with_g += e->g != WTR_NONE;
	t->cpu_samples_with_p += e->p != WTR_NONE;
	t->cpu_samples_with_m += e->m != WTR_NONE;
	if (s->keep)
		AN_ADD(s, samples, (wtr_sample_row){ e->time_ns, e->m, e->p, e->g, e->stack });
}

void an_totals_rare(an_summary *s, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_SYNC:
		s->sync_ns = e->time_ns;
		AN_ADD(s, syncs, (wtr_sync_row){ .n = e->id, .time_ns = e->time_ns });
		AN_ADD(s, sync_generations, e->value[0]);
		an_kept_begin(s, e);
		break;
	case WTR_KIND_METRIC:
		metric(s, e);
		break;
	case WTR_KIND_LABEL:
		label(s, e);
		break;
	case WTR_KIND_STACK_SAMPLE:
		sample(s, e);
		break;
	case WTR_KIND_EXPERIMENTAL:
		s->experimental[e->type]++;
		break;
	default:
		break;
	}
}

/* ---- tables ---- */

static int by_range_name(const void *a, const void *b)
{
	return an_text_order(((const wtr_range_sum_row *)a)->name, ((const wtr_range_sum_row *)b)->name);
}
static int by_label(const void *a, const void *b)
{
	return an_text_order(((const wtr_label_row *)a)->label, ((const wtr_label_row *)b)->label);
}

static int by_thread(const void *a, const void *b)
{
	const wtr_thread_row *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_proc(const void *a, const void *b)
{
	const wtr_proc_row *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* By start; of those found active at one Sync, by type and resource. */
static int by_start(const void *a, const void *b)
{
	const wtr_range_row *x = a, *y = b;
	if (x->start_ns != y->start_ns)
		return x->start_ns < y->start_ns ? -1 : 1;
	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

typedef WB_VEC(wtr_transition_row) transition_rows;

static bool add_transition(
	transition_rows *rows, wtr_resource resource, unsigned from, unsigned to, wtr_str reason, uint64_t n)
{
	return n == 0 ||
	       wb_vec_add(rows, (wtr_transition_row){ (uint8_t)resource, (uint8_t)from, (uint8_t)to, reason, n });
}

static bool publish_transitions(an_summary *s, wtr_index *x)
{
	transition_rows rows = { 0 };
	bool ok = true;
	for (unsigned from = 0; from < WTR_G_COUNT; from++)
		for (unsigned to = 0; to < WTR_G_COUNT; to++)
			for (unsigned r = 0; r < AN_REASONS && ok; r++)
				ok = add_transition(&rows, WTR_RES_GOROUTINE, from, to, an_reason_text(&s->texts, r),
					s->g_transitions[from][to][r]);
	for (unsigned from = 0; from < WTR_P_COUNT; from++)
		for (unsigned to = 0; to < WTR_P_COUNT && ok; to++)
			ok = add_transition(
				&rows, WTR_RES_PROC, from, to, an_text(&s->texts, 0), s->p_transitions[from][to]);
	AN_PUBLISH(x, TRANSITIONS, &rows);
	return ok;
}

static bool publish_experimental(an_summary *s, wtr_index *x)
{
	WB_VEC(wtr_experimental_row) rows = { 0 };
	for (unsigned i = 0; i < 256; i++) {
		if (!s->experimental[i])
			continue;
		char name[64];
		const char *type = wtr_type_name(i);
		size_t n = strlen(type), at = 0;
		if (wf_specs[i].experiment == WF_EXP_ALLOC_FREE) {
			memcpy(name, "AllocFree.", 10);
			at = 10;
		}
		n = n < sizeof(name) - at ? n : sizeof(name) - at;
		memcpy(name + at, type, n);
		uint32_t no = wb_intern_add(&s->texts.all, name, at + n);
		if (no == WB_INTERN_NONE ||
			!wb_vec_add(&rows, (wtr_experimental_row){ an_text(&s->texts, no), s->experimental[i] })) {
			wb_vec_free(&rows);
			return false;
		}
	}
	AN_PUBLISH(x, EXPERIMENTAL, &rows);
	return true;
}

static void stw_totals(wtr_totals *t, const wtr_range_sum_row *r)
{
	t->stw_count += r->begins;
	t->stw_open += r->open;
	t->stw_ns += r->total_ns;
	t->stw_longest_ns = r->longest_ns > t->stw_longest_ns ? r->longest_ns : t->stw_longest_ns;
}

static bool publish_range_sums(an_summary *s, wtr_index *x)
{
	WB_VEC(wtr_range_sum_row) rows = { 0 };
	for (unsigned no = 0; no < AN_RANGES; no++) {
		wtr_range_sum_row *r = &s->range_sums[no];
		if (!(r->begins | r->actives | r->ends))
			continue;
		if (no >= AN_RANGE_STW)
			stw_totals(&s->totals, r);
		r->name = an_text(&s->texts, s->texts.range_text[no]);
		if (!wb_vec_add(&rows, *r)) {
			wb_vec_free(&rows);
			return false;
		}
	}
	if (rows.n)
		qsort(rows.at, rows.n, sizeof(rows.at[0]), by_range_name);
	s->totals.gc_count = s->range_sums[AN_RANGE_GC].begins;
	s->totals.gc_mark_ns = s->range_sums[AN_RANGE_GC].total_ns;
	AN_PUBLISH(x, RANGE_SUMS, &rows);
	return true;
}

static bool publish_procs(an_summary *s, wtr_index *x)
{
	WB_VEC(wtr_proc_row) rows = { 0 };
	if (!wb_vec_reserve(&rows, s->procs.n))
		return false;
	for (size_t i = 0; i < s->procs.n; i++) {
		const an_proc *p = &s->procs.at[i];
		rows.at[rows.n] = p->row;
		if (p->running)
			rows.at[rows.n].running_ns += s->last_ns - p->since_ns;
		rows.n++;
	}
	if (rows.n)
		qsort(rows.at, rows.n, sizeof(rows.at[0]), by_proc);
	s->totals.procs = rows.n;
	AN_PUBLISH(x, PROCS, &rows);
	return true;
}

static void publish_syncs(an_summary *s, wtr_index *x)
{
	wtr_totals *t = &s->totals;
	for (size_t i = 0; i < s->syncs.n; i++) {
		uint64_t gen = s->sync_generations.at[i];
		wtr_generation g;
		if (gen == 0 || !wtr_get_generation(s->trace, gen - 1, &g) || !g.has_clock)
			continue;
		wtr_sync_row *row = &s->syncs.at[i];
		row->has_clock = 1;
		row->trace_ns = g.clock_trace_ns;
		row->mono_ns = g.clock_mono_ns;
		row->wall_ns = g.clock_wall_ns;
		if (!t->has_wall) {
			t->has_wall = true;
			t->wall_start_ns = g.clock_wall_ns + (t->start_ns - g.clock_trace_ns);
		}
	}
	AN_PUBLISH(x, SYNCS, &s->syncs);
}

bool an_totals_publish(an_summary *s, wtr_index *x)
{
	if (!publish_range_sums(s, x) || !publish_procs(s, x) || !publish_transitions(s, x) ||
		!publish_experimental(s, x))
		return false;
	publish_syncs(s, x);
	if (s->threads.n)
		qsort(s->threads.at, s->threads.n, sizeof(s->threads.at[0]), by_thread);
	if (s->labels.n)
		qsort(s->labels.at, s->labels.n, sizeof(s->labels.at[0]), by_label);
	if (s->ranges.n)
		qsort(s->ranges.at, s->ranges.n, sizeof(s->ranges.at[0]), by_start);
	s->totals.threads = s->threads.n;
	AN_PUBLISH(x, THREADS, &s->threads);
	AN_PUBLISH(x, LABELS, &s->labels);
	AN_PUBLISH(x, GOMAXPROCS, &s->gomaxprocs);
	AN_PUBLISH(x, METRICS, &s->metrics);
	AN_PUBLISH(x, RANGES, &s->ranges);
	AN_PUBLISH(x, SAMPLES, &s->samples);
	x->totals = s->totals;
	return true;
}
