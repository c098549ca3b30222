/* change: what a middlebox altered in a segment that was delivered. */
#pragma once

#include "join/path.h"

#define CHANGE_TEXT_SIZE 40
/* The detail of what came under an address that translation should have changed. */
#define CHANGE_ADDRESS "address"

/*
 * Whether a delivered segment was changed on the path (not by NAT, routing or congestion marking),
 * and how; the first word of detail is the field: "mss 1460 -> 1380".
 */
bool change_found(const struct path *path, const struct transmission *sent,
	const struct transmission *received, char detail[CHANGE_TEXT_SIZE]);
