/* serve/args.c - queries: percent-decoding, and arguments checked against api.def. */
#include <stddef.h>
#include <string.h>

#include "serve/site.h"

typedef enum arg_kind { ARG_INT, ARG_TEXT } arg_kind;

typedef struct arg_spec {
	ws_api_id api;
	const char *name;
	arg_kind kind;
	bool need;
	int64_t least, most;
	size_t at; /* in ws_args */
} arg_spec;

static const arg_spec specs[] = {
#define API(name, path, early, doc)
#define ARG(api, kind, name, need, least, most, doc) \
	{ WS_API_##api, #name, ARG_##kind, need, least, most, offsetof(ws_##api##_args, name) },
#define END(name)
#include "serve/api.def"
};
#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes [p, end) to `to`; the end of what was written, or NULL for a broken escape. */
static char *decode(const char *p, const char *end, char *to)
{
	while (p < end) {
		if (*p == '%') {
			if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
				return NULL;
			*to++ = (char)(hex(p[1]) << 4 | hex(p[2]));
			p += 3;
		} else {
			*to++ = *p == '+' ? ' ' : *p;
			p++;
		}
	}
	return to;
}

/* A decimal integer, the whole text, within int64. */
static bool integer(wtr_str s, int64_t *ret)
{
	bool minus = s.n && s.at[0] == '-';
	size_t i = minus;
	int64_t v = 0;
	if (i == s.n)
		return false;
	for (; i < s.n; i++) {
		int d = s.at[i] - '0';
		if (d < 0 || d > 9 || __builtin_mul_overflow(v, (int64_t)10, &v) ||
			__builtin_sub_overflow(v, (int64_t)d, &v))
			return false;
	}
	if (!minus && v == INT64_MIN)
		return false;
	*ret = minus ? v : -v;
	return true;
}

static bool check(const arg_spec *spec, unsigned place, wtr_str value, ws_args *args, ws_answer *ret)
{
	unsigned *given = (unsigned *)args; /* the first member of each */
	if (*given >> place & 1) {
		ws_refuse(ret, 400, "%s is given twice", spec->name);
		return false;
	}
	*given |= 1u << place;
	if (spec->kind == ARG_TEXT) {
		if (value.n < (uint64_t)spec->least || value.n > (uint64_t)spec->most) {
			ws_refuse(ret, 400, "%s must have %lld to %lld bytes", spec->name, (long long)spec->least,
				(long long)spec->most);
			return false;
		}
		memcpy((char *)args + spec->at, &value, sizeof(value));
		return true;
	}
	int64_t v;
	if (!integer(value, &v) || v < spec->least || v > spec->most) {
		ws_refuse(ret, 400, "%s must be an integer from %lld to %lld", spec->name, (long long)spec->least,
			(long long)spec->most);
		return false;
	}
	memcpy((char *)args + spec->at, &v, sizeof(v));
	return true;
}

static bool one(ws_api_id api, wtr_str name, wtr_str value, ws_args *args, ws_answer *ret)
{
	unsigned place = 0;
	for (size_t i = 0; i < N_SPECS; i++) {
		if (specs[i].api != api)
			continue;
		if (strlen(specs[i].name) == name.n && !memcmp(specs[i].name, name.at, name.n))
			return check(&specs[i], place, value, args, ret);
		place++;
	}
	ws_refuse(ret, 400, "there is no argument '%.*s' here", (int)(name.n > 40 ? 40 : name.n), name.at);
	return false;
}

static bool all_needed(ws_api_id api, const ws_args *args, ws_answer *ret)
{
	unsigned place = 0, given = *(const unsigned *)args;
	for (size_t i = 0; i < N_SPECS; i++) {
		if (specs[i].api != api)
			continue;
		if (specs[i].need && !(given >> place & 1)) {
			ws_refuse(ret, 400, "%s is missing", specs[i].name);
			return false;
		}
		place++;
	}
	return true;
}

bool ws_args_parse(ws_api_id api, const char *query, char *room, ws_args *args, ws_answer *ret)
{
	memset(args, 0, sizeof(*args));
	while (*query) {
		const char *end = query + strcspn(query, "&");
		const char *eq = memchr(query, '=', (size_t)(end - query));
		const char *name_end = eq ? eq : end;
		if (end > query) {
			char *value = decode(query, name_end, room);
			char *stop = value ? decode(eq ? eq + 1 : end, end, value) : NULL;
			if (!stop) {
				ws_refuse(ret, 400, "a %%-escape is broken");
				return false;
			}
			wtr_str n = { room, (size_t)(value - room) }, v = { value, (size_t)(stop - value) };
			if (!one(api, n, v, args, ret))
				return false;
			room = stop;
		}
		query = *end ? end + 1 : end;
	}
	return all_needed(api, args, ret);
}

/* Digits only; a leading minus never. */
static bool lane_id(const char *p, size_t n, int64_t most, int64_t *ret)
{
	return n && p[0] != '-' && integer((wtr_str){ p, n }, ret) && *ret <= most;
}

bool ws_lane_parse(wtr_str s, wtr_lane *ret)
{
	wtr_lane l = { 0 };
	if (s.n == 2 && !memcmp(s.at, "gc", 2)) {
		l.kind = WTR_LANE_GC;
	} else if (s.n == 3 && !memcmp(s.at, "stw", 3)) {
		l.kind = WTR_LANE_STW;
	} else {
		static const struct {
			char letter;
			wtr_lane_kind kind;
		} kinds[] = { { 'p', WTR_LANE_PROC }, { 'm', WTR_LANE_THREAD }, { 'g', WTR_LANE_GOROUTINE },
			{ 'G', WTR_LANE_GROUP } };
		size_t k = 0;
		while (k < 4 && (!s.n || s.at[0] != kinds[k].letter))
			k++;
		if (k == 4 || !lane_id(s.at + 1, s.n - 1, k == 3 ? UINT32_MAX : INT64_MAX, &l.id))
			return false;
		l.kind = kinds[k].kind;
	}
	*ret = l;
	return true;
}
