/* plan: recognises the inputs of a command line and groups them: hosts with their captures in order
 * of time. */
#pragma once

#include "base/error.h"
#include "flow/ingest.h"
#include "read/inputs.h"

enum plan_kind {
	PLAN_CAPTURE,
	PLAN_NEIGHBORS,
	PLAN_AGENT_FACTS,
	PLAN_FLOW_LOG,
	PLAN_HOST_FILE,
	PLAN_UNKNOWN, /* of no known kind, in a folder that was given for a host */
};

struct plan_input {
	char *path;
	char *name; /* of its host; NULL: none was given and none is needed */
	enum plan_kind kind;
	uint32_t collection;	/* number of the folder or archive it came with; 0: a single file */
	bool named_file;	/* on the command line; false: found in a folder */
	bool named_host;	/* NAME= was given */
	bool named_by_path;	/* neither NAME= nor the file itself says whose it is */
	uint64_t device, inode; /* 0: not known */
	bool regular;		/* a file that can be opened again; not standard input, no pipe */
	int64_t first_ns;	/* captures: time of the first frame; INT64_MAX: none */
	uint64_t stored_size;
	struct capfile *open; /* kept where it cannot be opened again */
};

struct plan {
	struct plan_input *inputs;
	uint32_t count, cap;
	bool flow_logs_without_header; /* set before: a format was given, so any other text is a
					  flow log */
	uint32_t skipped; /* files in folders that are of no known kind, empty or given already */
	uint32_t collections; /* folders and archives */
	uint64_t total_bytes;
};

/* The files of a command line, before any is opened. */
struct plan_list {
	struct plan_argument {
		const char *text; /* [NAME=]PATH */
		char *name;	  /* that NAME= gives; NULL: none */
		const char *path; /* the rest of text */
		struct inputs files;
	} * arguments;
	int count;
};

/* inputs: [NAME=]PATH; folders are walked. Negative with err set: one cannot be read. Released with
 * plan_list_release(), also after a failure. */
int plan_list(struct plan_list *l, char **inputs, int count, struct error *err);
void plan_list_release(struct plan_list *l);

/*
 * Opens every file of the list as far as needed to recognise it. Negative with
 * err set: an input named on the command line is missing, empty, given twice or of no known kind.
 * p is zeroed but for flow_logs_without_header.
 */
int plan_make(struct plan *p, const struct plan_list *l, struct error *err);
void plan_release(struct plan *p);

/* Negative with err set when the output would take the place of an input. */
int plan_spares_inputs(const struct plan *p, const char *output, struct error *err);

/* Hosts in order of name, captures in order of time, into an empty network. */
void plan_hosts(struct plan *p, struct dataset *data);
