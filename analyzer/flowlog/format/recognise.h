/* recognise: which flow-log format a file's content is, from its first decompressed bytes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum flowlog_format {
	FLOWLOG_NOT_FLOWLOG = 0,
	FLOWLOG_AWS,		 /* text: VPC */
	FLOWLOG_AWS_TGW,	 /* text: transit gateway */
	FLOWLOG_AWS_ROWS,	 /* JSON objects with a member for each column */
	FLOWLOG_CLOUDWATCH,	 /* text: an export task's lines with a time in front */
	FLOWLOG_CLOUDWATCH_JSON, /* events with messages: command line, subscription, Firehose */
	FLOWLOG_PARQUET,	 /* PAR1; whether it holds flow logs only its columns tell */
	FLOWLOG_GCP,
	FLOWLOG_AZURE_NSG,
	FLOWLOG_AZURE_VNET,
};

#define FLOWLOG_RECOGNISE_BYTES (64u << 10) /* more are not looked at */

enum flowlog_format flowlog_recognise(const uint8_t *bytes, size_t n);

/* As log_file.format has it: "aws", "aws-tgw", "cloudwatch", "parquet", "gcp" ...; NULL for none.
 */
const char *flowlog_format_name(enum flowlog_format format);
