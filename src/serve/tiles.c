/* serve/tiles.c - /api/tiles: what to draw, in columns.  docs/server.md has the layout. */
#include <string.h>

#include "serve/site.h"

#define MAGIC    0x4c495457u /* "WTIL" */
#define RUNS_MAX (WS_TILE_PX + 2)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "columns are little-endian as they lie in memory");

typedef struct head {
	uint32_t magic, version, zoom, lanes;
	double start_ns;
} head;

/* "a,b,c" to lanes of the trace; their number, 0 after a refusal. */
static size_t read_lanes(const ws_model *m, wtr_str list, wtr_lane lanes[WS_TILE_LANES_MAX], ws_answer *ret)
{
	size_t n = 0;
	const char *p = list.at, *end = list.at + list.n;
	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		wtr_str one = { p, (size_t)((comma ? comma : end) - p) };
		int shown = (int)(one.n > 30 ? 30 : one.n);
		if (n == WS_TILE_LANES_MAX) {
			ws_refuse(ret, 400, "at most %d lanes at once", WS_TILE_LANES_MAX);
			return 0;
		}
		if (!ws_lane_parse(one, &lanes[n])) {
			ws_refuse(ret, 400, "'%.*s' is not a lane", shown, one.at);
			return 0;
		}
		if (!ws_lane_exists(m, lanes[n])) {
			ws_refuse(ret, 404, "the trace has no lane %.*s", shown, one.at);
			return 0;
		}
		n++;
		if (!comma)
			return n;
		p = comma + 1;
	}
}

/* One column: member `field` of all runs, padded to 4 bytes. */
#define COLUMN(p, runs, n, field)                                                                           \
	do {                                                                                                \
		for (size_t i_ = 0; i_ < (n); i_++)                                                         \
			memcpy((p) + i_ * sizeof((runs)->field), &(runs)[i_].field, sizeof((runs)->field)); \
		(p) += (n) * sizeof((runs)->field);                                                         \
		for (; ((p)-base) & 3; (p)++)                                                               \
			*(p) = 0;                                                                           \
	} while (0)

/* Appends a lane's columns; *ret_blended is how many of its runs have shares. */
static void put_runs(wb_buf *b, const wtr_run *runs, size_t n, uint32_t *ret_blended)
{
	size_t blended = 0;
	for (size_t i = 0; i < n; i++)
		blended += runs[i].kind == WTR_RUN_BLENDED;
	*ret_blended = (uint32_t)blended;
	char *base = wb_buf_room(b, n * 16 + ((n + 3) & ~(size_t)3) * 4 + blended * 8);
	if (!base)
		return;
	char *p = base;
	COLUMN(p, runs, n, x0);
	COLUMN(p, runs, n, x1);
	COLUMN(p, runs, n, count);
	COLUMN(p, runs, n, ref);
	COLUMN(p, runs, n, kind);
	COLUMN(p, runs, n, cls);
	COLUMN(p, runs, n, marks);
	COLUMN(p, runs, n, flags);
	for (size_t i = 0; i < n; i++) {
		if (runs[i].kind != WTR_RUN_BLENDED)
			continue;
		memcpy(p, runs[i].share, 8);
		p += 8;
	}
	b->n += (size_t)(p - base);
}

void ws_api_tiles(ws_site *site, const ws_model *m, const ws_tiles_args *a, ws_answer *ret)
{
	(void)site;
	wtr_lane lanes[WS_TILE_LANES_MAX];
	size_t n = read_lanes(m, a->lanes, lanes, ret);
	if (!n)
		return;
	unsigned zoom = (unsigned)a->zoom;
	int64_t start, t0, end;
	if (__builtin_mul_overflow(a->i, (int64_t)WS_TILE_PX << zoom, &start) || start > WS_TIME_MAX) {
		ws_refuse(ret, 400, "the tile is too far away");
		return;
	}
	/* Behind the trace there is nothing, and nobody need think about times that do not exist. */
	bool beyond = __builtin_add_overflow(m->totals.start_ns, start, &t0) || t0 > m->totals.end_ns ||
		      __builtin_add_overflow(t0, (int64_t)WS_TILE_PX << zoom, &end);

	ret->type = "application/octet-stream";
	wb_buf *b = &ret->body;
	head h = { MAGIC, 1, zoom, (uint32_t)n, (double)start };
	uint32_t sizes[2 * WS_TILE_LANES_MAX] = { 0 };
	wb_buf_put(b, &h, sizeof(h));
	size_t sizes_at = b->n;
	wb_buf_put(b, sizes, 2 * n * sizeof(uint32_t));
	wtr_run runs[RUNS_MAX];
	for (size_t i = 0; i < n && !beyond; i++) {
		size_t got = m->tile(m->index, lanes[i], t0, zoom, WS_TILE_PX, runs, RUNS_MAX);
		if (got > RUNS_MAX)
			got = RUNS_MAX;
		sizes[2 * i] = (uint32_t)got;
		put_runs(b, runs, got, &sizes[2 * i + 1]);
	}
	if (!b->failed)
		memcpy(b->at + sizes_at, sizes, 2 * n * sizeof(uint32_t));
}
