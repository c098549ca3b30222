/*
 * flowlog: one flow-log export of any format, read into a sink.
 */
#pragma once

#include "base/error.h"
#include "flowlog/format/recognise.h"
#include "flowlog/format/record.h"
#include "flowlog/format/fingerprints.h"
#include "read/source.h"

struct flowlog_read_options {
	const char *format; /* LogFormat of logs without a header ("${version} ..."); NULL: the
			       default one */
	const char *duckdb; /* path of libduckdb.so; NULL: where the loader finds it */
	struct fingerprints *seen; /* entries of earlier files; required */
};

enum flowlog_read_result {
	FLOWLOG_READ_OK = 0,
	FLOWLOG_READ_NOT_OURS = 1,     /* a Parquet file without the columns of a flow log */
	FLOWLOG_READ_NEEDS_DUCKDB = 2, /* err has the line that says how to get it */
};

/* Whether a LogFormat string can be used; err has the line that says what is wrong. */
int flowlog_check_format(const char *format, struct error *err);

/*
 * What a source holds; it stays where it is. With a format given, text that is no known layout is
 * AWS text if its first line parses by it.
 */
enum flowlog_format flowlog_recognise_source(struct source *s, const char *format);

/*
 * Reads everything the source holds. path is used for Parquet, which is not read as a stream.
 * Damage is no failure: s->failure has it, and the account what could be read.
 */
int flowlog_read(struct source *s, const char *path, enum flowlog_format format,
	const struct flowlog_read_options *options, struct flowlog_sink *sink, struct error *err);
