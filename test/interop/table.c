/* events.def and v1events.def against the tables of the Go that is installed: every row, every column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fmt/events.h"
#include "fmt/rawevent.h"
#include "goproc.h"

/* The type that Go tells by the end of an argument's name, and by its lists of string and stack arguments. */
static unsigned type_of(const char *name, const char *kind)
{
	static const struct {
		const char *suffix;
		unsigned    type;
	} types[] = { { "dt", WF_TYPE_DT }, { "seq", WF_TYPE_SEQ }, { "pstatus", WF_TYPE_PSTATUS },
		{ "gstatus", WF_TYPE_GSTATUS }, { "g", WF_TYPE_G }, { "m", WF_TYPE_M }, { "p", WF_TYPE_P },
		{ "task", WF_TYPE_TASK } };
	if (strcmp(kind, "string") == 0)
		return WF_TYPE_STRING;
	if (strcmp(kind, "stack") == 0)
		return WF_TYPE_STACK;
	const char *end = strrchr(name, '_');
	end = end ? end + 1 : name;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(end, types[i].suffix) == 0)
			return types[i].type;
	return WF_TYPE_VALUE;
}

static void compare_args(const wf_spec *s, char *args)
{
	unsigned n = 0;
	char *save;
	for (char *a = strtok_r(args, " ", &save); a; a = strtok_r(NULL, " ", &save), n++) {
		char *kind = strchr(a, ':');
		*kind++ = 0;
		assert_true(n < s->n_args);
		assert_string_equal(s->args[n].name, a);
		assert_int_equal(s->args[n].type, type_of(a, kind));
	}
	assert_int_equal(n, s->n_args);
}

/* Columns of `weftcheck table`. */
enum { NUMBER, NAME, TIMED, DATA, STACK, START, EXPERIMENT, MAIN_STACK, ARGS, COLUMNS };

static void compare_row(char *line)
{
	char *col[COLUMNS];
	for (int i = 0; i < COLUMNS; i++) {
		col[i] = line;
		line = strchr(line, '\t');
		assert_true(line != NULL || i == COLUMNS - 1);
		if (line)
			*line++ = 0;
	}
	int number = atoi(col[NUMBER]);
	const wf_spec *s = &wf_specs[number];
	assert_non_null(s->name);
	assert_string_equal(s->name, col[NAME]);
	/* A clock snapshot has a time, but stands in a table batch, never among timed events. */
	assert_int_equal(s->cls == WF_CLASS_TIMED || number == WF_EV_CLOCK_SNAPSHOT, strcmp(col[TIMED], "true") == 0);
	assert_int_equal(number == WF_EV_STRING || number == WF_EV_EXPERIMENTAL_BATCH, strcmp(col[DATA], "true") == 0);
	assert_int_equal(number == WF_EV_STACK, strcmp(col[STACK], "true") == 0);
	assert_string_equal(s->begin ? wf_specs[s->begin].name : "-", col[START]);
	assert_int_equal(s->experiment, atoi(col[EXPERIMENT]));
	assert_true(s->experiment < WF_EXP_COUNT);
	/* The stack of the emitter is always named "stack" (that of a new goroutine "new_stack"). */
	if (strcmp(col[MAIN_STACK], "-") != 0)
		assert_string_equal(col[MAIN_STACK], "stack");
	compare_args(s, col[ARGS]);
}

static void v2_table(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	assert_int_equal(go_ask("table", NULL, &b, NULL), 0);
	wb_buf_cstr(&b);
	unsigned rows = 0, ours = 0;
	char *save;
	for (char *line = strtok_r(b.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save), rows++)
		compare_row(line);
	for (int i = 0; i < 256; i++)
		ours += wf_specs[i].name != NULL;
	print_message("# %u rows of the v2 table compared\n", rows);
	assert_int_equal(rows, 61);
	assert_int_equal(ours, rows);
	wb_buf_free(&b);
}

static void v1_table(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	assert_int_equal(go_ask("table1", NULL, &b, NULL), 0);
	wb_buf_cstr(&b);
	unsigned rows = 0, ours = 0;
	char *save;
	for (char *line = strtok_r(b.at, "\n", &save); line; line = strtok_r(NULL, "\n", &save), rows++) {
		int number, n_args;
		char name[64], stack[8];
		assert_int_equal(sscanf(line, "%d\t%63s\t%7s\t%d", &number, name, stack, &n_args), 4);
		assert_in_range(number, 1, WF_V1_COUNT - 1);
		const wf_v1_spec *s = &wf_v1_specs[number];
		/* Only sweeps and marks stopped the world when these two were named; the newer names say what they
		 * are. */
		assert_string_equal(s->name, strncmp(name, "GCSTW", 5) == 0 ? name + 2 : name);
		assert_int_equal(s->has_stack, strcmp(stack, "true") == 0);
		/* Go does not count the stack; a string's and a log's text are no arguments for either. */
		assert_int_equal(number == WF_V1_String ? 0 : s->n_args - s->has_stack, n_args);
		assert_int_equal(s->since >= 19, number == WF_V1_CPUSample);
	}
	for (int i = 0; i < 64; i++)
		ours += wf_v1_specs[i].name != NULL;
	print_message("# %u rows of the v1 table compared\n", rows);
	assert_int_equal(rows, 49);
	assert_int_equal(ours, rows);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v2_table),
		cmocka_unit_test(v1_table),
	};
	return cmocka_run_group_tests_name("interop/table", tests, NULL, NULL);
}
