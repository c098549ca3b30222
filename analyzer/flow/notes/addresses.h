/* addresses: the IP addresses of a vantage point: which MAC each sent from, and totals over all
 * flows of each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/hashset.h"
#include "flow/flowtab.h"
#include "flow/notes/macs.h"

/* Which flows count as evidence for an address. One-way flows may be frames that a switch flooded
 * to this port. */
enum address_view {
	VIEW_SENDER,   /* all two-way flows; of one-way flows only the sender
			*/
	VIEW_ANSWERED, /* those seen both ways */
	VIEW_ALL,
	ADDRESS_VIEWS
};

#define USE_NONE UINT32_MAX
#define SERVICE_NONE UINT32_MAX

/* An IP address that frames were from or to. */
struct address {
	uint16_t mac; /* index of the MAC that it last spoke from; MAC_NONE: it did not */
	/* By summary.c, of flows between unicast addresses, when reading is over: */
	bool sent_out; /* the capture says that it was sent from here, with a TTL that no router has
			  counted down */
	bool sent;     /* some flow holds packets of it */
	uint8_t ttl_max, ttl_max_answered; /* of the first segments that it sent; of answered flows;
					      0: none */
	uint32_t as_source,
		as_destination; /* rows of mac_notes.use that were counted in last; USE_NONE */
	uint32_t service; /* protocol and port of the one of it that was noted last; SERVICE_NONE */
	uint64_t frames[ADDRESS_VIEWS];
};

/* A service that flows went to; the key of services. */
struct service {
	uint8_t ip[16];
	uint16_t port;
	uint8_t protocol, unused[5];
};

/* Two addresses that exchanged packets, or of which one sent to the other; indexes in by_ip, the
 * smaller first. */
struct address_pair {
	uint32_t low, high;
};

struct address_notes {
	struct hashmap by_ip;	 /* 16 bytes -> struct address */
	struct hashset pairs;	 /* struct address_pair; by summary.c */
	struct hashset services; /* struct service */
	uint32_t binding_epoch;	 /* grows when a binding changes: runs of frames end there */
	bool wide;		 /* the vantage point recorded more than one kind of traffic */
	/* It shows no flow both ways, though some were: a capture of one direction (tcpdump -Q, a
	 * one-sided mirror). */
	bool one_way;
	bool protocols[256];	    /* IP protocols that it recorded */
	bool cut_protocols[2][256]; /* of IPv4, IPv6: its snap length cut their headers */
};

void addresses_init(struct address_notes *n);
void addresses_release(struct address_notes *n);

/* An address speaks from a MAC: a frame from it, or a claim. Either may be unknown (NULL,
 * MAC_NONE). */
void addresses_bind(struct address_notes *n, struct address *a, uint16_t mac);
void addresses_bind_ip(struct address_notes *n, const uint8_t ip[16], uint16_t mac);

/* Finds the addresses of a flow, which it keeps. */
void addresses_look_up(struct address_notes *n, struct flow_vantage *f);

/* Did this address send anything that the capture shows? After reading. */
bool addresses_is_sender(const struct address_notes *n, const uint8_t ip[16]);

/* Does the capture mark any address as sending from here? After reading. */
bool addresses_any_sent_out(const struct address_notes *n);

/* Do flows between these two addresses stand in the capture? After reading. */
bool addresses_are_pair(const struct address_notes *n, const uint8_t a[16], const uint8_t b[16]);

/* A or B of a flow whose addresses were found; NULL: the table is full. Valid until another address
 * is found. */
static inline struct address *addresses_of(
	const struct address_notes *n, const struct flow_vantage *f, bool b)
{
	return f->address[b] == ADDRESS_NONE ? NULL : hashmap_value(&n->by_ip, f->address[b]);
}

static inline uint16_t addresses_binding(
	const struct address_notes *n, const struct flow_vantage *f, bool b)
{
	const struct address *a = addresses_of(n, f, b);

	return a ? a->mac : MAC_NONE;
}
