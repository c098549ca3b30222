/*
 * source: a source of packets: a network interface (libpcap), a netfilter log group
 * (libnetfilter_log) or the kernel's drops (BPF, source_drops.h). Opened with privileges, read
 * without.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "pcapng.h"

struct source;

/* Receives one packet; its data is valid only during the call. */
typedef void (*source_sink)(void *arg, struct source *s, const struct record *r);

struct source_settings {
	uint32_t snaplen;
	bool promiscuous, payload;
	bool hashes; /* of payload that is cut */
	struct payload_key key;
	uint64_t buffer_bytes;
	const char *filter; /* NULL: none */
};

enum source_kind { SOURCE_NIC, SOURCE_NETFILTER, SOURCE_KERNEL };

enum source_state { SOURCE_OPEN, SOURCE_DOWN, SOURCE_GONE };

struct source_ops {
	/* Reads the packets available, about max of them. 0, or SOURCE_ENDED. */
	int (*dispatch)(struct source *s, int max);
	/* Updates dropped_kernel, dropped_interface and offered. */
	void (*stats)(struct source *s);
	void (*close)(struct source *s);
};

enum source_result {
	SOURCE_ENDED = 1, /* dispatch: no more packets will come; s->state and s->note say why */
};

/* What the recorder did with a source's packets. */
struct source_recorded {
	uint64_t written, dropped_own, bytes;
	uint64_t buffered;	    /* of written: not in the file yet */
	uint64_t lost_since_packet; /* drop count for the next packet block */
	struct source_mark {
		uint64_t written, dropped_kernel, dropped_own, dropped_interface;
	} at_file_start, at_last_report;
	uint64_t no_buffer_reported;
	int64_t reported_ns;
	bool told_gone;
};

struct source {
	const struct source_ops *ops;
	void *impl;
	source_sink sink;
	void *sink_arg;
	struct source_settings settings;
	char name[64];	/* if_name: "eth0", "nflog:5", "kernel:drops" */
	uint32_t index; /* interface number in the file */
	uint16_t link_type;
	enum source_kind kind;
	int fd; /* becomes readable; -1: closed */
	enum source_state state;
	char note[256]; /* one line: why the state changed last */

	/* Counters since the source was opened. */
	uint64_t offered; /* packets offered by the kernel, including drops; 0: unknown */
	uint64_t taken;	  /* passed to the sink */
	uint64_t dropped_kernel;
	uint64_t dropped_interface;
	bool has_dropped_interface;
	bool counts_exactly;  /* offered = taken + dropped_kernel once the ring is empty */
	uint64_t read_stamps; /* records without a kernel timestamp, stamped when read */
	uint64_t no_buffer;   /* ENOBUFS: how often the kernel reported losses without a number */
	struct source_recorded recorded;
};

/* Open a source; the caller closes it. */
int source_open_pcap(struct source *s, const char *interface,
	const struct source_settings *settings, struct error *err);
int source_open_nflog(struct source *s, uint16_t group, const struct source_settings *settings,
	struct error *err);

void source_close(struct source *s);

/* Cuts a record of the source's link type to what its settings keep, at most limit bytes. A hash of
 * the payload that is cut goes to *hash, and into the record. */
void source_cut(
	const struct source *s, uint32_t limit, struct record *r, struct payload_hash *hash);
