/*
 * functions: SQL functions for rules and investigators. Registered on every connection;
 * also built as a loadable extension for the sqlite3 shell.
 */
#pragma once

#include "store/sqlite.h"

/* Registers all; returns an SQLite result code. docs/forensics.md describes them. */
int functions_register(sqlite3 *handle);
