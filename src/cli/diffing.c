/* cli/diffing.c - see diffing.h. */
#include "cli/diffing.h"

#include <stdio.h>
#include <string.h>

#include "os/folder.h"

/* ---- which files, which part ---- */

static bool there(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f)
		fclose(f);
	return f != NULL || wo_is_folder(path);
}

/* FILE@RANGE, unless there is a file of that very name. */
static char *split(wb_arena *a, const char *operand, const char **ret_range)
{
	char *path = wb_copy(a, operand, strlen(operand)), *at = path ? strrchr(path, '@') : NULL;
	if (at && at > path && !there(path)) {
		*at = 0;
		*ret_range = at + 1;
	}
	return path;
}

static int wrong_range(const cli_args *a, const char *text, const wtr_error *err)
{
	return cli_usage(a->command, "'%s': %s", text, err->what);
}

static int parse_side(const cli_args *a, const char *operand, cli_option_id range_option, cli_side *s)
{
	wtr_error err = { 0 };
	s->text = operand;
	s->range = a->values[CLI_OPT_RANGE];
	const char *path = split(&s->files.arena, operand, &s->range);
	if (a->values[range_option])
		s->range = a->values[range_option];
	if (!path || !cli_files_add(&s->files, path))
		return CLI_UNREADABLE;
	if (s->range && wtr_period_parse(s->range, strlen(s->range), &s->period, &err) != WTR_OK)
		return wrong_range(a, s->range, &err);
	return CLI_OK;
}

static int check_filter(const cli_args *a)
{
	wtr_error err = { 0 };
	wtr_where *w = NULL;
	const char *filter = a->values[CLI_OPT_FILTER];
	if (!filter || wtr_where_parse(filter, strlen(filter), WTR_ABOUT_SPAN, &w, &err) == WTR_OK) {
		wtr_where_free(w);
		return CLI_OK;
	}
	return cli_usage(a->command, "--filter: %s", err.what);
}

int cli_sides_parse(const cli_args *a, cli_side sides[2])
{
	const char *b = a->operands[a->n_operands - 1];
	if (a->n_operands == 1 && !cli_has(a, CLI_OPT_A_RANGE) && !cli_has(a, CLI_OPT_B_RANGE))
		return cli_usage(
			a->command, "diff wants two traces, or two parts of one: --a-range=..1s --b-range=1s..");
	int rc = check_filter(a);
	if (rc == CLI_OK)
		rc = parse_side(a, a->operands[0], CLI_OPT_A_RANGE, &sides[0]);
	return rc == CLI_OK ? parse_side(a, b, CLI_OPT_B_RANGE, &sides[1]) : rc;
}

/* ---- reading ---- */

typedef struct reading {
	const cli_args *a;
	cli_side *s;
	unsigned side;
	wtr_stacks *stacks; /* NULL: no profile */
	wtr_profile_kind kind;
	const char *path;
	wtr_trace *t;
	wtr_index *x;
	wtr_side_query q;
} reading;

static int failed(const reading *r, const wtr_error *err)
{
	cli_error(r->path, err);
	return err->code == WTR_E_USAGE ? CLI_USAGE : CLI_UNREADABLE;
}

static int scope(reading *r)
{
	wtr_error err = { 0 };
	wtr_totals totals;
	const char *filter = r->a->values[CLI_OPT_FILTER];
	wtr_get_totals(r->x, &totals);
	r->q.ranged = r->s->range != NULL;
	if (r->q.ranged && wtr_period_resolve(&r->s->period, &totals, &r->q.from_ns, &r->q.to_ns, &err) != WTR_OK)
		return failed(r, &err);
	if (filter && (wtr_where_parse(filter, strlen(filter), WTR_ABOUT_SPAN, &r->q.where, &err) != WTR_OK ||
			      wtr_where_bind(r->q.where, r->t, r->x, &totals, &err) != WTR_OK))
		return failed(r, &err);
	return CLI_OK;
}

static int profile(reading *r)
{
	wtr_error err = { 0 };
	wtr_profile *p;
	wtr_profile_query q = { .kind = r->kind,
		.ranged = r->q.ranged,
		.from_ns = r->q.from_ns,
		.to_ns = r->q.to_ns,
		.where = r->q.where };
	if (wtr_profile_make(r->t, &q, &p, &err) != WTR_OK)
		return failed(r, &err);
	bool ok = wtr_stacks_add(r->stacks, r->side, p);
	wtr_profile_free(p);
	if (!ok)
		fputs("weft: out of memory\n", cli_err());
	return ok ? CLI_OK : CLI_UNREADABLE;
}

static int read_one(reading *r)
{
	wtr_error err = { 0 };
	r->t = cli_open_path(r->a, r->path);
	if (!r->t)
		return CLI_UNREADABLE;
	if (wtr_index_build(r->t, WTR_PART_EVENTS | WTR_PART_TOTALS, &r->x, &err) != WTR_OK)
		return failed(r, &err);
	int rc = scope(r);
	if (rc != CLI_OK)
		return rc;
	if (r->stacks)
		return profile(r);
	if (wtr_side_add(r->s->side, r->t, r->x, &r->q, &err) != WTR_OK)
		return failed(r, &err);
	return CLI_OK;
}

/* What is to be known of an answer: that nothing matched, or that not all was read. */
static void note(const reading *r)
{
	cli_scope_note(&(cli_scope){ .args = r->a, .about = WTR_ABOUT_SPAN, .where = r->q.where }, /* once= */ false);
	if (r->x)
		cli_warn_damage(r->path, r->x);
}

int cli_side_gather(const cli_args *a, cli_side *s, unsigned side, wtr_stacks *stacks, wtr_profile_kind kind)
{
	s->side = wtr_side_new();
	int rc = s->side ? CLI_OK : CLI_UNREADABLE;
	for (size_t i = 0; i < s->files.n && rc != CLI_USAGE; i++) {
		reading r = { .a = a, .s = s, .side = side, .stacks = stacks, .kind = kind, .path = s->files.paths[i] };
		rc = read_one(&r);
		if (rc == CLI_OK)
			note(&r);
		s->unreadable += rc != CLI_OK;
		wtr_where_free(r.q.where);
		wtr_index_free(r.x);
		wtr_close(r.t);
	}
	cli_progress_done();
	if (rc == CLI_USAGE)
		return rc;
	return s->unreadable < s->files.n ? CLI_OK : CLI_UNREADABLE;
}

void cli_sides_free(cli_side sides[2])
{
	for (unsigned i = 0; i < 2; i++) {
		cli_files_free(&sides[i].files);
		wtr_side_free(sides[i].side);
	}
}
