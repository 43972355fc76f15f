/* an/diff_limit.c - "sched.p99:+10%": what must not get worse. */
#include <stdlib.h>
#include <string.h>

#include "an/side.h"
#include "read/source.h"

static wtr_code wrong(wtr_error *err, size_t at, const char *what)
{
	return wtr__fail(err, WTR_E_USAGE, at, 0, WTR_NONE, "", "limit", "%s", what);
}

static bool is(wtr_str s, const char *word)
{
	return strlen(word) == s.n && memcmp(word, s.at, s.n) == 0;
}

/* A state by its name on a lane, or as the profiles name it. */
static bool find_class(wtr_str word, unsigned *ret)
{
	static const struct {
		const char *name;
		unsigned cls;
	} more[] = { { "exec", WTR_CLASS_RUNNING }, { "sched", WTR_CLASS_RUNNABLE }, { "net", WTR_CLASS_NETWORK },
		{ "block", WTR_CLASS_BLOCKED } };
	for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++)
		if (is(word, more[i].name)) {
			*ret = more[i].cls;
			return true;
		}
	for (unsigned c = WTR_CLASS_RUNNING; c < WTR_CLASS_COUNT; c++)
		if (is(word, wtr_class_name(c))) {
			*ret = c;
			return true;
		}
	return false;
}

/* The part of `s` behind its last `mark`; `s` loses it, and the mark.  Length 0 with at NULL: there is none. */
static wtr_str take_last(wtr_str *s, char mark)
{
	for (size_t i = s->n; i-- > 0;)
		if (s->at[i] == mark) {
			wtr_str last = { s->at + i + 1, s->n - i - 1 };
			s->n = i;
			return last;
		}
	return (wtr_str){ NULL, 0 };
}

static bool find_stat(wtr_str word, wtr_stat *ret)
{
	for (unsigned k = 0; k < WTR_STAT_COUNT; k++)
		if (word.at && is(word, wtr_stat_name(k))) {
			*ret = (wtr_stat)k;
			return true;
		}
	return false;
}

/* "+10%" or "+5ms". */
static bool parse_more(wtr_str s, wtr_limit *ret)
{
	int64_t ns;
	if (s.n < 2 || s.at[0] != '+')
		return false;
	if (s.at[s.n - 1] == '%') {
		char number[32], *end;
		size_t n = s.n - 2;
		if (n == 0 || n >= sizeof(number) || strspn(s.at + 1, "0123456789.") < n)
			return false;
		memcpy(number, s.at + 1, n);
		number[n] = 0;
		ret->percent = true;
		ret->more = strtod(number, &end);
		return *end == 0;
	}
	if (ret->stat == WTR_STAT_RATE || !wtr_duration_parse(s.at + 1, s.n - 1, &ns))
		return false;
	ret->more = (double)ns;
	return true;
}

/* "sched", "task=order", "region=load", "range=GC concurrent mark phase", "fn=main.worker.block" */
static wtr_code parse_what(wtr_str s, wtr_limit *ret, wtr_error *err)
{
	static const struct {
		const char *word;
		wtr_diff_kind kind;
	} named[] = { { "task=", WTR_DIFF_TASK }, { "region=", WTR_DIFF_REGION }, { "range=", WTR_DIFF_RANGE },
		{ "fn=", WTR_DIFF_GROUP } };
	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		size_t n = strlen(named[i].word);
		if (s.n < n || memcmp(s.at, named[i].word, n) != 0)
			continue;
		ret->kind = named[i].kind;
		ret->name = (wtr_str){ s.at + n, s.n - n };
		if (ret->kind == WTR_DIFF_GROUP && !find_class(take_last(&ret->name, '.'), &ret->cls))
			return wrong(err, s.n, "a state is wanted behind the function: fn=main.worker.sched.p99:+10%");
		return WTR_OK;
	}
	ret->kind = WTR_DIFF_STATE;
	ret->name = (wtr_str){ "", 0 };
	if (find_class(s, &ret->cls))
		return WTR_OK;
	return wrong(err, 0,
		"exec, sched, block, lock, network, syscall, sleep or gc is wanted, or task=TYPE, region=TYPE, "
		"range=NAME, fn=FUNCTION.STATE");
}

wtr_code wtr_limit_parse(const char *at, size_t n, wtr_limit *ret, wtr_error *err)
{
	wtr_limit l = { 0 };
	wtr_str what = { at, n }, more = take_last(&what, ':');
	if (!more.at)
		return wrong(err, n, "how much more is allowed? sched.p99:+10%, or :+5ms");
	wtr_str stat = take_last(&what, '.');
	if (!find_stat(stat, &l.stat))
		return wrong(err, what.n + (stat.at != NULL),
			"rate, time, mean, p50, p90, p99, p999 or max is wanted before the colon: sched.p99:+10%");
	if (!parse_more(more, &l))
		return wrong(err, (size_t)(more.at - at), "+10% is wanted, or a time such as +5ms (not for a rate)");
	wtr_code rc = parse_what(what, &l, err);
	if (rc == WTR_OK)
		*ret = l;
	return rc;
}

/* ---- checking ---- */

static bool about(const wtr_limit *l, const wtr_diff_row *r)
{
	return r->kind == l->kind && r->cls == l->cls && r->name.n == l->name.n &&
	       (l->name.n == 0 || memcmp(r->name.at, l->name.at, l->name.n) == 0);
}

static wtr_limit_verdict verdict(const wtr_limit *l, const wtr_diff_row *r)
{
	const wtr_change *c = &r->stats[l->stat];
	double allowed = l->percent ? c->a * (1 + l->more / 100) : c->a + l->more;
	if (c->b <= allowed)
		return WTR_LIMIT_KEPT;
	return c->known && !c->sure ? WTR_LIMIT_CHANCE : WTR_LIMIT_EXCEEDED;
}

wtr_limit_verdict wtr_limit_check(const wtr_limit *l, const wtr_diff *d, const wtr_diff_row **ret_row)
{
	const wtr_diff_row *rows;
	size_t n = wtr_diff_rows(d, &rows);
	wtr_limit_verdict worst = WTR_LIMIT_NOTHING;
	*ret_row = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!about(l, &rows[i]))
			continue;
		wtr_limit_verdict v = verdict(l, &rows[i]);
		if (*ret_row && v <= worst)
			continue;
		worst = v;
		*ret_row = &rows[i];
	}
	return worst;
}
