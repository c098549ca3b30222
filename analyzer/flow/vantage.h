/* vantage: all that one run knows about its hosts, captures and vantage points before the join. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cursor.h"
#include "base/hashmap.h"
#include "decode/arp.h"
#include "decode/vrrp.h"
#include "flow/arena.h"
#include "flow/fileindex.h"
#include "flow/flowtab.h"
#include "read/capfile.h"

#define MAC_PAIRS 64
#define MAC_NONE UINT16_MAX /* no MAC in this link type, or the table is full */

enum vantage_kind { VANTAGE_NIC, VANTAGE_NETFILTER };

/* One second in which something passed. */
struct activity {
	int64_t second_ns;
	uint32_t rx_frames, tx_frames;
	uint64_t rx_bytes, tx_bytes;
};

/* What one MAC sent in one second, where the capture does not tell directions. */
struct mac_second {
	int64_t second_ns;
	uint64_t bytes;
	uint32_t frames;
	uint16_t mac;
};

struct neighbor_row {
	int64_t at_ns;
	uint32_t frame; /* ordinal */
	uint16_t ethernet_src, ethernet_dst; /* MAC indexes */
	/* ARP: below the least length on a wire, so it came from none; padded to it. Neither: longer by nature. */
	bool is_short, is_padded;
	struct neighbor_message message;
};

struct vrrp_row {
	int64_t at_ns;
	uint32_t frame;
	uint16_t src_mac;
	int32_t vlan; /* -1: untagged */
	uint16_t ip_id;
	uint8_t ttl, direction;
	uint8_t src[16], dst[16];
	struct vrrp_message message;
};

struct icmp_row {
	int64_t at_ns;
	uint32_t frame;
	uint8_t version, type, code;
	uint32_t rest;
	uint8_t src[16], dst[16];
	bool has_quote;
	struct packet_quote quote;
};

struct mac_use_key {
	uint8_t ip[16];
	uint16_t mac;
	uint16_t from_mac; /* destination: the frames' source MAC */
	uint16_t binding;  /* destination: the MAC the address had last spoken from; MAC_NONE */
	uint8_t role;	   /* 0 source, 1 destination */
	uint8_t unused;
};

struct mac_use {
	uint64_t frames;
	int64_t first_ns, last_ns;
	uint32_t first_frame;
	uint8_t ttl_max;
};

/* Which flows speak for an address: those seen one way only may have been flooded to this place. */
enum address_view {
	VIEW_SENDER,   /* all; of one-way flows only the sender: its own packets that nobody answered */
	VIEW_ANSWERED, /* those seen both ways */
	VIEW_ALL,
	ADDRESS_VIEWS
};

/* An IP address that frames were from or to. */
struct address {
	uint16_t mac; /* index of the MAC that it last spoke from; MAC_NONE: it did not */
	/* By summary.c, of flows between unicast addresses: */
	bool sent_out; /* the capture says that it was sent from here, with a TTL that no router has counted down */
	bool own;      /* its host's; after owners_infer() */
	uint8_t ttl_max, ttl_max_answered; /* of the first segments that it sent; of answered flows; 0: none */
	uint32_t as_source, as_destination; /* rows of mac_use that were counted in last, + 1 */
	uint32_t service; /* protocol and port of the one of it that was noted last, + 1; 0: none */
	uint64_t frames[ADDRESS_VIEWS];
};

/* A service that flows went to; the key of services. */
struct service {
	uint8_t ip[16];
	uint16_t port;
	uint8_t protocol, unused[5];
};

struct netfilter_key {
	uint32_t flow; /* index, FLOW_NONE: not part of one */
	uint8_t from_b, hook;
	char prefix[66];
};

struct netfilter_use {
	uint64_t packets;
	int64_t first_ns, last_ns;
	uint32_t first_frame;
};

/* A span in which the capture says that it lost frames. */
struct drop_span {
	int64_t from_ns, to_ns;
	uint64_t frames;
	const char *source;
};

struct vantage {
	uint32_t id;	   /* from 1, in the database */
	uint32_t host;	   /* index */
	enum vantage_kind kind;
	char *name;	   /* for reports */
	char *interface;   /* NULL: not recorded */
	uint32_t link_type;
	char *filter;	   /* capture filter as recorded; NULL: not said */
	struct flowtab flows;
	struct hashmap macs; /* 6 bytes -> nothing; the index is the segment's MAC index */
	/* The pairs of MACs looked up last, by their low bits: most captures hold a handful. */
	struct mac_pair {
		uint64_t dst; /* 48 bits, and one that says that the place is taken */
		uint64_t src;
		/* In the second of now, where the capture tells no direction; observe.c takes them into activity. */
		uint64_t bytes;
		uint32_t frames;
		uint16_t dst_index, src_index;
	} mac_pairs[MAC_PAIRS];
	struct hashmap mac_use, netfilter;
	struct hashmap addresses;	 /* 16 bytes -> struct address */
	struct hashmap services;	 /* struct service -> nothing */
	bool wide;		 /* it recorded more than one kind of traffic */
	uint32_t binding_epoch;	 /* grows when a binding changes: runs of frames end there */
	struct activity *activity;
	struct activity *now; /* the second of the newest frame; NULL: none yet */
	uint32_t activity_count, activity_cap;
	struct mac_second *mac_seconds;
	uint32_t mac_second_count, mac_second_cap;
	bool mac_second_cut; /* too many rows: nothing rests on them */
	struct neighbor_row *neighbors;
	uint32_t neighbor_count, neighbor_cap;
	struct vrrp_row *vrrps;
	uint32_t vrrp_count, vrrp_cap;
	struct icmp_row *icmps;
	uint32_t icmp_count, icmp_cap;
	uint64_t refused_rows; /* of the three lists above, beyond their limit */
	struct drop_span *drops;
	uint32_t drop_count, drop_cap;
	/* Spans between two of its files: nobody says that a capture ran then. */
	struct drop_span *gaps;
	uint32_t gap_count, gap_cap;
	int64_t first_ns, last_ns; /* of its frames within --from and --to; first_ns > last_ns: none */
	int64_t start_ns, end_ns;  /* capture running, as recorded; INT64_MIN: not said */
	uint64_t frames, duplicates, duplicate_segments;
	uint64_t backward_steps; /* frames more than 10 ms before the one read before them */
	uint64_t non_ip_frames;
	uint64_t ip_frames;	 /* unicast IPv4 and IPv6 frames */
	/* Frames of flows between unicast addresses; of those of them that are seen both ways. Counted after reading. */
	uint64_t unicast_frames, answered_frames;
	bool foreign_seen;	 /* link layer says: frames for other hosts */
	/* Recorded (interface options) or inferred after reading. */
	uint16_t own_mac;	 /* index; MAC_NONE: unknown */
	bool own_mac_recorded;
	bool sees_its_own;	 /* most of its unicast frames are from or to that MAC */
	int64_t tick_ns;	 /* resolution of its time stamps: 1 once any is finer than a microsecond */
};

/* One capture file and what became of its frames. */
struct capture {
	uint32_t id; /* from 1, in the database */
	uint32_t host;
	char *path;
	const char *format, *compression;
	uint32_t snaplen;
	uint64_t frames, bytes;
	int64_t first_ns, last_ns;
	int64_t dropped_kernel, dropped_interface; /* -1: unknown */
	char *damaged;
	uint64_t hash[2];
	char sha256[65];
	int64_t order_ns;      /* time of its first frame, for sorting; INT64_MAX: no frame */
	struct capfile *open;  /* kept from planning where it cannot be opened again (a pipe) */
	struct capture_account {
		uint64_t frames, bytes;
	} account[32]; /* enum capture_disposition */
	struct capture_interface_row {
		uint32_t vantage; /* index */
		char *name, *filter;
		uint32_t link_type, snaplen;
	} *interfaces;
	uint32_t interface_count;
};

/* Beyond enum packet_disposition, whose values come first. */
enum capture_disposition {
	CAPTURE_JOINED = PACKET_DISPOSITIONS,
	CAPTURE_ONE_SIDED,
	CAPTURE_DUPLICATE,
	CAPTURE_FILTERED,
	CAPTURE_OUTSIDE_TIME,
	CAPTURE_TABLE_FULL,
	CAPTURE_DISPOSITIONS
};
_Static_assert(CAPTURE_DISPOSITIONS <= 32, "capture.account");

const char *capture_disposition_name(int d);

struct host_address {
	uint8_t ip[16];
	bool has_ip, has_mac;
	uint8_t mac[6];
	uint8_t prefix; /* 255: unknown */
	char *interface;
	const char *source; /* capture, agent, inferred, option */
};

struct host_fact_row {
	int64_t at_ns; /* INT64_MIN: not said */
	char *key, *value;
};

struct host {
	uint32_t id; /* from 1, in the database */
	char *name;
	struct arena arena;
	struct fileindex frames;
	uint32_t *captures; /* indexes, in time order */
	uint32_t capture_count, capture_cap;
	uint32_t *vantages; /* indexes */
	uint32_t vantage_count, vantage_cap;
	struct host_address *addresses;
	uint32_t address_count, address_cap;
	struct host_fact_row *facts; /* from capture comments and options */
	uint32_t fact_count, fact_cap;
	/* A flow's frames in a file, where the flow goes on in the next file. */
	struct host_file_frames {
		uint32_t vantage, flow, capture, frames;
		uint64_t bytes;
	} *file_frames;
	uint32_t file_frames_count, file_frames_cap;
};

/* The MAC behind an index, or NULL for MAC_NONE. */
static inline const uint8_t *vantage_mac(const struct vantage *v, uint16_t mac)
{
	return mac == MAC_NONE ? NULL : hashmap_key(&v->macs, mac);
}

/* Index of a MAC; makes it when new. */
uint16_t vantage_mac_index(struct vantage *v, const uint8_t mac[6]);

void vantage_init(struct vantage *v, struct arena *arena, uint32_t flow_limit);
void vantage_release(struct vantage *v);
