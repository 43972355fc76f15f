/* How the container is cut into generations, and what opening tells of it.  test/wire has the error rules one by
 * one. */
#include "reader.h"

#define SYNC26(gen)                                                                                              \
	"EventBatch gen=" gen " m=-1 time=100\nSync\nFrequency freq=15625000\nClockSnapshot dt=1 mono=99 sec=5 " \
			      "nsec=7\n"
#define STATUS(gen) \
	"EventBatch gen=" gen " m=7 time=110\nProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=7 gstatus=2\n"

static const char two_generations[] =
	"Trace Go1.26\n" SYNC26("1") STATUS("1") "EndOfGeneration\n" SYNC26("5") STATUS("5") "EndOfGeneration\n";

static void a_generation_ends_with_its_mark(void **state)
{
	(void)state;
	wb_buf b = assembled(two_generations);
	wtr_trace *t;
	wtr_error err;
	assert_int_equal(wtr_open_bytes(b.at, b.n, NULL, &t, &err), WTR_OK);
	wtr_info i;
	wtr_get_info(t, &i);
	assert_int_equal(i.version, 26);
	assert_string_equal(i.written_by, "Go 1.26 or 1.27");
	assert_string_equal(i.compression, "none");
	assert_string_equal(i.path, "");
	assert_int_equal(i.generations, 2);
	assert_int_equal(i.batches, 4);
	assert_int_equal(i.file_bytes, b.n);
	assert_int_equal(i.trace_bytes, b.n);
	assert_int_equal(i.lost_bytes, 0);
	assert_int_equal(i.damage.code, WTR_OK);
	wtr_generation g;
	assert_true(wtr_get_generation(t, 1, &g));
	assert_int_equal(g.number, 5);
	assert_int_equal(g.offset + g.bytes, b.n);
	assert_int_equal(g.batches, 2);
	assert_true(g.has_clock);
	assert_int_equal(g.clock_trace_ns, 101 * 64);
	assert_int_equal(g.clock_mono_ns, 99);
	assert_int_equal(g.clock_wall_ns, 5000000007);
	assert_false(wtr_get_generation(t, 2, &g));
	assert_int_equal(wtr_experimental_batches(t, 0), 0);
	wtr_close(t);
	wb_buf_free(&b);
}

/* Before 1.26 the next number ends a generation; experimental batches belong to it, and are counted. */
static void a_generation_ends_where_the_next_begins(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.23\nEventBatch gen=3 m=-1 time=100\nFrequency freq=15625000\n"
	                     "ExperimentalBatch exp=1 gen=3 m=-1 time=100\n\tdata=\"abc\"\n"
	                     "EventBatch gen=4 m=-1 time=200\nFrequency freq=15625000\n");
	reading *r = read_bytes(&b, NULL, NULL);
	assert_int_equal(r->opened, WTR_OK);
	assert_int_equal(r->info.generations, 2);
	assert_int_equal(r->err.code, WTR_OK);
	assert_int_equal(r->n, 3); /* a Sync for each, and one at the end */
	wtr_trace *t;
	assert_int_equal(wtr_open_bytes(b.at, b.n, NULL, &t, NULL), WTR_OK);
	assert_int_equal(wtr_experimental_batches(t, 0), 1);
	assert_int_equal(wtr_experimental_batches(t, 1), 0);
	wtr_close(t);
	wb_buf_free(&b);
}

/* Every cut of a trace opens; what is lost is told; the events are a prefix of the whole trace's. */
static void every_cut_opens(void **state)
{
	(void)state;
	wb_buf b = assembled(two_generations);
	reading whole = *read_bytes(&b, NULL, NULL);
	size_t second = 0;
	for (size_t n = 16; n < b.n; n++) {
		wb_buf cut = { .at = b.at, .n = n };
		reading *r = read_bytes(&cut, NULL, NULL);
		assert_int_equal(r->opened, WTR_OK);
		for (size_t i = 0; i + 1 < r->n; i++) /* the last one is the Sync of the end */
			assert_memory_equal(&r->ev[i], &whole.ev[i], sizeof(wtr_event));
		second += r->info.generations == 1;
		assert_true(r->info.generations < 2);
		if (r->err.code != WTR_OK) {
			assert_true(r->err.offset <= n);
			assert_true(r->info.lost_bytes > 0);
			assert_int_equal(r->info.damage.code, r->err.code);
		}
	}
	assert_true(second > 20);
	wb_buf_free(&b);
}

static void headers_are_judged(void **state)
{
	(void)state;
	static const struct { const char *bytes; size_t n; wtr_code code; } headers[] = {
		{ "", 0, WTR_E_MAGIC },
		{ "go 1.26 tra", 11, WTR_E_MAGIC },
		{ "go 1.x6 trace\0\0\0", 16, WTR_E_MAGIC },
		{ "go 1.26 trace\0\0x", 16, WTR_E_MAGIC },
		{ "no 1.26 trace\0\0\0", 16, WTR_E_MAGIC },
		{ "go 1.24 trace\0\0\0", 16, WTR_E_VERSION },
		{ "go 1.9 trace\0\0\0\0", 16, WTR_E_VERSION },
		{ "go 1.99 trace\0\0\0", 16, WTR_E_VERSION },
		{ "go 1.26 trace\0\0\0", 16, WTR_OK },
		{ "go 1.22 trace\0\0\0", 16, WTR_OK },
	};
	for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		wb_buf b = { .at = (char *)(uintptr_t)headers[i].bytes, .n = headers[i].n };
		assert_int_equal(read_bytes(&b, NULL, NULL)->opened, headers[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_generation_ends_with_its_mark),
		cmocka_unit_test(a_generation_ends_where_the_next_begins),
		cmocka_unit_test(every_cut_opens),
		cmocka_unit_test(headers_are_judged),
	};
	return cmocka_run_group_tests_name("read/container", tests, NULL, NULL);
}
