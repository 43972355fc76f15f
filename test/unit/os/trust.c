/* Who may ask: addresses to listen on, Host, Origin, Sec-Fetch-Site. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "os/trust.h"

static void split(const char *address, const char *host, const char *port)
{
	char h[20] = "-", p[20] = "-";
	bool ok = wo_split_address(address, h, sizeof(h), p, sizeof(p));
	if (!host) {
		assert_false(ok);
		return;
	}
	assert_true(ok);
	assert_string_equal(h, host);
	assert_string_equal(p, port);
}

static void addresses(void **state)
{
	(void)state;
	split("localhost:0", "localhost", "0");
	split(":6060", "", "6060");
	split("[::1]:80", "::1", "80");
	split("127.0.0.1:http", "127.0.0.1", "http");
	split("localhost", NULL, NULL);
	split("localhost:", NULL, NULL);
	split("::1:80", NULL, NULL);
	split("[::1]", NULL, NULL);
	split("[::1", NULL, NULL);
	split("a.name.longer.than.it.fits:1", NULL, NULL);
	split("", NULL, NULL);
}

typedef struct host_case {
	const char *host;
	bool trusted;
} host_case;

static void check_hosts(const wo_trust *t, const host_case *cases)
{
	for (; cases->host; cases++)
		if (wo_host_trusted(t, cases->host) != cases->trusted)
			fail_msg("Host '%s' is %s", cases->host, cases->trusted ? "refused" : "trusted");
	assert_false(wo_host_trusted(t, NULL));
}

static void hosts_on_loopback(void **state)
{
	(void)state;
	const wo_trust t = { .name = "localhost", .bound = "127.0.0.1", .port = 6060, .loopback = true };
	check_hosts(&t,
		(const host_case[]){ { "localhost:6060", true }, { "LocalHost:6060", true }, { "127.0.0.1:6060", true },
			{ "[::1]:6060", true }, { "localhost", false }, { "localhost:6061", false },
			{ "127.0.0.1:80", false }, { "localhost:06060", true }, { "localhost:60600", false },
			{ "localhost:", false }, { "localhost:6060x", false }, { "localhost:-6060", false },
			{ "evil.example:6060", false }, { "localhost.evil.example:6060", false },
			{ "evil.localhost:6060", false }, { "127.0.0.1.evil.example:6060", false },
			{ "127.1:6060", false }, { "2130706433:6060", false }, { "::1:6060", false },
			{ "[localhost]:6060", false }, { "[127.0.0.1]:6060", false }, { "192.168.1.1:6060", false },
			{ "0.0.0.0:6060", false }, { "", false }, { ":6060", false }, { "[]:6060", false },
			{ "[::1:6060", false }, { "localhost:6060 ", false }, { "localhost:6060,evil.example", false },
			{ "localhost:99999999999999", false }, { NULL, false } });
}

static void hosts_elsewhere(void **state)
{
	(void)state;
	const wo_trust all = { .name = "", .bound = "::", .port = 80, .wildcard = true };
	check_hosts(
		&all, (const host_case[]){ { "192.168.1.1", true }, { "192.168.1.1:80", true }, { "[fe80::1]", true },
			      { "localhost", true }, { "127.0.0.1:80", true }, { "evil.example", false },
			      { "192.168.1.1.evil.example", false }, { "192.168.1.1:81", false }, { NULL, false } });
	const wo_trust named = { .name = "box.lan", .bound = "10.0.0.5", .port = 8080 };
	check_hosts(&named, (const host_case[]){ { "box.lan:8080", true }, { "BOX.LAN:8080", true },
				    { "10.0.0.5:8080", true }, { "localhost:8080", false }, { "127.0.0.1:8080", false },
				    { "10.0.0.6:8080", false }, { "lan:8080", false }, { NULL, false } });
}

/* `ssh -L 6061:localhost:6060`: the client calls it by a port that it does not have. */
static void hosts_through_tunnels(void **state)
{
	(void)state;
	const wo_trust t = { .bound = "127.0.0.1", .port = 6060, .loopback = true, .any_port = true };
	check_hosts(&t, (const host_case[]){ { "localhost:6061", true }, { "127.0.0.1", true }, { "[::1]:1", true },
				{ "evil.example:6060", false }, { "localhost:x", false }, { "127.1:6060", false },
				{ NULL, false } });
}

static void origins(void **state)
{
	(void)state;
	const char *host = "localhost:6060";
	assert_true(wo_origin_trusted(NULL, host));
	assert_true(wo_origin_trusted("http://localhost:6060", host));
	assert_false(wo_origin_trusted("http://127.0.0.1:6060", host));
	assert_false(wo_origin_trusted("https://localhost:6060", host));
	assert_false(wo_origin_trusted("http://localhost:6061", host));
	assert_false(wo_origin_trusted("http://localhost:60600", host));
	assert_false(wo_origin_trusted("http://evil.example", host));
	assert_false(wo_origin_trusted("null", host));
	assert_false(wo_origin_trusted("", host));
}

static void fetches(void **state)
{
	(void)state;
	assert_true(wo_fetch_trusted(NULL, NULL, NULL, false));
	assert_true(wo_fetch_trusted("same-origin", "cors", "empty", false));
	assert_true(wo_fetch_trusted("none", "navigate", "document", true));
	assert_true(wo_fetch_trusted("cross-site", "navigate", "document", true));
	assert_false(wo_fetch_trusted("cross-site", "navigate", "iframe", true));
	assert_false(wo_fetch_trusted("cross-site", "no-cors", "image", true));
	assert_false(wo_fetch_trusted("cross-site", "navigate", "document", false));
	assert_false(wo_fetch_trusted("same-site", "cors", "empty", false));
	assert_false(wo_fetch_trusted("same-site", NULL, NULL, true));
	assert_false(wo_fetch_trusted("", NULL, NULL, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(hosts_on_loopback),
		cmocka_unit_test(hosts_elsewhere),
		cmocka_unit_test(hosts_through_tunnels),
		cmocka_unit_test(origins),
		cmocka_unit_test(fetches),
	};
	return cmocka_run_group_tests_name("trust", tests, NULL, NULL);
}
