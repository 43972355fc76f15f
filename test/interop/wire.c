/* `weft dump --wire` and its footprint against Go's own, for every v2 trace of the corpus, broken ones included. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fmt/text.h"
#include "goproc.h"
#include "kit.h"

static bool to_buf(void *user, const char *at, size_t n)
{
	wb_buf_put(user, at, n);
	return true;
}

typedef void each_fn(const char *path, const uint8_t *at, size_t n, unsigned *same, unsigned *exempt);

/* Calls fn for each trace in the second container. */
static unsigned for_v2(each_fn *fn, unsigned *same, unsigned *exempt)
{
	size_t n_names;
	char *const *names = kit_trace_names(&n_names);
	unsigned traces = 0;
	for (size_t i = 0; i < n_names; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s.trace", getenv("WEFT_TEST_DATA"), names[i]);
		size_t n;
		uint8_t *at = kit_trace(names[i], &n);
		if (n >= 16 && memcmp(at, "go 1.2", 6) == 0 && at[6] >= '2' && at[6] <= '6') {
			traces++;
			fn(path, at, n, same, exempt);
		}
		free(at);
	}
	return traces;
}

/* Go's tables of older versions end before the alloc/free events that those versions wrote: it stops there. */
static bool go_knows_not(const wb_buf *err)
{
	return err->n > 20 && memmem(err->at, err->n, "invalid event type: 13", 22);
}

static void compare_wire(const char *path, const uint8_t *at, size_t n, unsigned *same, unsigned *exempt)
{
	wb_buf go = { 0 }, ours = { 0 }, err = { 0 };
	int status = go_ask("wire", path, &go, &err);
	wf_text_code rc = wf_text_wire(at, n, to_buf, &ours, NULL);
	if (go_knows_not(&err)) {
		++*exempt;
		assert_int_equal(rc, WF_TEXT_OK);
		assert_true(ours.n > go.n && memcmp(ours.at, go.at, go.n) == 0);
	} else {
		if (go.n != ours.n || (go.n && memcmp(go.at, ours.at, go.n) != 0))
			fail_msg("%s: not what Go prints", path);
		if (status != 0) /* a file may also end inside an event without Go's noticing */
			assert_int_equal(rc, WF_TEXT_BROKEN);
		++*same;
	}
	wb_buf_free(&go);
	wb_buf_free(&ours);
	wb_buf_free(&err);
}

static void compare_footprint(const char *path, const uint8_t *at, size_t n, unsigned *same, unsigned *exempt)
{
	wb_buf go = { 0 }, ours = { 0 }, err = { 0 };
	wf_footprint f;
	if (go_ask("footprint", path, &go, &err) != 0) {
		++*exempt;
	} else {
		wf_footprint_count(at, n, &f, NULL);
		for (unsigned i = 0; i < 256; i++)
			if (f.count[i])
				wb_buf_printf(&ours, "%u %llu %llu\n", i, (unsigned long long)f.count[i],
					(unsigned long long)f.bytes[i]);
		assert_string_equal(wb_buf_cstr(&ours), wb_buf_cstr(&go));
		++*same;
	}
	wb_buf_free(&go);
	wb_buf_free(&ours);
	wb_buf_free(&err);
}

static void wire(void **state)
{
	(void)state;
	unsigned same = 0, exempt = 0;
	assert_int_equal(for_v2(compare_wire, &same, &exempt), 190);
	print_message("# %u traces are byte for byte as Go prints them; Go cannot read %u\n", same, exempt);
	assert_int_equal(same, 187);
	assert_int_equal(exempt, 3);
}

static void footprint(void **state)
{
	(void)state;
	unsigned same = 0, exempt = 0;
	assert_int_equal(for_v2(compare_footprint, &same, &exempt), 190);
	print_message("# %u traces have the footprint that Go counts; Go gives none for %u\n", same, exempt);
	assert_int_equal(same, 174);
	assert_int_equal(exempt, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wire),
		cmocka_unit_test(footprint),
	};
	return cmocka_run_group_tests_name("interop/wire", tests, NULL, NULL);
}
