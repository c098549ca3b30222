/*
 * bulk: many rows into one table of any database, at several times the speed of INSERT. btree makes
 * pages of a scratch database in memory; a second thread lets SQLite copy whole rows from there
 * into the real table (INSERT ... SELECT * between tables of the same shape moves records without
 * decoding them). The real file is written by SQLite alone, with its locks and its journal: it may
 * be in use, hold rows already, have other settings, and a kill leaves it whole.
 *
 * Only for tables without indexes while loading, whose first column is the INTEGER PRIMARY KEY or
 * which have none. No transaction may be open on the connection between bulk_new() and
 * bulk_finish().
 */
#pragma once

#include <stdint.h>

#include "store/db.h"
#include "store/row.h"

struct bulk;

/* Starts a loader whose first row gets rowid first_id. 0, or negative with err set. */
int bulk_new(struct bulk **ret_bulk, struct db *db, enum schema_table table, int64_t first_id,
	struct error *err);

/* The row being made: to be filled by the functions of row.h. */
struct row *bulk_row(struct bulk *b);

/* Ends the row that bulk_row() began and returns its rowid. */
int64_t bulk_end(struct bulk *b);

/* Loads what is left and ends the thread. 0, or negative with err set; frees in both cases. NULL is
 * fine. */
int bulk_finish(struct bulk *b, struct error *err);
