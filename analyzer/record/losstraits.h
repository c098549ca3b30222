/*
 * losstraits: on each way that lost anything, what died and what lived have in common, counted by
 * trait (trait.h) for table loss_trait. While flows are joined it keeps, in bounded memory, which
 * flows went which way and which of their packets died; when everything is settled it goes through
 * the packets of those ways once more. Of very many flows it takes a share, the same of what died
 * and of what lived. Where nothing was lost there is nothing to do.
 */
#pragma once

#include "join/join.h"
#include "store/db.h"

struct losstraits {
	const struct join *join;
	uint32_t mask;	  /* flows whose hash has any of these bits are left out */
	uint64_t packets; /* of the paths that are kept */
	struct losstraits_path {
		uint32_t flow, from, to; /* flow: index; the others of vantages */
		uint32_t sent;
		uint8_t direction;
	} * paths;
	uint32_t path_count, path_cap;
	/* Packets of which not all was delivered: the wire packets to add to each count. */
	struct losstraits_note {
		const struct segment *sent;
		uint32_t flow;
		uint16_t from, to;
		int32_t died, unjudged;
	} * notes;
	uint32_t note_count, note_cap;
};

void losstraits_init(struct losstraits *t, const struct join *j);
void losstraits_release(struct losstraits *t);

/* A path of a flow that was paired with certainty, and an event of it. */
void losstraits_add_path(struct losstraits *t, uint32_t flow, const struct path_counts *p);
void losstraits_add_event(struct losstraits *t, uint32_t flow, const struct event *e);

/* Of what was taken for lost some wire packets are unjudged. */
void losstraits_unjudge(struct losstraits *t, uint32_t flow, uint32_t from, uint32_t to,
	const struct segment *sent, uint32_t segments);

/* Counts, and writes the rows. */
void losstraits_store(const struct losstraits *t, struct db *db);
