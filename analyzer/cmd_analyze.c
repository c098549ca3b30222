/* bothends analyze: captures in, a database and its verdict out. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "cmd.h"
#include "cmd_terminal.h"
#include "flowlog/format/flowlog.h"
#include "report/report.h"
#include "run/analyze.h"
#include "flowlog/ingest.h"
#include "survey/stated.h"
#include "survey/stated_scope.h"

typedef int report_function(struct db *, FILE *, const struct report_options *, struct error *);

static report_function *cmd_analyze_report_writer(const char *format)
{
	if (strcmp(format, "json") == 0)
		return report_json;
	if (strcmp(format, "md") == 0)
		return report_markdown;
	return strcmp(format, "text") == 0 ? report_text : NULL;
}

enum {
	KEY_FORCE = 256,
	KEY_FROM,
	KEY_TO,
	KEY_MEMORY,
	KEY_THREADS,
	KEY_PACKETS,
	KEY_SHA256,
	KEY_RULES,
	KEY_SET,
	KEY_FORMAT,
	KEY_FAIL_ON,
	KEY_NEW_ONLY,
	KEY_PROGRESS,
	KEY_HOST,
	KEY_SCOPE,
	KEY_NAMES,
	KEY_SINCE,
	KEY_FLOW_LOG_FORMAT,
	KEY_KEEP,
	KEY_LOG_YEAR,
	KEY_LOG_ZONE,
	KEY_CONFINE,
};

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "database to create (default incident.db)", 0},
	{"force", KEY_FORCE, NULL, 0, "replace the output if it is a database of bothends", 0},
	{"since", KEY_SINCE, "last", 0,
		"add new flow logs to an existing database and run the rules again", 0},
	{"filter", 'f', "EXPRESSION", 0, "use only frames matching this pcap-filter(7) expression",
		0},
	{"from", KEY_FROM, "TIME", 0,
		"use only frames at or after TIME (RFC 3339, by each file's own clock)", 0},
	{"to", KEY_TO, "TIME", 0, "use only frames before TIME", 0},
	{"memory", KEY_MEMORY, "SIZE", 0,
		"limit resident memory to SIZE, such as 512M (default: half of the RAM)", 0},
	{"threads", KEY_THREADS, "N", 0, "number of threads (default: one per CPU)", 0},
	{"packets", KEY_PACKETS, "none|events|all", 0,
		"frames to store in the table packet (default events)", 0},
	{"sha256", KEY_SHA256, NULL, 0, "record the SHA-256 of every capture (slower)", 0},
	{"host", KEY_HOST, "NAME=ADDRESS|MAC|ENI", 0,
		"this IP address, MAC or flow-log interface belongs to host NAME", 0},
	{"scope", KEY_SCOPE, "NAME=EXPRESSION", 0,
		"captures of host NAME could record only this (pcap-filter(7))", 0},
	{"names", KEY_NAMES, "FILE", 0,
		"names for flow-log interfaces: JSON of aws ec2 describe-network-interfaces, "
		"gcloud compute instances list or az network nic list",
		0},
	{"flow-log-format", KEY_FLOW_LOG_FORMAT, "FORMAT", 0,
		"fields of flow logs without a header: '${version} ${account-id} ...'", 0},
	{"keep", KEY_KEEP, "all|proof", 0,
		"flow-log records to store: all, or sums by pair and hour and the records that "
		"findings cite (default: all, above 512 MB of files proof)",
		0},
	{"log-year", KEY_LOG_YEAR, "YEAR", 0,
		"year of the last line of host logs that leave it out (kern.log, messages)", 0},
	{"log-zone", KEY_LOG_ZONE, "ZONE", 0,
		"time zone of host logs that leave it out: UTC or an offset such as +02:00", 0},
	{"confine", KEY_CONFINE, "yes|no", 0,
		"no network, other programs and other files from before the first input is opened "
		"(default yes)",
		0},
	{"rules", KEY_RULES, "FOLDER", 0, "run the rules (*.sql) in FOLDER as well", 0},
	{"set", KEY_SET, "KEY=VALUE", 0,
		"change a threshold; bothends query DB 'SELECT * FROM setting' lists them", 0},
	{"format", KEY_FORMAT, "text|json|md", 0, "how to print the verdict (default text)", 0},
	{"fail-on", KEY_FAIL_ON, "critical|warning|notice", 0,
		"exit with 1 if a finding is at or above this severity", 0},
	{"new-only", KEY_NEW_ONLY, NULL, 0,
		"with --fail-on: only for findings that the last run (--since last) did not have",
		0},
	{"progress", KEY_PROGRESS, "auto|always|never", 0,
		"show progress (default auto: on a terminal)", 0},
	{"quiet", 'q', NULL, 0, "suppress the verdict", 0},
	{"verbose", 'v', NULL, 0, "verbose (standard error)", 0},
	{0},
};

struct request {
	struct analyze_options o;
	int input_cap, setting_cap, host_cap, stated_cap;
	struct flowlog_host *hosts;
	struct stated_host *stated;
	int name_cap;
	struct stated_scope *scopes;
	int scope_cap;
	const char *format, *fail_on;
	bool new_only;
	int progress; /* 1 always, 0 never, -1 auto */
	struct terminal_choice terminal;
	bool quiet;
};

static int cmd_analyze_choice(const char *text, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}

static void cmd_analyze_add_text(char ***list, int *count, int *cap, char *text)
{
	MEM_RESERVE(*list, *count, *cap);
	(*list)[(*count)++] = text;
}

static void cmd_analyze_parse_time(
	struct argp_state *state, const char *option, const char *text, int64_t *ret_ns)
{
	if (!nsec_parse(text, ret_ns))
		argp_error(
			state, "%s: '%s' is not a time such as 2026-09-21T14:13:24Z", option, text);
}

static void cmd_analyze_parse_threads(struct argp_state *state, const char *text, unsigned *ret)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || end == text || n < 1 || n > 256)
		argp_error(state, "--threads: '%s' is not a number from 1 to 256", text);
	*ret = (unsigned)n;
}

static void cmd_analyze_parse_memory(struct argp_state *state, const char *text, uint64_t *ret)
{
	if (!size_parse(text, ret) || *ret < UINT64_C(64) << 20)
		argp_error(state, "--memory: '%s' is not a size of at least 64M", text);
}

static void cmd_analyze_add_host(struct argp_state *state, struct request *r, char *text)
{
	char *equals = strchr(text, '=');

	struct stated_host stated = {.name = text};

	if (!equals || equals == text || !equals[1])
		argp_error(state, "--host: '%s' is not NAME=ADDRESS, NAME=MAC or NAME=ENI", text);
	*equals = 0;
	if (stated_parse(equals + 1, &stated)) {
		MEM_RESERVE(r->stated, r->o.stated.host_count, r->stated_cap);
		r->stated[r->o.stated.host_count++] = stated;
		r->o.stated.hosts = r->stated;
		return;
	}
	MEM_RESERVE(r->hosts, r->o.flow_logs.host_count, r->host_cap);
	r->hosts[r->o.flow_logs.host_count++] =
		(struct flowlog_host){.name = text, .interface = equals + 1};
	r->o.flow_logs.hosts = r->hosts;
}

static void cmd_analyze_add_scope(struct argp_state *state, struct request *r, char *text)
{
	char *equals = strchr(text, '=');

	if (!equals || equals == text || !equals[1])
		argp_error(state, "--scope: '%s' is not NAME=EXPRESSION", text);
	*equals = 0;
	MEM_RESERVE(r->scopes, r->o.stated.scope_count, r->scope_cap);
	r->scopes[r->o.stated.scope_count++] =
		(struct stated_scope){.name = text, .expression = equals + 1};
	r->o.stated.scopes = r->scopes;
}

static void cmd_analyze_parse_flow_log_format(
	struct argp_state *state, const char *text, struct request *r)
{
	struct error err = ERROR_INIT;

	if (flowlog_check_format(text, &err) < 0)
		argp_error(state, "--flow-log-format: %s", err.text);
	r->o.flow_logs.format = text;
}

static void cmd_analyze_parse_keep(
	struct argp_state *state, const char *text, enum analyze_keep *ret)
{
	static const char *const keeps[] = {"all", "proof", NULL};
	int c = cmd_analyze_choice(text, keeps);

	if (c < 0)
		argp_error(state, "--keep takes all or proof, not '%s'", text);
	*ret = c ? ANALYZE_KEEP_PROOF : ANALYZE_KEEP_ALL;
}

static void cmd_analyze_parse_year(struct argp_state *state, const char *text, int *ret)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < 1970 || n > 2115)
		argp_error(state, "--log-year: '%s' is not a year from 1970 to 2115", text);
	*ret = (int)n;
}

static void cmd_analyze_parse_zone(
	struct argp_state *state, const char *text, struct collection_options *o)
{
	if (!stamp_parse_zone(text, &o->zone_ns))
		argp_error(state, "--log-zone: '%s' is not UTC or an offset such as +02:00", text);
	o->zone_known = true;
}

/* What is read, and how it is judged. */
static error_t cmd_analyze_parse_run(
	int key, char *arg, struct argp_state *state, struct request *r)
{
	static const char *const packets[] = {"none", "events", "all", NULL};
	static const char *const no_yes[] = {"no", "yes", NULL};
	int c;

	switch (key) {
	case 'o':
		r->o.output = arg;
		return 0;
	case KEY_FORCE:
		r->o.force = true;
		return 0;
	case KEY_SINCE:
		if (strcmp(arg, "last") != 0)
			argp_error(state, "--since: only 'last' is supported");
		r->o.since_last = true;
		return 0;
	case 'f':
		r->o.filter = arg;
		return 0;
	case KEY_FROM:
		cmd_analyze_parse_time(state, "--from", arg, &r->o.from_ns);
		return 0;
	case KEY_TO:
		cmd_analyze_parse_time(state, "--to", arg, &r->o.to_ns);
		return 0;
	case KEY_MEMORY:
		cmd_analyze_parse_memory(state, arg, &r->o.memory);
		return 0;
	case KEY_THREADS:
		cmd_analyze_parse_threads(state, arg, &r->o.threads);
		return 0;
	case KEY_PACKETS:
		c = cmd_analyze_choice(arg, packets);
		if (c < 0)
			argp_error(state, "--packets takes none, events or all, not '%s'", arg);
		r->o.packets = (enum packet_choice)c;
		return 0;
	case KEY_CONFINE:
		c = cmd_analyze_choice(arg, no_yes);
		if (c < 0)
			argp_error(state, "--confine takes yes or no, not '%s'", arg);
		r->o.confine = c;
		return 0;
	case KEY_SHA256:
		r->o.sha256 = true;
		return 0;
	case KEY_RULES:
		r->o.rules_dir = arg;
		return 0;
	case KEY_HOST:
		cmd_analyze_add_host(state, r, arg);
		return 0;
	case KEY_SCOPE:
		cmd_analyze_add_scope(state, r, arg);
		return 0;
	case KEY_FLOW_LOG_FORMAT:
		cmd_analyze_parse_flow_log_format(state, arg, r);
		return 0;
	case KEY_KEEP:
		cmd_analyze_parse_keep(state, arg, &r->o.flow_logs.keep);
		return 0;
	case KEY_LOG_YEAR:
		cmd_analyze_parse_year(state, arg, &r->o.logs.year);
		return 0;
	case KEY_LOG_ZONE:
		cmd_analyze_parse_zone(state, arg, &r->o.logs);
		return 0;
	case KEY_SET:
		cmd_analyze_add_text(&r->o.settings, &r->o.setting_count, &r->setting_cap, arg);
		return 0;
	case KEY_NAMES:
		cmd_analyze_add_text(
			&r->o.flow_logs.names, &r->o.flow_logs.name_count, &r->name_cap, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t cmd_analyze_parse(int key, char *arg, struct argp_state *state)
{
	static const char *const when[] = {"never", "always", "auto", NULL};
	static const char *const severities[] = {"critical", "warning", "notice", NULL};
	struct request *r = state->input;
	int c;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &r->terminal;
		return 0;
	case KEY_FORMAT:
		if (!cmd_analyze_report_writer(arg))
			argp_error(state, "unknown format '%s': text, json or md", arg);
		r->format = arg;
		return 0;
	case KEY_FAIL_ON:
		if (cmd_analyze_choice(arg, severities) < 0)
			argp_error(
				state, "--fail-on takes critical, warning, notice, not '%s'", arg);
		r->fail_on = arg;
		return 0;
	case KEY_NEW_ONLY:
		r->new_only = true;
		return 0;
	case KEY_PROGRESS:
		c = cmd_analyze_choice(arg, when);
		if (c < 0)
			argp_error(state, "--progress takes auto, always or never, not '%s'", arg);
		r->progress = c == 2 ? -1 : c;
		return 0;
	case 'q':
		r->quiet = true;
		return 0;
	case 'v':
		r->o.verbose = true;
		return 0;
	case ARGP_KEY_ARG:
		cmd_analyze_add_text(&r->o.inputs, &r->o.input_count, &r->input_cap, arg);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "missing captures (try: bothends analyze a=a.pcapng b=b.pcapng)");
		return 0;
	case ARGP_KEY_END:
		if (r->o.from_ns >= r->o.to_ns)
			argp_error(state, "--from must be before --to");
		return 0;
	default:
		return cmd_analyze_parse_run(key, arg, state, r);
	}
}

/* Findings at or above a severity. */
static int64_t cmd_analyze_count_findings(struct db *db, const char *severity, bool new_only)
{
	sqlite3_stmt *s;
	int64_t n = 0;

	if (sqlite3_prepare_v2(db->handle, schema_statement_findings_at, -1, &s, NULL) != SQLITE_OK)
		return 0;
	db_text(s, 1, severity);
	db_int(s, 2, new_only);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return n;
}

static int cmd_analyze_finish(const struct request *r, struct db *db, struct error *err)
{
	struct report_options o = report_terminal_options(stdout, r->o.output);
	int result = 0;

	cmd_terminal_apply(&r->terminal, &o);
	if (!r->quiet)
		result = cmd_analyze_report_writer(r->format)(db, stdout, &o, err);
	if (result)
		return result;
	return r->fail_on && cmd_analyze_count_findings(db, r->fail_on, r->new_only) ? EXIT_FINDINGS
										     : 0;
}

int cmd_analyze(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_analyze_parse, "[NAME=]INPUT...",
		"Matches captures from both ends of a connection (and from points between) by TCP "
		"sequence numbers, stores them in one SQLite file, and reports where packets were "
		"lost, in which direction, why, and how to fix it.\vINPUT is a pcap or pcapng "
		"capture or a cloud flow log, plain or compressed with gzip, zstd or xz, a folder "
		"of such files, a file of a host (log, command output, support archive), or - for "
		"standard input. NAME is the host; inputs "
		"with the same NAME are from one host.",
		cmd_terminal_children, NULL, NULL};
	struct request r = {.o = {.output = "incident.db",
				    .from_ns = INT64_MIN,
				    .to_ns = INT64_MAX,
				    .packets = PACKETS_EVENTS,
				    .confine = CONFINED_BY_DEFAULT,
				    .version = BOTHENDS_VERSION},
		.format = "text",
		.terminal = TERMINAL_CHOICE_NONE,
		.progress = -1};
	struct error err = ERROR_INIT;
	struct db db = {0};
	int result;

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	r.o.progress = r.progress < 0 ? isatty(STDERR_FILENO) : r.progress;
	unfinished_remove_on_signal();
	result = analyze_run(&r.o, &db, &err);
	if (result == 0)
		result = cmd_analyze_finish(&r, &db, &err);
	db_close(&db);
	free(r.o.inputs);
	free(r.o.settings);
	free(r.o.flow_logs.names);
	free(r.hosts);
	free(r.stated);
	free(r.scopes);
	if (result >= 0)
		return result;
	return cmd_failed("analyze", &err);
}
