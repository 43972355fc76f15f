/* Select with time-outs: the fastest of three replicas is taken, each answer has its deadline, and a request that takes
 * too long is given up, with all that was begun for it.  `timeouts`. */
#include <errno.h>
#include <stdio.h>

#include <weft/weft.h>

enum { REPLICAS = 3 };

typedef struct query {
	weft_ctx *ctx;
	weft_chan *answer; /* of int: room for all, so that nobody is left behind */
	weft_ns takes;
	int replica;
} query;

static weft_wg asked; /* replicas at work */

/* Gives up when nobody wants to know any more. */
static void ask_replica(void *arg)
{
	query *q = arg;
	if (weft_ctx_sleep(q->ctx, q->takes) == 0)
		weft_chan_send(q->answer, &q->replica);
	weft_chan_unref(q->answer);
	weft_ctx_unref(q->ctx);
	weft_wg_done(&asked);
}

/* The number of the replica that was first; -ETIMEDOUT when none had an answer by then. */
static int first_of(const weft_ns takes[REPLICAS], weft_ns patience)
{
	weft_ctx *ctx = weft_ctx_make(NULL, WEFT_FOREVER);
	weft_chan *answer = weft_chan_make(sizeof(int), REPLICAS);
	weft_wg_add(&asked, REPLICAS);
	for (int i = 0; i < REPLICAS; i++) {
		query q = { weft_ctx_ref(ctx), weft_chan_ref(answer), takes[i], i };
		weft_go_copy(ask_replica, &q, sizeof(q), NULL);
	}
	int first;
	int err = weft_chan_recv_until(answer, &first, weft_in(patience));
	weft_ctx_cancel(ctx); /* the others need not go on */
	weft_wg_wait(&asked);
	weft_ctx_unref(ctx);
	weft_chan_unref(answer);
	return err < 0 ? err : first;
}

/* Work that says every now and then that it is alive; silence is taken for death. */
static void beat(void *arg)
{
	weft_chan *heart = arg;
	for (int i = 0; i < 5; i++) {
		weft_sleep(2 * WEFT_MS);
		weft_chan_send(heart, NULL);
	}
	weft_chan_unref(heart); /* and no more */
}

static int beats_until_silent(weft_ns patience)
{
	weft_chan *heart = weft_chan_make(0, 0), *other = weft_chan_make(0, 0);
	int beats = 0;
	weft_go(beat, weft_chan_ref(heart));
	for (;;) {
		weft_case cases[] = { WEFT_RECV(heart, NULL), WEFT_RECV(other, NULL) };
		if (weft_select_until(cases, 2, weft_in(patience)) == -ETIMEDOUT)
			break;
		beats++;
	}
	weft_chan_unref(heart);
	weft_chan_unref(other);
	return beats;
}

static void start(void *unused)
{
	(void)unused;
	int first = first_of((weft_ns[]){ 10 * WEFT_SECOND, 5 * WEFT_MS, 20 * WEFT_SECOND }, 5 * WEFT_SECOND);
	printf("replica %d was first\n", first);
	if (first != 1)
		weft_panic("that was not the fastest one");

	weft_ns began = weft_now();
	int none = first_of((weft_ns[]){ 10 * WEFT_SECOND, 20 * WEFT_SECOND, 30 * WEFT_SECOND }, 20 * WEFT_MS);
	printf("no answer in 20 ms: given up\n");
	if (none != -ETIMEDOUT || weft_now() - began > 9 * WEFT_SECOND)
		weft_panic("giving up gave %d after %lld ms", none, (long long)((weft_now() - began) / WEFT_MS));

	int beats = beats_until_silent(WEFT_SECOND);
	printf("%d beats, then silence\n", beats);
	if (beats != 5)
		weft_panic("there were 5");
}

int main(void)
{
	return weft_main(start, NULL, NULL) < 0;
}
