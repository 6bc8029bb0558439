/* Asks a name server on loopback by c-ares, so many names at a time, and prints
   the wall and processor time in nanoseconds: for A records by one socket, bound
   to the loopback device if it may be, or, with a fourth argument, for both families
   and sorted. */
#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static ares_channel channel;
static long total, width, begun, done, failed;
static int both;

static void start(void);

static void finish(int status)
{
	done++;
	if (status != ARES_SUCCESS)
		failed++;
	if (begun < total)
		start();
}

static void answered(void *arg, int status, int timeouts, unsigned char *b, int size)
{
	(void)arg, (void)timeouts, (void)b;
	finish(status == ARES_SUCCESS && size < 28 ? ARES_EBADRESP : status);
}

static void found(void *arg, int status, int timeouts, struct ares_addrinfo *all)
{
	(void)arg, (void)timeouts;
	if (all)
		ares_freeaddrinfo(all);
	finish(status);
}

static void start(void)
{
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	char name[64];

	snprintf(name, sizeof name, "n%ld.example.com.", begun++);
	if (both)
		ares_getaddrinfo(channel, name, NULL, &hints, found, NULL);
	else
		ares_query(channel, name, 1, 1, answered, NULL);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* serve waits for sockets and lets c-ares use them. */
static void serve(void)
{
	ares_socket_t fds[ARES_GETSOCK_MAXNUM];
	struct pollfd ready[ARES_GETSOCK_MAXNUM];
	int mask = ares_getsock(channel, fds, ARES_GETSOCK_MAXNUM), n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++)
		if (ARES_GETSOCK_READABLE(mask, i) || ARES_GETSOCK_WRITABLE(mask, i))
			ready[n++] = (struct pollfd){.fd = fds[i],
				.events = POLLIN | (ARES_GETSOCK_WRITABLE(mask, i) ? POLLOUT : 0)};
	if (poll(ready, n, 1000) <= 0) {
		ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
		return;
	}
	for (int i = 0; i < n; i++)
		if (ready[i].revents)
			ares_process_fd(channel, ready[i].revents & ~POLLOUT ? ready[i].fd : ARES_SOCKET_BAD,
				ready[i].revents & POLLOUT ? ready[i].fd : ARES_SOCKET_BAD);
}

int main(int argc, char **argv)
{
	struct ares_options options = {.flags = ARES_FLAG_STAYOPEN, .lookups = "b"};
	struct rusage u;
	double t0;

	if (argc < 4)
		return 2;
	total = atol(argv[2]);
	width = atol(argv[3]);
	both = argc > 4;
	options.udp_port = options.tcp_port = atoi(argv[1]);
	if (ares_library_init(ARES_LIB_INIT_ALL) ||
	    ares_init_options(&channel, &options, ARES_OPT_FLAGS | ARES_OPT_LOOKUPS | ARES_OPT_UDP_PORT | ARES_OPT_TCP_PORT) ||
	    ares_set_servers_csv(channel, "127.0.0.1"))
		return 1;
	ares_set_local_dev(channel, "lo");
	t0 = now();
	while (begun < width && begun < total)
		start();
	while (done < total)
		serve();
	t0 = now() - t0;
	getrusage(RUSAGE_SELF, &u);
	if (failed > total / 100) {
		fprintf(stderr, "%ld of %ld look-ups failed\n", failed, total);
		return 1;
	}
	printf("%.0f %.0f\n", t0,
	       (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3);
	return 0;
}
