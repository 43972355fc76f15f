/* fmt/quote.c - see quote.h. */
#include "fmt/quote.h"

#include <string.h>

typedef struct range {
	uint32_t first, last;
} range;

static const range printable[] = {
#define RANGE(first, last) { first, last },
#include "fmt/printable.def"
};

bool wf_printable(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= ' ' && rune < 0x7f;
	size_t lo = 0, hi = sizeof(printable) / sizeof(*printable);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (rune > printable[mid].last)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(printable) / sizeof(*printable) && rune >= printable[lo].first;
}

/* The length of the character at the front, 1..4, with its number in *ret; 0 when the bytes are no UTF-8 (then one byte
 * is to be skipped).  Overlong forms, surrogates and numbers beyond U+10FFFF are none. */
static size_t decode(const uint8_t *p, size_t n, uint32_t *ret)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	if (p[0] < 0x80) {
		*ret = p[0];
		return 1;
	}
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
		return 0;
	uint32_t r = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		r = r << 6 | (p[i] & 0x3f);
	}
	if (r < least[len] || r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
		return 0;
	*ret = r;
	return len;
}

static size_t encode(uint32_t r, char out[4])
{
	if (r < 0x80) {
		out[0] = (char)r;
		return 1;
	}
	size_t len = r < 0x800 ? 2 : r < 0x10000 ? 3 : 4;
	static const uint8_t lead[5] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	for (size_t i = len - 1; i; i--, r >>= 6)
		out[i] = (char)(0x80 | (r & 0x3f));
	out[0] = (char)(lead[len] | r);
	return len;
}

static void put_hex(wb_buf *b, const char *lead, uint32_t v, int digits)
{
	char t[10];
	wb_buf_puts(b, lead);
	for (int i = digits; i--; v >>= 4)
		t[i] = "0123456789abcdef"[v & 15];
	wb_buf_put(b, t, (size_t)digits);
}

/* Escapes with a letter, and the letters. */
static const char short_of[] = "\a\b\f\n\r\t\v\\\"";
static const char letter_of[] = "abfnrtv\\\"";

static void quote_rune(wb_buf *b, uint32_t r, const uint8_t *at, size_t len)
{
	const char *s = r && r < 0x80 ? strchr(short_of, (int)r) : NULL;
	if (s) {
		wb_buf_putc(b, '\\');
		wb_buf_putc(b, letter_of[s - short_of]);
	} else if (wf_printable(r)) {
		wb_buf_put(b, at, len);
	} else if (r < ' ' || r == 0x7f) {
		put_hex(b, "\\x", r, 2);
	} else if (r < 0x10000) {
		put_hex(b, "\\u", r, 4);
	} else {
		put_hex(b, "\\U", r, 8);
	}
}

static bool is_plain(uint8_t c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

size_t wf_quote_some(wb_buf *b, const void *at, size_t n, size_t n_max)
{
	const uint8_t *p = at;
	size_t i = 0, most = n < n_max ? n : n_max;
	while (i < n) {
		size_t plain = i;
		while (i < most && is_plain(p[i]))
			i++;
		wb_buf_put(b, p + plain, i - plain);
		if (i == n)
			break;
		uint32_t r;
		size_t len = decode(p + i, n - i, &r);
		if (i + (len ? len : 1) > n_max)
			break;
		if (len)
			quote_rune(b, r, p + i, len);
		else
			put_hex(b, "\\x", p[i], 2);
		i += len ? len : 1;
	}
	return i;
}

void wf_quote(wb_buf *b, const void *at, size_t n)
{
	wb_buf_putc(b, '"');
	wf_quote_some(b, at, n, n);
	wb_buf_putc(b, '"');
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* `digits` digits of a base of 8 or 16; UINT32_MAX when they are none. */
static uint32_t number(const char *at, size_t n, size_t digits, uint32_t base)
{
	uint32_t v = 0;
	if (n < digits)
		return UINT32_MAX;
	for (size_t i = 0; i < digits; i++) {
		int d = hex_digit(at[i]);
		if (d < 0 || (uint32_t)d >= base)
			return UINT32_MAX;
		v = v * base + (uint32_t)d;
	}
	return v;
}

/* One escape, the backslash already passed: characters used, 0 when malformed. */
static size_t unescape(wb_buf *b, const char *at, size_t n)
{
	if (!n)
		return 0;
	const char *s = at[0] ? strchr(letter_of, at[0]) : NULL;
	if (s) {
		wb_buf_putc(b, short_of[s - letter_of]);
		return 1;
	}
	size_t digits = at[0] == 'x' ? 2 : at[0] == 'u' ? 4 : at[0] == 'U' ? 8 : 3;
	bool octal = digits == 3;
	uint32_t v = number(at + !octal, n - !octal, digits, octal ? 8 : 16);
	if (v == UINT32_MAX)
		return 0;
	if (digits < 4) {
		if (v > 255)
			return 0;
		wb_buf_putc(b, (char)v);
	} else {
		char t[4];
		if (v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
			return 0;
		wb_buf_put(b, t, encode(v, t));
	}
	return digits + !octal;
}

size_t wf_unquote(wb_buf *b, const char *at, size_t n)
{
	if (!n || at[0] != '"')
		return 0;
	for (size_t i = 1; i < n;) {
		const char *stop = at + i;
		while (stop < at + n && *stop != '"' && *stop != '\\' && *stop != '\n')
			stop++;
		wb_buf_put(b, at + i, (size_t)(stop - (at + i)));
		i = (size_t)(stop - at);
		if (i == n || at[i] == '\n')
			return 0;
		if (at[i] == '"')
			return i + 1;
		size_t used = unescape(b, at + i + 1, n - i - 1);
		if (!used)
			return 0;
		i += 1 + used;
	}
	return 0;
}
