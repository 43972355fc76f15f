/* fmt/textasm.c - from text to bytes; see text.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fmt/events.h"
#include "fmt/quote.h"
#include "fmt/rawevent.h"
#include "fmt/text.h"
#include "fmt/wire.h"

enum { VARINT_BYTES_MAX = 10 };

/* A length that is known only when what it counts has been written: the place, and the bytes it is to take (0: as few
 * as it needs). */
typedef struct gap {
	bool     open;
	size_t   at;     /* in out */
	unsigned width;
} gap;

typedef struct assembler {
	const char    *at, *end;       /* the rest of the text */
	const char    *line, *line_end;
	const char    *text;
	uint64_t       line_no;
	wb_buf        *out;
	unsigned       version;        /* 0: no header yet */
	gap            batch;          /* of the v2 batch that is open without a size */
	bool           have_line;      /* line has been read ahead */
	wf_text_error *err;
} assembler;

static bool fail(assembler *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool fail(assembler *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	*a->err =
		(wf_text_error){ .code = WF_TEXT_BROKEN, .line = a->line_no, .offset = (uint64_t)(a->line - a->text) };
	vsnprintf(a->err->what, sizeof(a->err->what), fmt, ap);
	va_end(ap);
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* A piece of a line between spaces. */
typedef struct token {
	const char *at;
	size_t      n;
} token;

static bool is(token t, const char *s)
{
	return strlen(s) == t.n && memcmp(t.at, s, t.n) == 0;
}

static bool begins(token t, const char *s)
{
	return t.n >= strlen(s) && memcmp(t.at, s, strlen(s)) == 0;
}

/* Takes the next token of the line; n is 0 at its end or at a comment. */
static token take(const char **at, const char *end)
{
	while (*at < end && is_space(**at))
		++*at;
	token t = { *at, 0 };
	if (*at < end && **at == '#')
		*at = end;
	while (*at < end && !is_space(**at) && **at != '#')
		++*at;
	t.n = (t.at < end && *t.at == '#') ? 0 : (size_t)(*at - t.at);
	return t;
}

/* Reads the next line that has something on it; false at the end. */
static bool next_line(assembler *a)
{
	if (a->have_line) {
		a->have_line = false;
		return true;
	}
	while (a->at < a->end) {
		const char *nl = memchr(a->at, '\n', (size_t)(a->end - a->at));
		a->line = a->at;
		a->line_end = nl ? nl : a->end;
		a->at = nl ? nl + 1 : a->end;
		a->line_no++;
		const char *p = a->line;
		if (take(&p, a->line_end).n)
			return true;
	}
	return false;
}

/* The next line will be read again. */
static void put_back(assembler *a)
{
	a->have_line = true;
}

static void put_varint(wb_buf *out, uint64_t v, unsigned width)
{
	char *p = wb_buf_room(out, VARINT_BYTES_MAX);
	if (!p)
		return;
	for (unsigned i = 0; i < width; i++, v = i < VARINT_BYTES_MAX ? v >> 7 : 0)
		p[i] = (char)((v & 0x7f) | (i + 1 < width ? 0x80 : 0));
	out->n += width;
}

/* Puts the length of what has been written since into a gap. */
static bool close_gap(assembler *a, gap *g)
{
	if (!g->open || a->out->failed)
		return true;
	size_t n = a->out->n - g->at;
	unsigned width = g->width ? g->width : wf_varint_width(n);
	if (width < wf_varint_width(n))
		return fail(a, "a length of %zu does not fit into a number of %u bytes", n, width);
	if (!wb_buf_room(a->out, VARINT_BYTES_MAX))
		return true;
	char *at = a->out->at + g->at;
	memmove(at + width, at, n);
	a->out->n = g->at;
	put_varint(a->out, n, width);
	a->out->n += n;
	g->open = false;
	return true;
}

/* "[-]123", "0x1f": the characters used, 0 when it is no number of 64 bits. */
static size_t parse_number(const char *at, size_t n, uint64_t *ret)
{
	size_t i = 0;
	bool minus = n && at[0] == '-';
	i += minus;
	uint64_t base = 10, v = 0;
	if (n - i > 2 && at[i] == '0' && at[i + 1] == 'x') {
		base = 16;
		i += 2;
	}
	size_t first = i;
	for (; i < n; i++) {
		uint64_t d = at[i] >= '0' && at[i] <= '9' ? (uint64_t)(at[i] - '0') :
			base == 16 && at[i] >= 'a' && at[i] <= 'f' ? (uint64_t)(at[i] - 'a' + 10) : 99;
		if (d >= base)
			break;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return 0;
	}
	if (i == first)
		return 0;
	*ret = minus ? -v : v;
	return i;
}

/* What stands behind NAME=: a number, a width, or both. */
typedef struct number {
	bool     has_value;
	uint64_t value;
	unsigned width; /* 0: not said */
} number;

static bool parse_width(assembler *a, const char *at, size_t n, unsigned *ret)
{
	uint64_t w;
	*ret = 0;
	if (n == 0)
		return true;
	if (at[0] != '/' || parse_number(at + 1, n - 1, &w) != n - 1 || w < 1 || w > VARINT_BYTES_MAX)
		return fail(a, "\"%.*s\" is not a width of 1 to 10 bytes", (int)(n < 40 ? n : 40), at);
	*ret = (unsigned)w;
	return true;
}

static bool parse_value(assembler *a, token t, const char *name, number *ret)
{
	size_t skip = strlen(name) + 1;
	if (!begins(t, name) || t.n < skip || t.at[skip - 1] != '=')
		return fail(a, "%s= expected, not \"%.*s\"", name, (int)(t.n < 40 ? t.n : 40), t.at);
	const char *v = t.at + skip;
	size_t n = t.n - skip, used = 0;
	*ret = (number){ 0 };
	if (n && v[0] != '/') {
		used = parse_number(v, n, &ret->value);
		ret->has_value = used != 0;
		if (!used)
			return fail(a, "\"%.*s\" is no number of 64 bits", (int)(n < 40 ? n : 40), v);
	}
	if (!parse_width(a, v + used, n - used, &ret->width))
		return false;
	if (!ret->has_value && !ret->width)
		return fail(a, "%s= has no number", name);
	if (ret->has_value && ret->width && ret->width < wf_varint_width(ret->value))
		return fail(a, "%s=%llu does not fit into %u bytes", name, (unsigned long long)ret->value, ret->width);
	return true;
}

static void put_number(assembler *a, number v)
{
	put_varint(a->out, v.value, v.width ? v.width : wf_varint_width(v.value));
}

/* What one event line leads to. */
typedef struct event {
	unsigned    type;
	bool        v1;
	const char *name;
	const char *at;         /* the rest of its line */
	bool        cut;
	unsigned    n_args;
	bool        is_stack, has_data;
	gap         frames;     /* number of frames not said */
	bool        has_frames;
	uint64_t    n_frames;
} event;

/* Takes NAME=NUMBER; *ret_cut when <cut> stands there instead. */
static bool take_arg(assembler *a, event *e, const char *name, number *ret, bool *ret_cut)
{
	token t = take(&e->at, a->line_end);
	*ret_cut = is(t, "<cut>");
	if (*ret_cut)
		return true;
	if (!t.n)
		return fail(a, "%s: %s= is missing", e->name, name);
	return parse_value(a, t, name, ret);
}

static bool at_line_end(assembler *a, const char *at)
{
	token t = take(&at, a->line_end);
	if (t.n)
		return fail(a, "\"%.*s\" is too much on this line", (int)(t.n < 40 ? t.n : 40), t.at);
	return true;
}

/* size= of a batch may be missing, or be a width only; nframes= too. */
static bool missing_allowed(const event *e, const char *name)
{
	return (!e->v1 && e->type == WF_EV_EVENT_BATCH && strcmp(name, "size") == 0) ||
	       (e->is_stack && strcmp(name, "nframes") == 0);
}

static bool put_arg(assembler *a, event *e, const char *name)
{
	number v = { 0 };
	const char *before = e->at;
	bool optional = missing_allowed(e, name);
	token t = take(&e->at, a->line_end);
	e->at = before;
	if (!(optional && !t.n) && !take_arg(a, e, name, &v, &e->cut))
		return false;
	if (e->cut)
		return true;
	if (!v.has_value && !optional)
		return fail(a, "%s= has no number", name);
	if (!v.has_value) {
		gap *g = e->is_stack ? &e->frames : &a->batch;
		*g = (gap){ true, a->out->n, v.width };
		return true;
	}
	if (e->is_stack && strcmp(name, "nframes") == 0) {
		e->has_frames = true;
		e->n_frames = v.value;
	}
	if (!e->v1 && e->type == WF_EV_EXPERIMENTAL_BATCH && strcmp(name, "exp") == 0) {
		if (v.value > 255)
			return fail(a, "exp=%llu does not fit into a byte", (unsigned long long)v.value);
		wb_buf_putc(a->out, (char)v.value);
		return true;
	}
	put_number(a, v);
	return true;
}

static const char *arg_name(const event *e, unsigned i)
{
	return e->v1 ? wf_v1_arg_name(e->type, i) : wf_specs[e->type].args[i].name;
}

static bool put_args(assembler *a, event *e)
{
	for (unsigned i = 0; i < e->n_args && !e->cut; i++)
		if (!put_arg(a, e, arg_name(e, i)))
			return false;
	return at_line_end(a, e->at);
}

/* The frames of a stack, one a line. */
static bool put_frame(assembler *a, event *e)
{
	static const char *const names[4] = { "pc", "func", "file", "line" };
	e->at = a->line;
	for (int i = 0; i < 4 && !e->cut; i++)
		if (!put_arg(a, e, names[i]))
			return false;
	return at_line_end(a, e->at);
}

static bool put_frames(assembler *a, event *e)
{
	uint64_t n = 0;
	e->is_stack = false; /* pc= and so on are ordinary arguments */
	size_t from = a->out->n;
	while (!e->cut && next_line(a)) {
		const char *p = a->line;
		token t = take(&p, a->line_end);
		if (!begins(t, "pc=") && !is(t, "<cut>")) {
			put_back(a);
			break;
		}
		if (!put_frame(a, e))
			return false;
		n += !e->cut;
	}
	if (e->has_frames && n != e->n_frames && !e->cut)
		return fail(a, "nframes=%llu, but %llu follow", (unsigned long long)e->n_frames, (unsigned long long)n);
	if (!e->frames.open || !wb_buf_room(a->out, VARINT_BYTES_MAX))
		return true;
	/* Not a length but a number goes into this gap. */
	unsigned width = e->frames.width ? e->frames.width : wf_varint_width(n);
	if (width < wf_varint_width(n))
		return fail(a, "%llu frames do not fit into a number of %u bytes", (unsigned long long)n, width);
	size_t len = a->out->n - from;
	memmove(a->out->at + from + width, a->out->at + from, len);
	a->out->n = from;
	put_varint(a->out, n, width);
	a->out->n += len;
	return true;
}

/* data="..." on a line of its own. */
static bool put_data(assembler *a, event *e)
{
	if (e->cut)
		return true;
	if (!next_line(a))
		return fail(a, "%s: a line with data= is missing", e->name);
	const char *p = a->line;
	while (p < a->line_end && is_space(*p))
		p++;
	token rest = { p, (size_t)(a->line_end - p) };
	if (is((token){ p, rest.n < 5 ? rest.n : 5 }, "<cut>"))
		return at_line_end(a, p + 5);
	if (!begins(rest, "data="))
		return fail(a, "%s: a line with data= is missing", e->name);
	p += 5;
	gap len = { true, a->out->n, 0 };
	size_t used = wf_unquote(a->out, p, (size_t)(a->line_end - p));
	if (!used)
		return fail(a, "%s: the data is not a quoted text", e->name);
	p += used;
	token t = take(&p, a->line_end);
	return parse_width(a, t.at, t.n, &len.width) && at_line_end(a, p) && close_gap(a, &len);
}

/* c=N and len=N/W in front of the arguments of a v1 event. */
typedef struct v1_form {
	bool   has_c, has_len;
	number c, len;
} v1_form;

static bool take_v1_form(assembler *a, event *e, v1_form *ret)
{
	*ret = (v1_form){ 0 };
	for (;;) {
		const char *before = e->at;
		token t = take(&e->at, a->line_end);
		if (begins(t, "c=")) {
			ret->has_c = true;
			if (!parse_value(a, t, "c", &ret->c) || !ret->c.has_value || ret->c.value > 3)
				return fail(a, "c= is not 0 to 3");
		} else if (begins(t, "len=")) {
			ret->has_len = true;
			if (!parse_value(a, t, "len", &ret->len))
				return false;
		} else {
			e->at = before;
			return true;
		}
	}
}

/* The first byte, and whether a length stands in front of the arguments. */
static void put_v1_start(assembler *a, const event *e, const v1_form *f, gap *len)
{
	unsigned count = e->type == WF_V1_String ? 0 : e->n_args > 3 || e->is_stack || f->has_len ? 3 : e->n_args - 1;
	if (f->has_c)
		count = (unsigned)f->c.value;
	wb_buf_putc(a->out, (char)(e->type | count << 6));
	if (count != 3 || e->type == WF_V1_String)
		return;
	if (f->len.has_value) {
		put_number(a, f->len);
		return;
	}
	*len = (gap){ true, a->out->n, f->has_len ? f->len.width : e->is_stack ? WF_V1_LENGTH_WIDTH_STACK : 0 };
}

static bool put_v1_event(assembler *a, event *e)
{
	v1_form f;
	gap len = { 0 };
	if (!take_v1_form(a, e, &f))
		return false;
	bool is_stack = e->is_stack;
	put_v1_start(a, e, &f, &len);
	if (!put_args(a, e) || (is_stack && !put_frames(a, e)) || !close_gap(a, &len))
		return false;
	return !e->has_data || put_data(a, e);
}

static bool put_v2_event(assembler *a, event *e)
{
	if (wf_specs[e->type].cls == WF_CLASS_BATCH && !close_gap(a, &a->batch))
		return false;
	wb_buf_putc(a->out, (char)e->type);
	bool is_stack = e->is_stack;
	if (!put_args(a, e) || (is_stack && !put_frames(a, e)))
		return false;
	return !e->has_data || put_data(a, e);
}

static unsigned v1_by_name(token t)
{
	for (unsigned i = 1; i < WF_V1_COUNT; i++)
		if (wf_v1_specs[i].name && is(t, wf_v1_specs[i].name))
			return i;
	return 0;
}

static bool put_event(assembler *a, token name, const char *rest)
{
	event e = { .v1 = wf_version_is_v1(a->version), .at = rest };
	e.type = e.v1 ? v1_by_name(name) : wf_event_by_name(name.at, (unsigned)name.n);
	if (!e.type)
		return fail(a, "\"%.*s\" is no event", (int)(name.n < 40 ? name.n : 40), name.at);
	if (e.v1) {
		e.name = wf_v1_specs[e.type].name;
		e.n_args = wf_v1_n_args(e.type);
		e.is_stack = e.type == WF_V1_Stack;
		e.has_data = e.type == WF_V1_String || e.type == WF_V1_UserLog;
		return put_v1_event(a, &e);
	}
	e.name = wf_specs[e.type].name;
	e.n_args = wf_specs[e.type].n_args;
	e.is_stack = e.type == WF_EV_STACK;
	e.has_data = e.type == WF_EV_STRING || e.type == WF_EV_EXPERIMENTAL_BATCH;
	return put_v2_event(a, &e);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool put_bytes(assembler *a, const char *at)
{
	token t;
	while ((t = take(&at, a->line_end)).n) {
		if (t.n % 2)
			return fail(a, "an odd number of hexadecimal digits");
		for (size_t i = 0; i < t.n; i += 2) {
			int hi = hex_digit(t.at[i]), lo = hex_digit(t.at[i + 1]);
			if (hi < 0 || lo < 0)
				return fail(a, "\"%.2s\" is no byte in hexadecimal", t.at + i);
			wb_buf_putc(a->out, (char)(hi << 4 | lo));
		}
	}
	return true;
}

/* "Trace Go1.26" */
static bool put_header(assembler *a, const char *at)
{
	token t = take(&at, a->line_end);
	uint64_t v;
	if (!begins(t, "Go1.") || parse_number(t.at + 4, t.n - 4, &v) != t.n - 4 || v < 1 || v > 999999)
		return fail(a, "\"Trace Go1.\" and a version expected");
	a->version = (unsigned)v;
	wb_buf_printf(a->out, "go 1.%u trace", a->version);
	wb_buf_put(a->out, "\0\0", 3);
	return at_line_end(a, at);
}

static bool put_line(assembler *a)
{
	const char *p = a->line;
	token t = take(&p, a->line_end);
	if (is(t, "Bytes"))
		return put_bytes(a, p);
	if (is(t, "Trace")) {
		if (a->version)
			return fail(a, "a second \"Trace\" line");
		return put_header(a, p);
	}
	if (!a->version)
		return fail(a, "\"Trace Go1.NN\" expected");
	return put_event(a, t, p);
}

wf_text_code wf_text_assemble(const char *at, size_t n, wb_buf *out, wf_text_error *ret)
{
	wf_text_error err = { 0 };
	assembler a = { .at = at, .end = at + n, .line = at, .text = at, .out = out, .err = &err };
	size_t before = out->n;
	bool ok = true;
	while (ok && !out->failed && next_line(&a))
		ok = put_line(&a);
	ok = ok && close_gap(&a, &a.batch);
	if (out->failed)
		err.code = WF_TEXT_NOMEM;
	if (err.code != WF_TEXT_OK)
		out->n = before;
	if (ret)
		*ret = err;
	return err.code;
}
