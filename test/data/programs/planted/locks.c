/* Planted faults around locks, in C: what `weft findings` must find for sure, as libweft's traces name the locks.
 *
 *     WEFT_TRACE=c-MODE.trace ./locks MODE      deadlock, deadlock-ok, convoy or convoy-ok
 */
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

enum { MS = 1000000 };

static weft_mutex first, second, one, each[8];
static const char *mode;

static void both(weft_mutex *a, weft_mutex *b)
{
	weft_lock(a);
	weft_sleep(5 * MS);
	weft_lock(b);
	weft_unlock(b);
	weft_unlock(a);
}

static void forwards(void *unused)
{
	(void)unused;
	both(&first, &second);
}

static void backwards(void *unused)
{
	(void)unused;
	if (strcmp(mode, "deadlock") == 0)
		both(&second, &first);
	else
		both(&first, &second);
}

static void worker(void *lock)
{
	for (int i = 0; i < 100; i++) {
		weft_lock(lock);
		weft_sleep(MS / 2);
		weft_unlock(lock);
		weft_sleep(MS / 10);
	}
}

static void start(void *unused)
{
	(void)unused;
	if (strncmp(mode, "deadlock", 8) == 0) {
		weft_go(forwards, NULL);
		weft_go(backwards, NULL);
	}
	for (int i = 0; i < 8 && strncmp(mode, "convoy", 6) == 0; i++)
		weft_go(worker, strcmp(mode, "convoy") == 0 ? &one : &each[i]);
	weft_sleep(250 * MS);
}

int main(int argc, char **argv)
{
	mode = argc == 2 ? argv[1] : "";
	if (!mode[0])
		fprintf(stderr, "usage: locks deadlock|deadlock-ok|convoy|convoy-ok\n");
	return !mode[0] || weft_main(start, NULL, NULL) < 0;
}
