/* The links of this host with their addresses, and their changes. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "rtnl.h"

static struct link *rtnl_link_of(struct rtnl *n, int index)
{
	unsigned i;

	for (i = 0; i < n->link_count; i++) {
		if (n->links[i].index == index)
			return &n->links[i];
	}
	return NULL;
}

void rtnl_link_name(struct rtnl *n, int index, char name[64])
{
	const struct link *l = rtnl_link_of(n, index);

	if (l)
		snprintf(name, 64, "%s", l->name);
	else
		snprintf(name, 64, "if%d", index);
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
		if (n->link_count == RTNL_LINKS_MAX)
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

void rtnl_link_changed(struct host *h, const struct nlmsghdr *nlh)
{
	(void)rtnl_on_link(nlh, h);
}

void rtnl_address_changed(struct host *h, const struct nlmsghdr *nlh)
{
	char text[80], name[64];
	int index;

	if (!rtnl_read_address(nlh, text, &index))
		return;
	rtnl_link_name(h->rtnl, index, name);
	rtnl_nic_event(h, name,
		nlh->nlmsg_type == RTM_NEWADDR ? "address-added " : "address-removed ", text);
}
