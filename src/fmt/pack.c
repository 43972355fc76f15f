/* fmt/pack.c - see pack.h. */
#include "fmt/pack.h"

#include <string.h>
#include <zstd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "fmt/packmodel.h"
#include "fmt/rawevent.h"
#include "fmt/wire.h"

enum {
	BLOCK_BYTES = 512 << 10,                     /* a block ends behind the first batch that reaches this, */
	BLOCK_BYTES_MAX = BLOCK_BYTES + (256 << 10), /* which is far below this */
	SHORT = 512,                                 /* streams below are packed together */
	LEVEL = 3,
	FORMAT = 1,
};

static const uint8_t magic[8] = { 0x89, 'W', 'P', 'K', '\r', '\n', 0x1a, '\n' };

/* What the streams of a block of n bytes may have together: no number takes more than twice what it took. */
static size_t streams_max(size_t n)
{
	return 2 * n + 256;
}

static uint64_t hash(const uint8_t *at, size_t n)
{
	uint64_t h = 0x9e3779b97f4a7c15u ^ n, w;
	for (; n >= 8; at += 8, n -= 8) {
		memcpy(&w, at, 8);
		h = (h ^ w) * 0xff51afd7ed558ccdu;
		h ^= h >> 32;
	}
	w = 0;
	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)at[i] << 8 * i;
	h = (h ^ w) * 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 29;
}

bool wf_is_packed(const void *at, size_t n)
{
	return n >= sizeof(magic) && memcmp(at, magic, sizeof(magic)) == 0;
}

static void put_uvarint(wb_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wb_buf_putc(b, (char)(v | 0x80));
	wb_buf_putc(b, (char)v);
}

/* ---- packing ---- */

struct wf_packer {
	wf_pack_model *model;
	ZSTD_CCtx *zstd;
	wf_stream streams[WF_PACK_STREAMS];
	wb_buf gathered;   /* short streams */
	wb_buf head, data; /* of a block */
};

void wf_packer_free(wf_packer *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		wb_free(p->streams[i].at);
	wb_buf_free(&p->gathered);
	wb_buf_free(&p->head);
	wb_buf_free(&p->data);
	wf_pack_model_free(p->model);
	ZSTD_freeCCtx(p->zstd);
	wb_free(p);
}

wf_packer *wf_packer_new(void)
{
	wf_packer *p = wb_calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->model = wf_pack_model_new();
	p->zstd = ZSTD_createCCtx();
	if (p->model && p->zstd)
		return p;
	wf_packer_free(p);
	return NULL;
}

/* Appends n bytes to the data of the block, packed if that makes them fewer, and how many to its head. */
static void put_packed(wf_packer *p, const void *at, size_t n)
{
	char *room = wb_buf_room(&p->data, ZSTD_compressBound(n));
	size_t got = room && n >= 16 ? ZSTD_compressCCtx(p->zstd, room, ZSTD_compressBound(n), at, n, LEVEL) : n;
	if (ZSTD_isError(got) || got >= n) {
		put_uvarint(&p->head, 0);
		wb_buf_put(&p->data, at, n);
	} else {
		put_uvarint(&p->head, got);
		p->data.n += got;
	}
}

/* The streams of a block of n bytes at `at`, as head and data. */
static void put_block(wf_packer *p, const uint8_t *at, size_t n)
{
	size_t count = 0, last = 0;
	uint64_t h = hash(at, n);
	p->gathered.n = p->head.n = p->data.n = 0;
	put_uvarint(&p->head, n);
	wb_buf_put(&p->head, &h, sizeof(h));
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		count += p->streams[i].n != 0;
	put_uvarint(&p->head, count);
	for (size_t i = 0; i < WF_PACK_STREAMS; i++) {
		const wf_stream *s = &p->streams[i];
		if (!s->n)
			continue;
		put_uvarint(&p->head, i - last);
		put_uvarint(&p->head, s->n);
		last = i;
		if (s->n < SHORT)
			wb_buf_put(&p->gathered, s->at, s->n);
	}
	put_packed(p, p->gathered.at, p->gathered.n);
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		if (p->streams[i].n >= SHORT)
			put_packed(p, p->streams[i].at, p->streams[i].n);
}

bool wf_pack_is_v1(const void *at, size_t n)
{
	wf_raw_reader r;
	return wf_raw_open(&r, at, n, false) && wf_version_is_v1(r.version);
}

size_t wf_pack_start(const void *at, size_t n, uint8_t ret[WF_PACK_START_BYTES_MAX], size_t *ret_head)
{
	size_t head = n < WF_HEADER_BYTES ? n : WF_HEADER_BYTES;
	memcpy(ret, magic, sizeof(magic));
	ret[sizeof(magic)] = FORMAT;
	ret[sizeof(magic) + 1] = (uint8_t)head;
	if (head)
		memcpy(ret + sizeof(magic) + 2, at, head);
	*ret_head = head;
	return sizeof(magic) + 2 + head;
}
_Static_assert(sizeof(magic) + 2 + WF_HEADER_BYTES == WF_PACK_START_BYTES_MAX, "as the header says");

size_t wf_pack_measure(bool v1, const uint8_t *at, size_t n)
{
	return v1 ? 0 : wf_pack_model_measure(at, n, BLOCK_BYTES);
}

size_t wf_pack_block(wf_packer *p, bool v1, const uint8_t *at, size_t n, wb_buf *out)
{
	size_t k = wf_pack_model_write(p->model, v1, at, n, BLOCK_BYTES, p->streams);
	if (k == 0)
		return 0;
	put_block(p, at, k);
	wb_buf_put(out, p->head.at, p->head.n);
	wb_buf_put(out, p->data.at, p->data.n);
	return p->head.failed || p->data.failed || p->gathered.failed || out->failed ? 0 : k;
}

void wf_pack_end(size_t n, wb_buf *out)
{
	put_uvarint(out, 0);
	put_uvarint(out, n);
}

static wf_pack_code pack_blocks(wf_packer *p, const uint8_t *at, size_t n, size_t from, wf_pack_put *put, void *user)
{
	bool v1 = wf_pack_is_v1(at, n);
	wb_buf out = { 0 };
	wf_pack_code rc = WF_PACK_OK;
	while (from < n && rc == WF_PACK_OK) {
		out.n = 0;
		size_t k = wf_pack_block(p, v1, at + from, n - from, &out);
		from += k;
		rc = k == 0 ? WF_PACK_NOMEM : put(user, out.at, out.n, from) ? WF_PACK_OK : WF_PACK_STOPPED;
	}
	out.n = 0;
	wf_pack_end(n, &out);
	if (rc == WF_PACK_OK)
		rc = out.failed ? WF_PACK_NOMEM : put(user, out.at, out.n, n) ? WF_PACK_OK : WF_PACK_STOPPED;
	wb_buf_free(&out);
	return rc;
}

wf_pack_code wf_pack(const void *at, size_t n, wf_pack_put *put, void *user)
{
	size_t head;
	uint8_t start[WF_PACK_START_BYTES_MAX];
	size_t start_n = wf_pack_start(at, n, start, &head);
	wf_packer *p = wf_packer_new();
	if (!p)
		return WF_PACK_NOMEM;
	wf_pack_code rc = put(user, start, start_n, head) ? pack_blocks(p, at, n, head, put, user) : WF_PACK_STOPPED;
	wf_packer_free(p);
	return rc;
}

/* ---- unpacking ---- */

typedef struct unpacker {
	wf_pack_model *model;
	ZSTD_DCtx *zstd;
	wf_stream streams[WF_PACK_STREAMS]; /* into bytes */
	uint8_t *bytes;                     /* of all streams */
	uint8_t *out;
	uint64_t total;
} unpacker;

static void unpacker_free(unpacker *u)
{
	if (!u)
		return;
	wf_pack_model_free(u->model);
	ZSTD_freeDCtx(u->zstd);
	wb_free(u->bytes);
	wb_free(u->out);
	wb_free(u);
}

static unpacker *unpacker_new(void)
{
	unpacker *u = wb_calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->model = wf_pack_model_new();
	u->zstd = ZSTD_createDCtx();
	u->bytes = wb_malloc(streams_max(BLOCK_BYTES_MAX));
	u->out = wb_malloc(BLOCK_BYTES_MAX + WF_PACK_SLACK);
	if (u->model && u->zstd && u->bytes && u->out)
		return u;
	unpacker_free(u);
	return NULL;
}

/* The table of streams: lays them out in u->bytes, short ones first.  False: it cannot be. */
static bool read_table(unpacker *u, wb_bytes *in, size_t max, size_t *ret_short)
{
	memset(u->streams, 0, sizeof(u->streams));
	uint64_t count = wb_uvarint(in), id = 0, sum = 0, sum_short = 0;
	if (count > WF_PACK_STREAMS)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t step = wb_uvarint(in), n = wb_uvarint(in);
		if (in->bad || step >= WF_PACK_STREAMS - id || (step == 0 && i) || n == 0 || n > max - sum)
			return false;
		id += step;
		sum += n;
		sum_short += n < SHORT ? n : 0;
		u->streams[id].n = (size_t)n;
	}
	uint8_t *short_at = u->bytes, *long_at = u->bytes + sum_short;
	for (size_t i = 0; i < WF_PACK_STREAMS; i++) {
		uint8_t **next = u->streams[i].n < SHORT ? &short_at : &long_at;
		u->streams[i].at = *next;
		*next += u->streams[i].n;
	}
	*ret_short = (size_t)sum_short;
	return !in->bad;
}

static bool read_piece(unpacker *u, wb_bytes *data, uint64_t packed, uint8_t *to, size_t n)
{
	size_t have = (size_t)(data->end - data->at), k = packed ? (size_t)packed : n;
	if (packed > have || k > have)
		return false;
	if (!packed && n)
		memcpy(to, data->at, n);
	else if (packed && ZSTD_decompressDCtx(u->zstd, to, n, data->at, k) != n)
		return false;
	data->at += k;
	return true;
}

/* One block behind its size.  False: it is damaged or torn. */
static bool read_block(unpacker *u, wb_bytes *in, size_t n)
{
	uint64_t want;
	size_t n_short;
	if ((size_t)(in->end - in->at) < sizeof(want))
		return false;
	memcpy(&want, in->at, sizeof(want));
	in->at += sizeof(want);
	if (!read_table(u, in, streams_max(n), &n_short))
		return false;
	wb_bytes sizes = *in;
	wb_uvarint(in);
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		if (u->streams[i].n >= SHORT)
			wb_uvarint(in);
	if (in->bad || !read_piece(u, in, wb_uvarint(&sizes), u->bytes, n_short))
		return false;
	for (size_t i = 0; i < WF_PACK_STREAMS; i++)
		if (u->streams[i].n >= SHORT &&
			!read_piece(u, in, wb_uvarint(&sizes), u->streams[i].at, u->streams[i].n))
			return false;
	return wf_pack_model_read(u->model, u->streams, u->out, n) && hash(u->out, n) == want;
}

static wf_pack_code unpack_blocks(unpacker *u, wb_bytes in, const uint8_t *base, wf_pack_put *put, void *user)
{
	for (;;) {
		uint64_t n = wb_uvarint(&in);
		if (in.bad || n > BLOCK_BYTES_MAX)
			return WF_PACK_BROKEN;
		if (n == 0) {
			uint64_t total = wb_uvarint(&in);
			return !in.bad && total == u->total && in.at == in.end ? WF_PACK_OK : WF_PACK_BROKEN;
		}
		if (!read_block(u, &in, (size_t)n))
			return WF_PACK_BROKEN;
		u->total += n;
		if (!put(user, u->out, (size_t)n, (uint64_t)(in.at - base)))
			return WF_PACK_STOPPED;
	}
}

wf_pack_code wf_unpack(const void *at, size_t n, wf_pack_put *put, void *user)
{
	wb_bytes in = { (const uint8_t *)at + (n < sizeof(magic) ? n : sizeof(magic)), (const uint8_t *)at + n, false };
	uint8_t format = wb_byte(&in), head = wb_byte(&in);
	if (!wf_is_packed(at, n) || in.bad || format != FORMAT || head > WF_HEADER_BYTES || head > in.end - in.at)
		return WF_PACK_BROKEN;
	if (head && !put(user, in.at, head, sizeof(magic)))
		return WF_PACK_STOPPED;
	in.at += head;
	unpacker *u = unpacker_new();
	if (!u)
		return WF_PACK_NOMEM;
	u->total = head;
	wf_pack_code rc = unpack_blocks(u, in, at, put, user);
	unpacker_free(u);
	return rc;
}
