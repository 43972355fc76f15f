/* edit/hide_pieces.h - the carrier (docs/carrier.md) without names: its pieces are texts that hold texts.
 *
 * What goroutines wait for, and every number, stays.  Labels, tasks and regions become others as everywhere; from the
 * first thing on that is not known a piece is left out, for who knows what it says.
 */
#ifndef WE_HIDE_PIECES_H
#define WE_HIDE_PIECES_H

#include "base/idmap.h"
#include "base/vec.h"
#include "edit/hide.h"
#include "fmt/carrier.h"

/* What is known of the threads of a generation, which go on from piece to piece. */
typedef struct we_hide_slots {
	uint8_t kind[WF_CARRIER_SLOTS];
} we_hide_slots;

typedef struct we_hide_pieces {
	bool failed;       /* out of memory */
	wb_idmap slots_of; /* thread -> place */
	WB_VEC(we_hide_slots) slots;
} we_hide_pieces;

bool we_is_piece(const void *at, size_t n);

/* A generation begins; also frees. */
void we_hide_pieces_reset(we_hide_pieces *p);

/* Tells `h` what the texts of a piece are used for, when `out` is NULL; else appends what the piece becomes. */
void we_hide_piece(we_hide_pieces *p, we_hide *h, const void *at, size_t n, wb_buf *out);

#endif
