/* rt/prof/dumpwaits.c - see dumpwaits.h. */
#include "rt/prof/dumpwaits.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "rt/sched/objnames.h"
#include "rt/sched/scheduler.h"
#include "rt/sched/tell.h"

/* ---- one goroutine ---- */

/* Of a select's channels. */
enum { SELECT_SHOWN = 16 };

static const char *const kinds[] = {
#define OBJECT(ID, text, attr, holder) [WEFT__TR_##ID] = text,
#include "fmt/objects.def"
};

typedef struct room {
	char *at;
	size_t n;
} room;

static __attribute__((format(printf, 2, 3))) void put(room *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(r->at + r->n, WEFT__WAIT_TEXT_BYTES - r->n, fmt, args);
	va_end(args);
	r->n += n < 0 ? 0 : (size_t)n;
	r->n = r->n < WEFT__WAIT_TEXT_BYTES ? r->n : WEFT__WAIT_TEXT_BYTES - 1;
}

/* A sender waits because it is full, a receiver because it is empty: its memory, which may be gone, is not looked at.
 */
static void put_channel(room *r, const weft__g *g, uint64_t cap)
{
	bool sends = g->reason == WEFT__WAIT_CHAN_SEND;
	if (g->reason == WEFT__WAIT_SELECT)
		return;
	if (cap == 0)
		put(r, sends ? " (unbuffered, nobody receives)" : " (unbuffered, nobody sends)");
	else
		put(r, " (%s, %" PRIu64 " of %" PRIu64 ")", sends ? "full" : "empty", sends ? cap : 0, cap);
}

/* Of a select.  Only the goroutine's stack is looked at, which is there as long as the goroutine is. */
__attribute__((no_sanitize("thread", "address"))) static size_t channels_of(
	const volatile weft__g *g, const void *ret[SELECT_SHOWN])
{
	const void *const volatile *list = g->select;
	size_t n = g->wait_attr < SELECT_SHOWN ? g->wait_attr : SELECT_SHOWN;
	uintptr_t at = (uintptr_t)list, lo = (uintptr_t)g->stack_lo, hi = (uintptr_t)g->stack_hi;
	if (at % sizeof(*list) != 0 || at < lo || at > hi || hi - at < n * sizeof(*list))
		return 0;
	for (size_t i = 0; i < n; i++)
		ret[i] = list[i];
	return n;
}

/* It may have gone on while its channels were read: then they are not told. */
static void put_select(room *r, const weft__g *g)
{
	uint64_t n = g->wait_attr;
	const void *channels[SELECT_SHOWN];
	size_t n_shown = channels_of(g, channels);
	if (weft__g_state(g) != WEFT__G_WAITING || g->reason != WEFT__WAIT_SELECT || g->wait_attr != n)
		return;
	put(r, "in select over %" PRIu64 "%s", n, n_shown ? ":" : " channels");
	for (size_t i = 0; i < n_shown; i++) {
		char name[WEFT__OBJNAME_BYTES_MAX + 1];
		const char *comma = i > 0 ? "," : "";
		if (weft__objname_of(channels[i], name) > 0)
			put(r, "%s '%s'", comma, name);
		else
			put(r, "%s %p", comma, channels[i]);
	}
	if (n_shown && n_shown < n)
		put(r, ", ...");
}

size_t weft__wait_text(const weft__g *g, char ret[WEFT__WAIT_TEXT_BYTES])
{
	weft__tr_object o = weft__tell_object(g);
	char name[WEFT__OBJNAME_BYTES_MAX + 1];
	room r = { ret, 0 };
	if (o.kind == WEFT__TR_NOTHING && g->reason == WEFT__WAIT_SELECT)
		put_select(&r, g);
	if (o.kind == WEFT__TR_NOTHING)
		return r.n;
	bool named = weft__objname_of((const void *)(uintptr_t)o.id, name) > 0;
	put(&r, "for %s", kinds[o.kind]);
	if (o.kind == WEFT__TR_FD)
		put(&r, " %" PRIu64, o.attr);
	if (named)
		put(&r, " '%s'", name);
	else if (o.kind != WEFT__TR_FD)
		put(&r, " %#" PRIx64, o.id);
	if (o.kind == WEFT__TR_CHAN)
		put_channel(&r, g, o.attr);
	if (o.holder)
		put(&r, ", held by goroutine %" PRIu64, o.holder);
	return r.n;
}

/* ---- circles ---- */

/* Those that wait for a holder; more than there is room for are not looked at. */
enum { WAITERS_MAX = 1024, NOT_THERE = WAITERS_MAX };

typedef struct waiter {
	const weft__g *g;
	uint64_t id, holder;
	unsigned seen; /* in which search */
} waiter;

static struct {
	waiter all[WAITERS_MAX];
	unsigned n;
} waiters;

static void add_waiter(weft__g *g, void *unused)
{
	(void)unused;
	if (weft__g_state(g) != WEFT__G_WAITING || waiters.n == WAITERS_MAX)
		return;
	weft__tr_object o = weft__tell_object(g);
	if (o.holder)
		waiters.all[waiters.n++] = (waiter){ g, g->tr.id, o.holder, 0 };
}

static unsigned holder_of(unsigned i)
{
	for (unsigned k = 0; k < waiters.n; k++)
		if (waiters.all[k].id == waiters.all[i].holder)
			return k;
	return NOT_THERE;
}

static void say_circle(unsigned first, void (*say)(const char *text, void *arg), void *arg)
{
	unsigned i = first;
	say("\n# a circle:", arg);
	do {
		char text[WEFT__WAIT_TEXT_BYTES], line[WEFT__WAIT_TEXT_BYTES + 64];
		weft__wait_text(waiters.all[i].g, text);
		snprintf(line, sizeof(line), "%s goroutine %" PRIu64 " waits %s", i == first ? "" : ";",
			waiters.all[i].id, text);
		say(line, arg);
		i = holder_of(i);
	} while (i != first);
	say("\n", arg);
}

/* Each search marks what it comes by: one that meets its own mark has found a circle that nobody has found before. */
void weft__wait_circles(void (*say)(const char *text, void *arg), void *arg)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&one_at_a_time);
	waiters.n = 0;
	weft__g_each(add_waiter, NULL);
	for (unsigned search = 1; search <= waiters.n; search++) {
		unsigned i = search - 1;
		while (i != NOT_THERE && waiters.all[i].seen == 0) {
			waiters.all[i].seen = search;
			i = holder_of(i);
		}
		if (i != NOT_THERE && waiters.all[i].seen == search)
			say_circle(i, say, arg);
	}
	pthread_mutex_unlock(&one_at_a_time);
}
