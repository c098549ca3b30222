/* flowlog: any bytes as an export of each text format in turn; looks at every text it hands on. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "flowlog/format/flowlog.h"
#include "flowlog/format/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sum; /* so that no read is left out */

static void touch(struct flowlog_text t)
{
	for (size_t i = 0; i < t.length; i++)
		sum = sum ^ (uint8_t)t.at[i];
}

static void on_record(void *context, const struct flowlog_record *r)
{
	(void)context;
	touch(r->account);
	touch(r->interface);
	touch(r->src.text);
	touch(r->dst.text);
	touch(r->pkt_src.text);
	touch(r->pkt_dst.text);
	touch(r->detail);
	assert(r->src_port >= -1 && r->src_port <= 65535 && r->dst_port >= -1 &&
		r->dst_port <= 65535);
	assert(r->protocol >= -1 && r->protocol <= 255);
	assert(r->start_ns == FLOWLOG_NONE || r->end_ns == FLOWLOG_NONE ||
		r->start_ns <= r->end_ns);
	assert(r->status != FLOWLOG_OK || (r->src.text.length && r->dst.text.length));
}

static void on_problem(void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	(void)context, (void)line;
	assert(reason[0]);
	for (size_t i = 0; i < n; i++)
		sum = sum ^ ((const uint8_t *)text)[i];
}

static void read_as(const char *path, enum flowlog_format format)
{
	struct flowlog_sink sink = {.record = on_record, .problem = on_problem};
	struct fingerprints seen = {0};
	const struct flowlog_read_options options = {.seen = &seen};
	struct error err = ERROR_INIT;
	struct source *s;

	if (source_open(&s, path, false, &err) < 0)
		abort();
	(void)flowlog_recognise_source(s, "${srcaddr} ${dstaddr}");
	if (flowlog_read(s, path, format, &options, &sink, &err) != 0)
		abort();
	(void)source_close(s);
	fingerprints_release(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum flowlog_format formats[] = {FLOWLOG_AWS, FLOWLOG_AWS_TGW,
		FLOWLOG_AWS_ROWS, FLOWLOG_CLOUDWATCH_JSON, FLOWLOG_GCP, FLOWLOG_AZURE_NSG};
	char path[64];
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	(void)flowlog_recognise(data, size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		read_as(path, formats[i]);
	(void)close(fd);
	return 0;
}
