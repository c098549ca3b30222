/* own_mac: which MAC is the recording interface's own, by what one capture alone shows. */
#pragma once

#include "survey/claim.h"

/* Of the unicast frames of a capture, how many an own address may be missing from (stray floods).
 */
#define STRAY_SHARE 0.005

/*
 * An index, or MAC_NONE where nothing speaks for one MAC alone. Every unicast frame on a host's
 * interface carries the host's own address, unless it forwards or the port receives mirrored
 * traffic.
 */
uint16_t own_mac_find(const struct vantage *v, enum claim_evidence *ret_evidence);
