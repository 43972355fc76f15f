/* an/summary.c - the summary sink: one look at each event, and who gets it. */
#include "an/summary.h"

static uint32_t thread_row(an_summary *s, int64_t id)
{
	const an_cached *c = &s->recent_threads[(uint64_t)id % 64];
	bool recent = c->id == (uint32_t)id + 1 && id >= 0 && id < UINT32_MAX;
	return __builtin_expect(recent, 1) ? c->no : an_thread_row_slow(s, id);
}

static void context(an_summary *s, const wtr_event *e)
{
	if (e->m != WTR_NONE) {
		uint32_t i = thread_row(s, e->m);
		if (i != AN_NO_ROW)
			s->threads.at[i].events++;
	}
	if (e->p != WTR_NONE) {
		uint32_t i = an_proc_row(s, e->p);
		if (i != AN_NO_ROW)
			s->procs.at[i].row.events++;
	}
}

static void range_event(an_summary *s, const wtr_event *e)
{
	static const uint8_t no_of[WTR_RANGE_COUNT] = {
		[WTR_RANGE_GC_MARK] = AN_RANGE_GC,
		[WTR_RANGE_SWEEP] = AN_RANGE_SWEEP,
		[WTR_RANGE_MARK_ASSIST] = AN_RANGE_ASSIST,
	};
	unsigned no = e->detail == WTR_RANGE_STW ? an_stw_no(s, e->str) : no_of[e->detail % WTR_RANGE_COUNT];
	an_totals_range(s, e, no);
	an_g_range(s, e, no);
}

static void one(an_summary *s, const wtr_event *e)
{
	s->totals.by_kind[e->kind < WTR_KIND_COUNT ? e->kind : WTR_KIND_BAD]++;
	context(s, e);
	if (__builtin_expect(e->kind == WTR_KIND_STATE_TRANSITION, 1)) {
		if (__builtin_expect(e->resource == WTR_RES_GOROUTINE, 1))
			an_g_transition(s, e);
		else if (e->resource == WTR_RES_PROC)
			an_proc_transition(s, e);
		return;
	}
	switch (e->kind) {
	case WTR_KIND_RANGE_BEGIN:
	case WTR_KIND_RANGE_ACTIVE:
	case WTR_KIND_RANGE_END:
		range_event(s, e);
		break;
	case WTR_KIND_REGION_BEGIN:
	case WTR_KIND_REGION_END:
		an_region_event(s, e);
		break;
	case WTR_KIND_TASK_BEGIN:
	case WTR_KIND_TASK_END:
		an_task_event(s, e);
		break;
	case WTR_KIND_LOG:
		an_log_event(s, e);
		break;
	default:
		an_totals_rare(s, e);
	}
}

/* One event of an index of a part of the time. */
static void one_within(an_summary *s, const wtr_event *e)
{
	if (!s->inside && e->time_ns >= s->from_ns) {
		s->inside = true;
		an_within_begin(s);
	}
	if (e->time_ns >= s->to_ns)
		return;
	one(s, e);
	s->totals.events++;
	s->last_ns = e->time_ns;
}

static bool within_events(an_sink *sink, const wtr_event *ev, size_t n)
{
	an_summary *s = (an_summary *)sink;
	if (n && s->totals.events == 0 && !s->inside && !s->sync_ns)
		s->totals.start_ns = s->sync_ns = ev[0].time_ns;
	for (size_t i = 0; i < n; i++)
		one_within(s, &ev[i]);
	if (n && ev[n - 1].time_ns >= s->to_ns)
		s->last_ns = s->to_ns;
	return !s->oom;
}

static bool summary_events(an_sink *sink, const wtr_event *ev, size_t n)
{
	an_summary *s = (an_summary *)sink;
	if (n == 0)
		return true;
	if (s->totals.events == 0)
		s->totals.start_ns = s->sync_ns = ev[0].time_ns;
	for (size_t i = 0; i < n; i++) {
		/* Events come from another processor's cache. */
		__builtin_prefetch((const char *)&ev[i] + 5 * sizeof(ev[0]) + 48);
		if (__builtin_expect(ev[i].kind == WTR_KIND_SYNC, 0)) {
			s->totals.valid_events = s->totals.events + i + 1;
			s->totals.valid_end_ns = ev[i].time_ns;
		}
		one(s, &ev[i]);
	}
	s->totals.events += n;
	s->last_ns = ev[n - 1].time_ns;
	return !s->oom;
}

static bool summary_finish(an_sink *sink, wtr_index *x)
{
	an_summary *s = (an_summary *)sink;
	if (s->within && !s->inside)
		an_within_begin(s);
	s->totals.from_ns = s->within ? s->from_ns : s->totals.start_ns;
	s->totals.to_ns = s->totals.end_ns = s->last_ns;
	for (uint32_t g = 0; g < s->cold.n && !s->oom; g++)
		if (s->cold.at[g].used) {
			an_g_end(s, g, s->last_ns, true);
			an_g_retire(s, g);
		}
	if (s->oom)
		return false;
	wb_vec_free(&s->hot);
	wb_vec_free(&s->cold);
	wb_vec_free(&s->waits);
	wb_vec_free(&s->granges);
	bool ok = an_totals_publish(s, x) && an_tasks_publish(s, x) && an_regions_publish(s, x) && an_g_publish(s, x);
	x->texts = s->texts.all;
	s->texts.all = (wb_intern){ 0 };
	return ok;
}

static void summary_free(an_sink *sink)
{
	an_summary *s = (an_summary *)sink;
	for (uint32_t g = 0; g < s->cold.n; g++)
		an_regions_drop(s, g);
	wb_intern_free(&s->texts.all);
	wb_idmap *maps[] = { &s->g_rows, &s->final_waits, &s->lives, &s->proc_rows, &s->thread_rows, &s->sweep_slots,
		&s->assist_slots, &s->label_rows, &s->task_rows };
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		wb_idmap_free(maps[i]);
	wb_vec_free(&s->hot);
	wb_vec_free(&s->cold);
	wb_vec_free(&s->free_slots);
	wb_vec_free(&s->goroutines);
	wb_vec_free(&s->block_times);
	wb_vec_free(&s->range_times);
	wb_vec_free(&s->waits);
	wb_vec_free(&s->granges);
	wb_vec_free(&s->notes);
	wb_vec_free(&s->procs);
	wb_vec_free(&s->threads);
	wb_vec_free(&s->range_slots);
	wb_vec_free(&s->labels);
	wb_vec_free(&s->syncs);
	wb_vec_free(&s->sync_generations);
	wb_vec_free(&s->gomaxprocs);
	wb_vec_free(&s->metrics);
	wb_vec_free(&s->ranges);
	wb_vec_free(&s->samples);
	wb_vec_free(&s->logs);
	wb_vec_free(&s->tasks);
	wb_vec_free(&s->task_gs);
	wb_vec_free(&s->regions);
	wb_vec_free(&s->region_waits);
	wb_free(s);
}

an_sink *an_summary_sink(wtr_trace *t, unsigned parts, const an_window_ns *within)
{
	an_summary *s = wb_calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->sink = (an_sink){ summary_events, summary_finish, summary_free };
	s->trace = t;
	s->parts = parts;
	s->keep = parts & WTR_PART_EVENTS;
	if (within) {
		s->sink.events = within_events;
		s->within = true;
		s->from_ns = within->from_ns;
		s->to_ns = within->to_ns;
	}
	wtr_info info;
	wtr_get_info(t, &info);
	s->v1 = info.version < 22;
	if (an_texts_init(&s->texts))
		return &s->sink;
	summary_free(&s->sink);
	return NULL;
}
