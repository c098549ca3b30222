/*
 * nearness: which of two vantage points is nearer to an end, by the packets that both hold. Two
 * things hold whatever the clocks: no packet arrives before it was sent, and loss only shrinks.
 * Nothing else is taken for evidence.
 */
#pragma once

#include "join/flow.h"

/* Of one flow, by the stamps of what both places hold. */
struct stamp_order {
	int nearer; /* to the client: -1 a, 1 b, 0 unknown */
	int likely; /* the same by differences that may be the stamps' own, where many agree: better
		       than no order, and no evidence */
	bool same, apart; /* all differ by one constant: one place; or not */
};

/*
 * The difference of both clocks is one value within so short a time; as client packets show it at
 * most, and server packets at least, only one order of the two leaves room for it (Moon, Skelly,
 * Towsley, INFOCOM 1999, used as a test).
 */
struct stamp_order nearness_by_delay(const struct member *a, const struct member *b);

/* How much more of a direction one place has than another: bytes of payload, for offloads merge
 * packets; of a direction without any, packets. As many bytes in fewer packets say nothing. */
int64_t nearness_surplus(const struct flow_side *x, const struct flow_side *y);

/* Votes of many flows about two vantage points. */
struct nearness {
	uint32_t nearer_a, nearer_b; /* flows whose delays say so */
	uint64_t only_a, only_b; /* bytes or packets in excess: to the end that b lacks, or from it
				    that a lacks (a and b exchanged for only_b) */
	uint32_t common;	 /* flows that both saw */
	uint32_t same, apart;	 /* of them, those whose stamps differ by one constant, and not */
};

/* Which of two vantage points is nearer to the address, by all flows with it. */
struct nearness nearness_to(const struct dataset *data, const struct flows *all, uint32_t a,
	uint32_t b, const uint8_t ip[16]);

/* -1: a is nearer, 1: b is, 0: they do not say, or contradict each other. */
int nearness_sign(const struct nearness *n);
