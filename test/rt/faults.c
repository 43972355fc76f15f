/* rt/faults.c - a program that uses everything, with each allocation and each call for memory, threads and descriptors
 * failing in turn, once and for good.
 *
 * Each run is a process of its own.  It must end by itself: with every call having done its work or returned the error
 * (status 0), with weft_main() returning it (START_FAILED), or with one of the fatal errors that `fatal_texts` has
 * (2).  No signal, no hang, no descriptor left open; under ASan no leak either.
 *
 * KIT_NTH: begins with this one.  KIT_LEAKS=1: ASan looks for leaks after every run (some seconds each), and not only
 * after one in LEAKS_EACH.
 */
#include "kit/fault.h"
#include "kit/inside.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_FAILED = 3, ENDS_WITHIN_S = 20, NTH_MAX = 5000, ERR_BYTES = 2000, LEAKS_EACH = 64 };

/* Where no caller can be told. */
static const char *const fatal_texts[] = {
	"fatal error: out of memory for a thread that calls in\n",
	"fatal error: out of memory for a thread that uses the collected heap\n",
	"fatal error: out of memory: weft_timer_reset\n",
	"fatal error: out of memory: no goroutine could be started for a timer for 1 s\n",
	"fatal error: no thread could be started for 1 s (errno 11), and nothing else runs\n",
	"fatal error: no thread could be started for 1 s (errno 12), and nothing else runs\n",
};

static int injected; /* the errno that the failing call sets */

/* True for what is no error; errors must be the injected one, or what it amounts to, also for who was connected to the
 * one that it befell. */
static bool went_well(int64_t ret)
{
	if (ret >= 0)
		return true;
	if (ret != -ENOMEM && ret != -ECONNREFUSED && ret != -ECONNRESET && ret != -EPIPE)
		kit_equal(ret, -injected);
	return false;
}

/* ---- the program ---- */

typedef struct line {
	weft_chan *ch;
	weft_wg wg;
	int64_t n;
} line;

static void produce(void *arg)
{
	line *l = arg;
	for (int64_t i = 0; i < l->n; i++)
		kit_equal(weft_chan_send(l->ch, &i), 0);
}

static void channels(void)
{
	line l = { .ch = weft_chan_make(sizeof(int64_t), 3), .n = 10 };
	int64_t left = 0, v;
	if (!l.ch)
		return;
	for (int i = 0; i < 5; i++)
		left += went_well(weft_wg_go(&l.wg, produce, &l)) ? l.n : 0;
	while (left-- > 0)
		kit_equal(weft_chan_recv(l.ch, &v), 1);
	weft_wg_wait(&l.wg);
	weft_chan_unref(l.ch);
}

static void selects(void)
{
	enum { N = 40 }; /* too many for the stack */
	weft_case cases[N] = { 0 };
	line l = { .ch = weft_chan_make(sizeof(int64_t), 0), .n = 3 };
	int64_t v;
	if (!l.ch)
		return;
	cases[N - 1] = (weft_case)WEFT_RECV(l.ch, &v);
	if (went_well(weft_wg_go(&l.wg, produce, &l))) {
		for (int i = 0; i < l.n; i++) {
			int ran = weft_select(cases, N);
			if (!went_well(ran))
				kit_equal(weft_chan_recv(l.ch, &v), 1);
		}
	}
	int ran = weft_select_until(cases, N, weft_in(100 * WEFT_US));
	kit_expect(ran == -ETIMEDOUT || !went_well(ran));
	ran = weft_chan_recv_until(l.ch, &v, weft_in(100 * WEFT_US));
	kit_expect(ran == -ETIMEDOUT || !went_well(ran));
	weft_wg_wait(&l.wg);
	weft_chan_unref(l.ch);
}

static void ring(void *arg)
{
	weft_wg_done(arg);
}

static void doze(void *arg)
{
	(void)arg;
	went_well(weft_sleep(200 * WEFT_US));
}

static void time_of_day(void)
{
	weft_wg wg = { 0 };
	weft_timer t = { 0 };
	weft_wg_add(&wg, 1);
	if (went_well(weft_timer_start(&t, weft_in(100 * WEFT_US), ring, &wg)))
		weft_wg_wait(&wg);
	else
		weft_wg_done(&wg);
	weft_chan *once = weft_after(100 * WEFT_US), *ticks = weft_tick(100 * WEFT_US);
	if (once)
		kit_equal(weft_chan_recv(once, NULL), 1);
	for (int i = 0; ticks && i < 2; i++)
		kit_equal(weft_chan_recv(ticks, NULL), 1);
	weft_chan_unref(once);
	weft_chan_unref(ticks);
	for (int i = 0; i < 100; i++) /* more than the first heap of timers holds */
		went_well(weft_wg_go(&wg, doze, NULL));
	weft_wg_wait(&wg);
}

struct counter {
	weft_mutex lock;
	weft_rwmutex rw;
	weft_cond changed;
	weft_sema sema;
	weft_wg wg;
	int n;
};

static void count(void *arg)
{
	struct counter *c = arg;
	weft_lock(&c->lock);
	c->n++;
	weft_cond_broadcast(&c->changed);
	weft_yield();
	weft_unlock(&c->lock);
	weft_rlock(&c->rw);
	weft_yield();
	weft_runlock(&c->rw);
	weft_sema_release(&c->sema);
}

static void locks(void)
{
	struct counter c = { 0 };
	int n = 0;
	for (int i = 0; i < 4; i++)
		n += went_well(weft_wg_go(&c.wg, count, &c));
	weft_lock(&c.lock);
	while (c.n < n) {
		int err = weft_cond_wait_until(&c.changed, &c.lock, weft_in(WEFT_SECOND));
		if (err != -ETIMEDOUT && !went_well(err)) {
			weft_unlock(&c.lock);
			weft_yield();
			weft_lock(&c.lock);
		}
	}
	weft_unlock(&c.lock);
	for (int i = 0; i < n; i++)
		weft_sema_acquire(&c.sema);
	int err = weft_sema_acquire_until(&c.sema, weft_in(100 * WEFT_US));
	kit_expect(err == -ETIMEDOUT || !went_well(err));
	weft_wlock(&c.rw);
	weft_wunlock(&c.rw);
	weft_wg_wait(&c.wg);
}

static void wait_for_end(void *arg)
{
	kit_equal(weft_chan_recv(weft_ctx_done(arg), NULL), 0);
}

static int nap(void *arg)
{
	return weft_ctx_sleep(arg, 100 * WEFT_US);
}

static void contexts(void)
{
	weft_wg wg = { 0 };
	weft_ctx *top = weft_ctx_make(NULL, weft_in(200 * WEFT_US)), *below = weft_ctx_make(top, WEFT_FOREVER);
	if (top && below) {
		went_well(weft_wg_go(&wg, wait_for_end, below));
		if (!weft_ctx_sleep(top, 10 * WEFT_US))
			kit_expect(weft_ctx_err(NULL) == 0);
	}
	weft_ctx_cancel(below);
	weft_wg_wait(&wg);
	weft_ctx_unref(below);
	weft_ctx_unref(top);
	weft_group *g = weft_group_make(NULL);
	if (!g)
		return;
	weft_group_limit(g, 2);
	for (int i = 0; i < 4; i++)
		went_well(weft_group_go(g, nap, NULL));
	went_well(weft_group_wait(g));
	weft_group_unref(g);
}

static void end_value(void *value)
{
	free(value);
}

static void values(void *arg)
{
	static atomic_int key = -1;
	(void)arg;
	if (key < 0)
		key = weft_key_make(end_value);
	void *value = malloc(10);
	if (!went_well(weft_key_set(key, value)))
		free(value);
	void *other = malloc(10);
	if (!went_well(weft_at_end(end_value, other)))
		free(other);
}

static void tied(void *arg)
{
	(void)arg;
	weft_thread_lock();
	for (int i = 0; i < 5; i++)
		weft_yield();
	weft_thread_unlock();
}

static bool for_good; /* it fails from the nth call on */

static void tied_for_good(void *arg)
{
	(void)arg;
	weft_thread_lock();
	weft_yield();
}

static void goroutines(void)
{
	weft_wg wg = { 0 };
	went_well(weft_wg_go(&wg, values, NULL));
	went_well(weft_wg_go(&wg, tied, NULL));
	if (!for_good) /* a missing thread is waited for: see threads_that_end */
		went_well(weft_wg_go(&wg, tied_for_good, NULL));
	weft_wg_wait(&wg);
	went_well(weft_go_with(doze, NULL, &(weft_go_options){ .name = "with a name", .stack_bytes = 256 << 10 }));
	for (int i = 0; i < 600; i++) /* more stacks than are made at once */
		went_well(weft_wg_go(&wg, doze, NULL));
	weft_wg_wait(&wg);
	kit_until(weft_count() == 1);
	weft_procs(4);
	weft_yield();
	weft_procs(2);
}

static void dial(void *arg)
{
	weft_fd *f;
	char c = 0;
	if (!went_well(weft_dial("tcp", arg, weft_in(30 * WEFT_SECOND), &f)))
		return;
	kit_equal(weft_write(f, "x", 1), 1);
	ssize_t n = weft_read(f, &c, 1);
	kit_expect(n == -ECONNRESET || went_well(n));
	weft_fd_close(f);
}

static void answer(weft_fd *listener)
{
	weft_fd *f;
	char c = 0;
	weft_fd_read_deadline(listener, weft_in(10 * WEFT_MS)); /* whoever wanted to dial may have failed */
	int err = weft_accept(listener, &f);
	if (err == -ETIMEDOUT || !went_well(err))
		return;
	went_well(weft_fd_deadline(f, weft_in(30 * WEFT_SECOND), weft_in(30 * WEFT_SECOND)));
	ssize_t n = weft_read(f, &c, 1);
	if (n != -ETIMEDOUT && went_well(n)) /* without memory a deadline counts as passed */
		kit_expect(weft_write(f, &c, 1) == 1 || weft_fd_write_deadline(f, WEFT_FOREVER) == 0);
	weft_fd_close(f);
}

static void network(void)
{
	weft_fd *l = NULL, *u = NULL;
	weft_wg wg = { 0 };
	char at[64], path[64];
	snprintf(path, sizeof(path), "/tmp/weft-faults-%d", (int)getpid());
	if (went_well(weft_listen("unix", path, &u)))
		kit_equal(weft_fd_close(u), 0);
	if (!went_well(weft_listen("tcp", "127.0.0.1:0", &l)))
		return;
	kit_expect(weft_fd_local(l, at, sizeof(at)) > 0);
	if (went_well(weft_wg_go(&wg, dial, at)))
		answer(l);
	weft_fd_close(l);
	weft_wg_wait(&wg);
	struct sockaddr_storage found[4];
	int n = weft_lookup("localhost", weft_in(20 * WEFT_SECOND), found, 4);
	if (n != -ENOENT && n != -EIO) /* machines differ */
		went_well(n);
}

static void files(void)
{
	weft_fd *r, *w, *f;
	char c = 0;
	if (went_well(weft_pipe(&r, &w))) {
		kit_equal(weft_write(w, "y", 1), 1);
		kit_equal(weft_read(r, &c, 1), 1);
		weft_fd_close(r);
		weft_fd_close(w);
	}
	if (!went_well(weft_open("/tmp", O_RDWR | O_TMPFILE, 0600, &f)))
		return;
	kit_equal(weft_pwrite(f, "zz", 2, 0), 2);
	kit_equal(weft_pread(f, &c, 1, 1), 1);
	went_well(weft_fsync(weft_fd_number(f)));
	weft_fd_close(f);
}

static void pause_thread(void *arg)
{
	(void)arg;
	usleep(100);
}

static void *call_in(void *arg)
{
	kit_equal(weft_chan_try_send(arg, NULL), 0);
	return NULL;
}

static void blocking(void)
{
	weft_wg wg = { 0 };
	weft_syscall_begin();
	usleep(100);
	weft_syscall_end();
	weft_blocking(pause_thread, NULL);
	weft_chan *ch = weft_chan_make(0, 1);
	pthread_t t;
	if (ch && pthread_create(&t, NULL, call_in, ch) == 0) {
		weft_syscall_begin();
		pthread_join(t, NULL);
		weft_syscall_end();
		kit_equal(weft_chan_recv(ch, NULL), 1);
	}
	weft_chan_unref(ch);
	for (int i = 0; i < 4; i++)
		went_well(weft_wg_go(&wg, pause_thread, NULL));
	weft_wg_wait(&wg);
}

#ifdef COLLECTS
static void gone(void *object, void *arg)
{
	(void)object;
	atomic_fetch_add((atomic_int *)arg, 1);
}

static void collect(void *arg)
{
	static const size_t pointers[] = { 0, 512 * sizeof(void *) };
	static const weft_type large = { "large", 600 * sizeof(void *), pointers, 2 };
	static atomic_int n_gone;
	(void)arg;
	void **keep = weft_new_typed(&large, 1);
	for (int i = 0; keep && i < 100; i++) {
		void **at = weft_new(100);
		if (at)
			*at = *keep;
		*keep = at;
		if (at && i % 10 == 0)
			went_well(weft_finalize(at, gone, &n_gone));
	}
	void *bytes = weft_new_bytes(10);
	if (went_well(weft_root_add(&bytes, sizeof(bytes))))
		kit_equal(weft_root_remove(&bytes, sizeof(bytes)), 0);
	weft_gc();
}

static void heap(void)
{
	weft_wg wg = { 0 };
	for (int i = 0; i < 3; i++)
		went_well(weft_wg_go(&wg, collect, NULL));
	collect(NULL);
	weft_wg_wait(&wg);
}
#endif

#ifndef COLLECTS
static void end_tied(void *arg)
{
	weft_wg wg = { 0 };
	went_well(weft_wg_go(&wg, tied_for_good, arg));
	weft_wg_wait(&wg);
}
#endif

static void everything(void *arg)
{
	(void)arg;
	channels();
	selects();
	time_of_day();
	locks();
	contexts();
	goroutines();
	network();
	files();
	blocking();
#ifdef COLLECTS
	heap();
#endif
}

#ifndef COLLECTS
static void looked_at(void *arg)
{
	weft_task task = weft_task_begin(NULL, "task");
	(void)arg;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	bool traced = went_well(weft_trace_start(fd));
	if (went_well(weft_region_begin(&task, "region")))
		kit_equal(weft_region_end(&task, "region"), 0);
	weft_log(&task, "", "said");
	channels();
	if (traced)
		went_well(weft_trace_stop());
	kit_equal(weft_dump(fd), 0);
	weft_task_end(task);
	close(fd);
}
#endif

/* ---- each nth ---- */

typedef struct trial {
	kit_call call;
	int error;
	bool always;
	bool by_mprotect; /* guards of stacks, as on kernels without MADV_GUARD_INSTALL */
	uint64_t step;    /* of nth; 0: 1 */
	weft_fn *program;
} trial;

/* What a run leaves behind, in memory that both see. */
typedef struct run {
	uint64_t n_calls;
	int lowest; /* number of a descriptor: all below are in use */
} run;

static int lowest_number(void)
{
	int fd = dup(0);
	close(fd);
	return fd;
}

/* It hangs: says where, and ends. */
static void late(int signal)
{
	(void)signal;
	struct sigaction dfl = { .sa_handler = SIG_DFL };
	sigaction(SIGALRM, &dfl, NULL);
	alarm(5);
	kill(getpid(), SIGQUIT);
}

static _Noreturn void child(const trial *t, uint64_t nth, run *ret)
{
	struct sigaction alarmed = { .sa_handler = late };
	sigaction(SIGALRM, &alarmed, NULL);
	alarm(ENDS_WITHIN_S * (unsigned)kit_slowness());
	int before = kit_failures();
	injected = t->error;
	for_good = t->always;
	if (t->by_mprotect)
		kit_fail(KIT_MADVISE, 1, EINVAL, true);
	kit_fail(t->call, nth, t->error, t->always);
	int err = weft_main(t->program, NULL, NULL);
	ret->n_calls = kit_called(t->call);
	kit_fail(t->call, 0, 0, false);
	ret->lowest = lowest_number();
	bool started = went_well(err);
	int status = kit_failures() > before ? 1 : started ? 0 : START_FAILED;
	if (getenv("KIT_LEAKS") || (nth + kit_seed()) % LEAKS_EACH == 0)
		exit(status);
	_exit(status);
}

static bool is_fatal_text(const char *err)
{
	for (size_t i = 0; i < sizeof(fatal_texts) / sizeof(fatal_texts[0]); i++)
		if (!strncmp(err, fatal_texts[i], strlen(fatal_texts[i])))
			return true;
	return false;
}

/* Exit status of a run, whose errors are in ret_err; a negative number is a signal. */
static int run_one(const trial *t, uint64_t nth, run *ret, char ret_err[ERR_BYTES])
{
	int err = memfd_create("err", MFD_CLOEXEC), status;
	kit_require(err >= 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(err, 2);
		child(t, nth, ret);
	}
	kit_require(pid > 0 && waitpid(pid, &status, 0) == pid);
	memset(ret_err, 0, ERR_BYTES);
	kit_expect(pread(err, ret_err, ERR_BYTES - 1, 0) >= 0);
	close(err);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static bool clean(int status, const char *err)
{
	return status == 0 || status == START_FAILED || (status == 2 && is_fatal_text(err));
}

/* From the first to the one that the program does not reach any more. */
static void each_nth(const trial *t)
{
	char err[ERR_BYTES];
	run *r = mmap(NULL, sizeof(run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	kit_require(r != MAP_FAILED);
	kit_equal(run_one(t, 0, r, err), 0);
	run good = *r;
	const char *from = getenv("KIT_NTH");
	uint64_t nth = from ? strtoull(from, NULL, 10) - 1 : 0;
	int n_statuses[4] = { 0 };
	/* Where processes are slow, other ones each time. */
	uint64_t stride = (t->step ? t->step : 1) * (uint64_t)kit_slowness();
	bool first = true;
	do {
		*r = (run){ .lowest = good.lowest };
		nth += !first ? stride : from ? 1 : 1 + (uint64_t)getpid() % (uint64_t)kit_slowness();
		first = false;
		int status = run_one(t, nth, r, err);
		if (!kit_expect(clean(status, err)) || !kit_expect(r->lowest <= good.lowest))
			fprintf(stderr, "%s %s %llu: status %d, descriptor %d, not %d\n%s\n", kit_call_name(t->call),
				t->always ? "from" : "at", (unsigned long long)nth, status, r->lowest, good.lowest,
				err);
		else
			n_statuses[status]++;
		if (status == 2)
			r->n_calls = nth; /* it was reached, and did not get to say so */
	} while (r->n_calls >= nth && nth < NTH_MAX);
	kit_expect(nth > 1 && nth < NTH_MAX);
	fprintf(stderr, "%s %s: %llu runs: %d to the end, %d fatal errors, %d did not start\n", kit_call_name(t->call),
		t->always ? "from" : "at", (unsigned long long)nth, n_statuses[0], n_statuses[2],
		n_statuses[START_FAILED]);
}

/* With one proc only once: where there is no thread for good, each run waits for a second before it says so. */
static void each_once_and_always(trial t)
{
	each_nth(&t);
	if (atoi(getenv("WEFT_PROCS")) == 1)
		return;
	t.always = true;
	each_nth(&t);
}

#define EACH(...) each_once_and_always((trial){ __VA_ARGS__ })
#define HOW       .outside = true, .seconds = 60

CASE(allocations, "no memory: an error of the call, or a fatal error that says so", HOW)
{
	EACH(KIT_ALLOC, ENOMEM, .program = everything);
}

#ifndef COLLECTS
CASE(mappings, "the same when the kernel has no address space", HOW)
{
	EACH(KIT_MMAP, ENOMEM, .program = everything);
}

CASE(guards, "the same when it makes no guards", HOW)
{
	EACH(KIT_MADVISE, ENOMEM, .program = everything);
	EACH(KIT_MPROTECT, ENOMEM, .program = everything);
}

CASE(guards_by_mprotect, "the same where each guard is a call: so many stacks there are", HOW, .procs = 2, .soft = true)
{
	EACH(KIT_MPROTECT, ENOMEM, .by_mprotect = true, .step = 16, .program = everything);
}

CASE(threads, "no threads: -EAGAIN from weft_main(), or those that there are do the work", HOW)
{
	EACH(KIT_THREAD, EAGAIN, .program = everything);
}

CASE(threads_that_end, "the same where a goroutine ends tied to the only thread", HOW, .procs = 2, .soft = true)
{
	EACH(KIT_THREAD, EAGAIN, .program = end_tied);
}

CASE(descriptors, "the same when the poller takes no more descriptors", HOW)
{
	EACH(KIT_EPOLL_CREATE, EMFILE, .program = everything);
	EACH(KIT_EVENTFD, ENFILE, .program = everything);
	EACH(KIT_EPOLL_CTL, ENOSPC, .program = everything);
}

CASE(looking, "traces and dumps: an error of the call, and the program goes on", HOW, .procs = 2, .soft = true)
{
	EACH(KIT_ALLOC, ENOMEM, .program = looked_at);
	EACH(KIT_THREAD, EAGAIN, .program = looked_at);
	EACH(KIT_MMAP, ENOMEM, .program = looked_at);
}
#endif
