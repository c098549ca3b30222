/*
 * ipconf: addresses, links, routes and neighbours as ip prints them (ip addr, ip -o addr, ip link,
 * ip route, ip rule, ip neigh), and as arp -an and /proc/net/arp show neighbours.
 */
#pragma once

#include "hostfile/recognise.h"

bool ipconf_links_recognise(const struct hostfile_head *head);
void ipconf_links_parse(struct reader *r, struct collection *c);

bool ipconf_routes_recognise(const struct hostfile_head *head);
void ipconf_routes_parse(struct reader *r, struct collection *c);

bool ipconf_rules_recognise(const struct hostfile_head *head);
void ipconf_rules_parse(struct reader *r, struct collection *c);

bool ipconf_neighbors_recognise(const struct hostfile_head *head);
void ipconf_neighbors_parse(struct reader *r, struct collection *c);

bool ipconf_arp_recognise(const struct hostfile_head *head);
void ipconf_arp_parse(struct reader *r, struct collection *c);
