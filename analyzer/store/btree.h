/*
 * btree: whole tables and indexes written as finished pages to the end of a database file, between two
 * transactions, as another process could. SQLite makes the empty ones beforehand and reads the full
 * ones afterwards; it moves no row itself. Five to ten times as fast as its own bulk copy and CREATE
 * INDEX, which is what a run over hundreds of thousands of connections spends its time with.
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

/* Starts writing behind the last page of db's file. 0, or negative with err set. */
int btree_file_open(struct btree_file **ret_file, struct db *db, struct error *err);

/* Writes what is left and the file's new size; trees are finished before. 0, or negative with err set; frees. */
int btree_file_close(struct btree_file *f, struct error *err);

/*
 * A table with rowids, or an index or a table WITHOUT ROWID, by its name; there and empty. 0, or negative
 * with err set.
 */
int btree_new(struct btree **ret_tree, struct btree_file *f, const char *name, struct error *err);

/* The row or entry being made: to be filled by the functions of bulk.h. */
struct bulk_row *btree_row(struct btree *t);

/* Ends the row that btree_row() began; ids count from 1. Returns its rowid. Shorter than a page. */
int64_t btree_end_row(struct btree *t);

/* A row that was made elsewhere: a whole record, header and values (file format 2.1). Returns its rowid. */
int64_t btree_add_row(struct btree *t, const uint8_t *record, uint32_t size);

/* The next row gets this rowid, which is above those before it. */
void btree_skip_to(struct btree *t, int64_t id);

/* An entry that was made elsewhere: a whole record, as btree_add_row(). */
void btree_add_entry(struct btree *t, const uint8_t *record, uint32_t size);

/* Ends an entry: the columns of the index and the rowid, or all columns. Shorter than a fifth of a page. */
void btree_end_entry(struct btree *t);

/* Writes the inner pages and the root; frees. NULL is fine. */
void btree_finish(struct btree *t);
