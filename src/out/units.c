/* out/units.c - see units.h. */
#include "out/units.h"

#include <string.h>

#include "fmt/quote.h"

/* v / unit with three significant digits, trailing zeros dropped; v < 1000 * unit. */
static void three_digits(wb_buf *b, uint64_t v, uint64_t unit)
{
	unsigned decimals = v >= 100 * unit ? 0 : v >= 10 * unit ? 1 : 2;
	uint64_t scale = decimals == 2 ? 100 : decimals == 1 ? 10 : 1, step = unit / scale;
	uint64_t t = step ? v / step + (v % step * 2 >= step) : v * scale / unit;
	while (decimals && t % 10 == 0) {
		t /= 10;
		scale /= 10;
		decimals--;
	}
	wb_buf_u64(b, t / scale);
	if (decimals) {
		wb_buf_putc(b, '.');
		if (decimals == 2 && t % scale < 10)
			wb_buf_putc(b, '0');
		wb_buf_u64(b, t % scale);
	}
}

void out_duration(wb_buf *b, int64_t ns)
{
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	if (ns < 0)
		wb_buf_putc(b, '-');
	if (v == 0) {
		wb_buf_puts(b, "0s");
	} else if (v < 1000) {
		wb_buf_u64(b, v);
		wb_buf_puts(b, "ns");
	} else if (v < 999500) {
		three_digits(b, v, 1000);
		wb_buf_puts(b, "\xc2\xb5s");
	} else if (v < 999500000) {
		three_digits(b, v, 1000000);
		wb_buf_puts(b, "ms");
	} else if (v < 60000000000) {
		three_digits(b, v, 1000000000);
		wb_buf_puts(b, "s");
	} else {
		uint64_t s = v / 1000000000;
		if (s < 3600)
			wb_buf_printf(b, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
		else
			wb_buf_printf(b, "%lluh%02um", (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60));
	}
}

void out_bytes(wb_buf *b, uint64_t bytes)
{
	static const char *const units[] = { " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };
	unsigned u = 0;
	while (u < 6 && bytes >> 10 * u >= 1024)
		u++;
	if (u == 0)
		wb_buf_u64(b, bytes);
	else
		wb_buf_printf(b, "%.1f", (double)bytes / (double)((uint64_t)1 << 10 * u));
	wb_buf_puts(b, units[u]);
}

void out_count(wb_buf *b, uint64_t n)
{
	char t[32];
	size_t i = sizeof(t), digits = 0;
	do {
		if (digits && digits % 3 == 0)
			t[--i] = ',';
		t[--i] = (char)('0' + n % 10);
		n /= 10;
		digits++;
	} while (n);
	wb_buf_put(b, t + i, sizeof(t) - i);
}

void out_counted(wb_buf *b, uint64_t n, const char *one, const char *many)
{
	out_count(b, n);
	wb_buf_putc(b, ' ');
	wb_buf_puts(b, n == 1 ? one : many);
}

void out_seconds(wb_buf *b, int64_t ns)
{
	uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char digits[10] = ".";
	if (ns < 0)
		wb_buf_putc(b, '-');
	wb_buf_u64(b, v / 1000000000);
	v %= 1000000000;
	for (int i = 9; i >= 1; i--, v /= 10)
		digits[i] = (char)('0' + v % 10);
	wb_buf_put(b, digits, sizeof(digits));
}

void out_clean(wb_buf *b, const char *at, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t plain = i;
		while (i < n && at[i] != '"' && at[i] != '\\')
			i++;
		wf_quote_some(b, at + plain, i - plain, i - plain);
		if (i < n)
			wb_buf_putc(b, at[i++]); /* harmless outside quotes */
	}
}

/* Columns of a character. */
static size_t columns_of(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		uint8_t columns;
	} ranges[] = {
#define RANGE(first, last, columns) { first, last, columns },
#include "out/wide.def"
	};
	size_t lo = 0, hi = sizeof(ranges) / sizeof(*ranges);
	while (lo < hi) { /* the first that ends at c or behind it */
		size_t mid = lo + (hi - lo) / 2;
		if (ranges[mid].last < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < sizeof(ranges) / sizeof(*ranges) && c >= ranges[lo].first ? ranges[lo].columns : 1;
}

size_t out_width(const char *at, size_t n)
{
	size_t width = 0;
	for (size_t i = 0; i < n;) {
		unsigned char lead = (unsigned char)at[i++];
		uint32_t c = lead < 0x80 ? lead : lead < 0xe0 ? lead & 0x1f : lead < 0xf0 ? lead & 0xf : lead & 7;
		for (; i < n && ((unsigned char)at[i] & 0xc0) == 0x80; i++)
			c = c << 6 | ((unsigned char)at[i] & 0x3f);
		width += c < 0x300 ? 1 : columns_of(c);
	}
	return width;
}

void out_pad(wb_buf *b, size_t from, size_t width)
{
	if (b->failed)
		return;
	for (size_t w = out_width(b->at + from, b->n - from); w < width; w++)
		wb_buf_putc(b, ' ');
}
