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
