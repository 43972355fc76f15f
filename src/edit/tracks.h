/* edit/tracks.h - writes tracks and what is on them, for Perfetto or Chrome.
 *
 * A track is told, then what is on it.  The name of what is told stands in t->name (we_name).  Perfetto: protobuf
 * messages Trace, TracePacket, TrackDescriptor and TrackEvent of its trace_packet.proto.  Chrome: the JSON array
 * format, where tracks are threads of a process.
 */
#ifndef WE_TRACKS_H
#define WE_TRACKS_H

#include "edit/timeline.h"

/* Numbers of tracks: of folders, and of the first of each kind. */
enum {
	WE_PROCS = 1,
	WE_GOROUTINES,
	WE_GC,
	WE_STW,
	WE_HEAP,
	WE_GOAL,
	WE_GOMAXPROCS,
	WE_TASKS,
	WE_GROUP_FIRST = 1 << 20
};
#define WE_PROC_FIRST      ((uint64_t)1 << 40)
#define WE_GOROUTINE_FIRST ((uint64_t)1 << 41)
#define WE_REGIONS_FIRST   ((uint64_t)1 << 42) /* by goroutine */
#define WE_TASK_FIRST      ((uint64_t)1 << 43)

typedef struct we_tracks {
	const wtr_index *x;
	we_timeline format;
	wtr_write_fn *put;
	void *user;
	wb_buf out, packet, message, name;
	uint64_t flows;
	int64_t start_ns;
	bool stopped, failed, begun;
} we_tracks;

/* Begins a name. */
wb_buf *we_name(we_tracks *t, const char *s);
void we_tracks_flush(we_tracks *t, bool all);

void we_track(we_tracks *t, uint64_t number, uint64_t parent, bool counter);
/* `from`: a flow that ends here, 0 for none. */
void we_slice(we_tracks *t, uint64_t on, const wtr_span *s, uint64_t from);
/* A slice that others may lie in; those of a track nest and come in order.  `id` tells those of one category apart. */
void we_slice_begin(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t id);
void we_slice_end(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t id);
/* `to`: a flow that begins here, 0 for none. */
void we_instant(we_tracks *t, uint64_t on, int64_t time_ns, const char *category, uint64_t to);
void we_counter(we_tracks *t, uint64_t on, int64_t time_ns, uint64_t value, const char *title);

/* Chrome's names of processes and threads; nothing for Perfetto, where tracks have them. */
void we_chrome_processes(we_tracks *t);
void we_put_goroutine(wb_buf *b, const wtr_index *x, int64_t id);

#endif
