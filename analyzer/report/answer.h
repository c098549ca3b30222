/* answer: runs one of the queries of the HTML report and of extract (schema/html/) and walks its rows. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/db.h"

struct answer {
	sqlite3_stmt *stmt;
	int result; /* of the last step */
};

/* Starts a query; pairs of parameter name (":flow") and int64_t follow, ended by NULL. */
int answer_open(struct answer *r, struct db *db, struct error *err, enum html_query query, ...)
	__attribute__((sentinel));

/* Moves to the next row; false at the end and on an error, which answer_close() tells. */
bool answer_next(struct answer *r);

int answer_close(struct answer *r, struct error *err);

/* A value of the current row: text stays valid until the next row, NULL for NULL. */
const char *answer_text(const struct answer *r, int column);
int64_t answer_int(const struct answer *r, int column); /* DB_NONE for NULL */
double answer_real(const struct answer *r, int column);

/* A single number: the first column of the first row, DB_NONE when there is none. */
int answer_one(struct db *db, struct error *err, enum html_query query, const char *parameter,
	int64_t value, int64_t *ret_value);
