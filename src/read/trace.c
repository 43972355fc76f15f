/* read/trace.c - opening and closing; the header; what ids mean. */
#include "read/trace.h"

#include <string.h>

#include "base/alloc.h"
#include "fmt/wire.h"
#include "read/input.h"
#include "read/source.h"

/* Go scans the header with "go 1.%d trace\x00\x00\x00"; no writer ever used another spelling of the number, so compare
 * strictly. */
static wtr_code header(wtr_trace *t, wtr_error *err)
{
	static const char not_a_trace[] = "this is not a Go execution trace: it does not begin with \"go 1.NN trace\"";
	const char *s = (const char *)t->at;
	if (t->n < WF_HEADER_BYTES || memcmp(s, "go 1.", 5) != 0)
		return wtr__fail(
			err, WTR_E_MAGIC, 0, 0, WTR_NONE, "", "header", "%s", t->n ? not_a_trace : "the file is empty");
	unsigned v = 0, i = 5;
	for (; i < 9 && s[i] >= '0' && s[i] <= '9'; i++)
		v = v * 10 + (unsigned)(s[i] - '0');
	static const char tail[] = " trace\0\0\0\0\0";
	if (i == 5 || memcmp(s + i, tail, WF_HEADER_BYTES - i) != 0)
		return wtr__fail(err, WTR_E_MAGIC, 0, 0, WTR_NONE, "", "header", "%s", not_a_trace);
	switch (v) {
#define KNOWN(nn, releases) case nn: t->info.written_by = releases; break;
		WF_VERSIONS(KNOWN)
#undef KNOWN
	default:
		return wtr__fail(err, WTR_E_VERSION, 0, 0, WTR_NONE, "", "header",
			"go 1.%u trace: this format version does not exist (known: 11, 19, 21, 22, 23, 25, 26; Go 1.10 "
			"and older are not read)",
			v);
	}
	t->version = v;
	return WTR_OK;
}

static wtr_code open_parsed(wtr_trace *t, wtr_error *err)
{
	wtr_code rc = header(t, err);
	if (rc == WTR_OK)
		rc = t->version < 22 ? wtr__v1_open(t, err) : wtr__v2_open(t, err);
	if (rc != WTR_OK)
		return rc;
	wtr_info *i = &t->info;
	i->path = t->path ? t->path : "";
	i->version = t->version;
	i->compression = t->compression;
	i->file_bytes = t->file_bytes;
	i->trace_bytes = t->n;
	return WTR_OK;
}

static wtr_trace *make(const wtr_options *opt)
{
	wtr_trace *t = wb_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	if (opt)
		t->opt = *opt;
	t->compression = "none";
	t->map.at = (const uint8_t *)"";
	pthread_mutex_init(&t->extra_lock, NULL);
	return t;
}

static wtr_code no_memory(wtr_error *err)
{
	return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

/* Goes on with an input that was opened (rc); *ret is set on success only. */
static wtr_code finish(wtr_trace *t, wtr_code rc, wtr_trace **ret, wtr_error *err)
{
	if (rc == WTR_OK)
		rc = open_parsed(t, err);
	if (rc == WTR_OK)
		*ret = t;
	else
		wtr_close(t);
	return rc;
}

wtr_code wtr_open(const char *path, const wtr_options *opt, wtr_trace **ret, wtr_error *err)
{
	wtr_trace *t = make(opt);
	if (!t)
		return no_memory(err);
	size_t n = strlen(path) + 1;
	t->path = wb_malloc(n);
	if (t->path)
		memcpy(t->path, path, n);
	return finish(t, t->path ? wtr__input_path(t, path, err) : no_memory(err), ret, err);
}

wtr_code wtr_open_bytes(const void *data, size_t n, const wtr_options *opt, wtr_trace **ret, wtr_error *err)
{
	wtr_trace *t = make(opt);
	if (!t)
		return no_memory(err);
	return finish(t, wtr__input_bytes(t, data, n, err), ret, err);
}

void wtr_close(wtr_trace *t)
{
	if (!t)
		return;
	wtr__v1_close(t);
	wtr__v2_close(t);
	wb_intern_free(&t->extra);
	pthread_mutex_destroy(&t->extra_lock);
	wo_unmap(&t->map);
	wb_free(t->path);
	wb_free(t);
}

void wtr_get_info(const wtr_trace *t, wtr_info *ret)
{
	*ret = t->info;
}

int64_t wtr_reaches_ns(const wtr_trace *t)
{
	return t->v2 ? wtr__v2_reaches(t) : INT64_MIN;
}

uint32_t wtr__extra_string(wtr_trace *t, const char *at, size_t n)
{
	if (n == 0)
		return 0;
	pthread_mutex_lock(&t->extra_lock);
	uint32_t i = wb_intern_add(&t->extra, at, n);
	pthread_mutex_unlock(&t->extra_lock);
	return i == WB_INTERN_NONE || i >= WTR__EXTRA - 1 ? WTR__UNKNOWN : i | WTR__EXTRA;
}

wtr_str wtr_string(const wtr_trace *t, uint32_t id)
{
	if (id == 0 || id == WTR__UNKNOWN)
		return (wtr_str){ "", 0 };
	if (id & WTR__EXTRA) {
		wtr_trace *w = (wtr_trace *)(uintptr_t)t; /* the lock is the one thing that a read changes */
		pthread_mutex_lock(&w->extra_lock);
		wb_text x = wb_intern_text(&t->extra, id & ~WTR__EXTRA);
		pthread_mutex_unlock(&w->extra_lock);
		return (wtr_str){ x.at, x.n };
	}
	return t->v2 ? wtr__v2_string(t, id) : wtr__v1_string(t, id);
}

size_t wtr_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	if (id == 0 || id == WTR__UNKNOWN)
		return 0;
	return t->v2 ? wtr__v2_stack(t, id, ret, n) : wtr__v1_stack(t, id, ret, n);
}
