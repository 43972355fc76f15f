/* edit/timeline.c - see timeline.h.
 *
 * Both formats are written from one walk: a track is told, then what is on it.  Perfetto: protobuf messages Trace,
 * TracePacket, TrackDescriptor and TrackEvent of its trace_packet.proto.  Chrome: the JSON array format, where tracks
 * are threads of a process.
 */
#include "edit/timeline.h"

#include <string.h>

#include "out/json.h"
#include "read/source.h"

enum { FLUSH_BYTES = 1 << 20 };

/* Numbers of tracks: of folders, and of the first of each kind. */
enum { PROCS = 1, GOROUTINES, GC, STW, HEAP, GOAL, GOMAXPROCS, GROUP_FIRST = 1 << 20 };
static const uint64_t proc_first = (uint64_t)1 << 40, goroutine_first = (uint64_t)1 << 41;

typedef struct timeline {
	const wtr_index *x;
	we_timeline format;
	wtr_write_fn *put;
	void *user;
	wb_buf out, packet, message, name;
	uint64_t flows;
	int64_t start_ns;
	bool stopped, failed, begun;
} timeline;

static void flush(timeline *t, bool all)
{
	t->failed |= t->out.failed || t->packet.failed || t->message.failed || t->name.failed;
	if (t->failed || t->stopped || (!all && t->out.n < FLUSH_BYTES))
		return;
	t->stopped = t->out.n && !t->put(t->user, t->out.at, t->out.n);
	t->out.n = 0;
}

/* ---- Perfetto ---- */

static void varint(wb_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wb_buf_putc(b, (char)(v | 0x80));
	wb_buf_putc(b, (char)v);
}

static void number(wb_buf *b, unsigned field, uint64_t v)
{
	varint(b, field << 3);
	varint(b, v);
}

static void fixed(wb_buf *b, unsigned field, uint64_t v)
{
	varint(b, field << 3 | 1);
	wb_buf_put(b, &v, sizeof(v)); /* little-endian, as everything that this is built for */
}

static void bytes(wb_buf *b, unsigned field, const void *at, size_t n)
{
	varint(b, field << 3 | 2);
	varint(b, n);
	wb_buf_put(b, at, n);
}

/* t->message as a field of a packet. */
static void packet(timeline *t, unsigned field, int64_t time_ns)
{
	t->packet.n = 0;
	if (time_ns != WTR_NEVER) /* traces of the first container begin at -1 */
		number(&t->packet, 8, (uint64_t)(t->start_ns < 0 ? time_ns - t->start_ns : time_ns));
	number(&t->packet, 10, 1);
	bytes(&t->packet, field, t->message.at, t->message.n);
	bytes(&t->out, 1, t->packet.at, t->packet.n);
	flush(t, false);
}

enum { BEGIN = 1, END, INSTANT, COUNTER };

static void perfetto_event(timeline *t, unsigned type, uint64_t track, int64_t time_ns, const char *category)
{
	number(&t->message, 9, type);
	number(&t->message, 11, track);
	if (category)
		bytes(&t->message, 22, category, strlen(category));
	if (type == BEGIN || type == INSTANT)
		bytes(&t->message, 23, t->name.at, t->name.n);
	packet(t, 11, time_ns);
}

static void perfetto_track(timeline *t, uint64_t track, uint64_t parent, bool counter)
{
	t->message.n = 0;
	number(&t->message, 1, track);
	bytes(&t->message, 2, t->name.at, t->name.n);
	if (parent)
		number(&t->message, 5, parent);
	if (counter)
		bytes(&t->message, 8, "", 0);
	packet(t, 60, WTR_NEVER);
}

/* ---- Chrome ---- */

/* Begins an event; its object is left open. */
static void chrome(timeline *t, const char *phase, uint64_t track, int64_t time_ns)
{
	wb_buf_puts(&t->out, t->begun ? ",\n" : "");
	t->begun = true;
	wb_buf_printf(&t->out, "{\"ph\":\"%s\",\"pid\":%llu,\"tid\":%llu", phase,
		(unsigned long long)(track >= goroutine_first || track == GOROUTINES ? 2 : 1),
		(unsigned long long)(track >= goroutine_first ? track - goroutine_first
				     : track >= proc_first    ? track - proc_first + 100
							      : track));
	if (time_ns != WTR_NEVER)
		wb_buf_printf(&t->out, ",\"ts\":%lld.%03lld", (long long)((time_ns - t->start_ns) / 1000),
			(long long)((time_ns - t->start_ns) % 1000));
}

static void chrome_name(timeline *t)
{
	out_json j;
	wb_buf quoted = { 0 };
	out_json_to_buf(&j, &quoted, 0);
	out_json_str(&j, (wtr_str){ t->name.at, t->name.n });
	t->failed |= !out_json_done(&j);
	while (quoted.n && quoted.at[quoted.n - 1] == '\n')
		quoted.n--;
	wb_buf_puts(&t->out, ",\"name\":");
	wb_buf_put(&t->out, quoted.at, quoted.n);
	wb_buf_free(&quoted);
}

static void chrome_end(timeline *t)
{
	wb_buf_putc(&t->out, '}');
	flush(t, false);
}

/* ---- either; the name of what is told stands in t->name ---- */

static wb_buf *name(timeline *t, const char *s)
{
	t->name.n = 0;
	wb_buf_puts(&t->name, s);
	return &t->name;
}

static void track(timeline *t, uint64_t number_of_it, uint64_t parent, bool counter)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		perfetto_track(t, number_of_it, parent, counter);
	} else if (!counter && number_of_it != PROCS && number_of_it != GOROUTINES && number_of_it < GROUP_FIRST) {
		chrome(t, "M", number_of_it, WTR_NEVER);
		wb_buf_puts(&t->out, ",\"args\":{\"name\":\"");
		wb_buf_put(&t->out, t->name.at, t->name.n); /* ours: nothing to escape */
		wb_buf_puts(&t->out, "\"},\"name\":\"thread_name\"");
		chrome_end(t);
	}
}

/* `from`: a flow that ends here, 0 for none. */
static void slice(timeline *t, uint64_t on, const wtr_span *s, uint64_t from)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		t->message.n = 0;
		if (from)
			fixed(&t->message, 48, from);
		perfetto_event(t, BEGIN, on, s->start_ns, wtr_class_name(s->cls));
		t->message.n = 0;
		perfetto_event(t, END, on, s->end_ns, NULL);
		return;
	}
	chrome(t, "X", on, s->start_ns);
	wb_buf_printf(&t->out, ",\"dur\":%lld.%03lld,\"cat\":\"%s\"", (long long)((s->end_ns - s->start_ns) / 1000),
		(long long)((s->end_ns - s->start_ns) % 1000), wtr_class_name(s->cls));
	chrome_name(t);
	chrome_end(t);
	if (!from)
		return;
	chrome(t, "f", on, s->start_ns);
	wb_buf_printf(
		&t->out, ",\"bp\":\"e\",\"id\":%llu,\"cat\":\"wakeup\",\"name\":\"wakeup\"", (unsigned long long)from);
	chrome_end(t);
}

/* `to`: a flow that begins here, 0 for none. */
static void instant(timeline *t, uint64_t on, int64_t time_ns, const char *category, uint64_t to)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		t->message.n = 0;
		if (to)
			fixed(&t->message, 47, to);
		perfetto_event(t, INSTANT, on, time_ns, category);
		return;
	}
	chrome(t, to ? "s" : "i", on, time_ns);
	if (to)
		wb_buf_printf(&t->out, ",\"id\":%llu,\"cat\":\"wakeup\",\"name\":\"wakeup\"", (unsigned long long)to);
	else
		chrome_name(t);
	chrome_end(t);
}

static void counter(timeline *t, uint64_t on, int64_t time_ns, uint64_t value, const char *title)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		t->message.n = 0;
		number(&t->message, 30, value);
		perfetto_event(t, COUNTER, on, time_ns, NULL);
		return;
	}
	chrome(t, "C", on, time_ns);
	wb_buf_printf(&t->out, ",\"args\":{\"value\":%llu},\"name\":\"%s\"", (unsigned long long)value, title);
	chrome_end(t);
}

/* ---- the walk ---- */

static bool first_span(const timeline *t, wtr_lane lane, wtr_span *ret)
{
	return wtr_span_at(t->x, lane, t->start_ns, ret) || wtr_span_step(t->x, lane, t->start_ns, 1, ret);
}

static bool next_span(const timeline *t, wtr_lane lane, wtr_span *s)
{
	int64_t end = s->end_ns;
	return !t->stopped && !t->failed && (wtr_span_at(t->x, lane, end, s) || wtr_span_step(t->x, lane, end, 1, s));
}

static void put_goroutine(wb_buf *b, const wtr_index *x, int64_t id)
{
	const wtr_goroutine_row *g = wtr_goroutine(x, id);
	wb_buf_printf(b, "G%lld", (long long)id);
	if (g && g->name.n) {
		wb_buf_putc(b, ' ');
		wb_buf_put(b, g->name.at, g->name.n);
	}
}

static void walk_procs(timeline *t)
{
	const wtr_proc_row *p = wtr_table_data(t->x, WTR_TABLE_PROCS);
	name(t, "Procs");
	track(t, PROCS, 0, false);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_PROCS); i++) {
		wtr_lane lane = { WTR_LANE_PROC, p[i].id };
		wtr_span s;
		wb_buf_printf(name(t, ""), "Proc %lld", (long long)p[i].id);
		track(t, proc_first + i, PROCS, false);
		for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
			put_goroutine(name(t, ""), t->x, s.g);
			slice(t, proc_first + i, &s, 0);
		}
	}
}

static void walk_goroutine(timeline *t, const wtr_goroutine_row *rows, size_t i)
{
	wtr_lane lane = { WTR_LANE_GOROUTINE, rows[i].id };
	uint64_t on = goroutine_first + (uint64_t)rows[i].id;
	wtr_span s;
	put_goroutine(name(t, ""), t->x, rows[i].id);
	track(t, on, GROUP_FIRST + rows[i].group, false);
	for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
		uint64_t flow = s.state == WTR_G_RUNNABLE && s.waker != WTR_NONE ? ++t->flows : 0;
		if (flow) {
			put_goroutine(name(t, "wakes "), t->x, rows[i].id);
			instant(t, goroutine_first + (uint64_t)s.waker, s.start_ns, "wakeup", flow);
		}
		wb_buf *b = name(t, wtr_gstate_name(s.state));
		if (s.reason.n) {
			wb_buf_puts(b, ": ");
			wb_buf_put(b, s.reason.at, s.reason.n);
		}
		slice(t, on, &s, flow);
	}
}

static void walk_goroutines(timeline *t)
{
	const wtr_group_row *groups = wtr_table_data(t->x, WTR_TABLE_GROUPS);
	const wtr_goroutine_row *rows = wtr_table_data(t->x, WTR_TABLE_GOROUTINES);
	name(t, "Goroutines");
	track(t, GOROUTINES, 0, false);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GROUPS); i++) {
		wb_buf *b = name(t, groups[i].name.n ? "" : "(not known)");
		wb_buf_put(b, groups[i].name.at, groups[i].name.n);
		track(t, GROUP_FIRST + i, GOROUTINES, false);
	}
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GOROUTINES) && !t->stopped && !t->failed; i++)
		walk_goroutine(t, rows, i);
	const wtr_log_row *logs = wtr_table_data(t->x, WTR_TABLE_LOGS);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_LOGS); i++) {
		wb_buf *b = name(t, "");
		wb_buf_put(b, logs[i].category.at, logs[i].category.n);
		wb_buf_puts(b, logs[i].category.n ? ": " : "");
		wb_buf_put(b, logs[i].message.at, logs[i].message.n);
		instant(t, goroutine_first + (uint64_t)logs[i].g, logs[i].time_ns, "log", 0);
	}
}

static void walk_collector(timeline *t, uint64_t on, wtr_lane_kind kind, const char *title)
{
	wtr_lane lane = { kind, 0 };
	wtr_span s;
	name(t, title);
	track(t, on, 0, false);
	for (bool more = first_span(t, lane, &s); more; more = next_span(t, lane, &s)) {
		wb_buf *b = name(t, title);
		if (s.reason.n) {
			wb_buf_puts(b, ": ");
			wb_buf_put(b, s.reason.at, s.reason.n);
		}
		slice(t, on, &s, 0);
	}
}

static void walk_counters(timeline *t)
{
	static const struct {
		uint64_t on;
		const char *title;
	} of[WTR_METRIC_COUNT] = {
		[WTR_METRIC_GOMAXPROCS] = { GOMAXPROCS, "GOMAXPROCS" },
		[WTR_METRIC_HEAP_BYTES] = { HEAP, "Heap in use (bytes)" },
		[WTR_METRIC_HEAP_GOAL_BYTES] = { GOAL, "Heap goal (bytes)" },
	};
	const wtr_metric_row *m = wtr_table_data(t->x, WTR_TABLE_METRICS);
	for (size_t i = 0; i < WTR_METRIC_COUNT; i++) {
		name(t, of[i].title);
		track(t, of[i].on, 0, true);
	}
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_METRICS); i++)
		if (m[i].metric < WTR_METRIC_COUNT)
			counter(t, of[m[i].metric].on, m[i].time_ns, m[i].value, of[m[i].metric].title);
}

static void chrome_processes(timeline *t)
{
	wb_buf_puts(&t->out,
		"{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"Procs and collector\"}},\n"
		"{\"ph\":\"M\",\"pid\":2,\"name\":\"process_name\",\"args\":{\"name\":\"Goroutines\"}}");
	t->begun = true;
	const wtr_goroutine_row *g = wtr_table_data(t->x, WTR_TABLE_GOROUTINES);
	const wtr_proc_row *p = wtr_table_data(t->x, WTR_TABLE_PROCS);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GOROUTINES); i++) {
		put_goroutine(name(t, ""), t->x, g[i].id);
		wb_buf_printf(&t->out, ",\n{\"ph\":\"M\",\"pid\":2,\"tid\":%lld,\"args\":{\"_\":0", (long long)g[i].id);
		chrome_name(t);
		wb_buf_puts(&t->out, "},\"name\":\"thread_name\"");
		chrome_end(t);
	}
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_PROCS); i++)
		wb_buf_printf(&t->out,
			",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%llu,\"args\":{\"name\":\"Proc "
			"%lld\"},\"name\":\"thread_name\"}",
			(unsigned long long)(i + 100), (long long)p[i].id);
}

wtr_code we_timeline_write(const wtr_index *x, we_timeline format, wtr_write_fn *put, void *user, wtr_error *err)
{
	timeline t = { .x = x, .format = format, .put = put, .user = user };
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	t.start_ns = totals.start_ns;
	if (format == WE_TIMELINE_CHROME) {
		wb_buf_puts(&t.out, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
		chrome_processes(&t);
	}
	walk_collector(&t, GC, WTR_LANE_GC, "GC");
	walk_collector(&t, STW, WTR_LANE_STW, "Stop the world");
	walk_counters(&t);
	walk_procs(&t);
	walk_goroutines(&t);
	if (format == WE_TIMELINE_CHROME)
		wb_buf_puts(&t.out, "\n]}\n");
	flush(&t, true);
	wb_buf_free(&t.out);
	wb_buf_free(&t.packet);
	wb_buf_free(&t.message);
	wb_buf_free(&t.name);
	if (t.stopped)
		return wtr__fail(err, WTR_E_IO, 0, 0, WTR_NONE, "", "output", "the output could not be written");
	return t.failed ? wtr__fail(err, WTR_E_NOMEM, 0, 0, WTR_NONE, "", "memory", "out of memory") : WTR_OK;
}
