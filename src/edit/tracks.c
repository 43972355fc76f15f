/* edit/tracks.c - see tracks.h. */
#include "edit/tracks.h"

#include <string.h>

#include "out/json.h"

enum { FLUSH_BYTES = 1 << 20 };

void we_tracks_flush(we_tracks *t, bool all)
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
static void packet(we_tracks *t, unsigned field, int64_t time_ns)
{
	t->packet.n = 0;
	if (time_ns != WTR_NEVER) /* traces of the first container begin at -1 */
		number(&t->packet, 8, (uint64_t)(t->start_ns < 0 ? time_ns - t->start_ns : time_ns));
	number(&t->packet, 10, 1);
	bytes(&t->packet, field, t->message.at, t->message.n);
	bytes(&t->out, 1, t->packet.at, t->packet.n);
	we_tracks_flush(t, false);
}

enum { BEGIN = 1, END, INSTANT, COUNTER };

static void perfetto_event(we_tracks *t, unsigned type, uint64_t track, int64_t time_ns, const char *category)
{
	number(&t->message, 9, type);
	number(&t->message, 11, track);
	if (category)
		bytes(&t->message, 22, category, strlen(category));
	if (type == BEGIN || type == INSTANT)
		bytes(&t->message, 23, t->name.at, t->name.n);
	packet(t, 11, time_ns);
}

static void perfetto_track(we_tracks *t, uint64_t track, uint64_t parent, bool counter)
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

enum { CHROME_PROCS = 1, CHROME_GOROUTINES, CHROME_TASKS };

static unsigned chrome_process(uint64_t track)
{
	if (track >= WE_TASK_FIRST || track == WE_TASKS)
		return CHROME_TASKS;
	return track >= WE_GOROUTINE_FIRST || track == WE_GOROUTINES ? CHROME_GOROUTINES : CHROME_PROCS;
}

static uint64_t chrome_thread(uint64_t track)
{
	if (track >= WE_TASK_FIRST)
		return 1;
	if (track >= WE_REGIONS_FIRST)
		return track - WE_REGIONS_FIRST;
	if (track >= WE_GOROUTINE_FIRST)
		return track - WE_GOROUTINE_FIRST;
	return track >= WE_PROC_FIRST ? track - WE_PROC_FIRST + 100 : track;
}

/* Begins an event; its object is left open. */
static void chrome(we_tracks *t, const char *phase, uint64_t track, int64_t time_ns)
{
	wb_buf_puts(&t->out, t->begun ? ",\n" : "");
	t->begun = true;
	wb_buf_printf(&t->out, "{\"ph\":\"%s\",\"pid\":%u,\"tid\":%llu", phase, chrome_process(track),
		(unsigned long long)chrome_thread(track));
	if (time_ns != WTR_NEVER)
		wb_buf_printf(&t->out, ",\"ts\":%lld.%03lld", (long long)((time_ns - t->start_ns) / 1000),
			(long long)((time_ns - t->start_ns) % 1000));
}

static void chrome_name(we_tracks *t)
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

static void chrome_end(we_tracks *t)
{
	wb_buf_putc(&t->out, '}');
	we_tracks_flush(t, false);
}

/* ---- either ---- */

wb_buf *we_name(we_tracks *t, const char *s)
{
	t->name.n = 0;
	wb_buf_puts(&t->name, s);
	return &t->name;
}

void we_track(we_tracks *t, uint64_t number_of_it, uint64_t parent, bool counter)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		perfetto_track(t, number_of_it, parent, counter);
	} else if (!counter && number_of_it > WE_GOROUTINES && number_of_it < WE_GROUP_FIRST &&
		   number_of_it != WE_TASKS) {
		chrome(t, "M", number_of_it, WTR_NEVER);
		wb_buf_puts(&t->out, ",\"args\":{\"name\":\"");
		wb_buf_put(&t->out, t->name.at, t->name.n); /* ours: nothing to escape */
		wb_buf_puts(&t->out, "\"},\"name\":\"thread_name\"");
		chrome_end(t);
	}
}

void we_slice(we_tracks *t, uint64_t on, const wtr_span *s, uint64_t from)
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

/* One end of a slice that others may cross: Chrome finds its pair by category and id, Perfetto by track. */
static void slice_edge(we_tracks *t, bool begin, uint64_t on, int64_t time_ns, const char *category, uint64_t id)
{
	if (t->format == WE_TIMELINE_PERFETTO) {
		t->message.n = 0;
		perfetto_event(t, begin ? BEGIN : END, on, time_ns, begin ? category : NULL);
		return;
	}
	chrome(t, begin ? "b" : "e", on, time_ns);
	wb_buf_printf(&t->out, ",\"cat\":\"%s\",\"id\":%llu", category, (unsigned long long)id);
	chrome_name(t);
	chrome_end(t);
}

void we_slice_begin(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t id)
{
	slice_edge(t, true, on, time_ns, category, id);
}

void we_slice_end(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t id)
{
	slice_edge(t, false, on, time_ns, category, id);
}

void we_instant(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t to)
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

void we_counter(we_tracks *t, uint64_t on, int64_t time_ns, uint64_t value, const char *title)
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

void we_put_goroutine(wb_buf *b, const wtr_index *x, int64_t id)
{
	const wtr_goroutine_row *g = wtr_goroutine(x, id);
	wb_buf_printf(b, "G%lld", (long long)id);
	if (g && g->name.n) {
		wb_buf_putc(b, ' ');
		wb_buf_put(b, g->name.at, g->name.n);
	}
}

void we_chrome_processes(we_tracks *t)
{
	wb_buf_puts(&t->out,
		"{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\",\"args\":{\"name\":\"Procs and collector\"}},\n"
		"{\"ph\":\"M\",\"pid\":2,\"name\":\"process_name\",\"args\":{\"name\":\"Goroutines\"}},\n"
		"{\"ph\":\"M\",\"pid\":3,\"name\":\"process_name\",\"args\":{\"name\":\"User tasks\"}}");
	t->begun = true;
	const wtr_goroutine_row *g = wtr_table_data(t->x, WTR_TABLE_GOROUTINES);
	const wtr_proc_row *p = wtr_table_data(t->x, WTR_TABLE_PROCS);
	for (size_t i = 0; i < wtr_table_rows(t->x, WTR_TABLE_GOROUTINES); i++) {
		we_put_goroutine(we_name(t, ""), t->x, g[i].id);
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
