/* cli/rank.c - `weft summary` of several traces: which one to open first. */
#include <wtr/snapshots.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/many.h"
#include "cli/pool.h"
#include "out/units.h"

enum { REASONS_SHOWN = 3 };
#define ODD 3.5 /* from here on a trait is worth a word */

typedef struct ranked {
	const char *path;
	bool read;
	wtr_totals totals;
	wtr_snapshot s;
} ranked;

static bool look(const cli_args *a, ranked *r)
{
	wtr_error err = { 0 };
	wtr_index *x = NULL;
	wtr_trace *t = cli_open_path(a, r->path);
	if (!t)
		return false;
	bool ok = wtr_index_build(t, WTR_PART_TOTALS | WTR_PART_GOROUTINES, &x, &err) == WTR_OK &&
		  wtr_snapshot_make(t, x, &r->s, &err) == WTR_OK;
	if (ok)
		wtr_get_totals(x, &r->totals);
	else
		cli_error(r->path, &err);
	wtr_index_free(x);
	wtr_close(t);
	r->read = ok;
	return ok;
}

static int oddest_first(const void *a, const void *b)
{
	const ranked *x = a, *y = b;
	if (x->s.oddness != y->s.oddness)
		return x->s.oddness > y->s.oddness ? -1 : 1;
	return strcmp(x->path, y->path);
}

static bool rank(ranked *r, size_t n)
{
	wtr_snapshot *all = wb_calloc(n + 1, sizeof(*all));
	bool ok = all != NULL;
	for (size_t i = 0; ok && i < n; i++)
		all[i] = r[i].s;
	ok = ok && wtr_snapshots_rank(all, n, NULL) == WTR_OK;
	for (size_t i = 0; ok && i < n; i++)
		r[i].s = all[i];
	wb_free(all);
	if (ok && n)
		qsort(r, n, sizeof(*r), oddest_first);
	return ok;
}

/* ---- text ---- */

static void trait(wb_buf *b, unsigned k, double v)
{
	const char *unit, *doc, *name = wtr_trait_name(k, &unit, &doc);
	(void)name;
	if (strcmp(unit, "ns") == 0)
		out_duration(b, (int64_t)(v + 0.5));
	else if (strcmp(unit, "bytes") == 0)
		out_bytes(b, (uint64_t)(v + 0.5));
	else
		out_count(b, (uint64_t)(v + 0.5));
}

/* The oddest traits, oddest first. */
static size_t oddest(const wtr_snapshot *s, unsigned *ret)
{
	size_t n = 0;
	for (unsigned k = 0; k < WTR_TRAIT_COUNT; k++) {
		if (s->odd[k] < ODD)
			continue;
		size_t at = n < REASONS_SHOWN ? n++ : n;
		while (at > 0 && s->odd[k] > s->odd[ret[at - 1]]) {
			if (at < REASONS_SHOWN)
				ret[at] = ret[at - 1];
			at--;
		}
		if (at < REASONS_SHOWN)
			ret[at] = k;
	}
	return n;
}

static void reasons(wb_buf *b, const wtr_snapshot *s)
{
	unsigned k[REASONS_SHOWN];
	size_t n = oddest(s, k);
	for (size_t i = 0; i < n; i++) {
		const char *unit, *doc;
		wb_buf_printf(b, "%s%s ", i ? ", " : "", wtr_trait_name(k[i], &unit, &doc));
		trait(b, k[i], s->traits[k[i]]);
		wb_buf_puts(b, strstr(doc, "per second") ? "/s (else " : " (else ");
		trait(b, k[i], s->median[k[i]]);
		wb_buf_putc(b, ')');
	}
}

static void text(wb_buf *b, const ranked *r, size_t n)
{
	out_table t = { .n_columns = 6,
		.columns = { { "odd", OUT_RIGHT }, { "time", OUT_RIGHT }, { "events", OUT_RIGHT },
			{ "finding", OUT_RIGHT }, { "trace", OUT_NAME }, { "what is odd", OUT_LEFT } } };
	for (size_t i = 0; i < n; i++) {
		const wtr_snapshot *s = &r[i].s;
		wb_buf_printf(out_cell(&t, cli_styled(s->oddness >= ODD ? CLI_YELLOW : CLI_PLAIN)), "%.1f", s->oddness);
		out_duration(out_cell(&t, ""), r[i].totals.end_ns - r[i].totals.start_ns);
		out_count(out_cell(&t, ""), r[i].totals.events);
		wb_buf_printf(out_cell(&t, ""), "%.0f", s->traits[WTR_TRAIT_SEVERITY]);
		out_clean(out_cell(&t, cli_styled(CLI_BOLD)), r[i].path, strlen(r[i].path));
		reasons(out_cell(&t, ""), s);
	}
	cli_table(b, &t, "");
	out_table_free(&t);
	if (n < 3)
		wb_buf_printf(b, "%sthree traces at least are wanted to say which is odd%s\n", cli_styled(CLI_DIM),
			cli_styled(CLI_PLAIN));
}

/* ---- JSON ---- */

static void one_json(out_json *j, const ranked *r)
{
	const char *unit, *doc;
	out_json_object(j);
	out_json_put_text(j, "file", r->path);
	out_json_put_i64(j, "duration_ns", r->totals.end_ns - r->totals.start_ns);
	out_json_put_u64(j, "events", r->totals.events);
	out_json_key(j, "oddness");
	out_json_fixed(j, r->s.oddness, 3);
	out_json_key(j, "traits");
	out_json_array(j);
	for (unsigned k = 0; k < WTR_TRAIT_COUNT; k++) {
		out_json_object(j);
		out_json_put_text(j, "name", wtr_trait_name(k, &unit, &doc));
		out_json_key(j, "value");
		out_json_fixed(j, r->s.traits[k], 3);
		out_json_key(j, "median");
		out_json_fixed(j, r->s.median[k], 3);
		out_json_key(j, "odd");
		out_json_fixed(j, r->s.odd[k], 3);
		out_json_object_end(j);
	}
	out_json_array_end(j);
	out_json_object_end(j);
}

static int print(const cli_args *a, const ranked *r, size_t n, size_t unreadable)
{
	wb_buf b = { 0 };
	if (cli_has(a, CLI_OPT_JSON)) {
		out_json j;
		out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
		out_json_object(&j);
		out_json_put_u64(&j, "unreadable", unreadable);
		out_json_key(&j, "traces");
		out_json_array(&j);
		for (size_t i = 0; i < n; i++)
			one_json(&j, &r[i]);
		out_json_array_end(&j);
		out_json_object_end(&j);
		return cli_print_json(&j, &b);
	}
	text(&b, r, n);
	int rc = cli_flush(&b, true) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return rc;
}

static int look_at(void *user, const cli_args *a, size_t i)
{
	ranked *r = user;
	return look(a, &r[i]) ? CLI_OK : CLI_UNREADABLE;
}

/* Those that could be read, to the front. */
static size_t keep_read(ranked *r, size_t n)
{
	size_t read = 0;
	for (size_t i = 0; i < n; i++)
		if (r[i].read)
			r[read++] = r[i];
	return read;
}

int cli_rank_many(const cli_args *a, const cli_files *f)
{
	if (cli_has(a, CLI_OPT_RANGE) || cli_has(a, CLI_OPT_FILTER))
		return cli_usage(
			a->command, "--range and --filter are for one trace: several are compared as they are");
	ranked *r = wb_calloc(f->n + 1, sizeof(*r));
	for (size_t i = 0; r && i < f->n; i++)
		r[i].path = f->paths[i];
	int rc = r ? cli_each(a, f, look_at, r) : CLI_UNREADABLE;
	size_t read = r ? keep_read(r, f->n) : 0;
	if (!r || !rank(r, read))
		fputs("weft: out of memory\n", cli_err());
	else if (read && print(a, r, read, f->n - read) != CLI_OK)
		rc = CLI_UNREADABLE;
	wb_free(r);
	return rc;
}
