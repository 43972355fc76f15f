/* edit/hide.c - see hide.h. */
#include "edit/hide.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/intern.h"
#include "base/vec.h"

struct we_hide {
	wb_intern texts;      /* whose uses are known */
	WB_VEC(uint8_t) uses; /* of each */
	wb_intern names;      /* identifiers that were replaced; their number is the new one */
	wb_intern said;       /* texts of the program that were replaced */
	bool failed;
};

static const char *const std_words[] = {
#define STD(word) word,
#include "edit/std.def"
};

/* What the collector labels its workers with. */
static const char gc_label[] = "GC (";

we_hide *we_hide_new(void)
{
	return wb_calloc(1, sizeof(we_hide));
}

void we_hide_free(we_hide *h)
{
	if (!h)
		return;
	wb_intern_free(&h->texts);
	wb_intern_free(&h->names);
	wb_intern_free(&h->said);
	wb_vec_free(&h->uses);
	wb_free(h);
}

bool we_hide_failed(const we_hide *h)
{
	return h->failed;
}

void we_hide_use(we_hide *h, const void *at, size_t n, unsigned uses)
{
	uint32_t i = wb_intern_add(&h->texts, at, n);
	if (i == WB_INTERN_NONE) {
		h->failed = true;
		return;
	}
	while (h->uses.n <= i)
		if (!wb_vec_add(&h->uses, 0)) {
			h->failed = true;
			return;
		}
	h->uses.at[i] |= (uint8_t)uses;
}

bool we_is_std(const char *func, size_t n)
{
	size_t word = 0;
	while (word < n && func[word] != '/' && func[word] != '.')
		word++;
	for (size_t i = 0; i < sizeof(std_words) / sizeof(*std_words); i++)
		if (strlen(std_words[i]) == word && memcmp(std_words[i], func, word) == 0)
			return true;
	return false;
}

static void put_number(we_hide *h, wb_intern *of, const char *at, size_t n, char letter, wb_buf *out)
{
	uint32_t i = wb_intern_add(of, at, n);
	h->failed |= i == WB_INTERN_NONE;
	wb_buf_putc(out, letter);
	wb_buf_u64(out, i == WB_INTERN_NONE ? 0 : i);
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Words that say nothing of a program: main, init, func12, numbers. */
static bool harmless(const char *at, size_t n)
{
	static const char *const words[] = { "main", "init", "glob", "gowrap", "deferwrap", "func", "go" };
	size_t letters = n;
	while (letters && isdigit((unsigned char)at[letters - 1]))
		letters--;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strlen(words[i]) == letters && memcmp(words[i], at, letters) == 0)
			return true;
	return letters == 0;
}

/* Replaces every name in a text, and keeps what stands between them. */
static void put_shape(we_hide *h, const char *at, size_t n, wb_buf *out)
{
	for (size_t i = 0; i < n;) {
		size_t k = i;
		while (k < n && in_name(at[k]))
			k++;
		if (k == i)
			wb_buf_putc(out, at[i++]);
		else if (harmless(at + i, k - i))
			wb_buf_put(out, at + i, k - i);
		else
			put_number(h, &h->names, at + i, k - i, 'n', out);
		i = k > i ? k : i;
	}
}

/* Type parameters may stand in a standard function's name: their types are the program's. */
static void put_func(we_hide *h, const char *at, size_t n, wb_buf *out)
{
	if (!we_is_std(at, n)) {
		put_shape(h, at, n, out);
		return;
	}
	const char *bracket = memchr(at, '[', n);
	size_t plain = bracket ? (size_t)(bracket - at) : n;
	wb_buf_put(out, at, plain);
	if (plain < n && memcmp(bracket, "[...]", n - plain < 5 ? n - plain : 5) != 0)
		put_shape(h, bracket, n - plain, out);
	else
		wb_buf_put(out, at + plain, n - plain);
}

static const char *find_last(const char *at, size_t n, const char *what, size_t m)
{
	for (size_t i = n; i-- > 0;)
		if (i + m <= n && memcmp(at + i, what, m) == 0)
			return at + i;
	return NULL;
}

/* Where Go is installed is nobody's business either. */
static void put_std_file(const char *at, size_t n, wb_buf *out)
{
	const char *src = at[0] == '/' ? find_last(at, n, "/src/", 5) : NULL;
	if (src) {
		wb_buf_puts(out, "$GOROOT");
		wb_buf_put(out, src, (size_t)(at + n - src));
	} else {
		wb_buf_put(out, at, n);
	}
}

static void put_file(we_hide *h, const char *at, size_t n, wb_buf *out)
{
	const char *dot = find_last(at, n, ".", 1);
	size_t end = dot && (size_t)(at + n - dot) <= 4 ? (size_t)(dot - at) : n; /* .go, .s, .c */
	put_shape(h, at, end, out);
	wb_buf_put(out, at + end, n - end);
}

void we_hide_put(we_hide *h, const void *data, size_t n, wb_buf *out)
{
	const char *at = data;
	uint32_t i = wb_intern_get(&h->texts, at, n);
	unsigned uses = i < h->uses.n ? h->uses.at[i] : 0;
	bool collector =
		uses & WE_USE_LABEL && n >= sizeof(gc_label) - 1 && memcmp(at, gc_label, sizeof(gc_label) - 1) == 0;
	if (n == 0)
		return;
	if (uses & WE_USE_RUNTIME || collector)
		wb_buf_put(out, at, n);
	else if (uses & WE_USE_FUNC)
		put_func(h, at, n, out);
	else if (uses & WE_USE_STD_FILE)
		put_std_file(at, n, out);
	else if (uses & WE_USE_FILE)
		put_file(h, at, n, out);
	else
		put_number(h, &h->said, at, n, 's', out);
	h->failed |= out->failed;
}

void we_hide_put_type(we_hide *h, const void *data, size_t n, wb_buf *out)
{
	const char *at = data;
	if (memchr(at, '.', n) && !we_is_std(at, n))
		put_shape(h, at, n, out);
	else if (memchr(at, '.', n) || !memchr(at, '[', n))
		put_func(h, at, n, out);
	else
		put_shape(h, at, n, out);
	h->failed |= out->failed;
}
