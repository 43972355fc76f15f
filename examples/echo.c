/* An echo server: `echo 127.0.0.1:7777` answers until Ctrl-C (try `nc 127.0.0.1 7777`), and says good-bye to whoever is
 * silent for a minute; without an address it talks to itself over 50 connections and ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

enum { CONNECTIONS = 50, MESSAGES = 20, MESSAGE_BYTES = 100 };

static void serve(void *arg)
{
	weft_fd *f = arg;
	char text[4096];
	ssize_t n;
	for (;;) {
		weft_fd_read_deadline(f, weft_in(60 * WEFT_SECOND));
		if ((n = weft_read(f, text, sizeof(text))) <= 0 || weft_write_all(f, text, (size_t)n) < 0)
			break;
	}
	weft_fd_close(f);
}

static void accept_all(void *listener)
{
	weft_fd *f;
	while (weft_accept(listener, &f) == 0)
		if (weft_go(serve, f) < 0)
			weft_fd_close(f);
	weft_fd_unref(listener);
}

/* ---- a client, for want of another ---- */

static const char *address;
static weft_wg clients;

static void talk(void *arg)
{
	int number = *(int *)arg;
	char sent[MESSAGE_BYTES], got[MESSAGE_BYTES];
	weft_fd *f;
	int err = weft_dial("tcp", address, weft_in(10 * WEFT_SECOND), &f);
	if (err < 0)
		weft_panic("%s: %s", address, strerror(-err));
	for (int i = 0; i < MESSAGES; i++) {
		memset(sent, 'a' + (number + i) % 26, sizeof(sent));
		if (weft_write_all(f, sent, sizeof(sent)) < 0 || weft_read_full(f, got, sizeof(got)) != sizeof(got) ||
			memcmp(sent, got, sizeof(sent)) != 0)
			weft_panic("message %d of connection %d did not come back", i, number);
	}
	weft_fd_close(f);
	weft_wg_done(&clients);
}

static void start(void *arg)
{
	weft_fd *listener;
	char own[128];
	int err = weft_listen("tcp", arg ? arg : "127.0.0.1:0", &listener);
	if (err < 0) {
		fprintf(stderr, "echo: %s: %s\n", arg ? (char *)arg : "127.0.0.1:0", strerror(-err));
		exit(1);
	}
	weft_fd_local(listener, own, sizeof(own));
	address = own;
	weft_fd_ref(listener); /* accept_all's */
	if (arg) {
		printf("%s\n", own);
		fflush(stdout);
		accept_all(listener);
		return;
	}
	weft_go(accept_all, listener);
	weft_wg_add(&clients, CONNECTIONS);
	for (int i = 0; i < CONNECTIONS; i++)
		weft_go_copy(talk, &i, sizeof(i), NULL);
	weft_wg_wait(&clients);
	weft_fd_close(listener);
	printf("%d messages came back\n", CONNECTIONS * MESSAGES);
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : NULL, NULL) < 0;
}
