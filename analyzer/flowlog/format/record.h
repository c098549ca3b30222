/*
 * record: one record of a cloud's flow log in the one shape that all formats are read into, and
 * where readers hand it on. Texts are not NUL-terminated and valid during the call only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

#define FLOWLOG_NONE INT64_MIN /* a number the record does not have; never 0 */

struct flowlog_text {
	const char *at;
	size_t length; /* 0: the record does not have it */
};

/* An address: its canonical text, and its 16 bytes (IPv4 as ::ffff:a.b.c.d). */
struct flowlog_ip {
	struct flowlog_text text;
	uint8_t bytes[16];
};

enum flowlog_action { FLOWLOG_ACTION_NONE, FLOWLOG_ACCEPT, FLOWLOG_REJECT };
enum flowlog_status { FLOWLOG_STATUS_NONE, FLOWLOG_OK, FLOWLOG_NODATA, FLOWLOG_SKIPDATA };
enum flowlog_direction { FLOWLOG_DIRECTION_NONE, FLOWLOG_INGRESS, FLOWLOG_EGRESS };

/* Why a transit gateway dropped packets. */
enum flowlog_drop {
	FLOWLOG_NO_ROUTE,
	FLOWLOG_BLACKHOLE,
	FLOWLOG_MTU_EXCEEDED,
	FLOWLOG_TTL_EXPIRED,
	FLOWLOG_DROPS
};

/* Packets that a transit gateway dropped, by why. */
struct flowlog_dropped {
	bool recorded;
	int64_t packets[FLOWLOG_DROPS];
};

struct flowlog_record {
	uint64_t line; /* from 1; the record's number where the format has no lines */
	struct flowlog_text account;
	struct flowlog_text interface; /* ENI, attachment, NIC MAC or reporting instance */
	struct flowlog_ip src, dst;
	struct flowlog_ip pkt_src, pkt_dst; /* where they differ from src and dst; else no text */
	int32_t src_port, dst_port;	    /* -1: none */
	int32_t protocol;		    /* IANA number; -1: none */
	int32_t tcp_flags;		    /* -1: not recorded */
	int64_t packets, bytes, start_ns, end_ns; /* FLOWLOG_NONE: none */
	enum flowlog_action action;
	enum flowlog_status status;
	enum flowlog_direction direction;
	bool sampled;  /* absence proves nothing */
	bool transit;  /* the interface forwards for others */
	bool begins;   /* a flow's first record that has no counts by design (Azure B) */
	bool oriented; /* the cloud says who the client is: from_server tells */
	bool from_server;
	struct flowlog_dropped dropped;
	struct flowlog_text detail; /* JSON object of the other columns */
};

/* What became of a line or record; names in flowlog_disposition_name(). */
enum flowlog_disposition {
	FLOWLOG_LINE_RECORD,
	FLOWLOG_LINE_NODATA,
	FLOWLOG_LINE_SKIPDATA,
	FLOWLOG_LINE_HEADER,
	FLOWLOG_LINE_BLANK,
	FLOWLOG_LINE_MALFORMED,
	FLOWLOG_LINE_DUPLICATE, /* of a file that was read before, or an entry delivered twice */
	FLOWLOG_LINE_CONTROL,	/* control messages of the log's transport */
	FLOWLOG_LINE_OTHER,	/* well-formed, but not a flow record */
	FLOWLOG_LINE_LATE, /* of a time that was settled, in a database that keeps no records */
	FLOWLOG_DISPOSITIONS
};

const char *flowlog_disposition_name(enum flowlog_disposition disposition);

/* Where a reader hands things to. */
struct flowlog_sink {
	void *context;
	void (*record)(void *context, const struct flowlog_record *record);
	/* Something notable; line 0: of the whole file. reason is a sentence's middle, text its
	 * start. */
	void (*problem)(
		void *context, uint64_t line, const char *reason, const void *text, size_t n);
	uint64_t account[FLOWLOG_DISPOSITIONS];
};

static inline void flowlog_malformed(
	struct flowlog_sink *sink, uint64_t line, const char *reason, const void *text, size_t n)
{
	sink->account[FLOWLOG_LINE_MALFORMED]++;
	sink->problem(sink->context, line, reason, text, n);
}
