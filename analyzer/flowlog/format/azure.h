/*
 * azure: NSG flow logs (versions 1 and 2) and VNet flow logs (version 4): records of one minute and
 * one NIC, with tuples that count both directions of a flow since its last record.
 * MicrosoftDocs azure-docs: network-watcher/vnet-flow-logs-overview.md, nsg-flow-logs-overview.md
 */
#pragma once

#include "flowlog/format/record.h"
#include "flowlog/format/fingerprints.h"
#include "read/source.h"

void azure_read(struct source *s, struct fingerprints *seen, struct flowlog_sink *sink);

/*
 * One tuple. version 1, 2 (NSG) or 4 (VNet). On success one record, or two where packets came back,
 * go to the sink; NULL, or what is wrong with it.
 */
const char *azure_tuple(struct flowlog_sink *sink, uint64_t number, int version,
	struct flowlog_text mac, struct flowlog_text rule, const char *tuple, size_t n);
