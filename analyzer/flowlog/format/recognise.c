#include "flowlog/format/recognise.h"

#include <string.h>

#include "flowlog/format/aws.h"
#include "flowlog/format/pubsub.h"

#define LINES_LOOKED_AT 50

const char *flowlog_format_name(enum flowlog_format format)
{
	switch (format) {
	case FLOWLOG_AWS:
	case FLOWLOG_AWS_ROWS:
		return "aws";
	case FLOWLOG_AWS_TGW:
		return "aws-tgw";
	case FLOWLOG_CLOUDWATCH:
	case FLOWLOG_CLOUDWATCH_JSON:
		return "cloudwatch";
	case FLOWLOG_PARQUET:
		return "parquet";
	case FLOWLOG_GCP:
		return "gcp";
	case FLOWLOG_AZURE_NSG:
		return "azure-nsg";
	case FLOWLOG_AZURE_VNET:
		return "azure-vnet";
	case FLOWLOG_NOT_FLOWLOG:
		break;
	}
	return NULL;
}

static bool recognise_contains(const uint8_t *bytes, size_t n, const char *text)
{
	return bytes && memmem(bytes, n, text, strlen(text)) != NULL;
}

/*
 * Names that only these clouds write. A file whose first object is longer than what is looked at
 * may lack the one name; each format has two that come early.
 */
static enum flowlog_format recognise_json(const uint8_t *bytes, size_t n)
{
	if (recognise_contains(bytes, n, "FlowLogFlowEvent\"") ||
		recognise_contains(bytes, n, "\"flowRecords\""))
		return FLOWLOG_AZURE_VNET;
	if (recognise_contains(bytes, n, "NetworkSecurityGroupFlowEvent\"") ||
		recognise_contains(bytes, n, "\"flowTuples\""))
		return FLOWLOG_AZURE_NSG;
	if (recognise_contains(bytes, n, "\"jsonPayload\"") &&
		(recognise_contains(bytes, n, "vpc_flows") ||
			recognise_contains(bytes, n, "\"connection\"")))
		return FLOWLOG_GCP;
	/* the payload alone, as pipelines pass it on */
	if (recognise_contains(bytes, n, "\"connection\"") &&
		recognise_contains(bytes, n, "\"src_ip\"") &&
		recognise_contains(bytes, n, "\"reporter\""))
		return FLOWLOG_GCP;
	if (pubsub_recognise(bytes, n))
		return FLOWLOG_GCP;
	if (recognise_contains(bytes, n, "\"logEvents\"") ||
		recognise_contains(bytes, n, "\"searchedLogStreams\"") ||
		recognise_contains(bytes, n, "\"nextForwardToken\"") ||
		recognise_contains(bytes, n, "\"message\""))
		return FLOWLOG_CLOUDWATCH_JSON;
	if (recognise_contains(bytes, n, "\"srcaddr\"") &&
		recognise_contains(bytes, n, "\"dstaddr\""))
		return FLOWLOG_AWS_ROWS;
	return FLOWLOG_NOT_FLOWLOG;
}

static enum flowlog_format recognise_format_of(enum aws_guess guess)
{
	switch (guess) {
	case AWS_VPC:
		return FLOWLOG_AWS;
	case AWS_TRANSIT_GATEWAY:
		return FLOWLOG_AWS_TGW;
	case AWS_EXPORT:
		return FLOWLOG_CLOUDWATCH;
	case AWS_NEITHER:
		break;
	}
	return FLOWLOG_NOT_FLOWLOG;
}

/* A header or a record among the first lines; blank and broken ones may come before it. */
static enum flowlog_format recognise_text(const uint8_t *bytes, size_t n)
{
	const uint8_t *p = bytes, *end = bytes + n;

	for (int i = 0; i < LINES_LOOKED_AT && p < end; i++) {
		const uint8_t *nl = memchr(p, '\n', (size_t)(end - p));
		const uint8_t *to = nl ? nl : end;
		enum aws_guess guess = aws_guess_line((const char *)p, (size_t)(to - p));

		if (guess != AWS_NEITHER)
			return recognise_format_of(guess);
		if (!nl)
			break;
		p = nl + 1;
	}
	return FLOWLOG_NOT_FLOWLOG;
}

static bool recognise_is_space(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == 0x1e;
}

enum flowlog_format flowlog_recognise(const uint8_t *bytes, size_t n)
{
	if (n > FLOWLOG_RECOGNISE_BYTES)
		n = FLOWLOG_RECOGNISE_BYTES;
	if (n >= 4 && !memcmp(bytes, "PAR1", 4))
		return FLOWLOG_PARQUET;
	if (n >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		n -= 3;
	}
	while (n && recognise_is_space(*bytes)) {
		bytes++;
		n--;
	}
	if (!n)
		return FLOWLOG_NOT_FLOWLOG;
	return *bytes == '{' || *bytes == '[' ? recognise_json(bytes, n) : recognise_text(bytes, n);
}
