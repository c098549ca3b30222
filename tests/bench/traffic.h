/*
 * traffic: TCP connections between two hosts over a link that loses packets, simulated event by
 * event, and what each host's capture shows of them. Deterministic for its parameters.
 *
 * The TCP: handshake with MSS, SACK-permitted, timestamps and window scale; requests and responses;
 * delayed ACKs; SACK and D-SACK (RFC 2018, 2883); fast retransmit with NewReno recovery (RFC 6582);
 * retransmission timeouts with backoff; orderly close. Each message is cut at the same places when
 * it is sent again.
 */
#pragma once

#include <stdint.h>

struct capture;

struct traffic_parameters {
	uint64_t packets; /* wanted in the client's capture; met within some per cent */
	uint32_t connections;
	uint32_t concurrent;
	double loss;	     /* probability for each packet, both ways */
	int64_t delay_ns[2]; /* least one-way delay: to the client, to the server */
	int64_t start_ns;    /* on the client's clock */
	int64_t offset_ns;   /* the server's clock minus the client's, at the start */
	double drift_ppm;    /* of the server's clock against the client's */
	uint64_t seed;
};

/* What truly happened, [0] to the client, [1] to the server. */
struct traffic_truth {
	uint64_t sent[2], sent_bytes[2];
	uint64_t lost[2], lost_bytes[2];
	uint64_t lost_syn[2], lost_data[2], lost_ack[2], lost_fin[2];
	uint64_t retransmitted[2]; /* with a payload */
	uint64_t connections;
	int64_t duration_ns;
};

void traffic_run(const struct traffic_parameters *p, struct capture *client, struct capture *server,
	struct traffic_truth *ret_truth);
