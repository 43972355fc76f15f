/* rt/net/lookup.c - see lookup.h.
 *
 * getaddrinfo(3) blocks for as long as it likes and cannot be stopped.  So with a deadline another goroutine asks, and
 * keeps the question alive when nobody waits for its answer any more. */
#include "rt/net/lookup.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include <weft/chan.h>
#include <weft/net.h>

#include "base/alloc.h"
#include "os/net.h"
#include "rt/sched/park.h"

enum { AT_ONCE = 256, NAME_BYTES = WEFT__HOST_BYTES }; /* questions, a thread each */

struct question {
	_Atomic uint32_t n_refs;
	char name[NAME_BYTES];
	bool service; /* and not a host */
	int family, type;
	int err; /* the answer: 0 and `found`, or an error */
	struct addrinfo *found;
	weft_chan *answered; /* NULL: nobody waits elsewhere */
};

static void unref(struct question *q)
{
	if (atomic_fetch_sub_explicit(&q->n_refs, 1, memory_order_acq_rel) != 1)
		return;
	if (q->found)
		freeaddrinfo(q->found);
	weft_chan_unref(q->answered);
	wb_free(q);
}

static int error_of(int eai)
{
	switch (eai) {
	case 0: return 0;
	case EAI_NONAME:
	case EAI_NODATA:
	case EAI_ADDRFAMILY: return -ENOENT;
	case EAI_SERVICE: return -EINVAL;
	case EAI_MEMORY: return -ENOMEM;
	case EAI_SYSTEM: return errno ? -errno : -EIO;
	default: return -EIO;
	}
}

/* On the thread's own stack. */
static void ask(void *arg)
{
	struct question *q = arg;
	struct addrinfo hints = { .ai_family = q->family, .ai_socktype = q->type };
	errno = 0;
	q->err = error_of(wo_getaddrinfo(q->service ? NULL : q->name, q->service ? q->name : NULL, &hints, &q->found));
	if (q->err < 0)
		q->found = NULL;
}

/* Holds an element for each question that is being asked: NULL without memory. */
static weft_chan *places(void)
{
	static _Atomic(weft_chan *) made;
	weft_chan *ch = atomic_load_explicit(&made, memory_order_acquire);
	if (ch)
		return ch;
	weft_chan *mine = weft_chan_make(0, AT_ONCE);
	if (mine && !atomic_compare_exchange_strong(&made, &ch, mine)) {
		weft_chan_unref(mine);
		return ch;
	}
	return mine;
}

static void ask_in_turn(struct question *q)
{
	weft_chan *ch = places();
	if (!ch) {
		q->err = -ENOMEM;
		return;
	}
	weft_chan_send(ch, NULL);
	weft__blocking(ask, q);
	weft_chan_recv(ch, NULL);
}

static void ask_for_another(void *arg)
{
	struct question *q = arg;
	ask_in_turn(q);
	weft_chan_send(q->answered, NULL);
	unref(q);
}

static int start(struct question *q)
{
	weft__m *m = weft__enter();
	int err = 0;
	weft__start s = { .fn = ask_for_another,
		.arg = q,
		.stack_class = weft__sched.stack_class,
		.from = (uintptr_t)__builtin_return_address(0) };
	weft__g *g = weft__g_make(weft__self_p(m), &s, &err);
	if (g) {
		g->flags = WEFT__G_SYSTEM;
		weft__ready_made(m, g);
	}
	weft__leave(m);
	return err;
}

/* 0: the answer is in q; -ETIMEDOUT, or why it could not be asked. */
static int ask_until(struct question *q, weft_ns deadline)
{
	if (deadline == WEFT_FOREVER) {
		ask_in_turn(q);
		return 0;
	}
	q->answered = weft_chan_make(0, 1);
	if (!q->answered)
		return -ENOMEM;
	atomic_fetch_add(&q->n_refs, 1);
	int err = start(q);
	if (err < 0) {
		unref(q);
		return err;
	}
	int got = weft_chan_recv_until(q->answered, NULL, deadline);
	return got < 0 ? got : 0;
}

/* A question of one's own, to be given back with unref; NULL without memory. */
static struct question *make(const char *name)
{
	struct question *q = wb_calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	atomic_store_explicit(&q->n_refs, 1, memory_order_relaxed);
	strcpy(q->name, name);
	return q;
}

static int take_answer(const struct question *q, weft__address *ret, int n)
{
	int n_found = 0;
	for (const struct addrinfo *a = q->found; a; a = a->ai_next) {
		if (a->ai_addrlen > sizeof(ret->at))
			continue;
		if (n_found < n) {
			memcpy(&ret[n_found].at, a->ai_addr, a->ai_addrlen);
			ret[n_found].n = a->ai_addrlen;
		}
		n_found++;
	}
	return n_found ? n_found : -ENOENT;
}

static int by_number(const weft__address *a, int family, weft__address *ret, int n)
{
	if (family != AF_UNSPEC && family != a->at.any.sa_family)
		return -ENOENT;
	if (n > 0)
		*ret = *a;
	return 1;
}

int weft__lookup(const char *host, int family, weft_ns deadline, weft__address *ret, int n)
{
	weft__address number;
	if (!weft__self_g(weft__self()))
		return -EPERM;
	if (weft__address_number(host, &number))
		return by_number(&number, family, ret, n);
	if (*host == 0 || strlen(host) >= NAME_BYTES)
		return -ENOENT;
	struct question *q = make(host);
	if (!q)
		return -ENOMEM;
	q->family = family;
	q->type = SOCK_STREAM; /* any: each address once */
	int err = ask_until(q, deadline);
	if (err == 0)
		err = q->err < 0 ? q->err : take_answer(q, ret, n);
	unref(q);
	return err;
}

int weft__lookup_port(const char *service, int type, weft_ns deadline)
{
	int port = weft__address_port(service);
	if (port != -ENOENT)
		return port;
	if (!weft__self_g(weft__self()))
		return -EPERM;
	if (strlen(service) >= NAME_BYTES)
		return -EINVAL;
	struct question *q = make(service);
	if (!q)
		return -ENOMEM;
	q->service = true;
	q->family = AF_INET;
	q->type = type;
	int err = ask_until(q, deadline);
	if (err == 0)
		err = q->err == -ENOENT ? -EINVAL : q->err;
	if (err == 0)
		err = ntohs(((const struct sockaddr_in *)q->found->ai_addr)->sin_port);
	unref(q);
	return err;
}

int weft_lookup(const char *host, weft_ns deadline, struct sockaddr_storage *ret, size_t n)
{
	enum { MOST = 64 };
	weft__address *found = wb_calloc(MOST, sizeof(*found));
	if (!found)
		return -ENOMEM;
	int n_found = weft__lookup(host, AF_UNSPEC, deadline, found, MOST);
	if (n_found > MOST)
		n_found = MOST;
	for (int i = 0; i < n_found && (size_t)i < n; i++)
		ret[i] = found[i].at.room;
	wb_free(found);
	return n_found;
}
