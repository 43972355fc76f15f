/* Requests as tasks, with regions and messages: what user annotations are for.  Each request asks two back ends at the
 * same time; now and then one is slow.  `weft record -o requests.trace -- requests`, then `weft tasks requests.trace`.
 */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

enum { REQUESTS = 200, AT_ONCE = 8, SLOW_EACH = 17 };

typedef struct request {
	weft_task task;
	int number;
	weft_wg parts;
} request;

static void ask(void *arg)
{
	request *r = arg;
	weft_region_begin(&r->task, "back end");
	weft_ns takes = (1 + r->number % 3) * WEFT_MS;
	if (r->number % SLOW_EACH == 0) {
		takes += 20 * WEFT_MS;
		weft_log(&r->task, "slow", "request %d has to wait for a cold cache", r->number);
	}
	weft_sleep(takes);
	weft_region_end(&r->task, "back end");
}

static void serve(void *arg)
{
	weft_chan *numbers = arg;
	int number;
	while (weft_chan_recv(numbers, &number) == 1) {
		request r = { .task = weft_task_begin(NULL, "request"), .number = number };
		weft_wg_go(&r.parts, ask, &r);
		weft_wg_go(&r.parts, ask, &r);
		weft_region_begin(&r.task, "wait for back ends");
		weft_wg_wait(&r.parts);
		weft_region_end(&r.task, "wait for back ends");
		weft_task_end(r.task);
	}
}

static void start(void *arg)
{
	(void)arg;
	weft_chan *numbers = weft_chan_make(sizeof(int), 0);
	weft_wg servers = { 0 };
	for (int i = 0; i < AT_ONCE; i++)
		weft_wg_go(&servers, serve, numbers);
	for (int i = 0; i < REQUESTS; i++)
		weft_chan_send(numbers, &i);
	weft_chan_close(numbers);
	weft_wg_wait(&servers);
	weft_chan_unref(numbers);
	printf("%d requests served\n", REQUESTS);
}

int main(void)
{
	return weft_main(start, NULL, NULL) < 0;
}
