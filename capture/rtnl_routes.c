/* The routes of this host. */
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "rtnl.h"

#define ROUTES_MAX 1024

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
