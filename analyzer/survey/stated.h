/*
 * stated: what the user says of a host: an address or MAC is its own (--host). It holds without
 * evidence, and is checked against the packets: what proves it wrong rules it out, what speaks
 * against it is reported.
 */
#pragma once

#include "base/error.h"
#include "survey/claim.h"

struct stated_host {
	const char *name;
	bool has_ip, has_mac; /* one of both */
	uint8_t ip[16], mac[6];
};

/* False: the text is neither an address nor a MAC. */
bool stated_parse(const char *text, struct stated_host *ret);

/*
 * Gives the hosts what is theirs, before their captures are read. Negative with err set: a host
 * that no capture is of, or one address at two hosts.
 */
int stated_take(struct dataset *data, const struct stated_host *list, int count, struct error *err);

/* The MAC among a vantage point's that was stated to be its host's and that sends there; MAC_NONE:
 * none, or several. */
uint16_t stated_mac(const struct dataset *data, const struct vantage *v);

/*
 * Looks for what contradicts the stated claims: what another capture recorded, packets that the
 * host's own captures mark as arriving, or that a router counted down, and that none is there.
 */
void stated_check(const struct dataset *data, struct claims *c);
