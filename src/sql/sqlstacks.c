/* sql/sqlstacks.c - stacks, one row each, and frames, one row for each frame of each; by id when that is asked for. */
#include "sql/sqlinside.h"

#include <string.h>

#include "base/alloc.h"
#include "fmt/wire.h"
#include "read/cursor.h"
#include "read/v1/v1.h"
#include "read/v2/container.h"

enum which { STACKS, FRAMES };
enum { FRAMES_MAX = 1024 };
enum column { ID, DEPTH, FUNC, FILE_, LINE, PC, /* stacks: */ N = 1, LEAF, ROOT, TEXT };

typedef struct cursor {
	sq_cursor base;
	size_t gen;        /* v2: generation */
	uint32_t id, last; /* of this generation, or of v1; both included */
	bool one, ended;
	size_t depth, n; /* frames */
	wtr_frame frames[FRAMES_MAX];
} cursor;

static int plan(const sq_kind *k, sqlite3_index_info *info)
{
	(void)k;
	info->estimatedCost = 1e6;
	sq_plan_equal(info, ID, 20);
	return SQLITE_OK;
}

/* The ids of the next generation that has stacks; false when there is none. */
static bool next_generation(cursor *c, wtr_trace *t)
{
	while (t->v2 && c->gen < t->v2->gens.n) {
		const wtr__gen *g = &t->v2->gens.at[c->gen++];
		if (!g->built || g->tables.stacks.n < 2)
			continue;
		c->id = g->stack_base + 1;
		c->last = g->stack_base + (uint32_t)g->tables.stacks.n - 1;
		return true;
	}
	if (!t->v1 || c->gen++ || t->v1->tables.stacks.n < 2)
		return false;
	c->id = t->v1->tables.stack_base + 1;
	c->last = t->v1->tables.stack_base + (uint32_t)t->v1->tables.stacks.n - 1;
	return true;
}

/* Goes on from c->id to the first stack that has frames. */
static void settle(cursor *c, wtr_trace *t)
{
	for (;; c->id++) {
		if (c->id > c->last && (c->one || !next_generation(c, t))) {
			c->ended = true;
			return;
		}
		c->depth = 0;
		c->n = wtr_stack(t, c->id, c->frames, FRAMES_MAX);
		c->n = c->n < FRAMES_MAX ? c->n : FRAMES_MAX;
		if (c->n)
			return;
	}
}

static int next(sqlite3_vtab_cursor *base)
{
	cursor *c = (cursor *)base;
	const sq_table *v = (const sq_table *)base->pVtab;
	if (v->kind->which == FRAMES && ++c->depth < c->n)
		return SQLITE_OK;
	c->id++;
	settle(c, v->of->t);
	return SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int one, const char *text, int argc, sqlite3_value **argv)
{
	(void)text;
	(void)argc;
	cursor *c = (cursor *)base;
	sq_table *v = (sq_table *)base->pVtab;
	/* Stacks of the second container are read with the events. */
	if (!sq_index(v->of, false, &v->base.zErrMsg))
		return SQLITE_ERROR;
	c->gen = 0;
	c->one = one;
	c->ended = false;
	c->id = 1;
	c->last = 0;
	if (one) {
		int64_t id = sqlite3_value_int64(argv[0]);
		c->ended = sqlite3_value_type(argv[0]) != SQLITE_INTEGER || id < 1 || id >= UINT32_MAX;
		c->id = c->last = (uint32_t)id;
	}
	if (!c->ended)
		settle(c, v->of->t);
	return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base)
{
	return ((const cursor *)base)->ended;
}

/* The whole stack, outermost function first, as collapsed stacks have it. */
static void result_whole(const cursor *c, sqlite3_context *out)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	for (size_t i = c->n; i-- > 0;) {
		sqlite3_str_append(s, c->frames[i].func.n ? c->frames[i].func.at : "", (int)c->frames[i].func.n);
		if (i)
			sqlite3_str_append(s, ";", 1);
	}
	int n = sqlite3_str_length(s);
	char *text = sqlite3_str_finish(s);
	if (text)
		sqlite3_result_text(out, text, n, sqlite3_free);
	else
		sqlite3_result_text(out, "", 0, SQLITE_STATIC);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	const cursor *c = (const cursor *)base;
	const wtr_frame *f = &c->frames[c->depth];
	if (i == ID) {
		sqlite3_result_int64(out, c->id);
		return SQLITE_OK;
	}
	if (((const sq_table *)base->pVtab)->kind->which == STACKS) {
		switch (i) {
		case N: sqlite3_result_int64(out, (int64_t)c->n); break;
		case LEAF: sq_result_text(out, c->frames[0].func); break;
		case ROOT: sq_result_text(out, c->frames[c->n - 1].func); break;
		default: result_whole(c, out); break;
		}
		return SQLITE_OK;
	}
	switch (i) {
	case DEPTH: sqlite3_result_int64(out, (int64_t)c->depth); break;
	case FUNC: sq_result_text(out, f->func); break;
	case FILE_: sq_result_text(out, f->file); break;
	case LINE: sqlite3_result_int64(out, (int64_t)f->line); break;
	default: sqlite3_result_int64(out, (int64_t)f->pc); break;
	}
	return SQLITE_OK;
}

int sq_add_stacks(sq_db *d)
{
	static const sqlite3_module module = { SQ_MODULE, .xClose = sq_cursor_close, .xFilter = filter, .xNext = next,
		.xEof = eof, .xColumn = column };
	static const sq_kind stacks = { "id INTEGER, n_frames INTEGER, leaf TEXT, root TEXT, text TEXT", "id", STACKS,
		sizeof(cursor), plan, &module };
	static const sq_kind frames = { "stack INTEGER, depth INTEGER, func TEXT, file TEXT, line INTEGER, pc INTEGER",
		"stack, depth", FRAMES, sizeof(cursor), plan, &module };
	int rc = sq_add(d, "stacks", &stacks);
	return rc == SQLITE_OK ? sq_add(d, "frames", &frames) : rc;
}
