/* edit/alone.c - see alone.h. */
#include "edit/alone.h"

#include "base/bytes.h"
#include "fmt/events.h"
#include "read/source.h"
#include "read/v2/container.h"

#define NS_MAX (INT64_MAX / 4) /* clocks beyond are somebody's idea of a joke */

/* The time of the last event of a batch, in ticks; false: it cannot be read. */
static bool batch_end(const wtr_trace *t, const wtr__batch *b, uint64_t *ret)
{
	const uint8_t *at = t->at + b->offset + b->head;
	wb_bytes rest = { at, at + b->size, false };
	*ret = b->time;
	while (rest.at < rest.end && !rest.bad) {
		unsigned n = wf_specs[wb_byte(&rest)].n_args;
		*ret += n ? wb_uvarint(&rest) : 0;
		for (unsigned i = 1; i < n; i++)
			wb_uvarint(&rest);
		rest.bad |= n == 0;
	}
	return !rest.bad;
}

/* The latest ticks: in a thread's batches but its last one times end where the next one begins. */
static bool latest(const wtr_trace *t, const wtr__gen *g, uint64_t *ret)
{
	const wtr__batch *b = t->v2->batches.at;
	*ret = 0;
	for (size_t i = g->first_batch; i < g->first_batch + g->n_batches; i++)
		*ret = b[i].time > *ret ? b[i].time : *ret;
	for (size_t i = 0; i < g->threads.n; i++) {
		uint64_t end;
		if (!batch_end(t, &b[g->threads.at[i].last], &end))
			return false;
		*ret = end > *ret ? end : *ret;
	}
	return true;
}

/* Each event is at most 1 ns later than the one before where it is not at its own time, and has a byte at least. */
static bool reached(const wtr_trace *t, const wtr__gen *g, int64_t *ret_ns)
{
	uint64_t ticks;
	if (!g->built || g->stops || !(g->ns_per_tick > 0) || !latest(t, g, &ticks))
		return false;
	int64_t ns = wtr__ns(ticks, g->ns_per_tick);
	if (g->samples.n && g->samples.at[g->samples.n - 1].time_ns > ns)
		ns = g->samples.at[g->samples.n - 1].time_ns;
	if (ns < 0 || ns > NS_MAX || g->bytes > NS_MAX)
		return false;
	*ret_ns = ns + 1 + (int64_t)g->bytes;
	return true;
}

bool we_reached(wtr_trace *t, size_t i, int64_t *ret_ns)
{
	if (wtr__gen_get(t, i, NULL) != WTR_OK)
		return false;
	bool known = reached(t, &t->v2->gens.at[i], ret_ns);
	wtr__gen_put(t, i, !wtr__keeps_tables(t));
	return known;
}
