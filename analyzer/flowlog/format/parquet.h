/*
 * parquet: AWS flow logs as Parquet, read through DuckDB's C library, which is loaded when the
 * first such file is met and not needed otherwise. Columns are found by name; types are whatever
 * the writer chose.
 */
#pragma once

#include "base/error.h"
#include "flowlog/format/record.h"

/*
 * library: path of libduckdb.so, or NULL: BOTHENDS_DUCKDB, then the loader's own search. Returns 0,
 * FLOWLOG_READ_NOT_OURS or FLOWLOG_READ_NEEDS_DUCKDB (flowlog.h), or negative with err set.
 */
int parquet_read(
	const char *path, const char *library, struct flowlog_sink *sink, struct error *err);
