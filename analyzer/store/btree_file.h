/*
 * btree_file: where the pages of trees go in a new database: to the end of its file, by write(2),
 * between two transactions, as another process could. SQLite makes the empty trees beforehand and
 * reads the full ones afterwards; it moves no row itself.
 *
 * Only for a database that nobody else has open and that no crash may leave half: nothing here
 * locks or keeps a journal. Must not be used while a statement or transaction is open on the
 * connection, nor with locking_mode = EXCLUSIVE: a cache that is never checked would not see the
 * change. A database that is in use gets its rows by way of bulk.h.
 */
#pragma once

#include "store/btree.h"
#include "store/db.h"

struct btree_file;

/*
 * Starts writing behind the last page of db's file, which is not committed yet. 0, or negative with
 * err set: also for a file with settings that this does not write, such as reserved bytes or
 * auto_vacuum.
 */
int btree_file_open(struct btree_file **ret_file, struct db *db, struct error *err);

/* A table or an index by its name; there and empty. 0, or negative with err set. */
int btree_file_tree(
	struct btree **ret_tree, struct btree_file *f, const char *name, struct error *err);

/* Writes what is left and the file's new size; trees are finished before. 0, or negative with err
 * set; frees. */
int btree_file_close(struct btree_file *f, struct error *err);
