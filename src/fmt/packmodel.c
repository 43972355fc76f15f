/* fmt/packmodel.c - see packmodel.h.
 *
 * Columns.  A column is (event number, slot): slot 0 has the types of the events that follow an event of that number,
 * slots 1 .. 5 its numbers as on the wire, slots 6 .. 9 what single kinds of event need beside.  Event number 0 is no
 * event: its columns hold the frame, and the bytes that are none.
 */
#include "fmt/packmodel.h"

#include <string.h>

#include "base/alloc.h"
#include "base/bytes.h"
#include "fmt/events.h"
#include "fmt/rawevent.h"
#include "fmt/wire.h"

enum {
	SLOTS = 10,
	ARGS_MAX = 5,
	TABLE = 1 << 14, /* places of a table of guesses: ids are hashed to them, a wrong guess only costs a byte */
	THREADS = 256,
	TEXT_MAX = 1 << 16, /* longer ones are stored as they are, so that an event is never large */
};

/* Columns that are no event's. */
enum {
	COL_SEGMENT = 1, /* slots of event number 0: what comes next (enum segment) */
	COL_RAW_N,       /* bytes as they are: how many, */
	COL_RAW,         /* and they */
	COL_TEXT,        /* texts of strings */
	COL_TAIL_N,      /* of a batch: bytes behind its events, as they are */
	COL_SIZE_WIDTH,  /* of a batch: bytes of its size */
	COL_V1_N,        /* v1: bytes of the arguments where they do not follow from them */
	/* slots of a stack */
	COL_PC = WF_EV_STACK * SLOTS + 6,
	COL_FUNC,
	COL_FILE,
	COL_LINE,
	/* slots of a string */
	COL_TEXT_N = WF_EV_STRING * SLOTS + 6,
	/* slots of a batch: those of its head are 1 .. 4 */
	COL_EXPERIMENT = WF_EV_EXPERIMENTAL_BATCH * SLOTS + 6,
};
enum segment { SEGMENT_END, SEGMENT_RAW, SEGMENT_BATCH, SEGMENT_EXPERIMENT, SEGMENT_GENERATION_END, SEGMENT_V1 };

/* What is known of a thread (v1: of a proc) while its batches pass. */
typedef struct lane {
	uint64_t g;      /* running */
	uint64_t woken;  /* by it, newest */
	uint64_t before; /* g that ran before */
	uint64_t stack;  /* newest */
	uint64_t time;   /* of its newest batch */
	uint8_t type;    /* of its newest event */
} lane;

struct wf_pack_model {
	uint32_t seq[TABLE];     /* of a goroutine or proc: newest sequence number */
	uint32_t woke[TABLE];    /* by a goroutine: whom it woke last */
	uint32_t next[TABLE];    /* after a goroutine: who ran */
	uint32_t stack_g[TABLE]; /* of a kind of event and goroutine: its stack or text last time */
	uint32_t stack_s[TABLE]; /* of a kind of event and the newest stack */
	uint64_t pc_next[TABLE]; /* of a frame: the frame around it, last time */
	uint32_t pc_func[TABLE], pc_file[TABLE], pc_line[TABLE];
	lane lanes[THREADS];
	uint64_t last[WF_PACK_COLUMNS];
	uint64_t gen, stamp;
	uint8_t roles[2][256][ARGS_MAX + 1]; /* [v1][type][argument] */
	size_t pos[WF_PACK_STREAMS];         /* reading */
};

/* One direction's hands. */
typedef struct coder {
	wf_pack_model *m;
	wf_stream *streams;
	wf_stream out; /* reading: where the bytes go; n and cap */
	size_t *pos;   /* reading: place in each stream */
	lane *at;
	bool writing, bad;
} coder;

typedef struct event {
	uint8_t type;
	unsigned n;
	uint64_t arg[ARGS_MAX];
} event;

#define INLINE static inline __attribute__((always_inline))

/* ---- streams ---- */

static bool grow(wf_stream *s, size_t more)
{
	size_t cap = s->cap * 2 + more + 256;
	uint8_t *p = wb_realloc(s->at, cap, 1);
	if (!p)
		return false;
	s->at = p;
	s->cap = cap;
	return true;
}

INLINE void push(coder *c, size_t stream, uint8_t byte)
{
	wf_stream *s = &c->streams[stream];
	if (__builtin_expect(s->n == s->cap, 0) && !grow(s, 1)) {
		c->bad = true;
		return;
	}
	s->at[s->n++] = byte;
}

INLINE uint8_t pull(coder *c, size_t stream)
{
	if (__builtin_expect(c->pos[stream] < c->streams[stream].n, 1))
		return c->streams[stream].at[c->pos[stream]++];
	c->bad = true;
	return 0;
}

/* One number of a column, in the direction of the coder; returns it. */
INLINE uint64_t code(coder *c, bool writing, size_t column, uint64_t v)
{
	size_t first = 2 * column, rest = first + 1;
	if (writing) {
		if (__builtin_expect(v < 0x80, 1)) {
			push(c, first, (uint8_t)v);
			return v;
		}
		push(c, first, (uint8_t)(v | 0x80));
		for (uint64_t w = v >> 7;; w >>= 7) {
			push(c, rest, (uint8_t)(w < 0x80 ? w : w | 0x80));
			if (w < 0x80)
				return v;
		}
	}
	uint8_t b = pull(c, first);
	v = b & 0x7f;
	for (unsigned shift = 7; b >= 0x80 && shift < 64; shift += 7) {
		b = pull(c, rest);
		v |= (uint64_t)(b & 0x7f) << shift;
	}
	return v;
}

/* Bytes as they are.  Writing: from `at`.  Reading: to the output. */
static void code_bytes(coder *c, bool writing, size_t column, const uint8_t *at, size_t n)
{
	wf_stream *s = &c->streams[2 * column];
	if (writing) {
		if (s->cap - s->n < n && !grow(s, n)) {
			c->bad = true;
			return;
		}
		if (n)
			memcpy(s->at + s->n, at, n);
		s->n += n;
		return;
	}
	size_t *pos = &c->pos[2 * column];
	if (n > s->n - *pos || n > c->out.cap - c->out.n) {
		c->bad = true;
		return;
	}
	if (n)
		memcpy(c->out.at + c->out.n, s->at + *pos, n);
	*pos += n;
	c->out.n += n;
}

/* ---- numbers that can be foreseen ---- */

static inline uint64_t fold(uint64_t d) /* small for differences of either sign */
{
	return d << 1 ^ (uint64_t)((int64_t)d >> 63);
}

static inline uint64_t unfold(uint64_t z)
{
	return z >> 1 ^ (0 - (z & 1));
}

static inline size_t place(uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15u >> 50);
}
_Static_assert(TABLE == 1 << 14, "place() gives 14 bits");

INLINE uint64_t code_difference(coder *c, bool writing, size_t column, uint64_t v, uint64_t from)
{
	return from + unfold(code(c, writing, column, fold(v - from)));
}

/* 0: the first guess; 1: the second; 2: a number that leaves no room for these; else 3 + the folded difference to base.
 */
INLINE uint64_t code_guess(
	coder *c, bool writing, size_t column, uint64_t v, uint64_t guess, uint64_t guess2, uint64_t base)
{
	uint64_t z = fold(v - base);
	uint64_t k = v == guess ? 0 : v == guess2 ? 1 : z > UINT64_MAX - 3 ? 2 : z + 3;
	k = code(c, writing, column, k);
	if (__builtin_expect(k == 2, 0))
		return code(c, writing, column, v);
	return k == 0 ? guess : k == 1 ? guess2 : base + unfold(k - 3);
}

/* ---- one event ---- */

/* What an argument is, for guessing. */
typedef enum role {
	ROLE_PLAIN,
	ROLE_RISING, /* near to the one before */
	ROLE_G_NEXT, /* the goroutine that runs now */
	ROLE_G_WOKEN,
	ROLE_G,     /* any other */
	ROLE_SEQ,   /* of what the argument before it names; of the lane when there is none */
	ROLE_PLACE, /* a stack or text */
	ROLE_LANE,  /* same as last time on this lane */
} role;

INLINE uint64_t code_argument(coder *c, bool writing, unsigned r, size_t column, event *e, unsigned i)
{
	wf_pack_model *m = c->m;
	lane *l = c->at;
	uint64_t v = e->arg[i];
	switch (r) {
	case ROLE_PLAIN: return code(c, writing, column, v);
	case ROLE_RISING: return m->last[column] = code_difference(c, writing, column, v, m->last[column]);
	case ROLE_G_NEXT: {
		size_t k = place(l->before);
		v = code_guess(c, writing, column, v, l->woken, m->next[k], m->last[column]);
		m->next[k] = (uint32_t)v;
		l->g = l->before = m->last[column] = v;
		return v;
	}
	case ROLE_G_WOKEN: {
		size_t k = place(l->g), k2 = place(l->woken ^ 0x5555);
		v = code_guess(c, writing, column, v, m->woke[k], m->woke[k2], m->last[column]);
		m->woke[k] = m->woke[k2] = (uint32_t)v;
		l->woken = m->last[column] = v;
		return v;
	}
	case ROLE_G:
		v = code_guess(c, writing, column, v, l->g, m->last[column] + 1, m->last[column]);
		l->woken = m->last[column] = v;
		return v;
	case ROLE_SEQ: {
		size_t k = place(i > 1 ? e->arg[i - 1] * 2 + 1 : (uint64_t)(l - m->lanes) * 2);
		v = code_difference(c, writing, column, v, (uint64_t)m->seq[k] + 1);
		m->seq[k] = (uint32_t)v;
		return v;
	}
	case ROLE_PLACE: {
		size_t k = place(l->g << 12 ^ column), k2 = place(l->stack << 12 ^ column ^ 0x800);
		v = code_guess(c, writing, column, v, m->stack_s[k2], m->stack_g[k], 0);
		m->stack_g[k] = m->stack_s[k2] = (uint32_t)v;
		l->stack = v;
		return v;
	}
	case ROLE_LANE: {
		size_t k = place((uint64_t)(l - m->lanes) << 12 ^ column ^ 0x400);
		v = code_guess(c, writing, column, v, m->stack_g[k], m->last[column], 0);
		m->stack_g[k] = (uint32_t)v;
		m->last[column] = v;
		return v;
	}
	}
	return v;
}

INLINE void code_event(coder *c, bool writing, bool v1, event *e)
{
	for (unsigned i = 0; i < e->n; i++)
		e->arg[i] =
			code_argument(c, writing, c->m->roles[v1][e->type][i], (size_t)e->type * SLOTS + 1 + i, e, i);
}

/* ---- bytes of the trace: taken in while writing, put out while reading ---- */

/* A varint in shortest form; false when it is none. */
INLINE bool take(wb_bytes *b, uint64_t *ret)
{
	if (__builtin_expect(b->at < b->end && b->at[0] < 0x80, 1)) {
		*ret = *b->at++;
		return true;
	}
	const uint8_t *from = b->at;
	*ret = wb_uvarint(b);
	return !b->bad && (b->at[-1] != 0 || b->at - from == 1);
}

INLINE void put_byte(coder *c, uint8_t byte)
{
	if (__builtin_expect(c->out.n < c->out.cap, 1))
		c->out.at[c->out.n++] = byte;
	else
		c->bad = true;
}

INLINE void put(coder *c, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(c, (uint8_t)(v | 0x80));
	put_byte(c, (uint8_t)v);
}

static void put_padded(coder *c, uint64_t v)
{
	for (int i = 0; i < 9; i++, v >>= 7)
		put_byte(c, (uint8_t)(v | 0x80));
	put_byte(c, (uint8_t)v);
}

static void code_frames(coder *c, bool writing, wb_bytes *in, uint64_t n)
{
	wf_pack_model *m = c->m;
	uint64_t around = n;
	for (uint64_t i = 0; i < n && !c->bad; i++) {
		uint64_t f[4] = { 0 };
		for (int k = 0; writing && k < 4; k++)
			f[k] = wb_uvarint(in);
		size_t from = place(around);
		f[0] = code_guess(c, writing, COL_PC, f[0], m->pc_next[from], m->last[COL_PC], m->last[COL_PC]);
		m->pc_next[from] = around = m->last[COL_PC] = f[0];
		size_t k = place(f[0]);
		f[1] = code_guess(c, writing, COL_FUNC, f[1], m->pc_func[k], m->last[COL_FUNC] + 1, 0);
		f[2] = code_guess(c, writing, COL_FILE, f[2], m->pc_file[k], m->last[COL_FILE], 0);
		f[3] = code_guess(c, writing, COL_LINE, f[3], m->pc_line[k], m->pc_line[k], 0);
		m->pc_func[k] = (uint32_t)(m->last[COL_FUNC] = f[1]);
		m->pc_file[k] = (uint32_t)(m->last[COL_FILE] = f[2]);
		m->pc_line[k] = (uint32_t)f[3];
		for (int j = 0; !writing && j < 4; j++)
			put(c, f[j]);
	}
}

static void code_text(coder *c, bool writing, wb_bytes *in)
{
	uint64_t n = writing ? wb_uvarint(in) : 0;
	n = code(c, writing, COL_TEXT_N, n);
	if (!writing)
		put(c, n);
	code_bytes(c, writing, COL_TEXT, in->at, (size_t)n);
	if (writing)
		in->at += n;
}

/* ---- the second container ---- */

/* Takes `n` varints in shortest form, leaving `b` behind them; false when there are none such. */
INLINE bool take_all(wb_bytes *b, uint64_t *v, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!take(b, &v[i]))
			return false;
	return true;
}

static bool skip_frames(wb_bytes b, uint64_t n)
{
	uint64_t v;
	if (n > WF_FRAMES_MAX)
		return false;
	for (uint64_t i = 0; i < 4 * n; i++)
		if (!take(&b, &v))
			return false;
	return true;
}

static bool skip_text(wb_bytes b)
{
	uint64_t n;
	return take(&b, &n) && n <= TEXT_MAX && n <= (uint64_t)(b.end - b.at);
}

static inline bool is_event(uint8_t type)
{
	return wf_specs[type].cls >= WF_CLASS_SECTION;
}

/* Takes an event that can be coded; false, and nothing taken, when there is none. */
INLINE bool take_event(wb_bytes *in, event *e)
{
	if (in->at == in->end || !is_event(*in->at))
		return false;
	wb_bytes b = *in;
	e->type = *b.at++;
	e->n = wf_specs[e->type].n_args;
	if (!take_all(&b, e->arg, e->n))
		return false;
	if (e->type == WF_EV_STRING ? !skip_text(b) : e->type == WF_EV_STACK && !skip_frames(b, e->arg[1]))
		return false;
	*in = b;
	return true;
}

/* The data of a batch: its events, then what is left. */
INLINE void code_data(coder *c, bool writing, wb_bytes in, uint64_t size)
{
	size_t end = c->out.n + (size_t)size;
	event e;
	while (!c->bad) {
		e.type = 0;
		if (writing && !take_event(&in, &e))
			e.type = 0;
		e.type = (uint8_t)code(c, writing, (size_t)c->at->type * SLOTS, e.type);
		if (e.type == 0)
			break;
		c->at->type = e.type;
		if (!writing) {
			e.n = wf_specs[e.type].n_args;
			c->bad |= !is_event(e.type);
		}
		if (c->bad)
			return;
		code_event(c, writing, false, &e);
		if (!writing) {
			put_byte(c, e.type);
			for (unsigned i = 0; i < e.n; i++)
				put(c, e.arg[i]);
		}
		if (e.type == WF_EV_STACK)
			code_frames(c, writing, &in, e.arg[1]);
		else if (e.type == WF_EV_STRING)
			code_text(c, writing, &in);
	}
	uint64_t tail = code(c, writing, COL_TAIL_N, (uint64_t)(in.end - in.at));
	code_bytes(c, writing, COL_RAW, in.at, (size_t)tail);
	if (!writing && c->out.n != end)
		c->bad = true;
}

typedef struct head {
	uint64_t gen, m, time, size;
	uint8_t type, experiment;
	bool padded; /* the size has ten bytes */
} head;

/* The head of a batch in the form that can be coded, and data as long as it says. */
static bool take_head(wb_bytes *in, head *h)
{
	wb_bytes b = *in;
	h->type = wb_byte(&b);
	h->experiment = h->type == WF_EV_EXPERIMENTAL_BATCH ? wb_byte(&b) : 0;
	if (b.bad || !take(&b, &h->gen) || !take(&b, &h->m) || !take(&b, &h->time))
		return false;
	const uint8_t *from = b.at;
	h->size = wb_uvarint(&b);
	h->padded = b.at - from == 10;
	if (b.bad || (!h->padded && b.at[-1] == 0 && b.at - from > 1) || h->size > WF_BATCH_BYTES_MAX ||
		h->size > (uint64_t)(b.end - b.at))
		return false;
	*in = b;
	return true;
}

static void code_batch(coder *c, bool writing, wb_bytes *in, head *h)
{
	enum { GEN = WF_EV_EVENT_BATCH * SLOTS + 1, M, TIME, SIZE };
	wf_pack_model *m = c->m;
	m->gen = h->gen = code_difference(c, writing, GEN, h->gen, m->gen);
	h->m = code_guess(c, writing, M, h->m, m->last[M], UINT64_MAX, 0);
	m->last[M] = h->m;
	c->at = &m->lanes[place(h->m) % THREADS];
	m->stamp = h->time = code_difference(c, writing, TIME, h->time, m->stamp);
	h->size = code(c, writing, SIZE, h->size);
	h->padded = code(c, writing, COL_SIZE_WIDTH, h->padded) != 0;
	if (h->type == WF_EV_EXPERIMENTAL_BATCH)
		h->experiment = (uint8_t)code(c, writing, COL_EXPERIMENT, h->experiment);
	if (!writing) {
		put_byte(c, h->type);
		if (h->type == WF_EV_EXPERIMENTAL_BATCH)
			put_byte(c, h->experiment);
		put(c, h->gen);
		put(c, h->m);
		put(c, h->time);
		(h->padded ? put_padded : put)(c, h->size);
	}
	if (h->size > WF_BATCH_BYTES_MAX)
		c->bad = true;
	if (c->bad)
		return;
	wb_bytes data = { in->at, in->at + (writing ? h->size : 0), false };
	if (h->type == WF_EV_EVENT_BATCH) {
		code_data(c, writing, data, h->size);
	} else {
		if (writing)
			code_bytes(c, writing, COL_RAW, data.at, (size_t)h->size);
		else
			code_bytes(c, writing, COL_RAW, NULL, (size_t)h->size);
	}
	if (writing)
		in->at += h->size;
}

/* ---- the first container: events one after the other, no batches with sizes ---- */

typedef struct v1_event {
	event e;
	bool counted; /* a length stands in front of the arguments, */
	bool padded;  /* in ten bytes */
} v1_event;

static bool is_v1_stack(uint8_t type)
{
	return (type & 63) == WF_V1_Stack;
}
static bool is_v1_string(uint8_t type)
{
	return (type & 63) == WF_V1_String;
}
static bool is_v1_log(uint8_t type)
{
	return (type & 63) == WF_V1_UserLog;
}

/* The arguments of an event with a length; `b` behind that length. */
static bool take_v1_counted(wb_bytes *b, uint64_t bytes, event *e)
{
	if (bytes > (uint64_t)(b->end - b->at))
		return false;
	wb_bytes args = { b->at, b->at + bytes, false };
	e->n = 0;
	if (is_v1_stack(e->type)) {
		e->n = 2;
		if (!take_all(&args, e->arg, 2) || !skip_frames(args, e->arg[1]))
			return false;
		uint64_t v;
		b->at = args.at;
		for (uint64_t i = 0; i < 4 * e->arg[1]; i++)
			take(&args, &v);
	} else {
		while (args.at < args.end && e->n < ARGS_MAX)
			if (!take(&args, &e->arg[e->n++]))
				return false;
		b->at = args.at;
	}
	return args.at == args.end;
}

/* Takes a v1 event that can be coded; `in` is then in front of its frames or text, if it has some. */
static bool take_v1(wb_bytes *in, v1_event *x)
{
	wb_bytes b = *in;
	event *e = &x->e;
	if (b.at == b.end || !wf_v1_specs[*b.at & 63].name)
		return false;
	e->type = *b.at++;
	x->counted = x->padded = false;
	if (is_v1_string(e->type)) {
		e->n = 1;
		if (!take(&b, e->arg) || !skip_text(b))
			return false;
	} else if (e->type >> 6 < 3) {
		e->n = (e->type >> 6) + 1u;
		if (is_v1_stack(e->type) || is_v1_log(e->type) || !take_all(&b, e->arg, e->n))
			return false;
	} else {
		const uint8_t *from = b.at;
		uint64_t bytes = wb_uvarint(&b);
		x->counted = true;
		x->padded = b.at - from == 10;
		if (b.bad || (!x->padded && b.at - from > 1 && b.at[-1] == 0) || !take_v1_counted(&b, bytes, e))
			return false;
		if (is_v1_log(e->type) && !skip_text(b))
			return false;
	}
	*in = b;
	return true;
}

/* The length in front of the arguments is what they turn out to take. */
static void put_v1_counted(coder *c, wb_bytes *in, const v1_event *x)
{
	size_t at = c->out.n;
	for (int i = 0; i < 10; i++)
		put_byte(c, 0);
	for (unsigned i = 0; i < x->e.n; i++)
		put(c, x->e.arg[i]);
	if (is_v1_stack(x->e.type))
		code_frames(c, false, in, x->e.arg[1]);
	if (c->bad)
		return;
	size_t bytes = c->out.n - at - 10, end = c->out.n;
	c->out.n = at;
	(x->padded ? put_padded : put)(c, bytes);
	memmove(c->out.at + c->out.n, c->out.at + at + 10, bytes);
	c->out.n = end - (at + 10 - c->out.n);
}

INLINE void code_v1(coder *c, bool writing, wb_bytes *in, size_t want)
{
	enum { BATCH_P = WF_V1_Batch, N = 6, WIDTH };
	const uint8_t *from = in->at;
	v1_event x = { 0 };
	event *e = &x.e;
	while (!c->bad) {
		if (!writing || (size_t)(in->at - from) >= want || !take_v1(in, &x))
			e->type = 0;
		e->type = (uint8_t)code(c, writing, (size_t)c->at->type * SLOTS, e->type);
		if (e->type == 0)
			return;
		c->at->type = e->type;
		size_t column = (size_t)e->type * SLOTS;
		bool counted = e->type >> 6 == 3 && !is_v1_string(e->type);
		if (counted) {
			e->n = (unsigned)code(c, writing, column + N, e->n);
			x.padded = code(c, writing, column + WIDTH, x.padded) != 0;
		} else if (!writing) {
			e->n = is_v1_string(e->type) ? 1 : (e->type >> 6) + 1u;
		}
		if (e->n > ARGS_MAX || !wf_v1_specs[e->type & 63].name || (is_v1_stack(e->type) && e->n != 2))
			c->bad = true;
		if (c->bad)
			return;
		code_event(c, writing, true, e);
		if (!writing)
			put_byte(c, e->type);
		if (!writing && counted) {
			put_v1_counted(c, in, &x);
		} else if (!writing) {
			for (unsigned i = 0; i < e->n; i++)
				put(c, e->arg[i]);
		} else if (is_v1_stack(e->type)) {
			code_frames(c, true, in, e->arg[1]);
		}
		if (is_v1_string(e->type) || is_v1_log(e->type))
			code_text(c, writing, in);
		if ((e->type & 63) == BATCH_P)
			c->at = &c->m->lanes[place(e->arg[0]) % THREADS];
	}
}

/* ---- all of it ---- */

static role role_of(const char *name, unsigned kind, unsigned type, bool v1)
{
	size_t n = strlen(name);
	if (v1)
		kind = strcmp(name, "g") == 0 || strcmp(name, "new_g") == 0 ? WF_TYPE_G
		       : n > 4 && strcmp(name + n - 4, "_seq") == 0         ? WF_TYPE_SEQ
		       : strstr(name, "stack") || strstr(name, "_string")   ? WF_TYPE_STACK
		       : strcmp(name, "task") == 0 || strstr(name, "heap")  ? WF_TYPE_TASK
									    : WF_TYPE_VALUE;
	bool starts = v1 ? type == WF_V1_GoStart || type == WF_V1_GoStartLocal || type == WF_V1_GoStartLabel
			 : type == WF_EV_GO_START;
	bool wakes = v1 ? type == WF_V1_GoUnblock || type == WF_V1_GoUnblockLocal : type == WF_EV_GO_UNBLOCK;
	switch (kind) {
	case WF_TYPE_G: return starts ? ROLE_G_NEXT : wakes ? ROLE_G_WOKEN : ROLE_G;
	case WF_TYPE_SEQ: return ROLE_SEQ;
	case WF_TYPE_STRING:
	case WF_TYPE_STACK: return ROLE_PLACE;
	case WF_TYPE_M:
	case WF_TYPE_P: return ROLE_LANE;
	case WF_TYPE_TASK: return ROLE_RISING;
	default: return ROLE_PLAIN;
	}
}

static void fill_roles(wf_pack_model *m)
{
	static const struct {
		uint8_t type, arg;
	} rising[] = {
		{ WF_EV_HEAP_ALLOC, 1 },
		{ WF_EV_HEAP_GOAL, 1 },
		{ WF_EV_STRING, 0 },
		{ WF_EV_STACK, 0 },
		{ WF_EV_CPU_SAMPLE, 0 },
		{ WF_EV_SPAN, 1 },
		{ WF_EV_SPAN_ALLOC, 1 },
		{ WF_EV_SPAN_FREE, 1 },
		{ WF_EV_HEAP_OBJECT, 1 },
		{ WF_EV_HEAP_OBJECT_ALLOC, 1 },
		{ WF_EV_HEAP_OBJECT_FREE, 1 },
		{ WF_EV_GOROUTINE_STACK, 1 },
		{ WF_EV_GOROUTINE_STACK_ALLOC, 1 },
		{ WF_EV_GOROUTINE_STACK_FREE, 1 },
	};
	for (unsigned t = 0; t < 256; t++) {
		for (unsigned i = 0; i < wf_specs[t].n_args; i++)
			m->roles[0][t][i] =
				(uint8_t)role_of(wf_specs[t].args[i].name, wf_specs[t].args[i].type, t, false);
		for (unsigned i = 0; i < ARGS_MAX && wf_v1_specs[t & 63].name && wf_v1_arg_name(t & 63, i); i++)
			m->roles[1][t][i] = (uint8_t)role_of(wf_v1_arg_name(t & 63, i), 0, t & 63, true);
	}
	for (size_t i = 0; i < sizeof(rising) / sizeof(*rising); i++)
		m->roles[0][rising[i].type][rising[i].arg] = ROLE_RISING;
	m->roles[1][WF_V1_Batch][1] = m->roles[1][WF_V1_Batch | 64][1] = ROLE_RISING;
	m->roles[1][WF_V1_Stack | 192][0] = m->roles[1][WF_V1_String][0] = ROLE_RISING;
}

wf_pack_model *wf_pack_model_new(void)
{
	return wb_malloc(sizeof(wf_pack_model));
}

void wf_pack_model_free(wf_pack_model *m)
{
	wb_free(m);
}

static coder begin(wf_pack_model *m, wf_stream *streams, bool writing)
{
	memset(m, 0, sizeof(*m));
	fill_roles(m);
	return (coder){ .m = m, .streams = streams, .at = m->lanes, .writing = writing };
}

/* What stands at the front of `in`. */
static enum segment look(wb_bytes in, bool v1, head *h)
{
	v1_event x;
	if (v1)
		return take_v1(&in, &x) ? SEGMENT_V1 : SEGMENT_RAW;
	if (*in.at == WF_EV_END_OF_GENERATION)
		return SEGMENT_GENERATION_END;
	if ((*in.at == WF_EV_EVENT_BATCH || *in.at == WF_EV_EXPERIMENTAL_BATCH) && take_head(&in, h))
		return h->type == WF_EV_EVENT_BATCH ? SEGMENT_BATCH : SEGMENT_EXPERIMENT;
	return SEGMENT_RAW;
}

static void write_segment(coder *c, enum segment s, wb_bytes *in, head *h, size_t want)
{
	code(c, true, COL_SEGMENT, s);
	switch (s) {
	case SEGMENT_RAW: {
		size_t n = (size_t)(in->end - in->at);
		n = n < want ? n : want;
		code(c, true, COL_RAW_N, n);
		code_bytes(c, true, COL_RAW, in->at, n);
		in->at += n;
		break;
	}
	case SEGMENT_BATCH:
	case SEGMENT_EXPERIMENT:
		take_head(in, h);
		code_batch(c, true, in, h);
		break;
	case SEGMENT_GENERATION_END: in->at++; break;
	case SEGMENT_V1: code_v1(c, true, in, want); break;
	case SEGMENT_END: break;
	}
}

size_t wf_pack_model_write(
	wf_pack_model *m, bool v1, const uint8_t *at, size_t n, size_t want, wf_stream streams[WF_PACK_STREAMS])
{
	coder c = begin(m, streams, true);
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		streams[i].n = 0;
	wb_bytes in = { at, at + n, false };
	while (!c.bad && in.at < in.end && (size_t)(in.at - at) < want) {
		head h;
		enum segment s = look(in, v1, &h);
		write_segment(&c, s, &in, &h, want - (size_t)(in.at - at));
	}
	code(&c, true, COL_SEGMENT, SEGMENT_END);
	return c.bad ? 0 : (size_t)(in.at - at);
}

size_t wf_pack_model_measure(const uint8_t *at, size_t n, size_t want)
{
	wb_bytes in = { at, at + n, false };
	while (in.at < in.end && (size_t)(in.at - at) < want) {
		head h;
		size_t rest = (size_t)(in.end - in.at), left = want - (size_t)(in.at - at);
		switch (look(in, /* v1= */ false, &h)) {
		case SEGMENT_BATCH:
		case SEGMENT_EXPERIMENT:
			take_head(&in, &h);
			in.at += h.size;
			break;
		case SEGMENT_GENERATION_END: in.at++; break;
		default: in.at += rest < left ? rest : left;
		}
	}
	return (size_t)(in.at - at);
}

static void read_segments(coder *c)
{
	while (!c->bad) {
		wb_bytes none = { 0 };
		head h = { .type = WF_EV_EVENT_BATCH };
		switch (code(c, false, COL_SEGMENT, 0)) {
		case SEGMENT_END: return;
		case SEGMENT_RAW: code_bytes(c, false, COL_RAW, NULL, (size_t)code(c, false, COL_RAW_N, 0)); break;
		case SEGMENT_EXPERIMENT:
			h.type = WF_EV_EXPERIMENTAL_BATCH;
			code_batch(c, false, &none, &h);
			break;
		case SEGMENT_BATCH: code_batch(c, false, &none, &h); break;
		case SEGMENT_GENERATION_END: put_byte(c, WF_EV_END_OF_GENERATION); break;
		case SEGMENT_V1: code_v1(c, false, &none, 0); break;
		default: c->bad = true;
		}
	}
}

bool wf_pack_model_read(wf_pack_model *m, wf_stream streams[WF_PACK_STREAMS], uint8_t *out, size_t n)
{
	coder c = begin(m, streams, false);
	memset(m->pos, 0, sizeof(m->pos));
	c.pos = m->pos;
	c.out = (wf_stream){ .at = out, .cap = n + WF_PACK_SLACK };
	read_segments(&c);
	return !c.bad && c.out.n == n;
}
