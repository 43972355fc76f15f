/* sql/sql.h - a trace as an SQL database: SQLite's virtual tables over the columns of an index and over the events,
 * without a copy.  docs/sql.md is the schema for users.
 */
#ifndef SQ_SQL_H
#define SQ_SQL_H

#include <sqlite3.h>

#include <wtr/report.h>

typedef struct sq_db sq_db;

/* The trace must have been opened with keep_tables, and outlive the database, which belongs to one thread.  Indexes are
 * built when the first table asks for them.  E_NOMEM. */
wtr_code sq_open(wtr_trace *t, sq_db **ret, wtr_error *err);
void sq_close(sq_db *d); /* NULL is fine */

sqlite3 *sq_handle(const sq_db *d);

/* Name of table i, in the order of the schema; NULL behind the last. */
const char *sq_table_name(const sq_db *d, size_t i);

#endif
