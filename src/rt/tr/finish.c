/* rt/tr/finish.c - the parts of a generation that the writer thread makes: see writer.h. */
#include "rt/stack/unwind.h"
#include "rt/tr/writer.h"

#include "base/alloc.h"
#include "rt/tr/carrier.h"
#include "rt/tr/inside.h"

enum {
	STACKS_BYTES = 24 << 20, /* of tables that are exchanged when they are half full */
	STACK_IDS = 1 << 20,
	STRINGS_BYTES = 16 << 20,
};
_Static_assert((int)STACK_IDS <= (int)WEFT__TR_STACK_IDS_MAX, "goroutines remember 24 bits");

static const char *const texts[] = {
	"",
#define BLOCK(ID, text) text,
#define STOP(ID, text)  text,
#define STW(ID, text)   text,
#include "rt/tr/texts.def"
};

static uint32_t string_id(weft__tr_tables *t, const char *s, uint64_t gen)
{
	size_t n = strlen(s), cut = n > WF_STRING_BYTES_MAX ? n - WF_STRING_BYTES_MAX : 0; /* the tail tells more */
	return n == 0 ? 0
		      : weft__tr_dedup_find(&t->strings, s + cut, (uint32_t)(n - cut),
				weft__tr_hash_text(s + cut, n - cut), (uint32_t)gen);
}

weft__tr_tables *weft__tr_tables_new(uint32_t epoch)
{
	weft__tr_tables *t = wb_calloc(1, sizeof(*t));
	if (!t)
		return NULL;
	t->epoch = epoch;
	bool ok = weft__tr_dedup_init(&t->stacks, STACKS_BYTES, STACK_IDS) == 0 &&
		  weft__tr_dedup_init(&t->strings, STRINGS_BYTES, WEFT__TR_TEXT_IDS_MAX - 1) == 0;
	for (unsigned i = 1; i < WEFT__TR_TEXTS && ok; i++)
		ok = string_id(t, texts[i], 0) == i;
	if (!ok) {
		weft__tr_tables_free(t);
		return NULL;
	}
	return t;
}

void weft__tr_tables_free(weft__tr_tables *t)
{
	if (!t)
		return;
	weft__tr_dedup_done(&t->stacks);
	weft__tr_dedup_done(&t->strings);
	wb_free(t);
}

enum { JITTER_NS = 1000000 };

/* Clocks increase from generation to generation, or a strict reader complains.  Reading them around each other is no
 * better than some 50 ns; a wall clock that was really set back stays so. */
static void keep_increasing(weft__tr_moment *now, weft__tr_moment *last)
{
	int64_t wall_gain = (int64_t)(now->wall_sec - last->wall_sec) * 1000000000 + (int64_t)now->wall_nsec -
			    (int64_t)last->wall_nsec;
	if (now->ticks <= last->ticks)
		now->ticks = last->ticks + 1;
	if (now->mono_ns <= last->mono_ns)
		now->mono_ns = last->mono_ns + 1;
	if (wall_gain <= 0 && wall_gain > -JITTER_NS) {
		uint64_t nsec = last->wall_nsec + 1;
		now->wall_sec = last->wall_sec + nsec / 1000000000;
		now->wall_nsec = nsec % 1000000000;
	}
	*last = *now;
}

void weft__tr_put_sync(weft__tr_writer *w, uint64_t gen)
{
	weft__tr_moment now;
	weft__tr_clock_moment(&now);
	keep_increasing(&now, &w->last_sync);
	uint8_t *at = weft__tr_sink_room(&w->sink, gen, now.ticks, WF_EV_SYNC, 2 * WF_EVENT_BYTES_MAX);
	at = wf_put_Frequency(at, (wf_Frequency){ .freq = w->frequency });
	w->sink.at = wf_put_ClockSnapshot(
		at, (wf_ClockSnapshot){ .mono = now.mono_ns, .sec = now.wall_sec, .nsec = now.wall_nsec });
	weft__tr_sink_end_batch(&w->sink);
}

/* ---- statuses ---- */

typedef struct statuses {
	uint64_t gen;
	void (*meanwhile)(void);
	unsigned n;
} statuses;

static void put_proc(weft__tr_p *p, bool running, void *arg)
{
	statuses *s = arg;
	uint64_t word;
	pthread_mutex_lock(&weft__tr.late_lock);
	if (weft__tr_room(&weft__tr.late) &&
		weft__tr_claim(&p->word, s->gen, running ? WF_PROC_RUNNING : WF_PROC_IDLE, &word))
		weft__tr_put_p_status(&weft__tr.late, p, word, 0);
	pthread_mutex_unlock(&weft__tr.late_lock);
}

/* What is said about a goroutine while its owner may change it: good if the claim that follows succeeds, as whoever
 * changes it raises its word before. */
__attribute__((no_sanitize("thread"))) static weft__tr_g peek(const weft__tr_g *g)
{
	const volatile weft__tr_g *v = g;
	return (weft__tr_g){ .id = v->id, .stack_hi = v->stack_hi, .stack = v->stack };
}

/* A goroutine that was parked before the trace began, too, can be walked. */
static uint64_t stack_of(const weft__tr_g *g, bool known, const weft__tr_g_now *now, uint64_t gen)
{
	if (known)
		return weft__tr_stack_recall(weft__tr.late.tab, g->stack, gen);
	if (now->fp)
		return weft__tr_stack_of(&weft__tr.late, g, now->pc, now->fp, now->fp);
	return weft__tr_stack_1(&weft__tr.late, now->entry);
}

static void claim_goroutine(weft__tr_g *g, bool known, const weft__tr_g_now *now, uint64_t gen)
{
	uint64_t word;
	if (!weft__tr_room(&weft__tr.late))
		return;
	weft__tr_g copy = peek(g);
	weft__tr_label_seen label;
	weft__tr_carrier_see_label(g, &label);
	uint64_t stack = stack_of(&copy, known, now, gen);
	if (!weft__tr_claim(&g->word, gen, now->state, &word))
		return;
	weft__tr_put_g_status(&weft__tr.late, &copy, word, WF_NO_THREAD, stack);
	weft__tr_carrier_put_label(&weft__tr.late, copy.id, &label);
	if (weft__tr_word_status(word) == WF_GO_WAITING)
		weft__tr_carrier_kept(&weft__tr.late, &copy, &now->what);
}

static void put_goroutine(weft__tr_g *g, const weft__tr_g_now *now, void *arg)
{
	statuses *s = arg;
	uint64_t word = atomic_load_explicit(&g->word, memory_order_acquire);
	bool known = weft__tr_word_gen(word) >= weft__tr.first;
	if (weft__tr_word_gen(word) >= s->gen || (known ? weft__tr_word_status(word) : now->state) == 0)
		return;
	pthread_mutex_lock(&weft__tr.late_lock);
	claim_goroutine(g, known, now, s->gen);
	pthread_mutex_unlock(&weft__tr.late_lock);
	if (++s->n % 1024 == 0)
		s->meanwhile();
}

void weft__tr_put_statuses(uint64_t gen, void (*meanwhile)(void))
{
	statuses s = { .gen = gen, .meanwhile = meanwhile };
	weft__tr.hooks.each_p(put_proc, &s);
	weft__tr.hooks.each_g(put_goroutine, &s);
}

/* ---- tables ---- */

typedef struct tables {
	weft__tr_writer *w;
	weft__tr_tables *t;
	uint64_t gen, time;
} tables;

static void put_sample(const weft__tr_sample *s, void *arg)
{
	tables *c = arg;
	uint64_t h = s->n;
	for (unsigned i = 0; i < s->n; i++)
		h = weft__tr_hash_word(h, s->pcs[i]);
	uint32_t stack = s->n ? weft__tr_dedup_find(&c->t->stacks, s->pcs, (uint32_t)(s->n * sizeof(*s->pcs)),
					weft__tr_hash_end(h), (uint32_t)c->gen)
			      : 0;
	if (stack)
		weft__tr_dedup_entry(&c->t->stacks, stack)->whole = true;
	uint8_t *at = weft__tr_sink_room(&c->w->sink, c->gen, c->time, WF_EV_CPU_SAMPLES, WF_EVENT_BYTES_MAX);
	c->w->sink.at = wf_put_CPUSample(
		at, (wf_CPUSample){
			    .time = s->ticks, .m = s->tid, .p = (uint64_t)(int64_t)s->p, .g = s->g, .stack = stack });
}

/* Logical frames of one address need addresses of their own: no code lies in the upper byte. */
static uint64_t inlined_pc(uint64_t pc, size_t depth)
{
	return pc | (uint64_t)depth << 56;
}

/* Those at an address, but for the `skip` innermost ones. */
static unsigned put_frames(tables *c, uint8_t **at, uintptr_t pc, size_t skip, unsigned room)
{
	const weft__tr_frame *f;
	size_t n = c->w->symbols ? weft__tr_symbols_at(c->w->symbols, pc, &f) : 0;
	if (n == 0) {
		*at = wf_put_frame(*at, pc, 0, 0, 0);
		return 1;
	}
	n = n < skip + room ? n : skip + room;
	for (size_t i = skip; i < n; i++)
		*at = wf_put_frame(*at, inlined_pc(pc, i), string_id(c->t, f[i].func, c->gen),
			string_id(c->t, f[i].file, c->gen), f[i].line);
	return (unsigned)(n - skip);
}

enum { COUNT_WIDTH = 2, FRAME_BYTES_MAX = 4 * WF_VARINT_BYTES_MAX };

/* From the program's call into the library on, as in Go: who waits for a lock is in weft_lock(). */
static void put_stack(tables *c, const weft__tr_entry *e)
{
	unsigned n = 0, n_pcs = (unsigned)weft__unwind_trim((const uintptr_t *)e->key, e->n / sizeof(uintptr_t));
	weft__tr_called from = { 0 };
	if (n_pcs == 0) /* a stack of the runtime only: better that than none, which would be another id */
		n_pcs = e->n / sizeof(uintptr_t);
	else if (!e->whole)
		from = weft__tr_symbols_called(c->w->symbols, (const uintptr_t *)e->key, n_pcs);
	size_t bytes = 1 + WF_VARINT_BYTES_MAX + COUNT_WIDTH + WF_FRAMES_MAX * FRAME_BYTES_MAX;
	uint8_t *at = weft__tr_sink_room(&c->w->sink, c->gen, c->time, WF_EV_STACKS, bytes);
	*at++ = WF_EV_STACK;
	at = wf_put_uv(at, e->id);
	uint8_t *count = at;
	at += COUNT_WIDTH;
	for (size_t i = from.pc; i < n_pcs && n < WF_FRAMES_MAX; i++)
		n += put_frames(c, &at, (uintptr_t)e->key[i] - 1, i == from.pc ? from.frame : 0, WF_FRAMES_MAX - n);
	wf_put_padded(count, n, COUNT_WIDTH);
	c->w->sink.at = at;
}

static void put_text(tables *c, uint64_t id, const void *text, size_t n)
{
	uint8_t *at = weft__tr_sink_room(&c->w->sink, c->gen, c->time, WF_EV_STRINGS, WF_EVENT_BYTES_MAX + n);
	c->w->sink.at = wf_put_string(at, id, text, n);
}

static bool used_in(const weft__tr_entry *e, uint64_t gen)
{
	return e && atomic_load_explicit(&e->used[gen & 1], memory_order_relaxed) == (uint32_t)gen;
}

static void put_stacks(tables *c)
{
	uint32_t n = weft__tr_dedup_count(&c->t->stacks);
	for (uint32_t id = 1; id <= n; id++) {
		const weft__tr_entry *e = weft__tr_dedup_entry(&c->t->stacks, id);
		if (used_in(e, c->gen))
			put_stack(c, e);
	}
}

static void put_strings(tables *c)
{
	for (uint32_t id = 1; id < WEFT__TR_TEXTS; id++)
		put_text(c, id, texts[id], strlen(texts[id]));
	uint32_t n = weft__tr_dedup_count(&c->t->strings);
	for (uint32_t id = WEFT__TR_TEXTS; id <= n; id++) {
		const weft__tr_entry *e = weft__tr_dedup_entry(&c->t->strings, id);
		if (used_in(e, c->gen))
			put_text(c, id, e->key, e->n);
	}
}

static uint64_t since(uint64_t now, uint64_t *last)
{
	uint64_t d = now - *last;
	*last = now;
	return d;
}

static void put_piece(const uint8_t *text, size_t n, void *arg)
{
	const tables *c = arg;
	put_text(arg, weft__tr_once_id(c->gen), text, n);
}

static void put_facts(tables *c)
{
	weft__tr_writer *w = c->w;
	uint8_t text[WF_STRING_BYTES_MAX];
	uint64_t waits = since(weft__tr_load(&weft__tr.waits), &w->waits);
	uint64_t wait_ns = since(weft__tr_load(&weft__tr.wait_ns), &w->wait_ns);
	uint64_t stacks = atomic_exchange(&c->t->stacks.refused, 0),
		 strings = atomic_exchange(&c->t->strings.refused, 0);
	atomic_fetch_add(&weft__tr.lost_stacks, stacks);
	atomic_fetch_add(&weft__tr.lost_strings, strings);
	size_t n = weft__tr_carrier_facts(text, weft__tr.late_pieces, waits, wait_ns, stacks, strings);
	if (n)
		put_piece(text, n, c);
	weft__tr_carrier_names(c->gen, weft__tr.late_pieces + (n > 0), put_piece, c);
}

void weft__tr_put_tables(weft__tr_writer *w, uint64_t gen)
{
	tables c = { .w = w, .t = weft__tr.tabs[gen & 1], .gen = gen, .time = weft__tr_ticks() };
	if (!w->symbols)
		w->symbols = weft__tr_symbols_open();
	if (w->symbols)
		weft__tr_symbols_refresh(w->symbols);
	if (weft__tr.hooks.samples)
		weft__tr.hooks.samples(weft__tr.first, gen, put_sample, &c);
	put_stacks(&c);
	put_strings(&c);
	put_facts(&c);
	weft__tr_sink_end_batch(&w->sink);
	weft__tr_sink_put(&w->sink, &(uint8_t){ WF_EV_END_OF_GENERATION }, 1);
}
