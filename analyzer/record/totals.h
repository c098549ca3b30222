/*
 * totals: sums of path by vantage points, direction and pair of addresses, so that rules need not
 * add up millions of rows. With very many pairs it gives up, and the judge adds up
 * (schema/totals.sql, which defines the sums).
 */
#pragma once

#include "base/hashmap.h"
#include "join/path.h"
#include "store/db.h"

struct totals {
	struct hashmap pairs;  /* path_total, both directions */
	struct hashmap ports;  /* loss_total.port_syn_sent, both directions */
	struct hashmap losses; /* loss_total */
};

/* Of the flow that a path belongs to. */
struct totals_flow {
	const uint8_t *client, *server; /* addresses of its row in flow */
	int64_t first_ns, last_ns;	/* reference clock */
	bool tcp;
	/* Of paths that lost something: */
	const uint8_t *src, *dst; /* addresses of this direction where it was sent */
	uint16_t server_port;	  /* as seen there */
	bool broken;		  /* it stayed unanswered or half open */
};

void totals_init(struct totals *t);
void totals_release(struct totals *t);

void totals_add(struct totals *t, const struct totals_flow *f, const struct path_counts *p);

/* The SYNs of a path. server_port: as seen where they were sent. */
void totals_add_syns(struct totals *t, const struct totals_flow *f, const struct path_counts *p,
	uint16_t server_port);

/* What a path lost; small, for many may have to wait for what becomes of their doubtful events. */
struct totals_loss {
	uint32_t from, to;		 /* vantage indexes */
	uint32_t segments, syn_segments; /* lost or misaddressed; of them SYN */
	uint64_t bytes;
	int32_t smallest; /* -1: none */
	uint8_t direction;
	bool estimated;
};

struct totals_loss totals_loss_of(const struct path_counts *p);

/* A path that lost something, of a flow that was paired with certainty. */
void totals_add_loss(struct totals *t, const struct totals_flow *f, const struct totals_loss *l);

/* Segments that totals_add() took for lost are unjudged; syn of them are SYN. */
void totals_unjudge(struct totals *t, const struct totals_flow *f, const struct totals_loss *l,
	uint32_t segments, uint32_t syn);

/* Writes the rows unless there were too many pairs. */
void totals_store(const struct totals *t, struct db *db, const struct dataset *data);
