/*
 * btree: whole tables and indexes written as finished pages to the end of a database file, between
 * two transactions, as another process could. SQLite makes the empty ones beforehand and reads the
 * full ones afterwards; it moves no row itself. Five to ten times as fast as its own bulk copy and
 * CREATE INDEX, which is what a run over hundreds of thousands of connections spends its time with.
 *
 * Must not be used while a statement or transaction is open on the connection, nor with
 * locking_mode = EXCLUSIVE: a cache that is never checked would not see the change.
 * Rows and entries must come in the order of their keys; nothing here sorts or checks types.
 *
 * https://www.sqlite.org/fileformat2.html, section 1.6.
 */
#pragma once

#include <stdint.h>

#include "store/bulk.h"
#include "store/db.h"

struct btree_file;
struct btree;

/*
 * Starts writing behind the last page of db's file. 0, or negative with err set: also for a file
 * with settings that this does not write, such as reserved bytes or auto_vacuum.
 */
int btree_file_open(struct btree_file **ret_file, struct db *db, struct error *err);

/* Writes what is left and the file's new size; trees are finished before. 0, or negative with err
 * set; frees. */
int btree_file_close(struct btree_file *f, struct error *err);

/*
 * A table with rowids, or an index or a table WITHOUT ROWID, by its name; there and empty. 0, or
 * negative with err set.
 */
int btree_new(struct btree **ret_tree, struct btree_file *f, const char *name, struct error *err);

/* The row or entry being made: to be filled by the functions of bulk.h. */
struct bulk_row *btree_row(struct btree *t);

/* Ends the row that btree_row() began; ids count from 1. Returns its rowid. Shorter than a page. */
int64_t btree_end_row(struct btree *t);

/* The next row gets this rowid, which is above those before it. */
void btree_skip_to(struct btree *t, int64_t id);

/* An entry that was made elsewhere: a whole record. */
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

/* Ends an entry: the columns of the index and the rowid, or all columns. Shorter than a fifth of a
 * page. */
void btree_end_entry(struct btree *t);

/* Writes the inner pages and the root; frees. NULL is fine. */
void btree_finish(struct btree *t);
