/* os/trust.h - who may ask a server on this machine.
 *
 * Any web page can make a browser send requests to this machine.  Two things are kept out: pages whose name was pointed
 * at this address after they were loaded (their Host is not ours), and pages of another origin (their Origin or
 * Sec-Fetch-Site says so).  The viewer and the runtime's debug endpoint both stand on it.
 */
#ifndef WO_TRUST_H
#define WO_TRUST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct wo_trust {
	char     name[256];    /* host that was asked for, without brackets; "" if none */
	char     bound[64];    /* address listened on, numeric, without brackets */
	unsigned port;
	bool     loopback;     /* reachable from this machine only */
	bool     wildcard;     /* every interface */
	bool     any_port;     /* by whatever port it is called: tunnels end here */
} wo_trust;

/* Splits Go's address syntax: "host:port", ":port", "[::1]:port".  False when there is no port or a buffer is too
 * small. */
bool wo_split_address(const char *address, char *ret_host, size_t host_bytes, char *ret_port, size_t port_bytes);

bool wo_host_trusted(const wo_trust *t, const char *host);                       /* NULL: not sent */
bool wo_origin_trusted(const char *origin, const char *host);                    /* origin NULL: fine */
bool wo_fetch_trusted(const char *site, const char *mode, const char *dest, bool page); /* Sec-Fetch-...; NULL: fine */

#endif
