/*
 * totals: what the paths of each leg, direction and pair of addresses come to, so that judging need
 * not add up millions of rows. Of no use to who has very many pairs: then it gives up, and the
 * judge adds up.
 */
#pragma once

#include "base/tally.h"
#include "join/leg.h"
#include "store/db.h"

struct totals {
	struct tally pairs;
};

void totals_init(struct totals *t);
void totals_release(struct totals *t);

/* The addresses are those of the row in flow. */
void totals_add(struct totals *t, const uint8_t client[16], const uint8_t server[16], const struct path_counts *p);

/* Writes the rows unless there were too many pairs. */
void totals_store(const struct totals *t, struct db *db, const struct network *net);
