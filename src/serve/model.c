/* serve/model.c - what the server knows of the trace beside the index; modelof.c ties it to a real one. */
#include <string.h>

#include "base/alloc.h"
#include "serve/site.h"

bool ws_model_finish(ws_model *m)
{
	const wtr_metric_row *rows = m->tables[WTR_TABLE_METRICS].rows;
	size_t n = m->tables[WTR_TABLE_METRICS].n, count[WTR_METRIC_COUNT] = { 0 };
	for (size_t i = 0; i < n; i++)
		if (rows[i].metric < WTR_METRIC_COUNT)
			count[rows[i].metric]++;
	for (size_t k = 0; k < WTR_METRIC_COUNT; k++) {
		if (!count[k])
			continue;
		m->metric_rows[k] = wb_realloc(NULL, count[k], sizeof(uint32_t));
		if (!m->metric_rows[k])
			return false;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned k = rows[i].metric;
		if (k < WTR_METRIC_COUNT)
			m->metric_rows[k][m->n_metric_rows[k]++] = (uint32_t)i;
	}
	return true;
}

void ws_model_done(ws_model *m)
{
	for (size_t k = 0; k < WTR_METRIC_COUNT; k++) {
		wb_free(m->metric_rows[k]);
		m->metric_rows[k] = NULL;
		m->n_metric_rows[k] = 0;
	}
}

/* Rows are sorted by id. */
static bool has_proc(const ws_model *m, int64_t id)
{
	const wtr_proc_row *rows = m->tables[WTR_TABLE_PROCS].rows;
	size_t lo = 0, hi = m->tables[WTR_TABLE_PROCS].n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->tables[WTR_TABLE_PROCS].n && rows[lo].id == id;
}

static bool has_thread(const ws_model *m, int64_t id)
{
	const wtr_thread_row *rows = m->tables[WTR_TABLE_THREADS].rows;
	size_t lo = 0, hi = m->tables[WTR_TABLE_THREADS].n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->tables[WTR_TABLE_THREADS].n && rows[lo].id == id;
}

bool ws_lane_exists(const ws_model *m, wtr_lane lane)
{
	switch (lane.kind) {
	case WTR_LANE_PROC:
		return has_proc(m, lane.id);
	case WTR_LANE_THREAD:
		return has_thread(m, lane.id);
	case WTR_LANE_GOROUTINE:
		return m->goroutine(m->index, lane.id) != NULL;
	case WTR_LANE_GROUP:
		return (uint64_t)lane.id < m->tables[WTR_TABLE_GROUPS].n;
	case WTR_LANE_GC:
	case WTR_LANE_STW:
		return true;
	case WTR_LANE_KIND_COUNT:
		break;
	}
	return false;
}
