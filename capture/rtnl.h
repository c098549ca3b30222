/*
 * rtnl: rtnetlink (libmnl) as rtnl_neighbors.c, rtnl_routes.c and rtnl_links.c share it: a socket
 * to ask, one that tells changes, and the names of links.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "collector.h"

#define RTNL_LINKS_MAX 256

struct rtnl {
	struct mnl_socket *ask, *events;
	unsigned seq;
	char *message; /* one reply */
	struct link {
		int index;
		char name[64];
		bool up;
	} links[RTNL_LINKS_MAX];
	unsigned link_count;
	bool dumping_links; /* links in a dump are not events */
};

/* Sends a dump request and passes each reply message to callback. false: it failed. */
bool rtnl_dump(struct rtnl *n, uint16_t type, unsigned char family, mnl_cb_t callback, void *arg);

/* "ifINDEX" if it is not known. */
void rtnl_link_name(struct rtnl *n, int index, char name[64]);

/* "" if the attribute has not the length of an address of this family. */
void rtnl_address_text(uint8_t family, const struct nlattr *a, char text[64]);

/* A change that the kernel told: writes the event, and brings the own table up to date. */
void rtnl_neighbor_changed(struct host *h, const struct nlmsghdr *nlh);
void rtnl_link_changed(struct host *h, const struct nlmsghdr *nlh);
void rtnl_address_changed(struct host *h, const struct nlmsghdr *nlh);
