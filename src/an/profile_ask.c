/* an/profile_ask.c - asking a finished profile. */
#include "an/profile.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[][3] = {
#define NAME(ID, name, count, ns, doc) { name, count, ns },
	WTR_PROFILES(NAME)
#undef NAME
};

const char *wtr_profile_name(unsigned kind)
{
	return kind < WTR_PROFILE_COUNT ? names[kind][0] : NULL;
}

const char *wtr_profile_value(unsigned kind, unsigned value)
{
	return kind < WTR_PROFILE_COUNT && value < 2 ? names[kind][1 + value] : "";
}

/* The order of two stacks by what is in them, whatever numbers they have. */
static int stack_order(const an_stackset *s, uint32_t a, uint32_t b)
{
	const an_stack_ref *x = &s->stacks.at[a], *y = &s->stacks.at[b];
	for (uint32_t i = 0; i < x->n && i < y->n; i++) {
		uint64_t p = s->places.at[s->place_of.at[x->first + i]].pc;
		uint64_t q = s->places.at[s->place_of.at[y->first + i]].pc;
		if (p != q)
			return p < q ? -1 : 1;
	}
	return (x->n > y->n) - (x->n < y->n);
}

static int by_weight(const void *a, const void *b, void *stacks)
{
	const an_prow *x = a, *y = b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	int c = stack_order(stacks, x->stack, y->stack);
	c = c ? c : stack_order(stacks, x->waker, y->waker);
	if (c)
		return c;
	return x->state < y->state ? -1 : x->state > y->state;
}

void an_profile_finish(wtr_profile *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->rows.n; i++)
		if (p->rows.at[i].count)
			p->rows.at[n++] = p->rows.at[i];
	p->rows.n = n;
	if (n)
		qsort_r(p->rows.at, n, sizeof(p->rows.at[0]), by_weight, &p->stacks);
	p->totals.records = n;
	for (size_t i = 0; i < n; i++) {
		p->totals.count += p->rows.at[i].count;
		p->totals.ns += p->rows.at[i].ns;
	}
}

void wtr_profile_free(wtr_profile *p)
{
	if (!p)
		return;
	an_stackset_free(&p->stacks);
	wb_vec_free(&p->rows);
	wb_free(p);
}

void wtr_profile_get_totals(const wtr_profile *p, wtr_profile_totals *ret)
{
	*ret = p->totals;
}

bool wtr_profile_get_record(const wtr_profile *p, size_t i, wtr_profile_record *ret)
{
	if (i >= p->rows.n)
		return false;
	const an_prow *r = &p->rows.at[i];
	*ret = (wtr_profile_record){
		.count = r->count,
		.ns = r->ns,
		.state = p->kind == WTR_PROFILE_OFFCPU ? wtr_class_name(r->state) : "",
		.n_frames = wtr_profile_frames(p, i, NULL, 0),
	};
	return true;
}

size_t wtr_profile_frames(const wtr_profile *p, size_t i, wtr_frame *ret, size_t n)
{
	if (i >= p->rows.n)
		return 0;
	const an_prow *r = &p->rows.at[i];
	if (p->kind != WTR_PROFILE_OFFWAKE)
		return an_stackset_frames(&p->stacks, r->stack, ret, n);
	wtr_frame waker[AN_STACK_MAX];
	size_t k = an_stackset_frames(&p->stacks, r->waker, waker, AN_STACK_MAX), at = 0;
	for (; at < k && at < n; at++)
		ret[at] = waker[k - 1 - at];
	if (k < n)
		ret[k] = (wtr_frame){ .func = { "--", 2 }, .file = { "", 0 } };
	size_t room = n > k + 1 ? n - k - 1 : 0;
	return k + 1 + an_stackset_frames(&p->stacks, r->stack, room ? ret + k + 1 : NULL, room);
}

/* ---- functions ---- */

static int by_flat(const void *a, const void *b)
{
	const wtr_profile_func *x = a, *y = b;
	if (x->flat_ns != y->flat_ns)
		return x->flat_ns > y->flat_ns ? -1 : 1;
	if (x->flat_count != y->flat_count)
		return x->flat_count > y->flat_count ? -1 : 1;
	if (x->cum_ns != y->cum_ns)
		return x->cum_ns > y->cum_ns ? -1 : 1;
	if (x->cum_count != y->cum_count)
		return x->cum_count > y->cum_count ? -1 : 1;
	size_t n = x->name.n < y->name.n ? x->name.n : y->name.n;
	int c = n ? memcmp(x->name.at, y->name.at, n) : 0;
	return c ? c : (x->name.n > y->name.n) - (x->name.n < y->name.n);
}

/* Functions by the number of their name; `seen` remembers the last record that a function was in. */
static void sum_up(const wtr_profile *p, wtr_profile_func *funcs, uint32_t *seen)
{
	wtr_frame frames[2 * AN_STACK_MAX + 1];
	for (size_t i = 0; i < p->rows.n; i++) {
		const an_prow *r = &p->rows.at[i];
		size_t n = wtr_profile_frames(p, i, frames, 2 * AN_STACK_MAX + 1);
		for (size_t k = 0; k < n || (k == 0 && n == 0); k++) {
			wtr_str name = n ? frames[k].func : (wtr_str){ "", 0 };
			uint32_t no = wb_intern_get(&p->stacks.texts, name.at, name.n);
			if (no == WB_INTERN_NONE) /* the mark between waker and waiting */
				continue;
			wtr_profile_func *f = &funcs[no];
			f->name = name;
			if (k == 0) {
				f->flat_count += r->count;
				f->flat_ns += r->ns;
			}
			if (seen[no] == i + 1)
				continue;
			seen[no] = (uint32_t)i + 1;
			f->cum_count += r->count;
			f->cum_ns += r->ns;
		}
	}
}

wtr_profile_func *wtr_profile_funcs(const wtr_profile *p, size_t *ret_n)
{
	size_t texts = p->stacks.texts.n, n = 0;
	wtr_profile_func *funcs = wb_calloc(texts + 1, sizeof(*funcs));
	uint32_t *seen = wb_calloc(texts + 1, sizeof(*seen));
	if (!funcs || !seen) {
		wb_free(funcs);
		wb_free(seen);
		return NULL;
	}
	sum_up(p, funcs, seen);
	wb_free(seen);
	for (size_t i = 0; i < texts; i++)
		if (funcs[i].cum_count)
			funcs[n++] = funcs[i];
	qsort(funcs, n, sizeof(*funcs), by_flat);
	*ret_n = n;
	return funcs;
}

void wtr_profile_free_funcs(wtr_profile_func *f)
{
	wb_free(f);
}
