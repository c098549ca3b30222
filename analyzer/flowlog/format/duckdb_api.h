/*
 * duckdb_api: the few functions of DuckDB's stable C API that are used, declared from its
 * documentation (duckdb.org/docs/stable/clients/c/api) and found in the library at run time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

typedef struct {
	uint64_t deprecated_column_count;
	uint64_t deprecated_row_count;
	uint64_t deprecated_rows_changed;
	void *deprecated_columns;
	char *deprecated_error_message;
	void *internal_data;
} duckdb_result;

/* Text of a VARCHAR vector: up to 12 bytes stand in place, longer ones behind the pointer. */
typedef struct {
	union {
		struct {
			uint32_t length;
			char prefix[4];
			char *pointer;
		} pointer;
		struct {
			uint32_t length;
			char inlined[12];
		} inlined;
	} value;
} duckdb_string_t;

enum { DUCKDB_SUCCESS = 0 };

/* One entry for each function: result, name, arguments. */
#define DUCKDB_FUNCTIONS(X)                                                                        \
	X(int, duckdb_open, (const char *path, void **out_database))                               \
	X(void, duckdb_close, (void **database))                                                   \
	X(int, duckdb_connect, (void *database, void **out_connection))                            \
	X(void, duckdb_disconnect, (void **connection))                                            \
	X(int, duckdb_query, (void *connection, const char *query, duckdb_result *out_result))     \
	X(void, duckdb_destroy_result, (duckdb_result * result))                                   \
	X(const char *, duckdb_result_error, (duckdb_result * result))                             \
	X(const char *, duckdb_column_name, (duckdb_result * result, uint64_t column))             \
	X(uint64_t, duckdb_column_count, (duckdb_result * result))                                 \
	X(int, duckdb_prepare, (void *connection, const char *query, void **out_statement))        \
	X(void, duckdb_destroy_prepare, (void **statement))                                        \
	X(const char *, duckdb_prepare_error, (void *statement))                                   \
	X(int, duckdb_bind_varchar, (void *statement, uint64_t index, const char *value))          \
	X(int, duckdb_execute_prepared_streaming, (void *statement, duckdb_result *out_result))    \
	X(void *, duckdb_fetch_chunk, (duckdb_result result))                                      \
	X(void, duckdb_destroy_data_chunk, (void **chunk))                                         \
	X(uint64_t, duckdb_data_chunk_get_size, (void *chunk))                                     \
	X(void *, duckdb_data_chunk_get_vector, (void *chunk, uint64_t column))                    \
	X(void *, duckdb_vector_get_data, (void *vector))                                          \
	X(uint64_t *, duckdb_vector_get_validity, (void *vector))

struct duckdb_api {
	void *handle;
#define DUCKDB_MEMBER(result, name, arguments) result(*name) arguments;
	DUCKDB_FUNCTIONS(DUCKDB_MEMBER)
#undef DUCKDB_MEMBER
};

/* False: it is not there, or lacks a function; err has the line that says how to get it. */
bool duckdb_api_load(struct duckdb_api *ret, const char *library, struct error *err);
void duckdb_api_unload(struct duckdb_api *api);
