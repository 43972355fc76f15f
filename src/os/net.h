/* os/net.h - a listening TCP socket, and names of hosts. */
#ifndef WO_NET_H
#define WO_NET_H

#include <signal.h>
#include <stdbool.h>

typedef struct wo_listener {
	int      fd;
	char     address[64]; /* numeric, without brackets: "127.0.0.1", "::1" */
	unsigned port;
	bool     v6;
	bool     loopback;    /* only this machine can reach it */
	bool     wildcard;    /* every interface */
} wo_listener;

/* Listens on a host ("" is every interface, IPv4 and IPv6) and port ("0" is any free one).  Of several addresses of a
 * name the first IPv4 one is taken, as Go does.  0 or negative errno; -EADDRNOTAVAIL for a name that has no address. */
int wo_listen(const char *host, const char *port, wo_listener *ret);

struct addrinfo;

/* getaddrinfo(), which also knows "localhost" and all names below it where the system's tables do not (a system without
 * /etc/hosts): they are this machine's loopback addresses.  Source: RFC 6761, 6.3. */
int wo_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret);

/* Blocks all signals of this thread, for threads that a library starts: they inherit it.  Then put back what was. */
void wo_signals_hold(sigset_t *ret_old);
void wo_signals_restore(const sigset_t *old);

#endif
