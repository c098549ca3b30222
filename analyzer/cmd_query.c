/* bothends query: SQL on a finished database, read-only; as a table, CSV or JSON. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd.h"
#include "report/rows.h"
#include "store/db.h"

#define PARAMETERS_MAX 32

enum { KEY_SAVED = 256, KEY_LIST, KEY_SHOW, KEY_NO_PAGER };

static const struct argp_option options[] = {
	{"saved", KEY_SAVED, "NAME", 0, "run the saved query NAME", 0},
	{"param", 'p', "KEY=VALUE", 0, "value of :KEY in the query (default NULL)", 0},
	{"list", KEY_LIST, NULL, 0, "list the saved queries", 0},
	{"show", KEY_SHOW, "NAME", 0, "print the SQL of the saved query NAME", 0},
	{"format", 'f', "table|csv|json", 0, "default table", 0},
	{"no-pager", KEY_NO_PAGER, NULL, 0, "do not use a pager", 0},
	{0},
};

struct request {
	const char *database, *sql;
	const struct schema_text *saved, *show;
	const char *parameters[PARAMETERS_MAX];
	int parameter_count;
	enum rows_format format;
	bool list, no_pager;
};

static const struct schema_text *cmd_query_saved_by_name(const char *name)
{
	for (const struct schema_text *t = schema_queries; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t;
	return NULL;
}

static const struct schema_text *cmd_query_need_saved(struct argp_state *state, const char *name)
{
	const struct schema_text *t = cmd_query_saved_by_name(name);

	if (!t)
		argp_error(state, "unknown saved query '%s' (--list shows all)", name);
	return t;
}

static void cmd_query_take_argument(struct argp_state *state, struct request *r, const char *arg)
{
	if (!r->database)
		r->database = arg;
	else if (!r->sql)
		r->sql = arg;
	else
		argp_error(state, "unexpected argument '%s': quote the SQL as one argument", arg);
}

static void cmd_query_check(struct argp_state *state, const struct request *r)
{
	if (r->list || r->show)
		return;
	if (!r->database)
		argp_error(state, "missing database (bothends analyze creates one)");
	if (!r->sql == !r->saved)
		argp_error(state, r->sql ? "SQL and --saved exclude each other"
					 : "missing query: SQL or --saved NAME (--list shows all)");
}

static error_t cmd_query_parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case KEY_SAVED:
		r->saved = cmd_query_need_saved(state, arg);
		return 0;
	case KEY_SHOW:
		r->show = cmd_query_need_saved(state, arg);
		return 0;
	case KEY_LIST:
		r->list = true;
		return 0;
	case KEY_NO_PAGER:
		r->no_pager = true;
		return 0;
	case 'p':
		if (r->parameter_count == PARAMETERS_MAX)
			argp_error(state, "too many parameters (maximum %d)", PARAMETERS_MAX);
		if (!strchr(arg, '='))
			argp_error(state, "'%s' is not KEY=VALUE", arg);
		r->parameters[r->parameter_count++] = arg;
		return 0;
	case 'f':
		if (!rows_format_parse(arg, &r->format))
			argp_error(state, "unknown format '%s': table, csv or json", arg);
		return 0;
	case ARGP_KEY_ARG:
		cmd_query_take_argument(state, r, arg);
		return 0;
	case ARGP_KEY_END:
		cmd_query_check(state, r);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* Name, :parameters, and the sentence that describes it. */
static void cmd_query_list_saved(void)
{
	for (const struct schema_text *t = schema_queries; t->name; t++)
		(void)printf("%-18s %s\n", t->name, t->description);
}

/* Numbers are bound as numbers, so that they compare with number columns. */
static int cmd_query_bind_value(sqlite3_stmt *stmt, int index, const char *text)
{
	char *end;
	long long n;
	double d;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (*text && !*end && !errno)
		return sqlite3_bind_int64(stmt, index, n);
	d = strtod(text, &end);
	if (*text && !*end)
		return sqlite3_bind_double(stmt, index, d);
	return sqlite3_bind_text(stmt, index, text, -1, SQLITE_TRANSIENT);
}

static int cmd_query_bind(const struct request *r, sqlite3_stmt *stmt, struct error *err)
{
	for (int i = 0; i < r->parameter_count; i++) {
		const char *equals = strchr(r->parameters[i], '=');
		CLEANUP_FREE char *name =
			mem_printf(":%.*s", (int)(equals - r->parameters[i]), r->parameters[i]);
		int index = sqlite3_bind_parameter_index(stmt, name);

		if (!index)
			return error_set(err, -EINVAL, "the query has no parameter %s", name);
		(void)cmd_query_bind_value(stmt, index, equals + 1);
	}
	return 0;
}

static bool cmd_query_in_path(const char *program)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		int n = (int)strcspn(path, ":");
		CLEANUP_FREE char *file = mem_printf("%.*s/%s", n, path, program);

		if (access(file, X_OK) == 0)
			return true;
		path += n + (path[n] == ':');
	}
	return false;
}

/* A pager on a terminal: $PAGER, else less, which ends by itself where all fits. NULL: none. */
static FILE *cmd_query_open_pager(const struct request *r)
{
	const char *pager = getenv("PAGER");

	if (r->no_pager || r->format != ROWS_TABLE || !isatty(STDOUT_FILENO) || (pager && !*pager))
		return NULL;
	if (!pager)
		pager = cmd_query_in_path("less") ? "less -FSX" : NULL;
	return pager ? popen(pager, "w") : NULL;
}

/* Pragmas, as statements or as tables, that describe the database and not the machine it lies on.
 */
static bool cmd_query_is_described(const char *name)
{
	static const char *const described[] = {"table_info", "table_xinfo", "table_list",
		"index_list", "index_info", "index_xinfo", "foreign_key_list", "function_list",
		"user_version", "application_id", "integrity_check", "quick_check"};

	for (size_t i = 0; i < sizeof(described) / sizeof(described[0]); i++)
		if (strcasecmp(name, described[i]) == 0)
			return true;
	return false;
}

/* For SQL that came from somewhere: no paths, no addresses of memory, no code. That nothing is
 * written, cmd_query_prepare() sees to. */
static int cmd_query_authorize(void *unused, int action, const char *a, const char *b,
	const char *database, const char *trigger)
{
	const char *pragma = action == SQLITE_PRAGMA ? a : NULL;
	bool is_refused = false;

	(void)unused;
	(void)database;
	(void)trigger;
	if (action == SQLITE_READ && a && strncasecmp(a, "pragma_", 7) == 0)
		pragma = a + 7;
	if (action == SQLITE_FUNCTION && b)
		is_refused = strcasecmp(b, "fts3_tokenizer") == 0 ||
			     strcasecmp(b, "load_extension") == 0;
	return is_refused || (pragma && !cmd_query_is_described(pragma)) ? SQLITE_DENY : SQLITE_OK;
}

/* One statement is run; text behind it is refused, so that nothing is left out in silence. */
static int cmd_query_prepare(
	struct db *db, const char *sql, sqlite3_stmt **ret_stmt, struct error *err)
{
	const char *tail;

	if (sqlite3_prepare_v2(db->handle, sql, -1, ret_stmt, &tail) != SQLITE_OK)
		return error_set(err, -EINVAL, "%s", sqlite3_errmsg(db->handle));
	if (!*ret_stmt)
		return error_set(err, -EINVAL, "no SQL statement in '%.60s'", sql);
	if (tail[strspn(tail, " \t\r\n;")]) {
		(void)sqlite3_finalize(*ret_stmt);
		return error_set(err, -EINVAL, "one statement at a time: unexpected '%.60s'", tail);
	}
	if (sqlite3_stmt_readonly(*ret_stmt) && sqlite3_column_count(*ret_stmt))
		return 0;
	(void)sqlite3_finalize(*ret_stmt);
	return error_set(
		err, -EROFS, "the database is read-only here; to change a copy use sqlite3");
}

static int cmd_query_run(const void *request, struct db *db, struct error *err)
{
	const struct request *r = request;
	sqlite3_stmt *stmt;
	FILE *pager;
	int result;

	if (!r->saved)
		(void)sqlite3_set_authorizer(db->handle, cmd_query_authorize, NULL);
	result = cmd_query_prepare(db, r->saved ? r->saved->text : r->sql, &stmt, err);
	if (result)
		return result;
	result = cmd_query_bind(r, stmt, err);
	pager = result ? NULL : cmd_query_open_pager(r);
	if (result == 0)
		result = rows_write(stmt, r->format, pager ? pager : stdout, err);
	if (pager)
		(void)pclose(pager);
	(void)sqlite3_finalize(stmt);
	return result;
}

int cmd_query(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_query_parse, "DB [SQL]",
		"Runs SQL or a saved query on a bothends database, read-only."
		"\vFunctions besides those of SQLite: iso(ns), span(ns), ip_in(address, "
		"network), ip_same_subnet(a, b, prefix), tcp_flags(n), mac_local(mac), "
		"mac_virtual(mac), version_cmp(a, b), regexp, endpoint(ip, port), percent(rate), "
		"community_id(protocol, src_ip, dst_ip, src_port, dst_port), "
		"wilson_low(n, of) and wilson_high(n, of). '--saved schema' describes every table "
		"and column.",
		NULL, NULL, NULL};
	struct request r = {0};

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	if (r.list)
		cmd_query_list_saved();
	if (r.show)
		(void)fputs(r.show->text, stdout);
	if (r.list || r.show)
		return EXIT_SUCCESS;
	(void)signal(SIGPIPE, SIG_IGN); /* a pager that is left early is no failure */
	return cmd_with_database("query", db_open, r.database, cmd_query_run, &r);
}
