/* sql/sqlplan.c - what a table is asked for: which of SQLite's constraints it takes, and what they leave. */
#include "sql/sqlinside.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"

/* ---- plans ---- */

/* The column of SQLite's table as one of the kind's own; of the column `trace`, and of constraints that compare text in
 * their own way, one that nobody has. */
static int own_column(const sq_db *d, int column)
{
	return column < 0 || !d->many ? column : column == 0 ? INT_MAX : column - 1;
}

/* The constraint `trace = NAME`, -1: there is none. */
static int only_trace(const sq_db *d, sqlite3_index_info *info)
{
	for (int i = 0; d->many && i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		if (c->usable && c->iColumn == 0 && c->op == SQLITE_INDEX_CONSTRAINT_EQ &&
			strcmp(sqlite3_vtab_collation(info, i), "BINARY") == 0)
			return i;
	}
	return -1;
}

static int n_values(const sqlite3_index_info *info)
{
	int n = 0;
	for (int i = 0; i < info->nConstraint; i++)
		if (info->aConstraintUsage[i].argvIndex > n)
			n = info->aConstraintUsage[i].argvIndex;
	return n;
}

/* Of all traces, one behind the other, rows come in the order of none of them. */
static void plan_many(const sq_db *d, sqlite3_index_info *info, int only)
{
	if (only < 0) {
		info->estimatedCost *= (double)d->n;
		info->estimatedRows *= (sqlite3_int64)d->n;
		return;
	}
	info->aConstraintUsage[only].argvIndex = n_values(info) + 1;
	info->idxNum |= SQ_ONE_TRACE;
}

/* The kind sees a copy: its own columns only. */
static int plan_kind(const sq_table *v, sqlite3_index_info *info, struct sqlite3_index_constraint *constraints,
	struct sqlite3_index_orderby *orders)
{
	sqlite3_index_info copy = *info;
	int only = only_trace(v->d, info);
	for (int i = 0; i < info->nConstraint; i++) {
		constraints[i] = info->aConstraint[i];
		bool binary = constraints[i].usable && strcmp(sqlite3_vtab_collation(info, i), "BINARY") == 0;
		constraints[i].iColumn = binary ? own_column(v->d, constraints[i].iColumn) : INT_MAX;
	}
	for (int i = 0; i < info->nOrderBy; i++) {
		orders[i] = info->aOrderBy[i];
		orders[i].iColumn = own_column(v->d, orders[i].iColumn);
	}
	copy.aConstraint = constraints;
	copy.aOrderBy = orders;
	copy.nOrderBy = v->d->many && only < 0 ? 0 : info->nOrderBy;
	int rc = v->kind->plan(v->kind, &copy);
	copy.aConstraint = info->aConstraint;
	copy.aOrderBy = info->aOrderBy;
	copy.nOrderBy = info->nOrderBy;
	memcpy(info, &copy, sizeof(copy));
	if (v->d->many)
		plan_many(v->d, info, only);
	return rc;
}

int sq_plan(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const sq_table *v = (const sq_table *)base;
	struct sqlite3_index_constraint *constraints = wb_calloc((size_t)info->nConstraint + 1, sizeof(*constraints));
	struct sqlite3_index_orderby *orders = wb_calloc((size_t)info->nOrderBy + 1, sizeof(*orders));
	int rc = constraints && orders ? plan_kind(v, info, constraints, orders) : SQLITE_NOMEM;
	wb_free(constraints);
	wb_free(orders);
	return rc;
}

void sq_plan_equal(sqlite3_index_info *info, int column, int rows)
{
	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		if (!c->usable || c->iColumn != column || c->op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		info->aConstraintUsage[i].argvIndex = 1;
		info->idxNum = 1;
		info->estimatedCost = rows;
		info->estimatedRows = rows;
		return;
	}
}

/* ---- values ---- */

bool sq_is_bound(int op)
{
	return op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
	       op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_LT || op == SQLITE_INDEX_CONSTRAINT_LE;
}

/* Wider than needed where a value is no integer: SQLite looks at every row again. */
void sq_narrow(sq_range *r, int op, sqlite3_value *value)
{
	int type = sqlite3_value_numeric_type(value);
	if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
		return;
	double d = sqlite3_value_double(value);
	int64_t v = sqlite3_value_int64(value);
	if (type == SQLITE_FLOAT && !(d > -9e18 && d < 9e18))
		return;
	int64_t below = type == SQLITE_FLOAT && d < (double)v ? v - 1 : v; /* the integer at or below */
	if ((op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
		    op == SQLITE_INDEX_CONSTRAINT_GE) &&
		below > r->low)
		r->low = below;
	if ((op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_LT ||
		    op == SQLITE_INDEX_CONSTRAINT_LE) &&
		below < r->high)
		r->high = below < INT64_MAX && type == SQLITE_FLOAT ? below + 1 : below;
}
