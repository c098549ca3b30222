/* Neighbours, routes, addresses and links of this host by rtnetlink (libmnl), and their changes. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "facts_neighbor.h"
#include "collector.h"

#define NEIGHBORS_MAX 4096
#define ROUTES_MAX 1024
#define LINKS_MAX 256
#define MESSAGE_MAX 65536

struct rtnl {
	struct mnl_socket *ask, *events;
	unsigned seq;
	char *message; /* MESSAGE_MAX */
	struct link {
		int index;
		char name[64];
		bool up;
	} links[LINKS_MAX];
	unsigned link_count;
	bool dumping_links; /* links in a dump are not events */
};

/* The previous table, to tell what an entry was before it changed. */
struct neighbors {
	struct neighbor *entries;
	size_t count, cap;
	uint64_t omitted;
};

void neighbors_free(struct neighbors *n)
{
	if (n)
		free(n->entries);
	free(n);
}

static int rtnl_on_link(const struct nlmsghdr *nlh, void *arg);

/* Sends a dump request and passes each reply message to callback. false: it failed. */
static bool rtnl_dump(
	struct rtnl *n, uint16_t type, unsigned char family, mnl_cb_t callback, void *arg)
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

static struct link *rtnl_link_of(struct rtnl *n, int index)
{
	unsigned i;

	for (i = 0; i < n->link_count; i++) {
		if (n->links[i].index == index)
			return &n->links[i];
	}
	return NULL;
}

static void rtnl_link_name(struct rtnl *n, int index, char name[64])
{
	const struct link *l = rtnl_link_of(n, index);

	if (l)
		snprintf(name, 64, "%s", l->name);
	else
		snprintf(name, 64, "if%d", index);
}

static void rtnl_mac_text(const struct nlattr *a, char *text, size_t size)
{
	const uint8_t *m = mnl_attr_get_payload(a);
	uint16_t i, n = mnl_attr_get_payload_len(a);

	text[0] = '\0';
	for (i = 0; i < n && i < 20; i++)
		snprintf(text + strlen(text), size - strlen(text), "%s%02x", i ? ":" : "", m[i]);
}

static int64_t rtnl_ticks_ms(uint32_t ticks)
{
	return (int64_t)ticks * 1000 / sysconf(_SC_CLK_TCK);
}

/* false: not a unicast neighbour of a real link. */
static bool rtnl_read_neighbor(struct rtnl *n, const struct nlmsghdr *nlh, struct neighbor *ret)
{
	const struct ndmsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	struct nda_cacheinfo age;

	*ret = (struct neighbor){.state = m->ndm_state,
		.flags = m->ndm_flags,
		.confirmed_ms = -1,
		.used_ms = -1,
		.updated_ms = -1,
		.probes = -1};
	if ((m->ndm_family != AF_INET && m->ndm_family != AF_INET6) || m->ndm_state & NUD_NOARP)
		return false;
	rtnl_link_name(n, m->ndm_ifindex, ret->dev);
	mnl_attr_for_each(a, nlh, sizeof(*m))
	{
		uint16_t type = mnl_attr_get_type(a), length = mnl_attr_get_payload_len(a);

		if (type == NDA_DST && length == (m->ndm_family == AF_INET ? 4 : 16)) {
			inet_ntop(m->ndm_family, mnl_attr_get_payload(a), ret->ip, sizeof(ret->ip));
		} else if (type == NDA_LLADDR) {
			rtnl_mac_text(a, ret->mac, sizeof(ret->mac));
		} else if (type == NDA_PROBES && length == 4) {
			ret->probes = mnl_attr_get_u32(a);
		} else if (type == NDA_CACHEINFO && length >= sizeof(age)) {
			memcpy(&age, mnl_attr_get_payload(a), sizeof(age));
			ret->confirmed_ms = rtnl_ticks_ms(age.ndm_confirmed);
			ret->used_ms = rtnl_ticks_ms(age.ndm_used);
			ret->updated_ms = rtnl_ticks_ms(age.ndm_updated);
		}
	}
	return ret->ip[0] != '\0';
}

struct neighbor_dump {
	struct rtnl *rtnl;
	struct neighbors *table;
};

static int rtnl_on_neighbor(const struct nlmsghdr *nlh, void *arg)
{
	struct neighbor_dump *d = arg;
	struct neighbors *t = d->table;
	struct neighbor n;

	if (!rtnl_read_neighbor(d->rtnl, nlh, &n))
		return MNL_CB_OK;
	if (t->count >= NEIGHBORS_MAX) {
		t->omitted++;
		return MNL_CB_OK;
	}
	MEM_RESERVE(t->entries, t->count, t->cap);
	t->entries[t->count++] = n;
	return MNL_CB_OK;
}

void facts_neighbors(struct host *h, bool force)
{
	struct neighbors *t = mem_zalloc(sizeof(*t));
	struct neighbor_dump d = {.rtnl = h->rtnl, .table = t};
	char identity[512], words[512];
	bool whole;
	size_t i;

	whole = rtnl_dump(h->rtnl, RTM_GETNEIGH, AF_INET, rtnl_on_neighbor, &d);
	whole = rtnl_dump(h->rtnl, RTM_GETNEIGH, AF_INET6, rtnl_on_neighbor, &d) && whole;
	if (!whole) {
		neighbors_free(t); /* a partial table would look like removed entries */
		return;
	}
	neighbors_free(h->neighbors);
	h->neighbors = t;
	fact_set_begin(h->facts, "neighbor");
	for (i = 0; i < t->count; i++) {
		neighbor_words(&t->entries[i], identity, words, sizeof(words));
		fact_set_add(h->facts, identity, words);
	}
	fact_set_end(h->facts, t->omitted, force);
}

static struct neighbor *rtnl_find_neighbor(struct neighbors *t, const struct neighbor *n)
{
	size_t i;

	for (i = 0; t && i < t->count; i++) {
		if (!strcmp(t->entries[i].ip, n->ip) && !strcmp(t->entries[i].dev, n->dev))
			return &t->entries[i];
	}
	return NULL;
}

static void rtnl_neighbor_changed(struct host *h, const struct nlmsghdr *nlh)
{
	char identity[512], words[512], was[160] = "";
	struct neighbor n, *old;
	bool removed = nlh->nlmsg_type == RTM_DELNEIGH;

	if (!h->neighbors || !rtnl_read_neighbor(h->rtnl, nlh, &n))
		return;
	old = rtnl_find_neighbor(h->neighbors, &n);
	if (old && strcmp(old->mac, n.mac) && old->mac[0])
		snprintf(was, sizeof(was), " was_mac=%s", old->mac);
	if (old && old->state != n.state)
		snprintf(was + strlen(was), sizeof(was) - strlen(was), " was_state=%s",
			neighbor_state(old->state));
	if (old && !was[0] && !removed && !strcmp(old->mac, n.mac))
		return; /* only ages changed */
	neighbor_words(&n, identity, words, sizeof(words));
	fact_event(h->facts, nsec_now(), "neighbor.change", "event=%s %s%s",
		removed ? "removed"
		: old	? "changed"
			: "new",
		words, was);
	if (removed && old) {
		*old = h->neighbors->entries[--h->neighbors->count];
	} else if (old) {
		*old = n;
	} else if (!removed && h->neighbors->count < NEIGHBORS_MAX) {
		MEM_RESERVE(h->neighbors->entries, h->neighbors->count, h->neighbors->cap);
		h->neighbors->entries[h->neighbors->count++] = n;
	}
}

struct route_dump {
	struct host *h;
	unsigned count, omitted;
};

static const char *rtnl_route_type(uint8_t type)
{
	static const char *const names[] = {[RTN_UNICAST] = "unicast",
		[RTN_BLACKHOLE] = "blackhole",
		[RTN_UNREACHABLE] = "unreachable",
		[RTN_PROHIBIT] = "prohibit",
		[RTN_THROW] = "throw"};

	return type < sizeof(names) / sizeof(*names) ? names[type] : NULL;
}

static void rtnl_address_text(uint8_t family, const struct nlattr *a, char text[64])
{
	text[0] = '\0';
	if (mnl_attr_get_payload_len(a) == (family == AF_INET ? 4 : 16))
		inet_ntop(family, mnl_attr_get_payload(a), text, 64);
}

static void rtnl_add_words(char *words, size_t size, const char *name, const char *value)
{
	size_t n = strlen(words);

	snprintf(words + n, size - n, " %s=%s", name, value);
}

static int rtnl_on_route(const struct nlmsghdr *nlh, void *arg)
{
	struct route_dump *d = arg;
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	char words[512], text[200] = "", dst[64] = "", rest[300] = "";
	const char *type = rtnl_route_type(m->rtm_type);
	uint32_t table = m->rtm_table;
	const struct nlattr *a;

	if (!type || m->rtm_table == RT_TABLE_LOCAL || m->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	if (d->count >= ROUTES_MAX) {
		d->omitted++;
		return MNL_CB_OK;
	}
	mnl_attr_for_each(a, nlh, sizeof(*m))
	{
		uint16_t t = mnl_attr_get_type(a);

		if (t == RTA_DST) {
			rtnl_address_text(m->rtm_family, a, dst);
		} else if (t == RTA_GATEWAY || t == RTA_PREFSRC) {
			rtnl_address_text(m->rtm_family, a, text);
			rtnl_add_words(rest, sizeof(rest), t == RTA_GATEWAY ? "via" : "src", text);
		} else if (t == RTA_OIF) {
			rtnl_link_name(d->h->rtnl, (int)mnl_attr_get_u32(a), text);
			rtnl_add_words(rest, sizeof(rest), "dev",
				comments_word(words, sizeof(words), text));
		} else if (t == RTA_PRIORITY) {
			snprintf(text, sizeof(text), "%u", mnl_attr_get_u32(a));
			rtnl_add_words(rest, sizeof(rest), "metric", text);
		} else if (t == RTA_TABLE) {
			table = mnl_attr_get_u32(a);
		}
	}
	if (dst[0] || m->rtm_dst_len)
		snprintf(words, sizeof(words), "dst=%s/%u%s table=%u type=%s", dst, m->rtm_dst_len,
			rest, table, type);
	else
		snprintf(words, sizeof(words), "dst=default%s table=%u type=%s", rest, table, type);
	if (m->rtm_scope == RT_SCOPE_LINK)
		rtnl_add_words(words, sizeof(words), "scope", "link");
	fact_set_add(d->h->facts, words, words);
	d->count++;
	return MNL_CB_OK;
}

void facts_routes(struct host *h)
{
	struct route_dump d = {.h = h};
	bool whole;

	fact_set_begin(h->facts, "route");
	whole = rtnl_dump(h->rtnl, RTM_GETROUTE, AF_INET, rtnl_on_route, &d);
	whole = rtnl_dump(h->rtnl, RTM_GETROUTE, AF_INET6, rtnl_on_route, &d) && whole;
	if (whole)
		fact_set_end(h->facts, d.omitted, false);
}

struct address_dump {
	char lists[HOST_NICS][1024];
	int index[HOST_NICS];
	unsigned count;
};

static bool rtnl_read_address(const struct nlmsghdr *nlh, char text[80], int *ret_index)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	char local[64] = "", peer[64] = "";
	const struct nlattr *a;

	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return false;
	mnl_attr_for_each(a, nlh, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == IFA_LOCAL)
			rtnl_address_text(m->ifa_family, a, local);
		else if (mnl_attr_get_type(a) == IFA_ADDRESS)
			rtnl_address_text(m->ifa_family, a, peer);
	}
	/* On point-to-point links IFA_ADDRESS is the peer's, IFA_LOCAL our own. */
	snprintf(text, 80, "%s/%u", local[0] ? local : peer, m->ifa_prefixlen);
	*ret_index = (int)m->ifa_index;
	return true;
}

static int rtnl_on_address(const struct nlmsghdr *nlh, void *arg)
{
	struct address_dump *d = arg;
	char text[80], *list;
	unsigned i;
	int index;

	if (!rtnl_read_address(nlh, text, &index))
		return MNL_CB_OK;
	for (i = 0; i < d->count && d->index[i] != index; i++)
		;
	if (i == HOST_NICS)
		return MNL_CB_OK;
	if (i == d->count)
		d->index[d->count++] = index;
	list = d->lists[i];
	snprintf(list + strlen(list), sizeof(d->lists[i]) - strlen(list), "%s%s",
		list[0] ? " " : "", text);
	return MNL_CB_OK;
}

void facts_addresses(struct host *h)
{
	struct address_dump *d CLEANUP_FREE = mem_zalloc(sizeof(*d));
	char word[200];
	unsigned i, j;

	h->rtnl->dumping_links = !h->rtnl->link_count; /* later changes are events */
	(void)rtnl_dump(h->rtnl, RTM_GETLINK, AF_UNSPEC, rtnl_on_link, h);
	h->rtnl->dumping_links = false;
	if (!rtnl_dump(h->rtnl, RTM_GETADDR, AF_INET, rtnl_on_address, d) ||
		!rtnl_dump(h->rtnl, RTM_GETADDR, AF_INET6, rtnl_on_address, d))
		return;
	for (i = 0; i < h->rtnl->link_count; i++) {
		const struct link *l = &h->rtnl->links[i];

		for (j = 0; j < d->count && d->index[j] != l->index; j++)
			;
		fact_put(h->facts, j < d->count ? d->lists[j] : "", "nic.%s.addresses",
			comments_word(word, sizeof(word), l->name));
	}
}

static void rtnl_nic_event(struct host *h, const char *name, const char *what, const char *more)
{
	char word[200], key[FACT_KEY_SIZE];

	if (h->rtnl->dumping_links)
		return;
	snprintf(key, sizeof(key), "nic.%s.event", comments_word(word, sizeof(word), name));
	fact_event(h->facts, nsec_now(), key, "%s%s", what, more);
}

static void rtnl_link_gone(struct host *h, int index)
{
	struct link *l = rtnl_link_of(h->rtnl, index);

	if (!l)
		return;
	rtnl_nic_event(h, l->name, "gone", "");
	*l = h->rtnl->links[--h->rtnl->link_count];
}

static void rtnl_link_there(struct host *h, int index, const char *name, bool up)
{
	struct rtnl *n = h->rtnl;
	struct link *l = rtnl_link_of(n, index);
	char from[200], more[220];

	if (!l) {
		if (n->link_count == LINKS_MAX)
			return;
		l = &n->links[n->link_count++];
		*l = (struct link){.index = index, .up = up};
		snprintf(l->name, sizeof(l->name), "%s", name);
		rtnl_nic_event(h, name, "appeared", "");
	}
	if (strcmp(l->name, name)) {
		snprintf(
			more, sizeof(more), " from=%s", comments_word(from, sizeof(from), l->name));
		rtnl_nic_event(h, name, "renamed", more);
		snprintf(l->name, sizeof(l->name), "%s", name);
	}
	if (l->up != up)
		rtnl_nic_event(h, name, up ? "up" : "down", "");
	l->up = up;
}

static int rtnl_on_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);
	struct host *h = arg;
	const struct nlattr *a;

	if (m->ifi_family == AF_BRIDGE)
		return MNL_CB_OK; /* a port joined or left a bridge */
	if (nlh->nlmsg_type == RTM_DELLINK) {
		rtnl_link_gone(h, m->ifi_index);
		return MNL_CB_OK;
	}
	mnl_attr_for_each(a, nlh, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == IFLA_IFNAME &&
			mnl_attr_validate(a, MNL_TYPE_NUL_STRING) == 0)
			rtnl_link_there(h, m->ifi_index, mnl_attr_get_str(a),
				(m->ifi_flags & (IFF_UP | IFF_RUNNING)) == (IFF_UP | IFF_RUNNING));
	}
	return MNL_CB_OK;
}

static int rtnl_on_event(const struct nlmsghdr *nlh, void *arg)
{
	struct host *h = arg;
	char text[80], name[64];
	int index;

	switch (nlh->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		rtnl_neighbor_changed(h, nlh);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		(void)rtnl_on_link(nlh, h);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (!rtnl_read_address(nlh, text, &index))
			break;
		rtnl_link_name(h->rtnl, index, name);
		rtnl_nic_event(h, name,
			nlh->nlmsg_type == RTM_NEWADDR ? "address-added " : "address-removed ",
			text);
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
