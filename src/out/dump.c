/* out/dump.c - the public face of fmt's text form; see wtr/text.h. */
#include <string.h>

#include <wtr/event.h>
#include <wtr/text.h>

#include "fmt/rawevent.h"
#include "fmt/text.h"
#include "read/input.h"
#include "read/source.h"

/* The error of a text pass in the words of the reader. */
static wtr_code translate(const wf_text_error *e, wtr_code broken, wtr_error *err)
{
	switch (e->code) {
	case WF_TEXT_OK:
		return WTR_OK;
	case WF_TEXT_STOPPED:
		return wtr__fail(
			err, WTR_E_IO, e->offset, 0, WTR_NONE, "", "output", "the output could not be written");
	case WF_TEXT_NOMEM:
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	default:
		if (e->line)
			return wtr__fail(err, broken, e->offset, 0, WTR_NONE, "", "text", "line %llu: %s",
				(unsigned long long)e->line, e->what);
		return wtr__fail(err, broken, e->offset, 0, WTR_NONE, "", "wire", "%s", e->what);
	}
}

/* What a file is that has no header. */
static wtr_code broken_code(const void *data, size_t n)
{
	wf_raw_reader r;
	if (wf_raw_open(&r, data, n, true))
		return WTR_E_FORMAT;
	return r.version ? WTR_E_VERSION : WTR_E_MAGIC;
}

static wf_text_code footprint(const void *data, size_t n, wtr_write_fn *put, void *user, wf_text_error *te)
{
	wf_footprint f;
	if (wf_footprint_count(data, n, &f, te) != WF_TEXT_OK)
		return te->code;
	wb_buf b = { 0 };
	wf_footprint_print(&f, &b);
	te->code = b.failed ? WF_TEXT_NOMEM : put(user, b.at, b.n) ? WF_TEXT_OK : WF_TEXT_STOPPED;
	wb_buf_free(&b);
	return te->code;
}

/* Where the text goes, and the mapping whose pages are given back behind it. */
typedef struct output {
	wtr_write_fn *put;
	void         *user;
	const wo_map *map; /* may be NULL */
} output;

static bool put_on(void *user, const char *at, size_t n)
{
	output *o = user;
	return o->put(o->user, at, n);
}

static void give_back(void *user, uint64_t offset)
{
	output *o = user;
	if (o->map)
		wo_map_release(o->map, 0, (size_t)offset);
}

static wtr_code dump(
	const void *data, size_t n, const wtr_dump_options *opt, output *out, wtr_dump_result *ret, wtr_error *err)
{
	wtr_dump_options o = opt ? *opt : (wtr_dump_options){ 0 };
	wf_text_options text = {
		.wire = o.mode == WTR_DUMP_WIRE, .bytes = !o.skip_bytes, .offsets = o.offsets, .passed = give_back
	};
	wf_text_error te = { 0 };
	if (o.mode == WTR_DUMP_FOOTPRINT)
		footprint(data, n, out->put, out->user, &te);
	else
		wf_text_dump(data, n, &text, put_on, out, &te);
	if (ret)
		*ret = (wtr_dump_result){ n, te.lost };
	return translate(&te, te.code == WF_TEXT_BROKEN ? broken_code(data, n) : WTR_OK, err);
}

wtr_code wtr_dump_bytes(const void *data, size_t n, const wtr_dump_options *opt, wtr_write_fn *put, void *user,
	wtr_dump_result *ret, wtr_error *err)
{
	return dump(data, n, opt, &(output){ put, user, NULL }, ret, err);
}

/* The bytes at a path, as the reader sees them. */
static wtr_code load(wtr_trace *t, const char *path, wtr_error *err)
{
	*t = (wtr_trace){ .compression = "none", .map.at = (const uint8_t *)"", .at = (const uint8_t *)"" };
	return wtr__input_path(t, path, err);
}

wtr_code wtr_dump(const char *path, const wtr_dump_options *opt, wtr_write_fn *put, void *user, wtr_dump_result *ret,
	wtr_error *err)
{
	wtr_trace t;
	if (ret)
		*ret = (wtr_dump_result){ 0 };
	wtr_code rc = load(&t, path, err);
	if (rc == WTR_OK)
		rc = dump(t.at, t.n, opt, &(output){ put, user, &t.map }, ret, err);
	wo_unmap(&t.map);
	return rc;
}

wtr_code wtr_assemble(const char *text, size_t n, wtr_write_fn *put, void *user, wtr_error *err)
{
	wb_buf b = { 0 };
	wf_text_error te = { 0 };
	if (wf_text_assemble(text, n, &b, &te) == WF_TEXT_OK && b.n && !put(user, b.at, b.n))
		te.code = WF_TEXT_STOPPED;
	wb_buf_free(&b);
	return translate(&te, WTR_E_FORMAT, err);
}

wtr_code wtr_assemble_file(const char *path, wtr_write_fn *put, void *user, wtr_error *err)
{
	wtr_trace t;
	wtr_code rc = load(&t, path, err);
	if (rc == WTR_OK)
		rc = wtr_assemble((const char *)t.at, t.n, put, user, err);
	wo_unmap(&t.map);
	return rc;
}
