/* fetch/url.c - which URL is meant by what somebody wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fetch/fetch.h"

static const char trace_path[] = "/debug/pprof/trace";
static const char profiles_path[] = "/debug/pprof/";

/* Behind the scheme, or the beginning when there is none. */
static const char *host_of(const char *url)
{
	size_t n = strcspn(url, ":/?#");
	return strncmp(url + n, "://", 3) == 0 ? url + n + 3 : url;
}

/* Where the path, query or fragment begins. */
static const char *path_of(const char *url)
{
	const char *host = host_of(url);
	return host + strcspn(host, "/?#");
}

static bool ends_with(const char *at, size_t n, const char *what)
{
	size_t k = strlen(what);
	return n >= k && memcmp(at + n - k, what, k) == 0;
}

/* What stands behind "seconds=" in the query, or NULL. */
static const char *seconds_in(const char *url)
{
	for (const char *p = strchr(path_of(url), '?'); p; p = strchr(p + 1, '&'))
		if (strncmp(p + 1, "seconds=", 8) == 0)
			return p + 9;
	return NULL;
}

unsigned fetch_seconds(const char *url, unsigned otherwise)
{
	const char *at = seconds_in(url);
	double s = at ? strtod(at, NULL) : 0;
	return s > 0 && s < 1e6 ? (unsigned)s + 1 : otherwise;
}

bool fetch_is_profile(const char *url)
{
	static const char *const others[] = { "", "trace", "cmdline", "symbol" };
	const char *path = path_of(url), *end = path + strcspn(path, "?#"), *name = end;
	while (name > path && name[-1] != '/')
		name--;
	if (!ends_with(path, (size_t)(name - path), profiles_path))
		return false;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strlen(others[i]) == (size_t)(end - name) && memcmp(others[i], name, (size_t)(end - name)) == 0)
			return false;
	return true;
}

static bool is_good(const char *given)
{
	for (const char *p = given; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	const char *host = host_of(given);
	size_t n = (size_t)(host - given);
	bool known = n == 0 || (n == 7 && strncasecmp(given, "http://", n) == 0) ||
		     (n == 8 && strncasecmp(given, "https://", n) == 0);
	return known && *host && !strchr("/?#:", *host);
}

bool fetch_url(const char *given, unsigned seconds, char *ret, size_t n)
{
	if (!is_good(given))
		return false;
	const char *path = path_of(given);
	size_t n_host = (size_t)(path - given), n_path = strcspn(path, "?#");
	bool bare = n_path <= 1 || ends_with(path, n_path, "/debug/pprof") || ends_with(path, n_path, "/debug/pprof/");
	bool timed = bare || ends_with(path, n_path, "/trace") || fetch_is_profile(given);
	const char *scheme = host_of(given) == given ? "http://" : "", *query = path + n_path;
	size_t n_query = strcspn(query, "#"); /* a fragment is not sent */
	char asked[40] = "";
	if (timed && seconds && !seconds_in(given))
		snprintf(asked, sizeof(asked), "%sseconds=%u", n_query ? "&" : "?", seconds);
	if (bare && n_path > 1) /* what stands before /debug stays */
		n_path = (size_t)(strstr(path, "/debug/pprof") - path);
	else if (bare)
		n_path = 0;
	int k = snprintf(ret, n, "%s%.*s%.*s%s%.*s%s", scheme, (int)n_host, given, (int)n_path, path,
		bare ? trace_path : "", (int)n_query, query, asked);
	return k > 0 && (size_t)k < n;
}
