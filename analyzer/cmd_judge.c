/* bothends judge: runs the rules again on the facts of a finished database. */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "judge/judge.h"
#include "store/settings.h"

#define SETTINGS_MAX 64

static const struct argp_option options[] = {
	{"rules", 'r', "DIR", 0, "run the rules DIR/*.sql as well, after the built-in ones", 0},
	{"set", 's', "KEY=VALUE", 0,
		"change a threshold; bothends query DB --saved settings lists them", 0},
	{0},
};

struct request {
	const char *database, *rules;
	const char *set[SETTINGS_MAX];
	int sets;
};

static error_t cmd_judge_parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case 'r':
		r->rules = arg;
		return 0;
	case 's':
		if (r->sets == SETTINGS_MAX)
			argp_error(state, "too many settings (maximum %d)", SETTINGS_MAX);
		r->set[r->sets++] = arg;
		return 0;
	default:
		return cmd_take_database(key, arg, state, &r->database);
	}
}

static int cmd_judge_again(const void *request, struct db *db, struct error *err)
{
	const struct request *r = request;
	int result = db_run(db, r->database, "BEGIN IMMEDIATE", err);

	for (int i = 0; i < r->sets && result == 0; i++)
		result = setting_change(db, r->set[i], err);
	if (result == 0)
		result = judge_run(db, r->rules, err);
	if (result == 0)
		return db_run(db, r->database, "COMMIT", err);
	(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	return result;
}

int cmd_judge(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_judge_parse, "DB",
		"Runs the rules on a database again. Replaces the findings; on error the old ones "
		"are kept.",
		NULL, NULL, NULL};
	struct request r = {0};

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	return cmd_with_database("judge", db_open_writable, r.database, cmd_judge_again, &r);
}
