/* Bytes to text: the exact form, damage named and passed by, sinks that stop, and memory that runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/text.h"

static bool to_buf(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

static const char v2[] = "go 1.26 trace\0\0\0"
			 "\x01\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x64\x8f\x80\x00"
			 "\x32\x08\xa8\xd6\xb9\x07\x33\x01\x63\xe9\xa0\x87\xbe\x06\x7b"
			 "\x01\x01\x07\x6e\x09"
			 "\x0d\x01\x00\x01"
			 "\x19\x01\x01\x07\x02"
			 "\x01\x01\x07\x6f\x0c"
			 "\x04"
			 "\x05\x01\x05main\n"
			 "\x05\x02\x00"
			 "\x01\x01\x07\x6f\x0a"
			 "\x02"
			 "\x03\x01\x01\x90\x4e\x01\x02\x8a\x00"
			 "\x31\x01\x01\x07\x70\x83\x00"
			 "\x00\x81\xff"
			 "\x34";

static void writes_the_form_of_go(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wf_text_error err;
	assert_int_equal(wf_text_dump(v2, sizeof(v2) - 1, NULL, to_buf, &b, &err), WF_TEXT_OK);
	assert_string_equal(wb_buf_cstr(&b),
		"Trace Go1.26\n"
		"EventBatch gen=1 m=18446744073709551615 time=100 size=15/3\n"
		"Sync\n"
		"Frequency freq=15625000\n"
		"ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123\n"
		"EventBatch gen=1 m=7 time=110 size=9\n"
		"ProcStatus dt=1 p=0 pstatus=1\n"
		"GoStatus dt=1 g=1 m=7 gstatus=2\n"
		"EventBatch gen=1 m=7 time=111 size=12\n"
		"Strings\n"
		"String id=1\n\tdata=\"main\\n\"\n"
		"String id=2\n\tdata=\"\"\n"
		"EventBatch gen=1 m=7 time=111 size=10\n"
		"Stacks\n"
		"Stack id=1 nframes=1\n\tpc=10000 func=1 file=2 line=10/2\n"
		"ExperimentalBatch exp=1 gen=1 m=7 time=112\n\tdata=\"\\x00\\x81\\xff\"/2\n"
		"EndOfGeneration\n");
	wb_buf_free(&b);
}

/* Where Go's form says less: no first line, no widths, no line for data of no bytes. */
static void writes_what_go_tool_trace_writes(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	assert_int_equal(wf_text_wire(v2, sizeof(v2) - 1, to_buf, &b, NULL), WF_TEXT_OK);
	assert_string_equal(wb_buf_cstr(&b),
		"EventBatch gen=1 m=18446744073709551615 time=100 size=15\n"
		"Sync\n"
		"Frequency freq=15625000\n"
		"ClockSnapshot dt=1 mono=99 sec=1740755049 nsec=123\n"
		"EventBatch gen=1 m=7 time=110 size=9\n"
		"ProcStatus dt=1 p=0 pstatus=1\n"
		"GoStatus dt=1 g=1 m=7 gstatus=2\n"
		"EventBatch gen=1 m=7 time=111 size=12\n"
		"Strings\n"
		"String id=1\n\tdata=\"main\\n\"\n"
		"String id=2\n"
		"EventBatch gen=1 m=7 time=111 size=10\n"
		"Stacks\n"
		"Stack id=1 nframes=1\n\tpc=10000 func=1 file=2 line=10\n"
		"ExperimentalBatch exp=1 gen=1 m=7 time=112\n\tdata=\"\\x00\\x81\\xff\"\n"
		"EndOfGeneration\n");
	wb_buf_free(&b);
}

static const char v1[] = "go 1.21 trace\0\0\0"
	"\x41\x00\x64"                     /* Batch */
	"\xcd\x04\x05\x01\x02\x03"         /* GoCreate, its length in front */
	"\x8e\x01\x01\x00"                 /* GoStart */
	"\xd7\x82\x00\x02\x04"             /* GoBlockRecv in the long form, which it does not need */
	"\xe5\x01\x02hi"                   /* String with bits that say nothing */
	"\xc3\x86\x80\x80\x80\x80\x80\x80\x80\x80\x00\x01\x01\x09\x01\x01\x05"
	"\xf0\x04\x04\x01\x01\x01\x01x"    /* UserLog */
	"\x02\x64"
	"\x40";                            /* nothing */

static void writes_v1(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wf_text_error err;
	assert_int_equal(wf_text_dump(v1, sizeof(v1) - 1, &(wf_text_options){ .bytes = true }, to_buf, &b, &err),
		WF_TEXT_BROKEN);
	assert_int_equal(err.offset, sizeof(v1) - 2);
	assert_int_equal(err.lost, 1);
	assert_string_equal(wb_buf_cstr(&b),
		"Trace Go1.21\n"
		"Batch p=0 time=100\n"
		"GoCreate dt=5 new_g=1 new_stack=2 stack=3\n"
		"GoStart dt=1 g=1 g_seq=0\n"
		"GoBlockRecv len=/2 dt=2 stack=4\n"
		"String c=3 id=1\n\tdata=\"hi\"\n"
		"Stack id=1 nframes=1\n\tpc=9 func=1 file=1 line=5\n"
		"UserLog dt=4 task=1 key_string=1 stack=1\n\tdata=\"x\"\n"
		"Frequency freq=100\n"
		"# broken at offset 66: no event has this number (1 bytes)\n"
		"Bytes 40\n");
	wb_buf_free(&b);
}

static void names_damage_and_goes_on(void **state)
{
	(void)state;
	static const char bad[] = "go 1.22 trace\0\0\0"
				  "\x01\x01\x07\x64\x05"
				  "\x11\x01"
				  "\x35\x11\x01"
				  "\x01\x01\x07\x65\x02"
				  "\x11\x01"
				  "\x99";
	wb_buf b = { 0 };
	wf_text_error err;
	assert_int_equal(wf_text_dump(bad, sizeof(bad) - 1, &(wf_text_options){ .bytes = true, .offsets = true },
				 to_buf, &b, &err),
		WF_TEXT_BROKEN);
	assert_string_equal(wb_buf_cstr(&b),
		"Trace Go1.22\n"
		"# offset 16\n"
		"EventBatch gen=1 m=7 time=100 size=5\n"
		"GoDestroy dt=1\n"
		"# broken at offset 23: no event has this number (3 bytes)\n"
		"Bytes 351101\n"
		"# offset 26\n"
		"EventBatch gen=1 m=7 time=101 size=2\n"
		"GoDestroy dt=1\n"
		"# broken at offset 33: no event has this number (1 bytes)\n"
		"Bytes 99\n");
	assert_int_equal(err.offset, 23);
	assert_int_equal(err.lost, 4);
	assert_string_equal(err.what, "no event has this number");
	wb_buf_free(&b);
}

static void headers_that_are_none_are_bytes(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wf_text_error err;
	assert_int_equal(
		wf_text_dump("hello", 5, &(wf_text_options){ .bytes = true }, to_buf, &b, &err), WF_TEXT_BROKEN);
	assert_string_equal(
		wb_buf_cstr(&b), "# broken at offset 0: not a Go execution trace (5 bytes)\nBytes 68656c6c6f\n");
	wb_buf_free(&b);
}

/* A sink that takes a number of pieces. */
static bool some(void *user, const char *at, size_t n)
{
	(void)at;
	(void)n;
	int *left = user;
	return --*left > 0;
}

/* A batch of `n` strings of 1024 control characters, each four characters as text. */
static char *large(size_t n, size_t *ret)
{
	char *at = wb_malloc(16 + n * (6 + 1 + 1 + 1 + 2 + 1024));
	char *p = at;
	memcpy(p, "go 1.22 trace\0\0\0", 16);
	p += 16;
	for (size_t i = 0; i < n; i++) {
		memcpy(p, "\x01\x01\x07\x64\x85\x08" "\x04" "\x05\x01\x80\x08", 11);
		memset(p + 11, 1, 1024);
		p += 11 + 1024;
	}
	*ret = (size_t)(p - at);
	return at;
}

static void a_sink_may_stop(void **state)
{
	(void)state;
	size_t n;
	char *at = large(100, &n);
	for (int pieces = 1; pieces < 5; pieces++) {
		int left = pieces;
		assert_int_equal(wf_text_dump(at, n, NULL, some, &left, NULL), WF_TEXT_STOPPED);
		assert_int_equal(left, 0);
		left = pieces;
		assert_int_equal(wf_text_wire(at, n, some, &left, NULL), WF_TEXT_STOPPED);
		assert_int_equal(left, 0);
	}
	wb_free(at);
}

typedef struct peak {
	size_t total, most;
} peak;

static bool measure(void *user, const char *at, size_t n)
{
	(void)at;
	peak *p = user;
	p->total += n;
	if (n > p->most)
		p->most = n;
	return true;
}

/* However long the file, the pieces stay small, and so does the buffer. */
static void memory_is_constant(void **state)
{
	(void)state;
	for (size_t n_strings = 500; n_strings <= 2000; n_strings += 1500) {
		size_t n;
		char *at = large(n_strings, &n);
		peak p = { 0 };
		assert_int_equal(wf_text_dump(at, n, NULL, measure, &p, NULL), WF_TEXT_OK);
		assert_true(p.total > n_strings * 4096);
		assert_true(p.most < 256 << 10);
		wb_free(at);
	}
}

static void out_of_memory_is_told(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth < 9; nth++) {
		size_t n;
		char *at = large(100, &n);
		peak p = { 0 };
		wf_text_error err = { 0 };
		wb_fault_arm(nth, true);
		wf_text_code code = wf_text_dump(at, n, NULL, measure, &p, &err);
		wb_fault_arm(0, false);
		assert_int_equal(code, WF_TEXT_NOMEM);
		assert_int_equal(err.code, WF_TEXT_NOMEM);
		wb_free(at);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_the_form_of_go),
		cmocka_unit_test(writes_what_go_tool_trace_writes),
		cmocka_unit_test(writes_v1),
		cmocka_unit_test(names_damage_and_goes_on),
		cmocka_unit_test(headers_that_are_none_are_bytes),
		cmocka_unit_test(a_sink_may_stop),
		cmocka_unit_test(memory_is_constant),
		cmocka_unit_test(out_of_memory_is_told),
	};
	return cmocka_run_group_tests_name("fmt/textdump", tests, NULL, NULL);
}
