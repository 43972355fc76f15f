/* read/input.c - opening: map a file, collect a pipe, inflate gzip and zstd, unpack what `weft pack` made.
 *
 * Whatever is not a plain file ends up in an unlinked scratch file that is mapped like one, so that the reader sees one
 * kind of memory and the kernel may drop pages that were read.  Inflating is bounded (wtr_options.inflated_bytes_max):
 * a small hostile file cannot fill the disk.
 */
#include "read/input.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"
#include "fmt/pack.h"
#include "read/source.h"

enum { CHUNK_BYTES = 1 << 18 };
static const uint64_t inflated_floor_bytes = 64 << 20, inflated_ratio = 1000;

typedef struct sink {
	int fd;
	uint64_t n, max;
	uint64_t done, total; /* compressed bytes, for progress */
	wtr_trace *t;
	wtr_error *err;
	wtr_code code; /* of the newest put() */
} sink;

static wtr_code put(sink *s, const void *at, size_t n)
{
	if (n > s->max - s->n)
		return s->code = wtr__fail(s->err, WTR_E_LIMIT, s->done, 0, WTR_NONE, "", "input.inflated-size",
			       "the compressed trace inflates to more than %llu bytes; raise inflated_bytes_max if you "
			       "trust it",
			       (unsigned long long)s->max);
	int rc = wo_write_all(s->fd, at, n);
	if (rc < 0)
		return s->code = wtr__fail(s->err, WTR_E_IO, s->done, 0, WTR_NONE, "", "input.scratch",
			       "cannot write the inflated trace to a temporary file: %s", strerror(-rc));
	s->n += n;
	if (s->t->opt.progress && !s->t->opt.progress(s->t->opt.progress_user, "inflating", s->done, s->total))
		return s->code =
			       wtr__fail(s->err, WTR_E_IO, s->done, 0, WTR_NONE, "", "cancelled", "stopped on request");
	return s->code = WTR_OK;
}

/* Inflates all members of a gzip file.  A torn or broken end keeps what came before it. */
static wtr_code gunzip(sink *s, const uint8_t *at, size_t n, uint8_t *chunk)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)at };
	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
		return wtr__fail(s->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	wtr_code rc = WTR_OK;
	size_t left = n;
	for (int zrc = Z_OK; rc == WTR_OK;) {
		if (z.avail_in == 0) {
			z.avail_in = left > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uInt)left;
			left -= z.avail_in;
		}
		z.next_out = chunk;
		z.avail_out = CHUNK_BYTES;
		zrc = inflate(&z, Z_NO_FLUSH);
		s->done = (uint64_t)(z.next_in - at);
		size_t got = CHUNK_BYTES - z.avail_out;
		if (got)
			rc = put(s, chunk, got);
		if (zrc == Z_STREAM_END && (z.avail_in || left))
			zrc = inflateReset(&z); /* the next member */
		if (zrc != Z_OK || (!got && !z.avail_in && !left))
			break;
	}
	inflateEnd(&z);
	return rc;
}

static wtr_code unzstd(sink *s, const uint8_t *at, size_t n, uint8_t *chunk)
{
	ZSTD_DCtx *z = ZSTD_createDCtx();
	if (!z)
		return wtr__fail(s->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	ZSTD_DCtx_setParameter(
		z, ZSTD_d_windowLogMax, 27); /* 128 MiB: what --ultra makes; more is an attack or --long */
	ZSTD_inBuffer in = { at, n, 0 };
	wtr_code rc = WTR_OK;
	for (;;) {
		ZSTD_outBuffer out = { chunk, CHUNK_BYTES, 0 };
		size_t more = ZSTD_decompressStream(z, &out, &in);
		s->done = in.pos;
		if (out.pos)
			rc = put(s, chunk, out.pos);
		if (rc != WTR_OK || ZSTD_isError(more) || (in.pos == in.size && out.pos < out.size))
			break;
	}
	ZSTD_freeDCtx(z);
	return rc;
}

static bool put_unpacked(void *user, const void *at, size_t n, uint64_t done)
{
	sink *s = user;
	s->done = done;
	return put(s, at, n) == WTR_OK;
}

static wtr_code unpack(sink *s, const uint8_t *at, size_t n, uint8_t *chunk)
{
	(void)chunk;
	switch (wf_unpack(at, n, put_unpacked, s)) {
	case WF_PACK_NOMEM: return wtr__fail(s->err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	case WF_PACK_STOPPED: return s->code;
	case WF_PACK_BROKEN: /* as with the others: what came before it is kept */
	case WF_PACK_OK: break;
	}
	return WTR_OK;
}

static wtr_code map_scratch(wtr_trace *t, int fd, wtr_error *err)
{
	wo_map m;
	int rc = wo_map_fd(fd, &m);
	if (rc < 0)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "input.map", "cannot map the temporary file: %s",
			strerror(-rc));
	wo_unmap(&t->map);
	t->map = m;
	t->at = m.at;
	t->n = m.n;
	return WTR_OK;
}

static bool is_gzip(const void *at, size_t n)
{
	return n >= 2 && memcmp(at, "\x1f\x8b", 2) == 0;
}

static bool is_zstd(const void *at, size_t n)
{
	return n >= 4 && memcmp(at, "\x28\xb5\x2f\xfd", 4) == 0;
}

bool wtr_is_trace(const void *at, size_t n)
{
	return (n >= 5 && memcmp(at, "go 1.", 5) == 0) || is_gzip(at, n) || is_zstd(at, n) || wf_is_packed(at, n);
}

/* Replaces compressed bytes in t->at by plain ones. */
static wtr_code inflate_if_needed(wtr_trace *t, wtr_error *err)
{
	bool gz = is_gzip(t->at, t->n), zs = is_zstd(t->at, t->n);
	bool packed = wf_is_packed(t->at, t->n);
	t->compression = gz ? "gzip" : zs ? "zstd" : packed ? "packed" : "none";
	if (!gz && !zs && !packed)
		return WTR_OK;
	sink s = { .max = t->opt.inflated_bytes_max, .total = t->n, .t = t, .err = err };
	if (!s.max)
		s.max = inflated_floor_bytes + inflated_ratio * (uint64_t)t->n;
	int rc = wo_scratch(&s.fd);
	if (rc < 0)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "input.scratch", "cannot make a temporary file: %s",
			strerror(-rc));
	uint8_t *chunk = wb_malloc(CHUNK_BYTES);
	wtr_code code = chunk ? (gz          ? gunzip
					: zs ? unzstd
					     : unpack)(&s, t->at, t->n, chunk)
			      : wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	wb_free(chunk);
	if (code == WTR_OK)
		code = map_scratch(t, s.fd, err);
	wo_close(s.fd);
	return code;
}

/* Copies a pipe to a scratch file and maps that. */
static wtr_code collect(wtr_trace *t, int fd, wtr_error *err)
{
	sink s = { .max = UINT64_MAX, .t = t, .err = err };
	int rc = wo_scratch(&s.fd);
	if (rc < 0)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "input.scratch", "cannot make a temporary file: %s",
			strerror(-rc));
	uint8_t *chunk = wb_malloc(CHUNK_BYTES);
	wtr_code code = chunk ? WTR_OK : wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory");
	while (code == WTR_OK) {
		long k = wo_read(fd, chunk, CHUNK_BYTES);
		if (k < 0)
			code = wtr__fail(err, WTR_E_IO, s.n, 0, WTR_NONE, "", "input.read", "%s", strerror((int)-k));
		if (k <= 0)
			break;
		s.done = s.n + (uint64_t)k;
		code = put(&s, chunk, (size_t)k);
	}
	wb_free(chunk);
	if (code == WTR_OK)
		code = map_scratch(t, s.fd, err);
	wo_close(s.fd);
	return code;
}

wtr_code wtr__input_raw(wtr_trace *t, const char *path, wtr_error *err)
{
	int fd = 0;
	if (strcmp(path, "-") != 0) {
		int rc = wo_open_read(path, &fd);
		if (rc < 0)
			return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "input.open", "%s", strerror(-rc));
	}
	wtr_code code = WTR_OK;
	int rc = wo_map_fd(fd, &t->map);
	if (rc == 0) {
		t->at = t->map.at;
		t->n = t->map.n;
	} else if (rc == -ESPIPE) {
		code = collect(t, fd, err);
	} else {
		code = wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "input.open", "%s", strerror(-rc));
	}
	if (fd != 0)
		wo_close(fd);
	t->file_bytes = t->n;
	return code;
}

wtr_code wtr__input_path(wtr_trace *t, const char *path, wtr_error *err)
{
	wtr_code code = wtr__input_raw(t, path, err);
	return code == WTR_OK ? inflate_if_needed(t, err) : code;
}

wtr_code wtr__input_bytes(wtr_trace *t, const void *at, size_t n, wtr_error *err)
{
	t->at = n ? at : (const void *)"";
	t->n = n;
	t->file_bytes = n;
	return inflate_if_needed(t, err);
}
