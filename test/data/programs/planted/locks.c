/* Planted faults around locks, in C: what `weft findings` must find for sure, as libweft's traces name the locks.
 *
 *     WEFT_TRACE=c-MODE.trace ./locks MODE      deadlock, convoy, rwmutex, or one of them without the fault: convoy-ok
 */
#include <stdio.h>
#include <string.h>

#include <weft/weft.h>

enum { MS = 1000000 };

static weft_mutex first, second, one, each[8];
static weft_rwmutex config;
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

static void reader(void *unused)
{
	(void)unused;
	for (int i = 0; i < 60; i++) {
		weft_rlock(&config);
		weft_runlock(&config);
		weft_sleep(MS);
	}
}

/* It holds the lock for long, so the writer waits for it, and all readers for the writer. */
static void slow_reader(void *unused)
{
	(void)unused;
	for (int i = 0; i < 5; i++) {
		weft_rlock(&config);
		weft_sleep(40 * MS);
		weft_runlock(&config);
		weft_sleep(5 * MS);
	}
}

static void writer(void *unused)
{
	(void)unused;
	for (int i = 0; i < 20; i++) {
		weft_wlock(&config);
		weft_wunlock(&config);
		weft_sleep(10 * MS);
	}
}

static void read_and_write(void)
{
	weft_name(&config, "config");
	weft_go(writer, NULL);
	if (strcmp(mode, "rwmutex") == 0)
		weft_go(slow_reader, NULL);
	for (int i = 0; i < 8; i++)
		weft_go(reader, NULL);
}

static void start(void *unused)
{
	(void)unused;
	if (strncmp(mode, "rwmutex", 7) == 0)
		read_and_write();
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
		fprintf(stderr, "usage: locks deadlock|convoy|rwmutex, or without the fault: deadlock-ok, ...\n");
	return !mode[0] || weft_main(start, NULL, NULL) < 0;
}
