/* owner: whose addresses are whose: recorded by the captures, else inferred from their frames. */
#pragma once

#include "join/flow.h"
#include "survey/claim.h"

#define OWNER_NONE UINT32_MAX

/* Address to host, for all hosts of a run. */
struct owners {
	/* 16 bytes -> uint32_t host index, OWNER_NONE where two hosts claim it */
	struct hashmap by_ip;
	/* How each is known; also what was ruled out, and what is open. */
	struct claims claims;
};

/*
 * Completes the hosts' addresses and the vantage points' own MACs from what was captured, and
 * indexes them. If two candidates remain (a capture of one flow), an address that another host owns
 * is excluded. What stays ambiguous is not inferred. *ret is zeroed before.
 */
void owners_infer(struct dataset *data, const struct flows *flows, struct owners *ret);
void owners_release(struct owners *o);

/* The host that owns an address, or OWNER_NONE. */
uint32_t owner_of(const struct owners *o, const uint8_t ip[16]);
