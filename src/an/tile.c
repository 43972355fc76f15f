/* an/tile.c - what to draw of a lane.
 *
 * From left to right through the lane's tree: whatever is narrower than two pixels as a whole is added up by its
 * summary, only wider things are opened.  Spans of two pixels and more become runs of their own; what lies between two
 * of them is cut into runs of two pixels and more.  So a run narrower than that stands alone between wider ones (or
 * gaps).
 */
#include <string.h>

#include "an/lanes.h"

/* Narrow things side by side. */
typedef struct heap {
	uint64_t from, to;
	float    ns[AN_CLASSES];          /* by class - 1 */
	uint32_t count;
	uint32_t what;                    /* of the span, if there is but one */
	uint8_t  flags;
	uint8_t  kind, cls;               /* an_strip_kind and class of that span */
} heap;

typedef struct pen {
	const an_lanes *l;
	int64_t  t0;            /* of the tile; may be before the trace */
	double   px_per_ns;
	uint64_t fold_ns;       /* two pixels */
	wtr_run *ret;
	size_t   n, cap;
	heap     now, last;     /* last: full, not yet written, directly before now */
	bool     has_last;
	uint8_t  kind;          /* an_strip_kind of the spans */
	an_cost  cost;
} pen;

/* A part of a strip to draw. */
typedef struct view {
	const an_strip *s;
	uint64_t lo, hi;          /* what is seen */
	uint64_t clip_lo, clip_hi; /* what is there: on a thread, while it held the proc */
	bool     open;            /* a span from 0 on is an open one */
} view;

static float x_of(const pen *d, uint64_t t)
{
	return (float)((double)((int64_t)t - d->t0) * d->px_per_ns);
}

static uint32_t ref_of(const pen *d, uint32_t what, uint8_t kind)
{
	if (kind == AN_STRIP_DICT || !what)
		return UINT32_MAX;
	uint32_t g = kind == AN_STRIP_PROC ? an_proc_g(what) : an_g_without_proc(what);
	return an_g_at(d->l, g)->row;
}

static wtr_run *next_run(pen *d)
{
	static const wtr_run empty;
	if (d->n >= d->cap) {
		d->n++;
		return NULL;
	}
	wtr_run *r = &d->ret[d->n++];
	*r = empty;
	return r;
}

static void write_exact(pen *d, uint64_t from, uint64_t to, unsigned cls, uint32_t ref, unsigned flags)
{
	wtr_run *r = next_run(d);
	if (!r)
		return;
	r->x0 = x_of(d, from);
	r->x1 = x_of(d, to);
	r->kind = WTR_RUN_EXACT;
	r->cls = (uint8_t)cls;
	r->flags = (uint8_t)flags;
	r->count = 1;
	r->ref = ref;
	r->share[cls - 1] = 255;
}

typedef float   v4f __attribute__((vector_size(16)));
typedef int32_t v4i __attribute__((vector_size(16)));

/* Shares in 255ths of four classes; what is there at all is not nothing. */
static inline v4i quantise(v4f ns, float scale)
{
	v4f q = ns * scale + 0.5f;
	v4i big = q > 255.0f, small = (q < 1.0f) & (ns > 0.0f);
	return (__builtin_convertvector(q, v4i) & ~big & ~small) | (big & 255) | (small & 1);
}

/* The class with the most, counted from 0: floats that are not negative compare like their bits. */
static inline unsigned largest(const float *ns)
{
	uint64_t best = 0;
	for (unsigned c = 0; c < AN_CLASSES; c++) {
		uint32_t bits;
		memcpy(&bits, &ns[c], sizeof(bits));
		uint64_t key = (uint64_t)bits << 3 | (7 - c);
		best = key > best ? key : best;
	}
	return 7 - (unsigned)(best & 7);
}

static void write_heap(pen *d, const heap *h)
{
	if (h->count == 1) { /* also when it has no length at all */
		write_exact(d, h->from, h->to, h->cls, ref_of(d, h->what, h->kind), h->flags);
		return;
	}
	float scale = h->to > h->from ? 255.0f / (float)(int64_t)(h->to - h->from) : 0;
	v4f a, b;
	memcpy(&a, h->ns, sizeof(a));
	memcpy(&b, h->ns + 4, sizeof(b));
	v4i x = quantise(a, scale), y = quantise(b, scale);
	uint64_t shares = 0; /* a byte each */
	for (unsigned c = 0; c < 4; c++)
		shares |= (uint64_t)(uint32_t)x[c] << 8 * c | (uint64_t)(uint32_t)y[c] << (32 + 8 * c);
	if (!shares)
		return; /* a thread that held an idle proc */
	wtr_run *r = next_run(d);
	if (!r)
		return;
	bool one = (shares >> (__builtin_ctzll(shares) & ~7)) >> 8 == 0;
	memcpy(r->share, &shares, sizeof(r->share));
	r->x0 = x_of(d, h->from);
	r->x1 = x_of(d, h->to);
	r->kind = (uint8_t)(one ? WTR_RUN_FOLDED : WTR_RUN_BLENDED);
	r->cls = (uint8_t)(largest(h->ns) + 1);
	r->flags = h->flags;
	r->count = h->count;
	r->ref = UINT32_MAX;
}

static void clear(heap *h)
{
	*h = (heap){ 0 };
}

static void full(pen *d)
{
	if (d->has_last)
		write_heap(d, &d->last);
	d->last = d->now;
	d->has_last = true;
	clear(&d->now);
}

/* Something wide comes, or the end: what is left goes to the run before it, if they touch. */
static void flush(pen *d)
{
	if (d->has_last && d->now.count) {
		for (unsigned c = 0; c < AN_CLASSES; c++)
			d->last.ns[c] += d->now.ns[c];
		d->last.to = d->now.to;
		d->last.count += d->now.count;
		d->last.flags |= d->now.flags;
		clear(&d->now);
	}
	if (d->has_last)
		write_heap(d, &d->last);
	d->has_last = false;
	if (d->now.count) {
		write_heap(d, &d->now);
		clear(&d->now);
	}
}

static inline void grown(pen *d, uint64_t from, uint64_t to, uint32_t spans)
{
	if (!d->now.count)
		d->now.from = from;
	d->now.to = to;
	d->now.count += spans;
	if (to - d->now.from >= d->fold_ns)
		full(d);
}

static void add_block(pen *d, const view *v, const an_block *b, uint64_t from, uint64_t to)
{
	d->cost.nodes++;
	if (from < v->lo)
		from = v->lo;
	if (to > v->hi)
		to = v->hi;
	float ns = (float)(to - from) / 255.0f;
	for (unsigned c = 0; c < AN_CLASSES; c++)
		d->now.ns[c] += (float)b->share[c] * ns;
	grown(d, from, to, b->n + (b->n == 1)); /* not shown as one exact span: its class is not known here */
}

static void add_node(pen *d, const view *v, const an_node *n, uint64_t from, uint64_t to)
{
	d->cost.nodes++;
	if (from < v->lo)
		from = v->lo;
	if (to > v->hi)
		to = v->hi;
	float ns = (float)(to - from) / 65535.0f;
	for (unsigned c = 0; c < AN_CLASSES; c++)
		d->now.ns[c] += (float)n->share[c] * ns;
	grown(d, from, to, n->spans + (n->spans == 1));
}

static inline unsigned open_flags(const pen *d, const view *v, uint64_t from, uint64_t to)
{
	return (v->open && from == 0 ? 1u : 0) | (to == d->l->store.end ? 2u : 0);
}

static void add_wide(pen *d, const view *v, uint64_t from, uint64_t to, unsigned cls, uint32_t what)
{
	flush(d);
	if (cls)
		write_exact(d, from, to, cls, ref_of(d, what, d->kind), open_flags(d, v, from, to));
}

/* A span of less than two pixels, within what is seen. */
static inline __attribute__((always_inline)) void add_narrow(
	pen *d, const view *v, uint64_t from, uint64_t to, unsigned cls, uint32_t what)
{
	heap *h = &d->now;
	h->ns[cls - 1] += (float)(int64_t)(to - from);
	if (!h->count) {
		h->what = what;
		h->kind = d->kind;
		h->cls = (uint8_t)cls;
	}
	if (__builtin_expect(from == 0 || to == d->l->store.end, 0))
		h->flags |= (uint8_t)open_flags(d, v, from, to);
	grown(d, from, to, 1);
}

/* A span that may reach beyond what is seen, or what is there. */
static void add_span(pen *d, const view *v, uint64_t from, uint64_t to, unsigned cls, uint32_t what)
{
	from = from < v->clip_lo ? v->clip_lo : from;
	to = to > v->clip_hi ? v->clip_hi : to;
	if (to - from >= d->fold_ns)
		add_wide(d, v, from, to, cls, what);
	else if (cls)
		add_narrow(d, v, from < v->lo ? v->lo : from, to > v->hi ? v->hi : to, cls, what);
}

static void draw_strip(pen *d, const view *v);

/* What a thread does with a proc for less than two pixels: as the mean of the block, of the time that a proc was held
 * in it. */
static void add_held(
	pen *d, const view *v, const an_block *b, const an_reader *r, uint64_t end, uint64_t from, uint64_t to)
{
	uint64_t held = 0;
	float alone[AN_CLASSES] = { 0 };
	for (unsigned i = 0; i < b->n; i++) {
		uint32_t what, next_what;
		uint64_t s = an_read(r, i, &what), e = i + 1u < b->n ? an_read(r, i + 1, &next_what) : end;
		if (an_without_proc(what))
			alone[an_class_without_proc(what) - 1] += (float)(e - s);
		else if (what)
			held += e - s;
	}
	if (from < v->lo)
		from = v->lo;
	if (to > v->hi)
		to = v->hi;
	float part = held ? (float)(to - from) / (float)held : 0, dur = (float)(end - r->start) / 255.0f;
	uint32_t some = 0;
	for (unsigned c = 0; c < AN_CLASSES; c++) {
		float ns = (float)b->share[c] * dur - alone[c];
		if (ns <= 0)
			continue;
		d->now.ns[c] += ns * part;
		some = 2;
	}
	if (some)
		grown(d, from, to, some);
}

static void thread_span(pen *d, const view *v, const an_block *b, const an_reader *r, uint64_t block_end, uint64_t from,
	uint64_t to, uint32_t what)
{
	if (what == 0 || an_without_proc(what)) {
		d->kind = AN_STRIP_SUMS;
		add_span(d, v, from, to, what ? an_class_without_proc(what) : 0, what);
	} else if (to - from < d->fold_ns) {
		add_held(d, v, b, r, block_end, from, to);
	} else {
		d->kind = AN_STRIP_PROC;
		const an_p *p = d->l->ps.at[an_proc_held(what)];
		draw_strip(d,
			&(view){ &p->strip, from < v->lo ? v->lo : from, to > v->hi ? v->hi : to, from, to, p->open });
	}
}

/* All spans of a block that is seen whole. */
static inline __attribute__((always_inline)) void draw_spans(
	pen *d, const view *v, unsigned kind, an_reader r, unsigned n, uint64_t end)
{
	uint32_t what, next_what = 0;
	uint64_t from = an_read(&r, 0, &what), fold = d->fold_ns;
	for (unsigned i = 1; i <= n; i++) {
		uint64_t to = i < n ? an_read(&r, i, &next_what) : end;
		unsigned cls = an_class(&d->l->store, kind, what);
		if (__builtin_expect(to - from >= fold, 0))
			add_wide(d, v, from, to, cls, what);
		else if (cls)
			add_narrow(d, v, from, to, cls, what);
		from = to;
		what = next_what;
	}
	d->cost.spans += n;
}

/* Those of a block at the edge of what is seen, and of threads. */
static void draw_some_spans(pen *d, const view *v, const an_block *b, an_reader r, uint64_t end)
{
	uint32_t what, next_what = 0;
	uint64_t from = an_read(&r, 0, &what);
	unsigned kind = v->s->kind;
	for (unsigned i = 1; i <= b->n && from < v->hi; i++) {
		uint64_t to = i < b->n ? an_read(&r, i, &next_what) : end;
		d->cost.spans++;
		if (to > v->lo) {
			if (kind == AN_STRIP_SUMS)
				thread_span(d, v, b, &r, end, from, to, what);
			else
				add_span(d, v, from, to, an_class(&d->l->store, kind, what), what);
		}
		from = to;
		what = next_what;
	}
}

static void draw_block(pen *d, const view *v, const an_chunk *c, uint32_t k)
{
	const an_block *b = an_block_at(c, k);
	uint64_t from = c->start + b->start, end = an_block_end(&d->l->store, c, k);
	if (end <= v->lo || from >= v->hi)
		return;
	if (end - from < d->fold_ns) {
		add_block(d, v, b, from, end);
		return;
	}
	an_reader r = an_block_reader(c, k);
	if (v->s->kind == AN_STRIP_SUMS || from < v->lo || end > v->hi)
		draw_some_spans(d, v, b, r, end);
	else if (v->s->kind == AN_STRIP_DICT)
		draw_spans(d, v, AN_STRIP_DICT, r, b->n, end);
	else
		draw_spans(d, v, AN_STRIP_PROC, r, b->n, end);
}

static void draw_node(pen *d, const view *v, unsigned level, uint32_t i)
{
	const an_tree *tree = v->s->tree;
	const an_node *n = &tree->level[level][i];
	uint64_t end = i + 1 < tree->n[level] ? n[1].start : d->l->store.end;
	if (end <= v->lo || n->start >= v->hi)
		return;
	if (end - n->start < d->fold_ns) {
		add_node(d, v, n, n->start, end);
	} else if (level == 0) {
		const an_ref *ref = &tree->refs[i];
		for (uint32_t k = ref->first; k < ref->first + ref->n; k++)
			draw_block(d, v, ref->chunk, k);
	} else {
		for (uint32_t k = i * AN_NODE_FAN; k < (i + 1) * AN_NODE_FAN && k < tree->n[level - 1]; k++)
			draw_node(d, v, level - 1, k);
	}
}

static void draw_strip(pen *d, const view *v)
{
	if (v->s->kind != AN_STRIP_SUMS)
		d->kind = v->s->kind;
	if (v->lo >= v->hi)
		return;
	if (v->s->tree) {
		unsigned top = v->s->tree->n_levels - 1;
		for (uint32_t i = 0; i < v->s->tree->n[top]; i++)
			draw_node(d, v, top, i);
		return;
	}
	for (const an_chunk *c = v->s->first; c; c = c->next)
		for (uint32_t k = 0; k < c->n; k++)
			draw_block(d, v, c, k);
}

/* ---- marks ---- */

/* The first index from `i` on with at[index] >= t: by leaps, then by halves. */
static size_t seek(const an_times *v, size_t i, uint64_t t)
{
	size_t leap = 1, hi = i;
	while (hi < v->n && v->at[hi] < t) {
		i = hi + 1;
		hi += leap;
		leap *= 2;
	}
	if (hi > v->n)
		hi = v->n;
	while (i < hi) {
		size_t mid = i + (hi - i) / 2;
		if (v->at[mid] < t)
			i = mid + 1;
		else
			hi = mid;
	}
	return i;
}

static void set_marks(const pen *d, const an_marks *m, wtr_lane_kind kind, wtr_run *runs, size_t n)
{
	static const uint8_t bit[AN_MARKS] = { WTR_MARK_STW, WTR_MARK_ASSIST, WTR_MARK_LOG, WTR_MARK_SAMPLE };
	for (unsigned k = 0; k < AN_MARKS; k++) {
		const an_times *v = &m->at[k];
		bool intervals = k == AN_MARK_ASSIST && kind == WTR_LANE_GOROUTINE;
		size_t i = 0;
		for (size_t r = 0; r < n && v->n; r++) {
			double from = (double)runs[r].x0 / d->px_per_ns + (double)d->t0,
			       to = (double)runs[r].x1 / d->px_per_ns + (double)d->t0;
			uint64_t a = from > 0 ? (uint64_t)from : 0, b = to > 0 ? (uint64_t)to : 0;
			i = seek(v, i, a);
			if ((i < v->n && v->at[i] < b) || (intervals && i % 2 == 1))
				runs[r].marks |= bit[k];
		}
	}
}

/* ---- the question ---- */

const an_strip *an_lane_strip(const an_lanes *l, wtr_lane lane, uint32_t *ret)
{
	uint32_t i;
	switch (lane.kind) {
	case WTR_LANE_GOROUTINE:
		i = *ret = wb_idmap_get(&l->g_ids, (uint64_t)lane.id);
		return i == WB_IDMAP_NONE ? NULL : &an_g_at(l, i)->strip;
	case WTR_LANE_PROC:
		i = *ret = wb_idmap_get(&l->p_ids, (uint64_t)lane.id);
		return i == WB_IDMAP_NONE ? NULL : &l->ps.at[i]->strip;
	case WTR_LANE_THREAD:
		i = *ret = wb_idmap_get(&l->m_ids, (uint64_t)lane.id);
		return i == WB_IDMAP_NONE ? NULL : &l->ms.at[i]->strip;
	case WTR_LANE_GC:
		*ret = 0;
		return lane.id == 0 ? &l->gc : NULL;
	case WTR_LANE_STW:
		*ret = 0;
		return lane.id == 0 ? &l->stw : NULL;
	default:
		return NULL;
	}
}

bool an_lane_open(const an_lanes *l, wtr_lane_kind kind, uint32_t i)
{
	switch (kind) {
	case WTR_LANE_GOROUTINE:
		return an_g_at(l, i)->flags & AN_G_OPEN;
	case WTR_LANE_PROC:
		return l->ps.at[i]->open;
	case WTR_LANE_THREAD:
		return l->ms.at[i]->open;
	case WTR_LANE_GC:
		return l->gc_open;
	default:
		return l->stw_open;
	}
}

size_t an_tile(const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret,
	size_t n, an_cost *cost)
{
	const an_lanes *l = x->lanes;
	if (!l || zoom > AN_ZOOM_MAX || width_px == 0)
		return 0;
	pen d = { .l = l,
		.px_per_ns = 1.0 / (double)(UINT64_C(1) << zoom),
		.fold_ns = UINT64_C(2) << zoom,
		.ret = ret,
		.cap = n };
	uint64_t lo, hi;
	if (!an_window(l, t0_ns, UINT64_C(1) << zoom, width_px, &d.t0, &lo, &hi))
		return 0;
	if (lane.kind == WTR_LANE_GROUP)
		return an_tile_group(l, lane.id, d.t0, zoom, lo, hi, ret, n);
	uint32_t i;
	const an_strip *s = an_lane_strip(l, lane, &i);
	if (!s)
		return 0;
	draw_strip(&d, &(view){ s, lo, hi, 0, UINT64_MAX, an_lane_open(l, lane.kind, i) });
	flush(&d);
	const an_marks *marks = an_marks_of(l, lane.kind, i);
	if (marks)
		set_marks(&d, marks, lane.kind, ret, d.n < n ? d.n : n);
	if (cost)
		*cost = d.cost;
	return d.n;
}

size_t wtr_tile(
	const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret, size_t n)
{
	return an_tile(x, lane, t0_ns, zoom, width_px, ret, n, NULL);
}
