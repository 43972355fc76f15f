/* rt/ledger/compare.c - see ledger.h: traces against the ledger. */
#include "inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtr/wtr.h>

#include "../../interop/goserve.h"
#include "fmt/events.h"
#include "second.h"

static const struct {
	const char *name, *reason;
} kinds[] = {
#define KIND(ID, name, reason) { name, reason },
	LEDGER_KINDS(KIND)
#undef KIND
};

void ledger_find(ledger_found *f, int64_t g, ledger_kind kind)
{
	if (g > 0 && g < LEDGER_GOROUTINES)
		f->of[g][kind]++;
}

void ledger_find_block(ledger_found *f, int64_t g, const char *reason, size_t n)
{
	for (unsigned k = 0; k < LEDGER_KIND_COUNT; k++)
		if (kinds[k].reason && strlen(kinds[k].reason) == n && memcmp(kinds[k].reason, reason, n) == 0)
			ledger_find(f, g, (ledger_kind)k);
}

/* ---- read by libwtr ---- */

/* Hogs, by goroutine: goroutines that computed for so long that their proc was taken are told as system calls
 * (docs/carrier.md).  Nobody was there to walk their stacks: so they are known, without reading the carrier. */
static uint32_t hogs[LEDGER_GOROUTINES];

static void see_call(ledger_found *f, const wtr_event *e)
{
	ledger_find(f, e->id, LEDGER_SYSCALLS);
	if (e->stack == 0 && e->id > 0 && e->id < LEDGER_GOROUTINES)
		hogs[e->id]++;
}

static void see_transition(ledger_found *f, wtr_trace *t, const wtr_event *e)
{
	switch (e->type) {
	case WF_EV_GO_CREATE: ledger_find(f, e->g, LEDGER_CREATES); break;
	case WF_EV_GO_DESTROY: ledger_find(f, e->id, LEDGER_ENDS); break;
	case WF_EV_GO_UNBLOCK: ledger_find(f, e->id, LEDGER_UNBLOCKS); break;
	case WF_EV_GO_SYSCALL_BEGIN: see_call(f, e); break;
	case WF_EV_GO_BLOCK: {
		wtr_str reason = wtr_string(t, e->str);
		ledger_find_block(f, e->id, reason.at, reason.n);
		break;
	}
	default: break;
	}
}

static void find_collection(ledger_found *f, int64_t g)
{
	ledger_find(f, g, LEDGER_COLLECTIONS);
	f->of[0][LEDGER_COLLECTIONS]++;
}

static void see_range(ledger_found *f, wtr_trace *t, const wtr_event *e)
{
	wtr_str why = wtr_string(t, e->str);
	if (e->detail == WTR_RANGE_STW && why.n == 10 && memcmp(why.at, "GOMAXPROCS", 10) == 0)
		ledger_find(f, e->g, LEDGER_STOPS);
	if (e->detail == WTR_RANGE_GC_MARK)
		find_collection(f, e->g);
}

static void see(ledger_found *f, wtr_trace *t, const wtr_event *e)
{
	switch (e->kind) {
	case WTR_KIND_STATE_TRANSITION: see_transition(f, t, e); break;
	case WTR_KIND_TASK_BEGIN: ledger_find(f, e->g, LEDGER_TASKS); break;
	case WTR_KIND_TASK_END: ledger_find(f, e->g, LEDGER_TASK_ENDS); break;
	case WTR_KIND_REGION_BEGIN: ledger_find(f, e->g, LEDGER_REGIONS); break;
	case WTR_KIND_REGION_END: ledger_find(f, e->g, LEDGER_REGION_ENDS); break;
	case WTR_KIND_LOG: ledger_find(f, e->g, LEDGER_LOGS); break;
	case WTR_KIND_RANGE_BEGIN: see_range(f, t, e); break;
	default: break;
	}
}

static bool read_ours(ledger_found *f, const wb_buf *trace)
{
	memset(hogs, 0, sizeof(hogs));
	wtr_trace *t;
	wtr_error err = { 0 };
	if (wtr_open_bytes(trace->at, trace->n, NULL, &t, &err) != WTR_OK) {
		fprintf(stderr, "libwtr: %s\n", err.what);
		return false;
	}
	wtr_cursor *c = wtr_cursor_open(t, NULL, NULL);
	const wtr_event *e;
	for (size_t n; (n = wtr_next(c, &e)) > 0;)
		for (size_t i = 0; i < n; i++)
			see(f, t, &e[i]);
	err = *wtr_cursor_error(c);
	if (err.code != WTR_OK)
		fprintf(stderr, "libwtr: generation %llu, thread %lld, %s: %s\n", (unsigned long long)err.generation,
			(long long)err.thread, err.event, err.what);
	wtr_cursor_close(c);
	wtr_close(t);
	return err.code == WTR_OK;
}

/* ---- read by Go: lines such as
 *   M=1 P=0 G=7 StateTransition Time=5 GoID=7 Running->Waiting Reason="chan send" ---- */

static bool number_behind(const char *line, const char *word, int64_t *ret)
{
	const char *at = strstr(line, word);
	if (at)
		*ret = strtoll(at + strlen(word), NULL, 10);
	return at != NULL;
}

static void see_goroutine(ledger_found *f, const char *line, int64_t context, int64_t g)
{
	static const char *const from_to[] = { " NotExist->Runnable", " Running->NotExist", " Waiting->Runnable",
		" Running->Syscall", " Running->Waiting" };
	unsigned i = 0;
	while (i < 5 && !strstr(line, from_to[i]))
		i++;
	const char *reason = strstr(line, "Reason=\"");
	switch (i) {
	case 0: ledger_find(f, context, LEDGER_CREATES); break;
	case 1: ledger_find(f, g, LEDGER_ENDS); break;
	case 2: ledger_find(f, g, LEDGER_UNBLOCKS); break;
	case 3: ledger_find(f, g, LEDGER_SYSCALLS); break;
	case 4:
		if (reason)
			ledger_find_block(f, g, reason + 8, strcspn(reason + 8, "\""));
		break;
	default: break;
	}
}

static void see_line(ledger_found *f, const char *line)
{
	static const struct {
		const char *word;
		ledger_kind kind;
	} words[] = {
		{ " TaskBegin ", LEDGER_TASKS },
		{ " TaskEnd ", LEDGER_TASK_ENDS },
		{ " RegionBegin ", LEDGER_REGIONS },
		{ " RegionEnd ", LEDGER_REGION_ENDS },
		{ " Log ", LEDGER_LOGS },
	};
	int64_t context, g;
	if (strncmp(line, "M=", 2) != 0 || !number_behind(line, " G=", &context))
		return;
	if (strstr(line, " StateTransition ")) {
		if (number_behind(line, " GoID=", &g))
			see_goroutine(f, line, context, g);
		return;
	}
	if (strstr(line, " RangeBegin ")) {
		if (strstr(line, "stop-the-world (GOMAXPROCS)"))
			ledger_find(f, context, LEDGER_STOPS);
		if (strstr(line, "GC concurrent mark phase"))
			find_collection(f, context);
		return;
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(line, words[i].word))
			ledger_find(f, context, words[i].kind);
}

static bool read_go(ledger_found *f, const wb_buf *trace)
{
	static go_server server;
	wb_buf text = { 0 };
	if (!server.to && !go_start(&server))
		return false;
	int status = go_ask_bytes(&server, trace, &text);
	char *save, *all = (char *)(uintptr_t)wb_buf_cstr(&text);
	for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		see_line(f, line);
		if (status && strncmp(line, "M=", 2) && line[0] != ' ')
			fprintf(stderr, "Go's reader: %s\n", line);
	}
	wb_buf_free(&text);
	return status == 0;
}

/* ---- against the ledger ---- */

static bool is_wait(unsigned kind)
{
	return kinds[kind].reason || kind == LEDGER_UNBLOCKS;
}

static bool agrees(const char *reader, unsigned k, const ledger_found *f)
{
	unsigned n_bad = 0;
	for (uint64_t g = 0; g < LEDGER_GOROUTINES; g++) {
		const ledger_page *page = ledger_page_of(g);
		for (unsigned kind = 0; page->counted && kind < LEDGER_KIND_COUNT; kind++) {
			uint32_t sure = page->sure[k][kind], most = sure + page->perhaps[k][kind], n = f->of[g][kind];
			if ((page->without_waits && is_wait(kind)) || (n >= sure && n <= most))
				continue;
			if (n_bad++ < 10)
				fprintf(stderr, "trace %u, read by %s, goroutine %" PRIu64 ", %s: %u, not %u to %u\n",
					k, reader, g, kinds[kind].name, n, sure, most);
		}
	}
	return n_bad == 0;
}

static bool check_by(const char *reader, bool read(ledger_found *, const wb_buf *), unsigned k, const wb_buf *trace)
{
	ledger_found *f = calloc(1, sizeof(*f));
	if (!f)
		abort();
	bool ok = read(f, trace);
	for (unsigned g = 0; g < LEDGER_GOROUTINES; g++)
		f->of[g][LEDGER_SYSCALLS] -= hogs[g];
	ok = agrees(reader, k, f) && ok;
	free(f);
	return ok;
}

static bool is_sound(unsigned k, const wb_buf *trace)
{
	second_result r;
	if (second_check(trace->at, trace->n, &r))
		return true;
	fprintf(stderr, "trace %u, second validator: %s\n", k, r.why);
	return false;
}

bool ledger_holds(unsigned k, const wb_buf *trace)
{
	bool sound = is_sound(k, trace), ours = check_by("libwtr", read_ours, k, trace);
	bool go = !getenv("WEFT_GO") || check_by("Go", read_go, k, trace);
	return sound && ours && go;
}
