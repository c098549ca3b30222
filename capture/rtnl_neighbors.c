/* The neighbour table of this host, and its changes. */
#include <arpa/inet.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "facts_neighbor.h"
#include "rtnl.h"

#define NEIGHBORS_MAX 4096

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

void rtnl_neighbor_changed(struct host *h, const struct nlmsghdr *nlh)
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
