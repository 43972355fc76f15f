/* A small HTTP server with each request as a user task, and what happens in it as regions: `httpd 127.0.0.1:8080`
 * serves until Ctrl-C; without an address it asks itself some requests and ends.
 *
 *   weft record -o httpd.trace -- httpd
 *   weft requests httpd.trace          how long they took, and what of the slowest was waiting
 *   weft regions httpd.trace           in which of the steps
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weft/weft.h>

enum { CLIENTS = 8, REQUESTS_EACH = 25, HEAD_MAX = 4096, ITEMS = 64 };

/* ---- what is served: a table behind a lock, filled on demand ---- */

static struct {
	weft_mutex lock;
	int prices[ITEMS];
} table;

/* The "database": slow, and slower for one of the items. */
static int look_up(const weft_task *task, int item)
{
	weft_region_begin(task, "database");
	weft_sleep(item % 16 == 0 ? 10 * WEFT_MS : WEFT_MS);
	weft_region_end(task, "database");
	return 100 + item * 7;
}

static int price_of(const weft_task *task, int item)
{
	weft_region_begin(task, "cache");
	weft_lock(&table.lock);
	if (table.prices[item] == 0) { /* under the lock: that is what the trace is to show */
		weft_log(task, "cache", "item %d is not there", item);
		table.prices[item] = look_up(task, item);
	}
	int price = table.prices[item];
	weft_unlock(&table.lock);
	weft_region_end(task, "cache");
	return price;
}

/* ---- requests ---- */

/* Reads up to the empty line.  False: the client has closed. */
static bool read_head(weft_fd *f, char *head)
{
	size_t n = 0;
	while (n < HEAD_MAX - 1) {
		ssize_t k = weft_read(f, head + n, HEAD_MAX - 1 - n);
		if (k <= 0)
			return false;
		n += (size_t)k;
		head[n] = 0;
		if (strstr(head, "\r\n\r\n"))
			return true;
	}
	return false;
}

static int answer(const weft_task *task, const char *head, char *text, size_t n)
{
	int item;
	if (sscanf(head, "GET /price/%d ", &item) != 1 || item < 0 || item >= ITEMS)
		return snprintf(text, n, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	char body[32];
	int length = snprintf(body, sizeof(body), "%d\n", price_of(task, item));
	return snprintf(text, n, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length, body);
}

static void serve(void *arg)
{
	weft_fd *f = arg;
	char head[HEAD_MAX], text[256];
	while (read_head(f, head)) {
		weft_task task = weft_task_begin(NULL, "request");
		weft_log(&task, "http", "%.*s", (int)strcspn(head, "\r"), head);
		int n = answer(&task, head, text, sizeof(text));
		weft_region_begin(&task, "write");
		int err = weft_write_all(f, text, (size_t)n);
		weft_region_end(&task, "write");
		weft_task_end(task);
		if (err < 0)
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
}

/* ---- a client, for want of another ---- */

static weft_wg clients;
static int n_good;
static weft_mutex good_lock;

static void ask(void *address)
{
	weft_fd *f;
	char text[256];
	int good = 0;
	if (weft_dial("tcp", address, weft_in(5 * WEFT_SECOND), &f) < 0)
		return;
	for (int i = 0; i < REQUESTS_EACH; i++) {
		int item = (int)((weft_id() * 31 + (uint64_t)i * 5) % ITEMS);
		int n = snprintf(text, sizeof(text), "GET /price/%d HTTP/1.1\r\nHost: x\r\n\r\n", item);
		ssize_t k = weft_write_all(f, text, (size_t)n);
		if (k == 0)
			k = weft_read(f, text, sizeof(text) - 1);
		if (k <= 0)
			break;
		text[k] = 0;
		good += strncmp(text, "HTTP/1.1 200 ", 13) == 0;
	}
	weft_fd_close(f);
	weft_lock(&good_lock);
	n_good += good;
	weft_unlock(&good_lock);
}

static void start(void *arg)
{
	weft_fd *listener;
	char address[128];
	int err = weft_listen("tcp", arg ? arg : "127.0.0.1:0", &listener);
	if (err < 0) {
		fprintf(stderr, "httpd: %s: %s\n", arg ? (char *)arg : "127.0.0.1:0", strerror(-err));
		exit(1);
	}
	weft_fd_local(listener, address, sizeof(address));
	if (arg) {
		printf("http://%s/price/7\n", address);
		fflush(stdout);
		accept_all(listener);
		return;
	}
	weft_fd_ref(listener); /* the goroutine may be about to call when it is closed */
	weft_go(accept_all, listener);
	for (int i = 0; i < CLIENTS; i++)
		weft_wg_go(&clients, ask, address);
	weft_wg_wait(&clients);
	weft_fd_close(listener);
	weft_fd_unref(listener);
	printf("%d requests served\n", n_good);
}

int main(int argc, char **argv)
{
	return weft_main(start, argc > 1 ? argv[1] : NULL, NULL) < 0;
}
