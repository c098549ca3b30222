/*
 * bulk: many rows into one table at several times the speed of INSERT. Rows are encoded straight
 * into the pages of a scratch database in memory, in the documented file format; a second thread
 * lets SQLite copy whole rows from there into the real table (INSERT ... SELECT * between tables of
 * the same shape moves records without decoding them). The real file is written by SQLite alone.
 *
 * Only for tables without indexes while loading, whose first column is the INTEGER PRIMARY KEY or
 * which have none. Types are the caller's duty: nothing checks that a column of type INTEGER gets
 * an integer. No transaction may be open on the connection between bulk_new() and bulk_finish().
 *
 * https://www.sqlite.org/fileformat2.html, sections 1.6 (pages) and 2.1 (records).
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "store/db.h"

#define BULK_MAX_COLUMNS 64
#define BULK_MAX_TEXT (1u << 20) /* longer text is cut here */

struct bulk;

/* Starts a loader whose first row gets rowid first_id. 0, or negative with err set. */
int bulk_new(struct bulk **ret_bulk, struct db *db, enum schema_table table, int64_t first_id,
	struct error *err);

/* Loads what is left and ends the thread. 0, or negative with err set; frees in both cases. NULL is
 * fine. */
int bulk_finish(struct bulk *b, struct error *err);

/* Where the next serial type and the next value of a row go. In a variable of its own the compiler
 * keeps it in registers. */
struct bulk_at {
	uint8_t *types, *body;
};

/* The row being made: serial types and values. Only the functions below touch it. */
struct bulk_row {
	uint8_t *types; /* next serial type */
	uint8_t *body;	/* next value byte */
	uint8_t *body_end;
	uint8_t types_start[BULK_MAX_COLUMNS * 5];
	uint8_t *body_start;
};

struct bulk_row *bulk_row(struct bulk *b);

/* Ends the row that bulk_row() began and returns its rowid. */
int64_t bulk_end(struct bulk *b);

/* Makes room for a text of n bytes. */
void bulk_reserve(struct bulk_row *row, size_t n);

static inline void bulk_put_null(struct bulk_at *at)
{
	*at->types++ = 0;
}

/* Writes up to 8 bytes of body. */
static inline void bulk_put_int(struct bulk_at *at, int64_t v)
{
	/* By the bytes that the value needs with its sign. */
	static const uint8_t serial[9] = {1, 1, 2, 3, 4, 5, 5, 6, 6},
			     width[9] = {1, 1, 2, 3, 4, 6, 6, 8, 8};
	uint64_t big = __builtin_bswap64((uint64_t)v);
	unsigned n;

	if ((uint64_t)v <= 1) {
		*at->types++ = (uint8_t)(8 + v);
		return;
	}
	if ((uint64_t)v < 0x80) {
		*at->types++ = 1;
		*at->body++ = (uint8_t)v;
		return;
	}
	n = (72u - (unsigned)__builtin_clzll((uint64_t)(v ^ (v >> 63)) | 1)) / 8;
	*at->types++ = serial[n];
	n = width[n];
	big >>= 64 - 8 * n;
	memcpy(at->body, &big, 8);
	at->body += n;
}

static inline void bulk_put_int_or_null(struct bulk_at *at, int64_t v)
{
	if (v == DB_NONE)
		bulk_put_null(at);
	else
		bulk_put_int(at, v);
}

/* Text below 58 bytes, whose serial type is one byte; reads and writes 16 bytes even of less. */
static inline void bulk_put_short_text(struct bulk_at *at, const char *text, size_t n)
{
	*at->types++ = (uint8_t)(13 + 2 * n);
	memcpy(at->body, text, 16);
	if (n > 16)
		memcpy(at->body + 16, text + 16, n - 16);
	at->body += n;
}

static inline struct bulk_at bulk_at(const struct bulk_row *row)
{
	return (struct bulk_at){.types = row->types, .body = row->body};
}

static inline void bulk_go_on(struct bulk_row *row, struct bulk_at at)
{
	row->types = at.types;
	row->body = at.body;
}

static inline void bulk_null(struct bulk_row *row)
{
	*row->types++ = 0;
}

static inline void bulk_int(struct bulk_row *row, int64_t v)
{
	struct bulk_at at = bulk_at(row);

	bulk_put_int(&at, v);
	bulk_go_on(row, at);
}

static inline void bulk_int_or_null(struct bulk_row *row, int64_t v)
{
	if (v == DB_NONE)
		bulk_null(row);
	else
		bulk_int(row, v);
}

/* A serial type: a varint of up to 5 bytes. */
static inline void bulk_serial(struct bulk_row *row, uint32_t v)
{
	if (v < 0x80) {
		*row->types++ = (uint8_t)v;
	} else if (v < 0x4000) {
		*row->types++ = (uint8_t)(0x80 | v >> 7);
		*row->types++ = (uint8_t)(v & 0x7f);
	} else {
		*row->types++ = (uint8_t)(0x80 | v >> 14);
		*row->types++ = (uint8_t)(0x80 | (v >> 7 & 0x7f));
		*row->types++ = (uint8_t)(v & 0x7f);
	}
}

/* Text, which must be UTF-8. */
static inline void bulk_text(struct bulk_row *row, const void *text, size_t n)
{
	if (n > BULK_MAX_TEXT - 1)
		n = BULK_MAX_TEXT - 1;
	if ((size_t)(row->body_end - row->body) < n + 16)
		bulk_reserve(row, n);
	bulk_serial(row, (uint32_t)(13 + 2 * n));
	if (n <= 16) { /* most are short: one copy of constant size; 16 bytes of room are there */
		uint8_t small[16] = {0};

		memcpy(small, text, n);
		memcpy(row->body, small, 16);
	} else {
		memcpy(row->body, text, n);
	}
	row->body += n;
}

/* A word of this program's own. */
static inline void bulk_word(struct bulk_row *row, const char *text)
{
	bulk_text(row, text, strlen(text));
}

static inline void bulk_ip(struct bulk_row *row, const uint8_t ip[16])
{
	char text[IP_TEXT_SIZE];

	bulk_word(row, ip_text(ip, text));
}

static inline void bulk_text_or_null(struct bulk_row *row, const void *text, size_t n)
{
	if (n)
		bulk_text(row, text, n);
	else
		bulk_null(row);
}
