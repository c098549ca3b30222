/*
 * cloudwatch: AWS records as messages in JSON: "aws logs" output, subscription payloads, Firehose.
 * docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/
 */
#pragma once

#include "flowlog/format/aws.h"
#include "read/source.h"

void cloudwatch_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink);
