/* an/waits.c - the pass behind wtr_waits: objects, who held them, and what each goroutine waited for when. */
#include "an/waits.h"

#include <stdlib.h>
#include <string.h>

#include "an/index.h"
#include "read/source.h"

/* A goroutine, while the trace is read.  As many as changes of the answer. */
typedef struct waiter {
	uint32_t raw, set; /* the newest wait, as the event says and as kept */
	bool waits;
	int64_t id, since_ns;
} waiter;

typedef struct sink {
	an_sink face;
	wtr_trace *trace;
	wtr_waits *w;
	wb_intern set_keys, object_keys, held_keys;
	WB_VEC(uint32_t) rows;  /* as w->objects: their rows in waited */
	WB_VEC(waiter) waiters; /* as w->changes */
	int64_t sync_ns, now_ns;
	bool oom;
} sink;

/* ---- numbers for objects, sets and holders ---- */

typedef struct object_key {
	uint64_t id, kind;
} object_key;

typedef struct held_key {
	uint64_t object;
	int64_t g;
} held_key;

/* The place of a key, from 0 on, in the order in which keys come; UINT32_MAX: out of memory. */
static uint32_t place_of(wb_intern *keys, const void *key, size_t n)
{
	uint32_t i = wb_intern_add(keys, key, n); /* which gives the number 0 to the empty text */
	return i == WB_INTERN_NONE ? UINT32_MAX : i - 1;
}

/* Row of an object; UINT32_MAX: out of memory. */
static uint32_t object_row(sink *s, const wtr_object *o)
{
	object_key key = { o->id, o->kind };
	uint32_t i = place_of(&s->object_keys, &key, sizeof(key));
	if (i == UINT32_MAX)
		return i;
	if (i < s->w->waited.n) {
		s->w->waited.at[i].name = o->name.n ? o->name : s->w->waited.at[i].name;
		return i;
	}
	wtr_waited fresh = { .id = o->id, .attr = o->attr, .kind = o->kind, .longest_g = WTR_NONE, .waker = WTR_NONE };
	fresh.name = o->name;
	return wb_vec_add(&s->w->waited, fresh) ? i : UINT32_MAX;
}

static wtr_held *held_row(sink *s, uint32_t object, int64_t g)
{
	held_key key = { object, g };
	uint32_t i = place_of(&s->held_keys, &key, sizeof(key));
	if (i == UINT32_MAX)
		return NULL;
	if (i == s->w->held.n && !wb_vec_add(&s->w->held, (wtr_held){ .object = object, .g = g }))
		return NULL;
	return &s->w->held.at[i];
}

static bool add_set(sink *s, const wtr_object *o, size_t n)
{
	an_wait_set set = { .first = (uint32_t)s->w->objects.n, .n = (uint32_t)n };
	if (!wb_vec_reserve(&s->w->objects, n) || !wb_vec_reserve(&s->rows, n) || !wb_vec_add(&s->w->sets, set))
		return false;
	for (size_t i = 0; i < n; i++) {
		uint32_t row = object_row(s, &o[i]);
		if (row == UINT32_MAX)
			return false;
		s->w->objects.at[s->w->objects.n++] = o[i];
		s->rows.at[s->rows.n++] = row;
	}
	return true;
}

/* The same name as a text of the answer's. */
static wtr_str keep_name(sink *s, wtr_str name)
{
	uint32_t i = wb_intern_add(&s->w->names, name.at, name.n);
	s->oom |= i == WB_INTERN_NONE;
	wb_text kept = wb_intern_text(&s->w->names, i);
	return (wtr_str){ kept.at, kept.n };
}

/* The number of what a wait is for; 0: not known, or out of memory. */
static uint32_t set_of(sink *s, uint32_t wait)
{
	wtr_object o[WTR_WAIT_OBJECTS_MAX], key[WTR_WAIT_OBJECTS_MAX];
	size_t n = wtr_wait_objects(s->trace, wait, o, WTR_WAIT_OBJECTS_MAX);
	if (n == 0)
		return 0;
	memset(key, 0, n * sizeof(*key)); /* what lies between the members, too */
	for (size_t i = 0; i < n; i++) {
		key[i].id = o[i].id;
		key[i].attr = o[i].attr;
		key[i].holder = o[i].holder;
		key[i].kind = o[i].kind;
		key[i].send = o[i].send;
		key[i].name = o[i].name = keep_name(s, o[i].name);
	}
	uint32_t i = place_of(&s->set_keys, key, n * sizeof(*key));
	if (i == UINT32_MAX || (i + 1 == s->w->sets.n && !add_set(s, o, n))) {
		s->oom = true;
		return 0;
	}
	return i + 1;
}

/* ---- waits ---- */

static waiter *get(sink *s, int64_t g, bool make)
{
	uint32_t i = wb_idmap_get(&s->w->goroutines, (uint64_t)g);
	if (i != WB_IDMAP_NONE)
		return &s->waiters.at[i];
	if (!make)
		return NULL;
	i = (uint32_t)s->waiters.n;
	if (!wb_vec_add(&s->waiters, (waiter){ .id = g }) || !wb_vec_add(&s->w->changes, (an_changes){ 0 }) ||
		!wb_idmap_set(&s->w->goroutines, (uint64_t)g, i)) {
		s->oom = true;
		return NULL;
	}
	return &s->waiters.at[i];
}

static void count_one(sink *s, const waiter *k, const wtr_object *o, uint32_t row, int64_t waker)
{
	wtr_waited *w = &s->w->waited.at[row];
	int64_t ns = s->now_ns - k->since_ns;
	w->n++;
	w->ns += ns;
	w->n_full += o->send;
	w->full_ns += o->send ? ns : 0;
	if (waker != WTR_NONE)
		w->waker = waker;
	if (ns > w->longest_ns || w->longest_g == WTR_NONE) {
		w->longest_ns = ns;
		w->longest_at_ns = k->since_ns;
		w->longest_g = k->id;
	}
	wtr_held *h = o->holder == WTR_NONE ? NULL : held_row(s, row, o->holder);
	if (!h) {
		s->oom |= o->holder != WTR_NONE;
		return;
	}
	h->n++;
	h->ns += ns;
	h->longest_ns = ns > h->longest_ns ? ns : h->longest_ns;
}

static void end_wait(sink *s, waiter *k, int64_t waker)
{
	const an_wait_set *set = &s->w->sets.at[k->set];
	k->waits = false;
	if (set->n == 1)
		count_one(s, k, &s->w->objects.at[set->first], s->rows.at[set->first], waker);
	for (uint32_t i = 0; set->n > 1 && i < set->n; i++)
		s->w->waited.at[s->rows.at[set->first + i]].n_select++;
}

static void begin_wait(sink *s, const wtr_event *e, int64_t since_ns)
{
	waiter *k = get(s, e->id, /* make= */ e->wait != 0);
	if (!k)
		return;
	if (!k->waits)
		k->since_ns = since_ns;
	k->waits = true;
	if (e->wait == k->raw)
		return;
	uint32_t set = set_of(s, e->wait);
	k->raw = e->wait;
	if (set == k->set)
		return;
	k->set = set;
	an_changes *c = &s->w->changes.at[k - s->waiters.at];
	s->oom |= !wb_vec_add(c, (an_change){ k->since_ns, set });
}

static void take(sink *s, const wtr_event *e)
{
	s->now_ns = e->time_ns;
	if (e->kind == WTR_KIND_SYNC)
		s->sync_ns = e->time_ns;
	if (e->kind != WTR_KIND_STATE_TRANSITION || e->resource != WTR_RES_GOROUTINE)
		return;
	if (wtr_to(e) == WTR_G_WAITING) {
		/* A status that repeats what is known already may say what for. */
		if (wtr_from(e) != WTR_G_WAITING || e->wait)
			begin_wait(s, e, wtr_from(e) == WTR_G_UNDETERMINED ? s->sync_ns : e->time_ns);
		return;
	}
	waiter *k = wtr_from(e) == WTR_G_WAITING ? get(s, e->id, /* make= */ false) : NULL;
	if (k && k->waits)
		end_wait(s, k, e->g);
}

static bool events(an_sink *face, const wtr_event *ev, size_t n)
{
	sink *s = (sink *)face;
	for (size_t i = 0; i < n && !s->oom; i++)
		take(s, &ev[i]);
	return !s->oom;
}

/* ---- the answer ---- */

static int most_waited(const void *a, const void *b)
{
	const wtr_waited *x = *(const wtr_waited *const *)a, *y = *(const wtr_waited *const *)b;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	if (x->n + x->n_select != y->n + y->n_select)
		return x->n + x->n_select > y->n + y->n_select ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id ? 1 : (x->kind > y->kind) - (x->kind < y->kind);
}

static int most_held(const void *a, const void *b)
{
	const wtr_held *x = a, *y = b;
	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	if (x->ns != y->ns)
		return x->ns > y->ns ? -1 : 1;
	return x->g < y->g ? -1 : x->g > y->g;
}

/* Puts the objects in order, and the holders by it. */
static bool put_in_order(wtr_waits *w)
{
	size_t n = w->waited.n;
	const wtr_waited **order = wb_calloc(n + 1, sizeof(*order));
	wtr_waited *sorted = wb_calloc(n + 1, sizeof(*sorted));
	uint32_t *place = wb_calloc(n + 1, sizeof(*place));
	bool ok = order && sorted && place;
	for (size_t i = 0; ok && i < n; i++)
		order[i] = &w->waited.at[i];
	if (ok && n)
		qsort(order, n, sizeof(*order), most_waited);
	for (size_t i = 0; ok && i < n; i++) {
		sorted[i] = *order[i];
		place[order[i] - w->waited.at] = (uint32_t)i;
	}
	for (size_t i = 0; ok && i < w->held.n; i++)
		w->held.at[i].object = place[w->held.at[i].object];
	if (ok && n)
		memcpy(w->waited.at, sorted, n * sizeof(*sorted));
	if (ok && w->held.n)
		qsort(w->held.at, w->held.n, sizeof(*w->held.at), most_held);
	for (size_t i = w->held.n; ok && i-- > 0;) {
		wtr_waited *o = &w->waited.at[w->held.at[i].object];
		o->first_holder = (uint32_t)i;
		o->n_holders++;
	}
	wb_free(order);
	wb_free(sorted);
	wb_free(place);
	return ok;
}

static bool finish(sink *s)
{
	for (size_t i = 0; i < s->waiters.n; i++)
		if (s->waiters.at[i].waits)
			end_wait(s, &s->waiters.at[i], WTR_NONE);
	return !s->oom && put_in_order(s->w);
}

wtr_code wtr_waits_make(wtr_trace *t, wtr_waits **ret, wtr_error *err)
{
	sink s = { .face.events = events, .trace = t, .w = wb_calloc(1, sizeof(*s.w)) };
	wtr_error end;
	wtr_code rc = s.w && wb_vec_add(&s.w->sets, (an_wait_set){ 0 }) ? an_pass(t, &s.face, &end, err) : WTR_E_NOMEM;
	if (rc == WTR_OK && !finish(&s))
		rc = WTR_E_NOMEM;
	wb_intern_free(&s.set_keys);
	wb_intern_free(&s.object_keys);
	wb_intern_free(&s.held_keys);
	wb_vec_free(&s.rows);
	wb_vec_free(&s.waiters);
	if (rc == WTR_OK)
		*ret = s.w;
	else
		wtr_waits_free(s.w);
	return rc == WTR_E_NOMEM ? wtr__fail(err, rc, 0, 0, WTR_NONE, "", "memory", "out of memory") : rc;
}

void wtr_waits_free(wtr_waits *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->changes.n; i++)
		wb_vec_free(&w->changes.at[i]);
	wb_vec_free(&w->changes);
	wb_vec_free(&w->sets);
	wb_vec_free(&w->objects);
	wb_vec_free(&w->waited);
	wb_vec_free(&w->held);
	wb_intern_free(&w->names);
	wb_idmap_free(&w->goroutines);
	wb_free(w);
}

const wtr_waited *wtr_waits_objects(const wtr_waits *w, size_t *ret_n)
{
	*ret_n = w->waited.n;
	return w->waited.at;
}

const wtr_held *wtr_waits_holders(const wtr_waits *w, size_t *ret_n)
{
	*ret_n = w->held.n;
	return w->held.at;
}

size_t wtr_waits_of(const wtr_waits *w, int64_t g, int64_t time_ns, wtr_object *ret, size_t n)
{
	uint32_t i = g == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&w->goroutines, (uint64_t)g);
	if (i == WB_IDMAP_NONE)
		return 0;
	const an_changes *c = &w->changes.at[i];
	size_t lo = 0, hi = c->n; /* the first that is later */
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (c->at[mid].time_ns <= time_ns)
			lo = mid + 1;
		else
			hi = mid;
	}
	const an_wait_set *set = &w->sets.at[lo ? c->at[lo - 1].set : 0];
	for (uint32_t k = 0; k < set->n && k < n; k++)
		ret[k] = w->objects.at[set->first + k];
	return set->n;
}
