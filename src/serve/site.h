/* serve/site.h - the server from the inside: from a request to its answer, without sockets.
 *
 * http.c turns libmicrohttpd's connection into a ws_request and a ws_answer into its response; everything between is
 * ws_answer_request(), which tests and the fuzzer call directly.  Nothing here is shared but the immutable model, so
 * any number of threads may answer at once.
 */
#ifndef WS_SITE_H
#define WS_SITE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtr/mmu.h>
#include <wtr/report.h>
#include <wtr/waits.h>

#include "base/buf.h"
#include "os/trust.h"

#define WS_TARGET_MAX 32768                /* bytes of path and query */
#define WS_TIME_MAX   (INT64_C(1) << 61)   /* ns; sums of two of these do not overflow */
#define WS_TILE_LANES_MAX 256
#define WS_LANES_MAX  2000                 /* goroutines in one answer */
#define WS_INFO_MAX   4096                 /* groups, procs and threads in one answer, each */
#define WS_STEPS_MAX  4096
#define WS_HITS_MAX   200
#define WS_ROWS_MAX   10000                /* of a table in one answer */
#define WS_ROWS_DEFAULT 100
#define WS_FILTER_MAX 4096
#define WS_STACK_MAX  128                  /* frames; Go records no more */
#define WS_TILE_PX    512
#define WS_MMUS       (2 << WTR_GC_CAUSES) /* questions about utilization, but for range and filter */

/* ---- the trace ---- */

/* What is asked of an index; tests put their own functions here. */
typedef struct ws_model {
	wtr_trace       *trace;
	const wtr_index *index;
	wtr_info         info;
	wtr_totals       totals;
	struct {
		const void *rows;
		size_t      n;
	} tables[WTR_TABLE_COUNT];
	const wtr_goroutine_row *(*goroutine)(const wtr_index *x, int64_t id);
	size_t (*tile)(const wtr_index *x, wtr_lane lane, int64_t t0_ns, unsigned zoom, unsigned width_px, wtr_run *ret,
		       size_t n);
	bool   (*span_at)(const wtr_index *x, wtr_lane lane, int64_t time_ns, wtr_span *ret);
	bool   (*span_step)(const wtr_index *x, wtr_lane lane, int64_t time_ns, int direction, wtr_span *ret);
	bool   (*counts)(const wtr_index *x, int64_t group, int64_t t0_ns, int64_t step_ns, size_t n, float *ret);
	size_t (*group_goroutines)(const wtr_index *x, uint32_t group, size_t first, uint32_t *ret, size_t n);
	size_t (*stack)(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n);

	/* What was waited for, made when it is first asked for: see ws_model_waits(). */
	pthread_mutex_t waits_lock;
	wtr_waits *waits;

	/* Utilization curves of the whole time by causes and per_goroutine, likewise: see ws_model_mmu(). */
	pthread_mutex_t mmus_lock;
	wtr_mmu *mmus[WS_MMUS];

	/* Rows of the metric table by metric, in time order: made by ws_model_finish(). */
	uint32_t *metric_rows[WTR_METRIC_COUNT];
	size_t    n_metric_rows[WTR_METRIC_COUNT];
} ws_model;

ws_model *ws_model_of(wtr_trace *t, const wtr_index *x); /* NULL: out of memory */
bool      ws_model_finish(ws_model *m);                  /* after the tables are set */
void      ws_model_done(ws_model *m);                    /* frees what finish made */
void      ws_model_free(ws_model *m);                    /* of ws_model_of; may be NULL */
/* NULL, with *err filled: there is no trace, or no memory.  Any thread; the first call reads the whole trace. */
const wtr_waits *ws_model_waits(const ws_model *m, wtr_error *err);
/* What wtr_mmu_make() makes of the query, which is the caller's to free.  Without a filter the trace is read by the
 * first call of its causes and per_goroutine only.  Any thread. */
wtr_code ws_model_mmu(const ws_model *m, const wtr_mmu_query *q, wtr_mmu **ret, wtr_error *err);

static inline const wtr_goroutine_row *ws_goroutine_rows(const ws_model *m)
{
	return m->tables[WTR_TABLE_GOROUTINES].rows;
}

static inline const wtr_group_row *ws_group_rows(const ws_model *m)
{
	return m->tables[WTR_TABLE_GROUPS].rows;
}

/* "p3", "m1234", "g45", "G2", "gc", "stw" to a lane; false when it is no such text. */
bool ws_lane_parse(wtr_str s, wtr_lane *ret);
/* Whether the trace has it. */
bool ws_lane_exists(const ws_model *m, wtr_lane lane);

/* ---- request and answer ---- */

typedef enum ws_method { WS_GET, WS_HEAD, WS_OTHER_METHOD } ws_method;

typedef struct ws_request {
	ws_method   method;
	const char *target;    /* path and query as sent */
	bool        has_body;
	unsigned    n_hosts;   /* Host headers sent */
	const char *host, *origin, *if_none_match, *accept_encoding; /* NULL: not sent */
	const char *fetch_site, *fetch_mode, *fetch_dest;
} ws_request;

typedef struct ws_answer {
	unsigned    status;
	const char *type;      /* media type */
	wb_buf      body;      /* owned: ws_answer_free(); or */
	const void *fixed;     /* static bytes, */
	size_t      n_fixed;
	const char *etag;      /* NULL: none, and not to be stored.  static */
	const char *encoding;  /* "gzip" or NULL */
	bool        compressible;
} ws_answer;

typedef struct ws_site {
	wo_trust    trust;
	char        url[96];   /* without a trailing slash */
	char       *title;     /* NULL: the trace's path */
	char       *assets_dir;
	_Atomic(ws_model *) model; /* NULL until ready */
	pthread_mutex_t lock;  /* guards the rest */
	char        doing[64];
	uint64_t    done, total;
} ws_site;

struct ws_server;
ws_site *ws_site_of(struct ws_server *s);

/* Always fills *ret with something to send. */
void ws_answer_request(ws_site *site, const ws_request *rq, ws_answer *ret);
void ws_answer_free(ws_answer *a);

/* A JSON error: {"error": "..."}. */
void ws_refuse(ws_answer *ret, unsigned status, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Whether an Accept-Encoding header (NULL: not sent) names `token`, and not with q=0. */
bool ws_accepts(const char *header, const char *token);

/* Content-Security-Policy and the other headers that every answer carries: name, value, ..., NULL. */
extern const char *const ws_common_headers[];

/* ---- questions (api.def) ---- */

#define WS_ARG_INT int64_t
#define WS_ARG_TEXT wtr_str
#define API(name, path, early, doc) typedef struct ws_##name##_args { unsigned given;
#define ARG(api, kind, name, need, least, most, doc) WS_ARG_##kind name;
#define END(name) } ws_##name##_args;
#include "serve/api.def"

#define API(name, path, early, doc) \
	void ws_api_##name(ws_site *site, const ws_model *m, const ws_##name##_args *a, ws_answer *ret);
#define ARG(api, kind, name, need, least, most, doc)
#define END(name)
#include "serve/api.def"

typedef enum ws_api_id {
#define API(name, path, early, doc) WS_API_##name,
#define ARG(api, kind, name, need, least, most, doc)
#define END(name)
#include "serve/api.def"
	WS_API_COUNT
} ws_api_id;

typedef union ws_args {
#define API(name, path, early, doc) ws_##name##_args name;
#define ARG(api, kind, name, need, least, most, doc)
#define END(name)
#include "serve/api.def"
} ws_args;

/* Decodes a query (what follows the '?', may be empty) into room[>= its length] and checks it against the table.
 * False: *ret is the refusal. */
bool ws_args_parse(ws_api_id api, const char *query, char *room, ws_args *args, ws_answer *ret);

/* ---- the page ---- */

typedef struct ws_asset {
	const char    *path, *file, *type, *etag, *etag_gz;
	const uint8_t *at, *end, *gz, *gz_end;
} ws_asset;

extern const ws_asset ws_assets[]; /* made by tools/embed.py; the last has path NULL */

#endif
