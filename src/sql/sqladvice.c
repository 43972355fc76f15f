/* sql/sqladvice.c - what would be right, where SQLite only says what is wrong. */
#include <ctype.h>
#include <string.h>

#include "base/near.h"
#include "sql/sqlinside.h"

enum { WIDTH = 100 };

/* ---- words ---- */

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The word at or behind `at`, texts in quotes skipped; its length, 0 when there is none. */
static size_t next_word(const char **at)
{
	const char *s = *at;
	while (*s && !in_word(*s)) {
		const char *end = *s == '\'' ? strchr(s + 1, '\'') : s;
		s = end ? end + 1 : s + strlen(s);
	}
	*at = s;
	size_t n = 0;
	while (in_word(s[n]))
		n++;
	return n;
}

static bool is_named(const char *statement, const char *table)
{
	size_t n;
	for (const char *s = statement; (n = next_word(&s)); s += n)
		if (strlen(table) == n && sqlite3_strnicmp(s, table, (int)n) == 0)
			return true;
	return false;
}

/* ---- lists ---- */

/* One more word of a line that begins at *line in b; it is broken where it gets long. */
static void put_word(wb_buf *b, size_t *line, const char *word, bool first)
{
	wb_buf_puts(b, first ? "" : ",");
	if (b->n - *line + strlen(word) > WIDTH) {
		wb_buf_puts(b, "\n ");
		*line = b->n;
	}
	wb_buf_printf(b, " %s", word);
}

/* Its columns as a line, each tried. */
static void columns_of(const sq_db *d, const char *table, wb_buf *b, wb_near *near)
{
	char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" LIMIT 0", table);
	sqlite3_stmt *s = NULL;
	if (sql && sqlite3_prepare_v2(d->db, sql, -1, &s, NULL) == SQLITE_OK) {
		size_t line = b->n;
		wb_buf_printf(b, "%s has", table);
		for (int i = 0; i < sqlite3_column_count(s); i++) {
			put_word(b, &line, sqlite3_column_name(s, i), i == 0);
			wb_near_try(near, sqlite3_column_name(s, i));
		}
		wb_buf_putc(b, '\n');
	}
	sqlite3_finalize(s);
	sqlite3_free(sql);
}

static void tables(wb_buf *b, wb_near *near)
{
	size_t line = b->n;
	wb_buf_puts(b, "there are");
	for (size_t i = 0; sq_table_name(i); i++) {
		put_word(b, &line, sq_table_name(i), i == 0);
		wb_near_try(near, sq_table_name(i));
	}
	wb_buf_putc(b, '\n');
}

/* ---- advice ---- */

/* The name behind `begin` in the message; a column's without its table's. */
static bool names(const char *message, const char *begin, wb_near *ret)
{
	size_t n = strlen(begin);
	if (strncmp(message, begin, n) != 0)
		return false;
	const char *dot = strrchr(message + n, '.');
	ret->word = dot ? dot + 1 : message + n;
	ret->n = strlen(ret->word);
	return true;
}

static void put(wb_buf *ret, wb_buf *list, const wb_near *near)
{
	if (near->best[0])
		wb_buf_printf(ret, "did you mean %s?\n", near->best);
	wb_buf_put(ret, list->at, list->n);
	wb_buf_free(list);
}

void sq_advice(const sq_db *d, const char *statement, const char *message, wb_buf *ret)
{
	wb_near near = { 0 };
	wb_buf list = { 0 };
	if (names(message, "no such column: ", &near)) {
		for (size_t i = 0; sq_table_name(i); i++)
			if (is_named(statement, sq_table_name(i)))
				columns_of(d, sq_table_name(i), &list, &near);
	}
	if (near.n ? list.n == 0 : names(message, "no such table: ", &near))
		tables(&list, &near);
	if (names(message, "ambiguous column name: ", &near))
		wb_buf_printf(&list, "several tables have it: say which one's, as in table.%s\n", near.word);
	if (strstr(message, "may not be modified"))
		wb_buf_puts(&list,
			"a trace is only read; CREATE TEMP TABLE name AS SELECT ... makes a table of your own\n");
	put(ret, &list, &near);
}
