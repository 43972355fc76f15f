/* an/notes.c - what lanes lack: notes about goroutines, for whoever asks a finished index about a part of the time. */
#include <string.h>

#include "an/summary.h"

static void add(an_summary *s, const an_note *n)
{
	if (s->parts & WTR_PART_LANES)
		AN_ADD(s, notes, *n);
}

void an_note_at(an_summary *s, uint32_t g, an_note_kind kind, int64_t when)
{
	add(s, &(an_note){ .g = s->cold.at[g].id, .to_ns = when, .kind = kind });
}

void an_note_range(an_summary *s, uint32_t g, an_note_kind kind, const an_grange *r, int64_t to)
{
	add(s, &(an_note){
		       .g = s->cold.at[g].id,
		       .from_ns = r->since_ns,
		       .to_ns = to,
		       .known_ns = r->known_ns,
		       .name = s->texts.range_text[r->no],
		       .kind = kind,
	       });
}

/* Counts the notes of each row: those of row i in first[i + 1]. */
static void count_notes(const an_summary *s, uint32_t *first)
{
	for (size_t i = 0; i < s->notes.n; i++)
		first[wb_idmap_get(&s->g_rows, (uint64_t)s->notes.at[i].g) + 1]++;
}

/* Each to its row, in the order that they have.  `first` counts up to where the next one's begin. */
static void place_notes(const an_summary *s, uint32_t *first, an_note *to)
{
	for (size_t i = 0; i < s->notes.n; i++)
		to[first[wb_idmap_get(&s->g_rows, (uint64_t)s->notes.at[i].g)]++] = s->notes.at[i];
}

bool an_notes_publish(an_summary *s, wtr_index *x)
{
	size_t rows = s->goroutines.n;
	if (!(s->parts & WTR_PART_LANES))
		return true;
	x->first_note = wb_calloc(rows + 2, sizeof(*x->first_note));
	x->notes = wb_calloc(s->notes.n + 1, sizeof(*x->notes));
	if (!x->first_note || !x->notes || s->notes.n >= UINT32_MAX)
		return false;
	count_notes(s, x->first_note);
	for (size_t i = 0; i < rows; i++)
		x->first_note[i + 1] += x->first_note[i];
	place_notes(s, x->first_note, x->notes);
	memmove(x->first_note + 1, x->first_note, rows * sizeof(*x->first_note));
	x->first_note[0] = 0;
	wb_vec_free(&s->notes);
	return true;
}
