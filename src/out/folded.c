/* out/folded.c - collapsed stacks, one a line. */
#include "out/pprof.h"
#include "out/units.h"

enum { FRAMES = 260 };

/* A name within a line: what separates frames must not stand in it. */
static void put_name(wb_buf *b, wtr_str name)
{
	size_t from = b->n;
	if (name.n == 0) {
		wb_buf_puts(b, "(not known)");
		return;
	}
	out_clean(b, name.at, name.n);
	for (size_t i = from; i < b->n && !b->failed; i++)
		if (b->at[i] == ';')
			b->at[i] = ':';
}

static void put_stack(wb_buf *b, const wtr_frame *frames, size_t n, const char *state)
{
	if (state[0])
		wb_buf_printf(b, "[%s]%s", state, n ? ";" : "");
	for (size_t k = n; k-- > 0;) {
		put_name(b, frames[k].func);
		if (k)
			wb_buf_putc(b, ';');
	}
	if (n == 0 && !state[0])
		wb_buf_puts(b, "(no stack)");
	wb_buf_putc(b, ' ');
}

void out_folded(wb_buf *b, const wtr_profile *p)
{
	wtr_profile_totals t;
	wtr_frame frames[FRAMES];
	wtr_profile_get_totals(p, &t);
	bool has_ns = wtr_profile_value(t.kind, 1)[0];
	for (size_t i = 0; i < t.records; i++) {
		wtr_profile_record r;
		wtr_profile_get_record(p, i, &r);
		put_stack(b, frames, wtr_profile_frames(p, i, frames, FRAMES), r.state);
		if (has_ns)
			wb_buf_i64(b, r.ns);
		else
			wb_buf_u64(b, r.count);
		wb_buf_putc(b, '\n');
	}
}

void out_folded_stacks(wb_buf *b, const wtr_stacks *p)
{
	wtr_stacks_totals t;
	wtr_frame frames[FRAMES];
	wtr_stacks_get_totals(p, &t);
	bool has_ns = wtr_profile_value(t.kind, 1)[0];
	for (size_t i = 0; i < t.records; i++) {
		wtr_stacks_record r;
		wtr_stacks_get_record(p, i, &r);
		put_stack(b, frames, wtr_stacks_frames(p, i, frames, FRAMES), r.state);
		wb_buf_i64(b, (int64_t)((has_ns ? (double)r.ns_a : (double)r.count_a) * wtr_stacks_scale(p) + 0.5));
		wb_buf_putc(b, ' ');
		wb_buf_i64(b, has_ns ? r.ns_b : (int64_t)r.count_b);
		wb_buf_putc(b, '\n');
	}
}
