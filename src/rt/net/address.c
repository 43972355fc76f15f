/* rt/net/address.c - see address.h. */
#include "rt/net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535 };

int weft__address_network(const char *network, int *ret_family, int *ret_type)
{
	static const struct {
		const char *name;
		int family, type;
	} networks[] = {
#define NETWORK(name, family, type) { name, family, type },
#include "rt/net/networks.def"
	};
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		if (strcmp(networks[i].name, network) != 0)
			continue;
		*ret_family = networks[i].family;
		*ret_type = networks[i].type;
		return 0;
	}
	return -EPROTONOSUPPORT;
}

int weft__address_cut(const char *text, char ret_host[static WEFT__HOST_BYTES], const char **ret_port)
{
	const char *colon = strrchr(text, ':'), *host = text, *end = colon;
	if (!colon || strpbrk(colon, "[]"))
		return -EINVAL;
	if (*host == '[') {
		host++;
		end = colon - 1;
		if (end < host || *end != ']')
			return -EINVAL;
	}
	size_t n = (size_t)(end - host);
	if (n >= WEFT__HOST_BYTES || memchr(host, '[', n) || memchr(host, ']', n))
		return -EINVAL;
	if (host == text && memchr(host, ':', n))
		return -EINVAL; /* an IPv6 address without brackets: where does it end? */
	memcpy(ret_host, host, n);
	ret_host[n] = 0;
	*ret_port = colon + 1;
	return 0;
}

int weft__address_port(const char *text)
{
	int port = 0;
	if (*text == 0)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -ENOENT;
		port = port * 10 + (*text - '0');
		if (port > PORT_MAX)
			return -EINVAL;
	}
	return port;
}

static bool v6_number(const char *host, weft__address *ret)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = strcspn(host, "%");
	if (n >= sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = 0;
	*ret = (weft__address){ .n = sizeof(ret->at.v6) };
	ret->at.v6.sin6_family = AF_INET6;
	if (inet_pton(AF_INET6, text, &ret->at.v6.sin6_addr) != 1)
		return false;
	if (host[n] == 0)
		return true;
	const char *scope = host + n + 1;
	ret->at.v6.sin6_scope_id = if_nametoindex(scope);
	if (ret->at.v6.sin6_scope_id == 0)
		ret->at.v6.sin6_scope_id = (uint32_t)strtoul(scope, NULL, 10);
	return ret->at.v6.sin6_scope_id != 0;
}

bool weft__address_number(const char *host, weft__address *ret)
{
	weft__address a = { .n = sizeof(a.at.v4) };
	a.at.v4.sin_family = AF_INET;
	if (inet_pton(AF_INET, host, &a.at.v4.sin_addr) != 1 && !v6_number(host, &a))
		return false;
	*ret = a;
	return true;
}

int weft__address_unix(const char *text, weft__address *ret)
{
	size_t n = strlen(text);
	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(ret->at.un.sun_path))
		return -ENAMETOOLONG;
	*ret = (weft__address){ .n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + 1) };
	ret->at.un.sun_family = AF_UNIX;
	memcpy(ret->at.un.sun_path, text, n);
	if (*text == '@') {
		ret->at.un.sun_path[0] = 0;
		ret->n--; /* a name without a place ends where it ends */
	}
	return 0;
}

void weft__address_set_port(weft__address *a, int port)
{
	if (a->at.any.sa_family == AF_INET)
		a->at.v4.sin_port = htons((uint16_t)port);
	else
		a->at.v6.sin6_port = htons((uint16_t)port);
}

bool weft__address_is_wildcard(const weft__address *a)
{
	if (a->at.any.sa_family == AF_INET)
		return a->at.v4.sin_addr.s_addr == htonl(INADDR_ANY);
	return a->at.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->at.v6.sin6_addr);
}

static int v6_text(const weft__address *a, char *ret, size_t n)
{
	char text[INET6_ADDRSTRLEN], name[IF_NAMESIZE];
	const struct in6_addr *in = &a->at.v6.sin6_addr;
	unsigned port = ntohs(a->at.v6.sin6_port), scope = a->at.v6.sin6_scope_id;
	if (IN6_IS_ADDR_V4MAPPED(in)) {
		inet_ntop(AF_INET, &in->s6_addr[12], text, sizeof(text));
		return snprintf(ret, n, "%s:%u", text, port);
	}
	inet_ntop(AF_INET6, in, text, sizeof(text));
	if (scope == 0)
		return snprintf(ret, n, "[%s]:%u", text, port);
	if (!if_indextoname(scope, name))
		snprintf(name, sizeof(name), "%u", scope);
	return snprintf(ret, n, "[%s%%%s]:%u", text, name, port);
}

static int unix_text(const weft__address *a, char *ret, size_t n)
{
	const char *path = a->at.un.sun_path;
	size_t before = offsetof(struct sockaddr_un, sun_path), n_path = a->n > before ? a->n - before : 0;
	if (n_path == 0)
		return snprintf(ret, n, "%s", ""); /* it has no name */
	if (*path)
		return snprintf(ret, n, "%.*s", (int)strnlen(path, n_path), path);
	return snprintf(ret, n, "@%.*s", (int)n_path - 1, path + 1);
}

int weft__address_text(const weft__address *a, char *ret, size_t n)
{
	char text[INET_ADDRSTRLEN];
	switch (a->at.any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &a->at.v4.sin_addr, text, sizeof(text));
		return snprintf(ret, n, "%s:%u", text, ntohs(a->at.v4.sin_port));
	case AF_INET6: return v6_text(a, ret, n);
	case AF_UNIX: return unix_text(a, ret, n);
	default: return -EAFNOSUPPORT;
	}
}
