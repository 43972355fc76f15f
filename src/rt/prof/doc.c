/* rt/prof/doc.c - see doc.h: profile.proto, and what both forms share. */
#include "rt/prof/doc.h"

#include <string.h>

#include "fmt/profproto.h"
#include "rt/stack/unwind.h"

enum { LINES_MAX = 64 };

static bool is_zero(const weft__prof_row *row)
{
	static const weft__prof_row zero;
	return memcmp(row, &zero, sizeof(zero)) == 0;
}

size_t weft__prof_doc_count(const weft__prof_doc *d)
{
	size_t n = 0;
	for (uint32_t i = 1; i < weft__prof_rows_end(&d->table); i++)
		n += !is_zero(&d->table.rows.at[i]);
	return n;
}

int64_t weft__prof_doc_sum(const weft__prof_doc *d, int value)
{
	int64_t sum = 0;
	for (uint32_t i = 1; i < weft__prof_rows_end(&d->table); i++)
		sum += d->table.rows.at[i].v[value];
	return sum;
}

/* ---- what is shown of a stack ---- */

size_t weft__prof_doc_line(const weft__prof_doc *d, const weft__tr_frame *f, size_t n)
{
	for (size_t i = 0; d->kind->from_calls && i < n; i++)
		if (weft__tr_is_public(f[i].func))
			return i;
	return 0;
}

void weft__prof_doc_shown(const weft__prof_doc *d, weft__prof_names *names, weft__prof_table *ret)
{
	*ret = (weft__prof_table){ .failed = d->table.failed };
	for (uint32_t i = 1; i < weft__prof_rows_end(&d->table); i++) {
		weft__prof_stack s;
		const weft__prof_row *row = &d->table.rows.at[i];
		if (is_zero(row))
			continue;
		weft__prof_stack_of(&d->table, i, &s);
		s.n = weft__unwind_trim(s.pcs, s.n);
		size_t first = d->kind->from_calls ? weft__tr_symbols_called(names->symbols, s.pcs, s.n).pc : 0;
		s.n -= first;
		memmove(s.pcs, s.pcs + first, s.n * sizeof(*s.pcs));
		weft__prof_add_stack(ret, &s, row);
	}
}

/* ---- profile.proto ---- */

typedef struct proto {
	const weft__prof_doc *d;
	weft__prof_names names;
	weft__prof_table rows;
	wf_prof *out;
} proto;

static void put_maps(proto *p)
{
	for (size_t i = 0; i < p->names.maps.n; i++) {
		const weft__prof_map *m = &p->names.maps.at[i];
		wf_prof_mapping(p->out, &(wf_prof_map){ m->start, m->limit, m->offset, m->file, m->build_id, true });
	}
}

static wb_text text_of(const char *at)
{
	return (wb_text){ at, strlen(at) };
}

static uint64_t location(proto *p, uintptr_t pc)
{
	uint64_t id = wf_prof_location_of(p->out, pc - 1);
	if (id)
		return id;
	const weft__tr_frame *f;
	wf_prof_line lines[LINES_MAX];
	size_t found = weft__prof_names_at(&p->names, pc, &f), n = 0;
	for (size_t i = weft__prof_doc_line(p->d, f, found); i < found && n < LINES_MAX; i++)
		lines[n++] = (wf_prof_line){ text_of(f[i].func), text_of(f[i].file), f[i].line };
	size_t map = weft__prof_map_of(&p->names, pc);
	return wf_prof_location(p->out, pc - 1, pc - 1, map < p->names.maps.n ? map + 1 : 0, lines, n);
}

static void put_labels(proto *p, const weft__prof_stack *s)
{
	const char *at = s->labels;
	for (size_t i = 0; i < s->n_labels; i++) {
		wb_text key = text_of(at), value = text_of(at + key.n + 1);
		wf_prof_label(p->out, key, value);
		at = value.at + value.n + 1;
	}
}

static void put_row(proto *p, uint32_t i)
{
	weft__prof_stack s;
	uint64_t ids[WEFT__PROF_FRAMES];
	weft__prof_stack_of(&p->rows, i, &s);
	for (size_t k = 0; k < s.n; k++)
		ids[k] = location(p, s.pcs[k]);
	wf_prof_sample(p->out, ids, s.n, p->rows.rows.at[i].v);
	put_labels(p, &s);
}

/* What is shown, multiplied for what was not recorded. */
static void scaled_rows(const weft__prof_doc *d, weft__prof_names *names, weft__prof_table *ret)
{
	weft__prof_doc_shown(d, names, ret);
	for (uint32_t i = 1; d->kind->scale && i < weft__prof_rows_end(ret); i++)
		d->kind->scale(d, &ret->rows.at[i]);
}

/* Differences are those of the numbers that both profiles would have had: as Go's, and as pprof's of two files. */
static void take_off(proto *p, const weft__prof_doc *before)
{
	weft__prof_table t;
	scaled_rows(before, &p->names, &t);
	for (uint32_t i = 1; i < weft__prof_rows_end(&t); i++) {
		weft__prof_stack s;
		weft__prof_row less;
		for (int k = 0; k < WEFT__PROF_VALUES; k++)
			less.v[k] = -t.rows.at[i].v[k];
		weft__prof_stack_of(&t, i, &s);
		weft__prof_add_stack(&p->rows, &s, &less);
	}
	p->rows.failed |= t.failed;
	weft__prof_table_free(&t);
}

static void put_kinds(proto *p)
{
	const weft__prof_kind *k = p->d->kind;
	for (int i = 0; i < WEFT__PROF_VALUES && k->values[i].type; i++)
		wf_prof_type(p->out, k->values[i].type, k->values[i].unit);
	if (k->shown_first)
		wf_prof_default(p->out, k->shown_first);
	bool slowed = p->d->before && p->d->before->rate > p->d->rate; /* of two, the larger one: as Go's */
	wf_prof_period(p->out, k->period.type, k->period.unit, slowed ? p->d->before->rate : p->d->rate);
	wf_prof_times(p->out, p->d->start_ns, p->d->duration_ns);
}

bool weft__prof_doc_proto(const weft__prof_doc *d, wb_buf *b)
{
	proto p = { .d = d, .out = wf_prof_new() };
	if (!p.out)
		return false;
	weft__prof_names_open(&p.names);
	put_kinds(&p);
	put_maps(&p);
	scaled_rows(d, &p.names, &p.rows);
	if (d->before)
		take_off(&p, d->before);
	for (uint32_t i = 1; i < weft__prof_rows_end(&p.rows); i++)
		if (!is_zero(&p.rows.rows.at[i]))
			put_row(&p, i);
	bool ok = !p.rows.failed && !p.names.failed && wf_prof_finish(p.out, b) && !b->failed;
	weft__prof_names_close(&p.names);
	weft__prof_table_free(&p.rows);
	wf_prof_free(p.out);
	return ok;
}
