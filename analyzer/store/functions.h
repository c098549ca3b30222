/*
 * functions: SQL functions that the rules and investigators need. Registered on every connection;
 * also built as a loadable extension for the sqlite3 shell.
 */
#pragma once

/* The extension calls SQLite through the table that its loader hands over. */
#ifdef SQL_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api;
#else
#include <sqlite3.h>
#endif

/* Registers all; returns an SQLite result code. docs/forensics.md describes them. */
int functions_register(sqlite3 *handle);
