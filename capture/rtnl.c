/* The sockets of rtnetlink, and what they tell. */
#include "rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "base/nsec.h"

#define MESSAGE_MAX 65536

bool rtnl_dump(struct rtnl *n, uint16_t type, unsigned char family, mnl_cb_t callback, void *arg)
{
	char request[MNL_NLMSG_HDRLEN + 64] = "";
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(request);
	struct rtgenmsg *gen;
	ssize_t got;
	int r = 1;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	nlh->nlmsg_seq = ++n->seq;
	gen = mnl_nlmsg_put_extra_header(
		nlh, type == RTM_GETNEIGH ? sizeof(struct ndmsg) : sizeof(struct rtmsg));
	gen->rtgen_family = family;
	if (mnl_socket_sendto(n->ask, nlh, nlh->nlmsg_len) < 0)
		return false;
	while (r > 0) {
		got = mnl_socket_recvfrom(n->ask, n->message, MESSAGE_MAX);
		if (got < 0)
			return false;
		/* Replies to an earlier, aborted dump have another sequence number: mnl skips
		 * them. */
		r = mnl_cb_run(n->message, (size_t)got, n->seq, mnl_socket_get_portid(n->ask),
			callback, arg);
	}
	return r == 0;
}

static struct mnl_socket *rtnl_open_socket(unsigned groups, int flags)
{
	struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, flags | SOCK_CLOEXEC);

	if (s && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(s);
		s = NULL;
	}
	return s;
}

struct rtnl *rtnl_open(struct error *err)
{
	struct rtnl *n = mem_zalloc(sizeof(*n));
	int size = 4 << 20;
	/* Limits the wait for the kernel: the capture must continue. */
	struct timeval timeout = {.tv_sec = 1};

	n->message = mem_alloc(MESSAGE_MAX);
	n->ask = rtnl_open_socket(0, 0);
	n->events = rtnl_open_socket(
		RTMGRP_NEIGH | RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
		SOCK_NONBLOCK);
	if (!n->ask || !n->events) {
		(void)error_errno(err, "cannot open netlink");
		rtnl_close(n);
		return NULL;
	}
	(void)setsockopt(
		mnl_socket_get_fd(n->ask), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	/* A larger buffer is optional: an overflow is detected and followed by a new snapshot. */
	if (setsockopt(mnl_socket_get_fd(n->events), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		    sizeof(size)) < 0)
		(void)setsockopt(
			mnl_socket_get_fd(n->events), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return n;
}

void rtnl_close(struct rtnl *n)
{
	if (!n)
		return;
	if (n->ask)
		mnl_socket_close(n->ask);
	if (n->events)
		mnl_socket_close(n->events);
	free(n->message);
	free(n);
}

int rtnl_fd(const struct rtnl *n)
{
	return mnl_socket_get_fd(n->events);
}

void rtnl_address_text(uint8_t family, const struct nlattr *a, char text[64])
{
	text[0] = '\0';
	if (mnl_attr_get_payload_len(a) == (family == AF_INET ? 4 : 16))
		inet_ntop(family, mnl_attr_get_payload(a), text, 64);
}

static int rtnl_on_event(const struct nlmsghdr *nlh, void *arg)
{
	struct host *h = arg;

	switch (nlh->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		rtnl_neighbor_changed(h, nlh);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		rtnl_link_changed(h, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		rtnl_address_changed(h, nlh);
		break;
	}
	return MNL_CB_OK;
}

void facts_rtnl_events(struct host *h)
{
	struct rtnl *n = h->rtnl;
	unsigned messages = 0;
	ssize_t got;

	while (messages++ < 256) {
		got = mnl_socket_recvfrom(n->events, n->message, MESSAGE_MAX);
		if (got < 0 && errno == ENOBUFS) {
			fact_event(h->facts, nsec_now(), "neighbor.lost", "1");
			h->neighbors_written_ns = 0; /* the next round writes a full snapshot */
			continue;
		}
		if (got <= 0)
			break;
		(void)mnl_cb_run(n->message, (size_t)got, 0, 0, rtnl_on_event, h);
	}
}
