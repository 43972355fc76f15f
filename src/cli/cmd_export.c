/* cli/cmd_export.c - traces in the forms of other tools. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/writing.h"
#include "edit/timeline.h"
#include "os/folder.h"
#include "out/pprof.h"
#include "sql/sql.h"

enum { PERFETTO, CHROME, CSV, SQLITE, COLLAPSED };

static int out_of_memory(void)
{
	fputs("weft: out of memory\n", cli_err());
	return CLI_UNREADABLE;
}

/* ---- timelines ---- */

static int export_timeline(const cli_args *a, wtr_trace *t, unsigned format, cli_writing *w)
{
	wtr_index *x;
	wtr_error err = { 0 };
	wtr_code rc = wtr_index_build(t, WTR_PART_ALL, &x, &err);
	if (rc == WTR_OK) {
		rc = we_timeline_write(
			x, format == PERFETTO ? WE_TIMELINE_PERFETTO : WE_TIMELINE_CHROME, cli_writing_put, w, &err);
		if (rc == WTR_OK)
			cli_warn_damage(a->operands[1], x);
		wtr_index_free(x);
	}
	if (rc != WTR_OK)
		cli_error(a->operands[1], &err);
	return rc == WTR_OK ? CLI_OK : CLI_UNREADABLE;
}

/* ---- stacks ---- */

static int export_collapsed(const cli_args *a, wtr_trace *t, cli_writing *w)
{
	wtr_profile_query q = { .kind = (wtr_profile_kind)cli_choice(a, CLI_OPT_PROFILE, WTR_PROFILE_OFFCPU) };
	wtr_profile *p;
	wtr_error err = { 0 };
	wb_buf b = { 0 };
	if (wtr_profile_make(t, &q, &p, &err) != WTR_OK) {
		cli_error(a->operands[1], &err);
		return CLI_UNREADABLE;
	}
	out_folded(&b, p);
	wtr_profile_free(p);
	int status = b.failed ? out_of_memory() : cli_writing_put(w, b.at, b.n) ? CLI_OK : CLI_UNREADABLE;
	wb_buf_free(&b);
	return status;
}

/* ---- tables ---- */

static void csv_value(wb_buf *b, sqlite3_stmt *s, int i)
{
	const char *at = (const char *)sqlite3_column_text(s, i);
	size_t n = (size_t)sqlite3_column_bytes(s, i);
	bool quote = at && (memchr(at, ',', n) || memchr(at, '"', n) || memchr(at, '\n', n) || memchr(at, '\r', n));
	if (quote)
		wb_buf_putc(b, '"');
	for (size_t k = 0; at && k < n; k++) {
		if (quote && at[k] == '"')
			wb_buf_putc(b, '"');
		wb_buf_putc(b, at[k]);
	}
	if (quote)
		wb_buf_putc(b, '"');
}

static int csv_rows(sqlite3_stmt *s, cli_writing *w)
{
	wb_buf b = { 0 };
	int n = sqlite3_column_count(s), rc = SQLITE_ROW;
	for (int i = 0; i < n; i++)
		wb_buf_printf(&b, "%s%s", i ? "," : "", sqlite3_column_name(s, i));
	wb_buf_puts(&b, "\n");
	bool written = true;
	while (written && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		for (int i = 0; i < n; i++) {
			if (i)
				wb_buf_putc(&b, ',');
			csv_value(&b, s, i);
		}
		wb_buf_putc(&b, '\n');
		written = cli_writing_put(w, b.at, b.n);
		b.n = 0;
	}
	if (written && b.n)
		written = cli_writing_put(w, b.at, b.n);
	bool failed = b.failed;
	wb_buf_free(&b);
	if (failed || rc == SQLITE_NOMEM)
		return out_of_memory();
	return written && rc == SQLITE_DONE ? CLI_OK : CLI_UNREADABLE;
}

static int export_csv(const cli_args *a, sq_db *d, cli_writing *w)
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", a->values[CLI_OPT_TABLE]);
	sqlite3_stmt *s = NULL;
	int status = CLI_UNREADABLE;
	if (!sql || sqlite3_prepare_v2(sq_handle(d), sql, -1, &s, NULL) != SQLITE_OK)
		fprintf(cli_err(), "weft: %s\n", sqlite3_errmsg(sq_handle(d)));
	else
		status = csv_rows(s, w);
	sqlite3_finalize(s);
	sqlite3_free(sql);
	return status;
}

/* ---- a database of its own ---- */

static int run(sq_db *d, char *sql)
{
	char *message = NULL;
	int rc = sql ? sqlite3_exec(sq_handle(d), sql, NULL, NULL, &message) : SQLITE_NOMEM;
	if (rc != SQLITE_OK)
		fprintf(cli_err(), "weft: %s\n", message ? message : "out of memory");
	sqlite3_free(message);
	sqlite3_free(sql);
	return rc == SQLITE_OK ? CLI_OK : CLI_UNREADABLE;
}

static int not_written(const char *path, int error)
{
	fprintf(cli_err(), "weft: %s: %s\n", path, strerror(-error));
	return CLI_UNREADABLE;
}

/* SQLite writes to names only. */
static int export_sqlite(sq_db *d, const char *path)
{
	wo_newfile f;
	int error = wo_newfile_open_named(path, &f);
	if (error < 0)
		return not_written(path, error);
	int status = run(d, sqlite3_mprintf("ATTACH %Q AS file; PRAGMA file.journal_mode = OFF; "
					    "PRAGMA file.synchronous = OFF; BEGIN",
				    f.temp));
	for (size_t i = 0; sq_table_name(i) && status == CLI_OK; i++)
		status = run(d, sqlite3_mprintf("CREATE TABLE file.\"%w\" AS SELECT * FROM \"%w\"", sq_table_name(i),
					sq_table_name(i)));
	if (status == CLI_OK)
		status = run(d, sqlite3_mprintf("COMMIT; DETACH file"));
	if (status != CLI_OK)
		wo_newfile_abandon(&f);
	else if ((error = wo_newfile_commit(&f)) < 0)
		status = not_written(path, error);
	return status;
}

/* ---- the command ---- */

static int export_sql(const cli_args *a, wtr_trace *t, unsigned format, const char *to, cli_writing *w)
{
	sq_db *d;
	wtr_error err = { 0 };
	if (sq_open(&(sq_source){ t, a->operands[1] }, 1, /* many= */ false, &d, &err) != WTR_OK) {
		cli_error(a->operands[1], &err);
		return CLI_UNREADABLE;
	}
	int status = format == CSV ? export_csv(a, d, w) : export_sqlite(d, to);
	if (status == CLI_OK && sq_damage(d, 0))
		cli_warn_end(a->operands[1], sq_damage(d, 0));
	sq_close(d);
	return status;
}

static const struct {
	const char *word, *ending;
} formats[] = {
	[PERFETTO] = { "perfetto", ".pftrace" },
	[CHROME] = { "chrome", ".json" },
	[CSV] = { "csv", ".csv" },
	[SQLITE] = { "sqlite", ".sqlite" },
	[COLLAPSED] = { "collapsed", ".folded" },
};

static bool has_table(const char *table)
{
	for (size_t i = 0; table && sq_table_name(i); i++)
		if (strcmp(sq_table_name(i), table) == 0)
			return true;
	return false;
}

static int no_such_table(const cli_args *a, const char *table)
{
	wb_buf all = { 0 };
	for (size_t i = 0; sq_table_name(i); i++)
		wb_buf_printf(&all, "%s%s", i ? ", " : "", sq_table_name(i));
	int rc = table ? cli_usage(a->command, "there is no table '%s', but %s", table, wb_buf_cstr(&all))
		       : cli_usage(a->command, "csv wants --table=NAME, one of %s", wb_buf_cstr(&all));
	wb_buf_free(&all);
	return rc;
}

/* The format that is asked for; -1, after saying so: there is something wrong with it. */
static int format_of(const cli_args *a)
{
	for (int i = 0; i < (int)(sizeof(formats) / sizeof(*formats)); i++) {
		if (strcmp(formats[i].word, a->operands[0]) != 0)
			continue;
		if (i != CSV || has_table(a->values[CLI_OPT_TABLE]))
			return i;
		no_such_table(a, a->values[CLI_OPT_TABLE]);
		return -1;
	}
	cli_usage(
		a->command, "there is no format '%s', but perfetto, chrome, csv, sqlite and collapsed", a->operands[0]);
	return -1;
}

bool cli_export_ending(const cli_args *a, wb_buf *ret)
{
	int format = format_of(a);
	if (format < 0)
		return false;
	if (format == CSV)
		wb_buf_printf(ret, ".%s", a->values[CLI_OPT_TABLE]);
	wb_buf_puts(ret, formats[format].ending);
	return true;
}

/* Where to: what --output says, or the last operand; NULL, after saying so: that is not clear. */
static const char *target(const cli_args *a)
{
	const char *output = a->values[CLI_OPT_OUTPUT];
	if (!output && a->n_operands == 3 && !wo_is_folder(a->operands[1]))
		return a->operands[2];
	if (output && a->n_operands == 2)
		return output;
	if (a->n_operands == 2 && !wo_is_folder(a->operands[1]))
		cli_usage(a->command, "export wants the file to write, too: export %s %s OUT", a->operands[0],
			a->operands[1]);
	else
		cli_usage(a->command, "of several traces, export wants -o FOLDER for the files");
	return NULL;
}

static int export_trace(const cli_args *a, unsigned format, wtr_trace *t, const char *to)
{
	cli_writing w;
	int status = CLI_OK;
	if (format == SQLITE)
		return export_sql(a, t, format, to, NULL);
	if (!cli_writing_open(a, to, &w, &status))
		return status;
	if (format == CSV)
		status = export_sql(a, t, format, to, &w);
	else if (format == COLLAPSED)
		status = export_collapsed(a, t, &w);
	else
		status = export_timeline(a, t, format, &w);
	return cli_writing_close(&w, status == CLI_OK) ? status : CLI_UNREADABLE;
}

int cli_run_EXPORT(const cli_args *a)
{
	int format = format_of(a);
	const char *to = format < 0 ? NULL : target(a);
	if (!to)
		return CLI_USAGE;
	if (format == SQLITE && strcmp(to, "-") == 0)
		return cli_usage(a->command, "a database cannot go to standard output: name a file");
	wtr_options opt = {
		.damage = cli_has(a, CLI_OPT_REPAIR) ? WTR_REPAIR : WTR_AS_GO,
		.threads = cli_threads(a),
		.keep_tables = true,
		.progress = cli_progress,
	};
	wtr_trace *t;
	wtr_error err = { 0 };
	cli_sink_reading();
	if (wtr_open(a->operands[1], &opt, &t, &err) != WTR_OK) {
		cli_open_error(a->operands[1], &err);
		return CLI_UNREADABLE;
	}
	int status = export_trace(a, (unsigned)format, t, to);
	cli_progress_done();
	wtr_close(t);
	return status;
}
