/* Which URL is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fetch/fetch.h"

static void is(const char *given, unsigned seconds, const char *want)
{
	char url[200] = "";
	bool ok = fetch_url(given, seconds, url, sizeof(url));
	if (ok != (want != NULL) || (want && strcmp(url, want) != 0))
		fail_msg("'%s' becomes '%s', not '%s'", given, ok ? url : "(nothing)", want ? want : "(nothing)");
}

static void meant(void **state)
{
	(void)state;
	is("localhost:6060", 0, "http://localhost:6060/debug/pprof/trace");
	is("localhost:6060", 5, "http://localhost:6060/debug/pprof/trace?seconds=5");
	is("localhost", 0, "http://localhost/debug/pprof/trace");
	is("[::1]:6060", 0, "http://[::1]:6060/debug/pprof/trace");
	is("http://h:1/", 2, "http://h:1/debug/pprof/trace?seconds=2");
	is("https://h/debug/pprof", 0, "https://h/debug/pprof/trace");
	is("HTTP://h/debug/pprof/", 3, "HTTP://h/debug/pprof/trace?seconds=3");
	is("h/behind/a/proxy/debug/pprof/", 0, "http://h/behind/a/proxy/debug/pprof/trace");
	is("h/debug/pprof/trace", 4, "http://h/debug/pprof/trace?seconds=4");
	is("h/debug/pprof/trace?seconds=9", 4, "http://h/debug/pprof/trace?seconds=9");
	is("h/debug/pprof/trace?a=b", 4, "http://h/debug/pprof/trace?a=b&seconds=4");
	is("h?a=b", 4, "http://h/debug/pprof/trace?a=b&seconds=4");
	is("h/debug/flight", 4, "http://h/debug/flight");
	is("h/debug/pprof/heap", 4, "http://h/debug/pprof/heap?seconds=4");
	is("h/debug/pprof/heap?gc=1#x", 4, "http://h/debug/pprof/heap?gc=1&seconds=4");
	is("h/debug/pprof/cmdline", 4, "http://h/debug/pprof/cmdline");
	is("h/my.trace", 0, "http://h/my.trace");
	is("h/a?x=http://y", 0, "http://h/a?x=http://y");
	is("h/x#part", 0, "http://h/x");
}

static void profiles(void **state)
{
	(void)state;
	assert_true(fetch_is_profile("http://h/debug/pprof/heap"));
	assert_true(fetch_is_profile("http://h/a/debug/pprof/profile?seconds=3"));
	static const char *const others[] = { "http://h/debug/pprof/", "http://h/debug/pprof/trace?seconds=1",
		"http://h", "http://h/debug/pprof/cmdline", "http://h/debug/pprof/symbol?0x1", "http://h/heap",
		"http://h/debug/flight", "http://h/x?/debug/pprof/heap" };
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(fetch_is_profile(others[i]));
}

static void none(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/path", ":6060", "http://", "http:///x", "http://:80", "ftp://h",
		"file:///etc/passwd", "h\n", "a b", "?x", "://h", "x://h" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is(bad[i], 0, NULL);
	char url[30];
	assert_false(fetch_url("localhost:6060", 0, url, sizeof(url)));
}

static void seconds(void **state)
{
	(void)state;
	assert_int_equal(fetch_seconds("http://h/trace?seconds=5", 1), 6);
	assert_int_equal(fetch_seconds("http://h/trace?a&seconds=0.5", 1), 1);
	assert_int_equal(fetch_seconds("http://h/trace?xseconds=5", 1), 1);
	assert_int_equal(fetch_seconds("http://h/trace", 7), 7);
	assert_int_equal(fetch_seconds("http://h/trace?seconds=1e300", 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(meant),
		cmocka_unit_test(none),
		cmocka_unit_test(profiles),
		cmocka_unit_test(seconds),
	};
	return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
