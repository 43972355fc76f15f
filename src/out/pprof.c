/* out/pprof.c - profile.proto, packed by protobuf-c and zlib. */
#include "out/pprof.h"

#include <string.h>
#include <zlib.h>

#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "out/pprof.pb-c.h"

enum { FRAMES = 260, CHUNK = 65536 };

/* What is gathered before packing.  Messages lie in the arena; a table of pointers to them is what protobuf-c takes. */
typedef struct profile {
	wb_arena arena;
	wb_intern texts, funcs; /* funcs: file, a zero byte, name -> id - 1 */
	wb_idmap by_pc;         /* -> id - 1 */
	wb_intern by_line;      /* where frames have no program counter: function and line -> id */
	WB_VEC(Pprof__Location *) locations;
	WB_VEC(Pprof__Function *) functions;
	Pprof__Sample **samples;
	size_t n_samples;
	bool failed, lines; /* lines: frames have no program counter */
} profile;

/* One record to write. */
typedef struct sample {
	const wtr_frame *frames;
	size_t n;
	int64_t values[2];
	const char *state; /* "": none */
	bool base;         /* of what the profile is compared with */
} sample;

static int64_t text(profile *f, const char *at, size_t n)
{
	uint32_t no = wb_intern_add(&f->texts, at, n);
	f->failed |= no == WB_INTERN_NONE;
	return no;
}

static uint64_t function(profile *f, const wtr_frame *frame)
{
	wb_buf key = { 0 };
	wb_buf_put(&key, frame->file.at, frame->file.n);
	wb_buf_putc(&key, 0);
	wb_buf_put(&key, frame->func.at, frame->func.n);
	size_t before = f->funcs.n;
	uint32_t no = key.failed ? WB_INTERN_NONE : wb_intern_add(&f->funcs, key.at, key.n);
	wb_buf_free(&key);
	if (no == WB_INTERN_NONE || f->funcs.n == before) {
		f->failed |= no == WB_INTERN_NONE;
		return no;
	}
	Pprof__Function *fn = wb_new(&f->arena, Pprof__Function, 1);
	if (!fn || !wb_vec_add(&f->functions, fn)) {
		f->failed = true;
		return 0;
	}
	pprof__function__init(fn);
	fn->id = no; /* number 0 is the empty text, which no key is */
	fn->name = fn->system_name = text(f, frame->func.at, frame->func.n);
	fn->filename = text(f, frame->file.at, frame->file.n);
	return fn->id;
}

/* A number that stands for the place of a frame. */
static uint64_t place(profile *f, const wtr_frame *frame)
{
	if (!f->lines)
		return frame->pc || frame->func.n != 2 ? frame->pc : UINT64_MAX; /* the mark "--" is no place */
	uint64_t key[2] = { function(f, frame), frame->line };
	uint32_t no = wb_intern_add(&f->by_line, (const char *)key, sizeof(key));
	f->failed |= no == WB_INTERN_NONE;
	return no;
}

static uint64_t location(profile *f, const wtr_frame *frame)
{
	uint64_t key = place(f, frame);
	uint32_t no = wb_idmap_get(&f->by_pc, key);
	if (no != WB_IDMAP_NONE)
		return no + 1u;
	Pprof__Location *l = wb_new(&f->arena, Pprof__Location, 1);
	Pprof__Line *line = wb_new(&f->arena, Pprof__Line, 1), **lines = wb_new(&f->arena, Pprof__Line *, 1);
	no = (uint32_t)f->locations.n;
	if (!l || !line || !lines || !wb_vec_add(&f->locations, l) || !wb_idmap_set(&f->by_pc, key, no)) {
		f->failed = true;
		return 0;
	}
	pprof__location__init(l);
	pprof__line__init(line);
	lines[0] = line;
	line->function_id = function(f, frame);
	line->line = (int64_t)frame->line;
	l->id = no + 1u;
	l->address = frame->pc;
	l->n_line = 1;
	l->line = lines;
	return l->id;
}

static bool add_label(profile *f, Pprof__Sample *s, const char *key, const char *value)
{
	Pprof__Label *label = wb_new(&f->arena, Pprof__Label, 1);
	if (!label)
		return false;
	pprof__label__init(label);
	label->key = text(f, key, strlen(key));
	label->str = text(f, value, strlen(value));
	s->label[s->n_label++] = label;
	return true;
}

static bool add_sample(profile *f, const sample *from, bool has_ns)
{
	Pprof__Sample *s = wb_new(&f->arena, Pprof__Sample, 1);
	uint64_t *ids = wb_new(&f->arena, uint64_t, from->n + 1);
	int64_t *values = wb_new(&f->arena, int64_t, 2);
	if (!s || !ids || !values)
		return false;
	pprof__sample__init(s);
	for (size_t k = 0; k < from->n; k++)
		ids[k] = location(f, &from->frames[k]);
	values[0] = from->values[0];
	values[1] = from->values[1];
	s->n_location_id = from->n;
	s->location_id = ids;
	s->n_value = has_ns ? 2 : 1;
	s->value = values;
	f->samples[f->n_samples++] = s;
	if (!from->state[0] && !from->base)
		return true;
	s->label = wb_new(&f->arena, Pprof__Label *, 2);
	return s->label && (!from->state[0] || add_label(f, s, "state", from->state)) &&
	       (!from->base || add_label(f, s, "pprof::base", "true"));
}

static void value_type(profile *f, Pprof__ValueType *v, const char *type, const char *unit)
{
	pprof__value_type__init(v);
	v->type = text(f, type, strlen(type));
	v->unit = text(f, unit, strlen(unit));
}

/* ---- bytes ---- */

static bool gzip(wb_buf *b, const void *at, size_t n)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)at, .avail_in = (uInt)n };
	if (n > UINT32_MAX || deflateInit2(&z, Z_BEST_SPEED + 2, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	int rc = Z_OK;
	while (rc == Z_OK) {
		char *room = wb_buf_room(b, CHUNK);
		if (!room)
			break;
		z.next_out = (Bytef *)room;
		z.avail_out = CHUNK;
		rc = deflate(&z, Z_FINISH);
		b->n += CHUNK - z.avail_out;
	}
	deflateEnd(&z);
	return rc == Z_STREAM_END;
}

static bool pack(profile *f, const Pprof__Profile *message, wb_buf *b)
{
	size_t n = pprof__profile__get_packed_size(message);
	wb_buf raw = { 0 };
	char *room = wb_buf_room(&raw, n);
	bool ok = room && !f->failed;
	if (ok) {
		pprof__profile__pack(message, (uint8_t *)room);
		ok = gzip(b, room, n);
	}
	wb_buf_free(&raw);
	return ok;
}

/* Begins with room for `n` samples; the first text and the first function are nobody's. */
static bool begin(profile *f, size_t n)
{
	text(f, "", 0);
	f->failed |= wb_intern_add(&f->funcs, "", 0) == WB_INTERN_NONE ||
		     wb_intern_add(&f->by_line, "", 0) == WB_INTERN_NONE;
	f->samples = wb_new(&f->arena, Pprof__Sample *, n + 1);
	return f->samples != NULL;
}

static bool finish(profile *f, wtr_profile_kind kind, int64_t duration_ns, wb_buf *b)
{
	Pprof__Profile message = PPROF__PROFILE__INIT;
	Pprof__ValueType types[2], period, *list[2] = { &types[0], &types[1] };
	const char *ns = wtr_profile_value(kind, 1);
	value_type(f, &types[0], wtr_profile_value(kind, 0), "count");
	value_type(f, &types[1], ns, "nanoseconds");
	value_type(f, &period, "trace", "count");
	char **texts = wb_new(&f->arena, char *, f->texts.n + 1);
	if (!texts || f->failed)
		return false;
	for (uint32_t i = 0; i < f->texts.n; i++)
		texts[i] = (char *)(uintptr_t)wb_intern_text(&f->texts, i).at;
	message.n_sample_type = ns[0] ? 2 : 1;
	message.sample_type = list;
	message.n_sample = f->n_samples;
	message.sample = f->samples;
	message.n_location = f->locations.n;
	message.location = f->locations.at;
	message.n_function = f->functions.n;
	message.function = f->functions.at;
	message.n_string_table = f->texts.n;
	message.string_table = texts;
	message.duration_nanos = duration_ns;
	message.period_type = &period;
	message.period = 1;
	return pack(f, &message, b);
}

static void done(profile *f)
{
	wb_vec_free(&f->locations);
	wb_vec_free(&f->functions);
	wb_idmap_free(&f->by_pc);
	wb_intern_free(&f->texts);
	wb_intern_free(&f->funcs);
	wb_intern_free(&f->by_line);
	wb_arena_free(&f->arena);
}

bool out_pprof(wb_buf *b, const wtr_profile *p)
{
	profile f = { 0 };
	wtr_frame frames[FRAMES];
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	bool ok = begin(&f, t.records);
	for (size_t i = 0; ok && i < t.records; i++) {
		wtr_profile_record r;
		wtr_profile_get_record(p, i, &r);
		size_t n = wtr_profile_frames(p, i, frames, FRAMES);
		sample s = { frames, n < FRAMES ? n : FRAMES, { (int64_t)r.count, r.ns }, r.state, false };
		ok = add_sample(&f, &s, wtr_profile_value(t.kind, 1)[0]);
	}
	ok = ok && finish(&f, t.kind, t.duration_ns, b);
	done(&f);
	return ok;
}

/* ---- two profiles as one ---- */

static int64_t scaled(double v, double scale)
{
	return (int64_t)(v * scale + 0.5);
}

/* What a stack was, as a sample below zero, and what it is. */
static bool add_both(profile *f, const wtr_stacks *p, size_t i, bool has_ns)
{
	wtr_stacks_record r;
	wtr_frame frames[FRAMES];
	double scale = wtr_stacks_scale(p);
	wtr_stacks_get_record(p, i, &r);
	size_t n = wtr_stacks_frames(p, i, frames, FRAMES);
	n = n < FRAMES ? n : FRAMES;
	sample a = { frames, n, { -scaled((double)r.count_a, scale), -scaled((double)r.ns_a, scale) }, r.state, true };
	sample b = { frames, n, { (int64_t)r.count_b, r.ns_b }, r.state, false };
	return (!r.count_a || add_sample(f, &a, has_ns)) && (!r.count_b || add_sample(f, &b, has_ns));
}

bool out_pprof_stacks(wb_buf *b, const wtr_stacks *p)
{
	profile f = { .lines = true };
	wtr_stacks_totals t;
	wtr_stacks_get_totals(p, &t);
	bool ok = begin(&f, 2 * t.records);
	for (size_t i = 0; ok && i < t.records; i++)
		ok = add_both(&f, p, i, wtr_profile_value(t.kind, 1)[0]);
	ok = ok && finish(&f, t.kind, t.duration_b_ns, b);
	done(&f);
	return ok;
}
