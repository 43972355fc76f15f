/* The server's core: whatever comes as a request gets a whole answer.  The input is the text of one HTTP request; a
 * space before the method asks a server that is still reading its trace. */
#include <string.h>
#include <strings.h>

#include <yajl/yajl_parse.h>

#include "../unit/serve/fake.h"
#include "fuzz.h"
#include "kit.h"

enum { INPUT_MAX = 1 << 16 };

/* Cuts the next line off and ends it with 0. */
static char *line(char **at)
{
	char *p = *at, *end = strchr(p, '\n');
	*at = end ? end + 1 : p + strlen(p);
	if (end)
		*end = 0;
	p[strcspn(p, "\r")] = 0;
	return p;
}

static void header(ws_request *rq, char *text)
{
	char *value = strchr(text, ':');
	if (!value)
		return;
	*value++ = 0;
	value += strspn(value, " \t");
	const char **to = !strcasecmp(text, "Host")              ? &rq->host
			  : !strcasecmp(text, "Origin")          ? &rq->origin
			  : !strcasecmp(text, "Sec-Fetch-Site")  ? &rq->fetch_site
			  : !strcasecmp(text, "Sec-Fetch-Mode")  ? &rq->fetch_mode
			  : !strcasecmp(text, "Sec-Fetch-Dest")  ? &rq->fetch_dest
			  : !strcasecmp(text, "If-None-Match")   ? &rq->if_none_match
			  : !strcasecmp(text, "Accept-Encoding") ? &rq->accept_encoding
								 : NULL;
	rq->n_hosts += to == &rq->host;
	rq->has_body |= !strcasecmp(text, "Content-Length");
	if (to)
		*to = value;
}

static void parse(char *text, ws_request *rq)
{
	char *first = line(&text), *target = strchr(first, ' ');
	if (target) {
		*target++ = 0;
		target[strcspn(target, " ")] = 0;
	}
	rq->method = !strcmp(first, "GET") ? WS_GET : !strcmp(first, "HEAD") ? WS_HEAD : WS_OTHER_METHOD;
	rq->target = target ? target : "";
	while (*text)
		header(rq, line(&text));
}

static void check_json(const char *at, size_t n)
{
	yajl_handle h = yajl_alloc(NULL, NULL, NULL);
	kit_check(yajl_parse(h, (const unsigned char *)at, n) == yajl_status_ok &&
		  yajl_complete_parse(h) == yajl_status_ok);
	yajl_free(h);
}

/* The tables at the front say how long the answer is. */
static void check_tiles(const wb_buf *b)
{
	uint32_t head[4], sizes[2];
	kit_check(b->n >= 24);
	memcpy(head, b->at, sizeof(head));
	kit_check(head[3] >= 1 && head[3] <= WS_TILE_LANES_MAX);
	size_t bytes = 24 + 8 * (size_t)head[3];
	for (size_t i = 0; i < head[3]; i++) {
		memcpy(sizes, b->at + 24 + 8 * i, sizeof(sizes));
		bytes += 16 * (size_t)sizes[0] + 4 * (((size_t)sizes[0] + 3) / 4 * 4) + 8 * (size_t)sizes[1];
	}
	kit_check(bytes == b->n);
}

static void check_answer(const ws_answer *a)
{
	kit_check(a->type);
	kit_check(!strcmp(a->type, "application/octet-stream") || a->fixed || a->status == 304 || a->body.n);
	kit_check(a->body.n < 4 << 20);
	if (a->status != 200 && a->status != 304)
		kit_check(a->status >= 400 && a->status <= 503 && a->status != 500);
	if (!strcmp(a->type, "application/octet-stream"))
		check_tiles(&a->body);
	else if (!strcmp(a->type, "application/json"))
		check_json(a->body.at, a->body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n > INPUT_MAX)
		return -1;
	static ws_model model;
	if (!model.tile)
		kit_check(fake_model(&model));
	wb_buf text = { 0 };
	wb_buf_put(&text, data, n);
	wb_buf_putc(&text, 0);
	bool loading = text.at[0] == ' ';
	ws_site site;
	fake_site(&site, loading ? NULL : &model);
	site.trust.port = 8080;

	ws_request rq = { 0 };
	parse(text.at + loading, &rq);
	ws_answer a;
	ws_answer_request(&site, &rq, &a);
	check_answer(&a);
	if (rq.host && a.status == 200)
		kit_check(wo_host_trusted(&site.trust, rq.host));
	ws_answer_free(&a);
	fake_site_done(&site);
	wb_buf_free(&text);
	return 0;
}
