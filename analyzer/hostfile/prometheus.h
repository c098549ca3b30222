/*
 * prometheus: metrics of node_exporter, as it exposes them (text) and as Prometheus answers a query
 * or query_range (JSON). An exposition's own node_time_seconds is its time.
 */
#pragma once

#include "hostfile/recognise.h"

bool prometheus_text_recognise(const struct hostfile_head *head);
void prometheus_text_parse(struct reader *r, struct collection *c);

bool prometheus_json_recognise(const struct hostfile_head *head);
void prometheus_json_parse(struct reader *r, struct collection *c);
