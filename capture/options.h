/* options: the agent's options, from the command line and a configuration file. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ring.h"
#include "source_drops.h"

#define OPTIONS_SOURCES 32

struct options {
	const char *interfaces[OPTIONS_SOURCES]; /* "auto": see source selection in agent.c */
	uint32_t interface_count;
	uint16_t groups[OPTIONS_SOURCES];
	uint32_t group_count;
	struct source_settings source; /* the same for all sources */
	struct drops_settings drops;
	const char *output;
	struct ring_limits ring;
	uint64_t file_size;
	int64_t file_age_ns;
	int64_t pre_trigger_ns; /* 0: no pre-trigger */
	int64_t flush_ns, interval_ns, heartbeat_ns;
	int64_t duration_ns; /* 0: until stopped */
	uint64_t min_free;
	const char *user, *root, *name, *config; /* NULL: not given */
	bool confine, facts, quiet;
	char *owned[256]; /* strings from the configuration file */
	uint32_t owned_count;
};

/* Parses the command line and --config. Exits with one line and status 2 on errors, 0 on --help. */
void options_parse(struct options *o, int argc, char **argv);
void options_release(struct options *o);

/* A time such as "10m", "1.5s", "250ms", "2h", "1d". false: invalid. */
bool options_span(const char *text, int64_t *ret_ns);
