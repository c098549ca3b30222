/* ethtool: what ethtool -i, -k and -g print. The interface of -i is in the file's name only. */
#pragma once

#include "hostfile/recognise.h"

bool ethtool_driver_recognise(const struct hostfile_head *head);
void ethtool_driver_parse(struct reader *r, struct collection *c);

bool ethtool_features_recognise(const struct hostfile_head *head);
void ethtool_features_parse(struct reader *r, struct collection *c);

bool ethtool_rings_recognise(const struct hostfile_head *head);
void ethtool_rings_parse(struct reader *r, struct collection *c);
