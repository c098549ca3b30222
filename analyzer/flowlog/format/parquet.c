#include "flowlog/format/parquet.h"

#include <errno.h>
#include <string.h>

#include "base/strbuf.h"
#include "flowlog/format/aws.h"
#include "flowlog/format/duckdb_api.h"
#include "flowlog/format/flowlog.h"

/* As text whatever the column's type: one set of rules for what a value may be. */
static const char query[] = "SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)";
static const char limits[] =
	"SET memory_limit = '512MB'; SET threads = 2; SET autoinstall_known_extensions = false;"
	"SET autoload_known_extensions = false";

struct door {
	struct duckdb_api api;
	void *database, *connection, *statement;
	duckdb_result result;
};

static void parquet_close_door(struct door *d)
{
	d->api.duckdb_destroy_result(&d->result);
	d->api.duckdb_destroy_prepare(&d->statement);
	d->api.duckdb_disconnect(&d->connection);
	d->api.duckdb_close(&d->database);
	/* Not unloaded: its threads' own data may outlive the database. */
}

static const char *parquet_or_unknown(const char *text)
{
	return text ? text : "unknown error";
}

/* Starts the query. 0; 1: the file is damaged (problem in err); negative: DuckDB itself fails. */
static int parquet_open_door(struct door *d, const char *path, struct error *err)
{
	struct duckdb_api *a = &d->api;
	duckdb_result setup = {0};
	int r;

	if (a->duckdb_open(NULL, &d->database) != DUCKDB_SUCCESS ||
		a->duckdb_connect(d->database, &d->connection) != DUCKDB_SUCCESS)
		return error_set(err, -EIO, "cannot read '%s': DuckDB does not start", path);
	r = a->duckdb_query(d->connection, limits, &setup);
	if (r != DUCKDB_SUCCESS)
		(void)error_set(err, -EIO, "cannot read '%s': DuckDB: %s", path,
			parquet_or_unknown(a->duckdb_result_error(&setup)));
	a->duckdb_destroy_result(&setup);
	if (r != DUCKDB_SUCCESS)
		return -EIO;
	if (a->duckdb_prepare(d->connection, query, &d->statement) != DUCKDB_SUCCESS ||
		a->duckdb_bind_varchar(d->statement, 1, path) != DUCKDB_SUCCESS) {
		(void)error_set(
			err, 1, "%s", parquet_or_unknown(a->duckdb_prepare_error(d->statement)));
		return 1;
	}
	if (a->duckdb_execute_prepared_streaming(d->statement, &d->result) != DUCKDB_SUCCESS) {
		(void)error_set(
			err, 1, "%s", parquet_or_unknown(a->duckdb_result_error(&d->result)));
		return 1;
	}
	return 0;
}

/* The column names as a header line; false: they are not those of a flow log. */
static bool parquet_header(struct door *d, struct strbuf *line)
{
	struct layout layout;
	uint64_t n = d->api.duckdb_column_count(&d->result);

	for (uint64_t c = 0; c < n; c++) {
		const char *name = d->api.duckdb_column_name(&d->result, c);

		strbuf_printf(line, "%s%s", c ? " " : "", name ? name : "-");
	}
	return line->text && layout_parse(&layout, line->text, line->length) &&
	       layout.columns - layout.unknown >= 3;
}

static bool parquet_is_valid(const uint64_t *validity, uint64_t row)
{
	return !validity || (validity[row / 64] >> (row % 64) & 1);
}

/* A value as one word of a line: absent ones as -, blanks as %20 (as tags are encoded). */
static void parquet_add_word(struct strbuf *line, const duckdb_string_t *value, bool valid)
{
	uint32_t n = value->value.inlined.length;
	const char *text = n <= 12 ? value->value.inlined.inlined : value->value.pointer.pointer;

	if (line->length)
		strbuf_addc(line, ' ');
	if (!valid || !n) {
		strbuf_addc(line, '-');
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		if ((unsigned char)text[i] <= ' ')
			strbuf_printf(line, "%%%02x", (unsigned char)text[i]);
		else
			strbuf_addc(line, text[i]);
	}
}

static void parquet_take_chunk(
	struct door *d, void *chunk, struct aws_reader *aws, uint64_t *number, struct strbuf *line)
{
	uint64_t rows = d->api.duckdb_data_chunk_get_size(chunk);
	uint64_t columns = d->api.duckdb_column_count(&d->result);

	for (uint64_t row = 0; row < rows; row++) {
		strbuf_reset(line);
		for (uint64_t c = 0; c < columns; c++) {
			void *vector = d->api.duckdb_data_chunk_get_vector(chunk, c);
			const duckdb_string_t *values = d->api.duckdb_vector_get_data(vector);

			parquet_add_word(line, &values[row],
				parquet_is_valid(d->api.duckdb_vector_get_validity(vector), row));
		}
		aws_line(aws, ++*number, line->text, line->length, NULL);
	}
}

static int parquet_read_rows(struct door *d, struct flowlog_sink *sink)
{
	struct strbuf line CLEANUP_STRBUF = STRBUF_INIT;
	struct aws_reader *aws;
	uint64_t number = 0;
	void *chunk;

	if (!parquet_header(d, &line))
		return FLOWLOG_READ_NOT_OURS;
	aws = aws_reader_new(sink, NULL);
	aws_line(aws, 0, line.text, line.length, NULL);
	sink->account[FLOWLOG_LINE_HEADER] = 0; /* columns are no line */
	while ((chunk = d->api.duckdb_fetch_chunk(d->result))) {
		parquet_take_chunk(d, chunk, aws, &number, &line);
		d->api.duckdb_destroy_data_chunk(&chunk);
	}
	(void)aws_reader_free(aws);
	if (d->api.duckdb_result_error(&d->result))
		flowlog_malformed(sink, number + 1, "the file cannot be read on",
			d->api.duckdb_result_error(&d->result),
			strlen(d->api.duckdb_result_error(&d->result)));
	return 0;
}

int parquet_read(
	const char *path, const char *library, struct flowlog_sink *sink, struct error *err)
{
	struct door d = {0};
	struct error why = ERROR_INIT;
	int r;

	if (!strcmp(path, "-"))
		return error_set(
			err, -EINVAL, "cannot read Parquet from standard input; use a file");
	if (!duckdb_api_load(&d.api, library, err))
		return FLOWLOG_READ_NEEDS_DUCKDB;
	r = parquet_open_door(&d, path, &why);
	if (r == 0)
		r = parquet_read_rows(&d, sink);
	else if (r > 0) {
		flowlog_malformed(sink, 0, "not a Parquet file that DuckDB can read", why.text,
			strlen(why.text));
		r = 0;
	} else if (err)
		*err = why;
	parquet_close_door(&d);
	return r;
}
