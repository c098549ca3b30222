/*
 * synstamps: where SYNs stayed without an answer, whether their time stamps lie below that of the
 * last SYN from the same address which got one, and those of answered SYNs do not, for table
 * syn_timestamp. It reads the summaries of flows, never their packets.
 */
#pragma once

#include "store/db.h"
#include "flow/dataset.h"

void synstamps_store(struct db *db, const struct dataset *data);
