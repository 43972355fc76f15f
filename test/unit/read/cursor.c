/* Cursors: filters, threads, releasing, stopping. */
#include "reader.h"

#include "base/alloc.h"
#include "read/cursor.h"

/* Two goroutines that hand a value to and fro on one thread, over many generations. */
static wb_buf many_generations(unsigned gens, unsigned rounds)
{
	wb_buf t = { 0 };
	wb_buf_puts(&t, "Trace Go1.26\n");
	for (unsigned g = 1; g <= gens; g++) {
		uint64_t time = 1000000 * g;
		wb_buf_printf(&t,
			"EventBatch gen=%u m=-1 time=%llu\nSync\nFrequency freq=15625000\nClockSnapshot dt=1 mono=%u "
			"sec=5 nsec=7\n",
			g, (unsigned long long)time, g);
		wb_buf_printf(&t,
			"EventBatch gen=%u m=7 time=%llu\nProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=7 "
			"gstatus=2\nGoStatus dt=1 g=2 m=-1 gstatus=4\n",
			g, (unsigned long long)time + 10);
		for (unsigned i = 0; i < rounds; i++) {
			unsigned running = 1 + i % 2, other = 3 - running;
			wb_buf_printf(&t,
				"GoUnblock dt=2 g=%u g_seq=%u stack=1\nGoBlock dt=2 reason_string=1 stack=1\nGoStart "
				"dt=3 g=%u g_seq=%u\n",
				other, i / 2 * 2 + 1, other, i / 2 * 2 + 2);
		}
		/* an even number of rounds leaves goroutine 1 running */
		wb_buf_printf(&t,
			"EventBatch gen=%u m=-1 time=%llu\nStacks\nStack id=1 nframes=1\n\tpc=%u func=2 file=0 "
			"line=3\n",
			g, (unsigned long long)time, g);
		wb_buf_printf(&t,
			"EventBatch gen=%u m=-1 time=%llu\nStrings\nString id=1\n\tdata=\"reason %u\"\nString "
			"id=2\n\tdata=\"main.f%u\"\nEndOfGeneration\n",
			g, (unsigned long long)time, g, g);
	}
	wb_buf b = assembled(wb_buf_cstr(&t));
	wb_buf_free(&t);
	return b;
}

/* Strings and stacks are those of their own generation, on any number of threads. */
static void tables_belong_to_their_generation(void **state)
{
	(void)state;
	wb_buf b = many_generations(40, 8);
	for (int threads = 1; threads <= 4; threads++)
		for (int keep = 0; keep < 2; keep++) {
			wtr_options opt = { .threads = threads, .keep_tables = keep };
			wtr_trace *t;
			assert_int_equal(wtr_open_bytes(b.at, b.n, &opt, &t, NULL), WTR_OK);
			wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
			const wtr_event *ev;
			unsigned gen = 0, blocks = 0;
			uint32_t first_reason = 0;
			int64_t last = INT64_MIN;
			for (size_t n; (n = wtr_next(c, &ev)) > 0;)
				for (size_t i = 0; i < n; i++) {
					assert_true(ev[i].time_ns > last);
					last = ev[i].time_ns;
					if (ev[i].kind == WTR_KIND_SYNC && ev[i].value[0])
						gen = (unsigned)ev[i].value[0];
					if (ev[i].kind != WTR_KIND_STATE_TRANSITION || !ev[i].str)
						continue;
					char want[32];
					int w = snprintf(want, sizeof(want), "reason %u", gen);
					wtr_str s = wtr_string(t, ev[i].str);
					assert_int_equal(s.n, w);
					assert_memory_equal(s.at, want, (size_t)w);
					wtr_frame f;
					assert_int_equal(wtr_stack(t, ev[i].stack, &f, 1), 1);
					assert_int_equal(f.pc, gen);
					w = snprintf(want, sizeof(want), "main.f%u", gen);
					assert_memory_equal(f.func.at, want, (size_t)w);
					first_reason = first_reason ? first_reason : ev[i].str;
					blocks++;
				}
			assert_int_equal(wtr_cursor_error(c)->code, WTR_OK);
			assert_int_equal(blocks, 40 * 8);
			/* Long after its generation: still there, or gone, but never something else. */
			assert_int_equal(wtr_string(t, first_reason).n, keep ? 8 : 0);
			wtr_cursor_close(c);
			wtr_close(t);
		}
	wb_buf_free(&b);
}

static void cursors_of_one_trace_do_not_disturb_each_other(void **state)
{
	(void)state;
	wb_buf b = many_generations(6, 4);
	wtr_trace *t;
	assert_int_equal(wtr_open_bytes(b.at, b.n, NULL, &t, NULL), WTR_OK);
	wtr_cursor *a = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *ev;
	size_t all = 0, again = 0;
	for (size_t n; (n = wtr_next(a, &ev)) > 0; all += n) {
		wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
		again = 0;
		const wtr_event *ev2;
		for (size_t k; (k = wtr_next(c, &ev2)) > 0;)
			again += k;
		wtr_cursor_close(c);
	}
	assert_int_equal(all, again);
	wtr_cursor_close(a);
	wtr_close(t);
	wb_buf_free(&b);
}

static size_t count(const wb_buf *b, wtr_filter f)
{
	reading *r = read_bytes(b, NULL, &f);
	assert_int_equal(r->err.code, WTR_OK);
	return r->n;
}

static void filters_choose(void **state)
{
	(void)state;
	wb_buf b = many_generations(2, 4);
	reading whole = *read_bytes(&b, NULL, NULL);
	assert_int_equal(whole.n, count(&b, (wtr_filter){ 0 }));
	assert_int_equal(count(&b, (wtr_filter){ .kinds = 1u << WTR_KIND_SYNC }), 3);
	assert_int_equal(count(&b, (wtr_filter){ .has_type = true, .type = 16 }), 8); /* GoStart */
	assert_int_equal(count(&b, (wtr_filter){ .has_p = true, .p = 0 }), whole.n - 3 - 2 + 2);
	assert_int_equal(count(&b, (wtr_filter){ .has_m = true, .m = 8 }), 0);
	int64_t from = whole.ev[5].time_ns, to = whole.ev[11].time_ns;
	assert_int_equal(count(&b, (wtr_filter){ .has_from = true, .from_ns = from, .has_to = true, .to_ns = to }), 6);
	size_t g2 = 0;
	for (size_t i = 0; i < whole.n; i++)
		g2 += whole.ev[i].g == 2 || (whole.ev[i].resource == WTR_RES_GOROUTINE && whole.ev[i].id == 2);
	assert_int_equal(count(&b, (wtr_filter){ .has_g = true, .g = 2 }), g2);
	wb_buf_free(&b);
}

static bool stop_at_once(void *user, const char *doing, uint64_t done, uint64_t total)
{
	assert_true(*doing && done <= total);
	++*(int *)user;
	return false;
}

static void progress_can_stop(void **state)
{
	(void)state;
	wb_buf b = many_generations(2, 4);
	int calls = 0;
	wtr_options opt = { .progress = stop_at_once, .progress_user = &calls };
	reading *r = read_bytes(&b, &opt, NULL);
	assert_int_equal(r->err.code, WTR_E_IO);
	assert_string_equal(r->err.rule, "cancelled");
	assert_int_equal(calls, 1);
	wb_buf_free(&b);
}

/* Fails each allocation of opening and reading in turn, with and without helpers. */
static void each_failed_allocation_is_survived(void **state)
{
	(void)state;
	wb_buf b = many_generations(3, 2);
	size_t whole = read_bytes(&b, NULL, NULL)->n;
	for (uint64_t nth = 1;; nth++) {
		assert_true(nth < 3000);
		wtr_options opt = { .threads = 1 };
		wtr_trace *t = NULL;
		wtr_error err = { 0 };
		size_t all = 0;
		wb_fault_arm(nth, false);
		wtr_code rc = wtr_open_bytes(b.at, b.n, &opt, &t, &err);
		wtr_cursor *c = rc == WTR_OK ? wtr_cursor_open(t, NULL, &err) : NULL;
		const wtr_event *ev;
		for (size_t n; c && (n = wtr_next(c, &ev)) > 0; all += n)
			;
		wb_fault_arm(0, false);
		if (c && wtr_cursor_error(c)->code != WTR_OK)
			err = *wtr_cursor_error(c);
		wtr_cursor_close(c);
		wtr_close(t);
		if (err.code == WTR_OK) {
			assert_int_equal(all, whole);
			break;
		}
		assert_int_equal(err.code, WTR_E_NOMEM);
	}
	wb_buf_free(&b);
}

static void validating_is_stricter(void **state)
{
	(void)state;
	wb_buf good = many_generations(3, 2);
	wtr_trace *t;
	wtr_error err;
	assert_int_equal(wtr_open_bytes(good.at, good.n, NULL, &t, NULL), WTR_OK);
	assert_int_equal(wtr_validate(t, &err), WTR_E_FORMAT); /* the wall clock stands still */
	assert_string_equal(err.rule, "valid.clock");
	wtr_close(t);
	wb_buf_free(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_belong_to_their_generation),
		cmocka_unit_test(cursors_of_one_trace_do_not_disturb_each_other),
		cmocka_unit_test(filters_choose),
		cmocka_unit_test(progress_can_stop),
		cmocka_unit_test(each_failed_allocation_is_survived),
		cmocka_unit_test(validating_is_stricter),
	};
	return cmocka_run_group_tests_name("read/cursor", tests, NULL, NULL);
}
