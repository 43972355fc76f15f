/* os/trust.c - see trust.h. */
#include "os/trust.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy(char *to, size_t room, const char *from, size_t n)
{
	if (n >= room)
		return false;
	memcpy(to, from, n);
	to[n] = 0;
	return true;
}

bool wo_split_address(const char *address, char *ret_host, size_t host_bytes, char *ret_port, size_t port_bytes)
{
	const char *host = address, *host_end, *port;
	if (*address == '[') {
		host = address + 1;
		host_end = strchr(host, ']');
		if (!host_end || host_end[1] != ':')
			return false;
		port = host_end + 2;
	} else {
		host_end = strchr(address, ':');
		if (!host_end)
			return false;
		port = host_end + 1;
	}
	if (!*port || strpbrk(port, ":[]"))
		return false;
	return copy(ret_host, host_bytes, host, (size_t)(host_end - host)) &&
	       copy(ret_port, port_bytes, port, strlen(port));
}

/* "name", "name:port", "[v6]", "[v6]:port": the name without brackets, and the port (80 if none). */
static bool split_host(const char *host, char *name, size_t name_bytes, unsigned *ret_port, bool *ret_brackets)
{
	*ret_brackets = *host == '[';
	const char *begin = host + *ret_brackets;
	const char *end = *ret_brackets ? strchr(host, ']') : host + strcspn(host, ":");
	if (!end || end == begin || !copy(name, name_bytes, begin, (size_t)(end - begin)))
		return false;
	const char *p = end + *ret_brackets;
	*ret_port = 80;
	if (!*p)
		return true;
	if (*p++ != ':' || !*p || strlen(p) > 5 || strspn(p, "0123456789") != strlen(p))
		return false;
	*ret_port = (unsigned)strtoul(p, NULL, 10);
	return true;
}

static bool is_v4(const char *name)
{
	struct in_addr a;
	return inet_pton(AF_INET, name, &a) == 1;
}

static bool is_v6(const char *name)
{
	struct in6_addr a;
	return inet_pton(AF_INET6, name, &a) == 1;
}

bool wo_host_trusted(const wo_trust *t, const char *host)
{
	char name[256];
	unsigned port;
	bool brackets;
	if (!host || !split_host(host, name, sizeof(name), &port, &brackets) || (port != t->port && !t->any_port))
		return false;
	bool v6 = is_v6(name);
	if (brackets != v6)
		return false;
	if ((t->name[0] && !strcasecmp(name, t->name)) || !strcasecmp(name, t->bound))
		return true;
	if (t->wildcard)
		return v6 || is_v4(name) || !strcasecmp(name, "localhost");
	return t->loopback && (!strcasecmp(name, "localhost") || !strcmp(name, "127.0.0.1") || !strcmp(name, "::1"));
}

bool wo_origin_trusted(const char *origin, const char *host)
{
	if (!origin)
		return true;
	return host && !strncasecmp(origin, "http://", 7) && !strcasecmp(origin + 7, host);
}

bool wo_fetch_trusted(const char *site, const char *mode, const char *dest, bool page)
{
	if (!site || !strcmp(site, "same-origin") || !strcmp(site, "none"))
		return true;
	/* A link from elsewhere may open the page in a tab of its own: the page learns nothing from that, nor does the
	 * other. */
	return page && mode && !strcmp(mode, "navigate") && dest && !strcmp(dest, "document");
}
