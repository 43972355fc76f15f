/* Addresses as text: what is one, what is none, and there and back again. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "rt/net/address.h"

static void test_networks(void **state)
{
	(void)state;
	int family = -1, type = -1;
	assert_int_equal(weft__address_network("tcp6", &family, &type), 0);
	assert_int_equal(family, AF_INET6);
	assert_int_equal(type, SOCK_STREAM);
	assert_int_equal(weft__address_network("unixpacket", &family, &type), 0);
	assert_int_equal(type, SOCK_SEQPACKET);
	assert_int_equal(weft__address_network("tcp5", &family, &type), -EPROTONOSUPPORT);
	assert_int_equal(weft__address_network("", &family, &type), -EPROTONOSUPPORT);
	assert_int_equal(type, SOCK_SEQPACKET); /* untouched */
}

static void test_cut(void **state)
{
	(void)state;
	static const struct {
		const char *text, *host, *port; /* host NULL: none */
	} cases[] = {
		{ "host:80", "host", "80" },
		{ ":80", "", "80" },
		{ "[::1]:80", "::1", "80" },
		{ "[fe80::1%lo]:http", "fe80::1%lo", "http" },
		{ "[]:80", "", "80" },
		{ "host:", "host", "" },
		{ "", NULL, NULL },
		{ "host", NULL, NULL },
		{ "::1", NULL, NULL },
		{ "[::1", NULL, NULL },
		{ "[::1]80", NULL, NULL },
		{ "[::1]:80]", NULL, NULL },
		{ "ho[st:80", NULL, NULL },
		{ "a:b:80", NULL, NULL },
		{ "[", NULL, NULL },
		{ "[:", NULL, NULL },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char host[WEFT__HOST_BYTES] = "?";
		const char *port = NULL;
		int err = weft__address_cut(cases[i].text, host, &port);
		assert_int_equal(err, cases[i].host ? 0 : -EINVAL);
		if (err < 0)
			continue;
		assert_string_equal(host, cases[i].host);
		assert_string_equal(port, cases[i].port);
	}
}

static void test_longest_host(void **state)
{
	(void)state;
	char text[WEFT__HOST_BYTES + 10], host[WEFT__HOST_BYTES];
	const char *port;
	memset(text, 'a', sizeof(text));
	strcpy(&text[WEFT__HOST_BYTES - 1], ":1");
	assert_int_equal(weft__address_cut(text, host, &port), 0);
	assert_int_equal(strlen(host), WEFT__HOST_BYTES - 1);
	memset(text, 'a', sizeof(text));
	strcpy(&text[WEFT__HOST_BYTES], ":1");
	assert_int_equal(weft__address_cut(text, host, &port), -EINVAL);
}

static void test_ports(void **state)
{
	(void)state;
	assert_int_equal(weft__address_port("0"), 0);
	assert_int_equal(weft__address_port("65535"), 65535);
	assert_int_equal(weft__address_port("65536"), -EINVAL);
	assert_int_equal(weft__address_port("99999999999999999999"), -EINVAL);
	assert_int_equal(weft__address_port(""), -EINVAL);
	assert_int_equal(weft__address_port("-1"), -ENOENT);
	assert_int_equal(weft__address_port("http"), -ENOENT);
}

/* As text, and what comes back from the text. */
static void there_and_back(const char *host, int port, const char *text)
{
	weft__address a;
	char ret[128], small[4];
	assert_true(weft__address_number(host, &a));
	weft__address_set_port(&a, port);
	assert_int_equal(weft__address_text(&a, ret, sizeof(ret)), strlen(text));
	assert_string_equal(ret, text);
	assert_int_equal(weft__address_text(&a, small, sizeof(small)), strlen(text));
	assert_int_equal(strlen(small), 3);
}

static void test_numbers(void **state)
{
	(void)state;
	weft__address a = { .n = 77 };
	there_and_back("127.0.0.1", 80, "127.0.0.1:80");
	there_and_back("::1", 65535, "[::1]:65535");
	there_and_back("::ffff:1.2.3.4", 1, "1.2.3.4:1"); /* as Go writes them */
	there_and_back("fe80::1%lo", 1, "[fe80::1%lo]:1");
	there_and_back("fe80::1%99999", 1, "[fe80::1%99999]:1"); /* an interface that has no name */
	static const char *const none[] = { "", "localhost", "127.0.0", "1.2.3.256", "::1%", "::1::2",
		"fe80::1%no such thing", "12345678901234567890123456789012345678901234567890::1" };
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(weft__address_number(none[i], &a));
	assert_int_equal(a.n, 77); /* untouched */
}

static void test_wildcards(void **state)
{
	(void)state;
	static const struct {
		const char *host;
		bool is;
	} cases[] = { { "0.0.0.0", true }, { "::", true }, { "127.0.0.1", false }, { "::1", false } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		weft__address a;
		assert_true(weft__address_number(cases[i].host, &a));
		assert_int_equal(weft__address_is_wildcard(&a), cases[i].is);
	}
}

static void test_unix(void **state)
{
	(void)state;
	weft__address a;
	char text[200], path[120];
	static const char *const good[] = { "/tmp/a", "@name", "@", "a" };
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(weft__address_unix(good[i], &a), 0);
		assert_int_equal(weft__address_text(&a, text, sizeof(text)), strlen(good[i]));
		assert_string_equal(text, good[i]);
	}
	assert_int_equal(weft__address_unix("", &a), -EINVAL);
	memset(path, 'p', sizeof(path));
	path[107] = 0;
	assert_int_equal(weft__address_unix(path, &a), 0);
	assert_int_equal(weft__address_text(&a, text, sizeof(text)), 107);
	path[107] = 'p';
	path[108] = 0;
	assert_int_equal(weft__address_unix(path, &a), -ENAMETOOLONG);
	a = (weft__address){ .at.un.sun_family = AF_UNIX, .n = sizeof(sa_family_t) };
	assert_int_equal(weft__address_text(&a, text, sizeof(text)), 0); /* without a name */
	a.at.any.sa_family = AF_NETLINK;
	assert_int_equal(weft__address_text(&a, text, sizeof(text)), -EAFNOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_networks),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_longest_host),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_unix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
