/* Counting events: numbers, shortest sizes, and the table of Go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fmt/events.h"
#include "fmt/text.h"

static void counts(void **state)
{
	(void)state;
	static const char text[] =
		"Trace Go1.26\nEventBatch gen=1 m=1 time=1 size=/10\nGoDestroy dt=1\nGoDestroy dt=128/5\n"
		"Strings\nString id=1\n\tdata=\"abc\"/4\nStack id=1\n\tpc=300 func=1 file=1 "
		"line=1/2\nExperimentalBatch exp=1 gen=1 m=1 time=1\n\tdata=\"x\"\n";
	wb_buf b = { 0 };
	wf_footprint f;
	assert_int_equal(wf_text_assemble(text, strlen(text), &b, NULL), WF_TEXT_OK);
	assert_int_equal(wf_footprint_count(b.at, b.n, &f, NULL), WF_TEXT_OK);
	assert_int_equal(f.version, 26);
	assert_int_equal(f.events, 7);
	assert_int_equal(f.file_bytes, b.n);
	assert_int_equal(f.count[WF_EV_GO_DESTROY], 2);
	assert_int_equal(f.bytes[WF_EV_GO_DESTROY], 2 + 3);
	assert_int_equal(f.bytes[WF_EV_EVENT_BATCH], 5);
	assert_int_equal(f.bytes[WF_EV_STRING], 6);
	assert_int_equal(f.bytes[WF_EV_STACK], 3 + 5);
	assert_int_equal(f.bytes[WF_EV_EXPERIMENTAL_BATCH], 7);
	wf_text_error err;
	assert_int_equal(wf_footprint_count(b.at, b.n - 1, &f, &err), WF_TEXT_BROKEN);
	assert_int_equal(f.events, 6);
	assert_true(err.what[0]);
	wb_buf_free(&b);
}

static void prints_the_table(void **state)
{
	(void)state;
	static const char text[] = "Trace Go1.22\nEventBatch gen=1 m=1 time=1\nGoDestroy dt=1\nGoDestroy dt=2\n";
	wb_buf b = { 0 }, out = { 0 };
	wf_footprint f;
	assert_int_equal(wf_text_assemble(text, strlen(text), &b, NULL), WF_TEXT_OK);
	assert_int_equal(wf_footprint_count(b.at, b.n, &f, NULL), WF_TEXT_OK);
	wf_footprint_print(&f, &out);
	const char *s = wb_buf_cstr(&out);
	static const char start[] =
		"Event                Bytes  %       Count  %\n"
		"-                    -      -       -      -\n"
		"EventBatch           5      20.00%  1      33.33%\n"
		"GoDestroy            4      16.00%  2      66.67%\n"
		"                     0      0.00%   0      0.00%\n"
		"Stacks               0      0.00%   0      0.00%\n";
	assert_memory_equal(s, start, sizeof(start) - 1);
	assert_non_null(strstr(s, "\n<unknown (45)>       0      0.00%   0      0.00%\n"));
	size_t lines = 0;
	for (; *s; s++)
		lines += *s == '\n';
	assert_int_equal(lines, 2 + 256);
	wb_buf_free(&b);
	wb_buf_free(&out);
}

static void nothing_is_no_number(void **state)
{
	(void)state;
	wf_footprint f;
	wb_buf out = { 0 };
	assert_int_equal(wf_footprint_count("go 1.22 trace\0\0\0", 16, &f, NULL), WF_TEXT_OK);
	wf_footprint_print(&f, &out);
	assert_non_null(strstr(wb_buf_cstr(&out), "0.00%  0      NaN%\n"));
	wb_buf_free(&out);
	assert_int_equal(wf_footprint_count("", 0, &f, NULL), WF_TEXT_BROKEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts),
		cmocka_unit_test(prints_the_table),
		cmocka_unit_test(nothing_is_no_number),
	};
	return cmocka_run_group_tests_name("fmt/footprint", tests, NULL, NULL);
}
