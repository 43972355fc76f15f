/* read/v2/carried.c - see carried.h. */
#include "read/v2/carried.h"

#include <stdlib.h>
#include <string.h>

#include "read/v2/container.h"

/* A product of ticks and nanoseconds per tick is rounded. */
enum { ROUNDING_NS = 64 };

static const bool has_holder[WTR_OBJECT_KIND_COUNT] = {
	false,
#define OBJECT(ID, text, attr, holder) holder,
#include "fmt/objects.def"
};

/* The public names are those of the file. */
enum {
	FILE_NONE,
#define OBJECT(ID, text, attr, holder) FILE_##ID,
#include "fmt/objects.def"
	FILE_COUNT
};
_Static_assert((int)FILE_COUNT == (int)WTR_OBJECT_KIND_COUNT, "as many kinds");
#define OBJECT(ID, text, attr, holder) _Static_assert((int)FILE_##ID == (int)WTR_OBJECT_##ID, text);
#include "fmt/objects.def"

bool wtr__carrier_take(wtr__pieces *ret, const uint8_t *at, size_t n)
{
	enum { HEAD = WF_CARRIER_MARK_BYTES };
	if (n <= HEAD || memcmp(at, WF_CARRIER_MARK, HEAD) != 0)
		return true;
	wtr__piece p = { .kind = at[HEAD], .place = (uint32_t)ret->n };
	p.rest = (wb_bytes){ .at = at + HEAD + 1, .end = at + n };
	p.m = (int64_t)wb_uvarint(&p.rest);
	p.index = wb_uvarint(&p.rest);
	return wb_vec_add(ret, p);
}

static int by_thread(const void *a, const void *b)
{
	const wtr__piece *p = a, *q = b;
	if (p->m != q->m)
		return p->m < q->m ? -1 : 1;
	if (p->index != q->index)
		return p->index < q->index ? -1 : 1;
	return p->place < q->place ? -1 : p->place > q->place;
}

/* ---- decoding ---- */

typedef struct decoding {
	wtr__carrier *c;
	const wtr__tables *tables;
	wtr__carried *thread; /* whose pieces are decoded; NULL: none's */
	wtr_object slots[WF_CARRIER_SLOTS];
	WB_VEC(wtr__kept) waits; /* of goroutines that wait since before */
	bool oom;
} decoding;

/* All functions below: false when the bytes are not as they should be, or memory is out. */

static bool no_memory(decoding *d)
{
	d->oom = true;
	return false;
}

static bool take_holder(wb_bytes *in, wtr_object *o)
{
	if (!has_holder[o->kind])
		return true;
	uint64_t g = wb_uvarint(in);
	o->holder = g ? (int64_t)g : WTR_NONE;
	return !in->bad;
}

/* A kind that is new means an object whose other numbers cannot be told. */
static bool take_definition(wb_bytes *in, wtr_object *o)
{
	*o = (wtr_object){ .kind = wb_byte(in), .holder = WTR_NONE, .name.at = "" };
	o->id = wb_uvarint(in);
	o->attr = wb_uvarint(in);
	return !in->bad && o->kind != WTR_OBJECT_NONE && o->kind < WTR_OBJECT_KIND_COUNT;
}

static bool take_object(decoding *d, wb_bytes *in, unsigned code)
{
	unsigned slot = code - WF_OBJECT_SLOT;
	if (code == WF_OBJECT_DEFINE) {
		slot = wb_byte(in);
		if (in->bad || slot >= WF_CARRIER_SLOTS || !take_definition(in, &d->slots[slot]))
			return false;
	} else if (code < WF_OBJECT_SLOT || slot >= WF_CARRIER_SLOTS || d->slots[slot].kind == WTR_OBJECT_NONE) {
		return false;
	}
	wtr_object o = d->slots[slot];
	return take_holder(in, &o) && (wb_vec_add(&d->c->objects, o) || no_memory(d));
}

static bool take_several(decoding *d, wb_bytes *in, wtr__wait *w)
{
	w->several = true;
	w->n = wb_byte(in);
	w->sends = (uint32_t)wb_uvarint(in);
	if (in->bad || w->n > WTR_WAIT_OBJECTS_MAX)
		return false;
	for (unsigned i = 0; i < w->n; i++)
		if (!take_object(d, in, wb_byte(in)) || in->bad)
			return false;
	return true;
}

/* What a goroutine waits for: its place in waits, 0: not known. */
static bool take_wait(decoding *d, wb_bytes *in, uint32_t *ret)
{
	wtr__wait w = { .first = (uint32_t)d->c->objects.n, .n = 1 };
	unsigned code = wb_byte(in);
	*ret = 0;
	if (code == WF_ENTRY_NOTHING)
		return !in->bad;
	if (code == WF_ENTRY_SEVERAL ? !take_several(d, in, &w) : !take_object(d, in, code)) {
		d->c->objects.n = w.first;
		return false;
	}
	*ret = (uint32_t)d->c->waits.n;
	return wb_vec_add(&d->c->waits, w) || no_memory(d);
}

static bool take_entries(decoding *d, wb_bytes *in)
{
	while (in->at < in->end) {
		wtr__wait_entry e = { .guessed = wb_uvarint(in) };
		if (!take_wait(d, in, &e.wait) || in->bad)
			return false;
		if (!wb_vec_add(&d->c->entries, e))
			return no_memory(d);
		d->thread->n_entries++;
	}
	return true;
}

static bool take_taken(decoding *d, wb_bytes *in)
{
	wtr__taken x = { .ticks = wb_uvarint(in), .g = (int64_t)wb_uvarint(in) };
	if (in->bad || !d->thread)
		return false;
	d->thread->n_taken++;
	return wb_vec_add(&d->c->taken, x) || no_memory(d);
}

static bool take_text(wb_bytes *in, wtr_str *ret)
{
	uint64_t n = wb_uvarint(in);
	if (in->bad || n > (uint64_t)(in->end - in->at))
		return false;
	*ret = (wtr_str){ (const char *)in->at, (size_t)n };
	in->at += n;
	return true;
}

static bool take_label(decoding *d, wb_bytes *in)
{
	wtr_kept_label l = { .g = (int64_t)wb_uvarint(in) };
	return take_text(in, &l.label) && (wb_vec_add(&d->c->labels, l) || no_memory(d));
}

static bool take_task(decoding *d, wb_bytes *in)
{
	wtr__kept_task t = { .id = wb_uvarint(in), .parent = wb_uvarint(in) };
	return take_text(in, &t.name) && (wb_vec_add(&d->c->tasks, t) || no_memory(d));
}

static bool take_region(decoding *d, wb_bytes *in)
{
	wtr__kept_region r = { .g = (int64_t)wb_uvarint(in), .task = wb_uvarint(in) };
	return take_text(in, &r.name) && (wb_vec_add(&d->c->regions, r) || no_memory(d));
}

static bool take_reason(decoding *d, wb_bytes *in)
{
	wtr__kept_reason r = { .g = (int64_t)wb_uvarint(in) };
	return take_text(in, &r.reason) && (wb_vec_add(&d->c->reasons, r) || no_memory(d));
}

static uint32_t known_stack(const decoding *d, uint64_t wire)
{
	uint32_t id = wtr__stack_id(d->tables, wire);
	return id == WTR__UNKNOWN ? 0 : id;
}

static bool take_origin(decoding *d, wb_bytes *in)
{
	wtr__kept_origin o = { .g = (int64_t)wb_uvarint(in) };
	o.start = known_stack(d, wb_uvarint(in));
	o.create = known_stack(d, wb_uvarint(in));
	return !in->bad && (wb_vec_add(&d->c->origins, o) || no_memory(d));
}

static bool take_computes(decoding *d, wb_bytes *in)
{
	uint64_t g = wb_uvarint(in);
	return !in->bad && (wb_idmap_set(&d->c->computing, g, 1) || no_memory(d));
}

static bool take_kept_wait(decoding *d, wb_bytes *in)
{
	wtr__kept k = { .g = (int64_t)wb_uvarint(in) };
	return !in->bad && take_wait(d, in, &k.place) && (wb_vec_add(&d->waits, k) || no_memory(d));
}

static bool take_name(decoding *d, wb_bytes *in)
{
	wtr__object_name x = { .id = wb_uvarint(in) };
	uint64_t n = wb_uvarint(in);
	if (in->bad || n > (uint64_t)(in->end - in->at))
		return false;
	x.name = (wtr_str){ (const char *)in->at, (size_t)n };
	in->at += n;
	return wb_vec_add(&d->c->names, x) || no_memory(d);
}

static bool take_sums(wb_bytes *in, uint64_t *n, uint64_t *m)
{
	uint64_t a = wb_uvarint(in), b = wb_uvarint(in);
	if (in->bad)
		return false;
	*n += a;
	*m += b;
	return true;
}

static bool take_fact(decoding *d, wb_bytes *in, bool *ret_known)
{
	switch (wb_byte(in)) {
	case WF_FACT_TAKEN: return take_taken(d, in);
	case WF_FACT_STALLS: return take_sums(in, &d->c->stalls, &d->c->stall_ns);
	case WF_FACT_LOST: return take_sums(in, &d->c->lost_stacks, &d->c->lost_strings);
	case WF_FACT_LABEL: return take_label(d, in);
	case WF_FACT_WAITS: return take_kept_wait(d, in);
	case WF_FACT_NAME: return take_name(d, in);
	case WF_FACT_TASK: return take_task(d, in);
	case WF_FACT_REGION: return take_region(d, in);
	case WF_FACT_ORIGIN: return take_origin(d, in);
	case WF_FACT_REASON: return take_reason(d, in);
	case WF_FACT_PART: return d->c->is_part = true;
	case WF_FACT_COMPUTES: return take_computes(d, in);
	default: *ret_known = false; return true;
	}
}

/* A kind of fact that is not known ends what can be read of its piece, and that is as it should be. */
static bool take_facts(decoding *d, wb_bytes *in)
{
	for (bool known = true; known && in->at < in->end;)
		if (!take_fact(d, in, &known) || in->bad)
			return false;
	return true;
}

static bool begin_thread(decoding *d, int64_t m)
{
	wtr__carrier *c = d->c;
	wtr__carried t = { .m = m, .first_entry = (uint32_t)c->entries.n, .first_taken = (uint32_t)c->taken.n };
	memset(d->slots, 0, sizeof(d->slots));
	d->thread = NULL;
	if (!wb_vec_add(&c->threads, t))
		return no_memory(d);
	d->thread = &c->threads.at[c->threads.n - 1];
	return true;
}

/* The pieces of a thread: the first n of `p`.  Those behind a bad one are not believed. */
static void take_thread(decoding *d, wtr__piece *p, size_t n)
{
	if (!begin_thread(d, p->m))
		return;
	for (size_t i = 0; i < n; i++) {
		bool fine = !p[i].rest.bad && p[i].index == i;
		if (fine && p[i].kind == WF_PIECE_WAITS)
			fine = take_entries(d, &p[i].rest);
		else if (fine && p[i].kind == WF_PIECE_FACTS)
			fine = take_facts(d, &p[i].rest);
		if (d->oom)
			return;
		if (!fine) {
			d->thread->broken = true;
			d->c->ignored += n - i;
			return;
		}
	}
}

static void take_pieces(decoding *d, wtr__pieces *p)
{
	if (p->n)
		qsort(p->at, p->n, sizeof(*p->at), by_thread);
	for (size_t i = 0, n; i < p->n && !d->oom; i += n) {
		for (n = 1; i + n < p->n && p->at[i + n].m == p->at[i].m;)
			n++;
		take_thread(d, p->at + i, n);
	}
}

static int by_goroutine(const void *a, const void *b)
{
	const wtr_kept_label *x = a, *y = b;
	if (x->g != y->g)
		return x->g < y->g ? -1 : 1;
	return x->label.at < y->label.at ? -1 : x->label.at > y->label.at;
}

static int by_id(const void *a, const void *b)
{
	const wtr__object_name *x = a, *y = b;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->name.at < y->name.at ? -1 : x->name.at > y->name.at;
}

/* The last one of several counts. */
static wtr_str name_of(const wtr__carrier *c, uint64_t id)
{
	size_t low = 0, high = c->names.n; /* the first of a greater id */
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (c->names.at[mid].id <= id)
			low = mid + 1;
		else
			high = mid;
	}
	bool there = low > 0 && c->names.at[low - 1].id == id;
	return there ? c->names.at[low - 1].name : (wtr_str){ "", 0 };
}

/* Of what begins with a goroutine's id. */
static int by_g(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static int by_g_and_place(const void *a, const void *b)
{
	const wtr__kept_region *x = a, *y = b;
	if (x->g != y->g)
		return x->g < y->g ? -1 : 1;
	return x->name.at < y->name.at ? -1 : x->name.at > y->name.at;
}

static bool finish(decoding *d)
{
	wtr__carrier *c = d->c;
	if (c->names.n)
		qsort(c->names.at, c->names.n, sizeof(*c->names.at), by_id);
	for (size_t i = 0; i < c->objects.n; i++)
		c->objects.at[i].name = name_of(c, c->objects.at[i].id);
	if (c->labels.n)
		qsort(c->labels.at, c->labels.n, sizeof(*c->labels.at), by_goroutine);
	if (c->regions.n)
		qsort(c->regions.at, c->regions.n, sizeof(*c->regions.at), by_g_and_place);
	if (c->origins.n)
		qsort(c->origins.at, c->origins.n, sizeof(*c->origins.at), by_g);
	if (c->reasons.n)
		qsort(c->reasons.at, c->reasons.n, sizeof(*c->reasons.at), by_g);
	for (size_t i = 0; i < d->waits.n; i++)
		if (!wb_idmap_set(&c->kept_waits, (uint64_t)d->waits.at[i].g, d->waits.at[i].place))
			return false;
	return true;
}

/* Writers have one text for it. */
static uint32_t find_string(const wtr__tables *tb, const char *text, size_t n)
{
	for (size_t i = 1; i < tb->strings.n; i++)
		if (tb->strings.at[i].n == n && memcmp(tb->strings.at[i].at, text, n) == 0)
			return tb->string_base + (uint32_t)i;
	return 0;
}

wtr__carrier *wtr__carrier_make(wtr__pieces *pieces, const wtr__tables *tables)
{
	decoding d = { .c = wb_calloc(1, sizeof(*d.c)), .tables = tables };
	bool ok = d.c && wb_vec_add(&d.c->waits, (wtr__wait){ 0 });
	if (ok) {
		d.c->send_string = find_string(tables, "chan send", 9);
		take_pieces(&d, pieces);
		ok = !d.oom && finish(&d);
	}
	wb_vec_free(&d.waits);
	if (ok)
		return d.c;
	wtr__carrier_free(d.c);
	return NULL;
}

void wtr__carrier_free(wtr__carrier *c)
{
	if (!c)
		return;
	wb_vec_free(&c->objects);
	wb_vec_free(&c->waits);
	wb_vec_free(&c->entries);
	wb_vec_free(&c->taken);
	wb_vec_free(&c->threads);
	wb_vec_free(&c->labels);
	wb_vec_free(&c->names);
	wb_idmap_free(&c->computing);
	wb_idmap_free(&c->kept_waits);
	wb_vec_free(&c->tasks);
	wb_vec_free(&c->regions);
	wb_vec_free(&c->origins);
	wb_vec_free(&c->reasons);
	wb_free(c);
}

size_t wtr__carrier_objects(const wtr__carrier *c, uint32_t local, wtr_object *ret, size_t n)
{
	if (local / 2 >= c->waits.n)
		return 0;
	const wtr__wait *w = &c->waits.at[local / 2];
	for (unsigned i = 0; i < w->n && i < n; i++) {
		ret[i] = c->objects.at[w->first + i];
		ret[i].send = ret[i].kind == WTR_OBJECT_CHAN && (w->several ? w->sends >> i & 1 : local & 1);
	}
	return w->n;
}

/* ---- in the merge ---- */

static uint64_t events_until(const wtr__carrier *c, const wtr__carried_at *at)
{
	bool more = at->entry < at->of->n_entries;
	return more ? c->entries.at[at->of->first_entry + at->entry].guessed : at->of->broken ? 0 : UINT64_MAX;
}

void wtr__carried_begin(wtr__carried_at *at, const wtr__carrier *c, const wtr__carried *of, uint32_t *guess)
{
	*at = (wtr__carried_at){ .of = of, .guess = guess };
	if (guess)
		memset(guess, 0, WF_CARRIER_GUESSES * sizeof(*guess));
	at->left = events_until(c, at);
}

uint32_t wtr__carrier_block(const wtr__carrier *c, wtr__carried_at *at, int64_t g, uint32_t reason)
{
	if (!at->guess)
		return 0;
	uint32_t *guess = &at->guess[(uint64_t)g % WF_CARRIER_GUESSES];
	if (at->left > 0) {
		at->left -= at->left != UINT64_MAX;
	} else if (at->entry == at->of->n_entries) { /* the thread's pieces are broken from here on */
		return 0;
	} else {
		*guess = c->entries.at[at->of->first_entry + at->entry++].wait;
		at->left = events_until(c, at);
	}
	return *guess ? *guess * 2 + (reason == c->send_string) : 0;
}

bool wtr__carrier_is_taken(
	const wtr__carrier *c, wtr__carried_at *at, int64_t g, int64_t time_ns, int64_t lost_ns, double ns_per_tick)
{
	for (; at->taken < at->of->n_taken; at->taken++) {
		const wtr__taken *x = &c->taken.at[at->of->first_taken + at->taken];
		int64_t late_ns = wtr__ns(x->ticks, ns_per_tick) - time_ns;
		if (late_ns < -ROUNDING_NS)
			continue; /* that event is not there */
		if (late_ns > lost_ns + ROUNDING_NS || x->g != g)
			return false;
		at->taken++;
		return true;
	}
	return false;
}

bool wtr__carrier_computes(const wtr__carrier *c, int64_t g)
{
	return wb_idmap_get(&c->computing, (uint64_t)g) != WB_IDMAP_NONE;
}

uint32_t wtr__carrier_kept_wait(const wtr__carrier *c, int64_t g)
{
	uint32_t place = wb_idmap_get(&c->kept_waits, (uint64_t)g);
	return place == WB_IDMAP_NONE ? 0 : place * 2;
}

/* ---- by goroutine ---- */

/* The first of n rows of that size that is g's, or where it would be. */
static size_t first_of(const void *at, size_t n, size_t size, int64_t g)
{
	size_t low = 0, high = n;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (*(const int64_t *)((const char *)at + mid * size) < g)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

#define FIRST_OF(v, g) first_of((v)->at, (v)->n, sizeof(*(v)->at), g)

const wtr__kept_origin *wtr__carrier_origin(const wtr__carrier *c, int64_t g)
{
	size_t i = FIRST_OF(&c->origins, g);
	return i < c->origins.n && c->origins.at[i].g == g ? &c->origins.at[i] : NULL;
}

const wtr__kept_reason *wtr__carrier_reason(const wtr__carrier *c, int64_t g)
{
	size_t i = FIRST_OF(&c->reasons, g);
	return i < c->reasons.n && c->reasons.at[i].g == g ? &c->reasons.at[i] : NULL;
}

const wtr__kept_region *wtr__carrier_regions(const wtr__carrier *c, int64_t g, size_t *ret_n)
{
	size_t i = FIRST_OF(&c->regions, g), n = 0;
	while (i + n < c->regions.n && c->regions.at[i + n].g == g)
		n++;
	*ret_n = n;
	return n ? &c->regions.at[i] : NULL;
}
