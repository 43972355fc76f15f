/* an/diff_stacks.c - two profiles beside each other, stack by stack, matched by the names of functions. */
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "an/stackset.h"
#include "an/summary.h"
#include "base/buf.h"

enum { FRAMES = 2 * AN_STACK_MAX + 1 };

typedef struct place {
	uint32_t func, file; /* in `texts` */
	uint64_t line;
} place;

typedef struct record {
	wtr_stacks_record r;
	uint32_t first, n; /* in `places` */
	uint32_t key;
} record;

struct wtr_stacks {
	wtr_profile_kind kind;
	wb_intern texts;
	wb_intern keys; /* state, numbers of the functions */
	WB_VEC(place) places;
	WB_VEC(record) rows; /* by key - 1 until finished */
	wtr_stacks_totals totals;
};

wtr_stacks *wtr_stacks_new(wtr_profile_kind kind)
{
	wtr_stacks *s = wb_calloc(1, sizeof(*s));
	if (s && wb_intern_add(&s->texts, "", 0) == 0 && wb_intern_add(&s->keys, "", 0) == 0) {
		s->kind = s->totals.kind = kind;
		s->totals.all.state = "";
		return s;
	}
	wtr_stacks_free(s);
	return NULL;
}

void wtr_stacks_free(wtr_stacks *s)
{
	if (!s)
		return;
	wb_intern_free(&s->texts);
	wb_intern_free(&s->keys);
	wb_vec_free(&s->places);
	wb_vec_free(&s->rows);
	wb_free(s);
}

static void add_to(wtr_stacks_record *r, unsigned side, uint64_t count, int64_t ns)
{
	*(side ? &r->count_b : &r->count_a) += count;
	*(side ? &r->ns_b : &r->ns_a) += ns;
}

/* The record of a stack, made when it is new. */
static record *row_of(wtr_stacks *s, const wtr_frame *f, size_t n, const char *state)
{
	wb_buf key = { 0 };
	wb_buf_puts(&key, state);
	wb_buf_putc(&key, 'k'); /* so that no key is empty */
	for (size_t i = 0; i < n; i++) {
		uint32_t no = wb_intern_add(&s->texts, f[i].func.at, f[i].func.n);
		wb_buf_put(&key, (const char *)&no, sizeof(no));
		key.failed |= no == WB_INTERN_NONE;
	}
	uint32_t k = key.failed ? WB_INTERN_NONE : wb_intern_add(&s->keys, key.at, key.n);
	wb_buf_free(&key);
	if (k == WB_INTERN_NONE)
		return NULL;
	if (k <= s->rows.n)
		return &s->rows.at[k - 1];
	record r = { .r = { .state = state }, .first = (uint32_t)s->places.n, .n = (uint32_t)n, .key = k };
	for (size_t i = 0; i < n; i++) {
		place p = { wb_intern_get(&s->texts, f[i].func.at, f[i].func.n),
			wb_intern_add(&s->texts, f[i].file.at, f[i].file.n), f[i].line };
		if (p.file == WB_INTERN_NONE || !wb_vec_add(&s->places, p))
			return NULL;
	}
	return wb_vec_add(&s->rows, r) ? &s->rows.at[s->rows.n - 1] : NULL;
}

bool wtr_stacks_add(wtr_stacks *s, unsigned side, const wtr_profile *p)
{
	wtr_profile_totals t;
	wtr_frame frames[FRAMES];
	wtr_profile_get_totals(p, &t);
	*(side ? &s->totals.duration_b_ns : &s->totals.duration_a_ns) += t.duration_ns;
	for (size_t i = 0; i < t.records; i++) {
		wtr_profile_record r;
		wtr_profile_get_record(p, i, &r);
		size_t n = wtr_profile_frames(p, i, frames, FRAMES);
		record *to = row_of(s, frames, n < FRAMES ? n : FRAMES, r.state);
		if (!to)
			return false;
		add_to(&to->r, side, r.count, r.ns);
		add_to(&s->totals.all, side, r.count, r.ns);
	}
	return true;
}

double wtr_stacks_scale(const wtr_stacks *s)
{
	const wtr_stacks_totals *t = &s->totals;
	return t->duration_a_ns > 0 && t->duration_b_ns > 0 ? (double)t->duration_b_ns / (double)t->duration_a_ns : 1;
}

/* ---- order ---- */

typedef struct ranked {
	record r;
	double change;
} ranked;

static int most_changed(const void *a, const void *b)
{
	const ranked *x = a, *y = b;
	if (x->change != y->change)
		return x->change > y->change ? -1 : 1;
	return x->r.key < y->r.key ? -1 : 1;
}

static double change_of(const wtr_stacks *s, int64_t a, int64_t b)
{
	double d = (double)b - (double)a * wtr_stacks_scale(s);
	return d < 0 ? -d : d;
}

static int64_t value_a(const wtr_stacks *s, const wtr_stacks_record *r)
{
	return wtr_profile_value(s->kind, 1)[0] ? r->ns_a : (int64_t)r->count_a;
}

static int64_t value_b(const wtr_stacks *s, const wtr_stacks_record *r)
{
	return wtr_profile_value(s->kind, 1)[0] ? r->ns_b : (int64_t)r->count_b;
}

bool wtr_stacks_finish(wtr_stacks *s)
{
	size_t n = s->rows.n;
	ranked *r = wb_calloc(n + 1, sizeof(*r));
	if (!r)
		return false;
	for (size_t i = 0; i < n; i++) {
		const wtr_stacks_record *x = &s->rows.at[i].r;
		r[i] = (ranked){ s->rows.at[i], change_of(s, value_a(s, x), value_b(s, x)) };
	}
	qsort(r, n, sizeof(*r), most_changed);
	for (size_t i = 0; i < n; i++)
		s->rows.at[i] = r[i].r;
	s->totals.records = n;
	wb_free(r);
	return true;
}

/* ---- asking ---- */

void wtr_stacks_get_totals(const wtr_stacks *s, wtr_stacks_totals *ret)
{
	*ret = s->totals;
}

bool wtr_stacks_get_record(const wtr_stacks *s, size_t i, wtr_stacks_record *ret)
{
	if (i >= s->rows.n)
		return false;
	*ret = s->rows.at[i].r;
	return true;
}

static wtr_str text(const wtr_stacks *s, uint32_t no)
{
	wb_text t = wb_intern_text(&s->texts, no);
	return (wtr_str){ t.at, t.n };
}

size_t wtr_stacks_frames(const wtr_stacks *s, size_t i, wtr_frame *ret, size_t n)
{
	if (i >= s->rows.n)
		return 0;
	const record *r = &s->rows.at[i];
	for (size_t k = 0; k < r->n && k < n; k++) {
		const place *p = &s->places.at[r->first + k];
		ret[k] = (wtr_frame){ .func = text(s, p->func), .file = text(s, p->file), .line = p->line };
	}
	return r->n;
}

/* ---- functions ---- */

static void sum_up(const wtr_stacks *s, wtr_stacks_func *funcs, uint32_t *seen)
{
	for (size_t i = 0; i < s->rows.n; i++) {
		const record *r = &s->rows.at[i];
		int64_t a = value_a(s, &r->r), b = value_b(s, &r->r);
		for (size_t k = 0; k < r->n || (k == 0 && r->n == 0); k++) {
			uint32_t no = r->n ? s->places.at[r->first + k].func : 0;
			wtr_stacks_func *f = &funcs[no];
			f->name = text(s, no);
			if (k == 0) {
				f->flat_a += a;
				f->flat_b += b;
			}
			if (seen[no] == i + 1)
				continue;
			seen[no] = (uint32_t)i + 1;
			f->cum_a += a;
			f->cum_b += b;
		}
	}
}

typedef struct ranked_func {
	wtr_stacks_func f;
	double flat, cum;
} ranked_func;

static int func_order(const void *a, const void *b)
{
	const ranked_func *x = a, *y = b;
	if (x->flat != y->flat)
		return x->flat > y->flat ? -1 : 1;
	if (x->cum != y->cum)
		return x->cum > y->cum ? -1 : 1;
	return an_text_order(x->f.name, y->f.name);
}

wtr_stacks_func *wtr_stacks_funcs(const wtr_stacks *s, size_t *ret_n)
{
	size_t texts = s->texts.n, n = 0;
	wtr_stacks_func *funcs = wb_calloc(texts + 1, sizeof(*funcs));
	uint32_t *seen = wb_calloc(texts + 1, sizeof(*seen));
	ranked_func *r = wb_calloc(texts + 1, sizeof(*r));
	if (funcs && seen && r) {
		sum_up(s, funcs, seen);
		for (size_t i = 0; i < texts; i++)
			if (seen[i])
				r[n++] = (ranked_func){ funcs[i], change_of(s, funcs[i].flat_a, funcs[i].flat_b),
					change_of(s, funcs[i].cum_a, funcs[i].cum_b) };
		qsort(r, n, sizeof(*r), func_order);
		for (size_t i = 0; i < n; i++)
			funcs[i] = r[i].f;
		*ret_n = n;
	} else {
		wb_free(funcs);
		funcs = NULL;
	}
	wb_free(seen);
	wb_free(r);
	return funcs;
}

void wtr_stacks_free_funcs(wtr_stacks_func *f)
{
	wb_free(f);
}
