/*
 * packet: the only entry point of decoding: link layer to transport, tunnels unwrapped, nothing
 * printed, nothing kept. Malformed bytes are data, not errors: the disposition says what they were.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"

struct frame;

/* What became of a frame in decoding; the text forms (packet_disposition_name) are public. */
enum packet_disposition {
	PACKET_TCP,
	PACKET_UDP,
	PACKET_ICMP, /* ICMP and ICMPv6 other than neighbour discovery */
	PACKET_ND,   /* ICMPv6 neighbour solicitation/advertisement, router ones too */
	PACKET_ARP,
	PACKET_VRRP,	 /* protocol 112 that is VRRP */
	PACKET_CARP,	 /* protocol 112 that is CARP */
	PACKET_IP_OTHER, /* another IP protocol, joined by header and payload hash */
	PACKET_FRAGMENT, /* an IP fragment: not the first, or too short for its transport header */
	PACKET_OTHER_ETHERTYPE,	 /* LLDP, STP, PPPoE ...: not IP, not ARP */
	PACKET_UNSUPPORTED_LINK, /* a link type that is not decoded (802.11 ...) */
	PACKET_TRUNCATED,	 /* the snap length cut a header that is needed */
	PACKET_MALFORMED,	 /* lengths or fields that contradict themselves */
	PACKET_DISPOSITIONS
};

const char *packet_disposition_name(
	enum packet_disposition d); /* "tcp", "nd", "other_ethertype", ... */

enum packet_direction { PACKET_UNKNOWN = 0, PACKET_IN = 1, PACKET_OUT = 2 };

enum packet_tunnel {
	TUNNEL_NONE = 0,
	TUNNEL_VXLAN,
	TUNNEL_GENEVE,
	TUNNEL_GRE,
	TUNNEL_IPIP,
	TUNNEL_ERSPAN,
	TUNNEL_GTPU,
	TUNNEL_TZSP
};

#define PACKET_SACK_MAX 4
#define PACKET_NO_HOOK 255
#define PACKET_NO_UID UINT32_MAX

/* A transport checksum over all that it covers; not checked where that was not captured whole. */
enum packet_checksum { CHECKSUM_UNKNOWN, CHECKSUM_RIGHT, CHECKSUM_WRONG };

/* bits of packet.tcp_options */
#define TCPOPT_HAS_MSS 0x01
#define TCPOPT_HAS_WSCALE 0x02
#define TCPOPT_HAS_SACK_PERMITTED 0x04
#define TCPOPT_HAS_TIMESTAMP 0x08
#define TCPOPT_HAS_SACK 0x10
#define TCPOPT_HAS_FAST_OPEN 0x20
#define TCPOPT_HAS_MPTCP 0x40
#define TCPOPT_TRUNCATED 0x80 /* the snap length cut the options: absence proves nothing */

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20
#define TCP_ECE 0x40
#define TCP_CWR 0x80

/* ARP, ND, VRRP, CARP: the message's bytes, for the decoders in arp.h and vrrp.h. */
struct packet_message {
	const uint8_t *at;
	uint32_t cap; /* captured */
	uint32_t len; /* on the wire, padding excluded; ARP: always captured whole */
};

/* The frame's link layer as captured. */
struct packet_link {
	uint8_t src_mac[6], dst_mac[6];
	bool has_src_mac, has_dst_mac; /* SLL has no destination */
	uint8_t direction;  /* enum packet_direction: SLL packet type, epb_flags, NFLOG hook */
	bool other_host;    /* not addressed to this host: SLL packet type 3, epb_flags */
	uint16_t ethertype; /* innermost after VLAN tags; 0 unknown */
	uint8_t vlan_count; /* tags seen */
	uint16_t vlan_id;   /* outermost tag's VLAN identifier */
	uint32_t ifindex;   /* SLL2, NFLOG in/out; 0 unknown */
};

/* NFLOG; hook is PACKET_NO_HOOK for other link types, the rest is then not set. */
struct packet_nflog {
	uint8_t hook; /* 0..4, or PACKET_NO_HOOK */
	bool has_seq;
	uint32_t mark;	 /* 0 where none */
	uint32_t uid;	 /* of the sending process; PACKET_NO_UID where none */
	uint32_t seq;	 /* per group; a gap is records that the kernel dropped */
	char prefix[65]; /* "" where none */
	int64_t time_ns; /* kernel time stamp; INT64_MIN: none */
};

/* The outermost tunnel, and how many there were. */
struct packet_outer {
	uint8_t tunnel;	    /* enum packet_tunnel */
	uint8_t depth;	    /* 0: none */
	uint8_t checksum;   /* enum packet_checksum: of its UDP header */
	uint32_t tunnel_id; /* VNI; GRE key, 0 where none (of NVGRE: VSID 24 bits, flow 8 bits) */
	uint8_t src[16], dst[16]; /* of the outermost IP header when depth > 0 */
};

struct packet_fragment {
	bool any; /* part of a fragmented datagram, or inside one; first ones are decoded further */
	bool more;
	uint16_t offset; /* bytes */
};

struct packet_tcp {
	uint32_t seq, ack;
	uint16_t window, urgent;
	uint8_t flags;	    /* TCP_ bits */
	uint8_t options;    /* TCPOPT_ bits */
	uint8_t wscale;	    /* shift as sent (may exceed 14) */
	uint8_t sack_count; /* blocks in sack[] */
	uint16_t mss;
	uint32_t tsval, tsecr;
	uint32_t sack[PACKET_SACK_MAX][2];
	/* of kinds and lengths in order (SYN fingerprint); 0 when truncated */
	uint32_t option_hash;
	bool options_bad; /* a length below two, beyond the header, or not its kind's */
};

/* ICMP and ICMPv6, ND too (without a quote). */
struct packet_icmp {
	uint8_t type, code;
	uint16_t checksum;
	/* second word of the header, host order: identifier/sequence, MTU ... */
	uint32_t rest;
	/*
	 * An ICMP error that quotes enough to name a flow: IP header, ports, and the sequence
	 * number of TCP. Ports are 0 where the protocol has none or a later fragment is quoted.
	 */
	bool has_quote;
	struct packet_quote {
		uint8_t version, protocol, ttl;
		uint8_t src[16], dst[16];
		uint16_t src_port, dst_port;
		uint16_t ip_id, total_len;
		uint32_t seq; /* TCP; 0 else */
	} quote;
};

/* clang-format off */
/*
 * One decoded packet. Only the fields that its disposition and flags speak of are set; the rest
 * keep what the last packet left there (the struct is reused; clearing it would cost more than
 * decoding):
 *
 *	always                        link, outer.depth, version, frag.any, checksum
 *	version 4 or 6                the other IP fields, also when the transport was truncated or
 *	                              malformed
 *	TCP, UDP, ICMP, ND, VRRP,     ports (0 where there are none) and payload
 *	CARP, IP_OTHER, FRAGMENT
 *	ARP, ND, VRRP, CARP           body
 *
 * With tunnels, addresses, IP fields and transport are the innermost packet's; the link part stays
 * that of the frame as captured, so that a MAC there belongs to outer.src and outer.dst. Where
 * nothing inside could be decoded (cut, malformed, another ethertype) the packet is the outer one.
 */
/* clang-format on */
struct packet {
	enum packet_disposition disposition;
	struct packet_link link;
	struct packet_nflog nflog;
	struct packet_outer outer;

	/* IP. IPv4 addresses are v4-mapped (::ffff:a.b.c.d), so that one key fits both. */
	uint8_t version; /* 4, 6, or 0 for no IP */
	uint8_t src[16], dst[16];
	uint8_t ttl, tos, protocol; /* protocol: the transport's, after extension headers */
	bool dont_fragment;	    /* IPv6: always */
	struct packet_fragment frag;
	uint32_t ip_id; /* 16 bits in IPv4; IPv6: fragment identification, else 0 */
	uint32_t flow_label;
	bool ip_checksum_bad; /* IPv4 header checksum wrong, and not 0 (left to the NIC) */

	/*
	 * Transport payload: length on the wire from the IP length, bytes as captured. Of a first
	 * fragment it is that fragment's part.
	 */
	uint32_t payload_len; /* TCP/UDP/ICMP data after the transport header; IP_OTHER: after IP */
	const uint8_t *payload;	     /* captured part; points into the frame */
	uint32_t payload_cap;	     /* captured bytes of it, <= payload_len (padding excluded) */
	uint16_t src_port, dst_port; /* TCP, UDP; ICMP echo: identifier in both; else 0 */
	uint8_t checksum; /* enum packet_checksum: of TCP (not of pure ACKs) and UDP; else unknown
			   */
	struct packet_tcp tcp;
	bool udp_length_bad; /* UDP: its length field contradicts the IP length */
	struct packet_icmp icmp;

	struct packet_message body;
};

/*
 * Decodes one frame of the given LINKTYPE. Never reads outside frame->data[0..cap_len). Returns
 * the disposition, which is in ret_packet too.
 */
enum packet_disposition packet_decode(
	const struct frame *frame, uint32_t link_type, struct packet *ret_packet);

/* The same without the short cut for the most common kind of frame: for tests, which compare the
 * two. */
enum packet_disposition packet_decode_in_steps(
	const struct frame *frame, uint32_t link_type, struct packet *ret_packet);
