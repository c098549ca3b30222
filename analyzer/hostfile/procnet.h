/* procnet: counters as /proc and /sys show them: net/dev, snmp, netstat, snmp6, softnet_stat,
 * stat/, the statistics of interfaces; and nstat, which prints the same ones. */
#pragma once

#include "hostfile/recognise.h"

bool procnet_dev_recognise(const struct hostfile_head *head);
void procnet_dev_parse(struct reader *r, struct collection *c);

/* Two lines for each group, names and values: snmp and netstat. */
bool procnet_groups_recognise(const struct hostfile_head *head);
void procnet_groups_parse(struct reader *r, struct collection *c);

bool procnet_snmp6_recognise(const struct hostfile_head *head);
void procnet_snmp6_parse(struct reader *r, struct collection *c);

bool procnet_softnet_recognise(const struct hostfile_head *head);
void procnet_softnet_parse(struct reader *r, struct collection *c);

/* A line of names, and one of hexadecimal values for each CPU. */
bool procnet_stat_recognise(const struct hostfile_head *head);
void procnet_stat_parse(struct reader *r, struct collection *c);

/* PATH:VALUE */
bool procnet_sysfs_recognise(const struct hostfile_head *head);
void procnet_sysfs_parse(struct reader *r, struct collection *c);

/* With -a or -s known from its head alone: without -a it prints what was counted since its last
 * run. */
bool procnet_nstat_recognise(const struct hostfile_head *head);
void procnet_nstat_parse(struct reader *r, struct collection *c);

bool procnet_conntrack_recognise(const struct hostfile_head *head);
void procnet_conntrack_parse(struct reader *r, struct collection *c);
