/* Programs that stand still in a way that is known: stuck KIND TRACE.  Each prints who waits for what, as run.py reads
 * it. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/prof.h>
#include <weft/weft.h>

enum { STILL_MS = 30 };

static weft_mutex locks[2];
static weft_rwmutex rw;
static weft_chan *chans[3];

/* NAME=GOROUTINE, and NAME@=ADDRESS */
static void say(const char *name)
{
	printf("%s=%" PRIu64 "\n", name, weft_id());
}

static void say_object(const char *name, const void *object)
{
	printf("%s@=0x%" PRIxPTR "\n", name, (uintptr_t)object);
}

static void stand_still(void)
{
	weft_sleep(STILL_MS * WEFT_MS);
}

/* ---- two mutexes, taken in different order ---- */

static void take_both(void *arg)
{
	size_t first = (size_t)(uintptr_t)arg;
	say(first ? "b" : "a");
	weft_lock(&locks[first]);
	weft_sleep(WEFT_MS);
	weft_lock(&locks[!first]);
}

static void cycle(void)
{
	say_object("mutex0", &locks[0]);
	say_object("mutex1", &locks[1]);
	weft_name(&locks[0], "left");
	weft_go(take_both, (void *)0);
	weft_go(take_both, (void *)1);
	stand_still();
}

/* ---- a select over three channels ---- */

static void choose(void *arg)
{
	int value = 1;
	weft_case cases[] = {
		{ WEFT_OP_RECV, chans[0], &value, 0 },
		{ WEFT_OP_SEND, chans[1], &value, 0 },
		{ WEFT_OP_RECV, chans[2], &value, 0 },
	};
	(void)arg;
	say("chooser");
	weft_select(cases, 3);
}

static void select_three(void)
{
	int value = 1;
	for (int i = 0; i < 3; i++) {
		char name[] = "chan0";
		name[4] = (char)('0' + i);
		chans[i] = weft_chan_make(sizeof(int), (size_t)i);
		say_object(name, chans[i]);
	}
	weft_chan_send(chans[1], &value);
	weft_go(choose, NULL);
	stand_still();
}

/* ---- channels: full, and empty ---- */

static void send_more(void *arg)
{
	(void)arg;
	say("sender");
	for (int i = 0;; i++)
		weft_chan_send(chans[0], &i);
}

static void receive(void *arg)
{
	int value;
	(void)arg;
	say("receiver");
	weft_chan_recv(chans[1], &value);
}

static void channels(void)
{
	chans[0] = weft_chan_make(sizeof(int), 4);
	chans[1] = weft_chan_make(sizeof(int), 0);
	say_object("full", chans[0]);
	say_object("empty", chans[1]);
	weft_name(chans[0], "queue of four");
	weft_name(chans[1], "for a moment");
	weft_name(chans[1], NULL);
	weft_go(send_more, NULL);
	weft_go(receive, NULL);
	stand_still();
}

/* ---- a read-write mutex: held by a writer, and by a reader ---- */

static void read_it(void *arg)
{
	say("reader");
	weft_rlock(&rw);
	if (arg)
		weft_sleep(WEFT_FOREVER);
	weft_runlock(&rw);
}

static void write_it(void *arg)
{
	say("writer");
	weft_wlock(&rw);
	if (arg)
		weft_sleep(WEFT_FOREVER);
	weft_wunlock(&rw);
}

static void rwmutex(weft_fn *first, weft_fn *second)
{
	say_object("rwmutex", &rw);
	weft_go(first, &rw);
	weft_sleep(WEFT_MS);
	weft_go(second, NULL);
	stand_still();
}

static void written(void)
{
	rwmutex(write_it, read_it);
}

static void read_only(void)
{
	rwmutex(read_it, write_it);
}

/* ---- a goroutine that computes and never comes back: with one proc, that has been taken when the sleep is over ----
 */

static void compute(void *arg)
{
	(void)arg;
	say("hog");
	for (volatile int i = 0;; i++)
		;
}

static void hog(void)
{
	weft_go(compute, NULL);
	weft_sleep(100 * WEFT_MS);
	stand_still(); /* the hog does not */
}

/* ---- labels: from before the trace, from the goroutine that made it, and its own ---- */

static void labelled(void *arg)
{
	(void)arg;
	say("child");
	weft_labels_set("job", "1");
	weft_sleep(WEFT_FOREVER);
}

static void labels(void)
{
	weft_go(labelled, NULL);
	weft_sleep(WEFT_SECOND + 200 * WEFT_MS); /* into a second generation */
}

/* ---- */

static const struct {
	const char *name;
	void (*run)(void);
} kinds[] = {
	{ "cycle", cycle },
	{ "select", select_three },
	{ "channels", channels },
	{ "written", written },
	{ "read", read_only },
	{ "hog", hog },
	{ "labels", labels },
};

static char **args;

/* Each begins a generation; the last has what the window has since its beginning. */
static void take_snapshots(int fd)
{
	int nowhere = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 3; i++)
		if (weft_trace_snapshot(i == 2 ? fd : nowhere) < 0)
			fprintf(stderr, "stuck: no snapshot\n");
	close(nowhere);
}

static void start(void *unused)
{
	(void)unused;
	/* late-KIND: the trace begins when all stand still.  flight-KIND: it is what a flight recorder has then, in
	 * generations that have begun so, too. */
	bool late = strncmp(args[1], "late-", 5) == 0, flight = strncmp(args[1], "flight-", 7) == 0;
	const char *kind = args[1] + (late ? 5 : flight ? 7 : 0);
	int fd = open(args[2], O_WRONLY | O_CREAT | O_TRUNC, 0666);
	weft_labels_set("who", "main");
	if (flight && weft_trace_start_with(&(weft_trace_options){ .fd = -1, .window_bytes = 16 << 20 }) < 0)
		fprintf(stderr, "stuck: no flight recorder\n");
	if (!late && !flight && weft_trace_start(fd) < 0)
		fprintf(stderr, "stuck: not traced\n");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, kind) == 0)
			kinds[i].run();
	if (late && weft_trace_start(fd) < 0)
		fprintf(stderr, "stuck: not traced\n");
	if (late)
		stand_still();
	if (flight)
		take_snapshots(fd);
	weft_trace_stop();
	close(fd);
	fflush(stdout);
	_exit(0);
}

int main(int argc, char **argv)
{
	args = argv;
	return argc != 3 || weft_main(start, NULL, NULL) < 0;
}
