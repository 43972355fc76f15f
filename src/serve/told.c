/* serve/told.c - what the program says of itself: user logs, and the regions of a goroutine. */
#include <stddef.h>
#include <string.h>

#include "base/near.h"
#include "out/json.h"
#include "serve/site.h"

/* What is asked for, on the trace's own clock. */
typedef struct asked {
	wtr_str q;
	bool of_one;
	int64_t g;
	int64_t from_ns, to_ns; /* to_ns is beyond it */
	size_t most;
} asked;

static int64_t shifted(int64_t start, int64_t t)
{
	int64_t r;
	return __builtin_add_overflow(start, t, &r) ? INT64_MAX : r;
}

static asked asked_of(const ws_model *m, const ws_told_args *a)
{
	return (asked){
		.q = a->q,
		.of_one = a->given >> 1 & 1,
		.g = a->g,
		.from_ns = a->given >> 2 & 1 ? shifted(m->totals.start_ns, a->from) : INT64_MIN + 1,
		.to_ns = a->given >> 3 & 1 ? shifted(m->totals.start_ns, a->to) : INT64_MAX,
		.most = a->given >> 4 & 1 ? (size_t)a->n : WS_ROWS_DEFAULT,
	};
}

/* The first of n rows, which go up by an int64_t at `key_at` of each, that is not below `key`. */
static size_t first_from(const void *rows, size_t n, size_t row_bytes, size_t key_at, int64_t key)
{
	size_t lo = 0, hi = n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int64_t k;
		memcpy(&k, (const char *)rows + mid * row_bytes + key_at, sizeof(k));
		if (k < key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}
#define FIRST_FROM(rows, n, member, key) \
	first_from(rows, n, sizeof(*(rows)), offsetof(__typeof__(*(rows)), member), key)

/* The task's name; empty for one that the trace does not have. */
static wtr_str task_name(const ws_model *m, uint64_t id)
{
	const wtr_task_row *rows = m->tables[WTR_TABLE_TASKS].rows;
	size_t lo = 0, hi = m->tables[WTR_TABLE_TASKS].n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (rows[mid].id == id)
			return rows[mid].name;
		if (rows[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return (wtr_str){ "", 0 };
}

static void put_task(out_json *j, const ws_model *m, uint64_t id)
{
	out_json_put_u64(j, "task", id);
	out_json_put_str(j, "task_name", task_name(m, id));
}

static void put_log(out_json *j, const ws_model *m, const wtr_log_row *l)
{
	const wtr_goroutine_row *g = m->goroutine(m->index, l->g);
	out_json_object(j);
	out_json_put_ns(j, "time_ns", l->time_ns, m->totals.start_ns);
	out_json_put_id(j, "g", l->g);
	out_json_put_str(j, "name", g ? g->name : (wtr_str){ "", 0 });
	put_task(j, m, l->task);
	out_json_put_str(j, "category", l->category);
	out_json_put_str(j, "message", l->message);
	out_json_object_end(j);
}

static bool has(wtr_str text, wtr_str part)
{
	return wb_has_part(text.at, text.n, part.at, part.n);
}

static void put_logs(out_json *j, const ws_model *m, const asked *a)
{
	const wtr_log_row *rows = m->tables[WTR_TABLE_LOGS].rows;
	size_t n = m->tables[WTR_TABLE_LOGS].n, found = 0;
	out_json_key(j, "logs");
	out_json_array(j);
	for (size_t i = FIRST_FROM(rows, n, time_ns, a->from_ns); i < n && rows[i].time_ns < a->to_ns; i++) {
		const wtr_log_row *l = &rows[i];
		if ((a->of_one && l->g != a->g) || !(has(l->message, a->q) || has(l->category, a->q)))
			continue;
		if (found++ < a->most)
			put_log(j, m, l);
	}
	out_json_array_end(j);
	out_json_put_u64(j, "n_logs", found);
}

static void put_region(out_json *j, const ws_model *m, const wtr_region_row *r)
{
	out_json_object(j);
	out_json_put_str(j, "name", r->name);
	put_task(j, m, r->task);
	out_json_put_ns(j, "start_ns", r->start_ns, m->totals.start_ns);
	out_json_put_ns(j, "end_ns", r->end_ns, m->totals.start_ns);
	out_json_object_end(j);
}

static bool overlaps(const wtr_region_row *r, const asked *a)
{
	return (r->start_ns == WTR_NEVER || r->start_ns < a->to_ns) &&
	       (r->end_ns == WTR_NEVER || r->end_ns > a->from_ns);
}

static void put_regions(out_json *j, const ws_model *m, const asked *a)
{
	const wtr_region_row *rows = m->tables[WTR_TABLE_REGIONS].rows;
	size_t n = m->tables[WTR_TABLE_REGIONS].n, found = 0;
	out_json_key(j, "regions");
	out_json_array(j);
	for (size_t i = a->of_one ? FIRST_FROM(rows, n, g, a->g) : n; i < n && rows[i].g == a->g; i++)
		if (overlaps(&rows[i], a) && found++ < a->most)
			put_region(j, m, &rows[i]);
	out_json_array_end(j);
	out_json_put_u64(j, "n_regions", found);
}

void ws_api_told(ws_site *site, const ws_model *m, const ws_told_args *a, ws_answer *ret)
{
	(void)site;
	asked q = asked_of(m, a);
	out_json j;
	out_json_to_buf(&j, &ret->body, 0);
	out_json_object(&j);
	put_logs(&j, m, &q);
	put_regions(&j, m, &q);
	out_json_object_end(&j);
	if (!out_json_done(&j))
		ret->body.failed = true;
}
