/* ingest: reads the captures of one host into its vantage points: frames to segments in flows. */
#pragma once

#include "base/error.h"
#include "flow/dataset.h"

struct filter;

struct ingest_options {
	struct filter *filter;	/* NULL: everything */
	int64_t from_ns, to_ns; /* INT64_MIN, INT64_MAX: no limit */
	bool sha256;
	uint32_t flow_limit; /* of all hosts; each has its share */
	/* Bytes read so far, for progress; added to now and then. May be NULL. */
	_Atomic uint64_t *progress;
};

/*
 * Reads all captures of a host in order. A host's vantages are made on the way and are private to
 * it until gather_vantages() gathers them. Damage is data; negative: the filter does not compile,
 * a file vanished.
 */
struct host_reading;
struct host_reading *ingest_host(struct dataset *data, uint32_t host,
	const struct ingest_options *options, int *ret_result, struct error *err);

/* Moves the vantage points of all readings into data->vantages and numbers them. */
void gather_vantages(struct dataset *data, struct host_reading **readings);
