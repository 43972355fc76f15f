/* bench/tiles.c - what lanes cost: filling them, keeping them, drawing a screen of them.
 *
 *	bench-tiles [EVENTS GOROUTINES PROCS]    a made-up trace straight into the sink (default 16000000 1000 8)
 *	bench-tiles FILE                         a trace file through wtr_index_build()
 *
 * Times are CPU time of the one thread that works, but for the whole index (wall).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <wtr/wtr.h>

#include "an/lanes.h"
#include "base/alloc.h"
#include "fmt/events.h"
#include "os/thread.h"

enum { SCREEN_LANES = 40, SCREEN_PX = 1920, TILE_PX = 512, SCREENS = 2000, BLOCK = 1024 };

static uint64_t seed = 42;

/* CPU time of this thread: what it costs, also on a machine that is busy with other things. */
static int64_t cpu_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

/* ---- a made-up trace: goroutines on procs that wake one another and block ---- */

typedef struct maker {
	uint32_t  n_g, n_p;
	uint32_t *ready, *waiting;         /* rings of goroutines */
	size_t    ready_at, n_ready, n_waiting;
	int64_t  *on;                      /* per proc */
	int64_t   now;
	uint32_t  turn;                    /* of the next event */
	uint32_t  p;
} maker;

static wtr_event transition(maker *k, int64_t g, wtr_gstate from, wtr_gstate to, uint8_t type)
{
	k->now += 64 + (int64_t)(rnd() & 127);
	wtr_event e = { .time_ns = k->now,
		.m = 100 + k->p,
		.p = k->p,
		.g = k->on[k->p],
		.id = g,
		.kind = WTR_KIND_STATE_TRANSITION,
		.type = type,
		.resource = WTR_RES_GOROUTINE };
	e.detail = (uint8_t)(from << 4 | to);
	return e;
}

static void make_ready(maker *k, uint32_t g)
{
	k->ready[(k->ready_at + k->n_ready++) % k->n_g] = g;
}

/* Everything there is, first. */
static size_t begin(maker *k, wtr_event *ev)
{
	size_t n = 0;
	ev[n++] = (wtr_event){ .time_ns = k->now, .m = WTR_NONE, .p = WTR_NONE, .g = WTR_NONE, .kind = WTR_KIND_SYNC };
	for (k->p = 0; k->p < k->n_p; k->p++) {
		wtr_event e = transition(k, k->p, WTR_G_UNDETERMINED, 0, WF_EV_PROC_STATUS);
		e.resource = WTR_RES_PROC;
		e.detail = WTR_P_UNDETERMINED << 4 | WTR_P_RUNNING;
		ev[n++] = e;
	}
	k->p = 0;
	for (uint32_t g = 0; g < k->n_g; g++) {
		wtr_event e = transition(k, g + 1, WTR_G_NOTEXIST, WTR_G_RUNNABLE, WF_EV_GO_CREATE);
		e.transition_stack = 1 + g % 5;
		e.stack = 9;
		ev[n++] = e;
		make_ready(k, g + 1);
	}
	return n;
}

/* Running goroutines wake one and block, in turn over the procs. */
static wtr_event next(maker *k)
{
	for (;;) {
		uint32_t turn = k->turn++;
		k->p = turn / 3 % k->n_p;
		int64_t *on = &k->on[k->p];
		if (turn % 3 == 0 && *on == WTR_NONE && k->n_ready) {
			uint32_t g = k->ready[k->ready_at];
			wtr_event e = transition(k, g, WTR_G_RUNNABLE, WTR_G_RUNNING, WF_EV_GO_START);
			k->ready_at = (k->ready_at + 1) % k->n_g;
			k->n_ready--;
			*on = g;
			return e;
		}
		if (turn % 3 == 1 && *on != WTR_NONE && k->n_waiting) {
			size_t i = rnd() % k->n_waiting;
			uint32_t g = k->waiting[i];
			k->waiting[i] = k->waiting[--k->n_waiting];
			make_ready(k, g);
			wtr_event e = transition(k, g, WTR_G_WAITING, WTR_G_RUNNABLE, WF_EV_GO_UNBLOCK);
			e.stack = 20 + (uint32_t)(rnd() % 7);
			return e;
		}
		if (turn % 3 == 2 && *on != WTR_NONE && (k->n_ready || k->n_waiting)) {
			wtr_event e = transition(k, *on, WTR_G_RUNNING, WTR_G_WAITING, WF_EV_GO_BLOCK);
			e.str = 1 + (uint32_t)(rnd() % 3);
			e.transition_stack = 40 + (uint32_t)(rnd() % 9);
			k->waiting[k->n_waiting++] = (uint32_t)*on;
			*on = WTR_NONE;
			return e;
		}
	}
}

static wtr_str made_string(void *user, uint32_t id)
{
	static const char *const texts[] = { "", "chan receive", "sync", "network", "select" };
	(void)user;
	const char *s = texts[id % 5];
	return (wtr_str){ s, strlen(s) };
}

static size_t made_stack(void *user, uint32_t id, wtr_frame *ret, size_t n)
{
	static const char *const funcs[] = { "main.a", "main.b", "main.c", "main.d", "main.e" };
	(void)user;
	if (n)
		ret[0] = (wtr_frame){ .func = { funcs[id % 5], 6 } };
	return 1;
}

/* The tables that the summary would have made. */
static void make_tables(wtr_index *x, const an_lanes *l)
{
	size_t n = l->n_g;
	wtr_goroutine_row *rows = wb_calloc(n, sizeof(*rows));
	wtr_group_row *groups = wb_calloc(5, sizeof(*groups));
	if (!rows || !groups)
		exit(3);
	for (size_t i = 0; i < n; i++)
		rows[i] = (wtr_goroutine_row){
			.id = (int64_t)i + 1, .create_ns = (int64_t)i, .group = (uint32_t)(1 + i % 5) % 5
		};
	x->tables[WTR_TABLE_GOROUTINES].rows = rows;
	x->tables[WTR_TABLE_GOROUTINES].n = n;
	x->tables[WTR_TABLE_GROUPS].rows = groups;
	x->tables[WTR_TABLE_GROUPS].n = 5;
}

static size_t held_bytes(const an_lanes *l)
{
	size_t n = l->store.arena.total_bytes + l->all.cap * sizeof(an_row);
	for (size_t i = 0; i < l->groups.n; i++)
		n += l->groups.at[i].census.cap * sizeof(an_row);
	return n;
}

static size_t spans_of(const an_lanes *l, size_t *ret_proc)
{
	size_t n = 0;
	*ret_proc = 0;
	for (uint32_t i = 0; i < l->n_g; i++)
		n += an_g_at(l, i)->strip.n;
	for (size_t i = 0; i < l->ps.n; i++)
		*ret_proc += l->ps.at[i]->strip.n;
	return n;
}

static wtr_index *made_up(size_t n_events, uint32_t n_g, uint32_t n_p)
{
	maker k = { .n_g = n_g, .n_p = n_p, .now = 1000000 };
	k.ready = calloc(n_g, sizeof(*k.ready));
	k.waiting = calloc(n_g, sizeof(*k.waiting));
	k.on = calloc(n_p, sizeof(*k.on));
	wtr_event *ev = calloc(n_g + n_p + BLOCK, sizeof(*ev));
	wtr_index *x = wb_calloc(1, sizeof(*x));
	an_sink *s = an_lanes_sink_from((an_text_source){ NULL, made_string, made_stack });
	if (!k.ready || !k.waiting || !k.on || !ev || !s || !x)
		exit(3);
	for (uint32_t i = 0; i < n_p; i++)
		k.on[i] = WTR_NONE;
	size_t done = begin(&k, ev);
	int64_t spent = 0, from = cpu_ns();
	bool ok = s->events(s, ev, done);
	spent += cpu_ns() - from;
	while (ok && done < n_events) {
		for (size_t i = 0; i < BLOCK; i++)
			ev[i] = next(&k);
		from = cpu_ns();
		ok = s->events(s, ev, BLOCK);
		spent += cpu_ns() - from;
		done += BLOCK;
	}
	an_lanes *l = an_sink_lanes(s);
	make_tables(x, l);
	from = cpu_ns();
	ok = ok && s->finish(s, x);
	int64_t finish = cpu_ns() - from;
	if (!ok)
		exit(3);
	s->free(s);
	x->totals.start_ns = l->start;
	x->totals.end_ns = k.now;
	printf("events             %zu in %.3f s (trace of %.3f s, %u goroutines, %u procs)\n", done,
		(double)spent / 1e9, (double)k.now / 1e9, n_g, n_p);
	printf("sink               %.1f M events/s, finish %.1f ms\n", (double)done / (double)spent * 1e3,
		(double)finish / 1e6);
	free(k.ready);
	free(k.waiting);
	free(k.on);
	free(ev);
	return x;
}

/* ---- a screen ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* The lanes of a screen: procs and GC above, then goroutines side by side. */
static size_t screen_lanes(const wtr_index *x, wtr_lane *ret, bool only_g)
{
	const an_lanes *l = x->lanes;
	size_t n = 0;
	if (!only_g) {
		ret[n++] = (wtr_lane){ WTR_LANE_GC, 0 };
		ret[n++] = (wtr_lane){ WTR_LANE_STW, 0 };
		for (size_t i = 0; i < l->ps.n && n < 16; i++)
			ret[n++] = (wtr_lane){ WTR_LANE_PROC, l->ps.at[i]->id };
		for (size_t i = 0; i < l->ms.n && n < 24; i++)
			ret[n++] = (wtr_lane){ WTR_LANE_THREAD, l->ms.at[i]->id };
		for (size_t i = 0; i < l->n_groups && n < 30; i++)
			ret[n++] = (wtr_lane){ WTR_LANE_GROUP, (int64_t)i };
	}
	for (uint64_t i = rnd(); n < SCREEN_LANES && l->n_g; i++)
		ret[n++] = (wtr_lane){ WTR_LANE_GOROUTINE, an_g_at(l, (uint32_t)(i % l->n_g))->id };
	return n;
}

static void screens(const wtr_index *x, const char *name, bool only_g)
{
	static wtr_run runs[TILE_PX + 2];
	static double ms[SCREENS];
	int64_t start = x->totals.start_ns, dur = x->totals.end_ns - start;
	unsigned top = 0;
	while ((int64_t)SCREEN_PX << top < dur)
		top++;
	double worst_by_zoom[64] = { 0 }, total_runs = 0;
	for (unsigned i = 0; i < SCREENS; i++) {
		unsigned zoom = (unsigned)(rnd() % (top + 1));
		int64_t tile_ns = (int64_t)TILE_PX << zoom;
		int64_t t0 = start + (int64_t)(rnd() % (uint64_t)dur) / tile_ns * tile_ns;
		wtr_lane lanes[SCREEN_LANES];
		size_t n = screen_lanes(x, lanes, only_g);
		int64_t from = cpu_ns();
		for (size_t k = 0; k < n; k++)
			for (int tile = 0; tile * TILE_PX < SCREEN_PX; tile++)
				total_runs += (double)wtr_tile(
					x, lanes[k], t0 + tile * tile_ns, zoom, TILE_PX, runs, TILE_PX + 2);
		ms[i] = (double)(cpu_ns() - from) / 1e6;
		if (ms[i] > worst_by_zoom[zoom])
			worst_by_zoom[zoom] = ms[i];
	}
	qsort(ms, SCREENS, sizeof(*ms), by_value);
	printf("%-18s p50 %.3f ms, p99 %.3f ms, worst %.3f ms, %.0f runs a screen (%d screens of %d lanes x %d px, "
	       "zooms 0 to %u)\n",
		name, ms[SCREENS / 2], ms[SCREENS * 99 / 100], ms[SCREENS - 1], total_runs / SCREENS, SCREENS,
		SCREEN_LANES, SCREEN_PX, top);
	printf("  worst by zoom   ");
	for (unsigned z = 0; z <= top; z++)
		printf(" %.1f", worst_by_zoom[z]);
	printf("\n");
}

static void counts(const wtr_index *x)
{
	static float ret[1024 * WTR_CLASS_COUNT];
	int64_t dur = x->totals.end_ns - x->totals.start_ns, from = cpu_ns();
	wtr_counts(x, -1, x->totals.start_ns, dur / 1024 + 1, 1024, ret);
	printf("counts             1024 steps of the whole trace: %.3f ms\n", (double)(cpu_ns() - from) / 1e6);
}

int main(int argc, char **argv)
{
	wtr_index *x = NULL;
	wtr_trace *t = NULL;
	int64_t from = wo_now_ns();
	if (argc == 2) {
		wtr_error err;
		if (wtr_open(argv[1], NULL, &t, &err) < 0 || wtr_index_build(t, WTR_PART_ALL, &x, &err) < 0) {
			fprintf(stderr, "bench-tiles: %s: %s\n", argv[1], err.what);
			return 3;
		}
		printf("index              %.3f s, %llu events\n", (double)(wo_now_ns() - from) / 1e9,
			(unsigned long long)x->totals.events);
	} else {
		size_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 16000000;
		x = made_up(n, argc > 2 ? (uint32_t)atoi(argv[2]) : 1000, argc > 3 ? (uint32_t)atoi(argv[3]) : 8);
	}
	size_t proc, spans = spans_of(x->lanes, &proc);
	struct rusage use;
	getrusage(RUSAGE_SELF, &use);
	printf("spans              %zu of goroutines, %zu of procs\n", spans, proc);
	printf("memory             %.1f MB of lanes, %.2f bytes a span of goroutines; %ld MB resident at most\n",
		(double)held_bytes(x->lanes) / 1e6, (double)held_bytes(x->lanes) / (double)(spans ? spans : 1),
		use.ru_maxrss / 1024);
	screens(x, "screens, mixed", false);
	screens(x, "screens, g only", true);
	counts(x);
	wtr_index_free(x);
	wtr_close(t);
	return 0;
}
