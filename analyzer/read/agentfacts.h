/*
 * agentfacts: what an agent recorded about its host, from the comments of a capture or from a
 * sidecar file. docs/facts.md is the format. It says what stands there, not what it means.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AGENTFACTS_UNDATED INT64_MIN /* the time is not known */

/*
 * One fact; the texts are valid during the call only. An agent leaves all but the first three at 0;
 * hostfile/ gives facts of a host's files in the same form.
 */
struct agent_fact {
	int64_t at_ns;	   /* the host's CLOCK_REALTIME, or AGENTFACTS_UNDATED */
	const char *key;   /* words joined with dots, as written (%HH not undone) */
	const char *value; /* unescaped; never holds a NUL */
	int64_t within_ns; /* it is at most so much later: of sources that cut their times */
	const char
		*written; /* the time as the source has it, where at_ns is not known; else NULL */
	uint32_t file;	  /* row of host_file; 0: none */
	uint64_t line;	  /* there, from 1; 0: none */
};

typedef void agentfacts_sink(void *context, const struct agent_fact *fact);

/* What became of the lines; grows over calls. */
struct agentfacts_count {
	uint64_t facts;	    /* given to the sink */
	uint64_t malformed; /* lines that are none */
	uint64_t torn;	    /* last lines without their end */
};

enum agentfacts_result {
	AGENTFACTS_OK = 0,
	AGENTFACTS_NOT_OURS = 1, /* another comment, or a version of the format that is not known */
};

/* A comment of size bytes; gives its facts in order. */
int agentfacts_comment(const char *text, size_t size, agentfacts_sink *sink, void *context,
	struct agentfacts_count *count);

/* The bytes of a sidecar: one JSON object a line. Lines that are none are counted and skipped. */
void agentfacts_sidecar(const char *bytes, size_t size, agentfacts_sink *sink, void *context,
	struct agentfacts_count *count);

/* Whether a file that begins with these bytes is a sidecar. */
bool agentfacts_recognise(const char *bytes, size_t size);

/*
 * The value of one word of a value made of words ("ip=10.0.1.90 state=STALE"): false when it is
 * missing or longer than size - 1 bytes. to_end takes the rest of the value, blanks and all.
 */
bool agentfacts_word(const char *value, const char *name, bool to_end, char *ret_text, size_t size);

/* As agentfacts_word, as a whole decimal number. */
bool agentfacts_number(const char *value, const char *name, int64_t *ret_number);

/* Part i (from 0) of a key at its dots, with %HH undone; false when it is missing or too long. */
bool agentfacts_key_part(const char *key, unsigned part, char *ret_text, size_t size);

/* The path of the sidecar of a capture: caller frees. Compressed captures share the plain one's. */
char *agentfacts_sidecar_path(const char *capture_path);
