/* test/truth/main.c - every trace of the test data against what Go 1.27 says about it; one TAP test per trace.
 *
 * Environment: WEFT_TEST_DATA, a folder of NAME.trace and NAME.truth.json; WEFT_TEST_TRACES, a folder of
 * NAME.trace.zst. Arguments: names of traces to look at only those (no counts are asserted then).
 */
#include "truth.h"

#include <dirent.h>
#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "out/gotext.h"

/* What the corpus holds.  When it grows, these numbers must. */
enum { TRACES = 243 };
static const uint64_t VALUES = 518816;
static const truth_exempted EXEMPT = { .open_syscalls = 186, .unnoticed_steals = 48, .v1_root_tasks = 146 };

typedef struct test {
	const char *data, *traces, *name;
	yajl_val    truth;
	uint64_t    same;
	unsigned    bad;
	truth_exempted exempt;
} test;

static void check(test *t, bool yes, const char *what)
{
	if (yes) {
		t->same++;
		return;
	}
	t->bad++;
	printf("# %s\n", what);
}

static void path_of(char *ret, size_t n, const char *folder, const char *name, const char *suffix)
{
	snprintf(ret, n, "%s/%s%s", folder, name, suffix);
}

static void hex(const uint8_t *digest, char *ret)
{
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}

static bool load(wb_buf *b, const char *path)
{
	wo_map m;
	if (wo_map_file(path, &m) < 0)
		return false;
	wb_buf_put(b, m.at, m.n);
	wo_unmap(&m);
	return !b->failed;
}

/* ---- the event dump ---- */

typedef struct dump {
	char     sha[2 * SHA256_DIGEST_SIZE + 1];
	uint64_t events;
} dump;

static wtr_error dump_events(wtr_trace *t, dump *ret)
{
	wtr_error err = { 0 };
	wtr_cursor *c = wtr_cursor_open(t, NULL, &err);
	if (!c)
		return err;
	struct sha256_ctx sha;
	sha256_init(&sha);
	out_stack_cache *cache = out_stack_cache_new();
	wb_buf b = { 0 };
	const wtr_event *ev;
	for (size_t n; (n = wtr_next(c, &ev)) != 0;) {
		b.n = 0;
		for (size_t i = 0; i < n; i++)
			out_gotext_cached(&b, t, &ev[i], cache);
		sha256_update(&sha, b.n, (const uint8_t *)b.at);
		ret->events += n;
	}
	err = *wtr_cursor_error(c);
	uint8_t digest[SHA256_DIGEST_SIZE];
	sha256_digest(&sha, sizeof(digest), digest);
	hex(digest, ret->sha);
	wb_buf_free(&b);
	out_stack_cache_free(cache);
	wtr_cursor_close(c);
	return err;
}

/* ---- one trace ---- */

/* The same trace read by one thread and by many gives the same index. */
static bool one_thread(test *t, const char *path, const char *sha, wb_buf *ours)
{
	wtr_trace *tr = NULL;
	wtr_index *x = NULL;
	wtr_options opt = { .threads = 1 };
	wb_buf again = { 0 };
	bool ok = wtr_open(path, &opt, &tr, NULL) == WTR_OK && wtr_index_build(tr, WTR_PART_EVENTS, &x, NULL) == WTR_OK;
	if (ok)
		truth_ours(tr, x, sha, &again);
	ok = ok && again.n == ours->n && memcmp(again.at, ours->at, ours->n) == 0;
	check(t, ok, "one thread makes another index than several");
	wb_buf_free(&again);
	wtr_index_free(x);
	wtr_close(tr);
	return ok;
}

static bool skipped(const char *key)
{
	/* About the truth file itself; looked at on their own. */
	static const char *const keys[] = { "format", "trace", "size", "sha256", "runs", "unstable", "unstable_paths",
		"reader", "go_tool_trace", "profiles", "mmu" };
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

/* Takes the members out that are not compared. */
static void trim(yajl_val truth)
{
	size_t n = 0;
	for (size_t i = 0; i < truth->u.object.len; i++) {
		const char *key = truth->u.object.keys[i];
		if (skipped(key)) {
			free((void *)(uintptr_t)key);
			yajl_tree_free(truth->u.object.values[i]);
			continue;
		}
		truth->u.object.keys[n] = key;
		truth->u.object.values[n++] = truth->u.object.values[i];
	}
	truth->u.object.len = n;
}

/* One member of the truth against a text of ours. */
static void compare_part(test *t, const char *key, wb_buf *ours)
{
	char why[256];
	yajl_val tree = yajl_tree_parse(wb_buf_cstr(ours), why, sizeof(why)), want = truth_get(t->truth, key);
	if (!tree)
		check(t, false, why);
	else if (want && YAJL_IS_OBJECT(want))
		t->same += truth_compare(want, tree, &t->bad);
	yajl_tree_free(tree);
	wb_buf_free(ours);
}

static void compare_index(test *t, wtr_trace *tr, const wtr_index *x, const char *path, const char *zst)
{
	yajl_val reader = truth_get(t->truth, "reader");
	wtr_totals totals;
	wtr_get_totals(x, &totals);
	check(t, truth_same_error(truth_text(reader, "read_error_first_line"), &totals.end), "reading ends otherwise");
	check(t, (totals.valid_events > 0) == YAJL_IS_TRUE(truth_get(truth_get(t->truth, "go_tool_trace"), "ok")),
		"go tool trace opens it or not");

	wtr_trace *packed = NULL;
	wtr_error err;
	dump d = { 0 };
	if (wtr_open(zst, NULL, &packed, &err) != WTR_OK) {
		check(t, false, err.what);
		return;
	}
	wtr_error end = dump_events(packed, &d);
	wtr_close(packed);
	check(t, d.events == totals.events && end.code == totals.end.code && strcmp(end.what, totals.end.what) == 0,
		"a cursor ends otherwise than an index");

	wtr_info info;
	wtr_get_info(tr, &info);
	truth_exempt(t->truth, info.version, &t->exempt);
	truth_exempt_syscalls(t->truth, tr, &t->exempt);
	wb_buf profiles = { 0 };
	truth_profiles(tr, &profiles);
	compare_part(t, "profiles", &profiles);
	truth_mmu(tr, t->truth, &t->same, &t->bad);
	trim(t->truth);
	wb_buf b = { 0 };
	truth_ours(tr, x, d.sha, &b);
	char why[256];
	yajl_val ours = yajl_tree_parse(wb_buf_cstr(&b), why, sizeof(why));
	if (!ours)
		check(t, false, why);
	else
		t->same += truth_compare(t->truth, ours, &t->bad);
	yajl_tree_free(ours);
	one_thread(t, path, d.sha, &b);
	wb_buf_free(&b);
}

static void compare_file(test *t, const char *path)
{
	wb_buf b = { 0 };
	uint8_t digest[SHA256_DIGEST_SIZE];
	char sha[2 * SHA256_DIGEST_SIZE + 1];
	struct sha256_ctx ctx;
	sha256_init(&ctx);
	if (load(&b, path))
		sha256_update(&ctx, b.n, (const uint8_t *)b.at);
	sha256_digest(&ctx, sizeof(digest), digest);
	hex(digest, sha);
	check(t, (int64_t)b.n == truth_number(t->truth, "size") && strcmp(sha, truth_text(t->truth, "sha256")) == 0,
		"this is not the trace that the truth file is about");
	yajl_val unstable = truth_get(t->truth, "unstable");
	check(t, YAJL_IS_ARRAY(unstable) && unstable->u.array.len == 0, "Go's own answer is not stable");
	wb_buf_free(&b);
}

static void compare_trace(test *t)
{
	char path[512], zst[512];
	path_of(path, sizeof(path), t->data, t->name, ".trace");
	path_of(zst, sizeof(zst), t->traces, t->name, ".trace.zst");
	compare_file(t, path);
	const char *open_error = truth_text(truth_get(t->truth, "reader"), "open_error");
	wtr_trace *tr = NULL;
	wtr_error err = { 0 };
	wtr_code rc = wtr_open(path, NULL, &tr, &err);
	if (rc != WTR_OK || *open_error) {
		check(t, rc == err.code && truth_same_error(open_error, &err), "opening ends otherwise");
		wtr_close(tr);
		return;
	}
	wtr_index *x = NULL;
	rc = wtr_index_build(tr, WTR_PART_EVENTS, &x, &err);
	check(t, rc == WTR_OK, rc == WTR_OK ? "" : err.what);
	if (rc == WTR_OK)
		compare_index(t, tr, x, path, zst);
	wtr_index_free(x);
	wtr_close(tr);
}

static void run(test *t)
{
	char path[512], why[256];
	path_of(path, sizeof(path), t->data, t->name, ".truth.json");
	wb_buf b = { 0 };
	if (load(&b, path))
		t->truth = yajl_tree_parse(wb_buf_cstr(&b), why, sizeof(why));
	wb_buf_free(&b);
	check(t, t->truth && truth_get(t->truth, "reader"), "no truth file");
	if (t->truth)
		compare_trace(t);
	yajl_tree_free(t->truth);
	t->truth = NULL;
}

/* ---- all of them ---- */

static int with_truth(const struct dirent *d)
{
	size_t n = strlen(d->d_name);
	return n > 11 && strcmp(d->d_name + n - 11, ".truth.json") == 0;
}

static bool chosen(const char *name, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return argc <= 1;
}

typedef struct tally {
	unsigned       n, failed;
	uint64_t       same;
	truth_exempted exempt;
} tally;

static void count(tally *s, const test *t)
{
	uint64_t exempt = t->exempt.open_syscalls + t->exempt.unnoticed_steals + t->exempt.v1_root_tasks;
	printf("%s %u - %s: %" PRIu64 " values agree, %" PRIu64 " exempt, %u differ\n", t->bad ? "not ok" : "ok",
		++s->n, t->name, t->same, exempt, t->bad);
	fflush(stdout);
	s->failed += t->bad != 0;
	s->same += t->same;
	s->exempt.open_syscalls += t->exempt.open_syscalls;
	s->exempt.unnoticed_steals += t->exempt.unnoticed_steals;
	s->exempt.v1_root_tasks += t->exempt.v1_root_tasks;
}

/* That this test looked at all it should. */
static void count_all(tally *s)
{
	const truth_exempted *x = &s->exempt;
	bool whole = s->n == TRACES && s->same == VALUES && memcmp(x, &EXEMPT, sizeof(*x)) == 0;
	if (!whole)
		printf("# expected %d traces, %" PRIu64 " values, exempt %" PRIu64 " + %" PRIu64 " + %" PRIu64 "\n",
			TRACES, VALUES, EXEMPT.open_syscalls, EXEMPT.unnoticed_steals, EXEMPT.v1_root_tasks);
	printf("%s %u - all: %u traces and %" PRIu64 " values; exempt: %" PRIu64 " of open system calls, %" PRIu64
	       " of unnoticed steals, %" PRIu64 " of v1 root tasks\n",
		whole ? "ok" : "not ok", s->n + 1, s->n, s->same, x->open_syscalls, x->unnoticed_steals,
		x->v1_root_tasks);
	s->failed += !whole;
	s->n++;
}

int main(int argc, char **argv)
{
	const char *data = getenv("WEFT_TEST_DATA"), *traces = getenv("WEFT_TEST_TRACES");
	struct dirent **files = NULL;
	int n_files = data && traces ? scandir(data, &files, with_truth, alphasort) : -1;
	if (n_files < 0) {
		printf("Bail out! WEFT_TEST_DATA and WEFT_TEST_TRACES must name the folders of the corpus\n");
		return 1;
	}
	tally all = { 0 };
	for (int i = 0; i < n_files; i++) {
		char *name = files[i]->d_name;
		name[strlen(name) - 11] = 0;
		if (chosen(name, argc, argv)) {
			test t = { .data = data, .traces = traces, .name = name };
			run(&t);
			count(&all, &t);
		}
		free(files[i]);
	}
	free(files);
	if (argc <= 1)
		count_all(&all);
	printf("1..%u\n", all.n);
	return all.failed != 0;
}
