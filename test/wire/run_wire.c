/* Runs the traces that are written as text: NAME.trace.txt holds a comment on the rule it is about, what is to be read,
 * and the trace.
 *
 *	# GoStart waits until the goroutine is runnable
 *	-- expect --
 *	M=-1 P=-1 G=-1 Sync Time=1 N=1          events as `go tool trace -d=parsed` prints them, without empty lines
 *	error E_ORDER order.stuck offset 45     the code, the rule and the byte of a refusal; also its event,
 *	 "what was found"                        where there is one, and the whole sentence
 *	-- trace --
 *	Trace Go1.26                            see src/fmt/text.h
 *
 *	run_wire DIR N             runs all files of DIR and demands that there are N (TAP)
 *	run_wire --go DIR N        the same, but asks Go (test/interop/with_go.sh) instead of our reader.  A file that
 *	                           says "# go: TEXT" is one where we mean to differ; it is asked too, and must differ
 *	run_wire --update DIR      writes what our reader finds into the files
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fmt/text.h"
#include "wire.h"
#include "../interop/goproc.h"

enum { FILES_MAX = 1000 };

typedef struct wire_test {
	wb_buf      file;
	const char *expect, *trace; /* parts of file; "" when missing */
	size_t      n_expect;
	bool        differs;        /* from Go, on purpose */
	bool        good;
} wire_test;

static void parse(const char *path, wire_test *t)
{
	static const char expect_line[] = "\n-- expect --\n", trace_line[] = "-- trace --\n";
	*t = (wire_test){ .expect = "", .trace = "" };
	wire_slurp(path, &t->file);
	const char *s = wb_buf_cstr(&t->file);
	const char *e = strstr(s, expect_line), *tr = e ? strstr(e, trace_line) : NULL;
	t->differs = strstr(s, "\n# go: ") && strstr(s, "\n# go: ") < e;
	t->good = s[0] == '#' && s[1] == ' ' && tr;
	if (!tr)
		return;
	t->expect = e + sizeof(expect_line) - 1;
	t->n_expect = (size_t)(tr - t->expect);
	t->trace = tr + sizeof(trace_line) - 1;
}

/* What Go finds: its events, and a line "error" when it refused. */
static void ask_go(const wb_buf *bytes, wb_buf *out)
{
	char path[] = "/tmp/run_wire-XXXXXX";
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "wb");
	if (!f)
		return;
	fwrite(bytes->at, 1, bytes->n, f);
	fclose(f);
	wb_buf text = { 0 };
	int status = go_ask("parsed", path, &text, NULL);
	wire_put_lines(out, text.at, text.n);
	if (status)
		wb_buf_puts(out, status == 1 ? "error\n" : "weftcheck did not run\n");
	wb_buf_free(&text);
	unlink(path);
}

/* The expected text as Go can be asked for it: an error is only that. */
static void without_details(const wire_test *t, wb_buf *out)
{
	for (const char *at = t->expect, *end = at + t->n_expect; at < end;) {
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		if (memcmp(at, "error ", 6) == 0) {
			wb_buf_puts(out, "error\n");
			return;
		}
		wb_buf_put(out, at, (size_t)(nl + 1 - at));
		at = nl + 1;
	}
}

static void diagnose(const char *label, const char *text)
{
	printf("# %s:\n", label);
	while (*text) {
		const char *nl = strchr(text, '\n');
		printf("#   %.*s\n", (int)(nl ? nl - text : (long)strlen(text)), text);
		text = nl ? nl + 1 : "";
	}
}

typedef enum mode { READ, GO, UPDATE } mode;

static void rewrite(const char *path, wire_test *t, wb_buf *found)
{
	FILE *f = fopen(path, "wb");
	if (!f)
		return;
	fwrite(t->file.at, 1, (size_t)(t->expect - t->file.at), f);
	fputs(wb_buf_cstr(found), f);
	fputs("-- trace --\n", f);
	fputs(t->trace, f);
	fclose(f);
}

static bool run(const char *path, mode m)
{
	wire_test t;
	parse(path, &t);
	wb_buf bytes = { 0 }, found = { 0 }, want = { 0 };
	wf_text_error te = { 0 };
	bool ok = t.good;
	if (!ok)
		printf("# a file begins with \"# \" and the rule it is about, and has the lines -- expect -- and -- "
		       "trace --\n");
	if (ok && wf_text_assemble(t.trace, strlen(t.trace), &bytes, &te) != WF_TEXT_OK) {
		printf("# line %llu of the trace: %s\n", (unsigned long long)te.line, te.what);
		ok = false;
	}
	if (ok) {
		if (m == GO) {
			ask_go(&bytes, &found);
			without_details(&t, &want);
		} else {
			wire_read(&bytes, &found);
			wb_buf_put(&want, t.expect, t.n_expect);
		}
		bool same = strcmp(wb_buf_cstr(&found), wb_buf_cstr(&want)) == 0;
		ok = m == GO && t.differs ? !same : same;
		if (m == UPDATE && !same)
			rewrite(path, &t, &found);
		if (!ok) {
			diagnose(m == GO ? "expected of Go" : "expected", wb_buf_cstr(&want));
			diagnose("found", wb_buf_cstr(&found));
		}
	}
	wb_buf_free(&t.file);
	wb_buf_free(&bytes);
	wb_buf_free(&found);
	wb_buf_free(&want);
	return ok;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
	mode m = argc > 1 && strcmp(argv[1], "--go") == 0       ? GO
		 : argc > 1 && strcmp(argv[1], "--update") == 0 ? UPDATE
								: READ;
	char **args = argv + (m == READ ? 1 : 2);
	if (!args[0] || (m != UPDATE && !args[1]))
		return 2;
	DIR *d = opendir(args[0]);
	char *names[FILES_MAX];
	size_t n = 0, failed = 0;
	for (struct dirent *e; d && n < FILES_MAX && (e = readdir(d));) {
		const char *dot = strchr(e->d_name, '.');
		if (dot && strcmp(dot, ".trace.txt") == 0)
			names[n++] = strdup(e->d_name);
	}
	if (d)
		closedir(d);
	qsort(names, n, sizeof(*names), by_name);
	printf("1..%zu\n", n + 1);
	for (size_t i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof(path), "%s/%s", args[0], names[i]);
		bool ok = run(path, m);
		failed += !ok;
		printf("%s %zu - %.*s\n", ok ? "ok" : "not ok", i + 1, (int)(strlen(names[i]) - 10), names[i]);
		free(names[i]);
	}
	bool all = m == UPDATE || n == strtoul(args[1], NULL, 10);
	printf("%s %zu - as many files as there should be (%zu)\n", all ? "ok" : "not ok", n + 1, n);
	return failed || !all;
}
