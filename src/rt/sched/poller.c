/* rt/sched/poller.c - see poller.h. */
#include "rt/sched/poller.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "rt/sched/park.h"

enum {
	READY = 1,
	WAIT = 2,
	EVENTS = 128,
	PDS_AT_ONCE = 64,
	ODD = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI,
};

static int epoll_fd = -1, wake_fd = -1;
static _Atomic uint32_t woken; /* wake_fd has been written to */
static _Atomic int64_t n_waits;
static weft__lock free_lock;
static weft__pd *free_pds;

int weft__poll_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_fd < 0)
		return -errno;
	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0 };
	if (wake_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &ev) < 0) {
		int err = -errno;
		close(epoll_fd);
		if (wake_fd >= 0)
			close(wake_fd);
		return err;
	}
	return 0;
}

void weft__poll_done(void)
{
	close(epoll_fd);
	close(wake_fd);
}

bool weft__poll_waits(void)
{
	return atomic_load(&n_waits) != 0;
}

void weft__poll_until(int64_t ns)
{
	if (ns == INT64_MAX || atomic_load(&weft__sched.last_poll_ns) != 0)
		return;
	int64_t until = atomic_load(&weft__sched.poll_until_ns);
	if (until != 0 && until <= ns)
		return;
	uint32_t no = 0;
	if (!atomic_compare_exchange_strong(&woken, &no, 1))
		return;
	uint64_t one = 1;
	while (write(wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

/* ---- descriptors ---- */

static weft__pd *new_pd(void)
{
	weft__lock_take(&free_lock, WEFT__RANK_STACK);
	weft__pd *pd = free_pds;
	if (pd)
		free_pds = pd->link;
	weft__lock_drop(&free_lock);
	if (pd)
		return pd;
	pd = wb_calloc(PDS_AT_ONCE, sizeof(*pd));
	if (!pd)
		return NULL;
	weft__lock_take(&free_lock, WEFT__RANK_STACK);
	for (int i = 1; i < PDS_AT_ONCE; i++) {
		pd[i].link = free_pds;
		free_pds = &pd[i];
	}
	weft__lock_drop(&free_lock);
	return pd;
}

static void free_pd(weft__pd *pd)
{
	weft__lock_take(&free_lock, WEFT__RANK_STACK);
	pd->link = free_pds;
	free_pds = pd;
	weft__lock_drop(&free_lock);
}

/* The event carries the address and the low bits of the tag: an event that is late for a descriptor closed since is
 * told from one for its successor. */
static uint64_t pack(const weft__pd *pd, uint32_t tag)
{
	return (uint64_t)(uintptr_t)pd << 16 | (tag & 0xffff);
}

int weft__pd_open(int fd, weft__pd **ret)
{
	weft__pd *pd = new_pd();
	if (!pd)
		return -ENOMEM;
	pd->fd = fd;
	atomic_store(&pd->word[WEFT__POLL_READ], 0);
	atomic_store(&pd->word[WEFT__POLL_WRITE], 0);
	atomic_store(&pd->expired[WEFT__POLL_READ], 0);
	atomic_store(&pd->expired[WEFT__POLL_WRITE], 0);
	atomic_store(&pd->closing, 0);
	atomic_store(&pd->odd, 0);
	uint32_t tag = atomic_load(&pd->tag);
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | ODD | EPOLLET, .data.u64 = pack(pd, tag) };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int err = -errno;
		free_pd(pd);
		return err;
	}
	*ret = pd;
	return 0;
}

/* Takes the waiter of a direction, if any, and leaves `word` there. */
static weft__g *unblock(weft__pd *pd, enum weft__poll_mode mode, uintptr_t word)
{
	uintptr_t old = atomic_load(&pd->word[mode]);
	for (;;) {
		if (old == READY || (old == 0 && word == 0))
			return NULL;
		if (atomic_compare_exchange_weak(&pd->word[mode], &old, word))
			break;
	}
	if (old == 0 || old == WAIT)
		return NULL;
	atomic_fetch_sub(&n_waits, 1);
	return (weft__g *)old;
}

static int error_of(weft__pd *pd, enum weft__poll_mode mode)
{
	if (atomic_load(&pd->closing))
		return -ECANCELED;
	return atomic_load(&pd->expired[mode]) ? -ETIMEDOUT : 0;
}

int weft__pd_prepare(weft__pd *pd, enum weft__poll_mode mode)
{
	int err = error_of(pd, mode);
	if (err == 0 && atomic_load_explicit(&pd->word[mode], memory_order_relaxed) != 0)
		atomic_store(&pd->word[mode], 0);
	return err;
}

struct commit {
	weft__m *m;
	weft__g *g;
	_Atomic(uintptr_t) *word;
};

/* The goroutine is parked: publish it, unless what it waits for has come meanwhile. */
static void commit(void *arg)
{
	struct commit *c = arg;
	weft__g *g = c->g;
	uintptr_t wait = WAIT;
	atomic_fetch_add(&n_waits, 1);
	if (atomic_compare_exchange_strong(c->word, &wait, (uintptr_t)g))
		return;
	atomic_fetch_sub(&n_waits, 1);
	weft__ready(weft__self(), g);
}

int weft__pd_wait(weft__m **m, weft__pd *pd, enum weft__poll_mode mode)
{
	uintptr_t old = 0;
	for (;;) {
		uintptr_t ready = READY;
		if (atomic_compare_exchange_strong(&pd->word[mode], &ready, 0))
			return error_of(pd, mode);
		old = 0;
		if (atomic_compare_exchange_strong(&pd->word[mode], &old, WAIT))
			break;
		if (old != READY)
			return -EBUSY;
	}
	/* Evict and expire set their flag, then look at the word; so the flag is looked at after the word is set. */
	if (error_of(pd, mode) == 0) {
		struct commit c = { .g = weft__self_g(*m), .word = &pd->word[mode] };
		c.g->wait_attr = (uint64_t)pd->fd;
		*m = weft__park_call(*m, commit, &c, WEFT__WAIT_IO, pd);
	}
	old = atomic_exchange(&pd->word[mode], 0);
	return error_of(pd, mode);
}

static void wake(weft__m *m, weft__pd *pd, enum weft__poll_mode mode, uintptr_t word)
{
	weft__g *g = unblock(pd, mode, word);
	if (g)
		weft__ready(m, g);
}

void weft__pd_expire(weft__m *m, weft__pd *pd, enum weft__poll_mode mode, bool expired)
{
	atomic_store(&pd->expired[mode], expired);
	if (expired)
		wake(m, pd, mode, 0);
}

void weft__pd_evict(weft__m *m, weft__pd *pd)
{
	atomic_store(&pd->closing, 1);
	wake(m, pd, WEFT__POLL_READ, 0);
	wake(m, pd, WEFT__POLL_WRITE, 0);
}

void weft__pd_close(weft__pd *pd)
{
	struct epoll_event unused = { 0 };
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, pd->fd, &unused);
	atomic_fetch_add(&pd->tag, 1);
	free_pd(pd);
}

/* ---- polling ---- */

static void take(weft__m *m, weft__g *g, weft__queue *ret)
{
	if (!g)
		return;
	WEFT__TELL(m, go_unblock, &g->tr, NULL);
	weft__g_set_state(g, WEFT__G_RUNNABLE);
	weft__queue_push(ret, g);
}

static void event(weft__m *m, const struct epoll_event *ev, bool blocking, weft__queue *ret)
{
	if (ev->data.u64 == 0) {
		if (!blocking)
			return; /* it is for the thread that waits */
		uint64_t count;
		while (read(wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
			;
		atomic_store(&woken, 0);
		return;
	}
	weft__pd *pd = (weft__pd *)(uintptr_t)(ev->data.u64 >> 16);
	if ((atomic_load(&pd->tag) & 0xffff) != (ev->data.u64 & 0xffff))
		return;
	if (ev->events & ODD)
		atomic_store(&pd->odd, 1);
	if (ev->events & (EPOLLIN | ODD))
		take(m, unblock(pd, WEFT__POLL_READ, READY), ret);
	if (ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		take(m, unblock(pd, WEFT__POLL_WRITE, READY), ret);
}

static int wait_for(struct epoll_event *events, int64_t delay_ns)
{
	/* ThreadSanitizer does not know the newer call: what comes through it would be a race. */
	static _Atomic bool no_pwait2 = WEFT__CTX_TSAN;
	if (delay_ns <= 0)
		return epoll_wait(epoll_fd, events, EVENTS, delay_ns < 0 ? -1 : 0);
	if (!atomic_load_explicit(&no_pwait2, memory_order_relaxed)) {
		struct timespec ts = { .tv_sec = (time_t)(delay_ns / 1000000000),
			.tv_nsec = (long)(delay_ns % 1000000000) };
		int n = epoll_pwait2(epoll_fd, events, EVENTS, &ts, NULL);
		if (n >= 0 || (errno != ENOSYS && errno != EPERM)) /* EPERM: filters of older containers */
			return n;
		atomic_store_explicit(&no_pwait2, true, memory_order_relaxed);
	}
	int64_t ms = (delay_ns + 999999) / 1000000;
	return epoll_wait(epoll_fd, events, EVENTS, ms < INT32_MAX ? (int)ms : INT32_MAX);
}

_Noreturn static void fail(int error)
{
	char text[96];
	snprintf(text, sizeof(text),
		"the poller of the runtime fails: errno %d (has the program closed its descriptor?)", error);
	weft__fatal(text);
}

void weft__poll(weft__m *m, int64_t delay_ns, weft__queue *ret)
{
	struct epoll_event events[EVENTS];
	int n;
	if (delay_ns != 0)
		weft__idle_begin(m);
	do
		n = wait_for(events, delay_ns);
	while (n < 0 && errno == EINTR && delay_ns < 0);
	if (weft__unlikely(n < 0) && errno != EINTR)
		fail(errno);
	if (delay_ns != 0)
		weft__idle_end(m);
	for (int i = 0; i < n; i++)
		event(m, &events[i], delay_ns != 0, ret);
}
