/* extension: our SQL functions as a loadable extension, for the sqlite3 shell and other programs.
 */
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT1

#include "store/functions.h"

/* SQLite finds the entry by the file's name without "lib" and what is no letter: bothends_sql.so.
 */
__attribute__((visibility("default"))) int sqlite3_bothendssql_init(
	sqlite3 *handle, char **ret_message, const sqlite3_api_routines *api);

int sqlite3_bothendssql_init(sqlite3 *handle, char **ret_message, const sqlite3_api_routines *api)
{
	SQLITE_EXTENSION_INIT2(api);
	(void)ret_message;
	return functions_register(handle);
}
