/*
 * aws: the lines of AWS VPC and transit gateway flow logs, in any layout, from any container: S3
 * text with headers (also repeated ones), CloudWatch export lines with a time in front, and the
 * messages inside JSON. One line in, one record out, or a reason why not.
 *
 * docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html
 */
#pragma once

#include "flowlog/format/aws_layout.h"
#include "flowlog/format/record.h"
#include "flowlog/format/value.h"

struct aws_reader;

/* format: a LogFormat string that was checked with layout_parse(), or NULL for the default layout.
 */
struct aws_reader *aws_reader_new(struct flowlog_sink *sink, const char *format);
struct aws_reader *aws_reader_free(struct aws_reader *r); /* NULL is fine; returns NULL */

/*
 * One line without its newline: a header, a record or anything else; counts it and hands it on.
 * stream: the log stream it came from, which names the interface where the layout does not; or
 * NULL.
 */
void aws_line(struct aws_reader *r, uint64_t number, const char *text, size_t n,
	const struct flowlog_text *stream);

/*
 * One row of named columns: the names as a header with commas, the values as a line of them in that
 * order, each in quotes.
 */
void aws_row(struct aws_reader *r, uint64_t number, const struct flowlog_text *names,
	const struct flowlog_text *values);

/* Whether a line is a header or a record in the default layouts (with or without a time in front).
 */
enum aws_guess { AWS_NEITHER, AWS_VPC, AWS_TRANSIT_GATEWAY, AWS_EXPORT };
enum aws_guess aws_guess_line(const char *text, size_t n);
