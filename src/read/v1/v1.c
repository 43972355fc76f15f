/* read/v1/v1.c - opening Go 1.11 to 1.21 traces, and their strings and stacks. */
#include <string.h>

#include <wtr/open.h>

#include "base/bytes.h"
#include "read/source.h"
#include "read/trace.h"
#include "read/v1/v1.h"

static void free_v1(wtr__v1 *v)
{
	wtr__tables_free(&v->tables);
	wb_vec_free(&v->batches);
	wb_vec_free(&v->procs);
	wb_vec_free(&v->samples);
	wb_vec_free(&v->messages);
	wb_vec_free(&v->timers);
	wb_vec_free(&v->picks);
	wb_vec_free(&v->moved);
	wb_vec_free(&v->syscalls.words);
	wb_vec_free(&v->unblocks.words);
	wb_free(v);
}

static wtr_code add_texts(wtr_trace *t, wtr__v1 *v, wtr_error *err)
{
	static const char *const texts[WTR__V1_TEXT_COUNT] = {
#define V1_REASON(ID, text) text,
#define V1_STW(ID, text) text,
#include "read/v1/texts.def"
	};
	for (unsigned i = 0; i < WTR__V1_TEXT_COUNT; i++) {
		v->texts[i] = *texts[i] ? wtr__extra_string(t, texts[i], strlen(texts[i])) : 0;
		if (v->texts[i] == WTR__UNKNOWN)
			return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory",
				"out of memory while reading the trace");
	}
	return WTR_OK;
}

static wtr_code open_v1(wtr_trace *t, wtr__v1 *v, wtr_error *err)
{
	wtr_code code = add_texts(t, v, err);
	if (!code)
		code = wtr__v1_scan(t, v, err);
	if (!code)
		code = wtr__v1_merge(t, v, err);
	if (code || v->has_frequency)
		return code;
	if (!v->repair)
		return wtr__fail(err, WTR_E_TRUNC, v->n, 0, WTR_NONE, "Frequency", "v1.no-frequency",
			"the trace ends before the frequency of its clock was written");
	if (v->damage.code == WTR_OK)
		wtr__fail(&v->damage, WTR_E_TRUNC, v->n, 0, WTR_NONE, "Frequency", "v1.no-frequency",
			"the frequency of the clock is missing, so all times are estimates");
	return WTR_OK;
}

wtr_code wtr__v1_open(wtr_trace *t, wtr_error *err)
{
	wtr_error e = { .thread = WTR_NONE, .event = "", .rule = "" };
	wtr__v1 *v = wb_calloc(1, sizeof(*v));
	if (!v)
		return wtr__fail(err ? err : &e, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory",
			"out of memory while reading the trace");
	v->at = t->at;
	v->n = t->n;
	v->version = t->version;
	v->repair = t->opt.damage == WTR_REPAIR;
	v->damage = e;
	wtr_code code = open_v1(t, v, &e);
	if (code) {
		if (err)
			*err = e;
		free_v1(v);
		return code;
	}
	t->info.generations = 1;
	t->info.batches = v->batches.n;
	t->info.lost_bytes = v->lost_bytes;
	t->info.damage = v->damage;
	t->v1 = v;
	return WTR_OK;
}

void wtr__v1_close(wtr_trace *t)
{
	if (t->v1)
		free_v1(t->v1);
	t->v1 = NULL;
}

wtr_str wtr__v1_string(const wtr_trace *t, uint32_t id)
{
	const wtr__v1 *v = t->v1;
	if (id < v->tables.strings.n)
		return wtr__tables_string(&v->tables, id);
	size_t i = id - v->tables.strings.n;
	if (i >= v->messages.n)
		return (wtr_str){ "", 0 };
	wb_bytes b = { v->at + v->messages.at[i], v->at + v->n, false };
	uint64_t n = wb_uvarint(&b);
	return (wtr_str){ (const char *)b.at, n };
}

size_t wtr__v1_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	const wtr__v1 *v = t->v1;
	return id < v->tables.stacks.n ? wtr__tables_stack(&v->tables, id, ret, n) : 0;
}
