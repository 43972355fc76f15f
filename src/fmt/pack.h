/* fmt/pack.h - packed traces: the same bytes in far fewer, and back, one block of them at a time.
 *
 *	file  := magic[8] version:u8 n:u8 head[n] { block } end
 *	block := uv n        (bytes of the trace it makes; at least 1)
 *	         hash[8]     (of these bytes)
 *	         uv streams { uv id, uv bytes }            streams in order of id; the first id as it is, then
 *differences uv gathered-bytes { uv packed-bytes }     for the short streams together, then for each long one data end
 *:= 0 uv total
 *
 * head is the trace's header (at most 16 bytes of it).  Streams are those of packmodel.h; each is a zstd frame, or as
 *it is when that is not shorter (packed = 0).  Those below 512 bytes stand in one frame, one behind the other. Blocks
 *know nothing of each other.  Every byte of a packed file is checked; a torn one gives what was whole.
 */
#ifndef WF_PACK_H
#define WF_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

typedef enum wf_pack_code {
	WF_PACK_OK,
	WF_PACK_BROKEN,  /* unpack: torn or damaged; what stands before it was delivered */
	WF_PACK_STOPPED, /* the sink returned false */
	WF_PACK_NOMEM,
} wf_pack_code;

/* Takes a piece; `done` bytes of the input are dealt with.  False stops. */
typedef bool wf_pack_put(void *user, const void *at, size_t n, uint64_t done);

bool wf_is_packed(const void *at, size_t n);

/* Packs any bytes; those of a trace get small.  OK, STOPPED or NOMEM.  Memory: about 4 MiB. */
wf_pack_code wf_pack(const void *at, size_t n, wf_pack_put *put, void *user);

/* ---- the same in pieces, which may be made at the same time: a start, blocks, an end ---- */

enum { WF_PACK_START_BYTES_MAX = 26 };
/* Writes the start and returns its bytes; *ret_head: how many bytes of the trace are in it. */
size_t wf_pack_start(const void *at, size_t n, uint8_t ret[WF_PACK_START_BYTES_MAX], size_t *ret_head);

/* The bytes of the trace that a block beginning there takes: 0 when only wf_pack_block() can tell (the first
 * container). */
size_t wf_pack_measure(bool v1, const uint8_t *at, size_t n);
bool wf_pack_is_v1(const void *at, size_t n);

/* One per thread. */
typedef struct wf_packer wf_packer;
wf_packer *wf_packer_new(void); /* NULL: out of memory */
void wf_packer_free(wf_packer *p);

/* Appends the block of the bytes at `at` to `out`; returns how many it took, 0: out of memory. */
size_t wf_pack_block(wf_packer *p, bool v1, const uint8_t *at, size_t n, wb_buf *out);

/* The end of a packed trace of n bytes. */
void wf_pack_end(size_t n, wb_buf *out);

/* ---- back ---- */

/* Unpacks what wf_pack() made.  Memory: about 4 MiB, whatever the bytes say. */
wf_pack_code wf_unpack(const void *at, size_t n, wf_pack_put *put, void *user);

#endif
