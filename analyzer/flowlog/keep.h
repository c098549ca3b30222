/*
 * keep: what stays of the records with --keep proof: their sums by pair of addresses and hour, and
 * the records that findings cite, which are read once more from their files.
 *
 * A run is one transaction then: what it added is there with its sums, or not at all.
 */
#pragma once

#include "base/error.h"
#include "flowlog/format/record.h"
#include "flowlog/ingest.h"
#include "store/db.h"

struct keep;

/* memory: bytes for the sums before they become rows. */
struct keep *keep_new(struct db *db, uint64_t memory);
struct keep *keep_free(struct keep *k); /* NULL is fine; returns NULL */

/* Adds a record to the sums. */
void keep_add(struct keep *k, const struct flowlog_record *rec, int64_t vantage_id);

/* Writes the sums as rows. */
void keep_write(struct keep *k);

/* Whether the records of a database were summed; negative: it cannot be read. */
int keep_is_proof(struct db *db, struct error *err);
/* Says so in the database. */
int keep_mark_proof(struct db *db, struct error *err);
