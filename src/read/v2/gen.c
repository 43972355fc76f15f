/* read/v2/gen.c - the tables of one generation: strings, stacks, CPU samples, clock, and the batches of each thread.
 *
 * Faults are met in file order, as Go's reader meets them, and make the generation unreadable; with WTR_REPAIR the
 * batch with the fault is left out and what is missing is made up: the clock rate of an earlier generation, empty
 * names.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fmt/events.h"
#include "fmt/wire.h"
#include "read/v2/container.h"

typedef struct build {
	wtr_trace *t;
	wtr__gen *g;
	const wtr__batch *b; /* being read */
	wb_bytes in;
	wtr_error why; /* of a fault in the file */
	wb_idmap threads;
	WB_VEC(uint64_t) sample_stacks; /* wire ids, resolved when all stacks are known */
	wtr__pieces pieces;
} build;

static uint64_t here(const build *s)
{
	return (uint64_t)(s->in.at - s->t->at);
}

__attribute__((format(printf, 4, 5))) static wtr_code fault(
	build *s, const char *event, const char *rule, const char *fmt, ...)
{
	char what[200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return wtr__fail(&s->why, WTR_E_FORMAT, here(s), s->g->number, s->b->m, event, rule, "%s", what);
}

static wtr_code no_memory(build *s)
{
	return wtr__fail(&s->why, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

static wtr_code defined(build *s, wtr_code rc, const char *event, const char *rule, uint64_t id)
{
	if (rc == WTR_E_NOMEM)
		return no_memory(s);
	return rc == WTR_OK ? rc
			    : fault(s, event, rule, "id %llu %s", (unsigned long long)id,
				      id ? "is defined twice" : "is reserved");
}

static wtr_code read_strings(build *s)
{
	wb_bytes *in = &s->in;
	while (in->at < in->end) {
		uint8_t type = wb_byte(in);
		if (type != WF_EV_STRING)
			return fault(s, "String", "tables.entry", "expected a String entry, found byte 0x%02x", type);
		uint64_t id = wb_uvarint(in), n = wb_uvarint(in);
		if (in->bad)
			return fault(
				s, "String", "tables.varint", "a number of a String entry is cut short or too long");
		if (n > WF_STRING_BYTES_MAX)
			return fault(s, "String", "tables.string-size", "a string of %llu bytes; the most is %d",
				(unsigned long long)n, WF_STRING_BYTES_MAX);
		if (n > (uint64_t)(in->end - in->at))
			return fault(s, "String", "tables.string-data", "string %llu ends behind its batch",
				(unsigned long long)id);
		wtr_code rc = defined(s, wtr__tables_add_string(&s->g->tables, id, (const char *)in->at, (size_t)n),
			"String", "tables.string-id", id);
		if (rc != WTR_OK)
			return rc;
		if (!wtr__carrier_take(&s->pieces, in->at, (size_t)n))
			return no_memory(s);
		in->at += n;
	}
	return WTR_OK;
}

static wtr_code read_stacks(build *s)
{
	wb_bytes *in = &s->in;
	while (in->at < in->end) {
		uint8_t type = wb_byte(in);
		if (type != WF_EV_STACK)
			return fault(s, "Stack", "tables.entry", "expected a Stack entry, found byte 0x%02x", type);
		uint64_t id = wb_uvarint(in), n = wb_uvarint(in);
		if (!in->bad && n > WF_FRAMES_MAX)
			return fault(s, "Stack", "tables.stack-size", "a stack of %llu frames; the most is %d",
				(unsigned long long)n, WF_FRAMES_MAX);
		wtr__frame frames[WF_FRAMES_MAX];
		for (uint64_t i = 0; i < n && !in->bad; i++) {
			frames[i].pc = wb_uvarint(in);
			frames[i].func = wb_uvarint(in);
			frames[i].file = wb_uvarint(in);
			frames[i].line = wb_uvarint(in);
		}
		if (in->bad)
			return fault(s, "Stack", "tables.varint", "a number of a Stack entry is cut short or too long");
		wtr_code rc = defined(
			s, wtr__tables_add_stack(&s->g->tables, id, frames, (size_t)n), "Stack", "tables.stack-id", id);
		if (rc != WTR_OK)
			return rc;
	}
	return WTR_OK;
}

static wtr_code read_samples(build *s)
{
	wb_bytes *in = &s->in;
	while (in->at < in->end) {
		uint8_t type = wb_byte(in);
		if (type != WF_EV_CPU_SAMPLE)
			return fault(
				s, "CPUSample", "tables.entry", "expected a CPUSample entry, found byte 0x%02x", type);
		uint64_t time = wb_uvarint(in), m = wb_uvarint(in), p = wb_uvarint(in), g = wb_uvarint(in),
			 stack = wb_uvarint(in);
		if (in->bad)
			return fault(s, "CPUSample", "tables.varint",
				"a number of a CPUSample entry is cut short or too long");
		wtr__sample x = {
			.time_ns = (int64_t)time, .m = (int64_t)m, .p = (int64_t)p, .g = g ? (int64_t)g : WTR_NONE
		};
		if (!wb_vec_add(&s->sample_stacks, stack) || !wb_vec_add(&s->g->samples, x))
			return no_memory(s);
	}
	return WTR_OK;
}

static double ns_per_tick(uint64_t frequency)
{
	return 1.0 / ((double)frequency / 1e9);
}

static wtr_code read_sync(build *s)
{
	wb_bytes *in = &s->in;
	wtr__gen *g = s->g;
	uint64_t time = s->b->time;
	while (in->at < in->end) {
		uint8_t type = wb_byte(in);
		if (type == WF_EV_FREQUENCY) {
			if (g->ns_per_tick != 0)
				return fault(
					s, "Frequency", "sync.frequency-twice", "a second frequency in one generation");
			uint64_t f = wb_uvarint(in);
			if (in->bad)
				return fault(s, "Frequency", "tables.varint", "the frequency is cut short or too long");
			g->ns_per_tick = ns_per_tick(f);
		} else if (type == WF_EV_CLOCK_SNAPSHOT && s->t->version >= 25) {
			if (g->has_clock)
				return fault(s, "ClockSnapshot", "sync.clock-twice",
					"a second clock snapshot in one generation");
			uint64_t dt = wb_uvarint(in), mono = wb_uvarint(in), sec = wb_uvarint(in),
				 nsec = wb_uvarint(in);
			if (in->bad)
				return fault(s, "ClockSnapshot", "tables.varint",
					"a number of the clock snapshot is cut short or too long");
			time += dt;
			g->has_clock = true;
			g->clock_time = time;
			g->clock_mono_ns = mono;
			g->clock_wall_ns = (int64_t)(sec * 1000000000u + nsec);
		} else {
			return fault(s, "Sync", "tables.entry",
				"expected a Frequency or a ClockSnapshot, found byte 0x%02x", type);
		}
	}
	return WTR_OK;
}

/* Appends a batch with events to its thread. */
static wtr_code chain(build *s, uint32_t index)
{
	wtr__gen *g = s->g;
	wtr__batch *all = s->t->v2->batches.at;
	uint32_t i = wb_idmap_get(&s->threads, (uint64_t)s->b->m);
	if (i != WB_IDMAP_NONE) {
		all[g->threads.at[i].last].next = index;
		g->threads.at[i].last = index;
		return WTR_OK;
	}
	if (!wb_idmap_set(&s->threads, (uint64_t)s->b->m, (uint32_t)g->threads.n) ||
		!wb_vec_add(&g->threads, (wtr__thread){ .m = s->b->m, .first = index, .last = index }))
		return no_memory(s);
	return WTR_OK;
}

static wtr_code read_one(build *s, size_t index)
{
	wtr__batch *b = &s->t->v2->batches.at[index];
	s->b = b;
	s->in = (wb_bytes){ .at = s->t->at + b->offset + b->head, .end = s->t->at + b->offset + b->head + b->size };
	bool section = b->kind != WTR__BATCH_SYNC || s->t->version >= 25; /* before 1.25 a frequency stands alone */
	switch ((wtr__batch_kind)b->kind) {
	case WTR__BATCH_EVENTS: b->next = UINT32_MAX; return chain(s, (uint32_t)index);
	case WTR__BATCH_EXPERIMENTAL: return WTR_OK;
	default: s->in.at += section; break;
	}
	switch ((wtr__batch_kind)b->kind) {
	case WTR__BATCH_STRINGS: return read_strings(s);
	case WTR__BATCH_STACKS: return read_stacks(s);
	case WTR__BATCH_SAMPLES: return read_samples(s);
	default: return read_sync(s);
	}
}

static wtr_code check_clock(build *s)
{
	if (s->g->ns_per_tick == 0)
		return wtr__fail(&s->why, WTR_E_FORMAT, s->g->offset + s->g->bytes, s->g->number, WTR_NONE, "Frequency",
			"sync.no-frequency", "the generation has no frequency");
	if (s->t->version >= 25 && !s->g->has_clock)
		return wtr__fail(&s->why, WTR_E_FORMAT, s->g->offset + s->g->bytes, s->g->number, WTR_NONE,
			"ClockSnapshot", "sync.no-clock", "the generation has no clock snapshot");
	return WTR_OK;
}

/* The frequency that a batch states; 0: none, or broken. */
static uint64_t stated_frequency(const wtr_trace *t, const wtr__batch *batch)
{
	bool section = t->version >= 25;
	const uint8_t *at = t->at + batch->offset + batch->head;
	wb_bytes in = { .at = at, .end = at + batch->size };
	if (section)
		wb_byte(&in);
	while (in.at < in.end && !in.bad) {
		uint8_t type = wb_byte(&in);
		if (type != WF_EV_CLOCK_SNAPSHOT || !section) {
			uint64_t f = type == WF_EV_FREQUENCY ? wb_uvarint(&in) : 0;
			return in.bad ? 0 : f;
		}
		for (int i = 0; i < 4; i++)
			wb_uvarint(&in);
	}
	return 0;
}

double wtr__common_rate(const wtr_trace *t)
{
	for (size_t i = 0; i < t->v2->batches.n; i++) {
		const wtr__batch *b = &t->v2->batches.at[i];
		uint64_t f = b->kind == WTR__BATCH_SYNC ? stated_frequency(t, b) : 0;
		if (f != 0)
			return ns_per_tick(f);
	}
	return 64.0;
}

/* Samples of one tick keep their order. */
static int by_time(const void *a, const void *b)
{
	const wtr__sample *x = a, *y = b;
	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->place < y->place ? -1 : x->place > y->place;
}

static void finish_samples(build *s)
{
	wtr__gen *g = s->g;
	for (size_t i = 0; i < g->samples.n; i++) {
		g->samples.at[i].time_ns = wtr__ns((uint64_t)g->samples.at[i].time_ns, g->ns_per_tick);
		g->samples.at[i].stack = wtr__stack_id(&g->tables, s->sample_stacks.at[i]);
		g->samples.at[i].place = (uint32_t)i;
	}
	if (g->samples.n)
		qsort(g->samples.at, g->samples.n, sizeof(*g->samples.at), by_time);
}

static wtr_code read_all(build *s, bool repair)
{
	wtr__gen *g = s->g;
	for (size_t i = 0; i < g->n_batches; i++) {
		wtr_code rc = read_one(s, g->first_batch + i);
		if (rc == WTR_E_NOMEM || (rc != WTR_OK && !repair))
			return rc;
		g->lost_batches += rc != WTR_OK;
		s->why.code = WTR_OK;
	}
	if (g->stops && !repair) /* what comes next in the file is the fault that the container found */
		return WTR_OK;
	wtr_code rc = check_clock(s);
	if (rc != WTR_OK && !repair)
		return rc;
	if (g->ns_per_tick == 0)
		g->ns_per_tick = s->t->v2->common_rate;
	uint64_t stack = 0, string = 0;
	if (wtr__tables_finish(&g->tables, repair, &stack, &string) != WTR_OK)
		return wtr__fail(&s->why, WTR_E_FORMAT, g->offset + g->bytes, g->number, WTR_NONE, "Stack",
			"tables.stack-string", "stack %llu of this generation names string %llu, which is not defined",
			(unsigned long long)stack, (unsigned long long)string);
	finish_samples(s);
	if (s->pieces.n && g->wait_base != WTR__UNKNOWN && !(g->carrier = wtr__carrier_make(&s->pieces, &g->tables)))
		return no_memory(s);
	return WTR_OK;
}

wtr_code wtr__gen_build(wtr_trace *t, wtr__gen *g, wtr_error *err)
{
	bool repair = t->opt.damage == WTR_REPAIR;
	build s = { .t = t, .g = g };
	g->built = true;
	g->lost_batches = 0;
	g->ns_per_tick = 0;
	g->has_clock = false;
	wtr_code rc =
		wtr__tables_init(&g->tables, g->string_base, g->stack_base) ? read_all(&s, repair) : no_memory(&s);
	wb_idmap_free(&s.threads);
	wb_vec_free(&s.sample_stacks);
	wb_vec_free(&s.pieces);
	if (rc == WTR_E_NOMEM) {
		wtr__gen_free(g);
		if (err)
			*err = s.why;
		return rc;
	}
	if (rc != WTR_OK) {
		g->stops = true;
		g->err = s.why;
	}
	if (g->stops && !repair) /* half-read tables are of no use, and not safe to look into */
		wtr__gen_free(g);
	return WTR_OK;
}

void wtr__gen_free(wtr__gen *g)
{
	if (!g->built)
		return;
	wtr__tables_free(&g->tables);
	wb_vec_free(&g->threads);
	wb_vec_free(&g->samples);
	wtr__carrier_free(g->carrier);
	g->carrier = NULL;
	g->built = false;
}
