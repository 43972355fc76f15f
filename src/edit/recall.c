/* edit/recall.c - see recall.h. */
#include "edit/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/idmap.h"
#include "edit/skim.h"
#include "fmt/wire.h"
#include "read/cursor.h"
#include "read/source.h"
#include "read/v2/container.h"

/* An open region, in the list of its goroutine. */
typedef struct region {
	wtr__kept_region is;
	uint32_t outer; /* place, NONE */
} region;

#define NONE    WB_IDMAP_NONE
#define SETTLED (WB_IDMAP_NONE - 1)

typedef struct recalling {
	we_recall *to;
	wtr_trace *t;
	we_machine *k;
	int64_t before_ns;
	bool failed, is_part; /* is_part: the trace is a part of one, see WF_FACT_PART */
	we_skim skim;
	wb_idmap task_of; /* id -> place in to->tasks */
	wb_idmap innermost;
	WB_VEC(region) regions;
	WB_VEC(uint32_t) free;
} recalling;

/* ---- origins ---- */

static we_frames_at keep_frames(recalling *r, uint32_t stack)
{
	wtr_frame f[WF_FRAMES_MAX];
	size_t n = stack ? wtr_stack(r->t, stack, f, WF_FRAMES_MAX) : 0;
	n = n < WF_FRAMES_MAX ? n : WF_FRAMES_MAX;
	we_frames_at at = { r->to->frames.n, n };
	if (!wb_vec_reserve(&r->to->frames, n)) {
		r->failed = true;
		return (we_frames_at){ 0 };
	}
	if (n)
		memcpy(r->to->frames.at + r->to->frames.n, f, n * sizeof(*f));
	r->to->frames.n += n;
	return at;
}

static void keep_origin(recalling *r, int64_t g, uint32_t start, uint32_t create)
{
	we_frames_at a = keep_frames(r, start), b = keep_frames(r, create);
	r->failed |= !wb_vec_add(&r->to->origins, (we_origin){ g, a, b });
}

static uint32_t known_stack(const wtr__gen *g, uint64_t wire)
{
	uint32_t id = wtr__stack_id(&g->tables, wire);
	return id == WTR__UNKNOWN ? 0 : id;
}

/* What the first generation keeps of the time before it. */
static wtr_code look_into_first(recalling *r, wtr_error *err)
{
	wtr_code rc = wtr__gen_get(r->t, 0, err);
	if (rc != WTR_OK)
		return rc;
	const wtr__carrier *c = wtr__carrier_of(r->t, 1);
	r->is_part = c && c->is_part;
	if (c && (c->tasks.n || c->regions.n))
		r->skim.first_said = 0;
	for (size_t i = 0; c && i < c->origins.n; i++) {
		const wtr__kept_origin *o = &c->origins.at[i];
		r->failed |= !wb_idmap_set(&r->skim.making_of, (uint64_t)o->g, SETTLED);
		if (we_is_wanted(r->k, o->g))
			keep_origin(r, o->g, o->start, o->create);
	}
	wtr__gen_put(r->t, 0, !wtr__keeps_tables(r->t));
	return WTR_OK;
}

/* Who was made in a generation. */
static wtr_code look_into(recalling *r, size_t generation, const we_making *x, size_t n, wtr_error *err)
{
	wtr_code rc = wtr__gen_get(r->t, generation, err);
	if (rc != WTR_OK)
		return rc;
	const wtr__gen *g = &r->t->v2->gens.at[generation];
	for (size_t i = 0; g->built && i < n; i++)
		keep_origin(r, x[i].g, known_stack(g, x[i].start), known_stack(g, x[i].create));
	wtr__gen_put(r->t, generation, !wtr__keeps_tables(r->t));
	return WTR_OK;
}

static int by_generation(const void *a, const void *b)
{
	const we_making *x = a, *y = b;
	if (x->generation != y->generation)
		return x->generation < y->generation ? -1 : 1;
	return x->g < y->g ? -1 : x->g > y->g;
}

static wtr_code look_back(recalling *r, size_t generations, wtr_error *err)
{
	wtr_code rc = generations ? look_into_first(r, err) : WTR_OK;
	if (rc == WTR_OK)
		we_skim_over(&r->skim, r->t, generations, /* first_statuses= */ !r->is_part, r->k);
	r->failed |= r->skim.failed;
	we_making *all = r->skim.makings.at;
	size_t n_all = r->skim.makings.n;
	if (n_all)
		qsort(all, n_all, sizeof(*all), by_generation);
	for (size_t i = 0, n; i < n_all && rc == WTR_OK; i += n) {
		for (n = 1; i + n < n_all && all[i + n].generation == all[i].generation;)
			n++;
		rc = look_into(r, all[i].generation, all + i, n, err);
	}
	return rc;
}

/* ---- tasks and regions, in order ---- */

static void begin_task(recalling *r, uint64_t id, uint64_t parent, wtr_str name)
{
	wtr__kept_task t = { id, parent, name };
	uint32_t i = wb_idmap_get(&r->task_of, id);
	if (i != NONE)
		r->to->tasks.at[i] = t;
	else
		r->failed |= !wb_idmap_set(&r->task_of, id, (uint32_t)r->to->tasks.n) || !wb_vec_add(&r->to->tasks, t);
}

/* The last one takes its place. */
static void end_task(recalling *r, uint64_t id)
{
	uint32_t i = wb_idmap_get(&r->task_of, id);
	if (i == NONE)
		return;
	wb_idmap_del(&r->task_of, id);
	wtr__kept_task last = r->to->tasks.at[--r->to->tasks.n];
	if (i == r->to->tasks.n)
		return;
	r->to->tasks.at[i] = last;
	r->failed |= !wb_idmap_set(&r->task_of, last.id, i);
}

static void begin_region(recalling *r, int64_t g, uint64_t task, wtr_str name)
{
	region x = { { g, task, name }, wb_idmap_get(&r->innermost, (uint64_t)g) };
	uint32_t i = r->free.n ? r->free.at[--r->free.n] : (uint32_t)r->regions.n;
	if (i < r->regions.n)
		r->regions.at[i] = x;
	else
		r->failed |= !wb_vec_add(&r->regions, x);
	r->failed |= !wb_idmap_set(&r->innermost, (uint64_t)g, i);
}

/* False: it has none. */
static bool end_region(recalling *r, int64_t g)
{
	uint32_t i = wb_idmap_get(&r->innermost, (uint64_t)g);
	if (i == NONE || r->failed)
		return false;
	uint32_t outer = r->regions.at[i].outer;
	r->failed |= !wb_vec_add(&r->free, i);
	if (outer == NONE)
		wb_idmap_del(&r->innermost, (uint64_t)g);
	else
		r->failed |= !wb_idmap_set(&r->innermost, (uint64_t)g, outer);
	return true;
}

/* What the generation says of the time before it that is not known. */
static void recall_kept(recalling *r, uint64_t generation)
{
	const wtr__carrier *c = wtr__carrier_of(r->t, generation);
	for (size_t i = 0; c && i < c->tasks.n; i++)
		if (wb_idmap_get(&r->task_of, c->tasks.at[i].id) == NONE)
			begin_task(r, c->tasks.at[i].id, c->tasks.at[i].parent, c->tasks.at[i].name);
	for (size_t i = 0; c && generation == 1 && i < c->regions.n; i++)
		begin_region(r, c->regions.at[i].g, c->regions.at[i].task, c->regions.at[i].name);
}

static void recall_event(recalling *r, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_SYNC: recall_kept(r, e->value[0]); break;
	case WTR_KIND_TASK_BEGIN:
		begin_task(r, (uint64_t)e->id, e->value[0] == (uint64_t)WTR_NONE ? 0 : e->value[0],
			wtr_string(r->t, e->str));
		break;
	case WTR_KIND_TASK_END: end_task(r, (uint64_t)e->id); break;
	case WTR_KIND_REGION_BEGIN: begin_region(r, e->g, (uint64_t)e->id, wtr_string(r->t, e->str)); break;
	case WTR_KIND_REGION_END: end_region(r, e->g); break;
	case WTR_KIND_STATE_TRANSITION:
		if (e->resource != WTR_RES_GOROUTINE)
			break;
		if (r->t->v1 && wtr_from(e) == WTR_G_NOTEXIST && we_is_wanted(r->k, e->id))
			keep_origin(r, e->id, e->transition_stack, e->stack);
		while (wtr_to(e) == WTR_G_NOTEXIST && end_region(r, e->id)) {
		}
	}
}

static wtr_code recall_events(recalling *r, size_t first, wtr_error *err)
{
	wtr_cursor *c = wtr__cursor_open_at(r->t, first, err);
	if (!c)
		return WTR_E_NOMEM;
	bool more = true;
	const wtr_event *e;
	for (size_t n; more && (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n && more; i++) {
			more = e[i].kind == WTR_KIND_SYNC || e[i].time_ns < r->before_ns;
			if (more)
				recall_event(r, &e[i]);
		}
	wtr_code rc = wtr_cursor_error(c)->code;
	wtr_cursor_close(c);
	return rc == WTR_E_NOMEM || rc == WTR_E_IO ? rc : WTR_OK;
}

/* ---- the answer ---- */

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const wtr__kept_task *)a)->id, y = ((const wtr__kept_task *)b)->id;
	return x < y ? -1 : x > y;
}

static int by_g(const void *a, const void *b)
{
	int64_t x = ((const we_origin *)a)->g, y = ((const we_origin *)b)->g;
	return x < y ? -1 : x > y;
}

static int by_innermost(const void *a, const void *b, void *user)
{
	const region *all = user, *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];
	return x->is.g < y->is.g ? -1 : x->is.g > y->is.g;
}

/* The list of a goroutine, from its end. */
static void gather_list(recalling *r, uint32_t i)
{
	size_t first = r->to->regions.n;
	for (; i != NONE; i = r->regions.at[i].outer)
		r->failed |= !wb_vec_add(&r->to->regions, r->regions.at[i].is);
	for (size_t a = first, b = r->to->regions.n; a + 1 < b; a++, b--) {
		wtr__kept_region x = r->to->regions.at[a];
		r->to->regions.at[a] = r->to->regions.at[b - 1];
		r->to->regions.at[b - 1] = x;
	}
}

static void gather_regions(recalling *r)
{
	WB_VEC(uint32_t) inner = { 0 };
	for (size_t i = 0; i < r->regions.n; i++) {
		const region *x = &r->regions.at[i];
		if (wb_idmap_get(&r->innermost, (uint64_t)x->is.g) == i && we_is_wanted(r->k, x->is.g))
			r->failed |= !wb_vec_add(&inner, (uint32_t)i);
	}
	if (inner.n && !r->failed)
		qsort_r(inner.at, inner.n, sizeof(*inner.at), by_innermost, r->regions.at);
	for (size_t i = 0; i < inner.n && !r->failed; i++)
		gather_list(r, inner.at[i]);
	wb_vec_free(&inner);
}

static void finish(recalling *r)
{
	gather_regions(r);
	if (r->to->tasks.n)
		qsort(r->to->tasks.at, r->to->tasks.n, sizeof(*r->to->tasks.at), by_id);
	if (r->to->origins.n)
		qsort(r->to->origins.at, r->to->origins.n, sizeof(*r->to->origins.at), by_g);
}

wtr_code we_recall_make(
	we_recall *ret, wtr_trace *t, uint64_t generation, int64_t before_ns, we_machine *k, wtr_error *err)
{
	recalling r = { .to = ret, .t = t, .k = k, .before_ns = before_ns, .skim.first_said = t->v1 ? 0 : SIZE_MAX };
	wtr_code rc = t->v1 ? WTR_OK : look_back(&r, (size_t)generation, err);
	if (rc == WTR_OK && r.skim.first_said != SIZE_MAX)
		rc = recall_events(&r, r.skim.first_said, err);
	if (rc == WTR_OK)
		finish(&r);
	we_skim_free(&r.skim);
	wb_idmap_free(&r.task_of);
	wb_idmap_free(&r.innermost);
	wb_vec_free(&r.regions);
	wb_vec_free(&r.free);
	return rc == WTR_OK && r.failed ? WTR_E_NOMEM : rc;
}

void we_recall_free(we_recall *r)
{
	wb_vec_free(&r->tasks);
	wb_vec_free(&r->regions);
	wb_vec_free(&r->origins);
	wb_vec_free(&r->frames);
}

const we_origin *we_recall_origin(const we_recall *r, int64_t g)
{
	size_t low = 0, high = r->origins.n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (r->origins.at[mid].g < g)
			low = mid + 1;
		else
			high = mid;
	}
	return low < r->origins.n && r->origins.at[low].g == g ? &r->origins.at[low] : NULL;
}
