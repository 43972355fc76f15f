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

#include <http_parser.h>
#include <weft/weft.h>

enum { CLIENTS = 8, REQUESTS_EACH = 25, ITEMS = 64 };

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

typedef struct connection {
	weft_fd *fd;
	http_parser parser;
	char in[4096], url[256];
	size_t n_in, n_url; /* in: read, and not yet parsed */
	bool keep;          /* the client wants to go on after this request */
} connection;

static int on_begin(http_parser *p)
{
	connection *c = p->data;
	c->n_url = 0;
	return 0;
}

static int on_url(http_parser *p, const char *at, size_t n)
{
	connection *c = p->data;
	if (n >= sizeof(c->url) - c->n_url)
		return 1;
	memcpy(c->url + c->n_url, at, n);
	c->n_url += n;
	c->url[c->n_url] = 0;
	return 0;
}

static int on_complete(http_parser *p)
{
	connection *c = p->data;
	c->keep = http_should_keep_alive(p);
	http_parser_pause(p, 1); /* what follows is the next request */
	return 0;
}

static const http_parser_settings settings = {
	.on_message_begin = on_begin, .on_url = on_url, .on_message_complete = on_complete
};

static void say(connection *c, const char *status, const char *body)
{
	char text[256];
	int n = snprintf(
		text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
	c->keep &= weft_write_all(c->fd, text, (size_t)n) == 0;
}

/* Reads until a request is there.  False: the client has closed, or what it sends is no HTTP. */
static bool next_request(connection *c)
{
	for (;;) {
		size_t used = http_parser_execute(&c->parser, &settings, c->in, c->n_in);
		enum http_errno err = HTTP_PARSER_ERRNO(&c->parser);
		bool complete = err == HPE_PAUSED;
		if (err != HPE_OK && !complete) {
			say(c, "400 Bad Request", http_errno_description(err));
			return false;
		}
		c->n_in = used < c->n_in ? c->n_in - used : 0;
		memmove(c->in, c->in + used, c->n_in);
		if (complete) {
			http_parser_pause(&c->parser, 0);
			return true;
		}
		ssize_t n = weft_read(c->fd, c->in, sizeof(c->in));
		if (n <= 0)
			return false;
		c->n_in = (size_t)n;
	}
}

static void answer(connection *c, const weft_task *task)
{
	int item;
	char body[32];
	if (c->parser.method != HTTP_GET || sscanf(c->url, "/price/%d", &item) != 1 || item < 0 || item >= ITEMS) {
		say(c, "404 Not Found", "");
		return;
	}
	snprintf(body, sizeof(body), "%d\n", price_of(task, item));
	weft_region_begin(task, "write");
	say(c, "200 OK", body);
	weft_region_end(task, "write");
}

static void serve(void *arg)
{
	connection c = { .fd = arg, .keep = true };
	http_parser_init(&c.parser, HTTP_REQUEST);
	c.parser.data = &c;
	while (c.keep && next_request(&c)) {
		weft_task task = weft_task_begin(NULL, "request");
		weft_log(&task, "http", "%s %s", http_method_str(c.parser.method), c.url);
		answer(&c, &task);
		weft_task_end(task);
	}
	weft_fd_close(c.fd);
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
