/* dataset: hosts, captures and vantage points of a run. */
#pragma once

#include "flow/vantage.h"

/* Everything a run has read; filled by plan_hosts(), ingest_host() and gather_vantages(). */
struct dataset {
	struct host *hosts;
	uint32_t host_count, host_cap;
	struct vantage *vantages; /* in order of host, then of appearance; ids follow */
	uint32_t vantage_count;
	struct capture *captures;
	uint32_t capture_count, capture_cap;
	struct arena_budget *budget;
};

void dataset_release(struct dataset *data);
