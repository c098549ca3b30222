#include "flowlog/keep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/format/flowlog.h"
#include "flowlog/format/value.h"
#include "flowlog/rows.h"
#include "flowlog/sums.h"

struct hour_key {
	uint32_t vantage, hour;
	uint8_t src[16], dst[16];
	uint16_t port; /* the lower one: mostly the service's */
	uint8_t protocol, has_port, has_protocol, zero[3];
};

struct hour {
	struct hour_key key;
	uint64_t records, packets, bytes, rejected_records, rejected_packets;
};

_Static_assert(sizeof(struct hour_key) == 48, "hashed as bytes: no padding");

struct keep {
	struct db *db;
	struct sums hours;
};

struct keep *keep_new(struct db *db, uint64_t memory)
{
	struct keep *k = mem_zalloc(sizeof(*k));

	k->db = db;
	sums_init(&k->hours, sizeof(struct hour_key), sizeof(struct hour),
		(size_t)(memory / 2 / sizeof(struct hour)) + 1);
	return k;
}

struct keep *keep_free(struct keep *k)
{
	if (k)
		sums_release(&k->hours);
	free(k);
	return NULL;
}

static struct hour_key keep_key_of(const struct flowlog_record *rec, int64_t vantage_id)
{
	int32_t a = rec->src_port, b = rec->dst_port, port = a >= 0 && (b < 0 || a < b) ? a : b;
	struct hour_key key;

	memset(&key, 0, sizeof(key));
	key.vantage = (uint32_t)vantage_id;
	key.hour = (uint32_t)(rec->start_ns / NSEC_PER_SEC / 3600);
	memcpy(key.src, rec->pkt_src.text.length ? rec->pkt_src.bytes : rec->src.bytes, 16);
	memcpy(key.dst, rec->pkt_dst.text.length ? rec->pkt_dst.bytes : rec->dst.bytes, 16);
	key.port = port > 0 ? (uint16_t)port : 0;
	key.has_port = port >= 0;
	key.protocol = rec->protocol >= 0 ? (uint8_t)rec->protocol : 0;
	key.has_protocol = rec->protocol >= 0;
	return key;
}

void keep_add(struct keep *k, const struct flowlog_record *rec, int64_t vantage_id)
{
	struct hour_key key;
	struct hour *h;
	bool is_new;

	if (rec->status != FLOWLOG_OK || !rec->src.text.length || !rec->dst.text.length ||
		rec->start_ns < 0 || vantage_id == DB_NONE)
		return;
	key = keep_key_of(rec, vantage_id);
	h = sums_get(&k->hours, &key, &is_new);
	if (!h) {
		keep_write(k);
		h = sums_get(&k->hours, &key, &is_new);
	}
	h->records++;
	h->rejected_records += rec->action == FLOWLOG_REJECT;
	if (rec->packets > 0 && rec->action == FLOWLOG_REJECT)
		h->rejected_packets += (uint64_t)rec->packets;
	else if (rec->packets > 0)
		h->packets += (uint64_t)rec->packets;
	if (rec->bytes > 0 && rec->action != FLOWLOG_REJECT)
		h->bytes += (uint64_t)rec->bytes;
}

static void keep_write_hour(struct keep *k, const struct hour *h)
{
	sqlite3_stmt *s = db_insert(k->db, TABLE_FLOW_LOG_PAIR_HOUR);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], protocol[8];
	int c = 1;

	db_int(s, c++, h->key.vantage);
	db_int(s, c++, (int64_t)h->key.hour * 3600 * NSEC_PER_SEC);
	db_text(s, c++, flowlog_ip_text(h->key.src, src));
	db_text(s, c++, flowlog_ip_text(h->key.dst, dst));
	db_text(s, c++, protocol_text(h->key.has_protocol ? h->key.protocol : -1, protocol));
	db_int_or_null(s, c++, h->key.has_port ? h->key.port : DB_NONE);
	db_int(s, c++, (int64_t)h->records);
	db_int(s, c++, (int64_t)h->packets);
	db_int(s, c++, (int64_t)h->bytes);
	db_int(s, c++, (int64_t)h->rejected_records);
	db_int(s, c++, (int64_t)h->rejected_packets);
	db_step(k->db, s);
}

void keep_write(struct keep *k)
{
	sums_sort(&k->hours);
	for (size_t i = 0; i < k->hours.count; i++)
		keep_write_hour(k, sums_at(&k->hours, i));
	sums_clear(&k->hours);
}

int keep_is_proof(struct db *db, struct error *err)
{
	sqlite3_stmt *s = NULL;
	int r = 0;

	if (sqlite3_prepare_v2(db->handle, schema_statement_flowlog_keep, -1, &s, NULL) !=
		SQLITE_OK)
		return error_set(
			err, -EIO, "cannot read the database: %s", sqlite3_errmsg(db->handle));
	if (sqlite3_step(s) == SQLITE_ROW)
		r = sqlite3_column_int(s, 0) > 0;
	(void)sqlite3_finalize(s);
	return r;
}

int keep_mark_proof(struct db *db, struct error *err)
{
	return db_run(db, "cannot write", schema_statement_flowlog_keep_proof, err);
}

/* The cited lines of one file, in order. */
struct cited {
	struct db *db;
	int64_t file_id;
	char *path;
	int64_t *lines;
	size_t count, cap;
};

static int keep_by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t keep_vantage_of(struct db *db, struct flowlog_text interface)
{
	sqlite3_stmt *s = NULL;
	int64_t id = DB_NONE;

	if (sqlite3_prepare_v2(db->handle, schema_statement_flowlog_vantage, -1, &s, NULL) !=
		SQLITE_OK)
		return id;
	(void)sqlite3_bind_text(s, 1, interface.at, (int)interface.length, SQLITE_STATIC);
	if (sqlite3_step(s) == SQLITE_ROW)
		id = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return id;
}

static void keep_on_record(void *context, const struct flowlog_record *rec)
{
	const struct cited *c = context;
	int64_t line = (int64_t)rec->line;

	if (line >= c->lines[0] && line <= c->lines[c->count - 1] &&
		bsearch(&line, c->lines, c->count, sizeof(line), keep_by_number))
		flowlog_row_insert(c->db, rec, c->file_id, keep_vantage_of(c->db, rec->interface));
}

static void keep_on_problem(
	void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	(void)context, (void)line, (void)reason, (void)text, (void)n; /* told the first time */
}

/* A file that is gone meanwhile leaves its findings with the file's name and the line alone. */
static int keep_read_again(
	struct cited *c, const struct flowlog_options *options, struct error *err)
{
	struct fingerprints seen = {0};
	struct flowlog_sink sink = {
		.context = c, .record = keep_on_record, .problem = keep_on_problem};
	const struct flowlog_read_options how = {
		.format = options->format, .duckdb = options->duckdb, .seen = &seen};
	struct error ignored = ERROR_INIT;
	struct source *s;
	enum flowlog_format format;

	if (!c->count || source_open(&s, c->path, false, &ignored) < 0)
		return 0;
	format = flowlog_recognise_source(s, options->format);
	if (format != FLOWLOG_NOT_FLOWLOG)
		(void)flowlog_read(s, c->path, format, &how, &sink, &ignored);
	(void)source_close(s);
	fingerprints_release(&seen);
	return db_failed(c->db, err);
}

int flowlog_keep_cited(struct db *db, const struct flowlog_options *options, struct error *err)
{
	struct cited c = {.db = db};
	sqlite3_stmt *s = NULL;
	int r = keep_is_proof(db, err), step = SQLITE_ROW;

	if (r <= 0)
		return r;
	r = 0;
	if (sqlite3_prepare_v2(db->handle, schema_statement_flowlog_cited, -1, &s, NULL) !=
		SQLITE_OK)
		return error_set(
			err, -EIO, "cannot read the database: %s", sqlite3_errmsg(db->handle));
	while (r == 0 && step == SQLITE_ROW) {
		step = sqlite3_step(s);
		if (step != SQLITE_ROW || sqlite3_column_int64(s, 0) != c.file_id) {
			r = keep_read_again(&c, options, err);
			c.count = 0;
		}
		if (step != SQLITE_ROW)
			break;
		if (!c.count) {
			free(c.path);
			c.file_id = sqlite3_column_int64(s, 0);
			c.path = mem_strdup((const char *)sqlite3_column_text(s, 2));
		}
		MEM_RESERVE(c.lines, c.count, c.cap);
		c.lines[c.count++] = sqlite3_column_int64(s, 1);
	}
	(void)sqlite3_finalize(s);
	free(c.path);
	free(c.lines);
	return r;
}
