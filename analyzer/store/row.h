/*
 * row: the values of a row as SQLite stores them, serial types and bodies, each where its reader
 * expects it (file format 2.1). btree makes the record and its cell of them.
 *
 * Types are the caller's duty: nothing checks that a column of type INTEGER gets an integer.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "store/db.h"

#define ROW_MAX_COLUMNS 64
#define ROW_MAX_TEXT (1u << 20) /* longer text is cut here */

/* Where the next serial type and the next value of a row go. In a variable of its own the compiler
 * keeps it in registers. */
struct row_at {
	uint8_t *types, *body;
};

/* The row being made: serial types and values. Only the functions below touch it. */
struct row {
	uint8_t *types; /* next serial type */
	uint8_t *body;	/* next value byte */
	uint8_t *body_end;
	uint8_t types_start[ROW_MAX_COLUMNS * 5];
	uint8_t *body_start;
};

/* Takes memory; row_release() gives it back. */
void row_init(struct row *row);
void row_release(struct row *row);

/* Makes room for a text of n bytes. */
void row_reserve(struct row *row, size_t n);

static inline void row_put_null(struct row_at *at)
{
	*at->types++ = 0;
}

/* Writes up to 8 bytes of body. */
static inline void row_put_int(struct row_at *at, int64_t v)
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

static inline void row_put_int_or_null(struct row_at *at, int64_t v)
{
	if (v == DB_NONE)
		row_put_null(at);
	else
		row_put_int(at, v);
}

/* Text below 58 bytes, whose serial type is one byte; reads and writes 16 bytes even of less. */
static inline void row_put_short_text(struct row_at *at, const char *text, size_t n)
{
	*at->types++ = (uint8_t)(13 + 2 * n);
	memcpy(at->body, text, 16);
	if (n > 16)
		memcpy(at->body + 16, text + 16, n - 16);
	at->body += n;
}

static inline struct row_at row_at(const struct row *row)
{
	return (struct row_at){.types = row->types, .body = row->body};
}

static inline void row_go_on(struct row *row, struct row_at at)
{
	row->types = at.types;
	row->body = at.body;
}

static inline void row_null(struct row *row)
{
	*row->types++ = 0;
}

static inline void row_int(struct row *row, int64_t v)
{
	struct row_at at = row_at(row);

	row_put_int(&at, v);
	row_go_on(row, at);
}

static inline void row_int_or_null(struct row *row, int64_t v)
{
	if (v == DB_NONE)
		row_null(row);
	else
		row_int(row, v);
}

/* A serial type of several bytes. */
void row_long_serial(struct row *row, uint32_t v);

static inline void row_serial(struct row *row, uint32_t v)
{
	if (v < 0x80)
		*row->types++ = (uint8_t)v;
	else
		row_long_serial(row, v);
}

/* Text, which must be UTF-8. */
static inline void row_text(struct row *row, const void *text, size_t n)
{
	if (n > ROW_MAX_TEXT - 1)
		n = ROW_MAX_TEXT - 1;
	if ((size_t)(row->body_end - row->body) < n + 16)
		row_reserve(row, n);
	row_serial(row, (uint32_t)(13 + 2 * n));
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
static inline void row_word(struct row *row, const char *text)
{
	row_text(row, text, strlen(text));
}

static inline void row_ip(struct row *row, const uint8_t ip[16])
{
	char text[IP_TEXT_SIZE];

	row_word(row, ip_text(ip, text));
}

static inline void row_text_or_null(struct row *row, const void *text, size_t n)
{
	if (n)
		row_text(row, text, n);
	else
		row_null(row);
}
