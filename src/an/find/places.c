/* an/find/places.c - what stacks say about who is on them, and the waits at each. */
#include <stdio.h>
#include <string.h>

#include "an/find/find.h"

static bool begins(wb_text t, const char *with)
{
	return t.n >= strlen(with) && memcmp(t.at, with, strlen(with)) == 0;
}

/* Whether a function is the runtime's or a library's that waits for others. */
static bool is_library(wb_text t)
{
	return begins(t, "runtime.") || begins(t, "sync.") || begins(t, "internal/") || begins(t, "time.") ||
	       begins(t, "weft_") || begins(t, "syscall.");
}

static wb_text func(const an_find *f, const an_stack_ref *r, uint32_t i)
{
	const an_stackset *s = &f->follow.stacks;
	return wb_intern_text(&s->texts, s->places.at[s->place_of.at[r->first + i]].func);
}

/* How many frames, from the innermost on, are the runtime's or a library's.  libweft has functions of any name beneath
 * those that programs call. */
static uint32_t library_frames(const an_find *f, const an_stack_ref *r)
{
	enum { BENEATH = 4 };
	uint32_t n = 0;
	for (uint32_t i = 0; i < r->n && i < n + BENEATH; i++)
		if (begins(func(f, r, i), "weft_") || (i == n && is_library(func(f, r, i))))
			n = i + 1;
	return n;
}

/* The innermost frame that is the program's; the outermost of all when none is. */
static uint32_t site_frame(const an_find *f, const an_stack_ref *r)
{
	uint32_t n = library_frames(f, r);
	return n < r->n ? n : r->n - 1;
}

static uint8_t call_of(wb_text t)
{
	static const struct {
		const char *func;
		uint8_t call;
	} calls[] = {
#define CALL(func, KIND) { func, AN_CALL_##KIND },
#include "an/find/calls.def"
	};
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (strlen(calls[i].func) == t.n && memcmp(calls[i].func, t.at, t.n) == 0)
			return calls[i].call;
	return AN_CALL_NONE;
}

static uint32_t group_of(an_find *f, uint32_t name)
{
	uint32_t i = wb_idmap_get(&f->group_of, name);
	if (i != WB_IDMAP_NONE)
		return i;
	wb_text t = wb_intern_text(&f->follow.stacks.texts, name);
	bool system = begins(t, "runtime.") && !(t.n == 12 && begins(t, "runtime.main"));
	i = (uint32_t)f->groups.n;
	if (!wb_vec_add(&f->groups, (an_find_group){ .name = name, .system = system }) ||
		!wb_idmap_set(&f->group_of, name, i)) {
		f->follow.oom = true;
		return 0;
	}
	return i;
}

static void look_at(an_find *f, an_place *p, uint32_t stack)
{
	const an_stack_ref *r = &f->follow.stacks.stacks.at[stack];
	p->known = true;
	if (r->n == 0)
		return;
	for (uint32_t i = 0, n = library_frames(f, r); i < n; i++) {
		uint8_t call = call_of(func(f, r, i));
		p->call = call ? call : p->call;
	}
	const an_stackset *s = &f->follow.stacks;
	p->site = s->place_of.at[r->first + site_frame(f, r)];
	p->group = group_of(f, s->places.at[s->place_of.at[r->first + r->n - 1]].func);
}

an_place *an_place_of_stack(an_find *f, uint32_t stack)
{
	while (f->places.n <= stack)
		if (!wb_vec_add(&f->places, (an_place){ 0 })) {
			f->follow.oom = true;
			return NULL;
		}
	an_place *p = &f->places.at[stack];
	if (!p->known)
		look_at(f, p, stack);
	return p;
}

/* The row of a key, which is new or not; NULL: out of memory. */
static an_wait *wait_of(an_find *f, wb_idmap *map, uint64_t key, an_wait fresh)
{
	uint32_t i = wb_idmap_get(map, key);
	if (i != WB_IDMAP_NONE)
		return &f->waits.at[i];
	i = (uint32_t)f->waits.n;
	if (!wb_vec_add(&f->waits, fresh) || !wb_idmap_set(map, key, i)) {
		f->follow.oom = true;
		return NULL;
	}
	return &f->waits.at[i];
}

an_wait *an_wait_at(an_find *f, uint32_t stack, uint8_t cls)
{
	an_place *p = an_place_of_stack(f, stack);
	if (!p)
		return NULL;
	if (p->wait && f->waits.at[p->wait - 1].cls == cls)
		return &f->waits.at[p->wait - 1];
	uint64_t key = (uint64_t)p->site << 8 | (uint64_t)(f->follow.stacks.stacks.at[stack].n == 0) << 4 | cls;
	an_wait *w = wait_of(f, &f->wait_of, key, (an_wait){ .stack = stack, .cls = cls, .call = p->call });
	if (w)
		p->wait = (uint32_t)(w - f->waits.at) + 1;
	return w;
}

wtr_str an_kept(an_find *f, const char *text, size_t n)
{
	uint32_t id = text ? wb_intern_add(&f->follow.stacks.texts, text, n) : WB_INTERN_NONE;
	f->follow.oom |= id == WB_INTERN_NONE;
	wb_text t = id == WB_INTERN_NONE ? (wb_text){ "", 0 } : wb_intern_text(&f->follow.stacks.texts, id);
	return (wtr_str){ t.at, t.n };
}

/* The strings of a trace go when their generation is over. */
static wtr_str called(an_find *f, const wtr_object *o)
{
	const char *kind = wtr_object_name(o->kind);
	size_t room = strlen(kind) + o->name.n + sizeof(" ''");
	char *text = wb_new(&f->arena, char, room);
	int n = text ? snprintf(text, room, "%s '%.*s'", kind, (int)o->name.n, o->name.at) : 0;
	return an_kept(f, text, (size_t)n);
}

an_wait *an_wait_for(an_find *f, uint32_t stack, uint8_t cls, const wtr_object *o)
{
	const an_place *p = an_place_of_stack(f, stack);
	if (!p)
		return NULL;
	uint64_t key = o->id << 8 | (uint64_t)(o->kind & 15) << 4 | (p->call & 15);
	an_wait *w =
		wait_of(f, &f->wait_on, key, (an_wait){ .stack = stack, .cls = cls, .call = p->call, .exact = true });
	if (w && w->object.n == 0 && o->name.n)
		w->object = called(f, o);
	return w;
}

uint32_t an_stack_number(an_find *f, uint32_t id)
{
	uint32_t no = an_stackset_add(&f->follow.stacks, f->follow.trace, id);
	if (no != UINT32_MAX)
		return no;
	f->follow.oom = true;
	return 0;
}

wtr_str an_stack_site(an_find *f, uint32_t stack)
{
	const an_stack_ref *r = &f->follow.stacks.stacks.at[stack];
	wb_text t = r->n ? func(f, r, site_frame(f, r)) : (wb_text){ "", 0 };
	return (wtr_str){ t.at, t.n };
}

wtr_str an_group_name(const an_find *f, uint32_t group)
{
	if (group == 0)
		return (wtr_str){ "", 0 };
	wb_text t = wb_intern_text(&f->follow.stacks.texts, f->groups.at[group].name);
	return (wtr_str){ t.at, t.n };
}
