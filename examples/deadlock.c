/* What a deadlock looks like: two goroutines take two locks in opposite orders.  The library sees that nobody can ever
 * go on, says where everybody waits, and ends the program with status 2.
 *
 *   WEFT_DEBUG=locks=1 deadlock                        the report names the circle
 *   WEFT_TRACE=d.trace deadlock; weft waits d.trace    who holds what the other one waits for
 */
#include <stdio.h>

#include <weft/weft.h>

typedef struct account {
	weft_mutex lock;
	long sum;
} account;

typedef struct transfer {
	account *from, *to;
	weft_chan *holds_one, *go_on;
} transfer;

static void move(void *arg)
{
	const transfer *t = arg;
	weft_lock(&t->from->lock);
	weft_chan_send(t->holds_one, NULL);
	weft_chan_recv(t->go_on, NULL);
	weft_lock(&t->to->lock); /* the mistake: the order depends on the direction */
	t->from->sum -= 10;
	t->to->sum += 10;
	weft_unlock(&t->to->lock);
	weft_unlock(&t->from->lock);
}

static void start(void *unused)
{
	(void)unused;
	account a = { .sum = 100 }, b = { .sum = 100 };
	weft_chan *holds_one = weft_chan_make(0, 0), *go_on = weft_chan_make(0, 0);
	transfer there = { &a, &b, holds_one, go_on }, back = { &b, &a, holds_one, go_on };
	weft_wg both = { 0 };
	weft_name(&a.lock, "account a");
	weft_name(&b.lock, "account b");
	weft_wg_go(&both, move, &there);
	weft_wg_go(&both, move, &back);
	weft_chan_recv(holds_one, NULL);
	weft_chan_recv(holds_one, NULL);
	printf("both hold one lock, and want the other\n");
	fflush(stdout);
	weft_chan_close(go_on);
	weft_wg_wait(&both);
	printf("not reached\n");
}

int main(void)
{
	return weft_main(start, NULL, NULL) < 0;
}
