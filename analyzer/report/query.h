/* query: runs one of the queries of the reports and of extract (schema/report/) and walks its
 * rows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct query {
	sqlite3_stmt *stmt;
	int result; /* of the last step */
};

/* Starts a query; pairs of parameter name (":flow") and int64_t follow, ended by NULL. */
int query_open(struct query *r, struct db *db, struct error *err, enum report_query query, ...)
	__attribute__((sentinel));

/* Moves to the next row; false at the end and on an error, which query_close() tells. */
bool query_next(struct query *r);

int query_close(struct query *r, struct error *err);

/* A value of the current row: text stays valid until the next row, NULL for NULL. */
const char *query_text(const struct query *r, int column);
int64_t query_int(const struct query *r, int column); /* DB_NONE for NULL */
double query_real(const struct query *r, int column);

/* A single number: the first column of the first row, DB_NONE when there is none. */
int query_one(struct db *db, struct error *err, enum report_query query, const char *parameter,
	int64_t value, int64_t *ret_value);
