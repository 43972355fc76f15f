/* out/json.c - see json.h. */
#include "out/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_gen.h>

#include <wtr/report.h>

/* yajl_gen_alloc() does not survive an allocation that fails, so the two small pieces it asks for come out of the
 * writer itself. */
static void *take(void *ctx, size_t n)
{
	out_json *j = ctx;
	n = (n + 15) & ~(size_t)15;
	if (n > sizeof(j->memory) - j->used)
		return NULL;
	void *p = j->memory + j->used;
	j->used += (unsigned)n;
	return p;
}

static void *retake(void *ctx, void *p, size_t n)
{
	return p ? NULL : take(ctx, n); /* only yajl's own text buffer grows, and we do not use it */
}

static void give(void *ctx, void *p)
{
	(void)ctx;
	(void)p;
}

static void print(void *ctx, const char *at, size_t n)
{
	out_json *j = ctx;
	if (j->failed)
		return;
	if (j->buf) {
		wb_buf_put(j->buf, at, n);
		j->failed = j->buf->failed;
	} else if (fwrite_unlocked(at, 1, n, j->file) != n) {
		j->failed = true;
	}
}

static void begin(out_json *j, wb_buf *buf, FILE *file, unsigned flags)
{
	*j = (out_json){ .buf = buf, .file = file };
	const yajl_alloc_funcs alloc = { .malloc = take, .realloc = retake, .free = give, .ctx = j };
	j->gen = yajl_gen_alloc(&alloc);
	if (!j->gen) {
		j->failed = true;
		return;
	}
	yajl_gen_config(j->gen, yajl_gen_print_callback, print, j);
	yajl_gen_config(j->gen, yajl_gen_beautify, (flags & OUT_JSON_PRETTY) ? 1 : 0);
	yajl_gen_config(j->gen, yajl_gen_indent_string, "  ");
}

void out_json_to_buf(out_json *j, wb_buf *to, unsigned flags)
{
	begin(j, to, NULL, flags);
}

void out_json_to_file(out_json *j, FILE *to, unsigned flags)
{
	begin(j, NULL, to, flags);
}

bool out_json_done(out_json *j)
{
	bool whole = !j->failed && j->depth == 0;
	if (j->gen)
		yajl_gen_free(j->gen);
	wb_buf_free(&j->repaired);
	j->gen = NULL;
	j->failed = true;
	return whole;
}

static void check(out_json *j, yajl_gen_status st)
{
	if (st != yajl_gen_status_ok)
		j->failed = true;
}

#define DO(j, call)                       \
	do {                              \
		if (!(j)->failed)         \
			check((j), call); \
	} while (0)

static void enter(out_json *j, bool array)
{
	DO(j, array ? yajl_gen_array_open(j->gen) : yajl_gen_map_open(j->gen));
	if (j->failed)
		return;
	j->kinds[j->depth / 64] &= ~(UINT64_C(1) << j->depth % 64);
	j->kinds[j->depth / 64] |= (uint64_t)array << j->depth % 64;
	j->depth++;
}

static void leave(out_json *j, bool array)
{
	if (j->failed)
		return;
	if (j->depth == 0 || (j->kinds[(j->depth - 1) / 64] >> (j->depth - 1) % 64 & 1) != array) {
		j->failed = true;
		return;
	}
	j->depth--;
	check(j, array ? yajl_gen_array_close(j->gen) : yajl_gen_map_close(j->gen));
}

void out_json_object(out_json *j)
{
	enter(j, false);
}

void out_json_object_end(out_json *j)
{
	leave(j, false);
}

void out_json_array(out_json *j)
{
	enter(j, true);
}

void out_json_array_end(out_json *j)
{
	leave(j, true);
}

void out_json_line(out_json *j)
{
	if (j->failed)
		return;
	yajl_gen_reset(j->gen, NULL);
	print(j, "\n", 1);
}

/* Bytes of the character at p if it is well-formed UTF-8 (no surrogates, no overlong forms), else 0. */
static size_t utf8(const unsigned char *p, size_t n)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (p[0] < 0x80)
		return 1;
	size_t want = p[0] >= 0xf0 && p[0] < 0xf8 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] >= 0xf8 || n < want)
		return 0;
	uint32_t c = p[0] & (0x7fu >> want);
	for (size_t i = 1; i < want; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[want] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : want;
}

/* How many bytes from the front are well-formed. */
static size_t valid_prefix(const unsigned char *p, size_t n)
{
	size_t i = 0;
	while (i < n) {
		size_t step = utf8(p + i, n - i);
		if (!step)
			break;
		i += step;
	}
	return i;
}

static bool repair(out_json *j, const unsigned char *p, size_t n)
{
	j->repaired.n = 0;
	for (size_t i = 0; i < n;) {
		size_t good = valid_prefix(p + i, n - i);
		wb_buf_put(&j->repaired, p + i, good);
		i += good;
		if (i < n) {
			wb_buf_puts(&j->repaired, "\xef\xbf\xbd");
			i++;
		}
	}
	return !j->repaired.failed;
}

void out_json_str(out_json *j, wtr_str s)
{
	const unsigned char *p = s.n ? (const unsigned char *)s.at : (const unsigned char *)"";
	if (j->failed)
		return;
	if (valid_prefix(p, s.n) == s.n) {
		check(j, yajl_gen_string(j->gen, p, s.n));
	} else if (repair(j, p, s.n)) {
		check(j, yajl_gen_string(j->gen, (const unsigned char *)j->repaired.at, j->repaired.n));
	} else {
		j->failed = true;
	}
}

void out_json_text(out_json *j, const char *s)
{
	if (s)
		out_json_str(j, (wtr_str){ s, strlen(s) });
	else
		out_json_null(j);
}

void out_json_key(out_json *j, const char *key)
{
	DO(j, yajl_gen_string(j->gen, (const unsigned char *)key, strlen(key)));
}

/* Writes the digits to the end of t and returns where they begin. */
static char *digits(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return end;
}

static char *signed_digits(char *end, int64_t v)
{
	char *p = digits(end, v < 0 ? -(uint64_t)v : (uint64_t)v);
	if (v < 0)
		*--p = '-';
	return p;
}

void out_json_i64(out_json *j, int64_t v)
{
	char t[24], *end = t + sizeof(t), *p = signed_digits(end, v);
	DO(j, yajl_gen_number(j->gen, p, (size_t)(end - p)));
}

void out_json_u64(out_json *j, uint64_t v)
{
	char t[24], *end = t + sizeof(t), *p = digits(end, v);
	DO(j, yajl_gen_number(j->gen, p, (size_t)(end - p)));
}

void out_json_digits(out_json *j, int64_t v)
{
	char t[24], *end = t + sizeof(t), *p = signed_digits(end, v);
	DO(j, yajl_gen_string(j->gen, (const unsigned char *)p, (size_t)(end - p)));
}

void out_json_hex(out_json *j, uint64_t v)
{
	char t[24];
	int n = snprintf(t, sizeof(t), "0x%llx", (unsigned long long)v);
	DO(j, yajl_gen_string(j->gen, (const unsigned char *)t, (size_t)n));
}

void out_json_double(out_json *j, double v)
{
	char t[32];
	if (!isfinite(v)) {
		out_json_null(j);
		return;
	}
	if (fabs(v) < 9007199254740992.0 && v == (double)(int64_t)v) {
		out_json_i64(j, (int64_t)v);
		return;
	}
	int n = 0;
	for (int precision = 15; precision <= 17; precision++) {
		n = snprintf(t, sizeof(t), "%.*g", precision, v);
		if (strtod(t, NULL) == v)
			break;
	}
	DO(j, yajl_gen_number(j->gen, t, (size_t)n));
}

void out_json_fixed(out_json *j, double v, unsigned decimals)
{
	static const double ten[7] = { 1, 10, 100, 1e3, 1e4, 1e5, 1e6 };
	double scale = ten[decimals > 6 ? 6 : decimals];
	double scaled = round(v * scale);
	if (!(fabs(scaled) < 9007199254740992.0)) {
		out_json_double(j, v);
		return;
	}
	uint64_t all = (uint64_t)fabs(scaled), whole = all / (uint64_t)scale, part = all % (uint64_t)scale;
	char t[40], *end = t + sizeof(t), *p = end;
	if (part) {
		unsigned n = decimals > 6 ? 6 : decimals;
		for (; part % 10 == 0; part /= 10)
			n--;
		for (; n; n--, part /= 10)
			*--p = (char)('0' + part % 10);
		*--p = '.';
	}
	p = digits(p, whole);
	if (scaled < 0)
		*--p = '-';
	DO(j, yajl_gen_number(j->gen, p, (size_t)(end - p)));
}

void out_json_bool(out_json *j, bool v)
{
	DO(j, yajl_gen_bool(j->gen, v));
}

void out_json_null(out_json *j)
{
	DO(j, yajl_gen_null(j->gen));
}

void out_json_ns(out_json *j, int64_t t_ns, int64_t from_ns)
{
	if (t_ns == WTR_NEVER)
		out_json_null(j);
	else
		out_json_i64(j, (int64_t)((uint64_t)t_ns - (uint64_t)from_ns));
}

void out_json_put_str(out_json *j, const char *key, wtr_str s)
{
	out_json_key(j, key);
	out_json_str(j, s);
}

void out_json_put_text(out_json *j, const char *key, const char *s)
{
	out_json_key(j, key);
	out_json_text(j, s);
}

void out_json_put_i64(out_json *j, const char *key, int64_t v)
{
	out_json_key(j, key);
	out_json_i64(j, v);
}

void out_json_put_u64(out_json *j, const char *key, uint64_t v)
{
	out_json_key(j, key);
	out_json_u64(j, v);
}

void out_json_put_bool(out_json *j, const char *key, bool v)
{
	out_json_key(j, key);
	out_json_bool(j, v);
}

void out_json_put_null(out_json *j, const char *key)
{
	out_json_key(j, key);
	out_json_null(j);
}

void out_json_put_ns(out_json *j, const char *key, int64_t t_ns, int64_t from_ns)
{
	out_json_key(j, key);
	out_json_ns(j, t_ns, from_ns);
}

void out_json_put_id(out_json *j, const char *key, int64_t id)
{
	out_json_key(j, key);
	if (id == WTR_NONE)
		out_json_null(j);
	else
		out_json_i64(j, id);
}

void out_json_frames(out_json *j, const wtr_frame *frames, size_t n)
{
	out_json_array(j);
	for (size_t i = 0; i < n; i++) {
		out_json_object(j);
		out_json_put_str(j, "func", frames[i].func);
		out_json_put_str(j, "file", frames[i].file);
		out_json_put_u64(j, "line", frames[i].line);
		out_json_key(j, "pc");
		out_json_hex(j, frames[i].pc);
		out_json_object_end(j);
	}
	out_json_array_end(j);
}
