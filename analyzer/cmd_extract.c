/* bothends extract: the frames that prove a finding, as a pcapng for Wireshark. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/outfile.h"
#include "cmd.h"
#include "report/extract.h"

enum { KEY_SOURCE = 256, KEY_CONTEXT, KEY_FORCE, KEY_SOURCE_ONLY };

static const struct argp_option options[] = {
	{"output", 'o', "FILE", 0, "pcapng to write (default finding-N.pcapng; -: standard output)",
		0},
	{"source", KEY_SOURCE, "FOLDER", 0,
		"search FOLDER for captures that are no longer at their path", 0},
	{"source-only", KEY_SOURCE_ONLY, NULL, 0,
		"open no file outside --source (for untrusted databases)", 0},
	{"context", KEY_CONTEXT, NULL, 0,
		"add the stored packets of the flows in the evidence, without comments", 0},
	{"force", KEY_FORCE, NULL, 0, "replace the output if bothends extract wrote it", 0},
	{0},
};

struct request {
	const char *database, *output;
	struct extract_options o;
	bool force;
};

static void cmd_extract_take_argument(struct argp_state *state, struct request *r, const char *arg)
{
	char *end;

	if (!r->database) {
		r->database = arg;
		return;
	}
	if (r->o.finding)
		argp_error(state, "unexpected argument '%s': one finding at a time", arg);
	errno = 0;
	r->o.finding = strtoll(arg, &end, 10);
	if (errno || end == arg || *end || r->o.finding <= 0)
		argp_error(state, "'%s' is not a finding number", arg);
}

static error_t cmd_extract_parse(int key, char *arg, struct argp_state *state)
{
	struct request *r = state->input;

	switch (key) {
	case 'o':
		r->output = arg;
		return 0;
	case KEY_SOURCE:
		r->o.source = arg;
		return 0;
	case KEY_SOURCE_ONLY:
		r->o.source_only = true;
		return 0;
	case KEY_CONTEXT:
		r->o.context = true;
		return 0;
	case KEY_FORCE:
		r->force = true;
		return 0;
	case ARGP_KEY_ARG:
		cmd_extract_take_argument(state, r, arg);
		return 0;
	case ARGP_KEY_END:
		if (!r->database || !r->o.finding)
			argp_error(state, "missing database or finding number (try: bothends "
					  "extract incident.db 1)");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

struct writing {
	struct db *db;
	const struct request *request;
	struct extract_counts *counts;
};

static int cmd_extract_write_frames(void *context, FILE *f, struct error *err)
{
	const struct writing *w = context;

	return extract_write(w->db, f, &w->request->o, w->counts, err);
}

static int cmd_extract_to_file(const struct request *r, struct db *db, const char *path,
	struct extract_counts *counts, struct error *err)
{
	struct writing w = {.db = db, .request = r, .counts = counts};

	struct stat st;

	if (!r->force && stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return error_set(err, -EEXIST,
			"'%s' exists; use --force to replace it, or another --output", path);
	/* Frames are for nobody else. */
	return outfile_write(&(struct outfile){.path = path,
				     .mode = 0600,
				     .what = "a file that bothends extract wrote",
				     .is_what = extract_is_extract,
				     .write = cmd_extract_write_frames,
				     .context = &w},
		err);
}

static int cmd_extract_run(const void *request, struct db *db, struct error *err)
{
	const struct request *r = request;
	CLEANUP_FREE char *path =
		r->output ? mem_strdup(r->output)
			  : mem_printf("finding-%lld.pcapng", (long long)r->o.finding);
	struct extract_counts counts;
	int result;

	if (strcmp(path, "-") == 0)
		return extract_write(db, stdout, &r->o, &counts, err);
	result = cmd_extract_to_file(r, db, path, &counts, err);
	if (result == 0)
		(void)fprintf(stderr, "%s: %llu frame%s from %llu capture%s\n", path,
			(unsigned long long)counts.frames, counts.frames == 1 ? "" : "s",
			(unsigned long long)counts.files, counts.files == 1 ? "" : "s");
	return result;
}

int cmd_extract(int argc, char **argv)
{
	static const struct argp argp = {options, cmd_extract_parse, "DB FINDING",
		"Writes the frames that prove a finding to a pcapng file: all vantage points "
		"merged "
		"on one clock, with a comment on each frame.",
		NULL, NULL, NULL};
	struct request r = {0};

	if (cmd_parse(&argp, argc, argv, 0, &r))
		return EXIT_USAGE;
	return cmd_with_database("extract", db_open, r.database, cmd_extract_run, &r);
}
