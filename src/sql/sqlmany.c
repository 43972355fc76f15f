/* sql/sqlmany.c - a table of several traces: the rows of one trace behind those of the other, or of the one that is
 * asked for; each is asked with the same plan, so that what is pushed down reaches all of them. */
#include "sql/sqlinside.h"

#include <string.h>

typedef struct table {
	sq_table base;
	sq_table each[]; /* of every trace */
} table;

typedef struct cursor {
	sqlite3_vtab_cursor base;
	size_t at;                  /* of the trace; n: behind the last */
	bool only;                  /* no other */
	sqlite3_vtab_cursor *inner; /* of that trace; NULL: not open */
	int number, n_values;       /* the plan */
	char *text;
	sqlite3_value **values; /* copies, for the traces behind it */
} cursor;

int sq_many_connect(const sq_db *d, const sq_kind *k, sqlite3_vtab **ret)
{
	table *v = sqlite3_malloc64(sizeof(*v) + d->n * sizeof(*v->each));
	if (!v)
		return SQLITE_NOMEM;
	v->base = (sq_table){ .kind = k, .d = d };
	for (size_t i = 0; i < d->n; i++)
		v->each[i] = (sq_table){ .kind = k, .d = d, .of = &d->traces[i] };
	*ret = &v->base.base;
	return SQLITE_OK;
}

static table *table_of(const cursor *c)
{
	return (table *)c->base.pVtab;
}

static const sqlite3_module *module_of(const cursor *c)
{
	return table_of(c)->base.kind->module;
}

/* ---- the plan, kept ---- */

static void forget(cursor *c)
{
	for (int i = 0; i < c->n_values; i++)
		sqlite3_value_free(c->values[i]);
	sqlite3_free(c->values);
	sqlite3_free(c->text);
	c->values = NULL;
	c->text = NULL;
	c->n_values = 0;
}

static bool keep(cursor *c, int number, const char *text, int n, sqlite3_value **values)
{
	forget(c);
	c->number = number;
	c->text = sqlite3_mprintf("%s", text ? text : "");
	c->values = sqlite3_malloc64(((size_t)n + 1) * sizeof(*c->values));
	if (!c->text || !c->values)
		return false;
	for (; c->n_values < n; c->n_values++) {
		c->values[c->n_values] = sqlite3_value_dup(values[c->n_values]);
		if (!c->values[c->n_values])
			return false;
	}
	return true;
}

/* ---- one trace ---- */

static int close_inner(cursor *c)
{
	int rc = c->inner ? module_of(c)->xClose(c->inner) : SQLITE_OK;
	c->inner = NULL;
	return rc;
}

/* The trace's own words of what went wrong become the table's, with its name. */
static int failed(cursor *c, int rc)
{
	sq_table *v = &table_of(c)->each[c->at];
	if (v->base.zErrMsg) {
		sqlite3_free(c->base.pVtab->zErrMsg);
		c->base.pVtab->zErrMsg = sqlite3_mprintf("%s: %s", v->of->name, v->base.zErrMsg);
		sqlite3_free(v->base.zErrMsg);
		v->base.zErrMsg = NULL;
	}
	return rc;
}

/* Asks trace i. */
static int ask(cursor *c, size_t i, int number, const char *text, int n, sqlite3_value **values)
{
	const sqlite3_module *m = module_of(c);
	if (i != c->at)
		close_inner(c);
	c->at = i;
	if (!c->inner) {
		int rc = m->xOpen(&table_of(c)->each[i].base, &c->inner);
		if (rc != SQLITE_OK)
			return rc;
		c->inner->pVtab = &table_of(c)->each[i].base;
	}
	int rc = m->xFilter(c->inner, number, text, n, values);
	return rc == SQLITE_OK ? rc : failed(c, rc);
}

/* Goes on to the first trace from i on that has rows. */
static int ask_from(cursor *c, size_t i)
{
	size_t n = table_of(c)->base.d->n;
	int rc = SQLITE_OK;
	for (; i < n; i++) {
		rc = ask(c, i, c->number, c->text, c->n_values, c->values);
		if (rc != SQLITE_OK || !module_of(c)->xEof(c->inner))
			return rc;
	}
	close_inner(c);
	c->at = n;
	return rc;
}

/* ---- the module ---- */

static int disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **ret)
{
	(void)v;
	cursor *c = sqlite3_malloc64(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	memset(c, 0, sizeof(*c));
	*ret = &c->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	cursor *c = (cursor *)base;
	close_inner(c);
	forget(c);
	sqlite3_free(c);
	return SQLITE_OK;
}

/* The trace of that name; n: there is none.  Mostly it is the one that was asked for last. */
static size_t by_name(const cursor *c, const char *name)
{
	const sq_db *d = table_of(c)->base.d;
	if (name && c->at < d->n && strcmp(d->traces[c->at].name, name) == 0)
		return c->at;
	size_t i = name ? 0 : d->n;
	while (i < d->n && strcmp(d->traces[i].name, name) != 0)
		i++;
	return i;
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int n, sqlite3_value **values)
{
	cursor *c = (cursor *)base;
	c->only = number & SQ_ONE_TRACE;
	if (!c->only)
		return keep(c, number, text, n, values) ? ask_from(c, 0) : SQLITE_NOMEM;
	size_t i = by_name(c, (const char *)sqlite3_value_text(values[n - 1]));
	if (i < table_of(c)->base.d->n)
		return ask(c, i, number & ~SQ_ONE_TRACE, text, n - 1, values);
	close_inner(c);
	c->at = i;
	return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
	cursor *c = (cursor *)base;
	int rc = module_of(c)->xNext(c->inner);
	if (rc != SQLITE_OK)
		return failed(c, rc);
	return c->only || !module_of(c)->xEof(c->inner) ? SQLITE_OK : ask_from(c, c->at + 1);
}

static int eof(sqlite3_vtab_cursor *base)
{
	const cursor *c = (const cursor *)base;
	return !c->inner || module_of(c)->xEof(c->inner);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *out, int i)
{
	cursor *c = (cursor *)base;
	if (i == 0) {
		sq_result_word(out, table_of(c)->each[c->at].of->name);
		return SQLITE_OK;
	}
	int rc = module_of(c)->xColumn(c->inner, out, i - 1);
	return rc == SQLITE_OK ? rc : failed(c, rc);
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	const cursor *c = (const cursor *)base;
	return module_of(c)->xRowid(c->inner, ret);
}

const sqlite3_module sq_many_module = {
	.xConnect = sq_connect,
	.xBestIndex = sq_plan,
	.xDisconnect = disconnect,
	.xDestroy = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next,
	.xEof = eof,
	.xColumn = column,
	.xRowid = rowid,
};
