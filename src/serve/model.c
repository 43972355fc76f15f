/* serve/model.c - what the server knows of the trace beside the index; modelof.c ties it to a real one. */
#include <stddef.h>
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

_Static_assert(offsetof(wtr_proc_row, id) == 0 && offsetof(wtr_thread_row, id) == 0, "has_id() looks for it there");

/* Whether one of a table's rows, which are sorted by the id in front of them, has this one. */
static bool has_id(const ws_model *m, wtr_table table, size_t row_bytes, int64_t id)
{
	const char *rows = m->tables[table].rows;
	size_t lo = 0, hi = m->tables[table].n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int64_t here;
		memcpy(&here, rows + mid * row_bytes, sizeof(here));
		if (here == id)
			return true;
		if (here < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool ws_lane_exists(const ws_model *m, wtr_lane lane)
{
	switch (lane.kind) {
	case WTR_LANE_PROC: return has_id(m, WTR_TABLE_PROCS, sizeof(wtr_proc_row), lane.id);
	case WTR_LANE_THREAD: return has_id(m, WTR_TABLE_THREADS, sizeof(wtr_thread_row), lane.id);
	case WTR_LANE_GOROUTINE: return m->goroutine(m->index, lane.id) != NULL;
	case WTR_LANE_GROUP: return (uint64_t)lane.id < m->tables[WTR_TABLE_GROUPS].n;
	case WTR_LANE_GC:
	case WTR_LANE_STW: return true;
	case WTR_LANE_KIND_COUNT: break;
	}
	return false;
}
