/* edit/pack.c - the public face of packed traces; see wtr/edit.h and fmt/pack.h. */
#include <string.h>

#include <wtr/edit.h>

#include "fmt/pack.h"
#include "read/input.h"
#include "read/source.h"

/* Where the bytes go, and how many went. */
typedef struct output {
	wtr_trace *t;
	const char *doing;
	wtr_write_fn *put;
	void *user;
	uint64_t n;
} output;

static bool put_on(void *user, const void *at, size_t n, uint64_t done)
{
	output *o = user;
	const wtr_options *opt = &o->t->opt;
	if (opt->progress && !opt->progress(opt->progress_user, o->doing, done, o->t->n))
		return false;
	o->n += n;
	return o->put(o->user, at, n);
}

static wtr_code translate(wf_pack_code rc, const output *o, wtr_error *err)
{
	switch (rc) {
	case WF_PACK_OK: return WTR_OK;
	case WF_PACK_NOMEM: return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	case WF_PACK_STOPPED:
		return wtr__fail(err, WTR_E_IO, o->n, 0, WTR_NONE, "", "output", "the output could not be written");
	case WF_PACK_BROKEN: break;
	}
	if (!wf_is_packed(o->t->at, o->t->n))
		return wtr__fail(err, WTR_E_FORMAT, 0, 0, WTR_NONE, "", "pack", "this is not a packed trace");
	return wtr__fail(err, WTR_E_FORMAT, o->n, 0, WTR_NONE, "", "pack",
		"the packed trace is torn or damaged behind %llu bytes of the trace", (unsigned long long)o->n);
}

static wtr_trace empty_trace(const wtr_options *opt)
{
	return (wtr_trace){ .opt = opt ? *opt : (wtr_options){ 0 },
		.compression = "none",
		.map.at = (const uint8_t *)"",
		.at = (const uint8_t *)"" };
}

wtr_code wtr_pack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err)
{
	wtr_trace t = empty_trace(opt);
	output o = { .t = &t, .doing = "packing", .put = put, .user = user };
	wtr_code rc = wtr__input_path(&t, path, err);
	if (rc == WTR_OK)
		rc = translate(wf_pack(t.at, t.n, put_on, &o), &o, err);
	if (rc == WTR_OK && ret)
		*ret = (wtr_pack_result){ .trace_bytes = t.n, .packed_bytes = o.n };
	wo_unmap(&t.map);
	return rc;
}

wtr_code wtr_unpack(
	const char *path, const wtr_options *opt, wtr_write_fn *put, void *user, wtr_pack_result *ret, wtr_error *err)
{
	wtr_trace t = empty_trace(opt);
	output o = { .t = &t, .doing = "unpacking", .put = put, .user = user };
	wtr_code rc = wtr__input_raw(&t, path, err);
	if (rc == WTR_OK)
		rc = translate(wf_unpack(t.at, t.n, put_on, &o), &o, err);
	if (rc == WTR_OK && ret)
		*ret = (wtr_pack_result){ .trace_bytes = o.n, .packed_bytes = t.n };
	wo_unmap(&t.map);
	return rc;
}
