/* options: what the agent was asked to do, from flags and a configuration file with the same names.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ring.h"
#include "source.h"

#define OPTIONS_SOURCES 32

struct options {
	const char *
		interfaces[OPTIONS_SOURCES]; /* "auto": each that is up and leads out of the host */
	uint32_t interface_count;
	uint16_t groups[OPTIONS_SOURCES];
	uint32_t group_count;
	struct source_settings source; /* the same for all */
	const char *output;
	struct ring_limits ring;
	uint64_t file_size;
	int64_t file_age_ns;
	int64_t pre_trigger_ns; /* 0: no pre-trigger */
	int64_t flush_ns, interval_ns, heartbeat_ns;
	int64_t duration_ns; /* 0: until told to stop */
	uint64_t min_free;
	const char *user, *root, *name, *config; /* NULL: not given */
	bool confine, facts, quiet;
	char *owned[256]; /* texts from the configuration file */
	uint32_t owned_count;
};

/* Parses flags (and --config). Bad ones end the program with one line and status 2, --help with 0.
 */
void options_parse(struct options *o, int argc, char **argv);
void options_release(struct options *o);

/* "10m", "1.5s", "250ms", "2h", "1d": a span. false: not one. */
bool options_span(const char *text, int64_t *ret_ns);
