/* Events for people: one line each, whatever a trace says in its texts. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include <wtr/object.h>

#include "base/alloc.h"
#include "fmt/events.h"
#include "out/eventtext.h"

/* ---- a trace that is only its tables (instead of read/trace.c) ---- */

#define STR(s) { (s), sizeof(s) - 1 }
static const wtr_str strings[] = { STR(""), STR("chan receive"), STR("\033]0;title\007\nM1 forged"), STR("\xff") };

wtr_str wtr_string(const wtr_trace *t, uint32_t id)
{
	(void)t;
	return id < sizeof(strings) / sizeof(*strings) ? strings[id] : strings[0];
}

/* Stack 1: the runtime below the program.  2: hostile names.  3: Go's stand-in.  4: the runtime alone.  5: too deep. */
size_t wtr_stack(const wtr_trace *t, uint32_t id, wtr_frame *ret, size_t n)
{
	static const wtr_frame frames[][3] = {
		{ { 0 } },
		{ { 1, STR("runtime.gopark"), STR("runtime/proc.go"), 9 },
			{ 2, STR("internal/poll.(*FD).Read"), STR("internal/poll/fd.go"), 8 },
			{ 3, STR("main.main"), STR("a/b/main.go"), 7 } },
		{ { 1, STR("f\n\033[2J"), STR("x/\r.go"), 1 } },
		{ { 0, STR(""), STR(""), 0 } },
		{ { 1, STR("runtime.mallocgc"), STR("malloc.go"), 5 },
			{ 1, STR("runtime.newobject"), STR("malloc.go"), 6 } },
	};
	static const size_t have[] = { 0, 3, 1, 1, 2, 1000 };
	(void)t;
	for (size_t i = 0; i < have[id] && i < n; i++)
		ret[i] = id < 5 ? frames[id][i] : (wtr_frame){ 1, STR("main.deep"), STR("deep.go"), i };
	return have[id];
}

size_t wtr_wait_objects(const wtr_trace *t, uint32_t wait, wtr_object *ret, size_t n)
{
	static const wtr_object lock = { .id = 0x10, .holder = 12, .kind = WTR_OBJECT_MUTEX };
	static const wtr_object channels[] = {
		{ .id = 0x20, .attr = 4, .holder = WTR_NONE, .kind = WTR_OBJECT_CHAN, .send = 1 },
		{ .id = 0x30, .holder = WTR_NONE, .kind = WTR_OBJECT_CHAN },
	};
	(void)t;
	size_t have = wait == 1 ? 1 : wait == 2 ? 2 : 0;
	for (size_t i = 0; i < have && i < n; i++)
		ret[i] = wait == 1 ? lock : channels[i];
	return have;
}

bool wtr_get_generation(wtr_trace *t, size_t i, wtr_generation *ret)
{
	(void)t;
	(void)i;
	*ret = (wtr_generation){ 0 };
	return true;
}

#define CTX .m = 7, .p = 0, .g = 1, .time_ns = 1000000005
#define HEAD "1.000000000  M7     P0  G1      "

static void prints(wtr_event e, const char *want)
{
	wb_buf b = { 0 };
	out_event_text(&b, NULL, &e, 5, NULL);
	assert_string_equal(wb_buf_cstr(&b), want);
	wb_buf_free(&b);
}

static void says_where(void **state)
{
	(void)state;
	wtr_event e = { CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_BLOCK, .resource = WTR_RES_GOROUTINE,
		.id = 1, .detail = WTR_G_RUNNING << 4 | WTR_G_WAITING, .str = 1, .stack = 1, .transition_stack = 1 };
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)  at main.main main.go:7");
	e.stack = 4; /* nothing else there */
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)  at runtime.mallocgc malloc.go:5");
	e.stack = 3;
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)");
	e.stack = 5;
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)  at main.deep deep.go:0");
	e.stack = 0;
	e.m = e.p = e.g = WTR_NONE;
	prints(e, "1.000000000  -      -   -       GoBlock            G1 Running->Waiting  (chan receive)");
}

static void says_what_for(void **state)
{
	(void)state;
	wtr_event e = { CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_BLOCK, .resource = WTR_RES_GOROUTINE,
		.id = 1, .detail = WTR_G_RUNNING << 4 | WTR_G_WAITING, .str = 1, .wait = 1 };
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)  mutex 0x10, held by G12");
	e.wait = 2;
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)  channel 0x20 (cap 4, full) or channel "
		       "0x30 (unbuffered, nobody sends)");
	e.wait = 3; /* not known */
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (chan receive)");
	e.wait = WTR_PROC_TAKEN;
	e.str = 0;
	prints(e, HEAD "GoBlock            G1 Running->Waiting  (no system call: its proc was taken)");
}

static void texts_cannot_forge_lines(void **state)
{
	(void)state;
	prints((wtr_event){ CTX, .kind = WTR_KIND_LOG, .type = WF_EV_USER_LOG, .id = 3, .str = 3, .str2 = 2,
		       .stack = 2 },
		HEAD "UserLog            \\xff: \\x1b]0;title\\a\\nM1 forged  task 3  at f\\n\\x1b[2J \\r.go:1");
	wb_buf b = { 0 };
	for (unsigned kind = 0; kind <= WTR_KIND_COUNT; kind++)
		for (unsigned type = 0; type < 256; type++) {
			wtr_event e = { CTX, .kind = (uint8_t)kind, .type = (uint8_t)type, .resource = 1,
				.detail = (uint8_t)type, .str = 2, .str2 = 2, .stack = 2, .transition_stack = 2 };
			b.n = 0;
			out_event_text(&b, NULL, &e, 0, NULL);
			for (size_t i = 0; i < b.n; i++)
				assert_true((uint8_t)b.at[i] >= ' ');
		}
	wb_buf_free(&b);
}

static void stacks(void **state)
{
	(void)state;
	wb_buf b = { 0 };
	wtr_event e = { CTX, .kind = WTR_KIND_STATE_TRANSITION, .type = WF_EV_GO_CREATE, .resource = WTR_RES_GOROUTINE,
		.id = 8, .stack = 1, .transition_stack = 2 };
	out_event_stacks(&b, NULL, &e);
	assert_string_equal(wb_buf_cstr(&b),
		"    G8 stack\n        f\\n\\x1b[2J  x/\\r.go:1\n"
		"    stack\n        runtime.gopark  runtime/proc.go:9\n        internal/poll.(*FD).Read  "
		"internal/poll/fd.go:8\n        main.main  a/b/main.go:7\n");
	b.n = 0;
	e.transition_stack = 1; /* the same: once is enough */
	out_event_stacks(&b, NULL, &e);
	assert_string_equal(
		wb_buf_cstr(&b), "    stack\n        runtime.gopark  runtime/proc.go:9\n        "
				 "internal/poll.(*FD).Read  internal/poll/fd.go:8\n        main.main  a/b/main.go:7\n");
	wb_buf_free(&b);
}

/* Any event makes a whole object. */
static void json_is_whole(void **state)
{
	(void)state;
	for (unsigned kind = 0; kind <= WTR_KIND_COUNT; kind++) {
		wb_buf b = { 0 };
		out_json j;
		wtr_event e = { CTX, .kind = (uint8_t)kind, .type = WF_EV_SPAN, .resource = 7, .detail = 255, .str = 2,
			.str2 = 3, .stack = 5 };
		out_json_to_buf(&j, &b, 0);
		out_event_json(&j, NULL, &e, 0, true);
		assert_true(out_json_done(&j));
		assert_true(b.n > 100 && b.at[0] == '{' && memchr(b.at, 033, b.n) == NULL &&
			    memchr(b.at, '\n', b.n) == NULL);
		wb_buf_free(&b);
	}
}

static void survives_no_memory(void **state)
{
	(void)state;
	wtr_event e = { CTX, .kind = WTR_KIND_LOG, .type = WF_EV_USER_LOG, .id = 3, .str = 3, .str2 = 2, .stack = 5 };
	wb_fault_arm(1, true);
	wb_buf b = { 0 };
	out_event_text(&b, NULL, &e, 0, NULL);
	out_event_stacks(&b, NULL, &e);
	wb_fault_arm(0, false);
	assert_true(b.failed);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where),
		cmocka_unit_test(says_what_for),
		cmocka_unit_test(texts_cannot_forge_lines),
		cmocka_unit_test(stacks),
		cmocka_unit_test(json_is_whole),
		cmocka_unit_test(survives_no_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
