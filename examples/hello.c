/* Hello, World, traced: `hello`, then `weft trace.out` or `go tool trace trace.out`. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weft/weft.h>

static void hello(void *done)
{
	printf("Hello, World\n");
	weft_chan_send(done, NULL);
}

static void start(void *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int err = fd < 0 ? -weft_errno() : weft_trace_start(fd);
	if (err < 0)
		fprintf(stderr, "hello: %s: not traced: %s\n", (char *)path, strerror(-err));

	weft_chan *done = weft_chan_make(0, 0);
	weft_go(hello, done);
	weft_chan_recv(done, NULL);
	weft_chan_unref(done);

	weft_trace_stop();
	close(fd);
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : "trace.out", NULL) < 0;
}
