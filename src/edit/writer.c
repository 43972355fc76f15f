/* edit/writer.c - see writer.h. */
#include "edit/writer.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/idmap.h"
#include "base/intern.h"
#include "base/vec.h"
#include "fmt/events.h"
#include "fmt/wire.h"

enum {
	EVENT_BYTES_MAX = 1 + 10 * (WF_ARGS_MAX + 1),
	ENTRY_BYTES_MAX = 32 + WF_FRAMES_MAX * 40, /* of a string or stack */
	EXACT_NS_BITS = 52,                        /* times above this lose bits in the readers' floating point */
};

/* What a thread has written and not yet given out. */
typedef struct lane {
	int64_t m;
	uint64_t base_ns; /* of the batch */
	uint64_t last_ns;
	wb_buf data;
} lane;

struct we_writer {
	unsigned version;
	wtr_write_fn *put;
	void *user;
	uint64_t bytes, gen;
	bool stopped, no_memory, fill_in;
	uint64_t sync_ns;
	WB_VEC(lane) lanes;
	wb_idmap lane_of; /* thread id -> lane, its place + 1 */
	wb_intern texts;  /* of this generation; number = id */
	size_t texts_written;
	wb_idmap string_of, stack_of; /* id read, counted from the first one met -> id written */
	uint32_t first_string, first_stack;
	wb_intern known_stacks; /* frames as they are written; number = id */
	wb_buf strings, stacks, samples, frames, out;
	we_carry *carry;
};

/* There is room for 10 bytes.  How many there are of the usual numbers is hard to predict, so they take no branch. */
static inline char *encode(char *p, uint64_t v)
{
	if (__builtin_expect(v < 1u << 28, 1)) {
		uint32_t x = (uint32_t)v, n = ((31u - (unsigned)__builtin_clz(x | 1)) * 37 >> 8) + 1;
		x = (x & 0x7f) | (x & 0x3f80) << 1 | (x & 0x1fc000) << 2 | (x & 0xfe00000) << 3;
		x |= (uint32_t)(0x80808080u & (((uint64_t)1 << 8 * (n - 1)) - 1));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		x = __builtin_bswap32(x);
#endif
		memcpy(p, &x, sizeof(x));
		return p + n;
	}
	for (; v >= 0x80; v >>= 7)
		*p++ = (char)(v | 0x80);
	*p++ = (char)v;
	return p;
}

static void uvarint(wb_buf *b, uint64_t v)
{
	char *p = wb_buf_room(b, 10);
	if (p)
		b->n += (size_t)(encode(p, v) - p);
}

static void give(we_writer *w, const void *at, size_t n)
{
	if (w->stopped || n == 0)
		return;
	w->bytes += n;
	w->stopped = !w->put(w->user, at, n);
}

/* A batch: its head, then its data. */
static void give_batch(we_writer *w, int experiment, int64_t m, uint64_t base_ns, const wb_buf *data)
{
	w->out.n = 0;
	wb_buf_putc(&w->out, experiment < 0 ? WF_EV_EVENT_BATCH : WF_EV_EXPERIMENTAL_BATCH);
	if (experiment >= 0)
		wb_buf_putc(&w->out, (char)experiment);
	uvarint(&w->out, w->gen);
	uvarint(&w->out, (uint64_t)m);
	uvarint(&w->out, base_ns);
	uvarint(&w->out, data->n);
	w->no_memory |= w->out.failed || data->failed;
	give(w, w->out.at, w->out.n);
	give(w, data->at, data->n);
}

/* Tables go out in pieces, each beginning with the byte of its section. */
static void give_table(we_writer *w, wb_buf *b, uint8_t section)
{
	if (b->n > 1)
		give_batch(w, -1, WTR_NONE, w->sync_ns, b);
	b->n = 0;
	wb_buf_putc(b, (char)section);
}

static void give_lane(we_writer *w, lane *l)
{
	if (l->data.n)
		give_batch(w, -1, l->m, l->base_ns, &l->data);
	l->data.n = 0;
}

we_writer *we_writer_new(unsigned version, wtr_write_fn *put, void *user)
{
	we_writer *w = wb_calloc(1, sizeof(*w));
	if (w)
		w->carry = we_carry_new();
	if (!w || !w->carry) {
		wb_free(w);
		return NULL;
	}
	w->version = version;
	w->put = put;
	w->user = user;
	char header[WF_HEADER_BYTES] = { 0 };
	snprintf(header, sizeof(header), "go 1.%u trace", version);
	give(w, header, sizeof(header));
	return w;
}

void we_writer_free(we_writer *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->lanes.n; i++)
		wb_buf_free(&w->lanes.at[i].data);
	wb_vec_free(&w->lanes);
	wb_idmap_free(&w->lane_of);
	wb_intern_free(&w->texts);
	wb_idmap_free(&w->string_of);
	wb_idmap_free(&w->stack_of);
	wb_buf_free(&w->strings);
	wb_buf_free(&w->stacks);
	wb_buf_free(&w->samples);
	wb_buf_free(&w->frames);
	wb_intern_free(&w->known_stacks);
	wb_buf_free(&w->out);
	we_carry_free(w->carry);
	wb_free(w);
}

void we_fill_in(we_writer *w)
{
	w->fill_in = true;
}

/* ---- generations ---- */

static void put_string(we_writer *w, uint64_t id, wb_text s)
{
	wb_buf_putc(&w->strings, WF_EV_STRING);
	uvarint(&w->strings, id);
	uvarint(&w->strings, s.n);
	wb_buf_put(&w->strings, s.at, s.n);
	if (w->strings.n + ENTRY_BYTES_MAX > WF_BATCH_BYTES_MAX)
		give_table(w, &w->strings, WF_EV_STRINGS);
}

/* Pieces of the carrier have the ids behind those that something refers to. */
static void give_strings(we_writer *w)
{
	give_table(w, &w->strings, WF_EV_STRINGS);
	for (size_t i = 1; i < w->texts.n; i++)
		put_string(w, i, wb_intern_text(&w->texts, (uint32_t)i));
	wb_text piece;
	we_carry_end(w->carry);
	for (size_t i = 0; we_carry_piece(w->carry, i, &piece); i++)
		put_string(w, w->texts.n + i, piece);
	w->no_memory |= we_carry_failed(w->carry);
	give_table(w, &w->strings, WF_EV_STRINGS);
}

static void frequency(wb_buf *b)
{
	wb_buf_putc(b, WF_EV_FREQUENCY);
	uvarint(b, 1000000000);
}

static void end_generation(we_writer *w)
{
	if (w->gen == 0)
		return;
	for (size_t i = 0; i < w->lanes.n; i++)
		give_lane(w, &w->lanes.at[i]);
	if (w->version < 25) {
		wb_buf b = { 0 };
		frequency(&b);
		give_batch(w, -1, WTR_NONE, w->sync_ns, &b);
		wb_buf_free(&b);
	}
	give_table(w, &w->samples, WF_EV_CPU_SAMPLES);
	give_table(w, &w->stacks, WF_EV_STACKS);
	give_strings(w);
	if (w->version >= 26)
		give(w, &(char){ WF_EV_END_OF_GENERATION }, 1);
}

static void give_sync(we_writer *w, const we_clock *c)
{
	wb_buf b = { 0 };
	wb_buf_putc(&b, WF_EV_SYNC);
	frequency(&b);
	wb_buf_putc(&b, WF_EV_CLOCK_SNAPSHOT);
	uvarint(&b, c->trace_ns > (int64_t)w->sync_ns ? (uint64_t)c->trace_ns - w->sync_ns : 0);
	uvarint(&b, c->mono_ns);
	uvarint(&b, (uint64_t)(c->wall_ns / 1000000000));
	uvarint(&b, (uint64_t)(c->wall_ns % 1000000000));
	give_batch(w, -1, WTR_NONE, w->sync_ns, &b);
	wb_buf_free(&b);
}

void we_generation(we_writer *w, int64_t sync_ns, const we_clock *clock)
{
	end_generation(w);
	we_carry_begin(w->carry);
	w->gen++;
	w->sync_ns = sync_ns < 0 ? 0 : (uint64_t)sync_ns;
	wb_intern_free(&w->texts);
	w->texts = (wb_intern){ 0 };
	w->no_memory |= wb_intern_add(&w->texts, "", 0) == WB_INTERN_NONE;
	wb_idmap_free(&w->string_of);
	wb_idmap_free(&w->stack_of);
	w->string_of = w->stack_of = (wb_idmap){ 0 };
	w->first_string = w->first_stack = 0;
	wb_intern_free(&w->known_stacks);
	w->known_stacks = (wb_intern){ 0 };
	if (w->version >= 25)
		give_sync(w, clock);
	give_table(w, &w->samples, WF_EV_CPU_SAMPLES);
	give_table(w, &w->stacks, WF_EV_STACKS);
}

/* ---- tables ---- */

static uint32_t text_id(we_writer *w, wtr_str s)
{
	uint32_t i = wb_intern_add(&w->texts, s.at, s.n < WF_STRING_BYTES_MAX ? s.n : WF_STRING_BYTES_MAX);
	w->no_memory |= i == WB_INTERN_NONE;
	return i == WB_INTERN_NONE ? 0 : i;
}

/* Ids of a late generation are large and near each other: counted from the first one most are small, which makes a map
 * of them fast.  Those below it become very large. */
static uint64_t near(uint32_t *first, uint32_t id)
{
	*first = *first ? *first : id;
	return (uint64_t)id - *first;
}

uint32_t we_string(we_writer *w, const wtr_trace *t, uint32_t id)
{
	if (id == 0)
		return 0;
	uint64_t key = near(&w->first_string, id);
	uint32_t known = wb_idmap_get(&w->string_of, key);
	if (known != WB_IDMAP_NONE)
		return known;
	uint32_t i = text_id(w, wtr_string(t, id));
	w->no_memory |= !wb_idmap_set(&w->string_of, key, i);
	return i;
}

/* Into w->frames. */
static void put_frames(we_writer *w, const wtr_frame *frames, size_t n)
{
	w->frames.n = 0;
	uvarint(&w->frames, n);
	for (size_t i = 0; i < n; i++) {
		uvarint(&w->frames, frames[i].pc);
		bool nameless = w->fill_in && frames[i].func.n == 0, lineless = w->fill_in && frames[i].line == 0;
		uvarint(&w->frames, text_id(w, nameless ? (wtr_str){ "(unknown)", 9 } : frames[i].func));
		uvarint(&w->frames, text_id(w, frames[i].file));
		uvarint(&w->frames, lineless ? 1 : frames[i].line);
	}
}

uint32_t we_frames(we_writer *w, const wtr_frame *frames, size_t n)
{
	if (n == 0)
		return 0;
	put_frames(w, frames, n < WF_FRAMES_MAX ? n : WF_FRAMES_MAX);
	size_t known = w->known_stacks.n;
	uint32_t id = wb_intern_add(&w->known_stacks, w->frames.at, w->frames.n);
	if (id == WB_INTERN_NONE || w->frames.failed) {
		w->no_memory = true;
		return 0;
	}
	if (id < known)
		return id;
	wb_buf_putc(&w->stacks, WF_EV_STACK);
	uvarint(&w->stacks, id);
	wb_buf_put(&w->stacks, w->frames.at, w->frames.n);
	if (w->stacks.n + ENTRY_BYTES_MAX > WF_BATCH_BYTES_MAX)
		give_table(w, &w->stacks, WF_EV_STACKS);
	return id;
}

uint32_t we_stack(we_writer *w, const wtr_trace *t, uint32_t id)
{
	if (id == 0)
		return 0;
	uint64_t key = near(&w->first_stack, id);
	uint32_t known = wb_idmap_get(&w->stack_of, key);
	if (known != WB_IDMAP_NONE)
		return known;
	wtr_frame frames[WF_FRAMES_MAX];
	uint32_t i = we_frames(w, frames, wtr_stack(t, id, frames, WF_FRAMES_MAX));
	w->no_memory |= !wb_idmap_set(&w->stack_of, key, i);
	return i;
}

/* ---- events ---- */

uint32_t we_lane(we_writer *w, int64_t m)
{
	uint32_t i = wb_idmap_get(&w->lane_of, (uint64_t)m);
	if (i != WB_IDMAP_NONE)
		return i;
	i = (uint32_t)w->lanes.n + 1;
	if (!wb_vec_reserve(&w->lanes, 1) || !wb_idmap_set(&w->lane_of, (uint64_t)m, i)) {
		w->no_memory = true;
		return 0;
	}
	w->lanes.at[w->lanes.n++] = (lane){ .m = m };
	return i;
}

/* Time passes up to the first event of a batch, too.  Readers multiply the base as a floating point number: give it few
 * bits where that matters. */
static void begin_batch(const we_writer *w, lane *l, uint64_t time)
{
	l->base_ns = time - (time != 0);
	if (time >> EXACT_NS_BITS)
		l->base_ns &= ~(uint64_t)0xfff;
	if (l->base_ns < w->sync_ns)
		l->base_ns = w->sync_ns < time ? w->sync_ns : time;
	l->last_ns = l->base_ns;
}

void we_event(we_writer *w, uint32_t in, int64_t time_ns, uint8_t type, unsigned n, const uint64_t *args)
{
	if (in == 0)
		return;
	lane *l = &w->lanes.at[in - 1];
	uint64_t time = time_ns < 0 ? 0 : (uint64_t)time_ns;
	if (l->data.n + EVENT_BYTES_MAX > WF_BATCH_BYTES_MAX)
		give_lane(w, l);
	if (l->data.n == 0)
		begin_batch(w, l, time);
	char *p = wb_buf_room(&l->data, EVENT_BYTES_MAX);
	if (!p) {
		w->no_memory = true;
		return;
	}
	*p++ = (char)type;
	p = encode(p, time - l->last_ns);
	l->last_ns = time;
	for (unsigned i = 0; i < n; i++)
		p = encode(p, args[i]);
	l->data.n = (size_t)(p - l->data.at);
}

void we_sample(we_writer *w, const wtr_event *e, uint32_t stack)
{
	wb_buf_putc(&w->samples, WF_EV_CPU_SAMPLE);
	uvarint(&w->samples, e->time_ns < 0 ? 0 : (uint64_t)e->time_ns);
	uvarint(&w->samples, (uint64_t)e->m);
	uvarint(&w->samples, (uint64_t)e->p);
	uvarint(&w->samples, e->g == WTR_NONE ? 0 : (uint64_t)e->g);
	uvarint(&w->samples, stack);
	if (w->samples.n + ENTRY_BYTES_MAX > WF_BATCH_BYTES_MAX)
		give_table(w, &w->samples, WF_EV_CPU_SAMPLES);
}

we_carry *we_carrier(we_writer *w)
{
	return w->carry;
}

void we_experimental(we_writer *w, uint8_t experiment, int64_t m, const uint8_t *data, size_t n)
{
	wb_buf b = { .at = (char *)(uintptr_t)data, .n = n, .cap = n };
	give_batch(w, experiment, m, w->sync_ns, &b);
}

bool we_finish(we_writer *w, bool *ret_stopped)
{
	end_generation(w);
	w->no_memory |= w->strings.failed || w->frames.failed || w->stacks.failed || w->samples.failed || w->out.failed;
	*ret_stopped = w->stopped;
	return !w->stopped && !w->no_memory;
}

uint64_t we_bytes(const we_writer *w)
{
	return w->bytes;
}
