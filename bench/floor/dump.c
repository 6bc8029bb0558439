// Dumps links, addresses and routes into typed records, twice, and prints how long
// the second time took, in ns, and how many of each there were.
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct record {
	unsigned short kind;
	unsigned char family, bits, scope, state;
	int index;
	unsigned flags, mtu, table, metric, preferred, valid;
	unsigned char addr[16], gateway[16], hardware[8];
	char name[16];
};

static char buffer[32 << 10];
static struct record *records;
static size_t used, room;

static struct record *next(void) {
	if (used == room)
		records = realloc(records, (room = room ? 2 * room : 1024) * sizeof *records);
	return memset(&records[used++], 0, sizeof *records);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static void take(struct record *r, struct rtattr *a) {
	void *v = RTA_DATA(a);
	size_t n = RTA_PAYLOAD(a);
	int t = a->rta_type & NLA_TYPE_MASK;
	if (r->kind == RTM_NEWLINK) switch (t) {
	case IFLA_IFNAME: memcpy(r->name, v, least(n, 16)); break;
	case IFLA_ADDRESS: memcpy(r->hardware, v, least(n, 8)); break;
	case IFLA_MTU: memcpy(&r->mtu, v, 4); break;
	case IFLA_OPERSTATE: r->state = *(unsigned char *)v;
	} else if (r->kind == RTM_NEWADDR) switch (t) {
	case IFA_LOCAL: case IFA_ADDRESS: memcpy(r->addr, v, least(n, 16)); break;
	case IFA_FLAGS: memcpy(&r->flags, v, 4); break;
	case IFA_CACHEINFO: memcpy(&r->preferred, v, 4); memcpy(&r->valid, (char *)v + 4, 4);
	} else switch (t) {
	case RTA_DST: memcpy(r->addr, v, least(n, 16)); break;
	case RTA_GATEWAY: memcpy(r->gateway, v, least(n, 16)); break;
	case RTA_OIF: memcpy(&r->index, v, 4); break;
	case RTA_PRIORITY: memcpy(&r->metric, v, 4); break;
	case RTA_TABLE: memcpy(&r->table, v, 4);
	}
}

static void decode(struct nlmsghdr *h) {
	struct record *r = next();
	size_t head;
	r->kind = h->nlmsg_type;
	if (r->kind == RTM_NEWLINK) {
		struct ifinfomsg *m = NLMSG_DATA(h);
		head = sizeof *m, r->index = m->ifi_index, r->flags = m->ifi_flags;
	} else if (r->kind == RTM_NEWADDR) {
		struct ifaddrmsg *m = NLMSG_DATA(h);
		head = sizeof *m, r->index = m->ifa_index, r->family = m->ifa_family, r->bits = m->ifa_prefixlen, r->scope = m->ifa_scope;
	} else {
		struct rtmsg *m = NLMSG_DATA(h);
		head = sizeof *m, r->family = m->rtm_family, r->bits = m->rtm_dst_len, r->scope = m->rtm_scope;
	}
	struct rtattr *a = (void *)((char *)NLMSG_DATA(h) + NLMSG_ALIGN(head));
	for (int n = NLMSG_PAYLOAD(h, head); RTA_OK(a, n); a = RTA_NEXT(a, n))
		take(r, a);
}

static size_t dump(int fd, int kind) {
	struct { struct nlmsghdr h; struct ifinfomsg m; } q = {{sizeof q, kind, NLM_F_REQUEST | NLM_F_DUMP}};
	size_t before = used;
	if (send(fd, &q, sizeof q, 0) < 0) perror("send"), exit(1);
	for (;;) {
		int n = recv(fd, buffer, sizeof buffer, 0);
		if (n < 0) perror("recv"), exit(1);
		for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR) return used - before;
			decode(h);
		}
	}
}

int main(void) {
	size_t links, addrs, routes;
	struct timespec a, b;
	for (int i = 0; i < 2; i++) {
		free(records), records = NULL, used = room = 0;
		clock_gettime(CLOCK_MONOTONIC, &a);
		int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
		links = dump(fd, RTM_GETLINK), addrs = dump(fd, RTM_GETADDR), routes = dump(fd, RTM_GETROUTE);
		close(fd);
		clock_gettime(CLOCK_MONOTONIC, &b);
	}
	printf("%lld %zu %zu %zu\n", (b.tv_sec - a.tv_sec) * 1000000000LL + b.tv_nsec - a.tv_nsec, links, addrs, routes);
	return 0;
}
