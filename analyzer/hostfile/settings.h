/*
 * settings: what was set: sysctl -a, and keepalived.conf (which router of which virtual address,
 * with what priority and interval).
 */
#pragma once

#include "hostfile/recognise.h"

bool settings_sysctl_recognise(const struct hostfile_head *head);
void settings_sysctl_parse(struct reader *r, struct collection *c);

bool settings_keepalived_recognise(const struct hostfile_head *head);
void settings_keepalived_parse(struct reader *r, struct collection *c);
