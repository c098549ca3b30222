/*
 * btree: tables and indexes as finished pages of SQLite's file format; nothing else here makes
 * pages. Leaves come in the order of the keys and are never opened again, so a page is written
 * once, some five times as fast as by INSERT. Where the pages go is a page_sink's matter: to the
 * end of a new file (btree_file.h), or into memory, for SQLite to copy (bulk.h).
 *
 * Rows and entries must come in the order of their keys; nothing here sorts or checks types.
 *
 * https://www.sqlite.org/fileformat2.html, section 1.6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store/row.h"

/* Takes finished pages. It keeps its own failures; a tree goes on as if there were none. */
struct page_sink {
	/* Puts *page behind the others and returns its number; *page is then one to fill. */
	uint32_t (*append)(struct page_sink *sink, uint8_t **page);
	/* Puts a page in the place of the one with this number. */
	void (*replace)(struct page_sink *sink, uint32_t number, const uint8_t *page);
};

struct btree;

/*
 * An empty tree whose root will be the page with that number. index: an index, or a table WITHOUT
 * ROWID. The first row, if it has rows, gets rowid 1.
 */
struct btree *btree_new(struct page_sink *sink, uint32_t root, bool index);

/* Writes the inner pages and the root; frees. NULL is fine. */
void btree_finish(struct btree *t);

/* The row or entry being made: to be filled by the functions of row.h. */
struct row *btree_row(struct btree *t);

/* Ends the row that btree_row() began, and returns its rowid: one more than the last. */
int64_t btree_end_row(struct btree *t);

/* The next row gets this rowid, which is above those before it. */
void btree_skip_to(struct btree *t, int64_t id);

/* Ends an entry: the columns of the index and the rowid, or all columns; two at least. */
void btree_end_entry(struct btree *t);

/* An entry that was made elsewhere: a whole record, of at most BTREE_RECORD_MAX bytes. */
void btree_add_entry(struct btree *t, const uint8_t *record, uint32_t size);

/*
 * Rows, or entries, of one tree that another thread makes: finished cells (file format 1.6), one
 * behind the other in the order of their keys.
 */
struct btree_cells {
	uint8_t *bytes;
	uint16_t *sizes;
	size_t used, cap;
	uint32_t count, sizes_cap;
	uint32_t prefix; /* bytes before the record of the one being made */
};

#define BTREE_RECORD_MAX 1024

/* Makes an empty one with room for so many cells of so many bytes in the middle; it grows if need
 * be. */
void btree_cells_init(struct btree_cells *c, uint32_t count, uint32_t usual);
void btree_cells_release(struct btree_cells *c);

/*
 * Begins a cell. id: its rowid; 0: the tree has none. Returns where its record goes, header and
 * values (file format 2.1), of at most BTREE_RECORD_MAX bytes.
 */
uint8_t *btree_cells_begin(struct btree_cells *c, int64_t id);

/* Ends the cell, whose record has size bytes. */
void btree_cells_end(struct btree_cells *c, uint32_t size);

/* Puts all of them behind what the tree has. Rowids, if any, go on by ones from the last one there.
 */
void btree_add_cells(struct btree *t, const struct btree_cells *c);
