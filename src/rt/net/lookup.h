/* rt/net/lookup.h - names of hosts and services to numbers, while other goroutines run. */
#ifndef WEFT__LOOKUP_H
#define WEFT__LOOKUP_H

#include <weft/types.h>

#include "rt/net/address.h"

/* Addresses of a host, of a family or of any (AF_UNSPEC), the preferred first: fills up to n, returns how many there
 * are, at least 1; or an error as weft_lookup(), -EPERM outside a goroutine.  Not inside the runtime. */
int weft__lookup(const char *host, int family, weft_ns deadline, weft__address *ret, int n);
/* The port of a service: a number or an error as above. */
int weft__lookup_port(const char *service, int type, weft_ns deadline);

#endif
