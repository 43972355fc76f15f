/* kit/tracecheck.c - see tracecheck.h. */
#include "tracecheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/wtr.h>

#include "base/vec.h"
#include "fmt/events.h"
#include "fmt/rawevent.h"
#include "fmt/wire.h"
#include "kit.h"
#include "rt/tr/tr.h"
#include "second.h"

int tracecheck_sink(const void *at, size_t n, void *arg)
{
	wb_buf_put(arg, at, n);
	return 0;
}

void tracecheck_save(const wb_buf *trace, const char *path)
{
	FILE *out = fopen(path, "wb");
	kit_check(out && fwrite(trace->at, 1, trace->n, out) == trace->n);
	fclose(out);
}

static bool valid_for_second(const wb_buf *trace)
{
	second_result r;
	bool ok = second_check(trace->at, trace->n, &r);
	if (!ok)
		printf("# second validator: %s\n", r.why);
	return ok;
}

bool tracecheck_valid(const wb_buf *trace)
{
	wtr_trace *t;
	wtr_error err = { 0 };
	wtr_code rc = wtr_open_bytes(trace->at, trace->n, NULL, &t, &err);
	if (rc == WTR_OK) {
		wtr_info info;
		wtr_get_info(t, &info);
		rc = info.damage.code;
		err = info.damage;
		if (rc == WTR_OK)
			rc = wtr_validate(t, &err);
		wtr_close(t);
	}
	if (rc != WTR_OK)
		printf("# %s, thread %lld, generation %llu: %s\n", err.event, (long long)err.thread,
			(unsigned long long)err.generation, err.what);
	return rc == WTR_OK && valid_for_second(trace);
}

/* ---- against the ledger ---- */

/* Of the events that each mean one telling, whose is it? */
static bool is_of_goroutine(unsigned type)
{
	switch (type) {
	case WF_EV_GO_CREATE:
	case WF_EV_GO_START:
	case WF_EV_GO_STOP:
	case WF_EV_GO_BLOCK:
	case WF_EV_GO_UNBLOCK:
	case WF_EV_GO_SYSCALL_BEGIN:
	case WF_EV_GO_SYSCALL_END:
	case WF_EV_GO_SYSCALL_END_BLOCKED:
	case WF_EV_GO_DESTROY:
	case WF_EV_GO_SWITCH: return true;
	default: return false;
	}
}

typedef struct seen {
	uint64_t all[FS_TYPES];
	uint32_t (*of)[FS_TYPES];
	uint64_t n_goroutines;
} seen;

static void see(seen *s, const wtr_event *e)
{
	if (e->type >= FS_TYPES)
		return;
	s->all[e->type]++;
	if (is_of_goroutine(e->type) && (uint64_t)e->id <= s->n_goroutines)
		s->of[e->id][e->type]++;
}

static bool read_all(const wb_buf *trace, seen *s)
{
	wtr_trace *t;
	if (wtr_open_bytes(trace->at, trace->n, NULL, &t, NULL) != WTR_OK)
		return false;
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			see(s, &e[i]);
	bool ok = wtr_cursor_error(c)->code == WTR_OK;
	wtr_cursor_close(c);
	wtr_close(t);
	return ok;
}

/* What the tracer adds by itself. */
static bool is_added(unsigned type)
{
	return type == WF_EV_PROCS_CHANGE || type == WF_EV_PROC_STATUS || type == WF_EV_GO_STATUS ||
	       type == WF_EV_GO_STATUS_STACK || type == WF_EV_GC_ACTIVE || type == WF_EV_GC_SWEEP_ACTIVE ||
	       type == WF_EV_GC_MARK_ASSIST_ACTIVE || type == 0;
}

static bool same(const char *whose, uint64_t id, unsigned type, uint64_t told, uint64_t found)
{
	if (told == found)
		return true;
	printf("# %s %llu: %s was told %llu times and is there %llu times\n", whose, (unsigned long long)id,
		wf_specs[type].name, (unsigned long long)told, (unsigned long long)found);
	return false;
}

bool tracecheck_complete(const wb_buf *trace, const fs *f)
{
	seen s = { .n_goroutines = fs_goroutines(f) };
	s.of = calloc(s.n_goroutines + 1, sizeof(*s.of));
	kit_check(s.of);
	bool ok = read_all(trace, &s);
	for (unsigned type = 0; type < FS_TYPES; type++)
		if (!is_added(type))
			ok = same("all", 0, type, fs_told(f, type), s.all[type]) && ok;
	for (uint64_t g = 1; g <= s.n_goroutines; g++)
		for (unsigned type = 0; type < FS_TYPES; type++)
			if (is_of_goroutine(type))
				ok = same("goroutine", g, type, fs_told_of(f, g, type), s.of[g][type]) && ok;
	free(s.of);
	return ok;
}

/* ---- byte by byte ---- */

typedef bool raw_fn(const wf_raw_event *e, void *arg);

static bool each_raw(const wb_buf *trace, raw_fn *fn, void *arg)
{
	wf_raw_reader r;
	wf_raw_event e;
	if (!wf_raw_open(&r, trace->at, trace->n, /* flat= */ false))
		return false;
	for (;;)
		switch (wf_raw_next(&r, &e)) {
		case WF_RAW_EVENT:
			if (!fn(&e, arg))
				return false;
			break;
		case WF_RAW_BROKEN: return false;
		case WF_RAW_END: return true;
		}
}

static bool count_types(const wf_raw_event *e, void *arg)
{
	((uint64_t *)arg)[e->type]++;
	return true;
}

uint64_t tracecheck_count(const wb_buf *trace, unsigned type)
{
	uint64_t n[256] = { 0 };
	kit_check(each_raw(trace, count_types, n));
	return n[type];
}

static bool find_end(const wf_raw_event *e, void *arg)
{
	if (e->type == WF_EV_END_OF_GENERATION)
		*(size_t *)arg = e->offset + e->bytes;
	return true;
}

size_t tracecheck_whole(const wb_buf *trace)
{
	size_t end = trace->n < WF_HEADER_BYTES ? 0 : WF_HEADER_BYTES;
	each_raw(trace, find_end, &end);
	return end;
}

size_t tracecheck_generations(const wb_buf *trace)
{
	return tracecheck_count(trace, WF_EV_END_OF_GENERATION);
}

/* ---- the carrier: read by what docs/carrier.md says, not by the tracer's own code ---- */

enum { PIECES_MAX = 1 << 17, SLOTS = 64, GUESSES = 256, WAITS_MAX = 4 /* of fs_waited, and one */ };

typedef struct piece {
	uint64_t tid, index;
	const uint8_t *at, *end;
	char kind;
} piece;

typedef struct wait {
	unsigned n;
	fs_object o[WAITS_MAX];
} wait;

typedef struct thread {
	uint64_t now;            /* the goroutine on it */
	WB_VEC(uint64_t) blocks; /* whose GoBlock events it has in the generation */
	uint64_t before;         /* GoBlock events in the generations before */
	size_t next;             /* of blocks that an entry is for */
	fs_object slots[SLOTS];
	wait guess[GUESSES];
} thread;

typedef struct carrier {
	bool exact;
	uint64_t hogs, stalls, tid; /* tid: of the batch */
	thread threads[FS_TIDS], none;
	piece pieces[PIECES_MAX];
	size_t n;
} carrier;

static bool take_uv(piece *p, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; p->at < p->end && shift < 64; shift += 7) {
		uint8_t b = *p->at++;
		*ret |= (uint64_t)(b & 0x7f) << shift;
		if (!(b & 0x80))
			return true;
	}
	return false;
}

static bool take_byte(piece *p, unsigned *ret)
{
	if (p->at == p->end)
		return false;
	*ret = *p->at++;
	return true;
}

static bool take_object(piece *p, unsigned code, thread *t, fs_object *ret)
{
	static const bool holder[] = { 0, 0, 1, 1, 0, 0, 0, 0, 0, 0 };
	unsigned slot = code - 3;
	if (code == 2) {
		fs_object o = { 0 };
		if (!take_byte(p, &slot) || slot >= SLOTS || !take_byte(p, &o.kind) || !take_uv(p, &o.id) ||
			!take_uv(p, &o.attr))
			return false;
		t->slots[slot] = o;
	} else if (slot >= SLOTS) {
		return false;
	}
	*ret = t->slots[slot];
	return ret->kind > 0 && ret->kind < 10 && (!holder[ret->kind] || take_uv(p, &ret->holder));
}

/* What the next GoBlock of t waits for, as it was read, against what was told. */
static bool waited(const carrier *c, thread *t, uint64_t tid, const wait *got)
{
	fs_object want[16];
	unsigned n_want = fs_waited(tid, t->before + t->next, want, 16);
	if (t->next++ == t->blocks.n)
		return false;
	if (!c->exact)
		return true;
	for (unsigned i = 0; i < got->n && i < n_want; i++)
		if (got->o[i].kind != want[i].kind || got->o[i].id != want[i].id || got->o[i].attr != want[i].attr ||
			got->o[i].holder != want[i].holder || got->o[i].send != want[i].send)
			return false;
	return got->n == n_want;
}

static bool take_guessed(const carrier *c, thread *t, uint64_t tid, uint64_t n)
{
	for (; n > 0; n--) {
		if (t->next == t->blocks.n)
			return false;
		if (!waited(c, t, tid, &t->guess[t->blocks.at[t->next] % GUESSES]))
			return false;
	}
	return true;
}

static bool take_entry(const carrier *c, thread *t, piece *p)
{
	uint64_t guessed, sends = 0;
	unsigned code;
	if (!take_uv(p, &guessed) || !take_guessed(c, t, p->tid, guessed) || t->next == t->blocks.n ||
		!take_byte(p, &code))
		return false;
	wait *w = &t->guess[t->blocks.at[t->next] % GUESSES];
	*w = (wait){ .n = code != 0 };
	if (code == 1 && (!take_byte(p, &w->n) || w->n > WAITS_MAX || !take_uv(p, &sends) || !take_byte(p, &code)))
		return false;
	for (unsigned i = 0; i < w->n; i++) {
		if ((i > 0 && !take_byte(p, &code)) || !take_object(p, code, t, &w->o[i]))
			return false;
		w->o[i].send = sends >> i & 1;
	}
	return waited(c, t, p->tid, w);
}

static bool take_label(piece *p, uint64_t g)
{
	char want[64];
	uint64_t n;
	if (!take_uv(p, &n) || n > (uint64_t)(p->end - p->at) || n != fs_label(g, want, sizeof(want)))
		return false;
	bool same = memcmp(p->at, want, n) == 0;
	p->at += n;
	return same;
}

static bool take_kept(thread *t, piece *p, uint64_t g)
{
	fs_object o, want = fs_kept(g);
	unsigned code;
	return take_byte(p, &code) && take_object(p, code, t, &o) && o.kind == want.kind && o.id == want.id &&
	       o.holder == want.holder;
}

static bool take_facts(carrier *c, piece *p)
{
	thread *t = p->tid - FS_TIDS_FROM < FS_TIDS ? &c->threads[p->tid - FS_TIDS_FROM] : &c->none;
	uint64_t kind, a, b;
	while (p->at < p->end) {
		if (!take_uv(p, &kind) || !take_uv(p, &a))
			return false;
		if (kind == 13 && p->at < p->end) /* the last one of its piece */
			return false;
		if (kind == 13)
			break;
		if (kind == 4 ? !take_label(p, a) : kind == 5 ? !take_kept(t, p, a) : !take_uv(p, &b))
			return false;
		c->hogs += kind == 1;
		c->stalls += kind == 2 ? a : 0;
	}
	return true;
}

static int by_index(const void *a, const void *b)
{
	const piece *p = a, *q = b;
	return p->tid != q->tid ? (p->tid > q->tid) - (p->tid < q->tid) : (p->index > q->index) - (p->index < q->index);
}

static bool read_pieces(carrier *c)
{
	qsort(c->pieces, c->n, sizeof(*c->pieces), by_index);
	for (size_t i = 0; i < c->n; i++) {
		piece *p = &c->pieces[i];
		bool first = i == 0 || p[-1].tid != p->tid;
		if (p->index != (first ? 0 : p[-1].index + 1))
			return false;
		if (p->kind == 'f' && !take_facts(c, p))
			return false;
		while (p->kind == 'w' && p->at < p->end)
			if (p->tid - FS_TIDS_FROM >= FS_TIDS || !take_entry(c, &c->threads[p->tid - FS_TIDS_FROM], p))
				return false;
	}
	c->n = 0;
	return true;
}

static bool end_generation(carrier *c)
{
	bool ok = read_pieces(c);
	for (unsigned i = 0; i < FS_TIDS; i++) {
		thread *t = &c->threads[i];
		ok = ok && take_guessed(c, t, FS_TIDS_FROM + i, t->blocks.n - t->next);
		if (t->blocks.n) /* else there is no guess; they are large */
			memset(t->guess, 0, sizeof(t->guess));
		t->before += t->blocks.n;
		t->next = t->blocks.n = 0;
		memset(t->slots, 0, sizeof(t->slots));
	}
	memset(c->none.slots, 0, sizeof(c->none.slots));
	return ok;
}

static bool add_piece(carrier *c, const wf_raw_event *e)
{
	if (e->n_data < 6 || memcmp(e->data, "\0weft", 5) != 0)
		return true;
	piece p = { .kind = (char)e->data[5], .at = e->data + 6, .end = e->data + e->n_data };
	if (c->n == PIECES_MAX || !take_uv(&p, &p.tid) || !take_uv(&p, &p.index))
		return false;
	c->pieces[c->n++] = p;
	return true;
}

/* The goroutine on a thread, behind its event e. */
static void follow(uint64_t *now, uint64_t tid, const wf_raw_event *e)
{
	switch (e->type) {
	case WF_EV_GO_START:
	case WF_EV_GO_SWITCH: *now = e->arg[1].value; break;
	case WF_EV_GO_STATUS:
	case WF_EV_GO_STATUS_STACK:
		if (e->arg[2].value == tid)
			*now = e->arg[1].value;
		break;
	}
}

static bool carrier_event(const wf_raw_event *e, void *arg)
{
	carrier *c = arg;
	if (e->type == WF_EV_EVENT_BATCH)
		c->tid = e->arg[1].value;
	if (e->type == WF_EV_STRING)
		return add_piece(c, e);
	if (e->type == WF_EV_END_OF_GENERATION)
		return end_generation(c);
	if (c->tid - FS_TIDS_FROM >= FS_TIDS)
		return true;
	thread *t = &c->threads[c->tid - FS_TIDS_FROM];
	if (e->type == WF_EV_GO_BLOCK)
		kit_check(wb_vec_add(&t->blocks, t->now));
	follow(&t->now, c->tid, e);
	return true;
}

static bool read_carrier(const wb_buf *trace, carrier *c)
{
	bool ok = each_raw(trace, carrier_event, c);
	for (unsigned i = 0; i < FS_TIDS; i++)
		wb_vec_free(&c->threads[i].blocks);
	return ok;
}

bool tracecheck_carrier(const wb_buf *trace, bool exact, uint64_t *ret_hogs)
{
	carrier *c = calloc(1, sizeof(*c));
	kit_check(c);
	c->exact = exact;
	bool ok = read_carrier(trace, c);
	*ret_hogs = c->hogs;
	free(c);
	return ok;
}

uint64_t tracecheck_stalls(const wb_buf *trace)
{
	carrier *c = calloc(1, sizeof(*c));
	kit_check(c);
	kit_check(read_carrier(trace, c));
	uint64_t n = c->stalls;
	free(c);
	return n;
}

static bool same_objects(const wtr_trace *t, const wtr_event *e, uint64_t nth)
{
	fs_object want[16];
	wtr_object got[16];
	unsigned n_want = fs_waited((uint64_t)e->m, nth, want, 16);
	size_t n = wtr_wait_objects(t, e->wait, got, 16);
	wtr_str reason = wtr_string(t, e->str);
	bool sends = reason.n == 9 && memcmp(reason.at, "chan send", 9) == 0;
	for (size_t i = 0; i < n && i < n_want; i++) {
		int64_t holder = want[i].holder ? (int64_t)want[i].holder : WTR_NONE;
		bool send = n > 1 ? want[i].send : sends && want[i].kind == WTR_OBJECT_CHAN;
		if (got[i].kind != want[i].kind || got[i].id != want[i].id || got[i].attr != want[i].attr ||
			got[i].holder != holder || got[i].send != send)
			return false;
	}
	return n == n_want;
}

/* Of a status of a goroutine that waits: unless another thread told it when it woke it, what for. */
static bool same_kept(const wtr_trace *t, const wtr_event *e)
{
	fs_object want = fs_kept((uint64_t)e->id);
	wtr_object got;
	size_t n = wtr_wait_objects(t, e->wait, &got, 1);
	return n == 0 || (n == 1 && got.kind == want.kind && got.id == want.id && got.holder == (int64_t)want.holder);
}

/* A generation has the labels of all goroutines that its statuses and creations name: n of them have one. */
static bool same_labels(wtr_trace *t, size_t gen, size_t n)
{
	size_t all = wtr_kept_labels(t, gen, NULL, 0);
	wtr_kept_label *l = calloc(all + 1, sizeof(*l));
	kit_check(l);
	bool ok = wtr_kept_labels(t, gen, l, all) == all && all == n;
	for (size_t i = 0; i < all; i++) {
		char want[64];
		size_t want_n = fs_label((uint64_t)l[i].g, want, sizeof(want));
		ok &= want_n > 0 && l[i].label.n == want_n && memcmp(l[i].label.at, want, want_n) == 0;
		ok &= i == 0 || l[i].g > l[i - 1].g;
	}
	free(l);
	return ok;
}

static bool names(const wtr_event *e)
{
	char unused[64];
	bool named = e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK || e->type == WF_EV_GO_CREATE;
	return named && fs_label((uint64_t)e->id, unused, sizeof(unused)) > 0;
}

static void no_carrier_lost(void *arg, const char *name, wtr_severity severity, uint64_t n, const char *text)
{
	(void)severity, (void)n, (void)text;
	if (strncmp(name, "carrier-", 8) == 0)
		*(bool *)arg = false;
}

bool tracecheck_waits(const wb_buf *trace, bool exact, uint64_t hogs)
{
	wtr_trace *t;
	wtr_options keep = { .keep_tables = true };
	kit_check(wtr_open_bytes(trace->at, trace->n, &keep, &t, NULL) == WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	kit_check(c);
	uint64_t blocks[FS_TIDS] = { 0 }, taken = 0;
	size_t gen = 0, labels = 0;
	bool ok = true;
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++) {
			if (e[i].kind == WTR_KIND_SYNC && gen > 0)
				ok &= same_labels(t, gen - 1, labels);
			if (e[i].kind == WTR_KIND_SYNC) {
				gen = (size_t)e[i].value[0];
				labels = 0;
			}
			labels += names(&e[i]);
			if (e[i].type == WF_EV_GO_STATUS || e[i].type == WF_EV_GO_STATUS_STACK)
				ok &= same_kept(t, &e[i]);
			taken += e[i].wait == WTR_PROC_TAKEN && e[i].type == WF_EV_GO_SYSCALL_BEGIN;
			/* A GoSwitch shows as a GoBlock without a reason. */
			if (e[i].type == WF_EV_GO_BLOCK && e[i].str && (uint64_t)e[i].m - FS_TIDS_FROM < FS_TIDS &&
				exact)
				ok &= same_objects(t, &e[i], blocks[e[i].m - FS_TIDS_FROM]++);
		}
	wtr_diag(c, no_carrier_lost, &ok);
	wtr_cursor_close(c);
	wtr_close(t);
	return ok && taken == hogs;
}

/* ---- statuses ---- */

enum { GOROUTINES = 1 << 16, PROCS = 64 };

/* Of goroutines in system calls: whether that is one stays as it was told when it began. */
static bool goes_on(const wtr_event *e, bool *computes, uint64_t *ret)
{
	if (e->kind != WTR_KIND_STATE_TRANSITION || e->resource != WTR_RES_GOROUTINE || wtr_to(e) != WTR_G_SYSCALL)
		return true;
	kit_check(e->id < GOROUTINES);
	bool taken = e->wait == WTR_PROC_TAKEN, status = e->type == WF_EV_GO_STATUS;
	bool good = wtr_from(e) != WTR_G_SYSCALL || taken == computes[e->id];
	computes[e->id] = taken;
	*ret += taken && status;
	return good;
}

bool tracecheck_computes(const wb_buf *trace, uint64_t *ret)
{
	wtr_trace *t;
	bool *computes = calloc(GOROUTINES, sizeof(*computes)), ok = true;
	kit_check(computes && wtr_open_bytes(trace->at, trace->n, NULL, &t, NULL) == WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	kit_check(c);
	const wtr_event *e;
	*ret = 0;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			ok &= goes_on(&e[i], computes, ret);
	wtr_cursor_close(c);
	wtr_close(t);
	free(computes);
	return ok;
}
enum { ABSENT, LIVES, CREATED };

typedef struct statuses {
	unsigned n_procs, n_gens;
	uint64_t tid, now[FS_TIDS];
	uint8_t g[GOROUTINES]; /* at the start of the generation, or what came since */
	bool dead[GOROUTINES]; /* by its end */
	uint8_t said_g[GOROUTINES], said_p[PROCS];
} statuses;

static bool end_of_statuses(statuses *s)
{
	bool first = s->n_gens++ == 0, ok = true;
	for (unsigned p = 0; p < s->n_procs; p++)
		ok = same("statuses of proc", p, WF_EV_PROC_STATUS, 1, s->said_p[p]) && ok;
	for (unsigned g = 0; g < GOROUTINES; g++) {
		if (first && s->g[g] == ABSENT && s->said_g[g])
			s->g[g] = LIVES;
		ok = same("statuses of goroutine", g, WF_EV_GO_STATUS, s->g[g] == LIVES, s->said_g[g]) && ok;
		s->g[g] = s->dead[g] || s->g[g] == ABSENT ? ABSENT : LIVES;
	}
	memset(s->dead, 0, sizeof(s->dead));
	memset(s->said_g, 0, sizeof(s->said_g));
	memset(s->said_p, 0, sizeof(s->said_p));
	return ok;
}

/* What runs is bound to its thread by where its status stands. */
static bool is_astray(const statuses *s, const wf_raw_event *e)
{
	if (s->tid != UINT64_MAX)
		return false;
	if (e->type == WF_EV_PROC_STATUS)
		return e->arg[2].value != WF_PROC_IDLE;
	if (e->type == WF_EV_GO_STATUS || e->type == WF_EV_GO_STATUS_STACK)
		return e->arg[3].value == WF_GO_RUNNING || e->arg[3].value == WF_GO_SYSCALL;
	return false;
}

static bool status_event(const wf_raw_event *e, void *arg)
{
	statuses *s = arg;
	size_t t = s->tid - FS_TIDS_FROM;
	if (is_astray(s, e)) {
		printf("# %s %llu of what runs, in no thread\n", wf_specs[e->type].name,
			(unsigned long long)e->arg[1].value);
		return false;
	}
	switch (e->type) {
	case WF_EV_EVENT_BATCH: s->tid = e->arg[1].value; return true;
	case WF_EV_GO_CREATE: s->g[e->arg[1].value] = CREATED; break;
	case WF_EV_GO_DESTROY: s->dead[s->now[t]] = true; break;
	case WF_EV_GO_STATUS:
	case WF_EV_GO_STATUS_STACK: s->said_g[e->arg[1].value]++; break;
	case WF_EV_PROC_STATUS: s->said_p[e->arg[1].value]++; break;
	case WF_EV_END_OF_GENERATION: return end_of_statuses(s);
	}
	if (t < FS_TIDS)
		follow(&s->now[t], s->tid, e);
	return true;
}

bool tracecheck_statuses(const wb_buf *trace, unsigned n_procs)
{
	statuses *s = calloc(1, sizeof(*s));
	kit_check(s && n_procs <= PROCS);
	s->n_procs = n_procs;
	bool ok = each_raw(trace, status_event, s);
	free(s);
	return ok;
}
