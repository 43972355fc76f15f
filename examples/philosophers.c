/* Dining philosophers: each needs two forks, and takes the one with the lower number first, so that no circle of them
 * can wait for each other (deadlock.c shows what happens otherwise).  `philosophers [MEALS]`; then
 * `weft record -o p.trace -- philosophers; weft waits p.trace` says who waited for which fork. */
#include <stdio.h>
#include <stdlib.h>

#include <weft/weft.h>

enum { SEATS = 5 };

static weft_mutex forks[SEATS];
static int users[SEATS]; /* of a fork: never more than one */
static const char *const names[SEATS] = { "Kant", "Hume", "Leibniz", "Spinoza", "Arendt" };

typedef struct philosopher {
	int seat, meals, eaten;
} philosopher;

static void take(int fork)
{
	weft_lock(&forks[fork]);
	if (users[fork]++ != 0)
		weft_panic("fork %d is in two hands", fork);
}

static void put_back(int fork)
{
	users[fork]--;
	weft_unlock(&forks[fork]);
}

static void dine(void *arg)
{
	philosopher *p = arg;
	int left = p->seat, right = (p->seat + 1) % SEATS;
	int first = left < right ? left : right, second = left < right ? right : left;
	while (p->eaten < p->meals) {
		weft_sleep(50 * WEFT_US); /* thinks */
		take(first);
		take(second);
		weft_sleep(100 * WEFT_US); /* eats */
		p->eaten++;
		put_back(second);
		put_back(first);
	}
}

static void start(void *arg)
{
	philosopher all[SEATS];
	weft_wg table = { 0 };
	for (int i = 0; i < SEATS; i++) {
		all[i] = (philosopher){ .seat = i, .meals = *(int *)arg };
		weft_wg_go(&table, dine, &all[i]);
	}
	weft_wg_wait(&table);
	for (int i = 0; i < SEATS; i++)
		printf("%s has eaten %d times\n", names[i], all[i].eaten);
}

int main(int argc, char **argv)
{
	int meals = argc > 1 ? atoi(argv[1]) : 100;
	return weft_main(start, &meals, NULL) < 0;
}
