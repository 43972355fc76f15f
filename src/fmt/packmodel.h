/* fmt/packmodel.h - the bytes of a trace as columns of small numbers, and back: what pack.c compresses.
 *
 * Every event is cut into its type and its numbers, and each goes to the column of its kind, where its neighbours are
 * like it.  What can be foreseen (the next sequence number of a goroutine, who was woken and so runs next, where a
 * goroutine blocks as it did before) is stored as "as foreseen".  What is no event in shortest form is stored as it is,
 * so that any bytes come back as they were.
 *
 * One code does both directions, so that they cannot disagree: wf_code() writes or reads one number.
 */
#ifndef WF_PACKMODEL_H
#define WF_PACKMODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	WF_PACK_COLUMNS = 2560,                /* see packmodel.c, "columns" */
	WF_PACK_STREAMS = 2 * WF_PACK_COLUMNS, /* of a column: first bytes, and what follows them */
	WF_PACK_SLACK = 16,                    /* bytes behind the output that are written to on the way */
};

/* Bytes of one stream.  While writing, `cap` is what `at` has room for. */
typedef struct wf_stream {
	uint8_t *at;
	size_t n, cap;
} wf_stream;

typedef struct wf_pack_model wf_pack_model;

wf_pack_model *wf_pack_model_new(void); /* NULL: out of memory */
void wf_pack_model_free(wf_pack_model *m);

/* Writes `n` bytes of a trace of the first container (`v1`) or the second into `streams`, which are emptied before.
 * The bytes begin where a batch (v1: an event) does, or there is no gain.  Returns how many were taken, at least one
 * and at most `n`: it ends behind a batch or event once `want` bytes are reached.  0: out of memory. */
size_t wf_pack_model_write(
	wf_pack_model *m, bool v1, const uint8_t *at, size_t n, size_t want, wf_stream streams[WF_PACK_STREAMS]);

/* How many bytes wf_pack_model_write() would take of a trace of the second container. */
size_t wf_pack_model_measure(const uint8_t *at, size_t n, size_t want);

/* The other way: `n` bytes to `out`, which has room for WF_PACK_SLACK more.  False when the streams do not make exactly
 * as many.  They may hold anything. */
bool wf_pack_model_read(wf_pack_model *m, wf_stream streams[WF_PACK_STREAMS], uint8_t *out, size_t n);

#endif
