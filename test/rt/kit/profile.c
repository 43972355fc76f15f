/* rt/kit/profile.c - see profile.h. */
#include "profile.h"

#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "fmt/pprof.pb-c.h"
#include "rtkit.h"

enum { INFLATED_MAX = 64 << 20 };

struct kit_profile {
	Pprof__Profile *m;
};

static const char *text(const kit_profile *p, int64_t i)
{
	kit_require(i >= 0 && (size_t)i < p->m->n_string_table);
	return p->m->string_table[i];
}

static const Pprof__Location *location(const kit_profile *p, uint64_t id)
{
	for (size_t i = 0; i < p->m->n_location; i++)
		if (p->m->location[i]->id == id)
			return p->m->location[i];
	kit_require(false && "a location that is not there");
	return NULL;
}

static const Pprof__Function *function(const kit_profile *p, uint64_t id)
{
	for (size_t i = 0; i < p->m->n_function; i++)
		if (p->m->function[i]->id == id)
			return p->m->function[i];
	kit_require(false && "a function that is not there");
	return NULL;
}

/* What pprof's own CheckValid asks for, and that addresses lie in their mappings. */
static void check(const kit_profile *p)
{
	const Pprof__Profile *m = p->m;
	kit_require(m->n_string_table > 0 && m->string_table[0][0] == 0);
	kit_require(m->n_sample_type > 0);
	for (size_t i = 0; i < m->n_sample; i++) {
		kit_require(m->sample[i]->n_value == m->n_sample_type);
		for (size_t k = 0; k < m->sample[i]->n_location_id; k++)
			location(p, m->sample[i]->location_id[k]);
		for (size_t k = 0; k < m->sample[i]->n_label; k++)
			kit_require(text(p, m->sample[i]->label[k]->key)[0]);
	}
	for (size_t i = 0; i < m->n_location; i++) {
		const Pprof__Location *l = m->location[i];
		kit_require(l->mapping_id <= m->n_mapping);
		if (l->mapping_id)
			kit_expect(l->address >= m->mapping[l->mapping_id - 1]->memory_start &&
				   l->address < m->mapping[l->mapping_id - 1]->memory_limit);
		for (size_t k = 0; k < l->n_line; k++)
			text(p, function(p, l->line[k]->function_id)->name);
	}
	for (size_t i = 0; i < m->n_mapping; i++)
		text(p, m->mapping[i]->build_id);
}

kit_profile *kit_profile_read(const wb_buf *b)
{
	uint8_t *raw = wb_malloc(INFLATED_MAX);
	z_stream z = { .next_in = (Bytef *)b->at, .avail_in = (uInt)b->n, .next_out = raw, .avail_out = INFLATED_MAX };
	kit_require(raw != NULL && inflateInit2(&z, 15 + 16) == Z_OK);
	kit_require(inflate(&z, Z_FINISH) == Z_STREAM_END);
	kit_profile *p = wb_calloc(1, sizeof(*p));
	kit_require(p != NULL);
	p->m = pprof__profile__unpack(NULL, z.total_out, raw);
	inflateEnd(&z);
	wb_free(raw);
	kit_require(p->m != NULL);
	check(p);
	return p;
}

void kit_profile_free(kit_profile *p)
{
	pprof__profile__free_unpacked(p->m, NULL);
	wb_free(p);
}

int kit_to_buf(const void *at, size_t n, void *buf)
{
	wb_buf_put(buf, at, n);
	return 0;
}

kit_profile *kit_profile_of(const char *name)
{
	wb_buf b = { 0 };
	kit_equal(weft_profile_write_to(name, kit_to_buf, &b, 0), 0);
	kit_profile *p = kit_profile_read(&b);
	wb_buf_free(&b);
	return p;
}

const char *kit_profile_text(const char *name, int debug)
{
	static wb_buf b;
	b.n = 0;
	kit_equal(weft_profile_write_to(name, kit_to_buf, &b, debug), 0);
	return wb_buf_cstr(&b);
}

int kit_profile_value(const kit_profile *p, const char *type)
{
	for (size_t i = 0; i < p->m->n_sample_type; i++)
		if (strcmp(text(p, p->m->sample_type[i]->type), type) == 0)
			return (int)i;
	kit_require(false && "no such kind of value");
	return -1;
}

static bool is_at(const kit_profile *p, const Pprof__Location *l, const char *func)
{
	for (size_t i = 0; i < l->n_line; i++)
		if (strcmp(text(p, function(p, l->line[i]->function_id)->name), func) == 0)
			return true;
	return false;
}

static bool is_in(const kit_profile *p, const Pprof__Sample *s, const char *func, bool innermost)
{
	size_t n = innermost && s->n_location_id ? 1 : s->n_location_id;
	for (size_t i = 0; i < n; i++)
		if (is_at(p, location(p, s->location_id[i]), func))
			return true;
	return false;
}

static bool has_label(const kit_profile *p, const Pprof__Sample *s, const char *label)
{
	size_t n_key = strcspn(label, "=");
	for (size_t i = 0; i < s->n_label; i++) {
		const char *key = text(p, s->label[i]->key), *value = text(p, s->label[i]->str);
		if (strlen(key) == n_key && strncmp(key, label, n_key) == 0 &&
			(label[n_key + 1] == 0 || strcmp(value, label + n_key + 1) == 0))
			return true;
	}
	return false;
}

static int64_t sum(const kit_profile *p, const char *type, const char *func, const char *label, bool innermost)
{
	int value = kit_profile_value(p, type);
	int64_t total = 0;
	for (size_t i = 0; i < p->m->n_sample; i++) {
		const Pprof__Sample *s = p->m->sample[i];
		if ((!func || is_in(p, s, func, innermost)) && (!label || has_label(p, s, label)))
			total += s->value[value];
	}
	return total;
}

int64_t kit_profile_sum(const kit_profile *p, const char *type, const char *func, const char *label)
{
	return sum(p, type, func, label, /* innermost= */ false);
}

int64_t kit_profile_flat(const kit_profile *p, const char *type, const char *func)
{
	return sum(p, type, func, NULL, /* innermost= */ true);
}

int64_t kit_profile_period(const kit_profile *p)
{
	return p->m->period;
}

uint64_t kit_profile_samples(const kit_profile *p)
{
	return p->m->n_sample;
}

static void put_stack(const kit_profile *p, const Pprof__Sample *s, wb_buf *b)
{
	for (size_t i = 0; i < s->n_location_id; i++) {
		const Pprof__Location *l = location(p, s->location_id[i]);
		for (size_t k = 0; k < l->n_line; k++)
			wb_buf_printf(b, "%s:%lld ", text(p, function(p, l->line[k]->function_id)->name),
				(long long)l->line[k]->line);
	}
}

void kit_profile_each(const kit_profile *p, kit_profile_fn *fn, void *arg)
{
	wb_buf labels = { 0 }, stack = { 0 };
	for (size_t i = 0; i < p->m->n_sample; i++) {
		const Pprof__Sample *s = p->m->sample[i];
		labels.n = stack.n = 0;
		for (size_t k = 0; k < s->n_label; k++)
			wb_buf_printf(
				&labels, "%s%s=%s", k ? " " : "", text(p, s->label[k]->key), text(p, s->label[k]->str));
		put_stack(p, s, &stack);
		fn(wb_buf_cstr(&labels), wb_buf_cstr(&stack), s->value, arg);
	}
	wb_buf_free(&labels);
	wb_buf_free(&stack);
}
