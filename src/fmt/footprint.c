/* fmt/footprint.c - which events fill a file; see text.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/events.h"
#include "fmt/rawevent.h"
#include "fmt/text.h"
#include "fmt/wire.h"

/* Bytes of an event in its shortest form: what it would take were no number padded. */
static uint64_t shortest(const wf_raw_event *e)
{
	uint64_t n = 1;
	for (unsigned i = 0; i < e->n_args; i++)
		n += wf_varint_width(e->arg[i].value);
	wb_bytes b = e->frames;
	while (e->is_stack && b.at < b.end)
		n += wf_varint_width(wb_uvarint(&b));
	if (e->has_data)
		n += wf_varint_width(e->n_data) + e->n_data;
	if (e->v1_length_width)
		n += wf_varint_width(n - 1);
	return n;
}

wf_text_code wf_footprint_count(const void *at, size_t n, wf_footprint *ret, wf_text_error *err)
{
	wf_raw_reader r;
	wf_raw_event e;
	wf_footprint f = { .file_bytes = n };
	wf_raw_result got = wf_raw_open(&r, at, n, true) ? WF_RAW_EVENT : WF_RAW_BROKEN;
	f.version = r.version;
	while (got == WF_RAW_EVENT && (got = wf_raw_next(&r, &e)) == WF_RAW_EVENT) {
		f.events++;
		f.count[e.type]++;
		f.bytes[e.type] += shortest(&e);
	}
	*ret = f;
	wf_text_code code = got == WF_RAW_BROKEN ? WF_TEXT_BROKEN : WF_TEXT_OK;
	if (err) {
		*err = (wf_text_error){ .code = code, .offset = r.broken_at };
		if (code) {
			err->lost = n - r.broken_at;
			snprintf(err->what, sizeof(err->what), "%s", r.why);
		}
	}
	return code;
}

/* How many numbers Go's table of that version lists; the others are "unknown" in its print, and so are they here unless
 * the file has such events. */
static unsigned listed(unsigned version)
{
	switch (version) {
	case 22: return WF_EV_USER_LOG + 1;
	case 23: return WF_EV_EXPERIMENTAL_BATCH + 1;
	case 25: return WF_EV_CLOCK_SNAPSHOT + 1;
	case 26: return WF_EV_GOROUTINE_STACK_FREE + 1;
	default: return WF_V1_COUNT;
	}
}

typedef struct row {
	unsigned type;
	uint64_t bytes;
	char     name[32];
	char     cell[4][32];
} row;

static void name_of(const wf_footprint *f, unsigned i, char out[32])
{
	bool v1 = wf_version_is_v1(f->version);
	const char *name = !v1 ? wf_specs[i].name : i < WF_V1_COUNT ? wf_v1_specs[i].name : NULL;
	if (i >= listed(f->version) && !f->count[i])
		snprintf(out, 32, "<unknown (%u)>", i);
	else
		snprintf(out, 32, "%s", name ? name : "");
}

static void percent(char out[32], uint64_t part, uint64_t whole)
{
	if (whole)
		snprintf(out, 32, "%.2f%%", (double)part / (double)whole * 100);
	else
		snprintf(out, 32, "NaN%%");
}

static int by_bytes(const void *a, const void *b)
{
	const row *x = a, *y = b;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->type < y->type ? -1 : 1;
}

/* Cells of a column are as wide as its widest, and two spaces; the last column is left as it is (text/tabwriter). */
static void print_row(wb_buf *out, const char *const cell[5], const int width[4])
{
	for (int i = 0; i < 4; i++)
		wb_buf_printf(out, "%-*s", width[i], cell[i]);
	wb_buf_puts(out, cell[4]);
	wb_buf_putc(out, '\n');
}

void wf_footprint_print(const wf_footprint *f, wb_buf *out)
{
	static const char *const head[5] = { "Event", "Bytes", "%", "Count", "%" }, *const rule[5] = { "-", "-", "-",
		"-", "-" };
	row rows[256] = { 0 };
	int width[4] = { 7, 7, 3, 7 };
	for (unsigned i = 0; i < 256; i++) {
		row *r = &rows[i];
		r->type = i;
		r->bytes = f->bytes[i];
		name_of(f, i, r->name);
		snprintf(r->cell[0], 32, "%llu", (unsigned long long)f->bytes[i]);
		percent(r->cell[1], f->bytes[i], f->file_bytes);
		snprintf(r->cell[2], 32, "%llu", (unsigned long long)f->count[i]);
		percent(r->cell[3], f->count[i], f->events);
		const char *cell[4] = { r->name, r->cell[0], r->cell[1], r->cell[2] };
		for (int k = 0; k < 4; k++)
			if ((int)strlen(cell[k]) + 2 > width[k])
				width[k] = (int)strlen(cell[k]) + 2;
	}
	qsort(rows, 256, sizeof(*rows), by_bytes);
	print_row(out, head, width);
	print_row(out, rule, width);
	for (unsigned i = 0; i < 256; i++) {
		const char *cell[5] = { rows[i].name, rows[i].cell[0], rows[i].cell[1], rows[i].cell[2],
			rows[i].cell[3] };
		print_row(out, cell, width);
	}
}
