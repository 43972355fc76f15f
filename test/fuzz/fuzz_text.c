/* The text form: bytes -> text -> the same bytes, and text -> bytes -> text -> the same bytes, whatever comes in. */
#include <string.h>

#include "fmt/text.h"
#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16, TEXT_MAX = 64 << 20 };

static bool append(void *user, const char *at, size_t n)
{
	wb_buf *b = user;
	wb_buf_put(b, at, n);
	return !b->failed && b->n < TEXT_MAX;
}

static bool ignore(void *user, const char *at, size_t n)
{
	(void)user;
	(void)at;
	(void)n;
	return true;
}

static void there_and_back(const void *data, size_t n)
{
	wb_buf text = { 0 }, again = { 0 };
	wf_text_error err = { 0 };
	wf_text_code rc = wf_text_dump(data, n, &(wf_text_options){ .bytes = true }, append, &text, &err);
	kit_check(rc == WF_TEXT_OK || rc == WF_TEXT_BROKEN || rc == WF_TEXT_STOPPED);
	if (rc != WF_TEXT_STOPPED) {
		kit_check(wf_text_assemble(text.at, text.n, &again, &err) == WF_TEXT_OK);
		kit_check(again.n == n);
		kit_check(n == 0 || memcmp(again.at, data, n) == 0);
	}
	wb_buf_free(&text);
	wb_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > INPUT_MAX)
		return -1;
	there_and_back(data, n);
	wf_text_error err = { 0 };
	wf_text_wire(data, n, ignore, NULL, &err);
	wf_footprint foot;
	wf_footprint_count(data, n, &foot, &err);

	wb_buf bytes = { 0 };
	wf_text_code rc = wf_text_assemble((const char *)data, n, &bytes, &err);
	if (rc == WF_TEXT_OK)
		there_and_back(bytes.at, bytes.n);
	else
		kit_check(bytes.n == 0 && err.line >= 1 && err.what[0]);
	wb_buf_free(&bytes);
	return 0;
}
