/* Text to bytes: the additions to Go's form, every complaint with its line, damage that survives the way there and
 * back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fmt/text.h"

#define HEAD "go 1.22 trace\0\0\0"

static void expect(const char *text, const char *want, size_t n)
{
	wb_buf b = { 0 };
	wf_text_error err;
	wf_text_code code = wf_text_assemble(text, strlen(text), &b, &err);
	assert_string_equal(err.what, "");
	assert_int_equal(code, WF_TEXT_OK);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.at, want, n);
	wb_buf_free(&b);
}
#define EXPECT(text, want) expect(text, want, sizeof(want) - 1)

static void finds_sizes(void **state)
{
	(void)state;
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=7 time=2\nGoDestroy dt=1\n", HEAD "\1\1\7\2\2\x11\1");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=7 time=2 size=/3\nGoDestroy dt=1\n", HEAD "\1\1\7\2\x82\x80\0\x11\1");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=7 time=2 size=9/2\nGoDestroy dt=1\n", HEAD "\1\1\7\2\x89\0\x11\1");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=7 time=2\nEventBatch gen=1 m=8 time=2\nBytes 00 0102\n",
		HEAD "\1\1\7\2\0\1\1\x08\2\3\0\1\2");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=1 time=2\nStacks\nStack id=1\n\tpc=1 func=2 file=3 line=4\n\tpc=1 "
	       "func=2 file=3 line=4\nStack id=2\n",
		HEAD "\1\1\1\2\x0f\2\3\1\2\1\2\3\4\1\2\3\4\3\2\0");
}

static void takes_numbers_in_every_dress(void **state)
{
	(void)state;
	EXPECT("Trace Go1.22 # comment\n\n# nothing\nEventBatch gen=1 m=-1 time=0x10 size=1/2 #\n",
		HEAD "\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x10\x81\0");
	EXPECT("Trace Go1.22\r\nEventBatch\tgen=18446744073709551615 m=0/10 time=128 size=0\r\n",
		HEAD "\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\0\x80\1\0");
}

static void cuts_events(void **state)
{
	(void)state;
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=7 time=100 size=11\nGoCreate dt=5 new_g=7 new_stack=1 "
	       "stack=2\nGoStart dt=1 g=7 g_seq=1\nGoBlock dt=9 <cut>\n",
		HEAD "\1\1\7\x64\x0b\x0e\5\7\1\2\x10\1\7\1\x14\x09");
	EXPECT("Trace Go1.22\nEventBatch gen=1 <cut>\n", HEAD "\1\1");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=5\nStrings\nString id=1\n\t<cut>\n",
		HEAD "\1\1\1\1\5\4\5\1");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=5\nStacks\nStack id=1 nframes=3\n\tpc=1 func=2 <cut>\n",
		HEAD "\1\1\1\1\5\2\3\1\3\1\2");
	EXPECT("Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=5\nStacks\nStack id=1 nframes=3\n\t<cut>\n",
		HEAD "\1\1\1\1\5\2\3\1\3");
}

static void assembles_v1(void **state)
{
	(void)state;
	EXPECT("Trace Go1.21\nBatch p=0 time=100\nGoCreate dt=5 new_g=1 new_stack=2 stack=3\nGoStart dt=1 g=1 g_seq=0\n"
	       "GoBlockRecv len=/2 dt=2 stack=4\nString c=3 id=1\n\tdata=\"hi\"\nStack id=1 nframes=1\n\tpc=9 func=1 "
	       "file=1 line=5\n"
	       "UserLog dt=1 task=1 key_string=1 stack=0\n\tdata=\"x\"\nFrequency freq=100\n",
		"go 1.21 trace\0\0\0"
		"\x41\0\x64"
		"\xcd\4\5\1\2\3"
		"\x8e\1\1\0"
		"\xd7\x82\0\2\4"
		"\xe5\1\2hi"
		"\xc3\x86\x80\x80\x80\x80\x80\x80\x80\x80\0\1\1\x09\1\1\5"
		"\xf0\4\1\1\1\0\1x"
		"\2\x64");
}

static bool to_buf(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

static void there_and_back(const char *at, size_t n)
{
	wb_buf text = { 0 }, back = { 0 };
	wf_text_error err;
	wf_text_dump(at, n, &(wf_text_options){ .bytes = true, .offsets = n % 2 }, to_buf, &text, NULL);
	wf_text_assemble(text.at, text.n, &back, &err);
	assert_string_equal(err.what, "");
	assert_int_equal(back.n, n);
	if (n)
		assert_memory_equal(back.at, at, n);
	wb_buf_free(&text);
	wb_buf_free(&back);
}

static const char v1[] = "go 1.21 trace\0\0\0" "\x41\0\x64" "\xcd\4\5\1\2\3" "\x8e\1\1\0" "\xd7\x82\0\2\4" "\xe5\1\2hi"
	"\xc3\x86\x80\x80\x80\x80\x80\x80\x80\x80\0\1\1\x09\1\1\5" "\xf0\4\1\1\1\0\1x" "\2\x64";
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

/* Every prefix, and every byte changed in several ways. */
static void damage_survives(void **state)
{
	(void)state;
	static const struct {
		const char *at;
		size_t n;
	} whole[] = { { v1, sizeof(v1) - 1 }, { v2, sizeof(v2) - 1 } };
	for (size_t k = 0; k < 2; k++) {
		for (size_t n = 0; n <= whole[k].n; n++)
			there_and_back(whole[k].at, n);
		char copy[256];
		for (size_t i = 0; i < whole[k].n; i++)
			for (int v = 0; v < 256; v += 1 + (i < 16) * 16) {
				memcpy(copy, whole[k].at, whole[k].n);
				copy[i] = (char)v;
				there_and_back(copy, whole[k].n);
			}
	}
}

static void complains_with_a_line(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		unsigned    line;
		const char *what;
	} bad[] = {
		{ "GoStart", 1, "\"Trace Go1.NN\" expected" },
		{ "\n\nTrace", 3, "\"Trace Go1.\" and a version expected" },
		{ "Trace Go1.", 1, "\"Trace Go1.\" and a version expected" },
		{ "Trace Go1.22x", 1, "\"Trace Go1.\" and a version expected" },
		{ "Trace Go1.22 x", 1, "\"x\" is too much on this line" },
		{ "Trace Go1.22\nTrace Go1.22", 2, "a second \"Trace\" line" },
		{ "Trace Go1.22\nGoSleep dt=1", 2, "\"GoSleep\" is no event" },
		{ "Trace Go1.21\nGoSwitch dt=1", 2, "\"GoSwitch\" is no event" },
		{ "Trace Go1.22\nGoStart dt=1", 2, "GoStart: g= is missing" },
		{ "Trace Go1.22\nGoStart dt=1 p=1", 2, "g= expected, not \"p=1\"" },
		{ "Trace Go1.22\nGoStart dt=1 g=1 g_seq=1 x=1", 2, "\"x=1\" is too much on this line" },
		{ "Trace Go1.22\nGoStart dt=", 2, "dt= has no number" },
		{ "Trace Go1.22\nGoStart dt=/3", 2, "dt= has no number" },
		{ "Trace Go1.22\nGoStart dt=18446744073709551616", 2,
			"\"18446744073709551616\" is no number of 64 bits" },
		{ "Trace Go1.22\nGoStart dt=1z", 2, "\"z\" is not a width of 1 to 10 bytes" },
		{ "Trace Go1.22\nGoStart dt=1/0", 2, "\"/0\" is not a width of 1 to 10 bytes" },
		{ "Trace Go1.22\nGoStart dt=1/11", 2, "\"/11\" is not a width of 1 to 10 bytes" },
		{ "Trace Go1.22\nGoStart dt=128/1", 2, "dt=128 does not fit into 1 bytes" },
		{ "Trace Go1.22\nString id=1", 2, "String: a line with data= is missing" },
		{ "Trace Go1.22\nString id=1\nStrings", 3, "String: a line with data= is missing" },
		{ "Trace Go1.22\nString id=1\ndata=x", 3, "String: the data is not a quoted text" },
		{ "Trace Go1.22\nString id=1\ndata=\"x\" y", 3, "\"y\" is not a width of 1 to 10 bytes" },
		{ "Trace Go1.22\nStack id=1 nframes=2\n pc=1 func=1 file=1 line=1\nStacks", 4,
			"nframes=2, but 1 follow" },
		{ "Trace Go1.22\nStack id=1\n pc=1 func=1 file=1", 3, "Stack: line= is missing" },
		{ "Trace Go1.22\nExperimentalBatch exp=256 gen=1", 2, "exp=256 does not fit into a byte" },
		{ "Trace Go1.22\nBytes 0", 2, "an odd number of hexadecimal digits" },
		{ "Trace Go1.22\nBytes 0g", 2, "\"0g\" is no byte in hexadecimal" },
		{ "Trace Go1.21\nString c=4 id=1", 2, "c= is not 0 to 3" },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		wb_buf b = { 0 };
		wb_buf_puts(&b, "before");
		wf_text_error err;
		assert_int_equal(wf_text_assemble(bad[i].text, strlen(bad[i].text), &b, &err), WF_TEXT_BROKEN);
		assert_string_equal(err.what, bad[i].what);
		assert_int_equal(err.line, bad[i].line);
		assert_int_equal(b.n, 6); /* untouched */
		wb_buf_free(&b);
	}
}

static void out_of_memory_is_told(void **state)
{
	(void)state;
	static const char text[] = "Trace Go1.22\nEventBatch gen=1 m=1 time=1\nStrings\nString id=1\n\tdata=\"x\"\n";
	wb_buf b = { 0 };
	wb_fault_arm(1, true);
	assert_int_equal(wf_text_assemble(text, sizeof(text) - 1, &b, NULL), WF_TEXT_NOMEM);
	wb_fault_arm(0, false);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_sizes),
		cmocka_unit_test(takes_numbers_in_every_dress),
		cmocka_unit_test(cuts_events),
		cmocka_unit_test(assembles_v1),
		cmocka_unit_test(damage_survives),
		cmocka_unit_test(complains_with_a_line),
		cmocka_unit_test(out_of_memory_is_told),
	};
	return cmocka_run_group_tests_name("fmt/textasm", tests, NULL, NULL);
}
