/* host: opens what the collectors of facts need while there is privilege, and runs them. */
#pragma once

#include "collector.h"

/* root NULL: this host. facts is borrowed. */
int host_open(struct host *h, const char *root, struct facts *facts, struct error *err);
void host_release(struct host *h);

/* Everything, at start. */
void host_collect_all(struct host *h);
/* What changes, every interval. */
void host_collect(struct host *h);
/* A heartbeat: the clock is looked at as well. */
void host_heartbeat(struct host *h);

/* Readable when the kernel has something to say; -1: none. Then call the function beside it. */
int host_kmsg_fd(const struct host *h);
void host_read_kmsg(struct host *h);
int host_rtnl_fd(const struct host *h);
void host_read_rtnl(struct host *h);
