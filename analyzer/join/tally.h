/* tally: of each two places that stand next to each other on the way of conversations, which is
 * nearer to the client, and by what evidence. */
#pragma once

#include "base/hashmap.h"
#include "join/flow.h"

struct order_key {
	uint32_t nearer, farther; /* vantage indexes, from the client's side */
	uint32_t evidence;	  /* enum order_evidence */
	uint32_t unused;
};

struct order_row {
	struct order_key key;
	uint64_t flows;
};

/* One thread's; conversations in a row mostly have the same places. */
struct tally {
	struct hashmap counts; /* struct order_key -> uint64_t */
	struct order_row run;
};

void tally_init(struct tally *t);
void tally_release(struct tally *t);

/* Counts m and the next member of its flow. */
void tally_add(struct tally *t, const struct flows *all, const struct member *m);

/* Rows of all threads, sorted; the caller frees them. The tallies are read to their end. */
struct order_row *tally_rows(struct tally *list, unsigned threads, uint32_t *ret_count);

const char *order_evidence_name(enum order_evidence e);
