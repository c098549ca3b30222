/* rows: flow-log records as rows of flow_log. */
#pragma once

#include "flowlog/format/record.h"
#include "store/bulk.h"
#include "store/db.h"
#include "flowlog/tuples.h"

/* Writes the row; vantage_id DB_NONE: none. */
void flowlog_row(struct bulk *bulk, const struct flowlog_record *rec, int64_t log_file_id,
	int64_t vantage_id);

/* The same by an INSERT, for rows that are few. */
void flowlog_row_insert(
	struct db *db, const struct flowlog_record *rec, int64_t log_file_id, int64_t vantage_id);

/* The record as the joins need it; false: it takes no part (no addresses, no times, no counts). */
bool flowlog_tuple(const struct flowlog_record *rec, int64_t log_file_id, int64_t vantage_id,
	struct tuple *ret_tuple);

/* Canonical text of 16 bytes; INET6_ADDRSTRLEN bytes of room. Returns buffer. */
const char *flowlog_ip_text(const uint8_t address[16], char *buffer);
