/* rt/debug/request.c - see request.h.  Source of the rules: RFC 9112, sections 2 to 6. */
#include "rt/debug/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { BAD = 400, UNKNOWN_CODING = 501, OTHER_VERSION = 505 };

size_t weft__request_end(const char *at, size_t n, size_t seen)
{
	for (size_t i = seen > 3 ? seen - 3 : 0; i < n; i++) {
		if (at[i] != '\n')
			continue;
		size_t next = i + 1 + (i + 1 < n && at[i + 1] == '\r');
		if (next < n && at[next] == '\n')
			return next + 1;
	}
	return 0;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes [at, end) to `to`, which may be `at`: where it ends there, or NULL for a broken escape. */
static char *decode(const char *at, const char *end, char *to, bool plus)
{
	while (at < end) {
		if (*at != '%') {
			*to++ = plus && *at == '+' ? ' ' : *at;
			at++;
			continue;
		}
		if (end - at < 3 || hex(at[1]) < 0 || hex(at[2]) < 0)
			return NULL;
		*to++ = (char)(hex(at[1]) << 4 | hex(at[2]));
		at += 3;
	}
	return to;
}

/* ---- the first line ---- */

static bool is_token(const char *s, size_t n)
{
	static const char set[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	return n > 0 && strspn(s, set) >= n;
}

static weft__method method_of(const char *word)
{
	return strcmp(word, "GET") == 0    ? WEFT__GET
	       : strcmp(word, "HEAD") == 0 ? WEFT__HEAD
	       : strcmp(word, "POST") == 0 ? WEFT__POST
					   : WEFT__OTHER_METHOD;
}

/* "/path?query", in place. */
static int parse_target(char *target, weft__request *rq)
{
	if (*target != '/')
		return BAD;
	for (const char *p = target; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '#')
			return BAD;
	char *end = target + strcspn(target, "?");
	rq->query = *end ? end + 1 : end;
	*end = 0;
	end = decode(target, end, target, /* plus= */ false);
	if (!end || memchr(target, 0, (size_t)(end - target)))
		return BAD;
	*end = 0;
	rq->path = target;
	return 0;
}

static int parse_first(char *line, weft__request *rq)
{
	char *target = strchr(line, ' ');
	char *version = target ? strchr(target + 1, ' ') : NULL;
	if (!version || !is_token(line, (size_t)(target - line)))
		return BAD;
	*target++ = 0;
	*version++ = 0;
	if (strncmp(version, "HTTP/", 5) != 0)
		return BAD;
	if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
		return OTHER_VERSION;
	rq->minor = version[7] - '0';
	rq->method = method_of(line);
	return parse_target(target, rq);
}

/* ---- the others ---- */

/* Digits only; two lengths that differ would say two things. */
static int parse_length(const char *value, weft__request *rq)
{
	size_t n = strlen(value);
	if (n == 0 || n > 18 || strspn(value, "0123456789") != n)
		return BAD;
	uint64_t bytes = strtoull(value, NULL, 10);
	if (rq->sized && rq->body_bytes != bytes)
		return BAD;
	rq->sized = true;
	rq->body_bytes = bytes;
	return 0;
}

static int note_header(const char *name, const char *value, weft__request *rq)
{
	const struct {
		const char *name;
		const char **to;
	} wanted[] = {
		{ "Host", &rq->host },
		{ "Origin", &rq->origin },
		{ "Sec-Fetch-Site", &rq->fetch_site },
		{ "Sec-Fetch-Mode", &rq->fetch_mode },
		{ "Sec-Fetch-Dest", &rq->fetch_dest },
	};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strcasecmp(name, wanted[i].name) == 0)
			*wanted[i].to = value;
	rq->n_hosts += strcasecmp(name, "Host") == 0;
	if (strcasecmp(name, "Transfer-Encoding") == 0)
		rq->coded = true;
	return strcasecmp(name, "Content-Length") == 0 ? parse_length(value, rq) : 0;
}

static int parse_header(char *line, weft__request *rq)
{
	char *colon = strchr(line, ':');
	if (!colon || !is_token(line, (size_t)(colon - line))) /* also a line that goes on with the one before */
		return BAD;
	*colon = 0;
	char *value = colon + 1 + strspn(colon + 1, " \t"), *end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	for (const char *p = value; *p; p++)
		if ((unsigned char)*p < ' ' ? *p != '\t' : *p == 0x7f)
			return BAD;
	return note_header(line, value, rq);
}

/* Cuts the next line off and ends it with 0; false at the empty one. */
static bool next_line(char **at, char **ret)
{
	char *line = *at, *end = strchr(line, '\n');
	*at = end + 1;
	*end = 0;
	if (end > line && end[-1] == '\r')
		end[-1] = 0;
	*ret = line;
	return *line != 0;
}

int weft__request_parse(char *at, size_t n, weft__request *ret)
{
	if (memchr(at, 0, n) || weft__request_end(at, n, 0) != n)
		return BAD;
	weft__request rq = { 0 };
	char *line;
	int status = next_line(&at, &line) ? parse_first(line, &rq) : BAD;
	while (status == 0 && next_line(&at, &line))
		status = parse_header(line, &rq);
	if (status == 0 && rq.coded)
		status = UNKNOWN_CODING;
	if (status == 0)
		*ret = rq;
	return status;
}

/* ---- parameters ---- */

/* Whether [at, end), decoded, is `name`. */
static bool is_name(const char *at, const char *end, const char *name)
{
	char text[64];
	if ((size_t)(end - at) >= sizeof(text))
		return false;
	const char *stop = decode(at, end, text, /* plus= */ true);
	size_t n = strlen(name);
	return stop && (size_t)(stop - text) == n && memcmp(text, name, n) == 0;
}

bool weft__query_text(const char *query, const char *name, char *ret, size_t n)
{
	while (*query) {
		const char *end = query + strcspn(query, "&");
		const char *eq = memchr(query, '=', (size_t)(end - query));
		const char *value = eq ? eq + 1 : end;
		if (is_name(query, eq ? eq : end, name)) {
			if ((size_t)(end - value) >= n)
				return false;
			char *stop = decode(value, end, ret, /* plus= */ true);
			if (!stop || memchr(ret, 0, (size_t)(stop - ret)))
				return false;
			*stop = 0;
			return true;
		}
		query = *end ? end + 1 : end;
	}
	return false;
}

int64_t weft__query_int(const char *query, const char *name, int64_t otherwise)
{
	char text[24], *end;
	if (!weft__query_text(query, name, text, sizeof(text)) || strchr(" \t\n\v\f\r", text[0]))
		return otherwise; /* "" is among those */
	errno = 0;
	long long v = strtoll(text, &end, 10);
	return *end || errno ? otherwise : v;
}
