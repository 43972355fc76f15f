/* cli/pool.c - see pool.h. */
#include "cli/pool.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/sink.h"
#include "os/file.h"
#include "os/thread.h"

enum { WORKERS_MAX = 64, INDEX_TIMES = 16 };

typedef struct pool {
	cli_args args; /* with the threads of one worker */
	char threads[24];
	const cli_files *files;
	cli_each_fn *fn;
	void *user;
	cli_sink *sinks;
	cli_turns turns; /* its lock is that of all below */
	size_t next;
	uint64_t busy, most; /* bytes of the files that are worked on, and how many there may be */
	uint64_t done, all;  /* bytes, for progress */
	int worst;
} pool;

/* The next trace whose turn has come to be worked on; false: there is none. */
static bool take(pool *p, size_t *ret_i, uint64_t *ret_bytes)
{
	pthread_mutex_lock(&p->turns.lock);
	bool got = false;
	while (!got && p->next < p->files->n && p->next < p->turns.silent && !p->turns.broken) {
		uint64_t bytes = wo_file_bytes(p->files->paths[p->next]);
		got = p->busy == 0 || p->busy + bytes <= p->most;
		if (got) {
			*ret_i = p->next++;
			*ret_bytes = bytes;
			p->busy += bytes + 1;
		} else {
			pthread_cond_wait(&p->turns.moved, &p->turns.lock);
		}
	}
	pthread_mutex_unlock(&p->turns.lock);
	return got;
}

/* Trace i is done; what is held of it and of those done behind it is written if its turn has come. */
static void give(pool *p, size_t i, uint64_t bytes, int rc)
{
	cli_turns *t = &p->turns;
	pthread_mutex_lock(&t->lock);
	p->busy -= bytes + 1;
	p->done += bytes;
	if (rc == CLI_USAGE && !p->sinks[i].reading && i + 1 < p->turns.silent)
		p->turns.silent = i + 1;
	if (i < p->turns.silent && rc > p->worst)
		p->worst = rc;
	p->sinks[i].ended = true;
	for (; t->turn < p->files->n && p->sinks[t->turn].ended; t->turn++)
		cli_sink_write(&p->sinks[t->turn]);
	cli_progress_files(p->files->n, p->done, p->all);
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
}

static void *work(void *user)
{
	pool *p = user;
	size_t i;
	uint64_t bytes;
	while (take(p, &i, &bytes)) {
		int rc = CLI_UNREADABLE;
		if (cli_sink_begin(&p->sinks[i], &p->turns, i)) {
			rc = p->fn(p->user, &p->args, i);
			cli_sink_end(&p->sinks[i]);
		}
		give(p, i, bytes, rc);
	}
	return NULL;
}

static size_t share_threads(pool *p, const cli_args *a)
{
	size_t n = cli_threads(a) ? (size_t)cli_threads(a) : (size_t)wo_processors();
	size_t workers = n < p->files->n ? n : p->files->n;
	workers = workers < WORKERS_MAX ? workers : WORKERS_MAX;
	p->args = *a;
	snprintf(p->threads, sizeof(p->threads), "%zu", n / workers);
	p->args.values[CLI_OPT_THREADS] = p->threads;
	return workers;
}

static void run(pool *p, size_t workers)
{
	pthread_t threads[WORKERS_MAX];
	size_t n = 0;
	while (n + 1 < workers && wo_thread_start(&threads[n], work, p) == 0)
		n++;
	work(p);
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

int cli_each(const cli_args *a, const cli_files *f, cli_each_fn *fn, void *user)
{
	pool p = {
		.files = f,
		.fn = fn,
		.user = user,
		.sinks = wb_calloc(f->n + 1, sizeof(*p.sinks)),
		.turns = { .lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER, .silent = SIZE_MAX },
		.most = wo_memory_bytes() / 2 / INDEX_TIMES,
	};
	if (!p.sinks) {
		fputs("weft: out of memory\n", cli_err());
		return CLI_UNREADABLE;
	}
	for (size_t i = 0; i < f->n; i++)
		p.all += wo_file_bytes(f->paths[i]);
	cli_coloured(); /* known before there are threads */
	size_t workers = share_threads(&p, a);
	cli_progress_files(f->n, 0, p.all);
	run(&p, workers);
	cli_progress_files(0, 0, 0);
	cli_progress_done();
	wb_free(p.sinks);
	return p.turns.broken && p.worst == CLI_OK ? CLI_UNREADABLE : p.worst;
}
