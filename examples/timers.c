/* Timers: functions that are called later, are put off and called back, and a ticker.  `timers [COUNT]` also sorts that
 * many numbers by sleeping. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

enum { TICKS = 5 };

static weft_ns began;

static long ms(void)
{
	return (long)((weft_now() - began) / WEFT_MS);
}

static weft_chan *bites;

static void bite(void *unused)
{
	(void)unused;
	weft_chan_try_send(bites, NULL);
}

static void never(void *unused)
{
	(void)unused;
	weft_panic("a timer that was stopped has fired");
}

/* A watchdog that is put off as long as somebody feeds it, and another that is called back. */
static void watchdog(void)
{
	weft_timer dog = { 0 }, other = { 0 };
	bool in_time = true;
	bites = weft_chan_make(0, 1);
	weft_timer_start(&other, weft_in(10 * WEFT_SECOND), never, NULL);
	weft_timer_start(&dog, weft_in(40 * WEFT_MS), bite, NULL);
	for (int i = 0; i < 4; i++) {
		weft_sleep(10 * WEFT_MS);
		in_time &= weft_timer_reset(&dog, weft_in(40 * WEFT_MS));
	}
	if (!weft_timer_stop(&other))
		weft_panic("ten seconds were over soon");
	weft_chan_recv(bites, NULL);
	if (in_time && ms() < 80)
		weft_panic("fed four times, it bit after %ld ms", ms());
	weft_timer_stop(&dog);
	printf("the watchdog was fed four times%s\n",
		in_time ? ", and bit 40 ms after that" : ", too late on this machine");
}

static void ticks(void)
{
	weft_chan *tick = weft_tick(4 * WEFT_MS);
	weft_ns moment = 0, last = 0;
	for (int i = 0; i < TICKS; i++, last = moment)
		if (weft_chan_recv(tick, &moment) != 1 || moment <= last)
			weft_panic("tick %d came before the one before", i);
	printf("%d ticks\n", TICKS);
	weft_chan_unref(tick);
}

typedef struct sleeper {
	int number;
	weft_chan *out;
} sleeper;

static void sleep_and_say(void *arg)
{
	sleeper *s = arg;
	weft_sleep_until(began + s->number * 2 * WEFT_MS);
	weft_chan_send(s->out, &s->number);
}

/* Those that sleep longer come later: not a good way to sort, but one that shows that timers fire in order. */
static void sort_by_sleeping(int n)
{
	weft_chan *out = weft_chan_make(sizeof(int), (size_t)n);
	int got, last = 0, late = 0;
	long sum = 0;
	began = weft_now();
	for (int i = 0; i < n; i++) {
		sleeper s = { n - i, out };
		weft_go_copy(sleep_and_say, &s, sizeof(s), NULL);
	}
	for (int i = 0; i < n; i++, last = got) {
		weft_chan_recv(out, &got);
		late += got < last; /* of several that were due at once */
		sum += got;
	}
	if (sum != (long)n * (n + 1) / 2)
		weft_panic("they add up to %ld", sum);
	printf("%d numbers sorted by sleeping%s\n", n, late ? ", nearly" : "");
	weft_chan_unref(out);
}

static void start(void *arg)
{
	began = weft_now();
	watchdog();
	ticks();
	sort_by_sleeping(*(int *)arg);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 30;
	if (n < 1 || n > 100000) {
		fprintf(stderr, "usage: timers [COUNT], 1 to 100000\n");
		return 2;
	}
	return weft_main(start, &n, NULL) < 0;
}
