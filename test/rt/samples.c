/* rt/samples.c - the samples of a CPU profile, and those in a trace of the same time. */
#include "kit/rtkit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <wtr/wtr.h>

#include "base/buf.h"
#include "base/vec.h"
#include "kit/profile.h"
#include "os/cputimer.h"
#include "rt/prof/cpu.h"

/* ---- what is compared: "label|function:line function:line ..", sorted, each as often as it was sampled ---- */

enum { TEXT_BYTES = 6000, FRAMES_MAX = 160 };

typedef struct samples {
	WB_VEC(char *) at;
} samples;

/* Frame pointers of what was built without them, as libdw is, which threads of the library call, lead to addresses that
 * are no code: which name libdw gives to those depends on the moment.  So, without a label, the innermost only, and no
 * file in "file+0x1234". */
static void leave_out_garbage(char *text)
{
	char *blank = strchr(text, ' ');
	if (text[0] == '|' && blank)
		*blank = 0;
	for (char *plus; (plus = strstr(text, "+0x")) != NULL;) {
		char *from = plus;
		while (from > text && from[-1] != ' ' && from[-1] != '|')
			from--;
		memmove(from, plus + 1, strlen(plus + 1) + 1);
	}
}

static void add(samples *s, char *text, int64_t times)
{
	leave_out_garbage(text);
	for (int64_t i = 0; i < times; i++)
		kit_require(wb_vec_add(&s->at, strdup(text)));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(samples *s)
{
	if (s->at.n)
		qsort(s->at.at, s->at.n, sizeof(*s->at.at), by_text);
}

static void done(samples *s)
{
	for (size_t i = 0; i < s->at.n; i++)
		free(s->at.at[i]);
	wb_vec_free(&s->at);
}

/* How many of a are not in b; shows the first. */
static size_t missing(const samples *a, const samples *b, const char *what)
{
	size_t n = 0;
	for (size_t i = 0, k = 0; i < a->at.n; i++) {
		while (k < b->at.n && strcmp(b->at.at[k], a->at.at[i]) < 0)
			k++;
		bool there = k < b->at.n && strcmp(b->at.at[k], a->at.at[i]) == 0;
		k += there;
		if (!there && n++ == 0)
			fprintf(stderr, "%s: %s\n", what, a->at.at[i]);
	}
	return n;
}

static size_t with(const samples *s, const char *part)
{
	size_t n = 0;
	for (size_t i = 0; i < s->at.n; i++)
		n += strstr(s->at.at[i], part) != NULL;
	return n;
}

/* ---- of a profile ---- */

static void add_row(const char *labels, const char *stack, const int64_t *values, void *ret)
{
	char text[TEXT_BYTES];
	snprintf(text, sizeof(text), "%s|%s", labels, stack);
	add(ret, text, values[0]);
}

/* ---- of a trace ---- */

static wb_buf trace;

static int append(const void *at, size_t n, void *arg)
{
	wb_buf_put(arg, at, n);
	return trace.failed ? -ENOMEM : 0;
}

enum { GOROUTINES_MAX = 64 };
static char labels[GOROUTINES_MAX][64]; /* as of now, while the trace is read */

static void set_label(int64_t g, wtr_str label)
{
	if (g >= 0 && g < GOROUTINES_MAX)
		snprintf(labels[g], sizeof(labels[g]), "%.*s", (int)label.n, label.at);
}

static void keep_labels(wtr_trace *t, size_t gen)
{
	wtr_kept_label l[GOROUTINES_MAX];
	size_t n = wtr_kept_labels(t, gen, l, GOROUTINES_MAX);
	for (size_t i = 0; i < n && i < GOROUTINES_MAX; i++)
		set_label(l[i].g, l[i].label);
}

static void add_event(wtr_trace *t, const wtr_event *e, samples *ret)
{
	wtr_frame f[FRAMES_MAX];
	char text[TEXT_BYTES];
	bool labelled = e->g >= 0 && e->g < GOROUTINES_MAX;
	size_t at = (size_t)snprintf(text, sizeof(text), "%s|", labelled ? labels[e->g] : "");
	size_t n = wtr_stack(t, e->stack, f, FRAMES_MAX);
	for (size_t i = 0; i < n && i < FRAMES_MAX && at < sizeof(text); i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s:%llu ", (int)f[i].func.n, f[i].func.at,
			(unsigned long long)f[i].line);
	add(ret, text, 1);
}

static void read_trace(samples *ret)
{
	wtr_trace *t;
	size_t gen = 0;
	kit_require(wtr_open_bytes(trace.at, trace.n, &(wtr_options){ .keep_tables = true }, &t, NULL) == WTR_OK);
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++) {
			if (e[i].kind == WTR_KIND_SYNC)
				keep_labels(t, gen++);
			if (e[i].kind == WTR_KIND_LABEL)
				set_label(e[i].id, wtr_string(t, e[i].str));
			if (e[i].kind == WTR_KIND_STACK_SAMPLE)
				add_event(t, &e[i], ret);
		}
	kit_equal(wtr_cursor_error(c)->code, WTR_OK);
	wtr_cursor_close(c);
	wtr_close(t);
}

/* ---- the program ---- */

#define APART __attribute__((noinline))

static volatile uint64_t drain;

/* Processor time of this thread. */
APART static void burn(void)
{
	struct timespec t, start;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
	do {
		for (int i = 0; i < 20000; i++)
			drain += (uint64_t)i;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	} while ((t.tv_sec - start.tv_sec) * 1000000000 + t.tv_nsec - start.tv_nsec < 40000000);
}

APART static void before_both(void)
{
	burn();
	__asm__ volatile("");
}

APART static void deep(int n)
{
	n ? deep(n - 1) : burn();
	__asm__ volatile("");
}

static void on_thread(void *unused)
{
	(void)unused;
	deep(2);
}

static weft_chan *begins;
static weft_wg ready, over;

/* A label from before the trace, or one that is set while it runs; not while there are samples, which could see either.
 */
static void worker(void *n)
{
	char name[16];
	snprintf(name, sizeof(name), "w%d", (int)(intptr_t)n);
	if ((intptr_t)n % 2)
		weft_labels_set("who", name);
	weft_wg_done(&ready);
	weft_chan_recv(begins, NULL);
	if ((intptr_t)n % 2 == 0)
		weft_labels_set("who", name);
	weft_wg_done(&ready);
	weft_chan_recv(begins, NULL);
	deep((int)(intptr_t)n);
	weft_blocking(on_thread, NULL);
	weft_yield();
	deep(70); /* more frames than a sample has */
	weft_wg_done(&over);
	weft_chan_recv(begins, NULL); /* who ends gives the labels back a moment before the trace says so */
}

enum { WORKERS = 4 };

static void let_them_go(void)
{
	for (int i = 0; i < WORKERS; i++)
		weft_chan_send(begins, NULL);
}

static void start_trace(void)
{
	weft_trace_options opt = { .fd = -1, .write = append, .write_arg = &trace, .window_bytes = 1 << 16 };
	kit_equal(weft_trace_start_with(&opt), 0);
}

static void start_profile(wb_buf *b)
{
	weft_cpu_profile_options opt = { .sink = kit_to_buf, .sink_arg = b, .hz = 1000 };
	weft__cpu_clock = WO_CPUTIMER_REAL;
	kit_equal(weft_cpu_profile_start_with(&opt), 0);
}

static void run_workers(wb_buf *b, bool profile_first)
{
	weft_labels_set("who", "main");
	begins = weft_chan_make(0, 0);
	weft_wg_add(&ready, WORKERS);
	weft_wg_add(&over, WORKERS);
	for (intptr_t i = 0; i < WORKERS; i++)
		kit_go(worker, (void *)i);
	weft_wg_wait(&ready);
	weft_wg_add(&ready, WORKERS);
	if (profile_first) {
		start_profile(b);
		before_both();
	}
	start_trace();
	let_them_go();
	weft_wg_wait(&ready);
	if (!profile_first)
		start_profile(b);
	int null = open("/dev/null", O_WRONLY);
	let_them_go();
	kit_equal(weft_trace_snapshot(null), 0); /* ends a generation */
	weft_wg_wait(&over);
	kit_until_parked(WORKERS);
	close(null);
}

static void read_both(const wb_buf *b, samples *profiled, samples *traced)
{
	kit_profile *p = kit_profile_read(b);
	kit_equal(kit_profile_sum(p, "samples", "weft__lost_samples", NULL), 0);
	kit_profile_each(p, add_row, profiled);
	kit_profile_free(p);
	read_trace(traced);
	sort(profiled);
	sort(traced);
}

CASE(same_samples, "runtime/trace: CPU samples; prof.h: while a trace runs the samples are in the trace, too",
	.seconds = 30, .soft = true)
{
	wb_buf b = { 0 };
	samples profiled = { 0 }, traced = { 0 };
	run_workers(&b, /* profile_first= */ false);
	kit_equal(weft_cpu_profile_stop(), 0);
	kit_equal(weft_trace_stop(), 0);
	let_them_go();
	read_both(&b, &profiled, &traced);
	kit_expect(profiled.at.n > 100 && with(&profiled, "who=w0|") > 0 && with(&profiled, "who=w1|") > 0);
	kit_equal(missing(&profiled, &traced, "not in the trace"), 0);
	kit_equal(missing(&traced, &profiled, "not in the profile"), 0);
	done(&profiled);
	done(&traced);
	wb_buf_free(&b);
}

CASE(samples_of_the_time, "prof.h: while a trace runs: none from before it or after it", .seconds = 30, .soft = true)
{
	wb_buf b = { 0 };
	samples profiled = { 0 }, traced = { 0 };
	run_workers(&b, /* profile_first= */ true);
	kit_equal(weft_trace_stop(), 0);
	before_both();
	kit_equal(weft_cpu_profile_stop(), 0);
	let_them_go();
	read_both(&b, &profiled, &traced);
	kit_expect(with(&profiled, "before_both:") > 0 && with(&profiled, "who=w1|") > 0 && traced.at.n > 100);
	kit_equal(with(&traced, "before_both:"), 0);
	kit_equal(with(&traced, "who=w1|"), with(&profiled, "who=w1|"));
	done(&profiled);
	done(&traced);
	wb_buf_free(&b);
}

CASE(samples_without_room, "prof.h: samples for which there is no room are counted in the trace", .seconds = 30,
	.soft = true)
{
	wb_buf b = { 0 };
	samples profiled = { 0 }, traced = { 0 };
	weft__cpu_kept_most = 4096;
	run_workers(&b, /* profile_first= */ false);
	kit_equal(weft_cpu_profile_stop(), 0);
	kit_equal(weft_trace_stop(), 0);
	let_them_go();
	read_both(&b, &profiled, &traced);
	size_t lost = with(&traced, "|weft__lost_samples:");
	kit_expect(lost > 0 && lost < traced.at.n);
	kit_equal(traced.at.n, profiled.at.n);
	done(&profiled);
	done(&traced);
	wb_buf_free(&b);
}
