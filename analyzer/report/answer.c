#include "report/answer.h"

#include <errno.h>
#include <stdarg.h>

static int failed(sqlite3 *handle, const char *name, struct error *err)
{
	return error_set(err, -EIO, "report query %s: %s", name, sqlite3_errmsg(handle));
}

int answer_open(struct answer *r, struct db *db, struct error *err, enum html_query query, ...)
{
	const char *name;
	va_list ap;

	*r = (struct answer){.result = SQLITE_ROW};
	if (sqlite3_prepare_v2(db->handle, schema_html[query].text, -1, &r->stmt, NULL) != SQLITE_OK)
		return failed(db->handle, schema_html[query].name, err);
	va_start(ap, query);
	while ((name = va_arg(ap, const char *)))
		(void)sqlite3_bind_int64(r->stmt, sqlite3_bind_parameter_index(r->stmt, name),
			va_arg(ap, int64_t));
	va_end(ap);
	return 0;
}

bool answer_next(struct answer *r)
{
	if (r->result == SQLITE_ROW)
		r->result = sqlite3_step(r->stmt);
	return r->result == SQLITE_ROW;
}

int answer_close(struct answer *r, struct error *err)
{
	int result = 0;

	if (r->stmt && r->result != SQLITE_ROW && r->result != SQLITE_DONE)
		result = error_set(err, -EIO, "cannot read the database: %s",
			sqlite3_errmsg(sqlite3_db_handle(r->stmt)));
	(void)sqlite3_finalize(r->stmt);
	*r = (struct answer){0};
	return result;
}

const char *answer_text(const struct answer *r, int column)
{
	return (const char *)sqlite3_column_text(r->stmt, column);
}

int64_t answer_int(const struct answer *r, int column)
{
	if (sqlite3_column_type(r->stmt, column) == SQLITE_NULL)
		return DB_NONE;
	return sqlite3_column_int64(r->stmt, column);
}

double answer_real(const struct answer *r, int column)
{
	return sqlite3_column_double(r->stmt, column);
}

int answer_one(struct db *db, struct error *err, enum html_query query, const char *parameter,
	int64_t value, int64_t *ret_value)
{
	struct answer r;
	int result = parameter ? answer_open(&r, db, err, query, parameter, value, NULL)
			       : answer_open(&r, db, err, query, NULL);

	if (result)
		return result;
	*ret_value = answer_next(&r) ? answer_int(&r, 0) : DB_NONE;
	return answer_close(&r, err);
}
