/* test/truth/profiles.c - the four profiles of `go tool trace` as a JSON text of the shape of a truth file. */
#include "truth.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out/json.h"

enum { FRAMES = 128, TOP_FUNCS = 20, TOP_LINES = 10 };

/* A record as text: what tells it apart, in lines and in functions, each part ending in a line feed. */
typedef struct record {
	uint64_t count;
	int64_t ns;
	char *lines, *funcs;
	size_t n; /* frames: one without a name is not none */
} record;

static char *joined(const wtr_frame *f, size_t n, bool with_lines)
{
	wb_buf b = { 0 };
	for (size_t i = 0; i < n; i++) {
		wb_buf_put(&b, f[i].func.at, f[i].func.n);
		if (with_lines)
			wb_buf_printf(&b, ":%" PRIu64, f[i].line);
		wb_buf_putc(&b, i + 1 < n ? ';' : ' ');
	}
	char *s = strdup(wb_buf_cstr(&b));
	if (n)
		s[strlen(s) - 1] = 0;
	wb_buf_free(&b);
	return s;
}

static int by_funcs(const void *a, const void *b)
{
	const record *x = a, *y = b;
	return x->n != y->n ? (x->n < y->n ? -1 : 1) : strcmp(x->funcs, y->funcs);
}

static int by_weight(const record *x, const record *y, const char *a, const char *b)
{
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return strcmp(a, b);
}

static int top_lines_first(const void *a, const void *b)
{
	const record *x = a, *y = b;
	return by_weight(x, y, x->lines, y->lines);
}

static int top_funcs_first(const void *a, const void *b)
{
	const record *x = a, *y = b;
	return by_weight(x, y, x->funcs, y->funcs);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void put_digest(out_json *j, const record *r, size_t n)
{
	char **text = calloc(n + 1, sizeof(*text)), hex[2 * SHA256_DIGEST_SIZE + 1];
	struct sha256_ctx sha;
	uint8_t digest[SHA256_DIGEST_SIZE];
	for (size_t i = 0; i < n; i++)
		if (asprintf(&text[i], "%" PRIu64 " %" PRId64 " %s\n", r[i].count, r[i].ns, r[i].lines) < 0)
			abort();
	qsort(text, n, sizeof(*text), by_text);
	sha256_init(&sha);
	for (size_t i = 0; i < n; i++) {
		sha256_update(&sha, strlen(text[i]), (const uint8_t *)text[i]);
		free(text[i]);
	}
	sha256_digest(&sha, sizeof(digest), digest);
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	out_json_put_text(j, "records_sha256", hex);
	free(text);
}

static void put_top(out_json *j, const char *key, const record *r, size_t n, bool lines)
{
	out_json_key(j, key);
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_key(j, "stack");
		out_json_array(j);
		const char *s = lines ? r[i].lines : r[i].funcs;
		for (size_t f = 0; f < r[i].n; f++) {
			size_t k = strcspn(s, ";");
			out_json_str(j, (wtr_str){ s, k });
			s += k + (s[k] == ';');
		}
		out_json_array_end(j);
		out_json_put_u64(j, "count", r[i].count);
		out_json_put_i64(j, "ns", r[i].ns);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}

/* Adds up records with the same functions; they are sorted by them. */
static size_t merge(record *r, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++) {
		if (k && by_funcs(&r[k - 1], &r[i]) == 0) {
			r[k - 1].count += r[i].count;
			r[k - 1].ns += r[i].ns;
		} else {
			r[k++] = r[i];
		}
	}
	return k;
}

static void put_profile(out_json *j, const wtr_profile *p)
{
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	record *r = calloc(t.records + 1, sizeof(*r)), *all = calloc(t.records + 1, sizeof(*r));
	for (size_t i = 0; i < t.records; i++) {
		wtr_profile_record rec;
		wtr_frame frames[FRAMES];
		wtr_profile_get_record(p, i, &rec);
		size_t n = wtr_profile_frames(p, i, frames, FRAMES);
		r[i] = (record){ rec.count, rec.ns, joined(frames, n, true), joined(frames, n, false), n };
	}
	memcpy(all, r, t.records * sizeof(*r));
	out_json_object(j);
	out_json_put_i64(j, "total_ns", t.ns);
	out_json_put_u64(j, "count", t.count);
	out_json_put_u64(j, "records", t.records);
	put_digest(j, r, t.records);
	qsort(r, t.records, sizeof(*r), by_funcs);
	size_t n = merge(r, t.records);
	qsort(r, n, sizeof(*r), top_funcs_first);
	put_top(j, "top_funcs", r, n < TOP_FUNCS ? n : TOP_FUNCS, false);
	memcpy(r, all, t.records * sizeof(*r));
	qsort(r, t.records, sizeof(*r), top_lines_first);
	put_top(j, "top_lines", r, t.records < TOP_LINES ? t.records : TOP_LINES, true);
	out_json_object_end(j);
	for (size_t i = 0; i < t.records; i++) {
		free(all[i].lines);
		free(all[i].funcs);
	}
	free(r);
	free(all);
}

void truth_profiles(wtr_trace *t, wb_buf *out)
{
	out_json j;
	out_json_to_buf(&j, out, 0);
	out_json_object(&j);
	for (unsigned kind = WTR_PROFILE_NET; kind <= WTR_PROFILE_SCHED; kind++) {
		wtr_profile *p = NULL;
		wtr_error err = { 0 };
		if (wtr_profile_make(t, &(wtr_profile_query){ .kind = (wtr_profile_kind)kind, .as_go = true }, &p,
			    &err) != WTR_OK)
			abort();
		out_json_key(&j, wtr_profile_name(kind));
		put_profile(&j, p);
		wtr_profile_free(p);
	}
	out_json_object_end(&j);
	if (!out_json_done(&j))
		abort();
}
