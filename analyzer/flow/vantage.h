/* vantage: hosts, captures and vantage points: the facts that reading found, and apart from them
 * what the join infers. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flow/arena.h"
#include "flow/fileindex.h"
#include "flow/flowtab.h"
#include "flow/notes/activity.h"
#include "flow/notes/addresses.h"
#include "flow/notes/icmps.h"
#include "flow/notes/kernel_drops.h"
#include "flow/notes/macs.h"
#include "flow/notes/neighbors.h"
#include "flow/notes/netfilter.h"
#include "flow/notes/spans.h"
#include "flow/notes/vrrps.h"
#include "flow/steady.h"
#include "read/capfile.h"

/* KERNEL: no place that packets pass, but what the host's kernel says of those that it dropped. */
enum vantage_kind { VANTAGE_NIC, VANTAGE_NETFILTER, VANTAGE_KERNEL };

/* When a vantage point's captures ran. */
struct vantage_span {
	int64_t first_ns,
		last_ns; /* of its frames within --from and --to; first_ns > last_ns: none */
	int64_t start_ns, end_ns; /* capture running, as recorded; INT64_MIN: not said */
	int64_t tick_ns; /* resolution of its time stamps: 1 once any is finer than a microsecond */
};

struct vantage_counts {
	uint64_t frames, duplicates, duplicate_segments;
	uint64_t pairs; /* packets recorded a second time, equal in all; not of datagrams without ID
			 */
	uint64_t non_ip_frames;
	uint64_t ip_frames; /* unicast IPv4 and IPv6 frames */
	/* Frames of flows between unicast addresses; of those of them that are seen both ways. By
	 * summary.c. */
	uint64_t unicast_frames, answered_frames;
};

/* Spans of which a capture lacks frames, as it says or as its files show. */
struct vantage_unrecorded {
	struct span_list drops; /* the capture says that it lost frames then; or we had no room */
	struct capture_span no_room; /* frames of flows that the table had no room for */
	struct span_list gaps; /* between two of its files: no record that a capture was running */
};

/* Inferred from all captures together; written by join/owner.c alone. */
struct vantage_inferred {
	uint16_t own_mac;  /* index; the recorded one where there is one; MAC_NONE: unknown */
	bool mac_is_given; /* recorded, or stated by the user */
	/* Stamps of the files that show own_mac: others may be of another interface. */
	int64_t mac_from_ns, mac_to_ns;
	bool sees_its_own;   /* most of its unicast frames are from or to that MAC */
	bool *own_addresses; /* by index in addresses.by_ip: its host's; NULL: not inferred yet */
	bool *speaking_macs; /* by index: IP packets came from it; NULL: not inferred yet */
};

struct vantage {
	/* Identity, as recorded. */
	uint32_t id;   /* from 1, in the database */
	uint32_t host; /* index */
	enum vantage_kind kind;
	char *name;	 /* for reports */
	char *interface; /* NULL: not recorded */
	char *part;	 /* which of several in one interface of a file it is ("if2", "vni11",
			    "session3"); NULL: all      of it */
	uint32_t link_type;
	char *filter;	       /* capture filter as recorded; NULL: not said */
	uint16_t recorded_mac; /* index; MAC_NONE: not recorded */
	bool foreign_seen;     /* link layer says: frames for other hosts */
	/* What it saw: flows, and notes of everything beside them. */
	struct flowtab flows;
	struct recent_packets *recent; /* while it is read: copies.h */
	struct mac_notes macs;
	struct address_notes addresses;
	struct activity_notes activity;
	struct neighbor_notes neighbors;
	struct vrrp_notes vrrps;
	struct icmp_notes icmps;
	struct netfilter_notes netfilter;
	struct kernel_drops kernel_drops;
	struct vantage_unrecorded unrecorded;
	struct vantage_span span;
	struct steady steady; /* its time without turns back */
	struct vantage_counts counts;
	struct vantage_inferred inferred;
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
	int64_t order_ns;     /* time of its first frame, for sorting; INT64_MAX: no frame */
	struct capfile *open; /* kept from planning where it cannot be opened again (a pipe) */
	struct capture_account {
		uint64_t frames, bytes;
	} account[32]; /* enum capture_disposition */
	struct capture_interface_row {
		uint32_t interface; /* index in the file; of several vantage points a row each */
		uint32_t vantage;   /* index */
		char *name, *filter;
		uint32_t link_type, snaplen;
		int64_t dropped_kernel, dropped_interface; /* -1: unknown */
	} * interfaces;
	uint32_t interface_count, interface_cap;
};

/* Beyond enum packet_disposition, whose values come first. */
enum capture_disposition {
	CAPTURE_JOINED = PACKET_DISPOSITIONS,
	CAPTURE_ONE_SIDED,
	CAPTURE_DUPLICATE,
	CAPTURE_FILTERED,
	CAPTURE_OUTSIDE_TIME,
	CAPTURE_TABLE_FULL,
	CAPTURE_KERNEL_DROP,
	CAPTURE_DISPOSITIONS
};
_Static_assert(CAPTURE_DISPOSITIONS <= 32, "capture.account");

const char *capture_disposition_name(int d);

/* nic, netfilter or kernel. */
const char *vantage_kind_name(enum vantage_kind k);

struct host_address {
	uint8_t ip[16];
	bool has_ip, has_mac;
	uint8_t mac[6];
	uint8_t prefix; /* 255: unknown */
	char *interface;
	const char *source; /* capture, agent, inferred, option */
};

struct filter;
struct filter_program;

/* What the user says that a host's captures could record (--scope). */
struct host_scope {
	struct filter *filter;
	char *expression;
	const struct filter_program *packets; /* for IP packets; NULL: it says nothing of them */
	/* Frames of its captures that it would have left out: then it is wrong. */
	uint64_t outside;
	uint32_t first_outside; /* ordinal */
};

struct host_fact_row {
	int64_t at_ns; /* INT64_MIN: not said */
	char *key, *value;
};

struct host {
	uint32_t id; /* from 1, in the database */
	char *name;
	struct host_scope *scope; /* NULL: nothing was said */
	struct arena arena;
	struct fileindex frames;
	struct hashmap macs; /* of its vantage points: macs_table_init() */
	uint32_t flow_room;  /* flows that may still come */
	uint32_t *captures;  /* indexes, in time order */
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
	} * file_frames;
	uint32_t file_frames_count, file_frames_cap;
};

/* The MAC behind an index, or NULL for MAC_NONE. */
static inline const uint8_t *vantage_mac(const struct vantage *v, uint16_t mac)
{
	return mac == MAC_NONE ? NULL : hashmap_key(v->macs.table, mac);
}

/* macs, flow_room: what its host's vantage points share. */
void vantage_init(
	struct vantage *v, struct arena *arena, struct hashmap *macs, uint32_t *flow_room);
void vantage_release(struct vantage *v);
