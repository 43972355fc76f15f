/* an/follow.c - see follow.h. */
#include "an/follow.h"

#include "an/classes.h"
#include "an/taken.h"

bool an_follow_init(an_follow *w, wtr_trace *t)
{
	w->trace = t;
	w->sync_ns = INT64_MIN;
	return an_stackset_init(&w->stacks) && wb_vec_add(&w->reasons, (an_reason){ .cls = WTR_CLASS_BLOCKED });
}

void an_follow_free(an_follow *w)
{
	an_stackset_free(&w->stacks);
	wb_vec_free(&w->reasons);
	wb_idmap_free(&w->reason_of);
	wb_idmap_free(&w->slots);
	wb_vec_free(&w->all);
	wb_vec_free(&w->free);
}

static uint32_t reason_slow(an_follow *w, uint32_t string)
{
	wtr_str s = wtr_string(w->trace, string);
	uint32_t text = wb_intern_add(&w->stacks.texts, s.at, s.n), no = 0;
	if (text == WB_INTERN_NONE) {
		w->oom = true;
		return 0;
	}
	while (no < w->reasons.n && w->reasons.at[no].text != text)
		no++;
	if (no == w->reasons.n) {
		enum { REASONS_MAX = 256 }; /* Go has 20; what a hostile trace has more counts as none */
		if (no == REASONS_MAX) {
			no = 0;
		} else if (!wb_vec_add(&w->reasons, (an_reason){ .text = text, .cls = (uint8_t)an_reason_class(s) })) {
			w->oom = true;
			return 0;
		} else if (w->fresh) {
			w->fresh(w->user, w, no);
		}
	}
	w->oom |= !wb_idmap_set(&w->reason_of, string, no);
	return no;
}

static inline uint32_t reason_of(an_follow *w, uint32_t string)
{
	if (string == 0)
		return 0;
	uint32_t no = wb_idmap_get(&w->reason_of, string);
	return __builtin_expect(no != WB_IDMAP_NONE, 1) ? no : reason_slow(w, string);
}

static inline uint32_t stack_of(an_follow *w, uint32_t id)
{
	uint32_t no = an_stackset_add(&w->stacks, w->trace, id);
	if (__builtin_expect(no == UINT32_MAX, 0)) {
		w->oom = true;
		return 0;
	}
	return no;
}

static an_follower *born(an_follow *w, int64_t id)
{
	uint32_t i;
	if (w->free.n) {
		i = w->free.at[--w->free.n];
	} else {
		i = (uint32_t)w->all.n;
		if (i >= AN_FOLLOW_DEAD || !wb_vec_add(&w->all, (an_follower){ 0 })) {
			w->oom = true;
			return NULL;
		}
	}
	w->all.at[i] = (an_follower){ .id = id };
	if (wb_idmap_set(&w->slots, (uint64_t)id, i))
		return &w->all.at[i];
	w->oom = true;
	return NULL;
}

static void gone(an_follow *w, an_follower *f)
{
	w->oom |= !wb_idmap_set(&w->slots, (uint64_t)f->id, AN_FOLLOW_DEAD);
	w->oom |= !wb_vec_add(&w->free, (uint32_t)(f - w->all.at));
	f->state = WTR_G_NOTEXIST;
}

an_follower *an_follow_get(an_follow *w, int64_t g)
{
	uint32_t i = g == WTR_NONE ? WB_IDMAP_NONE : wb_idmap_get(&w->slots, (uint64_t)g);
	return i >= AN_FOLLOW_DEAD ? NULL : &w->all.at[i];
}

an_follower *an_follow_transition(an_follow *w, const wtr_event *e)
{
	unsigned from = wtr_from(e), to = wtr_to(e);
	bool taken = e->wait == WTR_PROC_TAKEN;
	w->now_ns = e->time_ns;
	if (from == to || to >= WTR_G_COUNT || (taken && from != WTR_G_UNDETERMINED)) /* says nothing new */
		return NULL;
	uint32_t i = wb_idmap_get(&w->slots, (uint64_t)e->id);
	an_follower *f = i >= AN_FOLLOW_DEAD ? NULL : &w->all.at[i];
	w->several_lives |= i == AN_FOLLOW_DEAD;
	if (__builtin_expect(f != NULL, 1))
		w->over(w->user, w, f, e);
	else if (to == WTR_G_NOTEXIST || !(f = born(w, e->id)))
		return NULL;
	if (__builtin_expect(to == WTR_G_NOTEXIST, 0)) {
		gone(w, f);
		return NULL;
	}
	f->known_ns = e->time_ns;
	f->from_ns = from == WTR_G_UNDETERMINED && w->sync_ns != INT64_MIN ? w->sync_ns : e->time_ns;
	f->state = (uint8_t)an_to(e);
	f->started |= f->state == WTR_G_RUNNING;
	f->p = taken ? WTR_NONE : e->p;
	f->m = e->m;
	f->reason = reason_of(w, e->str);
	f->stack = stack_of(w, e->stack);
	return f;
}

void an_follow_other(an_follow *w, const wtr_event *e)
{
	w->now_ns = e->time_ns;
	if (e->kind == WTR_KIND_SYNC)
		w->sync_ns = e->time_ns;
}

unsigned an_follow_class(const an_follow *w, const an_follower *f)
{
	switch (f->state) {
	case WTR_G_RUNNING: return WTR_CLASS_RUNNING;
	case WTR_G_RUNNABLE: return WTR_CLASS_RUNNABLE;
	case WTR_G_SYSCALL: return WTR_CLASS_SYSCALL;
	case WTR_G_WAITING: return an_wait_class(w->reasons.at[f->reason].cls, w->stacks.stacks.at[f->stack].collects);
	default: return WTR_CLASS_NONE;
	}
}

void an_follow_end(an_follow *w)
{
	for (size_t i = 0; i < w->all.n; i++)
		if (w->all.at[i].state != WTR_G_NOTEXIST)
			w->over(w->user, w, &w->all.at[i], NULL);
}

an_state_span an_follow_span(an_follow *w, const an_follower *f, const wtr_event *end, int64_t from_ns, int64_t to_ns)
{
	an_state_span s = { .g = f->id,
		.from_ns = from_ns,
		.to_ns = to_ns,
		.waker = WTR_NONE,
		.p = f->p,
		.m = f->m,
		.stack = f->stack,
		.reason = f->reason,
		.state = f->state,
		.cls = (uint8_t)an_follow_class(w, f) };
	if (f->state == WTR_G_RUNNING)
		s.stack = end && end->transition_stack ? stack_of(w, end->transition_stack) : 0;
	if (f->state == WTR_G_WAITING && end && wtr_to(end) == WTR_G_RUNNABLE)
		s.waker = end->g;
	return s;
}

static size_t frames(void *user, uint32_t stack, wtr_frame *ret, size_t n)
{
	an_follow *w = user;
	return an_stackset_frames(&w->stacks, stack, ret, n);
}

static wtr_str reason_text(void *user, uint32_t reason)
{
	an_follow *w = user;
	wb_text t = wb_intern_text(&w->stacks.texts, w->reasons.at[reason].text);
	return (wtr_str){ t.at, t.n };
}

an_span_source an_follow_source(an_follow *w)
{
	return (an_span_source){ w, frames, reason_text };
}
