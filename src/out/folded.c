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

void out_folded(wb_buf *b, const wtr_profile *p)
{
	wtr_profile_totals t;
	wtr_profile_get_totals(p, &t);
	bool has_ns = wtr_profile_value(t.kind, 1)[0];
	for (size_t i = 0; i < t.records; i++) {
		wtr_profile_record r;
		wtr_frame frames[FRAMES];
		wtr_profile_get_record(p, i, &r);
		size_t n = wtr_profile_frames(p, i, frames, FRAMES);
		if (r.state[0])
			wb_buf_printf(b, "[%s]%s", r.state, n ? ";" : "");
		for (size_t k = n; k-- > 0;) {
			put_name(b, frames[k].func);
			if (k)
				wb_buf_putc(b, ';');
		}
		if (n == 0 && !r.state[0])
			wb_buf_puts(b, "(no stack)");
		wb_buf_putc(b, ' ');
		if (has_ns)
			wb_buf_i64(b, r.ns);
		else
			wb_buf_u64(b, r.count);
		wb_buf_putc(b, '\n');
	}
}
