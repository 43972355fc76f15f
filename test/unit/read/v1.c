/* v1 traces, beside the hand-written ones of test/wire/v1: the two ways through the merge agree, tables and limits,
 * repair, and inputs made to take forever. */
#include "reader.h"

#include <stdlib.h>
#include <time.h>

#include "fmt/events.h"
#include "kit.h"

static void put_uv(wb_buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		wb_buf_putc(b, (char)(v | 0x80));
	wb_buf_putc(b, (char)v);
}

static wb_buf header(unsigned version)
{
	wb_buf b = { 0 };
	wb_buf_printf(&b, "go 1.%u trace", version);
	wb_buf_put(&b, "\0\0\0", 3);
	return b;
}

static void put_batch(wb_buf *b, uint64_t pid, uint64_t ts)
{
	wb_buf_putc(b, 0x41);
	put_uv(b, pid);
	put_uv(b, ts);
}

static void put_frequency(wb_buf *b)
{
	put_batch(b, 0, 0);
	wb_buf_putc(b, 0x02);
	put_uv(b, 1000000000);
}

/* ---- two ways, one order ---- */

typedef struct pass {
	wtr_code   opened, ended;
	uint64_t   n, hash;
	wtr_losses losses;
	wtr_info   info;
	wtr_error  err;
} pass;

static pass pass_of(const void *at, size_t n, wtr_damage damage)
{
	pass r = { .hash = 14695981039346656037u };
	wtr_options opt = { .damage = damage, .threads = 1 };
	wtr_trace *t;
	r.opened = wtr_open_bytes(at, n, &opt, &t, &r.err);
	if (r.opened != WTR_OK)
		return r;
	wtr_get_info(t, &r.info);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *ev;
	int64_t last = INT64_MIN;
	for (size_t k; (k = wtr_next(c, &ev)) > 0;)
		for (size_t i = 0; i < k; i++) {
			assert_true(ev[i].time_ns > last);
			last = ev[i].time_ns;
			const uint8_t *bytes = (const uint8_t *)&ev[i];
			for (size_t j = 0; j < sizeof(ev[i]); j++)
				r.hash = (r.hash ^ bytes[j]) * 1099511628211u;
			r.n++;
		}
	r.ended = wtr_cursor_error(c)->code;
	wtr_cursor_losses(c, &r.losses);
	wtr_cursor_close(c);
	wtr_close(t);
	return r;
}

/* A timer goroutine turns the fast way off; 300 procs more make picks wider; neither changes an event. */
static void every_way_gives_the_same(void **state)
{
	(void)state;
	size_t n_names, compared = 0;
	char *const *names = kit_trace_names(&n_names);
	for (size_t i = 0; i < n_names; i++) {
		if (strncmp(names[i], "go1.19-", 7) != 0 && strncmp(names[i], "go1.21-", 7) != 0)
			continue;
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		pass plain = pass_of(at, n, WTR_AS_GO);
		wb_buf b = { 0 };
		wb_buf_put(&b, at, n);
		put_batch(&b, 0, 0);
		wb_buf_putc(&b, 0x23); /* TimerGoroutine */
		put_uv(&b, UINT64_C(1) << 40);
		pass general = pass_of(b.at, b.n, WTR_AS_GO);
		if (plain.opened == WTR_OK) {
			assert_int_equal(general.opened, WTR_OK);
			assert_true(plain.n > 10);
			assert_int_equal(general.n, plain.n);
			assert_true(general.hash == plain.hash);
			for (unsigned p = 0; p < 300; p++)
				put_batch(&b, 1000 + p, 0);
			pass wide = pass_of(b.at, b.n, WTR_AS_GO);
			assert_int_equal(wide.n, plain.n);
			assert_true(wide.hash == plain.hash);
			pass repaired = pass_of(at, n, WTR_REPAIR); /* nothing to repair */
			assert_true(repaired.hash == plain.hash);
			assert_int_equal(repaired.losses.events, 0);
			assert_int_equal(repaired.losses.bytes, 0);
			compared++;
		}
		wb_buf_free(&b);
		free(at);
	}
	assert_int_equal(compared, 30);
}

/* ---- tables and limits ---- */

static void string_lengths(void **state)
{
	(void)state;
	for (size_t n = 999999; n <= 1000001; n++) {
		wb_buf b = header(21);
		put_batch(&b, 0, 1);
		wb_buf_putc(&b, 0x25);
		put_uv(&b, 7);
		put_uv(&b, n);
		memset(wb_buf_room(&b, n), 'x', n);
		b.n += n;
		put_frequency(&b);
		pass r = pass_of(b.at, b.n, WTR_AS_GO);
		assert_int_equal(r.opened, n <= 1000000 ? WTR_OK : WTR_E_FORMAT);
		if (r.opened)
			assert_string_equal(r.err.rule, "v1.string-length");
		wb_buf_free(&b);
	}
}

/* Messages of logs have ids of their own. */
static void log_messages(void **state)
{
	(void)state;
	wb_buf b =
		assembled("Trace Go1.21\nBatch p=0 time=1\nString id=5\n\tdata=\"key\"\n"
			  "UserLog dt=1 task=1 key_string=5 stack=0\n\tdata=\"first\"\nUserLog dt=1 task=1 "
			  "key_string=6 stack=0\n\tdata=\"\"\n"
			  "UserLog dt=1 task=1 key_string=0 stack=0\n\tdata=\"second\"\nFrequency freq=1000000000\n");
	wtr_trace *t;
	assert_int_equal(wtr_open_bytes(b.at, b.n, NULL, &t, NULL), WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	static const char *const texts[3][2] = { { "key", "first" }, { "", "" }, { "", "second" } };
	const wtr_event *ev;
	size_t seen = 0;
	for (size_t n; (n = wtr_next(c, &ev)) > 0;)
		for (size_t i = 0; i < n; i++) {
			if (ev[i].kind != WTR_KIND_LOG)
				continue;
			wtr_str s = wtr_string(t, ev[i].str), s2 = wtr_string(t, ev[i].str2);
			assert_true(s.n == strlen(texts[seen][0]) && memcmp(s.at, texts[seen][0], s.n) == 0);
			assert_true(s2.n == strlen(texts[seen][1]) && memcmp(s2.at, texts[seen][1], s2.n) == 0);
			seen++;
		}
	assert_int_equal(seen, 3);
	wtr_frame f;
	assert_int_equal(wtr_string(t, 1000).n, 0);
	assert_int_equal(wtr_stack(t, 1000, &f, 1), 0);
	wtr_cursor_close(c);
	wtr_close(t);
	wb_buf_free(&b);
}

/* Goroutines known only from their creation are told in the order of that. */
static void created_in_order(void **state)
{
	(void)state;
	wb_buf text = { 0 };
	wb_buf_puts(&text, "Trace Go1.21\nBatch p=0 time=1\n");
	for (unsigned i = 0; i < 50; i++)
		wb_buf_printf(&text, "GoCreate dt=1 new_g=%u new_stack=0 stack=0\n", 100 - i);
	wb_buf_puts(&text, "GoWaiting dt=1 g=77\nGomaxprocs dt=1 procs_value=4 stack=0\nFrequency freq=1000000000\n");
	wb_buf b = assembled(wb_buf_cstr(&text));
	reading *r = read_bytes(&b, NULL, NULL);
	assert_int_equal(r->n, 2 + 1 + 49);
	assert_int_equal(r->ev[1].id, 77);
	int64_t g = 100;
	for (size_t i = 2; i < 51; i++, g--) {
		g -= g == 77;
		assert_int_equal(r->ev[i].id, g);
		assert_int_equal(r->ev[i].detail, WTR_G_UNDETERMINED << 4 | WTR_G_RUNNABLE);
		assert_int_equal(r->ev[i].g, WTR_NONE);
	}
	wb_buf_free(&b);
	wb_buf_free(&text);
}

/* ---- repair ---- */

/* A torn trace gives all that is before the tear, and estimated times. */
static void torn_trace(void **state)
{
	(void)state;
	size_t n;
	uint8_t *at = kit_trace("go1.21-httpload", &n);
	pass whole = pass_of(at, n, WTR_AS_GO);
	uint64_t last = 0;
	for (size_t cut = 1000; cut < n; cut += n / 7) {
		assert_int_not_equal(pass_of(at, cut, WTR_AS_GO).opened, WTR_OK);
		pass r = pass_of(at, cut, WTR_REPAIR);
		assert_int_equal(r.opened, WTR_OK);
		assert_int_equal(r.ended, WTR_OK);
		assert_true(r.n >= last && r.n <= whole.n + 4);
		assert_int_not_equal(r.info.damage.code, WTR_OK);
		last = r.n;
	}
	assert_true(last > whole.n / 3);
	free(at);
}

/* A process that was killed: Go finds no order; here nearly everything can be had. */
static void killed_process(void **state)
{
	(void)state;
	static const char *const names[] = { "go1.19-crash-kill", "go1.21-crash-kill", "go1.21-crash-exit",
		"go1.21-crash-panic", "go1.21-cgocb" };
	for (size_t i = 0; i < 5; i++) {
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		assert_int_equal(pass_of(at, n, WTR_AS_GO).opened, WTR_E_ORDER);
		pass r = pass_of(at, n, WTR_REPAIR);
		assert_int_equal(r.opened, WTR_OK);
		assert_int_equal(r.ended, WTR_OK);
		assert_true(r.n > n / 20);
		assert_true(r.losses.events * 10 < r.n);
		free(at);
	}
}

/* A bad byte in the middle: the batch is given up, the next ones are read. */
static void bad_batch(void **state)
{
	(void)state;
	wb_buf b = assembled(
		"Trace Go1.21\nBatch p=0 time=1\nHeapAlloc dt=1 heapalloc_value=1\nBytes 00ffffff\nBatch p=0 time=10\n"
		"HeapAlloc dt=1 heapalloc_value=2\nHeapAlloc dt=1 heapalloc_value=3\nFrequency freq=1000000000\n");
	assert_int_equal(pass_of(b.at, b.n, WTR_AS_GO).opened, WTR_E_FORMAT);
	wtr_options opt = { .damage = WTR_REPAIR };
	reading *r = read_bytes(&b, &opt, NULL);
	assert_int_equal(r->opened, WTR_OK);
	assert_int_equal(r->n, 5);
	assert_int_equal(r->ev[3].value[0], 3);
	assert_int_equal(r->losses.batches, 1);
	assert_int_equal(r->losses.bytes, 4);
	assert_int_equal(r->info.lost_bytes, 4);
	assert_string_equal(r->info.damage.rule, "v1.event-type");
	wb_buf_free(&b);
}

/* Events that nothing explains are left out and counted, states are set right at the next start. */
static void events_left_out(void **state)
{
	(void)state;
	wb_buf b = assembled("Trace Go1.21\nBatch p=0 time=1\nGomaxprocs dt=1 procs_value=4 stack=0\nProcStart dt=1 "
			     "thread=3\nProcStart dt=1 thread=3\n"
			     "GoStart dt=1 g=9 g_seq=40\nGoBlock dt=1 stack=0\nGoBlock dt=1 stack=0\nFutileWakeup "
			     "dt=1\nFrequency freq=1000000000\n");
	wtr_options opt = { .damage = WTR_REPAIR };
	reading *r = read_bytes(&b, &opt, NULL);
	assert_int_equal(r->opened, WTR_OK);
	assert_int_equal(r->err.code, WTR_OK);
	assert_int_equal(r->n, 5); /* two Syncs, proc, start, block */
	assert_int_equal(r->ev[2].type, WF_EV_GO_START);
	assert_int_equal(r->ev[3].type, WF_EV_GO_BLOCK);
	assert_int_equal(r->losses.events, 3);
	assert_true(r->diag_loss >= 4);
	wb_buf_free(&b);
}

/* ---- made to take forever ---- */

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

enum { MANY = 100000 };

/* Very many procs, all waiting for the same goroutine: first none can go, then one after the other. */
static void many_procs(void **state)
{
	(void)state;
	wb_buf b = header(21);
	put_batch(&b, 0, 1);
	wb_buf_put(&b, "\xcd\x04\x01\x01\x00\x00", 6); /* GoCreate g=1 */
	for (unsigned i = 1; i <= MANY; i++) {
		put_batch(&b, i, 1 + i);
		wb_buf_puts(&b, "\x8e\x01\x01"); /* GoStart g=1 */
		put_uv(&b, i);
		wb_buf_puts(&b, "\x51\x01"); /* GoSched */
		wb_buf_putc(&b, 0);
	}
	put_frequency(&b);
	double start = seconds();
	pass r = pass_of(b.at, b.n, WTR_AS_GO);
	assert_true(r.opened == WTR_OK || r.opened == WTR_E_ORDER);
	assert_int_equal(pass_of(b.at, b.n, WTR_REPAIR).opened, WTR_OK);
	b.n = 0;
	wb_buf_put(&b, "go 1.21 trace\0\0\0", 16);
	for (unsigned i = 1; i <= MANY; i++) { /* nothing of this can be ordered */
		put_batch(&b, i, MANY - i);
		wb_buf_puts(&b, "\x8e\x01\x01\x07\x8e\x01\x01\x09");
	}
	put_frequency(&b);
	assert_int_equal(pass_of(b.at, b.n, WTR_AS_GO).opened, WTR_E_ORDER);
	assert_int_equal(pass_of(b.at, b.n, WTR_REPAIR).opened, WTR_OK);
	assert_true(seconds() - start < 60); /* takes about one */
	wb_buf_free(&b);
}

/* GoSysExits that move to the front one after the other. */
static void many_moves(void **state)
{
	(void)state;
	wb_buf b = header(21);
	put_batch(&b, 0, 1);
	for (unsigned g = 1; g <= MANY; g++) {
		uint8_t id[10];
		wb_buf a = { 0 };
		put_uv(&a, g);
		memcpy(id, a.at, a.n);
		wb_buf_printf(&b, "\xcd%c\x01", (int)a.n + 3);
		wb_buf_put(&b, id, a.n);
		wb_buf_put(&b, "\0\0", 2);
		wb_buf_puts(&b, "\x60"); /* GoInSyscall */
		wb_buf_putc(&b, 0);
		wb_buf_put(&b, id, a.n);
		wb_buf_free(&a);
	}
	for (unsigned g = MANY; g >= 1; g--) {
		wb_buf a = { 0 };
		put_uv(&a, 1);
		put_uv(&a, g);
		put_uv(&a, 2);
		put_uv(&a, UINT64_C(200000) + g);
		wb_buf_printf(&b, "\xdd%c", (int)a.n);
		wb_buf_put(&b, a.at, a.n);
		wb_buf_free(&a);
	}
	put_batch(&b, 0, 1000000);
	put_frequency(&b);
	double start = seconds();
	pass r = pass_of(b.at, b.n, WTR_AS_GO);
	assert_true(r.opened == WTR_OK || r.opened == WTR_E_ORDER);
	assert_true(seconds() - start < 30);
	wb_buf_free(&b);
}

/* ---- the rest ---- */

static bool stop(void *user, const char *doing, uint64_t done, uint64_t total)
{
	assert_true(*doing && done <= total);
	return ++*(int *)user < 3;
}

static void progress_can_stop(void **state)
{
	(void)state;
	wb_buf b = header(21);
	put_batch(&b, 0, 1);
	size_t n = 20 << 20;
	char *room = wb_buf_room(&b, n);
	for (size_t i = 0; i < n; i += 2)
		memcpy(room + i, "\x08\x01", 2); /* GCDone */
	b.n += n;
	put_frequency(&b);
	int calls = 0;
	wtr_options opt = { .progress = stop, .progress_user = &calls };
	wtr_trace *t;
	wtr_error err;
	assert_int_equal(wtr_open_bytes(b.at, b.n, &opt, &t, &err), WTR_E_IO);
	assert_int_equal(calls, 3);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_gives_the_same),
		cmocka_unit_test(string_lengths),
		cmocka_unit_test(log_messages),
		cmocka_unit_test(created_in_order),
		cmocka_unit_test(torn_trace),
		cmocka_unit_test(killed_process),
		cmocka_unit_test(bad_batch),
		cmocka_unit_test(events_left_out),
		cmocka_unit_test(many_procs),
		cmocka_unit_test(many_moves),
		cmocka_unit_test(progress_can_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
