/* aws_rows: AWS records as JSON objects with a member for each column, as queries write them. */
#pragma once

#include "flowlog/format/aws.h"
#include "read/source.h"

void aws_rows_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink);
