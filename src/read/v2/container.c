/* read/v2/container.c - one pass over the batch headers (see container.h).
 *
 * How a generation ends depends on the version: from 1.26 on by a byte of its own, before that where the number of the
 * next one begins.  What happens at damage follows Go 1.27's reader (internal/trace, readGeneration and
 * readGenerationWithSpill): from 1.26 on an incomplete generation is dropped whole; before, what was read of it is
 * used.
 */
#include "read/v2/container.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "fmt/events.h"
#include "fmt/wire.h"

enum { RELEASE_BYTES = 8 << 20 };

typedef struct scan {
	wtr_trace *t;
	wtr__gens *v;
	wb_bytes in;
	wtr__gen gen;      /* being collected */
	bool open;         /* gen holds something */
	size_t n_events;   /* batches with events in gen */
	uint64_t released; /* pages before this offset were given back */
	wtr_error *err;
} scan;

static uint64_t offset_of(const scan *s, const uint8_t *at)
{
	return (uint64_t)(at - s->t->at);
}

static wtr__batch_kind kind_of(const uint8_t *data, uint32_t size, unsigned version)
{
	if (size == 0)
		return WTR__BATCH_EVENTS;
	switch (data[0]) {
	case WF_EV_STRINGS: return WTR__BATCH_STRINGS;
	case WF_EV_STACKS: return WTR__BATCH_STACKS;
	case WF_EV_CPU_SAMPLES: return WTR__BATCH_SAMPLES;
	case WF_EV_FREQUENCY: return version < 25 ? WTR__BATCH_SYNC : WTR__BATCH_EVENTS;
	case WF_EV_SYNC: return version >= 25 ? WTR__BATCH_SYNC : WTR__BATCH_EVENTS;
	default: return WTR__BATCH_EVENTS;
	}
}

/* Reads one batch at s->in, or the end of a generation (*ret_end).  WTR_OK, or the code with *err. */
static wtr_code read_batch(scan *s, wtr__batch *ret, uint64_t *ret_gen, bool *ret_end, wtr_error *err)
{
	wb_bytes *in = &s->in;
	const uint8_t *start = in->at;
	uint64_t offset = offset_of(s, start);
	uint8_t type = wb_byte(in);
	*ret_end = type == WF_EV_END_OF_GENERATION;
	if (*ret_end)
		return WTR_OK;
	if (type != WF_EV_EVENT_BATCH && type != WF_EV_EXPERIMENTAL_BATCH)
		return wtr__fail(err, WTR_E_FORMAT, offset, s->gen.number, WTR_NONE, "", "container.batch-start",
			"expected the start of a batch, found byte 0x%02x", type);
	uint8_t exp = type == WF_EV_EXPERIMENTAL_BATCH ? wb_byte(in) : 0;
	uint64_t gen = wb_uvarint(in);
	uint64_t m = wb_uvarint(in);
	uint64_t time = wb_uvarint(in);
	uint64_t size = wb_uvarint(in);
	const char *name = exp ? "ExperimentalBatch" : "EventBatch";
	if (in->bad)
		return wtr__fail(err, in->end - in->at < 10 ? WTR_E_TRUNC : WTR_E_FORMAT, offset, gen, (int64_t)m, name,
			"container.batch-header", "incomplete batch header");
	if (size > WF_BATCH_BYTES_MAX)
		return wtr__fail(err, WTR_E_FORMAT, offset, gen, (int64_t)m, name, "container.batch-size",
			"a batch of %llu bytes; the most is %d", (unsigned long long)size, WF_BATCH_BYTES_MAX);
	if (size > (uint64_t)(in->end - in->at)) {
		unsigned long long missing = size - (uint64_t)(in->end - in->at);
		return wtr__fail(err, WTR_E_TRUNC, offset, gen, (int64_t)m, name, "container.batch-data",
			"the trace ends inside a batch: %llu of its %llu bytes are missing", missing,
			(unsigned long long)size);
	}
	*ret = (wtr__batch){ .offset = offset,
		.time = time,
		.m = (int64_t)m,
		.size = (uint32_t)size,
		.next = UINT32_MAX,
		.head = (uint8_t)(in->at - start),
		.kind = exp ? WTR__BATCH_EXPERIMENTAL : (uint8_t)kind_of(in->at, (uint32_t)size, s->t->version) };
	*ret_gen = gen;
	*ret_end = !exp && size &&
		   in->at[0] == WF_EV_END_OF_GENERATION; /* nobody writes that, but Go takes it for the mark */
	in->at += size;
	return WTR_OK;
}

static wtr_code no_memory(scan *s)
{
	return wtr__fail(s->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
}

static wtr_code add_batch(scan *s, wtr__batch b)
{
	if (!s->open) {
		s->gen.first_batch = s->v->batches.n;
		s->gen.offset = b.offset;
		s->open = true;
	}
	if (s->v->batches.n >= UINT32_MAX - 1 || !wb_vec_add(&s->v->batches, b))
		return no_memory(s);
	/* One byte of each batch is looked at, but the kernel maps its neighbours with it: all of the file, in the
	 * end. */
	if (b.offset - s->released > RELEASE_BYTES) {
		wo_map_release(&s->t->map, s->released, b.offset);
		s->released = b.offset;
	}
	if (s->gen.min_time == 0 || b.time < s->gen.min_time)
		s->gen.min_time = b.time;
	s->n_events += b.kind == WTR__BATCH_EVENTS;
	s->gen.n_experimental += b.kind == WTR__BATCH_EXPERIMENTAL;
	s->gen.n_batches++;
	return WTR_OK;
}

/* Ends the generation being collected; `why` is not NULL when Go's reader stops before it. */
static wtr_code close_gen(scan *s, const uint8_t *end, const wtr_error *why)
{
	if (!s->open)
		s->gen.offset = offset_of(s, end);
	s->gen.bytes = offset_of(s, end) - s->gen.offset;
	s->gen.stops = why != NULL;
	if (why)
		s->gen.err = *why;
	if (!wb_vec_add(&s->v->gens, s->gen))
		return no_memory(s);
	s->gen = (wtr__gen){ .state = WTR__GEN_RAW };
	s->open = false;
	s->n_events = 0;
	return WTR_OK;
}

/* Behind damage: the next place that looks like a chain of batches, or the end. */
static void resync(scan *s, uint64_t gen)
{
	const uint8_t *end = s->in.end;
	for (const uint8_t *p = s->in.at; p < end; p++) {
		scan probe = *s;
		probe.in = (wb_bytes){ .at = p, .end = end };
		unsigned chain = 0;
		for (; chain < 3 && probe.in.at < end; chain++) {
			wtr__batch b;
			uint64_t g;
			bool eog;
			if (*probe.in.at != WF_EV_EVENT_BATCH && *probe.in.at != WF_EV_END_OF_GENERATION &&
				*probe.in.at != WF_EV_EXPERIMENTAL_BATCH)
				break;
			if (read_batch(&probe, &b, &g, &eog, NULL) != WTR_OK)
				break;
			if (eog ? chain == 0 || s->t->version < 26 : g < gen || g > gen + 2)
				break;
		}
		if (chain == 3 || (chain > 0 && probe.in.at == end)) {
			s->in = (wb_bytes){ .at = p, .end = end };
			return;
		}
	}
	s->in = (wb_bytes){ .at = end, .end = end };
}

/* One damaged place with WTR_REPAIR: note it, find the next batch, go on with what is there. */
static void step_over(scan *s, const wtr_error *why)
{
	if (s->v->tail.code == WTR_OK)
		s->v->tail = *why;
	const uint8_t *bad = s->t->at + why->offset;
	uint64_t number = s->gen.number ? s->gen.number : s->v->gens.n ? s->v->gens.at[s->v->gens.n - 1].number : 1;
	s->in = (wb_bytes){ .at = bad + 1, .end = s->in.end };
	resync(s, number);
	s->t->info.lost_bytes += (uint64_t)(s->in.at - bad);
}

/* The file ends inside a generation that has tables only.  Go takes that for a proper end, except when a table is
 * broken: it reads those at once, and what the generation as a whole lacks only at its end. */
static wtr_code end_in_tables(scan *s)
{
	if (close_gen(s, s->in.end, NULL) != WTR_OK)
		return WTR_E_NOMEM;
	wtr__gen *g = &s->v->gens.at[s->v->gens.n - 1];
	if (wtr__gen_build(s->t, g, s->err) != WTR_OK)
		return WTR_E_NOMEM;
	static const char *const of_whole[] = { "sync.no-frequency", "sync.no-clock", "tables.stack-string" };
	bool broken = g->stops;
	for (size_t i = 0; broken && i < sizeof(of_whole) / sizeof(*of_whole); i++)
		broken = strcmp(g->err.rule, of_whole[i]) != 0;
	wtr__gen_free(g);
	if (!broken)
		s->v->gens.n--;
	return WTR_OK;
}

/* The batches of a file from 1.26 on. */
static wtr_code scan_marked(scan *s, bool repair)
{
	while (s->in.at < s->in.end) {
		wtr__batch b;
		uint64_t gen = 0;
		bool end_of_gen;
		wtr_error why = { 0 };
		const uint8_t *start = s->in.at;
		if (s->in.end - start == 1 &&
			*start == WF_EV_EXPERIMENTAL_BATCH) /* Go takes this for the end of the file */
			break;
		wtr_code rc = read_batch(s, &b, &gen, &end_of_gen, &why);
		if (rc == WTR_OK && !end_of_gen && gen == 0)
			rc = wtr__fail(&why, WTR_E_FORMAT, b.offset, 0, b.m, "EventBatch", "container.generation-zero",
				"generation number 0");
		else if (rc == WTR_OK && !end_of_gen && s->gen.number && gen != s->gen.number)
			rc = wtr__fail(&why, WTR_E_FORMAT, b.offset, s->gen.number, b.m, "EventBatch",
				"container.generation-mixed",
				"a batch of generation %llu inside generation %llu, which has not ended",
				(unsigned long long)gen, (unsigned long long)s->gen.number);
		if (rc == WTR_OK && end_of_gen) {
			if (!s->gen.number)
				s->gen.number = gen;
			rc = close_gen(s, s->in.at, NULL);
			if (rc != WTR_OK)
				return rc;
			continue;
		}
		if (rc == WTR_OK) {
			s->gen.number = gen;
			if (add_batch(s, b) != WTR_OK)
				return WTR_E_NOMEM;
			continue;
		}
		if (!repair)
			return close_gen(s, start, &why);
		if (why.rule && strcmp(why.rule, "container.generation-mixed") ==
					0) { /* the end marker is lost: the next begins here */
			if (s->v->tail.code == WTR_OK)
				s->v->tail = why;
			s->in = (wb_bytes){ .at = start, .end = s->in.end };
			if (close_gen(s, start, &why) != WTR_OK)
				return WTR_E_NOMEM;
			continue;
		}
		step_over(s, &why);
	}
	if (!s->open)
		return WTR_OK;
	if (s->n_events == 0 && !repair)
		return end_in_tables(s);
	wtr_error why;
	wtr__fail(&why, WTR_E_TRUNC, offset_of(s, s->in.end), s->gen.number, WTR_NONE, "", "container.generation-torn",
		"the trace ends inside generation %llu, which has no end mark: the program did not stop tracing, or "
		"the file was cut",
		(unsigned long long)s->gen.number);
	return close_gen(s, s->in.end, &why);
}

/* The batches of a file before 1.26: a generation ends where the next number begins. */
static wtr_code scan_counted(scan *s, bool repair)
{
	while (s->in.at < s->in.end) {
		wtr__batch b;
		uint64_t gen = 0;
		bool end_of_gen;
		wtr_error why = { 0 };
		const uint8_t *start = s->in.at;
		if (s->in.end - start == 1 && *start == WF_EV_EXPERIMENTAL_BATCH)
			break;
		wtr_code rc = read_batch(s, &b, &gen, &end_of_gen, &why);
		bool drop = false; /* Go drops the generation it is in, not only what follows */
		if (rc == WTR_OK && (end_of_gen || gen == 0)) {
			if (s->gen.number && gen == s->gen.number + 1 && close_gen(s, start, NULL) != WTR_OK)
				return WTR_E_NOMEM;
			drop = true;
			rc = wtr__fail(&why, WTR_E_FORMAT, offset_of(s, start), s->gen.number, WTR_NONE,
				end_of_gen ? "EndOfGeneration" : "EventBatch", "container.generation-zero",
				end_of_gen ? "an end-of-generation mark in a go 1.%u trace"
					   : "generation number 0 in a go 1.%u trace",
				s->t->version);
		} else if (rc == WTR_OK && s->gen.number && gen == s->gen.number + 1) {
			if (close_gen(s, start, NULL) != WTR_OK)
				return WTR_E_NOMEM;
		} else if (rc == WTR_OK && s->gen.number && gen != s->gen.number) {
			drop = true;
			rc = wtr__fail(&why, WTR_E_FORMAT, b.offset, s->gen.number, b.m, "EventBatch",
				"container.generation-order", "a batch of generation %llu inside generation %llu",
				(unsigned long long)gen, (unsigned long long)s->gen.number);
		}
		if (rc == WTR_OK) {
			s->gen.number = gen;
			if (add_batch(s, b) != WTR_OK)
				return WTR_E_NOMEM;
			continue;
		}
		if (repair) {
			if (!end_of_gen && drop && gen > s->gen.number &&
				gen - s->gen.number < 3) { /* a whole generation is missing */
				if (s->v->tail.code == WTR_OK)
					s->v->tail = why;
				if (close_gen(s, start, NULL) != WTR_OK)
					return WTR_E_NOMEM;
				s->in = (wb_bytes){ .at = start, .end = s->in.end };
				continue;
			}
			step_over(s, &why);
			continue;
		}
		if (drop || !s->gen.number)
			return close_gen(s, start, &why);
		s->v->tail = why;
		return close_gen(s, start, NULL);
	}
	if (!s->open && s->v->gens.n && !repair)
		return WTR_OK;
	return s->open || !repair ? close_gen(s, s->in.end, NULL) : WTR_OK;
}

/* Ids are handed out from ranges reserved by an upper bound: a string entry takes at least 3 bytes, a stack too, a wait
 * 2, and it has two ids. */
static wtr_code reserve_ids(wtr_trace *t, wtr_error *err)
{
	wtr__gens *v = t->v2;
	uint64_t strings = 0, stacks = 0, waits = 0;
	for (size_t i = 0; i < v->gens.n; i++) {
		wtr__gen *g = &v->gens.at[i];
		g->string_base = (uint32_t)strings;
		g->stack_base = (uint32_t)stacks;
		uint64_t wait_base = waits;
		for (size_t k = 0; k < g->n_batches; k++) {
			const wtr__batch *b = &v->batches.at[g->first_batch + k];
			strings += b->kind == WTR__BATCH_STRINGS ? b->size / 3 + 1 : 0;
			stacks += b->kind == WTR__BATCH_STACKS ? b->size / 3 + 1 : 0;
			waits += b->kind == WTR__BATCH_STRINGS ? b->size + 2 : 0;
		}
		g->wait_base = waits < WTR__UNKNOWN ? (uint32_t)wait_base : WTR__UNKNOWN;
		if (strings >= WTR__EXTRA - 1 || stacks >= WTR__EXTRA - 1)
			return wtr__fail(err, WTR_E_LIMIT, g->offset, g->number, WTR_NONE, "", "limit.ids",
				"more than 2^31 strings or stacks");
	}
	return WTR_OK;
}

wtr_code wtr__v2_open(wtr_trace *t, wtr_error *err)
{
	t->v2 = wb_calloc(1, sizeof(*t->v2));
	if (!t->v2)
		return wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	pthread_mutex_init(&t->v2->lock, NULL);
	pthread_cond_init(&t->v2->changed, NULL);
	scan s = { .t = t, .v = t->v2, .in = { .at = t->at + WF_HEADER_BYTES, .end = t->at + t->n }, .err = err };
	bool repair = t->opt.damage == WTR_REPAIR;
	wtr_code rc = t->version >= 26 ? scan_marked(&s, repair) : scan_counted(&s, repair);
	wo_map_release(&t->map, s.released, t->n);
	if (rc == WTR_OK)
		rc = reserve_ids(t, err);
	if (rc != WTR_OK)
		return rc;
	if (repair)
		t->v2->common_rate = wtr__common_rate(t);

	wtr_info *info = &t->info;
	info->batches = t->v2->batches.n;
	info->damage = t->v2->tail;
	for (size_t i = 0; i < t->v2->gens.n; i++) {
		const wtr__gen *g = &t->v2->gens.at[i];
		info->generations += !g->stops;
		if (g->stops && info->damage.code == WTR_OK)
			info->damage = g->err;
	}
	if (info->damage.code != WTR_OK && !repair) {
		const wtr__gen *last = t->v2->gens.n ? &t->v2->gens.at[t->v2->gens.n - 1] : NULL;
		info->lost_bytes = t->n - (last && last->stops ? last->offset : info->damage.offset);
	}
	return WTR_OK;
}

void wtr__v2_close(wtr_trace *t)
{
	wtr__gens *v = t->v2;
	if (!v)
		return;
	for (size_t i = 0; i < v->gens.n; i++)
		wtr__gen_free(&v->gens.at[i]);
	wb_vec_free(&v->gens);
	wb_vec_free(&v->batches);
	pthread_mutex_destroy(&v->lock);
	pthread_cond_destroy(&v->changed);
	wb_free(v);
	t->v2 = NULL;
}

wtr_code wtr__gen_get(wtr_trace *t, size_t i, wtr_error *err)
{
	wtr__gens *v = t->v2;
	wtr__gen *g = &v->gens.at[i];
	wtr_code rc = WTR_OK;
	pthread_mutex_lock(&v->lock);
	while (g->state == WTR__GEN_BUILDING)
		pthread_cond_wait(&v->changed, &v->lock);
	if (g->state != WTR__GEN_READY) {
		g->state = WTR__GEN_BUILDING;
		pthread_mutex_unlock(&v->lock);
		rc = wtr__gen_build(t, g, err);
		pthread_mutex_lock(&v->lock);
		g->state = rc == WTR_OK ? WTR__GEN_READY : WTR__GEN_RAW;
		pthread_cond_broadcast(&v->changed);
	}
	g->users += rc == WTR_OK;
	pthread_mutex_unlock(&v->lock);
	return rc;
}

void wtr__gen_put(wtr_trace *t, size_t i, bool release)
{
	wtr__gen *g = &t->v2->gens.at[i];
	pthread_mutex_lock(&t->v2->lock);
	g->users--;
	if (release && g->users == 0 && g->state == WTR__GEN_READY) {
		wtr__gen_free(g);
		g->state = WTR__GEN_RELEASED;
	}
	pthread_mutex_unlock(&t->v2->lock);
}

typedef enum ids { STRING_IDS, STACK_IDS, WAIT_IDS } ids;

static uint32_t base_of(const wtr__gen *g, ids which)
{
	return which == STRING_IDS ? g->string_base : which == STACK_IDS ? g->stack_base : g->wait_base;
}

/* The generation whose ids contain `id`. */
static const wtr__gen *gen_of(const wtr__gens *v, uint32_t id, ids which)
{
	size_t lo = 0, hi = v->gens.n;
	while (hi - lo > 1) {
		size_t mid = (lo + hi) / 2;
		if (base_of(&v->gens.at[mid], which) < id)
			lo = mid;
		else
			hi = mid;
	}
	return lo < v->gens.n ? &v->gens.at[lo] : NULL;
}

wtr_str wtr__v2_string(const wtr_trace *t, uint32_t id)
{
	const wtr__gen *g = gen_of(t->v2, id, STRING_IDS);
	return g && g->built ? wtr__tables_string(&g->tables, id - g->string_base) : (wtr_str){ "", 0 };
}

size_t wtr__v2_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	const wtr__gen *g = gen_of(t->v2, id, STACK_IDS);
	return g && g->built ? wtr__tables_stack(&g->tables, id - g->stack_base, ret, n) : 0;
}

size_t wtr_wait_objects(const wtr_trace *t, uint32_t wait, wtr_object *ret, size_t n)
{
	const wtr__gen *g = t->v2 && wait && wait != WTR_PROC_TAKEN ? gen_of(t->v2, wait, WAIT_IDS) : NULL;
	return g && g->built && g->carrier ? wtr__carrier_objects(g->carrier, wait - g->wait_base, ret, n) : 0;
}

const wtr__carrier *wtr__carrier_of(const wtr_trace *t, uint64_t generation)
{
	const wtr__gens *v = t->v2;
	bool there = v && generation && generation <= v->gens.n && v->gens.at[generation - 1].built;
	return there ? v->gens.at[generation - 1].carrier : NULL;
}

bool wtr_names_objects(const wtr_trace *t)
{
	for (size_t i = 0; t->v2 && i < t->v2->gens.n; i++) {
		const wtr__gen *g = &t->v2->gens.at[i];
		if (g->built && g->carrier && g->carrier->waits.n > 1)
			return true;
	}
	return false;
}

/* The copies are made while the generation is held. */
size_t wtr_kept_labels(wtr_trace *t, size_t i, wtr_kept_label *ret, size_t n)
{
	if (!t->v2 || i >= t->v2->gens.n || wtr__gen_get(t, i, NULL) != WTR_OK)
		return 0;
	const wtr__gen *g = &t->v2->gens.at[i];
	size_t all = g->built && g->carrier ? g->carrier->labels.n : 0;
	for (size_t k = 0; k < all && k < n; k++)
		ret[k] = g->carrier->labels.at[k];
	wtr__gen_put(t, i, !wtr__keeps_tables(t));
	return all;
}

bool wtr_get_generation(wtr_trace *t, size_t i, wtr_generation *ret)
{
	if (!t->v2) {
		if (i != 0)
			return false;
		*ret = (wtr_generation){
			.offset = WF_HEADER_BYTES, .bytes = t->n - WF_HEADER_BYTES, .batches = t->info.batches
		};
		return true;
	}
	if (i >= t->v2->gens.n)
		return false;
	wtr__gen *g = &t->v2->gens.at[i];
	pthread_mutex_lock(&t->v2->lock);
	bool known = g->ns_per_tick != 0 && g->state != WTR__GEN_BUILDING;
	pthread_mutex_unlock(&t->v2->lock);
	if (!known) { /* the clock is in the tables */
		if (wtr__gen_get(t, i, NULL) != WTR_OK)
			return false;
		wtr__gen_put(t, i, !wtr__keeps_tables(t));
	}
	*ret = (wtr_generation){ .number = g->number,
		.offset = g->offset,
		.bytes = g->bytes,
		.batches = g->n_batches,
		.has_clock = g->has_clock };
	if (g->has_clock) {
		ret->clock_trace_ns = wtr__ns(g->clock_time, g->ns_per_tick);
		ret->clock_mono_ns = g->clock_mono_ns;
		ret->clock_wall_ns = g->clock_wall_ns;
	}
	return true;
}

size_t wtr_experimental_batches(wtr_trace *t, size_t i)
{
	return t->v2 && i < t->v2->gens.n ? t->v2->gens.at[i].n_experimental : 0;
}

int64_t wtr__v2_reaches(const wtr_trace *t)
{
	const wtr__gens *all = t->v2;
	uint64_t last = 0;
	for (size_t i = 0; i < all->gens.n; i++) {
		const wtr__gen *g = &all->gens.at[i];
		for (size_t b = g->first_batch; b < g->first_batch + g->n_batches && !g->stops; b++)
			if (all->batches.at[b].kind == WTR__BATCH_EVENTS && all->batches.at[b].time > last)
				last = all->batches.at[b].time;
	}
	return last ? wtr__ns(last, wtr__common_rate(t)) : INT64_MIN;
}
