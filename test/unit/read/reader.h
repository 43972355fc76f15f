/* test/unit/read/reader.h - traces as text, and what reading them gives. */
#ifndef TEST_READER_H
#define TEST_READER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/wtr.h>

#include "fmt/text.h"

/* The bytes of a text trace; free with wb_buf_free(). */
static inline wb_buf assembled(const char *text)
{
	wb_buf b = { 0 };
	wf_text_error e;
	if (wf_text_assemble(text, strlen(text), &b, &e) != WF_TEXT_OK)
		fail_msg("line %llu: %s", (unsigned long long)e.line, e.what);
	return b;
}

typedef struct reading {
	wtr_code   opened;
	wtr_error  err;    /* of opening, or why the pass ended */
	wtr_info   info;
	wtr_losses losses;
	size_t     n;
	wtr_event  ev[512];
	uint64_t   diag_loss; /* sum of all counters of severity loss */
} reading;

static inline void add_loss(void *user, const char *name, wtr_severity severity, uint64_t n, const char *text)
{
	assert_true(*name && *text);
	if (severity == WTR_SEV_LOSS)
		((reading *)user)->diag_loss += n;
}

/* Opens and passes over everything with a filter. */
static inline reading *read_bytes(const wb_buf *b, const wtr_options *opt, const wtr_filter *filter)
{
	static reading r;
	r = (reading){ 0 };
	wtr_trace *t = NULL;
	r.opened = wtr_open_bytes(b->at, b->n, opt, &t, &r.err);
	if (r.opened != WTR_OK) {
		assert_null(t);
		assert_int_equal(r.err.code, r.opened);
		assert_true(*r.err.what && *r.err.rule);
		return &r;
	}
	wtr_get_info(t, &r.info);
	wtr_cursor *c = wtr_cursor_open(t, filter, &r.err);
	assert_non_null(c);
	const wtr_event *ev;
	for (size_t n; (n = wtr_next(c, &ev)) > 0;)
		for (size_t i = 0; i < n; i++) {
			assert_true(r.n < sizeof(r.ev) / sizeof(*r.ev));
			r.ev[r.n++] = ev[i];
		}
	r.err = *wtr_cursor_error(c);
	wtr_cursor_losses(c, &r.losses);
	wtr_diag(c, add_loss, &r);
	wtr_cursor_close(c);
	wtr_close(t);
	return &r;
}

#endif
