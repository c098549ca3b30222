/* iplink: counters of interfaces as `ip -s link` (also -s -s, -j) and `ethtool -S` print them. */
#pragma once

#include "hostfile/recognise.h"

bool iplink_recognise(const struct hostfile_head *head);
void iplink_parse(struct reader *r, struct collection *c);

bool iplink_json_recognise(const struct hostfile_head *head);
void iplink_json_parse(struct reader *r, struct collection *c);

bool iplink_ethtool_recognise(const struct hostfile_head *head);
void iplink_ethtool_parse(struct reader *r, struct collection *c);
