/* an/tasks.c - user tasks and logs. */
#include "an/summary.h"

#include <stdlib.h>

/* The row of a task; a task is known from the first mention of its id. */
static uint32_t row_of(an_summary *s, uint64_t id)
{
	uint32_t i = wb_idmap_get(&s->task_rows, id);
	if (i != WB_IDMAP_NONE)
		return i;
	i = (uint32_t)s->tasks.n;
	an_task t = {
		.row = { .id = id, .name = { "", 0 }, .parent = UINT32_MAX, .start_ns = WTR_NEVER, .end_ns = WTR_NEVER }
	};
	if (i < UINT32_MAX - 1 && wb_vec_reserve(&s->tasks, 1) && wb_idmap_set(&s->task_rows, id, i)) {
		s->tasks.at[s->tasks.n++] = t;
		return i;
	}
	s->oom = true;
	return AN_NO_ROW;
}

uint32_t an_task_of(an_summary *s, uint64_t id, int64_t g)
{
	uint32_t task = row_of(s, id);
	if (task == AN_NO_ROW || !s->keep)
		return task;
	const an_task_g *last = s->task_gs.n ? &s->task_gs.at[s->task_gs.n - 1] : NULL;
	if (!last || last->task != task || last->g != g)
		AN_ADD(s, task_gs, (an_task_g){ task, g });
	return task;
}

/* Go's reader of v1 traces gives an ended task without parent the parent 0, which is the background task. */
static uint64_t parent_of(const an_summary *s, const wtr_event *e)
{
	return s->v1 && e->value[0] == 0 ? (uint64_t)WTR_NONE : e->value[0];
}

static void set_parent(an_summary *s, uint32_t task, uint64_t parent)
{
	if (parent == (uint64_t)WTR_NONE || s->tasks.at[task].row.parent != UINT32_MAX)
		return;
	uint32_t p = row_of(s, parent); /* may move the rows */
	if (p == AN_NO_ROW)
		return;
	s->tasks.at[task].row.parent = p;
	s->tasks.at[p].row.n_children++;
}

void an_task_event(an_summary *s, const wtr_event *e)
{
	uint32_t task = an_task_of(s, (uint64_t)e->id, e->g);
	if (task == AN_NO_ROW)
		return;
	wtr_task_row *t = &s->tasks.at[task].row;
	if (e->str || !s->tasks.at[task].kept)
		t->name = an_text(&s->texts, an_text_no(s, e->str));
	if (e->kind == WTR_KIND_TASK_BEGIN) {
		t->start_ns = e->time_ns;
		t->start_stack = e->stack;
	} else {
		t->end_ns = e->time_ns;
	}
	set_parent(s, task, parent_of(s, e));
}

void an_task_kept(an_summary *s, uint64_t id, uint64_t parent, uint32_t name)
{
	bool known = wb_idmap_get(&s->task_rows, id) != WB_IDMAP_NONE;
	uint32_t task = known ? AN_NO_ROW : row_of(s, id);
	if (task == AN_NO_ROW)
		return;
	s->tasks.at[task].row.name = an_text(&s->texts, name);
	s->tasks.at[task].kept = true;
	set_parent(s, task, parent);
}

void an_log_event(an_summary *s, const wtr_event *e)
{
	uint32_t task = an_task_of(s, (uint64_t)e->id, e->g);
	if (task == AN_NO_ROW)
		return;
	s->tasks.at[task].row.n_logs++;
	if (!s->keep)
		return;
	uint32_t category = an_text_no(s, e->str), message = an_text_no(s, e->str2);
	AN_ADD(s, logs, (wtr_log_row){ .time_ns = e->time_ns, .g = e->g, .task = (uint64_t)e->id, .stack = e->stack,
		.category = an_text(&s->texts, category), .message = an_text(&s->texts, message) });
}

/* ---- tables ---- */

typedef struct keyed {
	uint64_t id;
	uint32_t row;
} keyed;

static int by_id(const void *a, const void *b)
{
	const keyed *x = a, *y = b;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int by_task(const void *a, const void *b)
{
	const wtr_task_goroutine_row *x = a, *y = b;
	if (x->task != y->task)
		return x->task < y->task ? -1 : 1;
	return x->g < y->g ? -1 : x->g > y->g;
}

/* The goroutines of each task, once each; fills the tasks' views of them. */
static bool publish_goroutines(an_summary *s, wtr_index *x, wtr_task_row *rows, const uint32_t *place)
{
	WB_VEC(wtr_task_goroutine_row) out = { 0 };
	if (!wb_vec_reserve(&out, s->task_gs.n))
		return false;
	for (size_t i = 0; i < s->task_gs.n; i++)
		out.at[out.n++] = (wtr_task_goroutine_row){ place[s->task_gs.at[i].task], s->task_gs.at[i].g };
	if (out.n)
		qsort(out.at, out.n, sizeof(out.at[0]), by_task);
	size_t n = 0;
	for (size_t i = 0; i < out.n; i++) {
		if (n && by_task(&out.at[n - 1], &out.at[i]) == 0)
			continue;
		wtr_task_row *t = &rows[out.at[i].task];
		if (t->n_goroutines++ == 0)
			t->first_goroutine = (uint32_t)n;
		out.at[n++] = out.at[i];
	}
	out.n = n;
	AN_PUBLISH(x, TASK_GOROUTINES, &out);
	return true;
}

bool an_tasks_publish(an_summary *s, wtr_index *x)
{
	x->totals.tasks = s->tasks.n;
	if (!s->keep)
		return true;
	AN_PUBLISH(x, LOGS, &s->logs);
	size_t n = s->tasks.n;
	WB_VEC(wtr_task_row) rows = { 0 };
	keyed *order = wb_calloc(n + 1, sizeof(*order));
	uint32_t *place = wb_calloc(n + 1, sizeof(*place));
	bool ok = order && place && wb_vec_reserve(&rows, n);
	if (ok) {
		for (size_t i = 0; i < n; i++)
			order[i] = (keyed){ s->tasks.at[i].row.id, (uint32_t)i };
		qsort(order, n, sizeof(*order), by_id);
		for (size_t i = 0; i < n; i++)
			place[order[i].row] = (uint32_t)i;
		for (size_t i = 0; i < n; i++) {
			wtr_task_row *t = &rows.at[rows.n++];
			*t = s->tasks.at[order[i].row].row;
			if (t->parent != UINT32_MAX)
				t->parent = place[t->parent];
		}
		ok = publish_goroutines(s, x, rows.at, place);
	}
	wb_free(order);
	wb_free(place);
	AN_PUBLISH(x, TASKS, &rows);
	return ok;
}
