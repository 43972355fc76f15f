/* rt/debug/textpages.c - answers that are text: the page, the command line, names of functions. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <weft/block.h>
#include <weft/prof.h>

#include "base/buf.h"
#include "os/file.h"
#include "rt/debug/server.h"
#include "rt/tr/symbol.h"

static const weft__head text_head = { .status = 200, .type = "text/plain; charset=utf-8" };

static void answer_buf(weft__con *c, const weft__head *h, wb_buf *b)
{
	if (b->failed)
		weft__con_refuse(c, 503, "out of memory");
	else
		weft__con_answer(c, h, b->at, b->n);
	wb_buf_free(b);
}

/* ---- the command line ---- */

void weft__debug_cmdline(weft__con *c)
{
	wb_buf b = { 0 };
	int fd;
	int err = wo_open_read("/proc/self/cmdline", &fd);
	if (err < 0) {
		weft__con_refuse(c, 500, "/proc/self/cmdline: %s", strerror(-err));
		return;
	}
	long n = 0;
	char *room;
	while ((room = wb_buf_room(&b, 4096)) && (n = wo_read(fd, room, 4096)) > 0)
		b.n += (size_t)n;
	wo_close(fd);
	if (b.n > 0 && b.at[b.n - 1] == 0)
		b.n--; /* a 0 stands between words, not behind the last */
	answer_buf(c, &text_head, &b);
}

/* ---- names of functions ---- */

typedef struct naming {
	const char *asked; /* "0x401000+0x401020" */
	wb_buf text;
} naming;

static void name_all(void *arg)
{
	naming *n = arg;
	weft__tr_symbols *s = weft__tr_symbols_open();
	for (const char *at = n->asked; s && *at;) {
		char *end;
		uint64_t pc = strtoull(at, &end, 0);
		const weft__tr_frame *f;
		/* The first frame is the innermost of those that are inlined there; pprof wants the function. */
		size_t k = pc && end > at ? weft__tr_symbols_at(s, (uintptr_t)pc, &f) : 0;
		if (k > 0 && strncmp(f[k - 1].func, "0x", 2) != 0) /* else it has none */
			wb_buf_printf(&n->text, "%#" PRIx64 " %s\n", pc, f[k - 1].func);
		at += strcspn(at, "+");
		at += *at == '+';
	}
	weft__tr_symbols_close(s);
}

void weft__debug_symbol(weft__con *c)
{
	naming n = { .asked = c->rq.method == WEFT__POST ? c->body ? c->body : "" : c->rq.query };
	wb_buf_puts(&n.text, "num_symbols: 1\n"); /* any number but 0 means that there are names */
	weft_blocking(name_all, &n);
	answer_buf(c, &text_head, &n.text);
}

/* ---- the page ---- */

static const char page_head[] =
	"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
	"<title>/debug/pprof/</title><style>"
	"body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:54em;padding:0 1em;color-scheme:light dark}"
	"table{border-collapse:collapse}td,th{padding:.2em 1em .2em 0;text-align:left;vertical-align:top}"
	"td:first-child,th:first-child{text-align:right;font-variant-numeric:tabular-nums}"
	"</style><h1>/debug/pprof/</h1>";

static const char *says_of(const char *name)
{
	static const struct {
		const char *name, *says;
	} rows[] = {
#define PROFILE(name, says) { #name, says },
#include "rt/debug/profpages.def"
	};
	size_t i = 0;
	while (i + 1 < sizeof(rows) / sizeof(rows[0]) && strcmp(rows[i].name, name) != 0)
		i++;
	return strcmp(rows[i].name, name) == 0 ? rows[i].says : "";
}

static void put_profiles(wb_buf *b)
{
	const char *name;
	wb_buf_puts(b, "<h2>Profiles</h2><table><tr><th>Count<th>Profile<th>");
	for (size_t i = 0; (name = weft_profile_name(i)); i++)
		wb_buf_printf(b, "<tr><td>%lld<td><a href='%s?debug=1'>%s</a><td>%s",
			(long long)weft_profile_count(name), name, name, says_of(name));
	wb_buf_puts(b, "</table><p><a href='goroutine?debug=2'>Every goroutine with its state and stack</a>");
}

static void put_routes(wb_buf *b)
{
	static const struct {
		const char *path, *says;
	} rows[] = {
#define ROUTE(path, name, methods, says) { path, says },
#include "rt/debug/routes.def"
	};
	wb_buf_puts(b, "<h2>Recordings and more</h2><table>");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].says)
			wb_buf_printf(b, "<tr><td><td><a href='%s'>%s</a><td>%s", rows[i].path,
				strrchr(rows[i].path, '/') + 1, rows[i].says);
	wb_buf_puts(b, "</table>");
}

void weft__debug_index(weft__con *c)
{
	static const weft__head h = { .status = 200, .type = "text/html; charset=utf-8" };
	static const char path[] = "/debug/pprof/";
	if (strcmp(c->rq.path, path) != 0) {
		if (!weft__debug_profile_named(c, c->rq.path + sizeof(path) - 1))
			weft__con_refuse(c, 404, "Unknown profile");
		return;
	}
	wb_buf b = { 0 };
	wb_buf_puts(&b, page_head);
	put_profiles(&b);
	put_routes(&b);
	answer_buf(c, &h, &b);
}
