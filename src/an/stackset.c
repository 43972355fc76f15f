/* an/stackset.c - see stackset.h. */
#include "an/stackset.h"

#include <string.h>

#include "an/classes.h"

bool an_stackset_init(an_stackset *s)
{
	return wb_intern_add(&s->texts, "", 0) == 0 && wb_vec_add(&s->stacks, (an_stack_ref){ 0 }) &&
	       wb_idmap_set(&s->by_id, 0, 0);
}

void an_stackset_free(an_stackset *s)
{
	wb_intern_free(&s->texts);
	wb_idmap_free(&s->by_pc);
	wb_idmap_free(&s->by_id);
	wb_vec_free(&s->places);
	wb_vec_free(&s->place_of);
	wb_vec_free(&s->stacks);
	wb_free(s->slots);
	*s = (an_stackset){ 0 };
}

/* The number of the place of a frame; the first frame of a program counter says what it is. */
static uint32_t place(an_stackset *s, const wtr_frame *f)
{
	uint32_t no = wb_idmap_get(&s->by_pc, f->pc);
	if (no != WB_IDMAP_NONE)
		return no;
	an_place_of p = { .pc = f->pc, .line = f->line };
	p.func = wb_intern_add(&s->texts, f->func.at, f->func.n);
	p.file = wb_intern_add(&s->texts, f->file.at, f->file.n);
	no = (uint32_t)s->places.n;
	if (p.func == WB_INTERN_NONE || p.file == WB_INTERN_NONE || no == UINT32_MAX - 1 ||
		!wb_vec_add(&s->places, p) || !wb_idmap_set(&s->by_pc, f->pc, no))
		return UINT32_MAX;
	return no;
}

static uint64_t hash_of(const uint32_t *places, size_t n)
{
	uint64_t h = n;
	for (size_t i = 0; i < n; i++) {
		h = (h ^ places[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

static bool grow(an_stackset *s)
{
	size_t cap = s->cap ? s->cap * 2 : 256;
	uint32_t *slots = wb_calloc(cap, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 1; i < s->stacks.n; i++) {
		size_t at = (size_t)s->stacks.at[i].hash & (cap - 1);
		while (slots[at])
			at = (at + 1) & (cap - 1);
		slots[at] = i + 1;
	}
	wb_free(s->slots);
	s->slots = slots;
	s->cap = cap;
	return true;
}

/* The slot of an equal stack, or the free one where it belongs. */
static uint32_t *slot_of(an_stackset *s, const uint32_t *places, uint32_t n, uint64_t hash)
{
	for (size_t at = (size_t)hash & (s->cap - 1);; at = (at + 1) & (s->cap - 1)) {
		if (!s->slots[at])
			return &s->slots[at];
		const an_stack_ref *r = &s->stacks.at[s->slots[at] - 1];
		if (r->hash == hash && r->n == n && memcmp(s->place_of.at + r->first, places, n * sizeof(*places)) == 0)
			return &s->slots[at];
	}
}

/* The number of the stack of these places. */
static uint32_t number(an_stackset *s, const uint32_t *places, uint32_t n)
{
	if (n == 0)
		return 0;
	if (s->stacks.n * 2 >= s->cap && !grow(s))
		return UINT32_MAX;
	uint64_t hash = hash_of(places, n);
	uint32_t *slot = slot_of(s, places, n, hash);
	if (*slot)
		return *slot - 1;
	uint32_t first = (uint32_t)s->place_of.n;
	if (s->place_of.n > UINT32_MAX - AN_STACK_MAX || !wb_vec_reserve(&s->place_of, n) ||
		!wb_vec_add(&s->stacks, (an_stack_ref){ first, n, hash, (uint32_t)s->stacks.n, false }))
		return UINT32_MAX;
	memcpy(s->place_of.at + first, places, n * sizeof(*places));
	s->place_of.n += n;
	*slot = (uint32_t)s->stacks.n;
	return (uint32_t)s->stacks.n - 1;
}

uint32_t an_stackset_slow(an_stackset *s, const wtr_trace *t, uint32_t id)
{
	wtr_frame frames[AN_STACK_MAX];
	uint32_t places[AN_STACK_MAX];
	size_t n = wtr_stack(t, id, frames, AN_STACK_MAX);
	n = n < AN_STACK_MAX ? n : AN_STACK_MAX;
	for (size_t i = 0; i < n; i++)
		if ((places[i] = place(s, &frames[i])) == UINT32_MAX)
			return UINT32_MAX;
	uint32_t no = number(s, places, (uint32_t)n), same = no;
	size_t used = n;
	while (used && frames[used - 1].pc == 0)
		used--;
	if (used < n)
		same = number(s, places, (uint32_t)used);
	if (no == UINT32_MAX || same == UINT32_MAX || !wb_idmap_set(&s->by_id, id, no))
		return UINT32_MAX;
	s->stacks.at[no].same = same;
	s->stacks.at[no].collects = no && an_collects(frames, n);
	return no;
}

size_t an_stackset_frames(const an_stackset *s, uint32_t no, wtr_frame *ret, size_t n)
{
	if (no >= s->stacks.n)
		return 0;
	const an_stack_ref *r = &s->stacks.at[no];
	for (uint32_t i = 0; i < r->n && i < n; i++) {
		const an_place_of *p = &s->places.at[s->place_of.at[r->first + i]];
		wb_text func = wb_intern_text(&s->texts, p->func), file = wb_intern_text(&s->texts, p->file);
		ret[i] = (wtr_frame){ p->pc, { func.at, func.n }, { file.at, file.n }, p->line };
	}
	return r->n;
}
