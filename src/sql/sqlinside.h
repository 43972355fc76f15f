/* sql/sqlinside.h - what the tables of a database share. */
#ifndef SQ_SQLINSIDE_H
#define SQ_SQLINSIDE_H

#include <wtr/waits.h>

#include "base/idmap.h"
#include "sql/sql.h"

struct sq_db {
	sqlite3 *db;
	wtr_trace *t;
	wtr_index *tables, *lanes; /* NULL until asked for */
	wtr_waits *waits;          /* the same */
	wb_idmap object_rows;      /* of its objects */
};

/* The index with the tables, or with lanes too; NULL: it cannot be built, and *message says why (sqlite3_free it). */
const wtr_index *sq_index(sq_db *d, bool lanes, char **message);

/* What goroutines wait for; false: that cannot be read, and *message says why. */
bool sq_waits(sq_db *d, const wtr_waits **ret, char **message);
/* The row of objects, after sq_waits(); WTR_NONE: it has none. */
int64_t sq_object_row(const sq_db *d, const wtr_object *o);

/* ---- what virtual tables share: read-only ones that are there without CREATE ---- */

/* Which one, of which database. */
typedef struct sq_table {
	sqlite3_vtab base;
	sq_db *d;
	unsigned which;
	size_t cursor_bytes;
} sq_table;

/* What their cursors begin with; the rest is zero when they are opened. */
typedef struct sq_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_int64 row; /* the rowid */
	sqlite3_int64 end; /* where rows are numbered from 0: of the last one, plus 1 */
} sq_cursor;

/* For xConnect: declares the table, and makes the sq_table. */
int sq_connect(sqlite3 *db, sq_db *d, unsigned which, const char *schema, size_t cursor_bytes, sqlite3_vtab **ret);
int sq_disconnect(sqlite3_vtab *v);
int sq_cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **ret);
int sq_cursor_close(sqlite3_vtab_cursor *c);
int sq_cursor_row(sqlite3_vtab_cursor *c, sqlite3_int64 *ret);
int sq_cursor_next(sqlite3_vtab_cursor *c); /* these two where rows are numbered */
int sq_cursor_eof(sqlite3_vtab_cursor *c);

/* For the initialiser of an sqlite3_module. */
#define SQ_MODULE .xDisconnect = sq_disconnect, .xDestroy = sq_disconnect, .xOpen = sq_cursor_open

/* For xBestIndex: `column = VALUE`, if it is asked for, becomes plan 1 with that value, so many rows; else plan 0. */
void sq_plan_equal(sqlite3_index_info *info, int column, int rows);

/* Results with NULL for what the trace does not know. */
void sq_result_time(sqlite3_context *c, int64_t ns); /* WTR_NEVER is NULL */
void sq_result_id(sqlite3_context *c, int64_t id);   /* WTR_NONE is NULL */
void sq_result_text(sqlite3_context *c, wtr_str s);  /* lives as long as the index or trace */
void sq_result_word(sqlite3_context *c, const char *static_text);

/* A range of integers that constraints on a column leave. */
typedef struct sq_range {
	int64_t low, high; /* both included; low > high: nothing */
} sq_range;

/* Narrows by `column OP value`; a value that is no number narrows to nothing for =. */
void sq_narrow(sq_range *r, int op, sqlite3_value *value);

/* The operators that sq_narrow() knows, as a bit in idxNum-style plans; false for others. */
bool sq_is_bound(int op);

/* Registers the tables of each kind. */
int sq_add_tables(sq_db *d);  /* sqltables.c: those of include/wtr/tables.def */
int sq_add_events(sq_db *d);  /* sqlevents.c */
int sq_add_states(sq_db *d);  /* sqlstates.c */
int sq_add_objects(sq_db *d); /* sqlobjects.c */
int sq_add_stacks(sq_db *d);  /* sqlstacks.c */

/* The name of an index's table in SQL; NULL behind the last. */
const char *sq_index_table(unsigned i);

#endif
