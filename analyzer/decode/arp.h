/* arp: ARP over Ethernet (RFC 826) and neighbour discovery (RFC 4861), as one kind of message. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "decode/packet.h"

enum neighbor_operation {
	NEIGHBOR_REQUEST,      /* ARP request for another's address; neighbour solicitation */
	NEIGHBOR_REPLY,	       /* unicast reply; solicited advertisement */
	NEIGHBOR_PROBE,	       /* RFC 5227 probe (sender 0.0.0.0); ND duplicate address detection */
	NEIGHBOR_ANNOUNCEMENT, /* gratuitous: sender = target address; unsolicited advertisement */
};

struct neighbor_message {
	enum neighbor_operation operation;
	bool v6;
	bool has_sender_mac, has_target_mac;
	uint8_t sender_mac[6], target_mac[6];
	uint8_t sender_ip[16], target_ip[16]; /* v4-mapped; all zero: none */
	bool router, override;		      /* ND advertisement flags; ARP always overrides */
};

const char *neighbor_operation_name(enum neighbor_operation op); /* "request", "reply", ... */

/*
 * Decodes the message of a PACKET_ARP or PACKET_ND packet; false: not such a message (ARP for other
 * than Ethernet and IPv4, router discovery, redirects), one that hosts must ignore (ND with a hop
 * limit below 255), or cut short. sender_mac and sender_ip are what is claimed: in an advertisement
 * the target address, in a reply and an announcement the address that others shall use. In a
 * solicitation without the option, or from an unspecified address, has_sender_mac is false.
 */
bool neighbor_decode(const struct packet *p, struct neighbor_message *ret_message);
