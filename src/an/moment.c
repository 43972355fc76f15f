/* an/moment.c - times and periods as users write them. */
#include <string.h>

#include <wtr/where.h>

#include "read/source.h"

#define DAY_NS (INT64_C(86400) * 1000000000)

#define WRONG(err, at, rule, fmt, text, n) \
	wtr__fail(err, WTR_E_USAGE, (at), 0, WTR_NONE, "", rule, fmt, (int)((n) < 60 ? (n) : 60), (text))

/* ---- durations ---- */

static const struct unit {
	const char *name;
	int64_t ns;
} units[] = {
	{ "", 1 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 },
	{ "\xce\xbcs", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", INT64_C(60000000000) },
	{ "h", INT64_C(3600000000000) },
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from *i on; false when there are none or they do not fit. */
static bool whole(const char *at, size_t n, size_t *i, int64_t *ret)
{
	size_t from = *i;
	int64_t v = 0;
	for (; *i < n && digit(at[*i]); ++*i)
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
			__builtin_add_overflow(v, (int64_t)(at[*i] - '0'), &v))
			return false;
	*ret = v;
	return *i > from;
}

__extension__ typedef __int128 i128;

/* The digits behind a point, of a unit, to the nearest nanosecond. */
static void fraction(const char *at, size_t n, size_t *i, int64_t unit, int64_t *ret)
{
	enum { DIGITS_MAX = 18 };
	int64_t v = 0, scale = 1;
	for (unsigned k = 0; *i < n && digit(at[*i]); ++*i)
		if (k++ < DIGITS_MAX) {
			v = v * 10 + (at[*i] - '0');
			scale *= 10;
		}
	*ret = (int64_t)(((i128)v * unit + scale / 2) / scale);
}

bool wtr_duration_parse(const char *at, size_t n, int64_t *ret_ns)
{
	size_t i = 0, point = 0;
	int64_t v = 0, part = 0;
	if (!whole(at, n, &i, &v) && (i >= n || at[i] != '.'))
		return false;
	if (i < n && at[i] == '.') {
		point = ++i;
		while (i < n && digit(at[i]))
			i++;
		if (i == point)
			return false;
	}
	for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
		if (strlen(units[u].name) != n - i || (n > i && memcmp(units[u].name, at + i, n - i) != 0))
			continue;
		if (point)
			fraction(at, n, &point, units[u].ns, &part);
		if (__builtin_mul_overflow(v, units[u].ns, &v) || __builtin_add_overflow(v, part, &v))
			return false;
		*ret_ns = v;
		return true;
	}
	return false;
}

/* ---- wall clocks ---- */

/* Exactly `digits` digits, at most `most`. */
static bool field(const char *at, size_t n, size_t *i, unsigned digits, int64_t most, int64_t *ret)
{
	size_t from = *i;
	return n - from >= digits && whole(at, from + digits, i, ret) && *i == from + digits && *ret <= most;
}

static bool skip(const char *at, size_t n, size_t *i, char c)
{
	if (*i >= n || at[*i] != c)
		return false;
	++*i;
	return true;
}

/* HH:MM[:SS[.fraction]] as ns since midnight. */
static bool time_of_day(const char *at, size_t n, size_t *i, int64_t *ret)
{
	int64_t h, m, s = 0, ns = 0;
	if (!field(at, n, i, 2, 23, &h) || !skip(at, n, i, ':') || !field(at, n, i, 2, 59, &m))
		return false;
	if (skip(at, n, i, ':')) {
		if (!field(at, n, i, 2, 59, &s))
			return false;
		if (*i + 1 < n && at[*i] == '.' && digit(at[*i + 1])) {
			++*i;
			fraction(at, n, i, 1000000000, &ns);
		}
	}
	*ret = ((h * 60 + m) * 60 + s) * 1000000000 + ns;
	return true;
}

/* Days since 1970 of a date of the Gregorian calendar. */
static int64_t days(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2; /* years that begin in March, so that a leap day is the last one */
	int64_t era = y / 400, year = y % 400;
	int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

/* Z, +HH:MM, -HH:MM or nothing (UTC): ns to subtract. */
static bool zone(const char *at, size_t n, size_t *i, int64_t *ret)
{
	int64_t h, m;
	*ret = 0;
	if (*i == n || skip(at, n, i, 'Z'))
		return true;
	bool west = at[*i] == '-';
	if (!west && at[*i] != '+')
		return false;
	++*i;
	if (!field(at, n, i, 2, 23, &h) || !skip(at, n, i, ':') || !field(at, n, i, 2, 59, &m))
		return false;
	*ret = (h * 60 + m) * 60 * INT64_C(1000000000) * (west ? -1 : 1);
	return true;
}

static bool wall(const char *at, size_t n, wtr_moment *ret)
{
	int64_t y, mo, d, day, off;
	size_t i = 0;
	if (field(at, n, &i, 4, 2200, &y) && skip(at, n, &i, '-') && field(at, n, &i, 2, 12, &mo) &&
		skip(at, n, &i, '-') && field(at, n, &i, 2, 31, &d) && i < n && (at[i] == 'T' || at[i] == ' ')) {
		i++;
		if (y < 1970 || mo < 1 || d < 1 || !time_of_day(at, n, &i, &day) || !zone(at, n, &i, &off) || i != n)
			return false;
		*ret = (wtr_moment){ WTR_MOMENT_WALL, days(y, mo, d) * DAY_NS + day - off };
		return true;
	}
	i = 0;
	if (!time_of_day(at, n, &i, &day) || !zone(at, n, &i, &off) || i != n)
		return false;
	*ret = (wtr_moment){ WTR_MOMENT_CLOCK, ((day - off) % DAY_NS + DAY_NS) % DAY_NS };
	return true;
}

/* ---- moments and periods ---- */

static bool signed_ns(const char *at, size_t n, int64_t *ret)
{
	bool minus = n && at[0] == '-';
	if (!wtr_duration_parse(at + minus, n - minus, ret))
		return false;
	*ret = minus ? -*ret : *ret;
	return true;
}

static bool moment(const char *at, size_t n, wtr_moment *ret)
{
	int64_t ns;
	if (n == 0)
		return false;
	if (at[0] == '@' && signed_ns(at + 1, n - 1, &ns))
		*ret = (wtr_moment){ WTR_MOMENT_ABSOLUTE, ns };
	else if (at[0] == '-' && wtr_duration_parse(at + 1, n - 1, &ns))
		*ret = (wtr_moment){ WTR_MOMENT_BEFORE, ns };
	else if (wtr_duration_parse(at, n, &ns))
		*ret = (wtr_moment){ WTR_MOMENT_SINCE, ns };
	else
		return wall(at, n, ret);
	return true;
}

#define FORMS "1.2s, 300ms, -5ms (before the end), @123 (the trace's clock), 15:04:05.5 or 2026-11-24T15:04:05Z"

wtr_code wtr_moment_parse(const char *at, size_t n, wtr_moment *ret, wtr_error *err)
{
	if (moment(at, n, ret))
		return WTR_OK;
	return WRONG(err, 0, "range.time", "'%.*s' is no time; times are " FORMS, at, n);
}

wtr_code wtr_period_parse(const char *at, size_t n, wtr_period *ret, wtr_error *err)
{
	wtr_period p = { 0 };
	size_t dots = 0;
	while (dots + 1 < n && (at[dots] != '.' || at[dots + 1] != '.'))
		dots++;
	if (dots + 1 >= n)
		return WRONG(err, 0, "range.dots",
			"'%.*s' is no range; a range is T0..T1, such as 1.2s..1.35s, 1.2s..+5ms, ..2s or -1s..", at, n);
	const char *second = at + dots + 2;
	size_t rest = n - dots - 2;
	if (dots && wtr_moment_parse(at, dots, &p.from, err) != WTR_OK)
		return WTR_E_USAGE;
	int64_t ns;
	if (rest && second[0] == '+' && wtr_duration_parse(second + 1, rest - 1, &ns)) {
		p.to = (wtr_moment){ WTR_MOMENT_AFTER, ns };
	} else if (rest && !moment(second, rest, &p.to)) {
		return WRONG(err, dots + 2, "range.time",
			"'%.*s' is no time; times are " FORMS ", and +5ms for so much after the beginning", second,
			rest);
	}
	*ret = p;
	return WTR_OK;
}

static bool needs_totals(wtr_moment m)
{
	return m.kind == WTR_MOMENT_BEFORE || m.kind == WTR_MOMENT_WALL || m.kind == WTR_MOMENT_CLOCK;
}

bool wtr_period_needs_totals(const wtr_period *p)
{
	return needs_totals(p->from) || needs_totals(p->to);
}

static int64_t sum(int64_t a, int64_t b)
{
	int64_t r;
	if (__builtin_add_overflow(a, b, &r))
		r = a < 0 ? INT64_MIN + 1 : INT64_MAX;
	return r;
}

/* `begin`: absolute time of the period's beginning. */
static wtr_code resolve(
	wtr_moment m, const wtr_totals *t, int64_t begin, int64_t otherwise, int64_t *ret, wtr_error *err)
{
	if ((m.kind == WTR_MOMENT_WALL || m.kind == WTR_MOMENT_CLOCK) && !t->has_wall)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "range.wall",
			"the trace does not know the wall clock (Go 1.25 and newer write it); use 1.2s..1.35s");
	int64_t wall = m.ns;
	switch (m.kind) {
	case WTR_MOMENT_SINCE: *ret = sum(t->start_ns, m.ns); break;
	case WTR_MOMENT_ABSOLUTE: *ret = m.ns; break;
	case WTR_MOMENT_BEFORE: *ret = sum(t->end_ns, -m.ns); break;
	case WTR_MOMENT_AFTER: *ret = sum(begin, m.ns); break;
	case WTR_MOMENT_CLOCK:
		wall += t->wall_start_ns - t->wall_start_ns % DAY_NS;
		if (wall < t->wall_start_ns - DAY_NS / 2) /* the trace goes over midnight */
			wall += DAY_NS;
		__attribute__((fallthrough));
	case WTR_MOMENT_WALL: *ret = sum(t->start_ns, wall - t->wall_start_ns); break;
	default: *ret = otherwise; break;
	}
	return WTR_OK;
}

static wtr_code outside(const wtr_totals *t, const char *what, wtr_error *err)
{
	double s = (double)(t->end_ns - t->start_ns) / 1e9;
	return wtr__fail(
		err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "range.outside", "the range %s; the trace is 0s..%.9gs", what, s);
}

wtr_code wtr_period_resolve(
	const wtr_period *p, const wtr_totals *t, int64_t *ret_from_ns, int64_t *ret_to_ns, wtr_error *err)
{
	int64_t from, to, behind = sum(t->end_ns, 1);
	if (resolve(p->from, t, t->start_ns, t->start_ns, &from, err) != WTR_OK ||
		resolve(p->to, t, from, behind, &to, err) != WTR_OK)
		return WTR_E_USAGE;
	if (to <= from && !(p->from.kind == WTR_MOMENT_NONE || p->to.kind == WTR_MOMENT_NONE))
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "range.order",
			"the range ends before it begins; write the earlier time first");
	if (from >= behind)
		return outside(t, "begins after the trace ends", err);
	if (to <= t->start_ns)
		return outside(t, "ends before the trace begins", err);
	*ret_from_ns = from;
	*ret_to_ns = to;
	return WTR_OK;
}
