/*
 * gcp: VPC flow logs of Google Cloud: LogEntry objects, one a line or in an array. Their counts are
 * estimates from sampled packets, so presence is evidence and absence is none.
 * cloud.google.com/vpc/docs/about-flow-logs-records
 */
#pragma once

#include "flowlog/format/record.h"
#include "flowlog/format/fingerprints.h"
#include "read/source.h"

void gcp_read(struct source *s, struct fingerprints *seen, struct flowlog_sink *sink);
