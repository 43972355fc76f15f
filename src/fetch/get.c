/* fetch/get.c - see fetch.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "fetch/fetch.h"

enum { CONNECT_S = 10, REDIRECTIONS_MAX = 5, SAID_MAX = 200 };

typedef struct transfer {
	CURL *curl;
	const fetch_options *opt;
	uint64_t bytes;
	bool stopped, too_long;
	char said[SAID_MAX + 1]; /* the beginning of an answer that is an error */
	size_t n_said;
	char curl_says[CURL_ERROR_SIZE];
} transfer;

static __attribute__((format(printf, 2, 3))) bool fail(fetch_error *err, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, args);
	va_end(args);
	return false;
}

static long status_of(transfer *t)
{
	long status = 0;
	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static bool connected(transfer *t)
{
	curl_off_t us = 0;
	curl_easy_getinfo(t->curl, CURLINFO_CONNECT_TIME_T, &us);
	return us > 0;
}

/* ---- what libcurl calls ---- */

static size_t on_bytes(char *at, size_t size, size_t n, void *user)
{
	transfer *t = user;
	n *= size;
	if (status_of(t) != 200) {
		size_t k = n < SAID_MAX - t->n_said ? n : SAID_MAX - t->n_said;
		memcpy(t->said + t->n_said, at, k);
		t->n_said += k;
		return n;
	}
	t->bytes += n;
	t->too_long = t->opt->bytes_max && t->bytes > t->opt->bytes_max;
	if (t->too_long || !t->opt->put(t->opt->user, at, n)) {
		t->stopped = !t->too_long;
		return 0;
	}
	return n;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
	transfer *t = user;
	(void)total;
	(void)now;
	(void)up_total;
	(void)up_now;
	if (t->opt->progress && !t->opt->progress(t->opt->user, t->bytes))
		t->stopped = true;
	return t->stopped;
}

/* ---- errors ---- */

static const char *name_of(long status)
{
	return status == 400   ? "Bad Request"
	       : status == 401 ? "Unauthorized"
	       : status == 403 ? "Forbidden"
	       : status == 404 ? "Not Found"
	       : status == 405 ? "Method Not Allowed"
	       : status == 500 ? "Internal Server Error"
	       : status == 502 ? "Bad Gateway"
	       : status == 503 ? "Service Unavailable"
	       : status == 504 ? "Gateway Timeout"
			       : "";
}

/* The first line of the answer, when that is text for people. */
static const char *words_of(transfer *t)
{
	const char *type = NULL;
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
	if (!type || strncasecmp(type, "text/plain", 10) != 0)
		return "";
	t->said[strcspn(t->said, "\r\n")] = 0;
	for (char *p = t->said; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return t->said;
}

static bool fail_status(transfer *t, long status, fetch_error *err)
{
	err->status = (unsigned)status;
	const char *words = words_of(t), *name = name_of(status);
	return fail(err, "%ld%s%s%s%s", status, *name ? " " : "", name, *words ? ": " : "", words);
}

static bool fail_code(transfer *t, CURLcode code, fetch_error *err)
{
	if (t->stopped) {
		err->stopped = true;
		return fail(err, "stopped");
	}
	if (t->too_long || code == CURLE_FILESIZE_EXCEEDED)
		return fail(err, "more than %llu MB come from there", (unsigned long long)(t->opt->bytes_max >> 20));
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		err->silent = true;
		return fail(err, "nothing answers there");
	case CURLE_COULDNT_RESOLVE_HOST: return fail(err, "there is no such host");
	case CURLE_OPERATION_TIMEDOUT:
		return fail(err, "nothing has come for %u s", connected(t) ? t->opt->silent_s : (unsigned)CONNECT_S);
	case CURLE_GOT_NOTHING: return fail(err, "the other side closed without an answer");
	case CURLE_PARTIAL_FILE:
	case CURLE_RECV_ERROR: return fail(err, "the answer breaks off after %llu bytes", (unsigned long long)t->bytes);
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return fail(err, "what answers there does not speak HTTP");
	default: return fail(err, "%s", t->curl_says[0] ? t->curl_says : curl_easy_strerror(code));
	}
}

/* ---- the transfer ---- */

static bool is_this_machine(const char *url)
{
	const char *host = strstr(url, "://");
	host = host ? host + 3 : url;
	size_t n = strcspn(host, ":/?#");
	return (n == 9 && strncasecmp(host, "localhost", 9) == 0) || strncmp(host, "127.", 4) == 0 ||
	       strncmp(host, "[::1]", 5) == 0;
}

static void set_options(transfer *t, const char *url)
{
	CURL *c = t->curl;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L);
	curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)REDIRECTIONS_MAX);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "weft");
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)t->opt->silent_s);
	if (t->opt->bytes_max)
		curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->opt->bytes_max);
	if (is_this_machine(url))
		curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->curl_says);
}

bool fetch_get(const char *url, const fetch_options *opt, fetch_error *err)
{
	*err = (fetch_error){ 0 };
	transfer t = { .curl = curl_easy_init(), .opt = opt };
	if (!t.curl)
		return fail(err, "out of memory");
	set_options(&t, url);
	CURLcode code = curl_easy_perform(t.curl);
	long status = status_of(&t);
	bool good = code == CURLE_OK && status == 200;
	if (code != CURLE_OK)
		fail_code(&t, code, err);
	else if (!good)
		fail_status(&t, status, err);
	curl_easy_cleanup(t.curl);
	return good;
}
