#include "store/settings.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int settings_refuse_key(struct db *db, const char *key, struct error *err)
{
	sqlite3_stmt *stmt;
	char known[400] = "";

	if (sqlite3_prepare_v2(db->handle, schema_statement_setting_keys, -1, &stmt, NULL) ==
			SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW)
		(void)snprintf(
			known, sizeof(known), "%s", (const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	return error_set(err, -EINVAL, "unknown setting '%.64s'; known settings: %s", key, known);
}

int setting_change(struct db *db, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	CLEANUP_FREE char *key = NULL;
	sqlite3_stmt *stmt;
	double value;
	char *end;

	if (!equals || equals == text)
		return error_set(err, -EINVAL, "'%.64s' is not KEY=VALUE", text);
	key = mem_strndup(text, (size_t)(equals - text));
	value = strtod(equals + 1, &end);
	if (end == equals + 1 || *end || !isfinite(value))
		return error_set(
			err, -EINVAL, "setting '%.64s': '%.64s' is not a number", key, equals + 1);
	if (sqlite3_prepare_v2(db->handle, schema_statement_setting_change, -1, &stmt, NULL) !=
		SQLITE_OK)
		return error_set(err, -EIO, "settings: %s", sqlite3_errmsg(db->handle));
	db_real(stmt, sqlite3_bind_parameter_index(stmt, ":value"), value);
	db_text(stmt, sqlite3_bind_parameter_index(stmt, ":key"), key);
	(void)sqlite3_step(stmt);
	if (sqlite3_finalize(stmt) != SQLITE_OK)
		return error_set(err, -EIO, "settings: %s", sqlite3_errmsg(db->handle));
	return sqlite3_changes(db->handle) ? 0 : settings_refuse_key(db, key, err);
}

int setting_value(struct db *db, const char *key, double *ret, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(db->handle, schema_statement_setting, -1, &s, NULL);

	if (r == SQLITE_OK) {
		db_text(s, 1, key);
		r = sqlite3_step(s);
	}
	if (r == SQLITE_ROW)
		*ret = sqlite3_column_double(s, 0);
	(void)sqlite3_finalize(s);
	if (r == SQLITE_ROW)
		return 0;
	return r == SQLITE_DONE ? error_set(err, -ENOENT, "bug: no setting '%.64s'", key)
				: error_set(err, -EIO, "setting '%.64s': %s", key,
					  sqlite3_errmsg(db->handle));
}
