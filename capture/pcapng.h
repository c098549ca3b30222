/* pcapng: the blocks of the agent's capture files. It builds bytes and writes nothing. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "comments.h"
#include "payload_hash.h"
#include "base/pcapng_write.h"
#include "base/strbuf.h"

#define LINKTYPE_ETHERNET 1
#define LINKTYPE_NFLOG 239

/* epb_flags, bits 0 and 1 */
#define PCAPNG_INBOUND 1U
#define PCAPNG_OUTBOUND 2U

struct pcapng_section {
	const char *hardware, *os, *application; /* NULL: left out */
	const struct comments *comments;	 /* NULL: none */
};

struct pcapng_interface {
	uint16_t link_type;
	uint32_t snaplen;
	const char *name, *description, *filter, *hardware; /* NULL: left out */
	const uint8_t *mac;				    /* 6 bytes; NULL: left out */
	const char *addresses; /* "10.0.1.20/24 fe80::1/64"; NULL: none */
	uint64_t speed_bits;   /* 0: unknown */
};

/* All counters are since the start of the file. */
struct pcapng_statistics {
	uint32_t interface;
	int64_t at_ns, start_ns;
	int64_t end_ns; /* 0: the capture continues */
	uint64_t received, dropped_kernel, delivered;
	uint64_t dropped_interface;
	bool has_dropped_interface;
	const struct comments *comments; /* NULL: none */
};

/* One packet as a source delivers it; data is borrowed. */
struct record {
	int64_t time_ns;
	const uint8_t *data;
	uint32_t cap_len, wire_len;
	uint32_t flags;	     /* PCAPNG_INBOUND, PCAPNG_OUTBOUND; 0: unknown */
	const char *comment; /* of comment_length bytes; NULL: none */
	uint32_t comment_length;
	const struct payload_hash *hash; /* of the payload that was cut; NULL: none */
};

void pcapng_add_section(struct strbuf *out, const struct pcapng_section *s);
void pcapng_add_interface(struct strbuf *out, const struct pcapng_interface *i);
void pcapng_add_statistics(struct strbuf *out, const struct pcapng_statistics *s);

#define PCAPNG_PACKET_EXTRA 116U /* upper bound of a packet block's size beyond data and comment   \
				  */

/*
 * Writes a packet block at p, which has room for cap_len + comment_length + PCAPNG_PACKET_EXTRA
 * bytes. dropped: packets of this interface lost since the one before. Returns the block's length.
 */
uint32_t pcapng_put_packet(
	uint8_t *p, uint32_t interface, const struct record *r, uint64_t dropped);
