/* out/waiting.h - who waits for whom, and what was waited for, as JSON (docs/json.md). */
#ifndef OUT_WAITING_H
#define OUT_WAITING_H

#include <wtr/waits.h>

#include "out/json.h"

/* Members of the open object: the goroutines that wait at a moment, at most `limit`; 0: all.  Times are ns since
 * start_ns. */
void out_graph_json(out_json *j, const wtr_trace *t, const wtr_graph *g, size_t limit, int64_t start_ns);
/* The same members, of goroutine g, whom it waits for, and so on; and those of out_waited_json, of what g waits for. */
void out_chain_json(
	out_json *j, const wtr_trace *t, const wtr_waits *w, const wtr_graph *graph, int64_t g, int64_t start_ns);
/* Objects by how long they were waited for, with their holders: at most `limit` of each; 0: all. */
void out_waited_json(out_json *j, const wtr_waits *w, size_t limit, int64_t start_ns);

#endif
