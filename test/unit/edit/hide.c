/* Names that are hidden, and names that stay; and traces in which only the texts differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <wtr/edit.h>

#include "edit/hide.h"
#include "fmt/events.h"
#include "kit.h"

static void becomes(we_hide *h, const char *text, const char *want)
{
	wb_buf b = { 0 };
	we_hide_put(h, text, strlen(text), &b);
	assert_string_equal(wb_buf_cstr(&b), want);
	wb_buf_free(&b);
}

static void use(we_hide *h, const char *text, unsigned uses)
{
	we_hide_use(h, text, strlen(text), uses);
}

static void functions(void **state)
{
	(void)state;
	we_hide *h = we_hide_new();
	static const char *const texts[] = { "runtime.gcStart", "net/http.(*conn).serve", "main.main",
		"main.(*server).handle.func1", "example.com/shop/cart.(*Cart).Add", "main.handle.gowrap2",
		"slices.SortFunc[...]", "slices.SortFunc[main.Order]", "timetable.Run" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		use(h, texts[i], WE_USE_FUNC);
	becomes(h, "runtime.gcStart", "runtime.gcStart");
	becomes(h, "net/http.(*conn).serve", "net/http.(*conn).serve");
	becomes(h, "main.main", "main.main");
	becomes(h, "main.(*server).handle.func1", "main.(*n1).n2.func1");
	becomes(h, "main.handle.gowrap2", "main.n2.gowrap2");
	becomes(h, "example.com/shop/cart.(*Cart).Add", "n3.n4/n5/n6.(*n7).n8");
	becomes(h, "slices.SortFunc[...]", "slices.SortFunc[...]");
	becomes(h, "slices.SortFunc[main.Order]", "slices.SortFunc[main.n9]");
	becomes(h, "timetable.Run", "n10.n11");
	we_hide_free(h);
}

static void other_texts(void **state)
{
	(void)state;
	we_hide *h = we_hide_new();
	use(h, "/home/ann/go/src/runtime/proc.go", WE_USE_STD_FILE);
	use(h, "runtime/proc.go", WE_USE_STD_FILE);
	use(h, "/home/ann/shop/cart.go", WE_USE_FILE);
	use(h, "chan receive", WE_USE_RUNTIME);
	use(h, "GC (dedicated)", WE_USE_LABEL);
	use(h, "Ann's label", WE_USE_LABEL);
	use(h, "order 17", WE_USE_SAID);
	becomes(h, "/home/ann/go/src/runtime/proc.go", "$GOROOT/src/runtime/proc.go");
	becomes(h, "runtime/proc.go", "runtime/proc.go");
	becomes(h, "/home/ann/shop/cart.go", "/n1/n2/n3/n4.go");
	becomes(h, "chan receive", "chan receive");
	becomes(h, "GC (dedicated)", "GC (dedicated)");
	becomes(h, "Ann's label", "s1");
	becomes(h, "order 17", "s2");
	becomes(h, "never told", "s3");
	becomes(h, "order 17", "s2");
	becomes(h, "", "");
	we_hide_free(h);
}

static bool append(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

static void put_numbers(wb_buf *b, const void *at, size_t n, wtr_error *ret)
{
	wtr_options opt = { .threads = 1 };
	wtr_trace *t = NULL;
	if (wtr_open_bytes(at, n, &opt, &t, ret) != WTR_OK)
		return;
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t k; (k = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < k; i++) {
			wtr_frame f[128];
			size_t frames = wtr_stack(t, e[i].stack, f, 128);
			wb_buf_printf(b, "%lld %d %lld %lld %lld %lld %d %zu:", (long long)e[i].time_ns, e[i].type,
				(long long)e[i].m, (long long)e[i].p, (long long)e[i].g, (long long)e[i].id,
				e[i].detail, frames);
			for (size_t j = 0; j < frames && j < 128; j++)
				wb_buf_printf(b, " %llu", (unsigned long long)f[j].line);
			wb_buf_putc(b, '\n');
		}
	*ret = *wtr_cursor_error(c);
	wtr_cursor_close(c);
	wtr_close(t);
}

static void only_texts_change(void **state)
{
	(void)state;
	size_t n;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		if (strstr(names[i], "-cut") || strstr(names[i], "-bad") || strncmp(names[i], "bad", 3) == 0)
			continue;
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), names[i]);
		size_t bytes;
		uint8_t *at = kit_trace(names[i], &bytes);
		wb_buf made = { 0 }, want = { 0 }, have = { 0 };
		wtr_error a = { 0 }, b = { 0 };
		assert_int_equal(wtr_anonymize(path, NULL, append, &made, NULL, NULL), WTR_OK);
		put_numbers(&want, at, bytes, &a);
		put_numbers(&have, made.at, made.n, &b);
		assert_int_equal(a.code, b.code);
		assert_int_equal(want.n, have.n);
		assert_memory_equal(want.at, have.at, want.n);
		free(at);
		wb_buf_free(&made);
		wb_buf_free(&want);
		wb_buf_free(&have);
	}
}

static bool holds(const wb_buf *b, const char *text)
{
	return memmem(b->at, b->n, text, strlen(text)) != NULL;
}

/* Words of the test programs that must not be left anywhere, in whole or torn traces. */
static void nothing_is_left(void **state)
{
	(void)state;
	static const char *const words[] = { "traceprogs", "handleSlow", "handleFast", "long running", "check stock",
		"lognormal", "main.pingPong", "sieve", "main.order", "shipping" };
	size_t n, there = 0;
	char *const *names = kit_trace_names(&n);
	for (size_t i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), names[i]);
		wb_buf made = { 0 };
		wtr_anonymize(path, NULL, append, &made, NULL, NULL);
		size_t bytes;
		uint8_t *at = kit_trace(names[i], &bytes);
		wb_buf before = { .at = (char *)at, .n = bytes };
		for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++) {
			there += bytes && holds(&before, words[k]);
			if (made.n && holds(&made, words[k]))
				fail_msg("%s still has %s", names[i], words[k]);
		}
		free(at);
		wb_buf_free(&made);
	}
	assert_true(there > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions),
		cmocka_unit_test(other_texts),
		cmocka_unit_test(only_texts_change),
		cmocka_unit_test(nothing_is_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
