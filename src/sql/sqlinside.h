/* sql/sqlinside.h - what the tables of a database share. */
#ifndef SQ_SQLINSIDE_H
#define SQ_SQLINSIDE_H

#include <wtr/waits.h>

#include "base/idmap.h"
#include "sql/sql.h"

enum { SQ_RISES = 1, SQ_DOES_NOT_RISE };

/* One of its traces. */
typedef struct sq_trace {
	wtr_trace *t;
	const char *name;
	sqlite3_int64 row_base;          /* rows of its numbered tables count from here: no two traces have the same */
	wtr_index *tables, *lanes;       /* NULL until asked for */
	wtr_waits *waits;                /* the same */
	wb_idmap object_rows;            /* of its objects */
	uint8_t rising[WTR_TABLE_COUNT]; /* whether the first column does, as far as it was looked for */
	wtr_error end;                   /* what ended its reading, once that is known */
} sq_trace;

struct sq_db {
	sqlite3 *db;
	sq_trace *traces;
	size_t n;
	bool many; /* tables begin with the column `trace`, and have the rows of all traces */
};

/* The index with the tables, or with lanes too; NULL: it cannot be built, and *message says why (sqlite3_free it). */
const wtr_index *sq_index(sq_trace *of, bool lanes, char **message);

/* What goroutines wait for; false: that cannot be read, and *message says why. */
bool sq_waits(sq_trace *of, const wtr_waits **ret, char **message);
/* The row of objects, after sq_waits(); WTR_NONE: it has none. */
int64_t sq_object_row(const sq_trace *of, const wtr_object *o);

/* ---- what virtual tables share: read-only ones that are there without CREATE ---- */

typedef struct sq_kind sq_kind;
struct sq_kind {
	const char *columns; /* as in CREATE TABLE */
	const char *key;     /* columns that tell rows apart; NULL: rows have numbers (rowid) that never change */
	unsigned which;      /* for kinds that share their functions */
	size_t cursor_bytes;
	/* xBestIndex; constraints are of the columns above, and compare text byte by byte. */
	int (*plan)(const sq_kind *k, sqlite3_index_info *info);
	const sqlite3_module *module;
};

/* A table of one trace. */
typedef struct sq_table {
	sqlite3_vtab base;
	const sq_kind *kind;
	const sq_db *d;
	sq_trace *of; /* NULL: that of all (sqlmany.c) */
} sq_table;

/* What their cursors begin with; the rest is zero when they are opened. */
typedef struct sq_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_int64 row; /* of the numbered ones: the rowid, from 0 in each trace */
	sqlite3_int64 end; /* of the last one, plus 1 */
} sq_cursor;

static inline sq_trace *sq_trace_of(const sqlite3_vtab_cursor *c)
{
	return ((const sq_table *)c->pVtab)->of;
}

/* Makes a table; the kind must live as long as the database. */
int sq_add(sq_db *d, const char *name, const sq_kind *k);

int sq_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret, char **message);
int sq_plan(sqlite3_vtab *v, sqlite3_index_info *info);
int sq_disconnect(sqlite3_vtab *v);
int sq_cursor_open(sqlite3_vtab *v, sqlite3_vtab_cursor **ret);
int sq_cursor_close(sqlite3_vtab_cursor *c);
int sq_cursor_row(sqlite3_vtab_cursor *c, sqlite3_int64 *ret);
int sq_cursor_next(sqlite3_vtab_cursor *c); /* these two where rows are numbered */
int sq_cursor_eof(sqlite3_vtab_cursor *c);

/* For the initialiser of an sqlite3_module. */
#define SQ_MODULE                                                                                               \
	.xConnect = sq_connect, .xBestIndex = sq_plan, .xDisconnect = sq_disconnect, .xDestroy = sq_disconnect, \
	.xOpen = sq_cursor_open

/* The same of all traces together, one after the other: sqlmany.c.  The bit of idxNum says that the last value is the
 * name of the only one that is asked for. */
enum { SQ_ONE_TRACE = 1 << 16 };
extern const sqlite3_module sq_many_module;
int sq_many_connect(const sq_db *d, const sq_kind *k, sqlite3_vtab **ret);

/* For plans: `column = VALUE`, if it is asked for, becomes plan 1 with that value, so many rows; else plan 0. */
void sq_plan_equal(sqlite3_index_info *info, int column, int rows);
/* Takes a number of a row as SQL says it; false: no row of this trace. */
bool sq_row_of(const sq_trace *of, sqlite3_value *value, sqlite3_int64 *ret);

/* Results with NULL for what the trace does not know. */
void sq_result_time(sqlite3_context *c, int64_t ns);                     /* WTR_NEVER is NULL */
void sq_result_id(sqlite3_context *c, int64_t id);                       /* WTR_NONE is NULL */
void sq_result_row(sqlite3_context *c, const sq_trace *of, int64_t row); /* the same */
void sq_result_text(sqlite3_context *c, wtr_str s);                      /* lives as long as the index or trace */
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
