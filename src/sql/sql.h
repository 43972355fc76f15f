/* sql/sql.h - traces as an SQL database: SQLite's virtual tables over the columns of an index and over the events,
 * without a copy.  docs/sql.md is the schema for users.
 */
#ifndef SQ_SQL_H
#define SQ_SQL_H

#include <sqlite3.h>

#include <wtr/report.h>

#include "base/buf.h"

typedef struct sq_db sq_db;

typedef struct sq_source {
	wtr_trace *t;     /* opened with keep_tables */
	const char *name; /* what its column `trace` says */
} sq_source;

/* A database of n traces, which must outlive it with their names; it belongs to one thread.  With `many` its tables
 * begin with a column `trace`, also for one trace; else n is 1.  Indexes are built, trace by trace, when the first
 * table asks for them.  E_NOMEM. */
wtr_code sq_open(const sq_source *sources, size_t n, bool many, sq_db **ret, wtr_error *err);
void sq_close(sq_db *d); /* NULL is fine */

/* What ended the reading of trace i before its end, as far as questions have come upon it; NULL: nothing. */
const wtr_error *sq_damage(const sq_db *d, size_t i);

sqlite3 *sq_handle(const sq_db *d);

/* Name of table i, in the order of the schema; NULL behind the last. */
const char *sq_table_name(size_t i);

/* What would be right where SQLite says `message` of a statement: the columns of the tables that it names, tables, a
 * name that is near.  Lines of text, none when there is nothing to say. */
void sq_advice(const sq_db *d, const char *statement, const char *message, wb_buf *ret);

#endif
