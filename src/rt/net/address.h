/* rt/net/address.h - addresses of sockets, and as text. */
#ifndef WEFT__ADDRESS_H
#define WEFT__ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

typedef struct weft__address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
		struct sockaddr_storage room;
	} at;
	socklen_t n;
} weft__address;

enum { WEFT__HOST_BYTES = 256 }; /* longest name of a host, and its end */

/* "tcp4" and so on (networks.def): 0 or -EPROTONOSUPPORT. */
int weft__address_network(const char *network, int *ret_family, int *ret_type);

/* Cuts "host:port" and "[host]:port".  0, or -EINVAL. */
int weft__address_cut(const char *text, char ret_host[static WEFT__HOST_BYTES], const char **ret_port);
/* 0 to 65535; -EINVAL; -ENOENT: a name, perhaps. */
int weft__address_port(const char *text);
/* "127.0.0.1", "fe80::1%eth0": true, without a port. */
bool weft__address_number(const char *host, weft__address *ret);
/* A path, or "@name".  0, -EINVAL (empty), -ENAMETOOLONG. */
int weft__address_unix(const char *text, weft__address *ret);

void weft__address_set_port(weft__address *a, int port);
bool weft__address_is_wildcard(const weft__address *a);
/* In the form that weft_dial() takes; the length, as snprintf(). */
int weft__address_text(const weft__address *a, char *ret, size_t n);

#endif
