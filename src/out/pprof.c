/* out/pprof.c - see pprof.h.  The file itself is fmt/profproto.h's. */
#include "out/pprof.h"

#include <string.h>

#include "fmt/profproto.h"

enum { FRAMES = 260 };

typedef struct profile {
	wf_prof *f;
	wb_intern by_line; /* where frames have no program counter: function and line -> key */
	bool lines, failed;
} profile;

/* One record to write. */
typedef struct sample {
	const wtr_frame *frames;
	size_t n;
	int64_t values[2];
	const char *state; /* "": none */
	bool base;         /* of what the profile is compared with */
} sample;

/* A number that stands for the place of a frame. */
static uint64_t place(profile *p, const wtr_frame *frame)
{
	if (!p->lines)
		return frame->pc || frame->func.n != 2 ? frame->pc : UINT64_MAX; /* the mark "--" is no place */
	wb_buf key = { 0 };
	wb_buf_put(&key, &frame->line, sizeof(frame->line));
	wb_buf_put(&key, frame->file.at, frame->file.n);
	wb_buf_putc(&key, 0);
	wb_buf_put(&key, frame->func.at, frame->func.n);
	uint32_t no = key.failed ? WB_INTERN_NONE : wb_intern_add(&p->by_line, key.at, key.n);
	wb_buf_free(&key);
	p->failed |= no == WB_INTERN_NONE;
	return no;
}

static uint64_t location(profile *p, const wtr_frame *frame)
{
	uint64_t key = place(p, frame), id = wf_prof_location_of(p->f, key);
	const wf_prof_line line = { { frame->func.at, frame->func.n }, { frame->file.at, frame->file.n },
		(int64_t)frame->line };
	return id ? id : wf_prof_location(p->f, key, frame->pc, /* mapping= */ 0, &line, 1);
}

static wb_text text_of(const char *at)
{
	return (wb_text){ at, strlen(at) };
}

static void add_sample(profile *p, const sample *s)
{
	uint64_t ids[FRAMES];
	for (size_t k = 0; k < s->n; k++)
		ids[k] = location(p, &s->frames[k]);
	wf_prof_sample(p->f, ids, s->n, s->values);
	if (s->state[0])
		wf_prof_label(p->f, text_of("state"), text_of(s->state));
	if (s->base)
		wf_prof_label(p->f, text_of("pprof::base"), text_of("true"));
}

static bool begin(profile *p, wtr_profile_kind kind, int64_t duration_ns)
{
	const char *ns = wtr_profile_value(kind, 1);
	p->f = wf_prof_new();
	if (!p->f)
		return false;
	wf_prof_type(p->f, wtr_profile_value(kind, 0), "count");
	if (ns[0])
		wf_prof_type(p->f, ns, "nanoseconds");
	wf_prof_period(p->f, "trace", "count", 1);
	wf_prof_times(p->f, 0, duration_ns);
	return true;
}

static bool finish(profile *p, wb_buf *b)
{
	bool ok = !p->failed && wf_prof_finish(p->f, b);
	wf_prof_free(p->f);
	wb_intern_free(&p->by_line);
	return ok;
}

bool out_pprof(wb_buf *b, const wtr_profile *p)
{
	profile f = { 0 };
	wtr_frame frames[FRAMES];
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	if (!begin(&f, t.kind, t.duration_ns))
		return false;
	for (size_t i = 0; i < t.records; i++) {
		wtr_profile_record r;
		wtr_profile_get_record(p, i, &r);
		size_t n = wtr_profile_frames(p, i, frames, FRAMES);
		add_sample(
			&f, &(sample){ frames, n < FRAMES ? n : FRAMES, { (int64_t)r.count, r.ns }, r.state, false });
	}
	return finish(&f, b);
}

/* ---- two profiles as one ---- */

static int64_t scaled(double v, double scale)
{
	return (int64_t)(v * scale + 0.5);
}

/* What a stack was, as a sample below zero, and what it is. */
static void add_both(profile *f, const wtr_stacks *p, size_t i)
{
	wtr_stacks_record r;
	wtr_frame frames[FRAMES];
	double scale = wtr_stacks_scale(p);
	wtr_stacks_get_record(p, i, &r);
	size_t n = wtr_stacks_frames(p, i, frames, FRAMES);
	n = n < FRAMES ? n : FRAMES;
	sample a = { frames, n, { -scaled((double)r.count_a, scale), -scaled((double)r.ns_a, scale) }, r.state, true };
	sample b = { frames, n, { (int64_t)r.count_b, r.ns_b }, r.state, false };
	if (r.count_a)
		add_sample(f, &a);
	if (r.count_b)
		add_sample(f, &b);
}

bool out_pprof_stacks(wb_buf *b, const wtr_stacks *p)
{
	profile f = { .lines = true };
	wtr_stacks_totals t;
	wtr_stacks_get_totals(p, &t);
	if (!begin(&f, t.kind, t.duration_b_ns))
		return false;
	for (size_t i = 0; i < t.records; i++)
		add_both(&f, p, i);
	return finish(&f, b);
}
