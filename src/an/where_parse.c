/* an/where_parse.c - the filter language: text to terms and a tree.
 *
 *	either  = all { "|" all }
 *	all     = one { one }
 *	one     = "-" one | "(" either ")" | [ key ":" ] value
 *
 * A value ends at white space, at "|" and at a parenthesis that it did not open itself, so that main.(*T).run needs no
 * quotes; in quotes only \" is special, so that regular expressions stay readable.
 */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "an/where.h"
#include "base/buf.h"
#include "read/source.h"

typedef enum type { ANY, NUMBER, DURATION, TEXT, WHO, NAMED, STATE, NAME, PERIOD } type;

#define G          WTR_ABOUT_GOROUTINE
#define S          WTR_ABOUT_SPAN
#define E          WTR_ABOUT_EVENT
#define T          WTR_ABOUT_TASK
#define R          WTR_ABOUT_REGION
#define WTR_PART_0 0
static const struct {
	const char *name, *doc;
	uint8_t type;
	uint8_t about, parts;
} fields[AN_FIELD_COUNT] = {
	[AN_FIELD_ANY] = { "", "", ANY, G | S | E | T | R, 0 },
#define FIELD(ID, name, TYPE, about, parts, doc) [AN_FIELD_##ID] = { #name, doc, TYPE, about, WTR_PART_##parts },
#include "an/where.def"
};

static const struct {
	const char *name;
	uint32_t bits;
} states[] = {
	{ "running", 1u << WTR_G_RUNNING },
	{ "runnable", 1u << WTR_G_RUNNABLE },
	{ "waiting", 1u << WTR_G_WAITING },
	{ "syscall", 1u << WTR_G_SYSCALL },
	{ "ended", 1u << WTR_G_NOTEXIST },
	{ "blocked", 1u << 16 << WTR_CLASS_BLOCKED },
	{ "lock", 1u << 16 << WTR_CLASS_LOCK },
	{ "network", 1u << 16 << WTR_CLASS_NETWORK },
	{ "sleep", 1u << 16 << WTR_CLASS_SLEEP },
	{ "gc", 1u << 16 << WTR_CLASS_GC },
};

const char *wtr_where_field(unsigned i, const char **ret_doc, unsigned *ret_about)
{
	if (i + 1 >= AN_FIELD_COUNT)
		return NULL;
	if (ret_doc)
		*ret_doc = fields[i + 1].doc;
	if (ret_about)
		*ret_about = fields[i + 1].about;
	return fields[i + 1].name;
}

const char *wtr_where_fields(wtr_about about)
{
	switch (about) {
#define LIST(ID, text) \
	case WTR_ABOUT_##ID: return text;
		LIST(GOROUTINE, "g, fn, creator, state, reason, dur, stack, task, region, range")
		LIST(SPAN, "g, fn, creator, state, reason, dur, stack, waker, p, m, task, region, range")
		LIST(EVENT, "g, fn, creator, stack, p, m, kind, type, task, region, log, range")
		LIST(TASK, "dur, task, log, range")
		LIST(REGION, "g, fn, creator, dur, stack, task, region, range")
#undef LIST
	}
	return "";
}

typedef struct parser {
	wtr_where *w;
	const char *at;
	size_t n, i;
	unsigned depth;
	wtr_error *err;
	wtr_code code;
} parser;

#define WRONG(p, place, rule, ...) \
	((p)->code = wtr__fail((p)->err, WTR_E_USAGE, (place), 0, WTR_NONE, "", rule, __VA_ARGS__), false)

static bool no_memory(parser *p)
{
	p->code = wtr__fail(p->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	return false;
}

static bool space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(parser *p)
{
	while (p->i < p->n && space(p->at[p->i]))
		p->i++;
}

static bool add_node(parser *p, unsigned kind, uint32_t a, uint32_t b, uint32_t *ret)
{
	*ret = (uint32_t)p->w->nodes.n;
	return wb_vec_add(&p->w->nodes, (an_branch){ kind, a, b }) || no_memory(p);
}

/* ---- values ---- */

/* "..." from p->i on: what is inside, \" being a quote. */
static bool quoted(parser *p, wtr_str *ret)
{
	size_t from = p->i++, n = 0;
	char *to = wb_push(&p->w->arena, p->n - from + 1, 1);
	if (!to)
		return no_memory(p);
	for (; p->i < p->n && p->at[p->i] != '"'; p->i++) {
		if (p->at[p->i] == '\\' && p->i + 1 < p->n && p->at[p->i + 1] == '"')
			p->i++;
		to[n++] = p->at[p->i];
	}
	if (p->i == p->n)
		return WRONG(p, from, "filter.quote", "the quote that begins here does not end; add a \"");
	p->i++;
	*ret = (wtr_str){ to, n };
	return true;
}

static bool bare(parser *p, wtr_str *ret)
{
	size_t from = p->i, open = 0;
	for (; p->i < p->n && !space(p->at[p->i]); p->i++) {
		char c = p->at[p->i];
		if (c == '(')
			open++;
		else if (c == ')' && open-- == 0)
			break;
		else if (c == '|' && open == 0)
			break;
	}
	char *to = wb_copy(&p->w->arena, p->at + from, p->i - from);
	*ret = (wtr_str){ to, p->i - from };
	return to || no_memory(p);
}

/* Expressions that take memory or time out of proportion in libc are refused: repeated repetitions, back references. */
static bool tame(parser *p, wtr_str s, size_t at)
{
	enum { REGEX_MAX = 200, BRACES_MAX = 1, PLUS_MAX = 6, REPEAT_DIGITS = 2 };
	unsigned braces = 0, digits = 0, plus = 0;
	bool inside = false;
	if (s.n > REGEX_MAX)
		return WRONG(p, at, "filter.regex", "a regular expression has at most %d bytes", REGEX_MAX);
	for (size_t i = 0; i < s.n; i++) {
		char c = s.at[i];
		if (c == 0)
			return WRONG(p, at, "filter.regex", "a regular expression cannot hold a zero byte");
		if (c == '\\' && i + 1 < s.n && s.at[i + 1] >= '1' && s.at[i + 1] <= '9')
			return WRONG(p, at, "filter.regex", "a regular expression has no back references here");
		if (c == '\\') {
			i++; /* whatever it is, it is itself */
			continue;
		}
		braces += c == '{';
		plus += c == '+'; /* libc copies what it repeats, nested ones twice as much each */
		inside = c == '{' || (inside && c != '}');
		digits = inside && c >= '0' && c <= '9' ? digits + 1 : 0;
		if (braces > BRACES_MAX || digits > REPEAT_DIGITS || plus > PLUS_MAX)
			return WRONG(p, at, "filter.regex",
				"a regular expression has at most one {}, of at most 99, and %d times +; * is free",
				PLUS_MAX);
	}
	return true;
}

static bool compile(parser *p, an_term *t, size_t at)
{
	if (!tame(p, t->text, at))
		return false;
	t->regex = wb_malloc(sizeof(*t->regex));
	char *text = wb_copy(&p->w->arena, t->text.at, t->text.n);
	if (!t->regex || !text)
		return no_memory(p);
	int rc = regcomp(t->regex, text, REG_EXTENDED | REG_NOSUB);
	if (rc == 0)
		return true;
	char why[120];
	regerror(rc, t->regex, why, sizeof(why));
	wb_free(t->regex);
	t->regex = NULL;
	return WRONG(p, at, "filter.regex", "the regular expression is wrong: %s (POSIX extended syntax)", why);
}

static bool text_value(parser *p, an_term *t)
{
	size_t at = p->i;
	t->want = AN_WANT_PART;
	if (at < p->n && (p->at[at] == '~' || p->at[at] == '=')) {
		t->want = p->at[at] == '~' ? AN_WANT_REGEX : AN_WANT_WHOLE;
		p->i++;
	}
	if (p->i < p->n && p->at[p->i] == '"' ? !quoted(p, &t->text) : !bare(p, &t->text))
		return false;
	if (t->text.n == 0 && t->want != AN_WANT_WHOLE)
		return WRONG(p, at, "filter.value", "a text is missing here; =\"\" stands for the empty one");
	return t->want != AN_WANT_REGEX || compile(p, t, at);
}

/* One number of a term: digits, a goroutine as g17, or a duration. */
static bool number(const char *at, size_t n, bool duration, int64_t *ret)
{
	if (!duration && n > 1 && at[0] == 'g')
		at++, n--;
	if (duration)
		return wtr_duration_parse(at, n, ret);
	for (size_t i = 0; i < n; i++)
		if (at[i] < '0' || at[i] > '9')
			return false;
	return n && wtr_duration_parse(at, n, ret);
}

/* N, N..M, N.., ..M, >N, >=N, <N, <=N. */
static bool interval(wtr_str s, bool duration, an_term *t)
{
	t->want = AN_WANT_NUMBER;
	t->lo = INT64_MIN;
	t->hi = INT64_MAX;
	if (s.n && (s.at[0] == '<' || s.at[0] == '>')) {
		bool equal = s.n > 1 && s.at[1] == '=', less = s.at[0] == '<';
		int64_t v;
		if (!number(s.at + 1 + equal, s.n - 1 - equal, duration, &v))
			return false;
		if (less)
			t->hi = v - !equal;
		else
			t->lo = equal ? v : v < INT64_MAX ? v + 1 : v;
		return true;
	}
	size_t dots = 0;
	while (dots + 1 < s.n && (s.at[dots] != '.' || s.at[dots + 1] != '.'))
		dots++;
	if (dots + 1 >= s.n) {
		bool ok = number(s.at, s.n, duration, &t->lo);
		t->hi = t->lo;
		return ok;
	}
	size_t rest = s.n - dots - 2;
	if (dots == 0 && rest == 0)
		return false;
	return (dots == 0 || number(s.at, dots, duration, &t->lo)) &&
	       (rest == 0 || number(s.at + dots + 2, rest, duration, &t->hi));
}

static bool number_value(parser *p, an_term *t, bool duration)
{
	size_t at = p->i;
	wtr_str s;
	if (!bare(p, &s))
		return false;
	if (interval(s, duration, t))
		return true;
	int n = (int)(s.n < 40 ? s.n : 40);
	if (duration)
		return WRONG(p, at, "filter.duration", "'%.*s' is no duration; write 10ms, >10ms, <=1s or 1ms..5ms", n,
			s.at);
	return WRONG(p, at, "filter.number", "'%.*s' is no number; write 17, 12..15, >5 or <=5", n, s.at);
}

static bool looks_like_number(const parser *p)
{
	size_t i = p->i;
	if (i < p->n && (p->at[i] == '<' || p->at[i] == '>'))
		return true;
	i += i < p->n && p->at[i] == 'g';
	return i < p->n && p->at[i] >= '0' && p->at[i] <= '9';
}

static bool state_value(parser *p, an_term *t)
{
	size_t at = p->i;
	wtr_str s;
	if (!bare(p, &s))
		return false;
	t->want = AN_WANT_STATE;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strlen(states[i].name) == s.n && strncasecmp(states[i].name, s.at, s.n) == 0) {
			t->states = states[i].bits;
			return true;
		}
	return WRONG(p, at, "filter.state",
		"'%.*s' is no state; states are running, runnable, waiting, syscall, ended, blocked, lock, network, "
		"sleep and gc",
		(int)(s.n < 40 ? s.n : 40), s.at);
}

static bool period_value(parser *p, an_term *t)
{
	size_t at = p->i;
	wtr_str s;
	wtr_error why = { 0 };
	if (p->i < p->n && p->at[p->i] == '"' ? !quoted(p, &s) : !bare(p, &s))
		return false;
	t->want = AN_WANT_PERIOD;
	if (wtr_period_parse(s.at, s.n, &t->period, &why) == WTR_OK)
		return true;
	return WRONG(p, at + why.offset, "filter.range", "%s", why.what);
}

/* A text about names that are known beforehand. */
static bool name_value(parser *p, an_term *t)
{
	size_t at = p->i;
	wb_buf says = { 0 };
	if (!text_value(p, t))
		return false;
	bool ok = an_term_names(t, &says) || WRONG(p, at, "filter.name", "%s", wb_buf_cstr(&says));
	wb_buf_free(&says);
	return ok;
}

static bool value(parser *p, an_term *t)
{
	switch (fields[t->field].type) {
	case NUMBER: return number_value(p, t, false);
	case DURATION: return number_value(p, t, true);
	case STATE: return state_value(p, t);
	case PERIOD: return period_value(p, t);
	case NAME: return name_value(p, t);
	case WHO:
	case NAMED: return looks_like_number(p) ? number_value(p, t, false) : text_value(p, t);
	default: return text_value(p, t);
	}
}

/* ---- terms ---- */

/* The field that is named at p->i with its colon, and how long that is; AN_FIELD_ANY when there is no key. */
static bool key(parser *p, an_field *ret)
{
	size_t n = 0;
	while (p->i + n < p->n && p->at[p->i + n] >= 'a' && p->at[p->i + n] <= 'z')
		n++;
	*ret = AN_FIELD_ANY;
	if (n == 0 || p->i + n >= p->n || p->at[p->i + n] != ':')
		return true;
	for (unsigned f = 1; f < AN_FIELD_COUNT; f++) {
		if (strlen(fields[f].name) != n || memcmp(fields[f].name, p->at + p->i, n) != 0)
			continue;
		if (!(fields[f].about & p->w->about))
			return WRONG(p, p->i, "filter.field", "there is no %s here; there is %s", fields[f].name,
				wtr_where_fields(p->w->about));
		p->i += n + 1;
		*ret = (an_field)f;
		return true;
	}
	return WRONG(p, p->i, "filter.field", "there is no field '%.*s'; fields are %s", (int)(n < 30 ? n : 30),
		p->at + p->i, wtr_where_fields(p->w->about));
}

/* Which parts a term asks of an index, beyond what its field says. */
static unsigned parts_of(const wtr_where *w, const an_term *t)
{
	unsigned parts = fields[t->field].parts;
	bool by_id = t->want == AN_WANT_NUMBER;
	if (t->field == AN_FIELD_CREATOR || (t->field == AN_FIELD_WAKER && !by_id))
		parts |= WTR_PART_GOROUTINES;
	if (t->field == AN_FIELD_ANY)
		parts |= w->about == WTR_ABOUT_TASK ? WTR_PART_EVENTS : WTR_PART_EVENTS | WTR_PART_GOROUTINES;
	if (t->field == AN_FIELD_LOG && w->about == WTR_ABOUT_EVENT)
		parts = 0;
	return parts;
}

static bool term(parser *p, uint32_t *ret)
{
	wtr_where *w = p->w;
	if (w->n_terms == AN_TERMS_MAX)
		return WRONG(p, p->i, "filter.long", "a filter has at most %d terms", AN_TERMS_MAX);
	an_term *t = &w->terms[w->n_terms];
	an_field f;
	*t = (an_term){ .at = (uint32_t)p->i };
	if (!key(p, &f))
		return false;
	t->field = (uint8_t)f;
	w->n_terms++; /* before the value: what it holds is freed with the others */
	if (!value(p, t))
		return false;
	w->parts |= parts_of(w, t);
	w->timed |= f == AN_FIELD_RANGE || f == AN_FIELD_TASK || f == AN_FIELD_REGION || f == AN_FIELD_ANY;
	return add_node(p, AN_BRANCH_TERM, w->n_terms - 1, 0, ret);
}

static bool either(parser *p, uint32_t *ret);

static bool one(parser *p, uint32_t *ret)
{
	size_t at = p->i;
	uint32_t a;
	if (p->at[at] == '-') {
		p->i++;
		skip_space(p);
		if (p->i == p->n || p->at[p->i] == '|' || p->at[p->i] == ')')
			return WRONG(p, at, "filter.not", "a term is missing behind -");
		if (++p->depth > AN_WHERE_DEPTH)
			return WRONG(p, at, "filter.deep", "a filter is at most %d levels deep", AN_WHERE_DEPTH);
		bool ok = one(p, &a) && add_node(p, AN_BRANCH_NOT, a, 0, ret);
		p->depth--;
		return ok;
	}
	if (p->at[at] != '(')
		return term(p, ret);
	p->i++;
	if (++p->depth > AN_WHERE_DEPTH)
		return WRONG(p, at, "filter.deep", "a filter is at most %d levels deep", AN_WHERE_DEPTH);
	if (!either(p, ret))
		return false;
	p->depth--;
	if (p->i == p->n || p->at[p->i] != ')')
		return WRONG(p, at, "filter.parenthesis", "the parenthesis that begins here is not closed; add a )");
	p->i++;
	return true;
}

static bool all(parser *p, uint32_t *ret)
{
	skip_space(p);
	if (p->i == p->n || p->at[p->i] == '|' || p->at[p->i] == ')')
		return WRONG(p, p->i, "filter.term", "a term is missing here, such as state:runnable or main.worker");
	if (!one(p, ret))
		return false;
	for (skip_space(p); p->i < p->n && p->at[p->i] != '|' && p->at[p->i] != ')'; skip_space(p)) {
		uint32_t b;
		if (!one(p, &b) || !add_node(p, AN_BRANCH_AND, *ret, b, ret))
			return false;
	}
	return true;
}

static bool either(parser *p, uint32_t *ret)
{
	if (!all(p, ret))
		return false;
	while (p->i < p->n && p->at[p->i] == '|') {
		uint32_t b;
		p->i++;
		if (!all(p, &b) || !add_node(p, AN_BRANCH_OR, *ret, b, ret))
			return false;
	}
	return true;
}

static bool whole(parser *p)
{
	skip_space(p);
	if (p->i == p->n)
		return add_node(p, AN_BRANCH_TRUE, 0, 0, &p->w->root);
	if (!either(p, &p->w->root))
		return false;
	return p->i == p->n ||
	       WRONG(p, p->i, "filter.parenthesis", "this ) closes nothing; take it away, or open a ( before");
}

wtr_code wtr_where_parse(const char *at, size_t n, wtr_about about, wtr_where **ret, wtr_error *err)
{
	parser p = { .at = at, .n = n, .err = err };
	if (n > UINT32_MAX / 2)
		return wtr__fail(err, WTR_E_USAGE, 0, 0, WTR_NONE, "", "filter.long", "the filter is too long");
	p.w = wb_calloc(1, sizeof(*p.w));
	if (!p.w) {
		no_memory(&p);
		return p.code;
	}
	p.w->about = about;
	if (!whole(&p)) {
		wtr_where_free(p.w);
		return p.code;
	}
	*ret = p.w;
	return WTR_OK;
}

void wtr_where_free(wtr_where *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->n_terms; i++) {
		an_term *t = &w->terms[i];
		if (t->regex)
			regfree(t->regex);
		wb_free(t->regex);
		wb_free(t->rows);
		wb_idmap_free(&t->first);
		wb_idmap_free(&t->ids);
		wb_vec_free(&t->stretches);
		wb_vec_free(&t->ends);
		wb_vec_free(&t->memo);
	}
	wb_vec_free(&w->nodes);
	wb_arena_free(&w->arena);
	wb_free(w);
}

unsigned wtr_where_parts(const wtr_where *w)
{
	return w ? w->parts : 0;
}
