/*
 * flowlog_tool: flow-log files into a database, and judged; what the tests of whole files run.
 *
 *	flowlog_tool [-a] [-f FORMAT] [-m BYTES] [-H NAME=ENI] [-n] DB FILE ...
 *
 * -a adds to a database that is there, and leaves what the next -a goes on from; -n does not judge.
 *A line for each file goes to stdout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nsec.h"
#include "judge/judge.h"
#include "flowlog/format/flowlog.h"
#include "flowlog/ingest.h"

static struct flowlog_host hosts[16];

static void fail(const struct error *err)
{
	(void)fprintf(stderr, "%s\n", err->text);
	exit(2);
}

static void say(
	const char *path, int outcome, const struct flowlog_counts *c, const struct error *err)
{
	static const char *const words[] = {
		"taken", "not-flowlog", "empty", "known", "needs-duckdb"};
	const char *format = flowlog_format_name(c->format);

	(void)printf("%s %s %s lines=%llu records=%llu nodata=%llu skipdata=%llu "
		     "malformed=%llu%s%s%s%s%s%s\n",
		path, words[outcome], format ? format : "-", (unsigned long long)c->lines,
		(unsigned long long)c->records, (unsigned long long)c->nodata,
		(unsigned long long)c->skipdata, (unsigned long long)c->malformed,
		c->damaged[0] ? " damaged=" : "", c->damaged, c->first_problem[0] ? " first=" : "",
		c->first_problem, outcome == FLOWLOG_OUTCOME_NEEDS_DUCKDB ? " " : "",
		outcome == FLOWLOG_OUTCOME_NEEDS_DUCKDB ? err->text : "");
}

static void add_host(char *text, struct flowlog_options *o)
{
	char *equals = strchr(text, '=');

	if (!equals || o->host_count == 16)
		exit(2);
	*equals = 0;
	hosts[o->host_count++] = (struct flowlog_host){text, equals + 1};
	o->hosts = hosts;
}

static void ingest_all(struct flowlog *f, char **paths)
{
	for (; *paths; paths++) {
		struct flowlog_counts c;
		struct error err = ERROR_INIT;
		int r = flowlog_ingest(f, *paths, NULL, &c, &err);

		if (r < 0)
			fail(&err);
		say(*paths, r, &c, &err);
	}
}

int main(int argc, char **argv)
{
	struct flowlog_options o = {0};
	struct error err = ERROR_INIT;
	bool add = false, judge = true;
	struct flowlog *f;
	struct db db;
	int c;

	while ((c = getopt(argc, argv, "af:m:H:n")) != -1) {
		if (c == 'a')
			add = o.carry = true;
		else if (c == 'f')
			o.format = optarg;
		else if (c == 'm')
			(void)size_parse(optarg, &o.memory);
		else if (c == 'H')
			add_host(optarg, &o);
		else
			judge = false;
	}
	if (argc - optind < 1)
		return 2;
	if (o.format && flowlog_check_format(o.format, &err) < 0)
		fail(&err);
	if (add ? db_open_writable(&db, argv[optind], &err)
		: db_create(&db, argv[optind], true, &err))
		fail(&err);
	if (flowlog_new(&f, &db, &o, &err) < 0)
		fail(&err);
	ingest_all(f, argv + optind + 1);
	if (flowlog_finish(f, &err) < 0)
		fail(&err);
	f = flowlog_free(f);
	if (judge && !add && db_run(&db, "indexes", schema_indexes, &err) < 0)
		fail(&err);
	if (judge && judge_run(&db, NULL, &err) < 0)
		fail(&err);
	if (!add && db_commit_file(&db, &err) < 0)
		fail(&err);
	db_close(&db);
	return 0;
}
