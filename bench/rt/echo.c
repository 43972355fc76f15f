/* rt/echo.c - a TCP echo server on the runtime, a goroutine per connection.
 *
 *   bench-rt-echo     prints `port N`, and ends with its standard input */
#include "bench.h"

#include <stdio.h>
#include <string.h>

static void echo(void *arg)
{
	weft_fd *f = arg;
	char buf[4096];
	ssize_t n;
	while ((n = weft_read(f, buf, sizeof(buf))) > 0 && weft_write_all(f, buf, (size_t)n) == 0) {
	}
	weft_fd_close(f);
}

static void accept_all(void *arg)
{
	weft_fd *f;
	while (weft_accept(arg, &f) == 0)
		bench_must(weft_go(echo, f), "weft_go");
}

static void serve(void *arg)
{
	(void)arg;
	weft_fd *listener, *input;
	char address[64], c;
	bench_must(weft_listen("tcp4", "127.0.0.1:0", &listener), "weft_listen");
	bench_must(weft_fd_local(listener, address, sizeof(address)), "weft_fd_local");
	printf("port %s\n", strrchr(address, ':') + 1);
	fflush(stdout);
	bench_must(weft_go(accept_all, listener), "weft_go");
	bench_must(weft_fd_wrap(0, &input), "weft_fd_wrap");
	while (weft_read(input, &c, 1) > 0) {
	}
}

int main(void)
{
	bench_must(weft_main(serve, NULL, NULL), "weft_main");
	return 0;
}
