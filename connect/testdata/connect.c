/* The floor: socket, connect, poll, close, N times, bound or not, and nothing else.
   Usage: connect DESTINATION PORT N [SOURCE INTERFACE]. Prints nanoseconds of CPU
   and of wall clock per connect. IPv4 and IPv6. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t parse(union address *a, const char *text, int port)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		return sizeof a->v4;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_port = htons(port);
		return sizeof a->v6;
	}
	fprintf(stderr, "not an address: %s\n", text);
	exit(2);
}

static void check(int failed, const char *what)
{
	if (failed) {
		perror(what);
		exit(1);
	}
}

static void once(const union address *to, socklen_t tolen, const union address *from, socklen_t fromlen, const char *dev)
{
	int on = 1, err = 0;
	socklen_t len = sizeof err;
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	check(fd < 0, "socket");
	if (dev) {
		check(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev)), "SO_BINDTODEVICE");
		check(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), "IP_BIND_ADDRESS_NO_PORT");
		check(bind(fd, &from->any, fromlen), "bind");
	}
	if (connect(fd, &to->any, tolen)) {
		struct pollfd p = { fd, POLLOUT, 0 };
		check(errno != EINPROGRESS, "connect");
		check(poll(&p, 1, 20000) != 1, "poll");
		check(getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len), "SO_ERROR");
		errno = err;
		check(err, "connect");
	}
	close(fd);
}

static double cpu(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e9 + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e3;
}

static double wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(int argc, char **argv)
{
	union address to, from;
	socklen_t tolen, fromlen = 0;
	int i, n;
	double c, w;
	if (argc != 4 && argc != 6)
		return 2;
	tolen = parse(&to, argv[1], atoi(argv[2]));
	if (argc == 6)
		fromlen = parse(&from, argv[4], 0);
	n = atoi(argv[3]);
	c = cpu();
	w = wall();
	for (i = 0; i < n; i++)
		once(&to, tolen, &from, fromlen, argc == 6 ? argv[5] : NULL);
	printf("%.0f %.0f\n", (cpu() - c) / n, (wall() - w) / n);
	return 0;
}
