/* an/diff.c - rows in order, and asking for them. */
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "an/summary.h"
#include "read/source.h"

struct wtr_diff {
	an_diff_rows rows;
	an_found_changes found;
};

static const char *const kinds[] = {
#define NAME(ID, name, doc) name,
	WTR_DIFF_KINDS(NAME)
#undef NAME
};

static const char *const stats[] = {
#define NAME(ID, name, unit, doc) name,
	WTR_STATS(NAME)
#undef NAME
};

const char *wtr_diff_kind_name(unsigned kind)
{
	return kind < WTR_DIFF_KIND_COUNT ? kinds[kind] : NULL;
}

const char *wtr_stat_name(unsigned stat)
{
	return stat < WTR_STAT_COUNT ? stats[stat] : NULL;
}

/* ---- all of it ---- */

static int in_order(const void *a, const void *b)
{
	const wtr_diff_row *x = a, *y = b;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == WTR_DIFF_STATE)
		return (x->cls > y->cls) - (x->cls < y->cls);
	if (x->changed != y->changed)
		return x->changed ? -1 : 1;
	double dx = x->stats[WTR_STAT_TIME].b - x->stats[WTR_STAT_TIME].a;
	double dy = y->stats[WTR_STAT_TIME].b - y->stats[WTR_STAT_TIME].a;
	dx = dx < 0 ? -dx : dx;
	dy = dy < 0 ? -dy : dy;
	if (dx != dy)
		return dx > dy ? -1 : 1;
	int c = an_text_order(x->name, y->name);
	c = c ? c : an_text_order(x->created, y->created);
	return c ? c : (x->cls > y->cls) - (x->cls < y->cls);
}

wtr_code wtr_diff_make(const wtr_side *a, const wtr_side *b, wtr_diff **ret, wtr_error *err)
{
	wtr_diff *d = wb_calloc(1, sizeof(*d));
	if (d && an_diff_rows_make(a, b, &d->rows) && an_found_compare(a, b, &d->found)) {
		if (d->rows.n)
			qsort(d->rows.at, d->rows.n, sizeof(*d->rows.at), in_order);
		*ret = d;
		return WTR_OK;
	}
	wtr_diff_free(d);
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

void wtr_diff_free(wtr_diff *d)
{
	if (!d)
		return;
	wb_vec_free(&d->rows);
	wb_vec_free(&d->found);
	wb_free(d);
}

size_t wtr_diff_rows(const wtr_diff *d, const wtr_diff_row **ret)
{
	*ret = d->rows.at;
	return d->rows.n;
}

size_t wtr_diff_findings(const wtr_diff *d, const wtr_finding_change **ret)
{
	*ret = d->found.at;
	return d->found.n;
}
