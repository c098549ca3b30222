/*
 * host_files: what is told about each host beside its packets: comments and sidecars of an agent,
 * listings of neighbours, and what was collected of its logs and commands.
 */
#pragma once

#include "hostfile/collection.h"
#include "run/plan.h"
#include "store/db.h"

/* Rows of host facts and host files, of all hosts in data. */
int host_files_store(struct db *db, const struct plan *plan, const struct dataset *data,
	const struct collection_options *options, struct error *err);
