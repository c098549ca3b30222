/*
 * two_hosts: captures that were given under one name and are of two hosts: each has a MAC of its
 * own, and received frames from the other's. No host sends frames to itself over a wire.
 */
#pragma once

#include "flow/dataset.h"

/* Vantage indexes of the first such two, and a frame of each that the other one sent (an ordinal).
 */
struct two_hosts {
	uint32_t vantage[2], frame[2];
};

bool two_hosts_find(const struct dataset *data, struct two_hosts *ret);
