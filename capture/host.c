#include "host.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/nsec.h"

#define NEIGHBORS_EVERY_NS (60 * NSEC_PER_SEC)

int host_open(struct host *h, const char *root, struct facts *facts, struct error *err)
{
	int r;

	*h = (struct host){.facts = facts, .copied = root, .ethtool_fd = -1};
	r = rootfs_open(&h->root, root, err);
	if (r)
		return r;
	h->now_ns = nsec_now();
	fact_time(facts, h->now_ns);
	facts_host_start(h);
	h->kmsg = kmsg_open(&h->root, h->copied, h->boot_ns);
	if (h->copied)
		return 0;
	h->ethtool_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	h->rtnl = rtnl_open(err);
	return h->rtnl ? 0 : -EIO;
}

void host_release(struct host *h)
{
	if (h->ethtool_fd >= 0)
		close(h->ethtool_fd);
	rtnl_close(h->rtnl);
	neighbors_free(h->neighbors);
	kmsg_close(h->kmsg);
	rootfs_release(&h->root);
}

void host_collect(struct host *h)
{
	bool due;

	h->now_ns = nsec_now();
	due = h->now_ns - h->neighbors_written_ns >= NEIGHBORS_EVERY_NS;
	fact_begin(h->facts, h->now_ns);
	facts_host_uptime(h);
	facts_nic_all(h);
	if (h->copied) {
		facts_saved_tables(h);
	} else {
		facts_addresses(h);
		facts_routes(h);
		facts_neighbors(h, due);
	}
	facts_stack(h);
	facts_virt(h);
	if (!h->copied)
		facts_clock(h);
	fact_end(h->facts);
	if (due)
		h->neighbors_written_ns = h->now_ns;
}

void host_collect_all(struct host *h)
{
	host_collect(h);
	host_read_kmsg(h);
}

void host_heartbeat(struct host *h)
{
	h->now_ns = nsec_now();
	fact_event(h->facts, h->now_ns, "heartbeat", "%llu", (unsigned long long)++h->heartbeats);
	facts_clock_check(h);
}

int host_kmsg_fd(const struct host *h)
{
	return h->kmsg && !h->copied ? kmsg_fd(h->kmsg) : -1;
}

void host_read_kmsg(struct host *h)
{
	if (h->kmsg)
		facts_kmsg(h);
}

int host_rtnl_fd(const struct host *h)
{
	return h->rtnl ? rtnl_fd(h->rtnl) : -1;
}

void host_read_rtnl(struct host *h)
{
	if (h->rtnl)
		facts_rtnl_events(h);
}
