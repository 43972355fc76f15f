/* out/goquote.c - see goquote.h. */
#include "out/goquote.h"

static const uint32_t printable[][2] = {
#define RANGE(first, last) { first, last },
#include "out/isprint.def"
};

bool out_go_printable(uint32_t rune)
{
	if (rune < 0x80)
		return rune >= 0x20 && rune < 0x7f;
	size_t lo = 0, hi = sizeof(printable) / sizeof(printable[0]);
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;
		if (rune > printable[mid][1])
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(printable) / sizeof(printable[0]) && rune >= printable[lo][0];
}

/* Decodes one code point of at most n bytes; 0 when they begin with none (overlong, surrogate, cut or out of range). */
static size_t utf8_rune(const uint8_t *s, size_t n, uint32_t *ret)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf8 ? 0 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc0 ? 2 : 0;
	if (len == 0 || len > n)
		return 0;
	uint32_t r = len == 1 ? s[0] : s[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		r = r << 6 | (s[i] & 0x3f);
	}
	if (r < lowest[len] || r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
		return 0;
	*ret = r;
	return len;
}

static void put_hex(wb_buf *b, const char *prefix, uint32_t v, unsigned digits)
{
	wb_buf_puts(b, prefix);
	while (digits-- > 0)
		wb_buf_putc(b, "0123456789abcdef"[v >> 4 * digits & 15]);
}

static void put_escaped(wb_buf *b, uint32_t rune)
{
	static const char letters[] = "abtnvfr"; /* of 7 .. 13 */
	if (rune == '"' || rune == '\\') {
		wb_buf_putc(b, '\\');
		wb_buf_putc(b, (char)rune);
	} else if (rune >= 7 && rune <= 13) {
		wb_buf_putc(b, '\\');
		wb_buf_putc(b, letters[rune - 7]);
	} else if (rune < 0x80) {
		put_hex(b, "\\x", rune, 2);
	} else if (rune < 0x10000) {
		put_hex(b, "\\u", rune, 4);
	} else {
		put_hex(b, "\\U", rune, 8);
	}
}

static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void out_goquote_inside(wb_buf *b, const char *text, size_t n)
{
	const uint8_t *s = (const uint8_t *)text, *end = s + n;
	while (s < end) {
		const uint8_t *plain = s;
		while (s < end && is_plain(*s))
			s++;
		wb_buf_put(b, plain, (size_t)(s - plain));
		if (s == end)
			break;
		uint32_t rune;
		size_t len = utf8_rune(s, (size_t)(end - s), &rune);
		if (len == 0)
			put_hex(b, "\\x", *s, 2);
		else if (rune >= 0x80 && out_go_printable(rune))
			wb_buf_put(b, s, len);
		else
			put_escaped(b, rune);
		s += len ? len : 1;
	}
}

void out_goquote(wb_buf *b, const char *at, size_t n)
{
	wb_buf_putc(b, '"');
	out_goquote_inside(b, at, n);
	wb_buf_putc(b, '"');
}

void out_rfc3339(wb_buf *b, int64_t unix_ns)
{
	int64_t s = unix_ns / 1000000000, ns = unix_ns % 1000000000;
	if (ns < 0) {
		ns += 1000000000;
		s--;
	}
	int64_t days = s / 86400, second = s % 86400;
	if (second < 0) {
		second += 86400;
		days--;
	}
	/* Years that begin in March, in eras of 400: leap days fall on the end of one. */
	int64_t d = days + 719468, era = (d >= 0 ? d : d - 146096) / 146097;
	int64_t doe = d - era * 146097, yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), m = (5 * doy + 2) / 153;
	int month = (int)(m < 10 ? m + 3 : m - 9), day = (int)(doy - (153 * m + 2) / 5 + 1);
	int64_t year = yoe + era * 400 + (month <= 2);

	wb_buf_printf(b, "%04d-%02d-%02dT%02d:%02d:%02d", (int)year, month, day,
		(int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
	if (ns) {
		char digits[16];
		int n = 9;
		for (int i = 8; i >= 0; i--, ns /= 10)
			digits[i] = (char)('0' + ns % 10);
		while (digits[n - 1] == '0')
			n--;
		wb_buf_putc(b, '.');
		wb_buf_put(b, digits, (size_t)n);
	}
	wb_buf_putc(b, 'Z');
}
