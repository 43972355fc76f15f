/* fmt/textdump.c - from bytes to text; see text.h. */
#include "fmt/text.h"

#include <stdio.h>
#include <string.h>

#include "fmt/events.h"
#include "fmt/quote.h"
#include "fmt/rawevent.h"
#include "fmt/wire.h"

enum { PIECE_BYTES = 64 << 10, QUOTE_BYTES = 16 << 10, HEX_BYTES = 32 };

typedef struct printer {
	wb_buf         text;
	wf_text_put   *put;
	void          *user;
	bool           stopped;
	wf_text_options opt;
	const uint8_t *base;
	uint64_t       passed;    /* told to opt.passed */
} printer;

static void flush(printer *p)
{
	if (p->text.n && !p->stopped && !p->text.failed && !p->put(p->user, p->text.at, p->text.n))
		p->stopped = true;
	p->text.n = 0;
}

static void maybe_flush(printer *p)
{
	if (p->text.n >= PIECE_BYTES)
		flush(p);
}

static bool going(const printer *p)
{
	return !p->stopped && !p->text.failed;
}

/* "/10" behind a number that takes more bytes than it needs. */
static void put_width(printer *p, unsigned width, unsigned usual)
{
	if (width == usual || p->opt.wire)
		return;
	wb_buf_putc(&p->text, '/');
	wb_buf_u64(&p->text, width);
}

static void put_arg(printer *p, const char *name, wf_varint v)
{
	wb_buf_puts(&p->text, name);
	wb_buf_putc(&p->text, '=');
	wb_buf_u64(&p->text, v.value);
	put_width(p, v.width, wf_varint_width(v.value));
}

static void put_frames(printer *p, const wf_raw_event *e)
{
	static const char *const names[4] = { "\n\tpc", " func", " file", " line" };
	wb_bytes b = e->frames;
	for (uint64_t i = 0; b.at < b.end && going(p); i++) {
		const uint8_t *from = b.at;
		uint64_t v = wb_uvarint(&b);
		put_arg(p, names[i % 4], (wf_varint){ v, (unsigned)(b.at - from) });
		maybe_flush(p);
	}
}

static void put_data(printer *p, const wf_raw_event *e)
{
	if (p->opt.wire && !e->n_data)
		return; /* as Go, which takes no bytes for no data */
	wb_buf_puts(&p->text, "\n\tdata=\"");
	for (size_t i = 0; i < e->n_data && going(p);) {
		i += wf_quote_some(&p->text, e->data + i, e->n_data - i, QUOTE_BYTES);
		maybe_flush(p);
	}
	wb_buf_putc(&p->text, '"');
	put_width(p, e->data_width, wf_varint_width(e->n_data));
}

/* What stands in front of the arguments of a v1 event when it is not as the runtime writes it. */
static void put_v1_form(printer *p, const wf_raw_event *e)
{
	bool no_length = e->type == WF_V1_String || (e->type == WF_V1_Stack && !e->v1_length_width);
	if (no_length) {
		if (e->v1_count)
			wb_buf_printf(&p->text, " c=%u", e->v1_count);
		return;
	}
	unsigned usual = e->type == WF_V1_Stack ? WF_V1_LENGTH_WIDTH_STACK : wf_v1_n_args(e->type) > 3;
	if (e->v1_length_width != usual)
		wb_buf_printf(&p->text, " len=/%u", e->v1_length_width);
}

static void put_event(printer *p, const wf_raw_event *e, unsigned version)
{
	bool v1 = wf_version_is_v1(version);
	wb_buf_puts(&p->text, v1 ? wf_v1_specs[e->type].name : wf_specs[e->type].name);
	if (v1 && !p->opt.wire)
		put_v1_form(p, e);
	for (unsigned i = 0; i < e->n_args; i++) {
		wb_buf_putc(&p->text, ' ');
		put_arg(p, v1 ? wf_v1_arg_name(e->type, i) : wf_specs[e->type].args[i].name, e->arg[i]);
	}
	if (e->is_stack)
		put_frames(p, e);
	if (e->has_data)
		put_data(p, e);
	wb_buf_putc(&p->text, '\n');
	maybe_flush(p);
}

static void put_bytes(printer *p, uint64_t from, uint64_t to)
{
	for (uint64_t i = from; i < to && going(p); i += HEX_BYTES) {
		wb_buf_puts(&p->text, "Bytes ");
		for (uint64_t k = i; k < to && k < i + HEX_BYTES; k++) {
			static const char hex[] = "0123456789abcdef";
			wb_buf_putc(&p->text, hex[p->base[k] >> 4]);
			wb_buf_putc(&p->text, hex[p->base[k] & 15]);
		}
		wb_buf_putc(&p->text, '\n');
		maybe_flush(p);
	}
}

static void note(wf_text_error *err, uint64_t offset, const char *why)
{
	if (err->code == WF_TEXT_OK) {
		err->code = WF_TEXT_BROKEN;
		err->offset = offset;
		snprintf(err->what, sizeof(err->what), "%s", why);
	}
}

static void put_broken(printer *p, wf_text_error *err, uint64_t from, uint64_t to, const char *why)
{
	note(err, from, why);
	err->lost += to - from;
	wb_buf_printf(&p->text, "# broken at offset %llu: %s", (unsigned long long)from, why);
	if (to > from)
		wb_buf_printf(&p->text, " (%llu bytes)", (unsigned long long)(to - from));
	wb_buf_putc(&p->text, '\n');
	if (p->opt.bytes)
		put_bytes(p, from, to);
}

static wf_text_code finish(printer *p, wf_text_error *err, wf_text_error *ret)
{
	flush(p);
	if (p->text.failed)
		err->code = WF_TEXT_NOMEM;
	else if (p->stopped)
		err->code = WF_TEXT_STOPPED;
	wb_buf_free(&p->text);
	if (ret)
		*ret = *err;
	return err->code;
}

enum { PASSED_STEP = 4 << 20 };

static void tell_passed(printer *p, const wf_raw_reader *r)
{
	uint64_t at = (uint64_t)(r->at - r->base);
	if (!p->opt.passed || at - p->passed < PASSED_STEP)
		return;
	p->opt.passed(p->user, at);
	p->passed = at;
}

static void dump_events(printer *p, wf_raw_reader *r, wf_text_error *err)
{
	wf_raw_event e;
	for (wf_raw_result got; going(p) && (got = wf_raw_next(r, &e)) != WF_RAW_END;) {
		if (got == WF_RAW_BROKEN) {
			put_broken(p, err, r->broken_at, r->broken_end, r->why);
			continue;
		}
		if (p->opt.offsets && !wf_version_is_v1(r->version) && wf_specs[e.type].cls == WF_CLASS_BATCH)
			wb_buf_printf(&p->text, "# offset %llu\n", (unsigned long long)e.offset);
		put_event(p, &e, r->version);
		tell_passed(p, r);
	}
}

/* Go's form: the first damage is the end. */
static void dump_wire(printer *p, wf_raw_reader *r, wf_text_error *err)
{
	wf_raw_event e;
	wf_raw_result got;
	while (going(p) && (got = wf_raw_next(r, &e)) != WF_RAW_END) {
		if (got == WF_RAW_BROKEN) {
			note(err, r->broken_at, r->why);
			err->lost = (uint64_t)(r->end - r->base) - r->broken_at;
			return;
		}
		put_event(p, &e, r->version);
		tell_passed(p, r);
	}
}

wf_text_code wf_text_dump(
	const void *at, size_t n, const wf_text_options *opt, wf_text_put *put, void *user, wf_text_error *ret)
{
	printer p = { .put = put, .user = user, .base = at, .opt = opt ? *opt : (wf_text_options){ 0 } };
	wf_text_error err = { 0 };
	wf_raw_reader r;
	if (!wf_raw_open(&r, at, n, p.opt.wire)) {
		if (p.opt.wire) {
			note(&err, 0, r.why);
			err.lost = n;
		} else {
			put_broken(&p, &err, 0, n, r.why);
		}
	} else if (p.opt.wire) {
		dump_wire(&p, &r, &err);
	} else {
		wb_buf_printf(&p.text, "Trace Go1.%u\n", r.version);
		dump_events(&p, &r, &err);
	}
	return finish(&p, &err, ret);
}

wf_text_code wf_text_wire(const void *at, size_t n, wf_text_put *put, void *user, wf_text_error *ret)
{
	return wf_text_dump(at, n, &(wf_text_options){ .wire = true }, put, user, ret);
}
