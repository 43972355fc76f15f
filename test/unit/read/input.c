/* Files, pipes, gzip, zstd: the same trace whichever way it comes in; bombs and torn archives. */
#include "reader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/alloc.h"

static const char text[] =
	"Trace Go1.26\n"
	"EventBatch gen=1 m=-1 time=100\nSync\nFrequency freq=15625000\nClockSnapshot dt=1 mono=99 sec=5 nsec=7\n"
	"EventBatch gen=1 m=7 time=110\nProcStatus dt=1 p=0 pstatus=1\nGoStatus dt=1 g=1 m=7 "
	"gstatus=2\nEndOfGeneration\n";

static wb_buf gzipped(const wb_buf *b)
{
	wb_buf z = { 0 };
	z_stream s = { 0 };
	assert_int_equal(deflateInit2(&s, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
	uLong most = deflateBound(&s, b->n);
	s.next_in = (Bytef *)b->at;
	s.avail_in = (uInt)b->n;
	s.next_out = (Bytef *)wb_buf_room(&z, most);
	s.avail_out = (uInt)most;
	assert_int_equal(deflate(&s, Z_FINISH), Z_STREAM_END);
	z.n = s.total_out;
	deflateEnd(&s);
	return z;
}

static wb_buf zstandard(const wb_buf *b)
{
	wb_buf z = { 0 };
	size_t most = ZSTD_compressBound(b->n);
	z.n = ZSTD_compress(wb_buf_room(&z, most), most, b->at, b->n, 19);
	assert_false(ZSTD_isError(z.n));
	return z;
}

static void append(wb_buf *b, const wb_buf *more)
{
	wb_buf_put(b, more->at, more->n);
}

static void inflates(void **state)
{
	(void)state;
	wb_buf b = assembled(text), gz = gzipped(&b), zs = zstandard(&b);
	reading plain = *read_bytes(&b, NULL, NULL);
	assert_int_equal(plain.n, 4);
	reading *r = read_bytes(&gz, NULL, NULL);
	assert_memory_equal(r->ev, plain.ev, sizeof(plain.ev));
	assert_string_equal(r->info.compression, "gzip");
	assert_int_equal(r->info.file_bytes, gz.n);
	assert_int_equal(r->info.trace_bytes, b.n);
	r = read_bytes(&zs, NULL, NULL);
	assert_memory_equal(r->ev, plain.ev, sizeof(plain.ev));
	assert_string_equal(r->info.compression, "zstd");
	/* Two members, one after the other, are one trace. */
	wb_buf head = { .at = b.at, .n = 40 }, tail = { .at = b.at + 40, .n = b.n - 40 };
	wb_buf g1 = gzipped(&head), g2 = gzipped(&tail), z1 = zstandard(&head), z2 = zstandard(&tail);
	append(&g1, &g2);
	append(&z1, &z2);
	assert_memory_equal(read_bytes(&g1, NULL, NULL)->ev, plain.ev, sizeof(plain.ev));
	assert_memory_equal(read_bytes(&z1, NULL, NULL)->ev, plain.ev, sizeof(plain.ev));
	wb_buf *all[] = { &b, &gz, &zs, &g1, &g2, &z1, &z2 };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		wb_buf_free(all[i]);
}

/* Every cut of a compressed trace ends with an answer: what came out of it is read. */
static void a_torn_archive_is_a_torn_trace(void **state)
{
	(void)state;
	wb_buf b = assembled(text), z[2] = { gzipped(&b), zstandard(&b) };
	for (int k = 0; k < 2; k++) {
		for (size_t n = 0; n < z[k].n; n++) {
			wb_buf cut = { .at = z[k].at, .n = n };
			reading *r = read_bytes(&cut, NULL, NULL);
			assert_true(r->opened == WTR_OK || r->opened == WTR_E_MAGIC);
		}
		wb_buf_free(&z[k]);
	}
	wb_buf_free(&b);
}

/* A hundred bytes cannot take the disk: inflating is bounded by default, and more tightly when told. */
static void bombs_are_refused(void **state)
{
	(void)state;
	size_t n = 80 << 20;
	wb_buf big = { .at = wb_calloc(n, 1), .n = n };
	assert_non_null(big.at);
	memcpy(big.at, "go 1.26 trace", 13);
	wb_buf zs = zstandard(&big);
	assert_true(zs.n < 10000);
	reading *r = read_bytes(&zs, NULL, NULL);
	assert_int_equal(r->opened, WTR_E_LIMIT);
	assert_string_equal(r->err.rule, "input.inflated-size");
	wtr_options opt = { .inflated_bytes_max = n };
	r = read_bytes(&zs, &opt, NULL);
	assert_int_equal(r->opened, WTR_OK); /* and is then found to be no trace behind its header */
	assert_int_not_equal(r->err.code, WTR_OK);
	opt.inflated_bytes_max = 1;
	wb_buf b = assembled(text), gz = gzipped(&b);
	assert_int_equal(read_bytes(&gz, &opt, NULL)->opened, WTR_E_LIMIT);
	wb_buf_free(&zs);
	wb_buf_free(&gz);
	wb_buf_free(&b);
	wb_free(big.at);
}

static size_t events_of(const char *path)
{
	wtr_trace *t;
	wtr_error err;
	wtr_code rc = wtr_open(path, NULL, &t, &err);
	if (rc != WTR_OK)
		return 0;
	wtr_info i;
	wtr_get_info(t, &i);
	assert_string_equal(i.path, path);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *ev;
	size_t all = 0;
	for (size_t n; (n = wtr_next(c, &ev)) > 0;)
		all += n;
	wtr_cursor_close(c);
	wtr_close(t);
	return all;
}

static void files_and_standard_input(void **state)
{
	(void)state;
	char path[] = "/tmp/weft-input-XXXXXX";
	int fd = mkstemp(path);
	wb_buf b = assembled(text);
	assert_int_equal(write(fd, b.at, b.n), b.n);
	assert_int_equal(events_of(path), 4);
	int saved = dup(0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	dup2(fd, 0); /* a file as standard input is mapped */
	assert_int_equal(events_of("-"), 4);
	int p[2];
	assert_int_equal(pipe(p), 0);
	wb_buf gz = gzipped(&b);
	assert_int_equal(write(p[1], gz.at, gz.n), gz.n);
	close(p[1]);
	dup2(p[0], 0); /* a pipe is collected, and inflated */
	close(p[0]);
	assert_int_equal(events_of("-"), 4);
	dup2(saved, 0);
	close(saved);
	close(fd);
	unlink(path);
	wtr_trace *t = NULL;
	wtr_error err;
	assert_int_equal(wtr_open(path, NULL, &t, &err), WTR_E_IO);
	assert_string_equal(err.what, "No such file or directory");
	assert_int_equal(wtr_open("/", NULL, &t, &err), WTR_E_IO);
	assert_null(t);
	wb_buf_free(&gz);
	wb_buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inflates),
		cmocka_unit_test(a_torn_archive_is_a_torn_trace),
		cmocka_unit_test(bombs_are_refused),
		cmocka_unit_test(files_and_standard_input),
	};
	return cmocka_run_group_tests_name("read/input", tests, NULL, NULL);
}
