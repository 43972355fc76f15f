/* os/net.c - see net.h. */
#include "os/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static const char localhost[] = "localhost";

int wo_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	size_t n = host ? strlen(host) : 0, n_local = sizeof(localhost) - 1;
	bool local = n >= n_local && strcasecmp(host + n - n_local, localhost) == 0;
	bool below = local && n > n_local && host[n - n_local - 1] == '.';
	/* Names below it are not for name servers. */
	int rc = below ? EAI_NONAME : getaddrinfo(host, service, hints, ret);
	if (rc == 0 || rc == EAI_MEMORY || !(below || (local && n == n_local)))
		return rc;
	struct addrinfo own = hints ? *hints : (struct addrinfo){ 0 };
	own.ai_flags &= ~AI_PASSIVE;
	return getaddrinfo(NULL, service ? service : "0", &own, ret);
}

static int listen_on(const struct addrinfo *a)
{
	const int on = 1, off = 0;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 128) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int describe(wo_listener *l)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof(at);
	if (getsockname(l->fd, (struct sockaddr *)&at, &n) < 0)
		return -errno;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;
	l->v6 = at.ss_family == AF_INET6;
	l->port = ntohs(l->v6 ? v6->sin6_port : v4->sin_port);
	inet_ntop(at.ss_family, l->v6 ? (const void *)&v6->sin6_addr : (const void *)&v4->sin_addr, l->address,
		sizeof(l->address));
	l->loopback = l->v6 ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) : ntohl(v4->sin_addr.s_addr) >> 24 == 127;
	l->wildcard = l->v6 ? IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr) : v4->sin_addr.s_addr == htonl(INADDR_ANY);
	return 0;
}

/* The first that can be listened on; of the family wanted only. */
static int listen_first(const struct addrinfo *list, int family, int *err)
{
	for (const struct addrinfo *a = list; a; a = a->ai_next) {
		if (a->ai_family != family)
			continue;
		int fd = listen_on(a);
		if (fd >= 0)
			return fd;
		*err = fd;
	}
	return -1;
}

int wo_listen(const char *host, const char *port, wo_listener *ret)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE }, *list;
	wo_listener l = { 0 };
	int rc = wo_getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (rc)
		return rc == EAI_SYSTEM ? -errno : rc == EAI_MEMORY ? -ENOMEM : -EADDRNOTAVAIL;
	int err = -EADDRNOTAVAIL;
	/* Every interface: one socket for both families if the kernel has IPv6. */
	int first = *host ? AF_INET : AF_INET6;
	l.fd = listen_first(list, first, &err);
	if (l.fd < 0)
		l.fd = listen_first(list, first == AF_INET ? AF_INET6 : AF_INET, &err);
	freeaddrinfo(list);
	if (l.fd < 0)
		return err;
	rc = describe(&l);
	if (rc < 0) {
		close(l.fd);
		return rc;
	}
	*ret = l;
	return 0;
}

void wo_signals_hold(sigset_t *ret_old)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, ret_old);
}

void wo_signals_restore(const sigset_t *old)
{
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
