#include "flowlog/format/flowlog.h"

#include <errno.h>
#include <string.h>

#include "flowlog/format/aws.h"
#include "flowlog/format/azure.h"
#include "flowlog/format/cloudwatch.h"
#include "flowlog/format/gcp.h"
#include "flowlog/format/aws_layout.h"
#include "flowlog/format/aws_lines.h"
#include "flowlog/format/aws_rows.h"
#include "flowlog/format/parquet.h"

int flowlog_check_format(const char *format, struct error *err)
{
	struct layout layout;

	if (!layout_parse(&layout, format, strlen(format)))
		return error_set(err, -EINVAL,
			"'%.80s' is not a flow-log format; use the LogFormat shown by "
			"describe-flow-logs: "
			"'${version} ${interface-id} ...'",
			format);
	return 0;
}

/* A line that a format makes a record of, for recognising text without a header. */
struct probe {
	struct flowlog_sink sink;
	bool hit;
};

static void flowlog_probe_record(void *context, const struct flowlog_record *record)
{
	(void)record;
	((struct probe *)context)->hit = true;
}

static void flowlog_probe_problem(
	void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	(void)context, (void)line, (void)reason, (void)text, (void)n;
}

static bool flowlog_fits_format(const uint8_t *bytes, size_t n, const char *format)
{
	const uint8_t *nl = memchr(bytes, '\n', n);
	struct probe p = {
		.sink = {.record = flowlog_probe_record, .problem = flowlog_probe_problem}};
	struct aws_reader *aws = aws_reader_new(&p.sink, format);

	p.sink.context = &p;
	aws_line(aws, 1, (const char *)bytes, nl ? (size_t)(nl - bytes) : n, NULL);
	(void)aws_reader_free(aws);
	return p.hit;
}

enum flowlog_format flowlog_recognise_source(struct source *s, const char *format)
{
	size_t n = source_need(s, FLOWLOG_RECOGNISE_BYTES);
	enum flowlog_format found = flowlog_recognise(s->window.at, n);

	if (found == FLOWLOG_NOT_FLOWLOG && format && n &&
		flowlog_fits_format(s->window.at, n, format))
		return FLOWLOG_AWS;
	return found;
}

int flowlog_read(struct source *s, const char *path, enum flowlog_format format,
	const struct flowlog_read_options *options, struct flowlog_sink *sink, struct error *err)
{
	const char *layout = options->format;
	struct aws_reader *aws;

	switch (format) {
	case FLOWLOG_PARQUET:
		return parquet_read(path, options->duckdb, sink, err);
	case FLOWLOG_GCP:
		gcp_read(s, options->seen, sink);
		return 0;
	case FLOWLOG_AZURE_NSG:
	case FLOWLOG_AZURE_VNET:
		azure_read(s, options->seen, sink);
		return 0;
	case FLOWLOG_AWS:
	case FLOWLOG_AWS_TGW:
	case FLOWLOG_AWS_ROWS:
	case FLOWLOG_CLOUDWATCH:
	case FLOWLOG_CLOUDWATCH_JSON:
	case FLOWLOG_NOT_FLOWLOG: /* the reader says what is wrong, line by line */
		break;
	}
	/* Where there is no header (CloudWatch), the default layout stands in for it. */
	if (!layout && format == FLOWLOG_AWS_TGW)
		layout = layout_transit_gateway;
	aws = aws_reader_new(sink, layout);
	if (format == FLOWLOG_CLOUDWATCH_JSON)
		cloudwatch_read(s, aws, sink);
	else if (format == FLOWLOG_AWS_ROWS)
		aws_rows_read(s, aws, sink);
	else
		lines_read(s, aws, sink);
	(void)aws_reader_free(aws);
	return 0;
}
