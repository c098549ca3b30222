#include "report/query.h"

#include <errno.h>
#include <stdarg.h>

static int query_failed(sqlite3 *handle, const char *name, struct error *err)
{
	return error_set(err, -EIO, "report query %s: %s", name, sqlite3_errmsg(handle));
}

int query_open(struct query *r, struct db *db, struct error *err, enum report_query query, ...)
{
	const char *name;
	va_list ap;

	*r = (struct query){.result = SQLITE_ROW};
	if (sqlite3_prepare_v2(db->handle, schema_report[query].text, -1, &r->stmt, NULL) !=
		SQLITE_OK)
		return query_failed(db->handle, schema_report[query].name, err);
	va_start(ap, query);
	while ((name = va_arg(ap, const char *)))
		(void)sqlite3_bind_int64(
			r->stmt, sqlite3_bind_parameter_index(r->stmt, name), va_arg(ap, int64_t));
	va_end(ap);
	return 0;
}

bool query_next(struct query *r)
{
	if (r->result == SQLITE_ROW)
		r->result = sqlite3_step(r->stmt);
	return r->result == SQLITE_ROW;
}

int query_close(struct query *r, struct error *err)
{
	int result = 0;

	if (r->stmt && r->result != SQLITE_ROW && r->result != SQLITE_DONE)
		result = error_set(err, -EIO, "cannot read the database: %s",
			sqlite3_errmsg(sqlite3_db_handle(r->stmt)));
	(void)sqlite3_finalize(r->stmt);
	*r = (struct query){0};
	return result;
}

const char *query_text(const struct query *r, int column)
{
	return (const char *)sqlite3_column_text(r->stmt, column);
}

int64_t query_int(const struct query *r, int column)
{
	if (sqlite3_column_type(r->stmt, column) == SQLITE_NULL)
		return DB_NONE;
	return sqlite3_column_int64(r->stmt, column);
}

double query_real(const struct query *r, int column)
{
	return sqlite3_column_double(r->stmt, column);
}

int query_one(struct db *db, struct error *err, enum report_query query, const char *parameter,
	int64_t value, int64_t *ret_value)
{
	struct query r;
	int result = parameter ? query_open(&r, db, err, query, parameter, value, NULL)
			       : query_open(&r, db, err, query, NULL);

	if (result)
		return result;
	*ret_value = query_next(&r) ? query_int(&r, 0) : DB_NONE;
	return query_close(&r, err);
}
