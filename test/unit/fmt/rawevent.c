/* Events one after the other: names for all arguments, batches, and where broken bytes begin and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fmt/events.h"
#include "fmt/rawevent.h"

/* Every v1 event has a name for each argument, and not one more. */
static void v1_arguments_have_names(void **state)
{
	(void)state;
	unsigned events = 0;
	for (unsigned i = 0; i < WF_V1_COUNT; i++) {
		if (!wf_v1_specs[i].name)
			continue;
		events++;
		unsigned n = wf_v1_n_args(i);
		for (unsigned k = 0; k < n; k++)
			assert_non_null(wf_v1_arg_name(i, k));
		if (n)
			assert_null(wf_v1_arg_name(i, n));
		if (wf_v1_specs[i].has_stack)
			assert_string_equal(wf_v1_arg_name(i, n - 1), "stack");
		assert_true(n <= WF_RAW_ARGS_MAX);
	}
	assert_int_equal(events, 49);
}

#define HEAD "go 1.22 trace\0\0\0"
static const char trace[] = HEAD "\x01\x01\x07\x64\x85\x80\x00"  /* batch of 5 bytes, the size in 3 */
	"\x10\x01\x02\x03"                                        /* GoStart */
	"\x35"                                                    /* no event */
	"\x01\x01\x08\x6e\x02" "\x11\x01";                        /* batch of 2: GoDestroy */

static void tells_events_from_damage(void **state)
{
	(void)state;
	wf_raw_reader r;
	wf_raw_event e;
	assert_true(wf_raw_open(&r, trace, sizeof(trace) - 1, false));
	assert_int_equal(r.version, 22);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_EVENT);
	assert_int_equal(e.type, WF_EV_EVENT_BATCH);
	assert_int_equal(e.offset, 16);
	assert_int_equal(e.bytes, 7);
	assert_int_equal(e.arg[3].value, 5);
	assert_int_equal(e.arg[3].width, 3);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_EVENT);
	assert_int_equal(e.type, WF_EV_GO_START);
	assert_int_equal(e.arg[2].value, 3);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_BROKEN);
	assert_int_equal(r.broken_at, 27);
	assert_int_equal(r.broken_end, 28);
	assert_int_equal(e.type, WF_EV_GO_START); /* untouched */
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_EVENT);
	assert_int_equal(e.offset, 28);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_EVENT);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_END);
	assert_int_equal(wf_raw_next(&r, &e), WF_RAW_END);
}

/* Whatever the length, all bytes are covered once, and the reader ends. */
static void every_prefix_is_covered(void **state)
{
	(void)state;
	for (int flat = 0; flat < 2; flat++)
		for (size_t n = 0; n < sizeof(trace); n++) {
			wf_raw_reader r;
			wf_raw_event e;
			assert_int_equal(wf_raw_open(&r, trace, n, flat), n >= 16);
			if (n < 16) {
				assert_non_null(r.why);
				continue;
			}
			uint64_t at = 16;
			for (wf_raw_result got; (got = wf_raw_next(&r, &e)) != WF_RAW_END;) {
				assert_int_equal(got == WF_RAW_EVENT ? e.offset : r.broken_at, at);
				at = got == WF_RAW_EVENT ? at + e.bytes : r.broken_end;
				if (got == WF_RAW_BROKEN)
					assert_non_null(r.why);
			}
			assert_int_equal(at, n);
		}
}

static void knows_headers(void **state)
{
	(void)state;
	static const char *const bad[] = { "go 1.20 trace\0\0", "go 1.24 trace\0\0", "go 1.27 trace\0\0",
		"go 1.2x trace\0\0", "go 2.22 trace\0\0", "go 1.22 trace\0\1" };
	wf_raw_reader r;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(wf_raw_open(&r, bad[i], 16, false));
	static const unsigned good[] = { 11, 19, 21, 22, 23, 25, 26 };
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char head[16] = HEAD;
		head[5] = (char)('0' + good[i] / 10);
		head[6] = (char)('0' + good[i] % 10);
		assert_true(wf_raw_open(&r, head, 16, false));
		assert_int_equal(r.version, good[i]);
	}
}

static void varint_widths(void **state)
{
	(void)state;
	assert_int_equal(wf_varint_width(0), 1);
	for (unsigned bits = 1; bits <= 64; bits++)
		assert_int_equal(wf_varint_width(UINT64_MAX >> (64 - bits)), (bits + 6) / 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(v1_arguments_have_names),
		cmocka_unit_test(tells_events_from_damage),
		cmocka_unit_test(every_prefix_is_covered),
		cmocka_unit_test(knows_headers),
		cmocka_unit_test(varint_widths),
	};
	return cmocka_run_group_tests_name("fmt/rawevent", tests, NULL, NULL);
}
