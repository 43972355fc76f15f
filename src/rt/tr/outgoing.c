/* rt/tr/outgoing.c - see outgoing.h. */
#include "rt/tr/outgoing.h"

#include <errno.h>

#include "fmt/emit.h"
#include "os/file.h"
#include "os/thread.h"

enum { MOVE_BYTES = 1 << 20 }; /* at once: there are buffers to be taken out, too */

int weft__tr_outgoing_begin(weft__tr_outgoing *o, const weft__tr_window *w, int fd, unsigned version)
{
	weft__tr_kept kept;
	if (!weft__tr_window_keep(w, &kept))
		return -ENOMEM;
	*o = (weft__tr_outgoing){
		.fd = fd, .may_wait = wo_may_wait(fd), .version = version, .kept = kept, .moved_ns = wo_now_ns()
	};
	return 0;
}

/* A file takes all that it is given. */
static long put_some(const weft__tr_outgoing *o, const char *at, size_t n, int wait_ms)
{
	n = n < MOVE_BYTES ? n : MOVE_BYTES;
	if (o->may_wait)
		return wo_write_some(o->fd, at, n, wait_ms);
	int err = wo_write_all(o->fd, at, n);
	return err < 0 ? err : (long)n;
}

int weft__tr_outgoing_move(weft__tr_outgoing *o, int wait_ms, int64_t patience_ns)
{
	uint8_t header[WF_HEADER_BYTES];
	wf_put_header(header, o->version);
	for (long moved = 0; o->piece <= o->kept.n && moved < MOVE_BYTES;) {
		const wb_buf *b = o->piece ? &o->kept.gens[o->piece - 1]->bytes : NULL;
		const char *at = b ? b->at : (const char *)header;
		size_t left = (b ? b->n : sizeof(header)) - o->at;
		long k = left ? put_some(o, at + o->at, left, wait_ms) : 0;
		if (k < 0)
			return (int)k;
		if (k == 0 && left)
			return wo_now_ns() - o->moved_ns > patience_ns ? -ETIMEDOUT : 0;
		o->moved_ns = wo_now_ns();
		o->at += (size_t)k;
		moved += k;
		if ((size_t)k == left) {
			o->piece++;
			o->at = 0;
		}
	}
	return o->piece > o->kept.n;
}

void weft__tr_outgoing_end(weft__tr_outgoing *o)
{
	weft__tr_kept_free(&o->kept);
	o->fd = -1;
}
