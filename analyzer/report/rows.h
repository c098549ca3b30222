/*
 * rows: the result of a query as a table, CSV or JSON. Values come from captures and strangers:
 * text is escaped for each format. Memory does not grow with the number of rows.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

enum rows_format {
	ROWS_TABLE, /* columns as wide as the first 500 rows need */
	ROWS_CSV, /* RFC 4180, header first; a text that a spreadsheet would run as a formula gets a
		     ' before it */
	ROWS_JSON, /* an array of objects, one a line; blobs as hex */
};

bool rows_format_parse(const char *name, enum rows_format *ret_format);

/* Steps stmt to its end. A reader that went away (EPIPE) ends it without an error. */
int rows_write(sqlite3_stmt *stmt, enum rows_format format, FILE *out, struct error *err);
