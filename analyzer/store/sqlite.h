/* sqlite: SQLite's interface. An extension calls it through the table that its loader hands over.
 */
#pragma once

#ifdef SQL_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api;
#else
#include <sqlite3.h>
#endif
