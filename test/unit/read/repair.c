/* What WTR_REPAIR saves of damaged traces that WTR_AS_GO gives up. */
#include "reader.h"

#define SYNC(gen)                                \
	"EventBatch gen=" gen " m=-1 time=1" gen \
	"00\nSync\nFrequency freq=15625000\nClockSnapshot dt=1 mono=99 sec=5 nsec=7\n"
#define WORK(gen)                                                                                       \
	"EventBatch gen=" gen " m=7 time=1" gen                                                         \
	"01\nProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=7 gstatus=2\nGoCreate dt=5 new_g=2" gen \
	" new_stack=1 stack=1\n"                                                                        \
	"GoBlock dt=1 reason_string=1 stack=1\nGoStart dt=1 g=2" gen                                    \
	" g_seq=1\nGoDestroy dt=4\nGoUnblock dt=1 g=1 g_seq=1 stack=0\nGoStart dt=2 g=1 g_seq=2\n"
#define TABLES(gen)                                                                                                \
	"EventBatch gen=" gen " m=-1 time=1" gen "00\nStacks\nStack id=1 nframes=1\n\tpc=1 func=2 file=0 line=3\n" \
	"EventBatch gen=" gen " m=-1 time=1" gen                                                                   \
	"00\nStrings\nString id=1\n\tdata=\"sleep\"\nString id=2\n\tdata=\"main.main\"\n"
#define GEN(gen) SYNC(gen) WORK(gen) TABLES(gen) "EndOfGeneration\n"

enum { PER_GEN = 9 }; /* a Sync and eight of WORK */

static reading *as_go(const wb_buf *b)
{
	return read_bytes(b, NULL, NULL);
}

static reading *repaired(const wb_buf *b)
{
	wtr_options opt = { .damage = WTR_REPAIR };
	reading *r = read_bytes(b, &opt, NULL);
	assert_int_equal(r->err.code, WTR_OK);
	return r;
}

static size_t find(const wb_buf *b, const char *needle, size_t n, size_t from)
{
	for (size_t i = from; i + n <= b->n; i++)
		if (memcmp(b->at + i, needle, n) == 0)
			return i;
	fail_msg("not there");
	return 0;
}

static void a_sound_trace_is_the_same(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") GEN("2"));
	reading go = *as_go(&b);
	assert_int_equal(go.err.code, WTR_OK);
	assert_int_equal(go.n, 2 * PER_GEN + 1);
	reading *r = repaired(&b);
	assert_int_equal(r->n, go.n);
	assert_memory_equal(r->ev, go.ev, go.n * sizeof(wtr_event));
	assert_int_equal(r->losses.events + r->losses.batches + r->losses.generations + r->losses.bytes, 0);
	assert_int_equal(r->diag_loss, 0);
	wb_buf_free(&b);
}

/* The program died: no end mark, no tables.  Go shows nothing of the generation; its events are there all the same. */
static void a_torn_tail_is_shown(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") SYNC("2") WORK("2"));
	reading *r = as_go(&b);
	assert_int_equal(r->err.code, WTR_E_TRUNC);
	assert_int_equal(r->n, PER_GEN + 1);
	assert_int_equal(r->losses.generations, 1);
	assert_true(r->losses.bytes > 30 && r->losses.bytes < b.n / 2);
	r = repaired(&b);
	assert_int_equal(r->n, 2 * PER_GEN + 1);
	assert_true(r->diag_loss > 0); /* stacks and reasons are unknown */
	wb_buf_free(&b);
}

static void a_generation_without_a_clock_borrows_one(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") WORK("2") TABLES("2") "EndOfGeneration\n");
	reading *r = as_go(&b);
	assert_string_equal(r->err.rule, "sync.no-frequency");
	r = repaired(&b);
	assert_int_equal(r->n, 2 * PER_GEN + 1);
	assert_int_equal(r->ev[PER_GEN + 2].time_ns - r->ev[PER_GEN + 1].time_ns, 64);
	wb_buf_free(&b);
}

/* The first generation borrows the rate of the second, and does so again when that one has been read before. */
static void a_borrowed_clock_is_the_same_in_every_pass(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" WORK("1") TABLES("1") "EndOfGeneration\n"
			     "EventBatch gen=2 m=-1 time=1200\nSync\nFrequency freq=250000000\n"
			     "ClockSnapshot dt=1 mono=99 sec=5 nsec=7\n" WORK("2") TABLES("2") "EndOfGeneration\n");
	wtr_options opt = { .damage = WTR_REPAIR };
	wtr_trace *t;
	assert_int_equal(wtr_open_bytes(b.at, b.n, &opt, &t, NULL), WTR_OK);
	for (int pass = 0; pass < 2; pass++) {
		wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
		const wtr_event *ev;
		size_t n = 0;
		int64_t first = 0, second = 0;
		for (size_t got; (got = wtr_next(c, &ev)) > 0; n += got) {
			first = n == 0 ? ev[1].time_ns : first;
			second = n == 0 ? ev[2].time_ns : second;
		}
		assert_int_equal(n, 2 * PER_GEN + 1);
		assert_int_equal(second - first, 4);
		wtr_cursor_close(c);
	}
	wtr_close(t);
	wb_buf_free(&b);
}

/* A byte of a batch header is wrong: the framing is lost, and found again at the next batch. */
static void a_broken_batch_in_the_middle_is_stepped_over(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") GEN("2") GEN("3"));
	size_t second = find(&b, "\x34", 1, 60) + 1;
	size_t strings = find(&b, "\x04\x05\x01\x05sleep", 9, second);
	size_t header = strings;
	while (memcmp(b.at + header, "\x01\x02\xff\xff", 4) != 0)
		header--;
	b.at[header] = 0x55;
	reading *r = as_go(&b);
	assert_int_not_equal(r->err.code, WTR_OK);
	assert_int_equal(r->n, PER_GEN + 1);
	r = repaired(&b);
	assert_int_equal(r->n, 3 * PER_GEN + 1);
	assert_true(r->diag_loss > 0);
	assert_int_equal(r->info.damage.generation, 2);
	wb_buf_free(&b);
}

/* An event that cannot be decoded costs the rest of its batch, and the next generation says again who runs where. */
static void a_broken_event_costs_its_batch(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") GEN("2"));
	size_t create = find(&b, "\x0e\x05\x15\x01\x01", 5, 0); /* GoCreate dt=5 new_g=21 */
	b.at[create] = 0x70;
	reading *r = as_go(&b);
	assert_string_equal(r->err.rule, "event.type");
	assert_int_equal(r->err.offset, create);
	assert_int_equal(r->err.thread, 7);
	assert_int_equal(r->err.generation, 1);
	r = repaired(&b);
	assert_int_equal(r->losses.batches, 1);
	assert_int_equal(r->n, 3 + PER_GEN + 1);
	wb_buf_free(&b);
}

/* An event that nothing explains is left out; one that waits for something lost is taken at its word. */
static void an_impossible_event_is_left_out(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" SYNC(
		"1") "EventBatch gen=1 m=7 time=1101\nProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=7 gstatus=2\n"
		     "GoStart dt=1 g=1 g_seq=9\nGoUnblock dt=1 g=5 g_seq=3 stack=0\nHeapAlloc dt=1 "
		     "heapalloc_value=7\nEndOfGeneration\n");
	reading *r = as_go(&b);
	assert_int_equal(r->err.code, WTR_E_ORDER);
	assert_string_equal(r->err.rule, "order.stuck");
	assert_string_equal(r->err.event, "GoStart");
	r = repaired(&b);
	assert_int_equal(r->losses.events, 1); /* the GoStart: its thread has a goroutine */
	assert_int_equal(r->n, 6); /* two Syncs, two statuses, GoUnblock of a goroutine unheard of, HeapAlloc */
	wb_buf_free(&b);
}

static void a_contradicting_status_wins(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") SYNC(
		"2") "EventBatch gen=2 m=7 time=1201\nGoStatus dt=1 g=1 m=-1 gstatus=4\nEndOfGeneration\n");
	assert_string_equal(as_go(&b)->err.rule, "order.go-status");
	reading *r = repaired(&b);
	assert_int_equal(r->n, PER_GEN + 3);
	const wtr_event *e = &r->ev[PER_GEN + 1];
	assert_int_equal(wtr_from(e), WTR_G_RUNNING);
	assert_int_equal(wtr_to(e), WTR_G_WAITING);
	wb_buf_free(&b);
}

/* Every single byte of a trace spoilt, both ways of reading: always an end, and never more events than bytes. */
static void any_spoilt_byte_is_survived(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.26\n" GEN("1") GEN("2"));
	static const char flips[] = { 0x01, (char)0x80, (char)0xff, 0x10 };
	size_t saved = 0, lost = 0;
	for (size_t i = 16; i < b.n; i++)
		for (size_t f = 0; f < sizeof(flips); f++) {
			b.at[i] ^= flips[f];
			size_t go = as_go(&b)->n, kept = repaired(&b)->n;
			saved += kept > go;
			lost += kept < go;
			b.at[i] ^= flips[f];
		}
	assert_true(saved > b.n);
	assert_int_equal(lost, 0);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_trace_is_the_same),
		cmocka_unit_test(a_torn_tail_is_shown),
		cmocka_unit_test(a_generation_without_a_clock_borrows_one),
		cmocka_unit_test(a_borrowed_clock_is_the_same_in_every_pass),
		cmocka_unit_test(a_broken_batch_in_the_middle_is_stepped_over),
		cmocka_unit_test(a_broken_event_costs_its_batch),
		cmocka_unit_test(an_impossible_event_is_left_out),
		cmocka_unit_test(a_contradicting_status_wins),
		cmocka_unit_test(any_spoilt_byte_is_survived),
	};
	return cmocka_run_group_tests_name("read/repair", tests, NULL, NULL);
}
