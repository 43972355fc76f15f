/* rt/tr/sink.c - see sink.h. */
#include "rt/tr/sink.h"

#include "os/file.h"

static int put_fd(const weft__tr_sink *o, const void *at, size_t n)
{
	return o->may_wait ? wo_write_while(o->fd, at, n, o->given_up) : wo_write_all(o->fd, at, n);
}

static int put_outside(const weft__tr_sink *o, const void *at, size_t n)
{
	int rc = o->fd >= 0 ? put_fd(o, at, n) : 0;
	return rc == 0 && o->write ? o->write(at, n, o->write_arg) : rc;
}

static void put(weft__tr_sink *o, const void *at, size_t n)
{
	if (!o->error)
		o->error = put_outside(o, at, n);
	if (!o->error)
		o->bytes += n;
}

void weft__tr_sink_header(weft__tr_sink *o, unsigned version)
{
	uint8_t header[WF_HEADER_BYTES];
	wf_put_header(header, version);
	put(o, header, sizeof(header));
}

void weft__tr_sink_put(weft__tr_sink *o, const void *at, size_t n)
{
	put(o, at, n);
	o->gen_bytes += n;
	weft__tr_window_add(&o->window, at, n);
}

void weft__tr_sink_end_batch(weft__tr_sink *o)
{
	if (!o->section)
		return;
	wf_end_batch(o->data, o->at);
	weft__tr_sink_put(o, o->batch, (size_t)(o->at - o->batch));
	o->section = 0;
}

uint8_t *weft__tr_sink_room(weft__tr_sink *o, uint64_t gen, uint64_t time, uint8_t section, size_t n)
{
	if (o->section && (o->section != section || o->at + n > o->data + WF_BATCH_BYTES_MAX))
		weft__tr_sink_end_batch(o);
	if (!o->section) {
		o->section = section;
		o->data = o->at = wf_put_batch(o->batch, gen, WF_NO_THREAD, time);
		*o->at++ = section;
	}
	return o->at;
}
