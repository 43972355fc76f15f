/* serve/modelof.c - the model of a real trace.  Apart from model.c, so that tests of the rest need no index. */
#include "base/alloc.h"
#include "serve/site.h"

ws_model *ws_model_of(wtr_trace *t, const wtr_index *x)
{
	ws_model *m = wb_calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	*m = (ws_model){
		.trace = t,
		.index = x,
		.goroutine = wtr_goroutine,
		.tile = wtr_tile,
		.span_at = wtr_span_at,
		.span_step = wtr_span_step,
		.counts = wtr_counts,
		.group_goroutines = wtr_group_goroutines,
		.stack = wtr_stack,
	};
	wtr_get_info(t, &m->info);
	wtr_get_totals(x, &m->totals);
	for (unsigned i = 0; i < WTR_TABLE_COUNT; i++) {
		m->tables[i].rows = wtr_table_data(x, (wtr_table)i);
		m->tables[i].n = wtr_table_rows(x, (wtr_table)i);
	}
	pthread_mutex_init(&m->waits_lock, NULL);
	pthread_mutex_init(&m->mmus_lock, NULL);
	if (!ws_model_finish(m)) {
		ws_model_free(m);
		return NULL;
	}
	return m;
}

void ws_model_free(ws_model *m)
{
	if (!m)
		return;
	ws_model_done(m);
	wtr_waits_free(m->waits);
	for (size_t i = 0; i < WS_MMUS; i++)
		wtr_mmu_free(m->mmus[i]);
	pthread_mutex_destroy(&m->mmus_lock);
	pthread_mutex_destroy(&m->waits_lock);
	wb_free(m);
}

const wtr_waits *ws_model_waits(const ws_model *m, wtr_error *err)
{
	ws_model *w = (ws_model *)(uintptr_t)m; /* nothing else of it changes */
	pthread_mutex_lock(&w->waits_lock);
	if (!w->waits && wtr_waits_make(w->trace, &w->waits, err) != WTR_OK)
		w->waits = NULL;
	wtr_waits *ret = w->waits;
	pthread_mutex_unlock(&w->waits_lock);
	return ret;
}

/* The curves of the whole time; NULL, with *err filled, when there are none. */
static const wtr_mmu *whole_mmu(const ws_model *m, const wtr_mmu_query *q, wtr_error *err)
{
	ws_model *w = (ws_model *)(uintptr_t)m;
	wtr_mmu_query whole = { .causes = q->causes, .per_goroutine = q->per_goroutine };
	wtr_mmu **at = &w->mmus[(q->causes << 1 | q->per_goroutine) % WS_MMUS];
	pthread_mutex_lock(&w->mmus_lock);
	if (!*at && wtr_mmu_make(w->trace, &whole, at, err) != WTR_OK)
		*at = NULL;
	const wtr_mmu *ret = *at;
	pthread_mutex_unlock(&w->mmus_lock);
	return ret;
}

wtr_code ws_model_mmu(const ws_model *m, const wtr_mmu_query *q, wtr_mmu **ret, wtr_error *err)
{
	wtr_error why = { 0 };
	if (q->where)
		return wtr_mmu_make(m->trace, q, ret, err);
	const wtr_mmu *whole = whole_mmu(m, q, &why);
	if (whole)
		return wtr_mmu_within(
			whole, q->ranged ? q->from_ns : INT64_MIN, q->ranged ? q->to_ns : INT64_MAX, ret, err);
	*err = why;
	return why.code;
}
