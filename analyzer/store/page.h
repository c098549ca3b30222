/*
 * page: the part of SQLite's file format that all of this folder share: sizes, numbers and the
 * header of a file. A file with settings other than these is SQLite's alone to write.
 *
 * https://www.sqlite.org/fileformat2.html, sections 1.3 (header) and 1.6 (pages).
 */
#pragma once

#include <sqlite3.h>
#include <stdint.h>
#include <string.h>

#include "base/error.h"

#define PAGE 8192u
#define LEAF_HEADER 8u
#define INTERIOR_HEADER 12u
#define FILE_HEADER 100u

/* Where these stand in the header of a file. */
#define AT_COUNTER 24
#define AT_PAGES 28
#define AT_COUNTER_OF_PAGES 92

/* Kinds of pages: their first byte. */
#define TABLE_LEAF 0x0d
#define TABLE_INTERIOR 0x05
#define INDEX_LEAF 0x0a
#define INDEX_INTERIOR 0x02

/* Asks for these settings in a new database, where the library's defaults are others. Returns
 * SQLite's result. */
int page_configure(sqlite3 *handle);

/* 0, or negative with err set: the header has a setting that is not written here, such as reserved
 * bytes. */
int page_check(const uint8_t header[FILE_HEADER], const char *path, struct error *err);

static inline void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}
