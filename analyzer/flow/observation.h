/* observation: a decoded frame on its way into the notes and flows of its vantage point. */
#pragma once

#include "flow/vantage.h"
#include "read/capfile.h"

struct observation {
	struct vantage *vantage;
	const struct frame *frame;
	const struct packet *packet;
	const struct flow_lookup *lookup; /* for a packet of a flow */
	uint32_t ordinal;		  /* the frame's, in its host */
	uint16_t src_mac, dst_mac;	  /* indexes */
};
