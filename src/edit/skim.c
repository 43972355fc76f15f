/* edit/skim.c - see skim.h. */
#include "edit/skim.h"

#include <string.h>

#include "fmt/events.h"
#include "fmt/wire.h"
#include "os/thread.h"
#include "read/source.h"
#include "read/v2/container.h"

enum { THREADS_MAX = 4, THREAD_BYTES = 4 << 20 }; /* a thread for less than that costs more than it gives */

/* Batches that follow on each other. */
typedef struct part {
	we_skim found;
	const wtr_trace *t;
	we_machine *k;
	size_t first, end; /* batches */
	bool first_statuses;
	pthread_t thread;
	bool started;
} part;

/* The end of the n varints at p, NULL when they are not there.  Up to eight bytes are looked at together. */
static inline const uint8_t *skip(const uint8_t *p, const uint8_t *end, unsigned n)
{
	if (end - p >= 8) {
		uint64_t w;
		memcpy(&w, p, sizeof(w));
		w = ~w & 0x8080808080808080u;
		for (unsigned i = 1; i < n; i++)
			w &= w - 1;
		if (w)
			return p + (__builtin_ctzll(w) >> 3) + 1;
	}
	while (n && p < end)
		n -= *p++ < 0x80;
	return n ? NULL : p;
}

/* A later making counts, and it counts more than a status; of statuses the first one does. */
static void note(we_skim *s, const we_making *x)
{
	uint32_t i = wb_idmap_get(&s->making_of, (uint64_t)x->g);
	if (i == WB_IDMAP_NONE)
		s->failed |= !wb_idmap_set(&s->making_of, (uint64_t)x->g, (uint32_t)s->makings.n) ||
			     !wb_vec_add(&s->makings, *x);
	else if (x->made && i < s->makings.n)
		s->makings.at[i] = *x;
}

static void note_making(part *p, size_t generation, const uint8_t *at, const uint8_t *end)
{
	wb_bytes b = { at, end, false };
	we_making x = { .generation = generation, .made = true };
	wb_uvarint(&b);
	x.g = (int64_t)wb_uvarint(&b);
	x.start = wb_uvarint(&b);
	x.create = wb_uvarint(&b);
	if (!b.bad && we_is_wanted(p->k, x.g))
		note(&p->found, &x);
}

static void note_status(part *p, size_t generation, const uint8_t *at, const uint8_t *end)
{
	wb_bytes b = { at, end, false };
	we_making x = { .generation = generation };
	wb_uvarint(&b);
	x.g = (int64_t)wb_uvarint(&b);
	wb_uvarint(&b);
	wb_uvarint(&b);
	x.start = wb_uvarint(&b);
	if (!b.bad && we_is_wanted(p->k, x.g))
		note(&p->found, &x);
}

static void skim_batch(part *p, size_t generation, const uint8_t *at, const uint8_t *end)
{
	bool statuses = generation > 0 || p->first_statuses;
	while (at && at < end) {
		uint8_t type = *at++;
		switch (type) {
		case WF_EV_GO_CREATE:
		case WF_EV_GO_CREATE_BLOCKED: note_making(p, generation, at, end); break;
		case WF_EV_GO_STATUS_STACK:
			if (statuses)
				note_status(p, generation, at, end);
			break;
		case WF_EV_USER_TASK_BEGIN:
		case WF_EV_USER_REGION_BEGIN:
			if (generation < p->found.first_said)
				p->found.first_said = generation;
		}
		unsigned n = wf_specs[type].n_args;
		at = n ? skip(at, end, n) : NULL;
	}
}

static void *skim(void *arg)
{
	part *p = arg;
	const wtr__gens *v = p->t->v2;
	for (size_t g = 0; g < v->gens.n && v->gens.at[g].first_batch < p->end; g++) {
		size_t i = v->gens.at[g].first_batch, end = i + v->gens.at[g].n_batches;
		for (i = i < p->first ? p->first : i; i < end && i < p->end; i++) {
			const wtr__batch *b = &v->batches.at[i];
			const uint8_t *at = p->t->at + b->offset + b->head;
			if (b->kind == WTR__BATCH_EVENTS)
				skim_batch(p, g, at, at + b->size);
		}
	}
	return NULL;
}

/* Cuts batches 0 .. end-1 into parts of about the same size; returns how many there are, at least 1. */
static unsigned divide(part *parts, const wtr_trace *t, size_t end)
{
	const wtr__batch *b = t->v2->batches.at;
	int most = t->opt.threads ? t->opt.threads : wo_processors();
	most = most < THREADS_MAX ? most : THREADS_MAX;
	uint64_t bytes = end ? b[end - 1].offset + b[end - 1].size : 0, each = bytes / (unsigned)most + 1;
	each = each < THREAD_BYTES ? THREAD_BYTES : each;
	unsigned n = 0;
	for (size_t i = 0, first = 0; i < end; i++)
		if (i + 1 == end || b[i].offset + b[i].size >= (n + 1) * each) {
			parts[n++] = (part){ .first = first, .end = i + 1 };
			first = i + 1;
		}
	return n;
}

/* What a part found, as if what was found before had been found by it, too. */
static void gather(we_skim *to, const we_skim *of)
{
	for (size_t i = 0; i < of->makings.n; i++)
		note(to, &of->makings.at[i]);
	to->first_said = of->first_said < to->first_said ? of->first_said : to->first_said;
	to->failed |= of->failed;
}

void we_skim_over(we_skim *ret, const wtr_trace *t, size_t n, bool first_statuses, we_machine *k)
{
	part parts[THREADS_MAX + 1];
	const wtr__gen *last = n ? &t->v2->gens.at[n - 1] : NULL;
	unsigned n_parts = divide(parts, t, last ? last->first_batch + last->n_batches : 0);
	for (unsigned i = 0; i < n_parts; i++) {
		part *p = &parts[i];
		p->found.first_said = SIZE_MAX;
		p->t = t;
		p->k = k;
		p->first_statuses = first_statuses;
		p->started = i + 1 < n_parts && wo_thread_start(&p->thread, skim, p) == 0;
	}
	for (unsigned i = 0; i < n_parts; i++)
		if (!parts[i].started)
			skim(&parts[i]);
	for (unsigned i = 0; i < n_parts; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		gather(ret, &parts[i].found);
		we_skim_free(&parts[i].found);
	}
}

void we_skim_free(we_skim *s)
{
	wb_vec_free(&s->makings);
	wb_idmap_free(&s->making_of);
}
