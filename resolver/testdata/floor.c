/* Asks a name server on loopback for A records, each query by a socket of its
   own, so many at a time, and prints the wall and processor time in
   nanoseconds. A query without a reply in a second is sent again. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in server;
static int poller;
static unsigned short ids[65536];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void start(long n)
{
	unsigned char q[64] = {0, 0, 1, 0, 0, 1};
	char label[24];
	unsigned short id;
	int len = 12, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0 || fd >= 65536 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0 ||
	    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0 || getrandom(&id, sizeof id, 0) != sizeof id) {
		perror("start");
		exit(1);
	}
	memcpy(q, &id, 2);
	ids[fd] = id;
	q[len] = snprintf(label, sizeof label, "n%ld", n);
	memcpy(q + len + 1, label, q[len]);
	len += 1 + q[len];
	memcpy(q + len, "\7example\3com\0\0\1\0\1", 17);
	if (send(fd, q, len + 17, 0) < 0) {
		perror("send");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	long total, width, begun = 0, done = 0;
	struct epoll_event ready[64];
	struct rusage u;
	double t0;

	if (argc != 4)
		return 2;
	server.sin_family = AF_INET;
	server.sin_port = htons(atoi(argv[1]));
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	total = atol(argv[2]);
	width = atol(argv[3]);
	poller = epoll_create1(0);
	t0 = now();
	while (begun < width && begun < total)
		start(begun++);
	while (done < total) {
		int n = epoll_wait(poller, ready, 64, 1000);
		if (n == 0) { /* lost ones: their sockets are left */
			long lost = begun - done;
			while (lost-- > 0)
				start(done);
		}
		for (int i = 0; i < n && done < total; i++) {
			unsigned char b[1232];
			int fd = ready[i].data.fd;
			long size = recv(fd, b, sizeof b, 0);
			if (size < 28 || memcmp(b, &ids[fd], 2))
				continue;
			close(fd);
			done++;
			if (begun < total)
				start(begun++);
		}
	}
	t0 = now() - t0;
	getrusage(RUSAGE_SELF, &u);
	printf("%.0f %.0f\n", t0,
	       (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e9 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e3);
	return 0;
}
