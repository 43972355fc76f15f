/* Command lines taken apart. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"

#define PARSE(command, ret, ...)                                                                 \
	cli_parse(cli_find_command(command), sizeof((char *[]){ __VA_ARGS__ }) / sizeof(char *), \
		(char *[]){ __VA_ARGS__ }, ret)

static int quiet(void **state)
{
	(void)state;
	return freopen("/dev/null", "w", stderr) ? 0 : -1; /* usage errors */
}

static void times(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t ns; bool absolute;
	} good[] = {
		{ "0", 0, false },
		{ "1500", 1500, false },
		{ "9223372036854775807", INT64_MAX, false },
		{ "1.2s", 1200000000, false },
		{ "5ms", 5000000, false },
		{ "30us", 30000, false },
		{ "30\xc2\xb5s", 30000, false },
		{ "100ns", 100, false },
		{ ".5s", 500000000, false },
		{ "2m", 120000000000, false },
		{ "1h", 3600000000000, false },
		{ "0.000000001s", 1, false },
		{ "1.5", 2, false },
		{ "@3223306183168", 3223306183168, true },
		{ "@-1", -1, true },
		{ "@1s", 1000000000, true },
	};
	static const char *const bad[] = { "", "s", "1x", "1 s", "-1", "1.2.3s", "1e3", "@", "@s", "--",
		"9223372036854775808", "300y", "99999999999h", "1S", "0x10",
		"1111111111111111111111111111111111111111.0s" };
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		int64_t ns = -42;
		bool absolute = !good[i].absolute;
		if (!cli_time(good[i].text, &ns, &absolute))
			fail_msg("%s is no time", good[i].text);
		assert_int_equal(ns, good[i].ns);
		assert_int_equal(absolute, good[i].absolute);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		int64_t ns = -42;
		bool absolute = true;
		if (cli_time(bad[i], &ns, &absolute))
			fail_msg("%s is a time", bad[i]);
		assert_int_equal(ns, -42);
		assert_true(absolute);
	}
}

static void forms_of_options(void **state)
{
	(void)state;
	cli_args a;
	assert_true(PARSE("events", &a, "--limit=5", "f"));
	assert_int_equal(cli_number(&a, CLI_OPT_LIMIT, 0), 5);
	assert_true(PARSE("events", &a, "--limit", "6", "f"));
	assert_int_equal(cli_number(&a, CLI_OPT_LIMIT, 0), 6);
	assert_true(PARSE("events", &a, "-limit=7", "f"));
	assert_int_equal(cli_number(&a, CLI_OPT_LIMIT, 0), 7);
	assert_true(PARSE("events", &a, "f", "-limit", "8"));
	assert_int_equal(cli_number(&a, CLI_OPT_LIMIT, 0), 8);
	assert_string_equal(a.operands[0], "f");
	assert_true(PARSE("events", &a, "--grep=", "f"));
	assert_string_equal(a.values[CLI_OPT_GREP], "");
	assert_true(PARSE("events", &a, "--grep", "--limit=3", "f")); /* what follows is the value, as in Go */
	assert_string_equal(a.values[CLI_OPT_GREP], "--limit=3");
	assert_false(cli_has(&a, CLI_OPT_LIMIT));
	assert_int_equal(cli_number(&a, CLI_OPT_LIMIT, 99), 99);
	assert_int_equal(cli_choice(&a, CLI_OPT_FORMAT, 77), 77);
	assert_true(PARSE("events", &a, "--format=json", "f"));
	assert_int_equal(cli_choice(&a, CLI_OPT_FORMAT, 77), 2);
}

static void operands(void **state)
{
	(void)state;
	cli_args a;
	assert_true(PARSE("summary", &a, "-"));
	assert_string_equal(a.operands[0], "-");
	assert_true(PARSE("summary", &a, "--", "--json"));
	assert_string_equal(a.operands[0], "--json");
	assert_false(cli_has(&a, CLI_OPT_JSON));
	assert_false(PARSE("summary", &a, "--json"));
	assert_true(PARSE("summary", &a, "f", "g"));
	assert_int_equal(a.n_operands, 2);
	assert_false(PARSE("view", &a, "f", "g"));
	assert_true(PARSE("summary", &a, "--help"));
	assert_true(cli_has(&a, CLI_OPT_HELP));
	assert_true(PARSE("summary", &a, "-h", "f", "g"));
}

static void wrong_lines_leave_the_result_alone(void **state)
{
	(void)state;
	cli_args a;
	memset(&a, 0x5a, sizeof(a));
	cli_args before = a;
	assert_false(PARSE("events", &a, "--limit=x", "f"));
	assert_false(PARSE("events", &a, "--limit", "f", "--limit"));
	assert_false(PARSE("events", &a, "--format=xml", "f"));
	assert_false(PARSE("events", &a, "--format=", "f"));
	assert_false(PARSE("events", &a, "--from=soon", "f"));
	assert_false(PARSE("events", &a, "--stacks=1", "f"));
	assert_false(PARSE("dump", &a, "--", "f", "--limit=1"));
	assert_false(PARSE("events", &a, "--no-browser", "f"));
	assert_false(PARSE("events", &a, "---json", "f"));
	assert_memory_equal(&a, &before, sizeof(a));
}

/* Each command takes --help, and is found by its own name. */
static void the_table_is_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CLI_CMD_COUNT; i++) {
		const cli_command *c = &cli_commands[i];
		assert_true(c->options >> CLI_OPT_HELP & 1);
		assert_non_null(c->run);
		assert_true(c->operands_min <= c->operands_max && c->operands_max <= CLI_OPERANDS_MAX);
		assert_ptr_equal(cli_find_command(c->name), c->name[0] ? c : NULL);
		for (const char *d = cli_details(c); *d; d = strchr(d, '\n') + 1)
			assert_non_null(strchr(d, '\n'));
	}
	assert_string_equal(cli_details(&cli_commands[CLI_CMD_GOTRACE]), "");
	assert_non_null(strstr(cli_details(&cli_commands[CLI_CMD_VIEW]), "Ctrl-C"));
	assert_null(cli_find_command("nosuch"));
	assert_null(cli_find_command(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times),
		cmocka_unit_test(forms_of_options),
		cmocka_unit_test(operands),
		cmocka_unit_test(wrong_lines_leave_the_result_alone),
		cmocka_unit_test(the_table_is_whole),
	};
	return cmocka_run_group_tests(tests, quiet, NULL);
}
