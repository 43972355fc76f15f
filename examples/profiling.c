/* Where does the time go, and who waits for whom?  Workers count primes, the slow way, for customers that are labelled;
 * all of them write their results down under one lock.  Writes cpu.prof, heap.prof, block.prof, mutex.prof and
 * goroutine.prof to a folder:
 *
 *   profiling /tmp && go tool pprof -top /tmp/cpu.prof && go tool pprof -tags /tmp/cpu.prof
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <weft/weft.h>

enum { WORKERS = 4, JOBS = 24, FIRST = 60000 };

typedef struct job {
	int from, to;
	const char *customer;
	int primes;
} job;

typedef struct line {
	struct line *before;
	int from, primes;
} line;

static struct {
	weft_mutex lock;
	line *lines; /* collected memory, found because this is static */
	int n;
} book;

static weft_chan *jobs;

static __attribute__((noinline)) bool is_prime(int n)
{
	for (int d = 2; d * d <= n; d++)
		if (n % d == 0)
			return false;
	return n > 1;
}

static void count_primes(void *arg)
{
	job *j = arg;
	for (int n = j->from; n < j->to; n++)
		j->primes += is_prime(n);
}

/* The lock is held for longer than it needs to be: mutex.prof shows it. */
static void write_down(const job *j)
{
	weft_lock(&book.lock);
	line *l = weft_new(sizeof(*l));
	*l = (line){ book.lines, j->from, j->primes };
	book.lines = l;
	book.n++;
	weft_sleep(2 * WEFT_MS);
	weft_unlock(&book.lock);
}

static void work(void *unused)
{
	(void)unused;
	job j;
	while (weft_chan_recv(jobs, &j) == 1) {
		weft_labels_do("customer", j.customer, count_primes, &j);
		write_down(&j);
	}
}

static int open_in(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s.prof", folder, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0) {
		perror(path);
		exit(1);
	}
	return fd;
}

static void write_profile(const char *folder, const char *name)
{
	int fd = open_in(folder, name), err = weft_profile_write(name, fd, 0);
	if (err < 0)
		fprintf(stderr, "%s: error %d\n", name, -err);
	close(fd);
}

static void start(void *folder)
{
	int cpu = open_in(folder, "cpu");
	weft_mem_profile_rate(1); /* of a real program, leave it as it is */
	weft_block_profile_rate(1);
	weft_mutex_profile_fraction(1);
	weft_cpu_profile_start(cpu);

	weft_wg workers = { 0 };
	jobs = weft_chan_make(sizeof(job), 0);
	for (int i = 0; i < WORKERS; i++)
		weft_wg_go(&workers, work, NULL);
	for (int i = 0; i < JOBS; i++) {
		job j = { .from = i * FIRST, .to = (i + 1) * FIRST, .customer = i % 3 ? "bulk" : "urgent" };
		weft_chan_send(jobs, &j);
	}
	write_profile(folder, "goroutine");
	weft_chan_close(jobs);
	weft_wg_wait(&workers);

	int err = weft_cpu_profile_stop();
	if (err < 0)
		fprintf(stderr, "cpu: error %d\n", -err);
	close(cpu);
	weft_gc();
	write_profile(folder, "heap");
	write_profile(folder, "block");
	write_profile(folder, "mutex");
	printf("%d jobs, profiles are in %s\n", book.n, (const char *)folder);
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : ".", NULL) < 0;
}
