/* cli/cmd_sql.c - questions in SQL, one by one or at a prompt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "os/file.h"
#include "os/folder.h"
#include "os/term.h"
#include "out/units.h"
#include "sql/sql.h"

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

/* Columns with tabs between, as other programs take them. */
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

/* SQLite's sentence about the statement, and what would be right. */
static int wrong(const sq_db *d, const char *statement)
{
	const char *message = sqlite3_errmsg(sq_handle(d));
	wb_buf advice = { 0 };
	cli_progress_done();
	fprintf(cli_err(), "weft: SQL: %s\n", message);
	sq_advice(d, statement, message, &advice);
	char *save = NULL, *text = advice.n && !advice.failed ? (char *)(uintptr_t)wb_buf_cstr(&advice) : NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save))
		cli_hint("%s", line);
	if (!text)
		cli_hint("docs/sql.md has the tables; .tables lists them at the prompt, and SELECT * FROM events "
			 "LIMIT 1 shows columns");
	wb_buf_free(&advice);
	return CLI_USAGE;
}

/* Everything in `text`, statement by statement. */
static int run_all(const cli_args *a, sq_db *d, const char *text)
{
	int status = CLI_OK;
	while (status == CLI_OK && text[strspn(text, " \t\r\n;")]) {
		sqlite3_stmt *s = NULL;
		const char *statement = text;
		int rc = SQLITE_OK;
		if (sqlite3_prepare_v2(sq_handle(d), text, -1, &s, &text) != SQLITE_OK)
			return wrong(d, statement);
		if (!s)
			break;
		if (sqlite3_column_count(s) == 0)
			rc = sqlite3_step(s);
		else
			status = cli_has(a, CLI_OPT_JSON) ? json_rows(s, &rc) : text_rows(s, &rc);
		if (rc != SQLITE_DONE && rc != SQLITE_ROW)
			status = wrong(d, statement);
		sqlite3_finalize(s);
	}
	return status;
}

static void list_tables(void)
{
	for (size_t i = 0; sq_table_name(i); i++)
		puts(sq_table_name(i));
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
			list_tables();
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

/* ---- the command ---- */

typedef struct opened {
	const cli_args *a;
	cli_files files;
	sq_source *sources; /* those that can be read */
	size_t n;
	int status; /* of those that cannot */
} opened;

/* The last of several operands, when it is no file and looks like no name of one. */
static const char *statements(const cli_args *a)
{
	const char *last = a->operands[a->n_operands - 1];
	bool is_sql = a->n_operands > 1 && strpbrk(last, " \t\n(;") && !wo_exists(last);
	return is_sql ? last : NULL;
}

static void open_all(opened *o, size_t n_operands)
{
	wtr_options opt = {
		.damage = cli_has(o->a, CLI_OPT_REPAIR) ? WTR_REPAIR : WTR_AS_GO,
		.threads = cli_threads(o->a),
		.keep_tables = true,
		.progress = cli_progress,
	};
	for (size_t i = 0; i < n_operands; i++)
		if (!cli_files_add(&o->files, o->a->operands[i]))
			o->status = CLI_UNREADABLE;
	o->sources = wb_calloc(o->files.n + 1, sizeof(*o->sources));
	for (size_t i = 0; o->sources && i < o->files.n; i++) {
		sq_source s = { .name = o->files.paths[i] };
		wtr_error err = { 0 };
		if (wtr_open(s.name, &opt, &s.t, &err) == WTR_OK) {
			o->sources[o->n++] = s;
		} else {
			cli_open_error(s.name, &err);
			o->status = CLI_UNREADABLE;
		}
	}
}

static void close_all(opened *o)
{
	for (size_t i = 0; i < o->n; i++)
		wtr_close(o->sources[i].t);
	wb_free(o->sources);
	cli_files_free(&o->files);
}

static void warn_of_damage(const opened *o, const sq_db *d)
{
	for (size_t i = 0; i < o->n; i++)
		if (sq_damage(d, i))
			cli_warn_end(o->sources[i].name, sq_damage(d, i));
}

int cli_run_SQL(const cli_args *a)
{
	opened o = { .a = a };
	const char *text = statements(a);
	size_t n = a->n_operands - (text != NULL);
	open_all(&o, n);
	sq_db *d = NULL;
	wtr_error err = { 0 };
	int answer = CLI_UNREADABLE;
	if (o.n && sq_open(o.sources, o.n, n > 1 || wo_is_folder(a->operands[0]), &d, &err) == WTR_OK) {
		answer = text ? run_all(a, d, text) : prompt(a, d);
		warn_of_damage(&o, d);
	} else if (o.n || !o.sources) {
		fputs("weft: out of memory\n", cli_err());
	}
	sq_close(d);
	close_all(&o);
	return answer > o.status || answer == CLI_USAGE ? answer : o.status;
}
