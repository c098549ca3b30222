/*
 * collector: the collectors of facts, and the state they share. Each facts_*.c and rtnl_*.c reads
 * one kind of fact and skips what it cannot read. host.c runs them; they do not call it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "fact.h"
#include "rootfs.h"

struct neighbors;
struct kmsg;
struct rtnl;

#define HOST_NICS 64

struct host {
	struct rootfs root;
	struct facts *facts;
	bool copied;	/* --root: use no system calls about this host */
	int ethtool_fd; /* for ethtool ioctls; -1 with --root */
	struct rtnl *rtnl;
	struct neighbors *neighbors;
	struct kmsg *kmsg;
	int64_t now_ns;
	int64_t neighbors_written_ns;
	uint64_t heartbeats;
	int64_t last_realtime_ns, last_raw_ns; /* at the last heartbeat, to detect clock steps */
	uint64_t boot_ns;
	char drivers[16][32]; /* of the interfaces; "" ends the list */
};

void facts_host_start(struct host *h); /* names, kernel, hypervisor, DMI */
void facts_host_uptime(struct host *h);
void facts_nic_all(struct host *h); /* interfaces, from sysfs and through facts_ethtool() */
void facts_ethtool(struct host *h, const char *interface, const char *word);
void facts_stack(struct host *h); /* softnet, snmp, netstat, conntrack */
void facts_virt(struct host *h);  /* vhost_net, qemu */
void facts_clock(struct host *h);
void facts_clock_check(struct host *h); /* detects clock steps */

void facts_saved_tables(struct host *h); /* --root: neighbours, routes, addresses */

struct rtnl *rtnl_open(struct error *err);
void rtnl_close(struct rtnl *n);
int rtnl_fd(const struct rtnl *n);
void facts_neighbors(struct host *h, bool force);
void facts_routes(struct host *h);
void facts_addresses(struct host *h);
void facts_rtnl_events(struct host *h);
void neighbors_free(struct neighbors *n);

struct kmsg *kmsg_open(const struct rootfs *root, bool copied, uint64_t boot_ns);
void kmsg_close(struct kmsg *k);
int kmsg_fd(const struct kmsg *k);
void facts_kmsg(struct host *h);
