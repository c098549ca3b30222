/*
 * drops_event: what the BPF program (drops_bpf.c) hands to the agent (source_drops.c) through its
 * ring buffer. Compiled for both.
 */
#pragma once

#define DROPS_DATA                                                                                 \
	256 /* above what is kept from the network header on: headers, tunnels included */
#define DROPS_FUNCTION 64  /* its name, with the module's */
#define DROPS_REASONS 1024 /* reasons that the filter knows; those of subsystems lie far above */

enum drops_kind { DROPS_PACKET = 1, DROPS_NAME = 2 };

struct drops_packet {
	__u32 kind; /* DROPS_PACKET */
	__u32 reason;
	__u64 at_ns; /* CLOCK_MONOTONIC */
	__u64 function;
	__u32 netns;	/* inode of the network namespace; 0: not known */
	__u32 ifindex;	/* of the device that has it, else of the one that it came in by; 0: none */
	__u32 length;	/* of the packet from its network header on */
	__u32 kept;	/* bytes of data */
	__u16 protocol; /* EtherType, in network order as in skb->protocol */
	__u16 link_type; /* ARPHRD number */
	__u16 segments;	 /* of a merged packet; else 0 or 1 */
	__u16 family;	 /* of the socket that it was for, or from; 0: none known */
	__u16 socket;	 /* its SOCK_ type */
	__u8 received;	 /* it came in by an interface: not made by this host */
	__u8 type;	 /* PACKET_HOST, PACKET_OTHERHOST ... */
	__u8 has_source;
	__u8 source[6]; /* MAC */
	__u8 unused[5];
	char interface[16]; /* "": none */
	__u8 data[DROPS_DATA];
};

#define DROPS_HEAD (sizeof(struct drops_packet) - DROPS_DATA)

/* The name of a function, once, before its first packet. */
struct drops_name {
	__u32 kind; /* DROPS_NAME */
	__u32 unused;
	__u64 function;
	char name[DROPS_FUNCTION];
};
