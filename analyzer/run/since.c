#include "run/since.h"

#include <errno.h>

#include "read/digest.h"
#include "read/source.h"

/* statement: 1 text to the number of rows that have it. */
static int since_knows(struct db *db, const char *statement, const char *text, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int r = sqlite3_prepare_v2(db->handle, statement, -1, &s, NULL), known = 0;

	if (r == SQLITE_OK) {
		db_text(s, 1, text);
		r = sqlite3_step(s);
		known = r == SQLITE_ROW && sqlite3_column_int(s, 0) > 0;
	}
	(void)sqlite3_finalize(s);
	return r == SQLITE_ROW
		       ? known
		       : error_set(err, -EIO, "'%s': %s", db->path, sqlite3_errmsg(db->handle));
}

static int since_refuse_new_capture(struct db *db, const struct plan_input *in, struct error *err)
{
	struct source *s = NULL;
	uint64_t hash[2];
	char sha256[65], text[DIGEST_TEXT_SIZE];
	int r = source_open(&s, in->path, false, err);

	if (r)
		return r;
	source_finish(s, hash, sha256);
	(void)source_close(s);
	digest_text(hash, text);
	r = since_knows(db, schema_statement_capture_known, text, err);
	if (r)
		return r < 0 ? r : 0;
	return error_set(err, -EINVAL,
		"'%s' is a capture that is not in '%s': --since adds flow logs only; analyze all "
		"captures together, without --since",
		in->path, db->path);
}

static int since_refuse_new_host_file(struct db *db, const struct plan_input *in, struct error *err)
{
	int r = since_knows(db, schema_statement_host_file_known, in->path, err);

	if (r)
		return r < 0 ? r : 0;
	return error_set(err, -EINVAL,
		"'%s' is a file of a host that is not in '%s': --since adds flow logs only; "
		"analyze all files together, without --since",
		in->path, db->path);
}

int since_refuse_new(struct db *db, const struct plan *plan, struct error *err)
{
	int result = 0;

	for (uint32_t i = 0; i < plan->count && result == 0; i++)
		if (plan->inputs[i].kind == PLAN_CAPTURE)
			result = since_refuse_new_capture(db, &plan->inputs[i], err);
		else if (plan->inputs[i].kind == PLAN_HOST_FILE)
			result = since_refuse_new_host_file(db, &plan->inputs[i], err);
	return result;
}
