/*
 * cloudwatch: metrics of an instance as the AWS command line prints them: get-metric-statistics and
 * get-metric-data. They do not name the length of their periods: it is the least distance between
 * two points.
 */
#pragma once

#include "hostfile/recognise.h"

bool cloudwatch_recognise(const struct hostfile_head *head);
void cloudwatch_parse(struct reader *r, struct collection *c);
