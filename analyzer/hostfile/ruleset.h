/*
 * ruleset: the counters of firewall rules, from `nft list ruleset` and `iptables-save -c`. A rule
 * is known by its table, its chain and its text without the counters: those are the same in two
 * listings. Of equal rules in one chain the later ones get a number.
 */
#pragma once

#include "hostfile/recognise.h"

bool ruleset_nft_recognise(const struct hostfile_head *head);
void ruleset_nft_parse(struct reader *r, struct collection *c);

bool ruleset_iptables_recognise(const struct hostfile_head *head);
void ruleset_iptables_parse(struct reader *r, struct collection *c);
