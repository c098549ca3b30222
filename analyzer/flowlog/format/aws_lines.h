/* aws_lines: AWS records as lines of text. */
#pragma once

#include "flowlog/format/aws.h"
#include "read/source.h"

#define LINES_MAX (64u << 10) /* a longer line is malformed; it is skipped, not buffered */

/* Reads to the end of the content. A last line that a damaged file cuts is malformed. */
void lines_read(struct source *s, struct aws_reader *aws, struct flowlog_sink *sink);
