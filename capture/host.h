/* host: opens what the collectors of facts need, with privileges, and runs them. */
#pragma once

#include "collector.h"

/* root NULL: this host. facts is borrowed. */
int host_open(struct host *h, const char *root, struct facts *facts, struct error *err);
void host_release(struct host *h);

/* All facts, at start. */
void host_collect_all(struct host *h);
/* Facts that change, every interval. */
void host_collect(struct host *h);
/* Records a heartbeat and checks the clock for steps. */
void host_heartbeat(struct host *h);

/* When the descriptor is readable, call the function below it. -1: none. */
int host_kmsg_fd(const struct host *h);
void host_read_kmsg(struct host *h);
int host_rtnl_fd(const struct host *h);
void host_read_rtnl(struct host *h);
