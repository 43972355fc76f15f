/* read/v2/prefetch.c - see prefetch.h. */
#include "read/v2/prefetch.h"

#include "base/alloc.h"
#include "os/thread.h"

enum { WORKERS_MAX = 4 };

struct wtr__prefetch {
	wtr_trace      *t;
	pthread_mutex_t lock;
	pthread_cond_t  wake;
	pthread_t       workers[WORKERS_MAX];
	int             n_workers;
	size_t          current;  /* generation being ordered */
	size_t          next;     /* first one no worker has taken */
	size_t          got;      /* generations 0 .. got-1 were handed out, */
	size_t          released; /* 0 .. released-1 given back */
	bool            stop;
};

static void *work(void *arg)
{
	wtr__prefetch *p = arg;
	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && (p->next > p->current + (size_t)p->n_workers || p->next >= p->t->v2->gens.n))
			pthread_cond_wait(&p->wake, &p->lock);
		if (p->stop)
			break;
		size_t i = p->next++;
		pthread_mutex_unlock(&p->lock);
		if (wtr__gen_get(p->t, i, NULL) == WTR_OK)
			wtr__gen_put(p->t, i, false);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

wtr__prefetch *wtr__prefetch_start(wtr_trace *t, size_t first)
{
	wtr__prefetch *p = wb_calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->t = t;
	p->next = first + 1;
	p->current = p->got = p->released = first;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	int most = (t->opt.threads ? t->opt.threads : wo_processors()) - 1;
	if (most > WORKERS_MAX)
		most = WORKERS_MAX;
	if ((size_t)most + 1 > t->v2->gens.n)
		most = t->v2->gens.n ? (int)t->v2->gens.n - 1 : 0;
	/* n_workers is read by running workers, so it is set before the first one starts: a worker less only looks
	 * ahead less. */
	p->n_workers = most > 0 ? most : 0;
	for (int i = 0; i < p->n_workers; i++)
		if (wo_thread_start(&p->workers[i], work, p) < 0) {
			pthread_mutex_lock(&p->lock);
			p->n_workers = i;
			pthread_mutex_unlock(&p->lock);
		}
	return p;
}

wtr_code wtr__prefetch_get(wtr__prefetch *p, size_t i, wtr_error *err)
{
	pthread_mutex_lock(&p->lock);
	p->current = i;
	if (p->next <= i)
		p->next = i + 1;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	wtr_code rc = wtr__gen_get(p->t, i, err);
	if (rc == WTR_OK) {
		pthread_mutex_lock(&p->lock);
		p->got = i + 1;
		pthread_mutex_unlock(&p->lock);
	}
	return rc;
}

void wtr__prefetch_release(wtr__prefetch *p, size_t i)
{
	pthread_mutex_lock(&p->lock);
	for (; p->released <= i && p->released < p->got; p->released++)
		wtr__gen_put(p->t, p->released, !wtr__keeps_tables(p->t));
	pthread_mutex_unlock(&p->lock);
}

void wtr__prefetch_stop(wtr__prefetch *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->n_workers; i++)
		pthread_join(p->workers[i], NULL);
	if (p->got)
		wtr__prefetch_release(p, p->got - 1);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->wake);
	wb_free(p);
}
