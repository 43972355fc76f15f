/* fmt/profproto.c - see profproto.h.  protobuf-c packs, zlib compresses. */
#include "fmt/profproto.h"

#include <string.h>
#include <zlib.h>

#include "base/idmap.h"
#include "base/vec.h"
#include "fmt/pprof.pb-c.h"

enum { CHUNK = 65536, LABELS_STEP = 4 };

/* What is gathered before packing.  Messages lie in the arena; arrays of pointers to them are what protobuf-c takes. */
struct wf_prof {
	wb_arena arena;
	wb_intern texts, funcs; /* funcs: file, a zero byte, name -> id */
	wb_idmap by_key;        /* -> location id - 1 */
	WB_VEC(Pprof__Sample *) samples;
	WB_VEC(Pprof__Mapping *) mappings;
	WB_VEC(Pprof__Location *) locations;
	WB_VEC(Pprof__Function *) functions;
	Pprof__ValueType types[WF_PROF_TYPES_MAX], *type_list[WF_PROF_TYPES_MAX], period;
	Pprof__Profile message;
	bool failed;
};

wf_prof *wf_prof_new(void)
{
	wf_prof *p = wb_calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	pprof__profile__init(&p->message);
	/* Number 0 is the empty text, in both tables. */
	p->failed = wb_intern_add(&p->texts, "", 0) != 0 || wb_intern_add(&p->funcs, "", 0) != 0;
	return p;
}

void wf_prof_free(wf_prof *p)
{
	if (!p)
		return;
	wb_vec_free(&p->samples);
	wb_vec_free(&p->mappings);
	wb_vec_free(&p->locations);
	wb_vec_free(&p->functions);
	wb_idmap_free(&p->by_key);
	wb_intern_free(&p->texts);
	wb_intern_free(&p->funcs);
	wb_arena_free(&p->arena);
	wb_free(p);
}

static int64_t text_n(wf_prof *p, const char *at, size_t n)
{
	uint32_t no = wb_intern_add(&p->texts, at, n);
	p->failed |= no == WB_INTERN_NONE;
	return no;
}

static int64_t text(wf_prof *p, const char *at)
{
	return text_n(p, at, strlen(at));
}

static void value_type(wf_prof *p, Pprof__ValueType *v, const char *type, const char *unit)
{
	pprof__value_type__init(v);
	v->type = text(p, type);
	v->unit = text(p, unit);
}

void wf_prof_type(wf_prof *p, const char *type, const char *unit)
{
	size_t i = p->message.n_sample_type++;
	value_type(p, &p->types[i], type, unit);
	p->type_list[i] = &p->types[i];
}

void wf_prof_default(wf_prof *p, const char *type)
{
	p->message.default_sample_type = text(p, type);
}

void wf_prof_period(wf_prof *p, const char *type, const char *unit, int64_t period)
{
	value_type(p, &p->period, type, unit);
	p->message.period_type = &p->period;
	p->message.period = period;
}

void wf_prof_times(wf_prof *p, int64_t start_ns, int64_t duration_ns)
{
	p->message.time_nanos = start_ns;
	p->message.duration_nanos = duration_ns;
}

/* ---- places ---- */

uint64_t wf_prof_mapping(wf_prof *p, const wf_prof_map *map)
{
	Pprof__Mapping *m = wb_new(&p->arena, Pprof__Mapping, 1);
	if (!m || !wb_vec_add(&p->mappings, m)) {
		p->failed = true;
		return 0;
	}
	pprof__mapping__init(m);
	m->id = p->mappings.n;
	m->memory_start = map->start;
	m->memory_limit = map->limit;
	m->file_offset = map->offset;
	m->filename = text(p, map->file);
	m->build_id = text(p, map->build_id);
	m->has_functions = m->has_filenames = m->has_line_numbers = m->has_inline_frames = map->names;
	return m->id;
}

static uint64_t function(wf_prof *p, const wf_prof_line *at)
{
	wb_buf key = { 0 };
	wb_buf_put(&key, at->file.at, at->file.n);
	wb_buf_putc(&key, 0);
	wb_buf_put(&key, at->func.at, at->func.n);
	size_t before = p->funcs.n;
	uint32_t no = key.failed ? WB_INTERN_NONE : wb_intern_add(&p->funcs, key.at, key.n);
	wb_buf_free(&key);
	if (no == WB_INTERN_NONE || p->funcs.n == before) {
		p->failed |= no == WB_INTERN_NONE;
		return no;
	}
	Pprof__Function *fn = wb_new(&p->arena, Pprof__Function, 1);
	if (!fn || !wb_vec_add(&p->functions, fn)) {
		p->failed = true;
		return 0;
	}
	pprof__function__init(fn);
	fn->id = no;
	fn->name = fn->system_name = text_n(p, at->func.at, at->func.n);
	fn->filename = text_n(p, at->file.at, at->file.n);
	return fn->id;
}

uint64_t wf_prof_location_of(const wf_prof *p, uint64_t key)
{
	uint32_t no = wb_idmap_get(&p->by_key, key);
	return no == WB_IDMAP_NONE ? 0 : no + 1u;
}

static bool set_lines(wf_prof *p, Pprof__Location *l, const wf_prof_line *lines, size_t n)
{
	Pprof__Line *line = wb_new(&p->arena, Pprof__Line, n + 1);
	l->line = wb_new(&p->arena, Pprof__Line *, n + 1);
	if (!line || !l->line)
		return false;
	for (size_t i = 0; i < n; i++) {
		pprof__line__init(&line[i]);
		line[i].function_id = function(p, &lines[i]);
		line[i].line = lines[i].line;
		l->line[i] = &line[i];
	}
	l->n_line = n;
	return true;
}

uint64_t wf_prof_location(
	wf_prof *p, uint64_t key, uint64_t address, uint64_t mapping, const wf_prof_line *lines, size_t n_lines)
{
	Pprof__Location *l = wb_new(&p->arena, Pprof__Location, 1);
	if (!l) {
		p->failed = true;
		return 0;
	}
	pprof__location__init(l);
	l->id = p->locations.n + 1;
	l->address = address;
	l->mapping_id = mapping;
	if (!set_lines(p, l, lines, n_lines) || !wb_vec_add(&p->locations, l) ||
		!wb_idmap_set(&p->by_key, key, (uint32_t)(l->id - 1))) {
		p->failed = true;
		return 0;
	}
	return l->id;
}

/* ---- samples ---- */

void wf_prof_sample(wf_prof *p, const uint64_t *locations, size_t n, const int64_t *values)
{
	size_t n_values = p->message.n_sample_type;
	Pprof__Sample *s = wb_new(&p->arena, Pprof__Sample, 1);
	uint64_t *ids = wb_new(&p->arena, uint64_t, n + 1);
	int64_t *copy = wb_new(&p->arena, int64_t, n_values + 1);
	if (!s || !ids || !copy || !wb_vec_add(&p->samples, s)) {
		p->failed = true;
		return;
	}
	pprof__sample__init(s);
	if (n)
		memcpy(ids, locations, n * sizeof(*ids));
	memcpy(copy, values, n_values * sizeof(*copy));
	s->n_location_id = n;
	s->location_id = ids;
	s->n_value = n_values;
	s->value = copy;
}

static Pprof__Label *add_label(wf_prof *p)
{
	Pprof__Sample *s = p->samples.n ? p->samples.at[p->samples.n - 1] : NULL;
	Pprof__Label *label = wb_new(&p->arena, Pprof__Label, 1);
	if (s && s->n_label % LABELS_STEP == 0) {
		Pprof__Label **more = wb_new(&p->arena, Pprof__Label *, s->n_label + LABELS_STEP);
		if (more && s->n_label)
			memcpy(more, s->label, s->n_label * sizeof(*more));
		s->label = more;
	}
	if (p->failed || !s || !label || !s->label) {
		p->failed = true;
		return NULL;
	}
	pprof__label__init(label);
	return s->label[s->n_label++] = label;
}

void wf_prof_label(wf_prof *p, wb_text key, wb_text value)
{
	Pprof__Label *label = add_label(p);
	if (!label)
		return;
	label->key = text_n(p, key.at, key.n);
	label->str = text_n(p, value.at, value.n);
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

static bool pack(const Pprof__Profile *message, wb_buf *b)
{
	size_t n = pprof__profile__get_packed_size(message);
	wb_buf raw = { 0 };
	char *room = wb_buf_room(&raw, n);
	bool ok = room != NULL;
	if (ok) {
		pprof__profile__pack(message, (uint8_t *)room);
		ok = gzip(b, room, n);
	}
	wb_buf_free(&raw);
	return ok;
}

bool wf_prof_finish(wf_prof *p, wb_buf *b)
{
	Pprof__Profile *m = &p->message;
	char **texts = wb_new(&p->arena, char *, p->texts.n + 1);
	if (!texts || p->failed)
		return false;
	for (uint32_t i = 0; i < p->texts.n; i++)
		texts[i] = (char *)(uintptr_t)wb_intern_text(&p->texts, i).at;
	m->sample_type = p->type_list;
	m->n_sample = p->samples.n;
	m->sample = p->samples.at;
	m->n_mapping = p->mappings.n;
	m->mapping = p->mappings.at;
	m->n_location = p->locations.n;
	m->location = p->locations.at;
	m->n_function = p->functions.n;
	m->function = p->functions.at;
	m->n_string_table = p->texts.n;
	m->string_table = texts;
	return pack(m, b);
}
