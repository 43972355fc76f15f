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

/* Unpacks what wf_pack() made.  Memory: about 4 MiB, whatever the bytes say. */
wf_pack_code wf_unpack(const void *at, size_t n, wf_pack_put *put, void *user);

#endif
