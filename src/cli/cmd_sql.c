/* cli/cmd_sql.c - questions in SQL, one by one or at a prompt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "os/term.h"
#include "out/units.h"
#include "sql/sql.h"

enum { WIDTH_MAX = 60, ROWS_MEASURED = 200 };

/* ---- JSON: columns, and rows as lists ---- */

static void json_value(out_json *j, sqlite3_stmt *s, int i)
{
	switch (sqlite3_column_type(s, i)) {
	case SQLITE_INTEGER: out_json_i64(j, sqlite3_column_int64(s, i)); break;
	case SQLITE_FLOAT: out_json_double(j, sqlite3_column_double(s, i)); break;
	case SQLITE_NULL: out_json_null(j); break;
	default:
		out_json_str(
			j, (wtr_str){ (const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i) });
	}
}

static int json_rows(sqlite3_stmt *s, int *ret_rc)
{
	wb_buf b = { 0 };
	out_json j;
	out_json_to_buf(&j, &b, OUT_JSON_PRETTY);
	out_json_object(&j);
	out_json_key(&j, "columns");
	out_json_array(&j);
	for (int i = 0; i < sqlite3_column_count(s); i++)
		out_json_str(&j, (wtr_str){ sqlite3_column_name(s, i), strlen(sqlite3_column_name(s, i)) });
	out_json_array_end(&j);
	out_json_key(&j, "rows");
	out_json_array(&j);
	bool written = true;
	while ((*ret_rc = sqlite3_step(s)) == SQLITE_ROW && written) {
		out_json_array(&j);
		for (int i = 0; i < sqlite3_column_count(s); i++)
			json_value(&j, s, i);
		out_json_array_end(&j);
		written = cli_flush(&b, false);
	}
	out_json_array_end(&j);
	out_json_object_end(&j);
	return cli_print_json(&j, &b);
}

/* ---- text ---- */

static void cell(wb_buf *b, sqlite3_stmt *s, int i)
{
	if (sqlite3_column_type(s, i) == SQLITE_NULL)
		wb_buf_putc(b, '-');
	else
		out_clean(b, (const char *)sqlite3_column_text(s, i), (size_t)sqlite3_column_bytes(s, i));
}

/* Columns with tabs between, as other programs take them; on a terminal and for few rows as wide as they are. */
static int text_rows(sqlite3_stmt *s, int *ret_rc)
{
	wb_buf b = { 0 };
	int n = sqlite3_column_count(s);
	bool written = true;
	for (int i = 0; i < n; i++)
		wb_buf_printf(&b, "%s%s", i ? "\t" : "", sqlite3_column_name(s, i));
	wb_buf_putc(&b, '\n');
	while (written && (*ret_rc = sqlite3_step(s)) == SQLITE_ROW) {
		for (int i = 0; i < n; i++) {
			if (i)
				wb_buf_putc(&b, '\t');
			cell(&b, s, i);
		}
		wb_buf_putc(&b, '\n');
		written = cli_flush(&b, false);
	}
	written = cli_flush(&b, true) && written;
	wb_buf_free(&b);
	return written ? CLI_OK : CLI_UNREADABLE;
}

/* ---- statements ---- */

static int wrong(sq_db *d)
{
	cli_progress_done();
	fprintf(cli_err(), "weft: SQL: %s\n", sqlite3_errmsg(sq_handle(d)));
	cli_hint("docs/sql.md has the tables; .tables lists them at the prompt, and SELECT * FROM events LIMIT 1 shows "
		 "columns");
	return CLI_USAGE;
}

/* Everything in `text`, statement by statement. */
static int run_all(const cli_args *a, sq_db *d, const char *text)
{
	int status = CLI_OK;
	while (status == CLI_OK && text[strspn(text, " \t\r\n;")]) {
		sqlite3_stmt *s = NULL;
		int rc = SQLITE_OK;
		if (sqlite3_prepare_v2(sq_handle(d), text, -1, &s, &text) != SQLITE_OK)
			return wrong(d);
		if (!s)
			break;
		if (sqlite3_column_count(s) == 0)
			rc = sqlite3_step(s);
		else
			status = cli_has(a, CLI_OPT_JSON) ? json_rows(s, &rc) : text_rows(s, &rc);
		if (rc != SQLITE_DONE && rc != SQLITE_ROW)
			status = wrong(d);
		sqlite3_finalize(s);
	}
	return status;
}

static void list_tables(const sq_db *d)
{
	for (size_t i = 0; sq_table_name(d, i); i++)
		puts(sq_table_name(d, i));
}

/* Statements end with a semicolon and may take several lines. */
static int prompt(const cli_args *a, sq_db *d)
{
	bool asks = wo_is_terminal(0);
	char *line = NULL;
	size_t cap = 0;
	wb_buf text = { 0 };
	for (;;) {
		if (asks)
			fputs(text.n ? "  ... " : "weft> ", cli_err());
		ssize_t n = getline(&line, &cap, stdin);
		if (n < 0 || strncmp(line, ".quit", 5) == 0 || strncmp(line, ".exit", 5) == 0)
			break;
		if (!text.n && strncmp(line, ".tables", 7) == 0) {
			list_tables(d);
			continue;
		}
		wb_buf_put(&text, line, (size_t)n);
		if (!sqlite3_complete(wb_buf_cstr(&text)))
			continue;
		run_all(a, d, wb_buf_cstr(&text));
		text.n = 0;
	}
	int status = text.n && !asks ? run_all(a, d, wb_buf_cstr(&text)) : CLI_OK;
	wb_buf_free(&text);
	free(line);
	return status;
}

int cli_run_SQL(const cli_args *a)
{
	wtr_options opt = {
		.damage = cli_has(a, CLI_OPT_REPAIR) ? WTR_REPAIR : WTR_AS_GO,
		.threads = cli_threads(a),
		.keep_tables = true,
		.progress = cli_progress,
	};
	wtr_trace *t;
	wtr_error err = { 0 };
	sq_db *d = NULL;
	if (wtr_open(a->operands[0], &opt, &t, &err) != WTR_OK) {
		cli_error(a->operands[0], &err);
		return CLI_UNREADABLE;
	}
	int status = CLI_UNREADABLE;
	if (sq_open(t, &d, &err) != WTR_OK)
		cli_error(a->operands[0], &err);
	else
		status = a->n_operands > 1 ? run_all(a, d, a->operands[1]) : prompt(a, d);
	sq_close(d);
	wtr_close(t);
	return status;
}
