/* The public text functions: modes, codes of files that are no traces, and the corpus there and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/text.h>

#include "base/buf.h"
#include "kit.h"

static bool to_buf(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

static bool refuse(void *user, const char *at, size_t n)
{
	(void)user;
	(void)at;
	(void)n;
	return false;
}

static const char text[] = "Trace Go1.22\nEventBatch gen=1 m=1 time=1 size=2/10\nGoDestroy dt=1\n";

static void modes(void **state)
{
	(void)state;
	wb_buf trace = { 0 }, out = { 0 };
	wtr_error err;
	wtr_dump_result res;
	assert_int_equal(wtr_assemble(text, strlen(text), to_buf, &trace, &err), WTR_OK);
	assert_int_equal(wtr_dump_bytes(trace.at, trace.n, NULL, to_buf, &out, &res, &err), WTR_OK);
	assert_string_equal(wb_buf_cstr(&out), text);
	assert_int_equal(res.trace_bytes, trace.n);
	assert_int_equal(res.lost_bytes, 0);
	out.n = 0;
	assert_int_equal(wtr_dump_bytes(trace.at, trace.n, &(wtr_dump_options){ .mode = WTR_DUMP_WIRE }, to_buf, &out,
				 NULL, NULL),
		WTR_OK);
	assert_string_equal(wb_buf_cstr(&out), "EventBatch gen=1 m=1 time=1 size=2\nGoDestroy dt=1\n");
	out.n = 0;
	assert_int_equal(wtr_dump_bytes(trace.at, trace.n, &(wtr_dump_options){ .mode = WTR_DUMP_FOOTPRINT }, to_buf,
				 &out, NULL, NULL),
		WTR_OK);
	assert_memory_equal(wb_buf_cstr(&out), "Event   ", 8);
	for (int mode = 0; mode < 3; mode++)
		assert_int_equal(wtr_dump_bytes(trace.at, trace.n, &(wtr_dump_options){ .mode = (wtr_dump_mode)mode },
					 refuse, NULL, NULL, &err),
			WTR_E_IO);
	assert_int_equal(wtr_assemble(text, strlen(text), refuse, NULL, &err), WTR_E_IO);
	wb_buf_free(&trace);
	wb_buf_free(&out);
}

static void what_is_broken(void **state)
{
	(void)state;
	wb_buf out = { 0 };
	wtr_error err;
	wtr_dump_result res;
	for (int mode = 0; mode < 3; mode++) {
		wtr_dump_options opt = { .mode = (wtr_dump_mode)mode };
		assert_int_equal(wtr_dump_bytes("hello", 5, &opt, to_buf, &out, &res, &err), WTR_E_MAGIC);
		assert_int_equal(res.lost_bytes, 5);
		assert_int_equal(
			wtr_dump_bytes("go 1.27 trace\0\0\0", 16, &opt, to_buf, &out, &res, &err), WTR_E_VERSION);
		assert_int_equal(
			wtr_dump_bytes("go 1.26 trace\0\0\0\x99", 17, &opt, to_buf, &out, &res, &err), WTR_E_FORMAT);
		assert_int_equal(err.offset, 16);
		assert_int_equal(res.lost_bytes, 1);
		assert_string_equal(err.what, "no event has this number");
	}
	assert_int_equal(wtr_assemble("Trace Go1.22\nGoSleep\n", 21, to_buf, &out, &err), WTR_E_FORMAT);
	assert_string_equal(err.what, "line 2: \"GoSleep\" is no event");
	assert_int_equal(err.offset, 13);
	assert_int_equal(wtr_dump("/nonexistent", NULL, to_buf, &out, NULL, &err), WTR_E_IO);
	assert_int_equal(wtr_assemble_file("/nonexistent", to_buf, &out, &err), WTR_E_IO);
	wb_buf_free(&out);
}

/* Every trace of the corpus, broken ones included, is the same after text. */
static void corpus_there_and_back(void **state)
{
	(void)state;
	size_t n_names;
	char *const *names = kit_trace_names(&n_names);
	unsigned damaged = 0;
	for (size_t i = 0; i < n_names; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), names[i]);
		size_t n;
		uint8_t *file = kit_trace(names[i], &n);
		wb_buf dump = { 0 }, back = { 0 };
		wtr_error err = { 0 };
		wtr_dump_result res;
		wtr_code rc = wtr_dump(path, NULL, to_buf, &dump, &res, &err);
		assert_int_equal(res.trace_bytes, n);
		if (rc == WTR_OK)
			assert_int_equal(res.lost_bytes, 0);
		damaged += rc != WTR_OK;
		assert_int_equal(wtr_assemble(dump.at, dump.n, to_buf, &back, &err), WTR_OK);
		assert_int_equal(back.n, n);
		if (n)
			assert_memory_equal(back.at, file, n);
		free(file);
		wb_buf_free(&dump);
		wb_buf_free(&back);
	}
	assert_int_equal(n_names, 243);
	assert_int_equal(damaged, 35);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes),
		cmocka_unit_test(what_is_broken),
		cmocka_unit_test(corpus_there_and_back),
	};
	return cmocka_run_group_tests_name("out/dump", tests, NULL, NULL);
}
