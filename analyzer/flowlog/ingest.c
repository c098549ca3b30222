#include "flowlog/ingest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/nsec.h"
#include "flowlog/carry.h"
#include "flowlog/keep.h"
#include "flowlog/session.h"
#include "read/digest.h"

#define PROBLEMS_KEPT 20 /* of one file */

sqlite3_stmt *flowlog_prepare(struct flowlog *f, const char *sql, struct error *err)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(f->db->handle, sql, -1, &s, NULL) != SQLITE_OK)
		(void)error_set(
			err, -EIO, "cannot read the database: %s", sqlite3_errmsg(f->db->handle));
	return s;
}

static char *ingest_copy_or_null(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

/* A database that has flow logs already goes on as it was begun. */
static int ingest_choose_keep(struct flowlog *f, struct error *err)
{
	int proof = f->earlier ? keep_is_proof(f->db, err) : f->options.proof;

	if (proof < 0)
		return proof;
	if (f->options.proof && !proof)
		return error_set(err, -EINVAL,
			"this database keeps all records: leave out --keep proof, or begin a new "
			"one");
	if (proof)
		f->keep = keep_new(f->db, f->options.memory / 16);
	return 0;
}

/* One transaction for the whole run. */
static int ingest_begin_keep(struct flowlog *f, struct error *err)
{
	int r;

	f->settled_s = flowlog_carry_settled_s(f->carry);
	if (f->earlier && !f->settled_s)
		return error_set(err, -EINVAL,
			"cannot add flow logs to this database: it was made with --keep proof and "
			"without --since last, so neither the records are there nor what the next "
			"run goes on from; analyze everything again");
	r = db_run(f->db, "cannot write", "BEGIN", err);
	return r == 0 ? keep_mark_proof(f->db, err) : r;
}

int flowlog_new(struct flowlog **ret, struct db *db, const struct flowlog_options *options,
	struct error *err)
{
	struct flowlog *f = mem_zalloc(sizeof(*f));
	uint64_t memory = options->memory ? options->memory : UINT64_C(1) << 30;
	int r;

	f->db = db;
	f->options = *options;
	f->options.memory = memory;
	f->format = ingest_copy_or_null(options->format);
	f->duckdb = ingest_copy_or_null(options->duckdb);
	f->folder = ingest_copy_or_null(options->folder);
	f->tuples = flowlog_tuples_new(memory / 2, f->folder);
	sums_init(&f->states, 2 * sizeof(uint32_t), sizeof(struct flowlog_state),
		(size_t)(memory / 16 / sizeof(struct flowlog_state)));
	sums_init(&f->drops, offsetof(struct flowlog_drops, first_ns), sizeof(struct flowlog_drops),
		(size_t)(memory / 32 / sizeof(struct flowlog_drops)));
	sums_init(&f->presence, 2 * sizeof(uint32_t), sizeof(struct flowlog_presence),
		(size_t)(memory / 32 / sizeof(struct flowlog_presence)));
	f->oldest_s = INT64_MAX;
	r = flowlog_load_previous(f, err);
	if (r == 0)
		r = ingest_choose_keep(f, err);
	if (r == 0 && options->carry) {
		f->carry = flowlog_carry_new(f);
		r = flowlog_carry_open(f->carry, err);
	}
	if (r == 0 && f->keep)
		r = ingest_begin_keep(f, err);
	if (r < 0) {
		(void)flowlog_free(f);
		return r;
	}
	*ret = f;
	return 0;
}

struct flowlog *flowlog_free(struct flowlog *f)
{
	if (!f)
		return NULL;
	(void)bulk_finish(f->bulk, NULL); /* only after a failure that was already told */
	if (f->keep && !sqlite3_get_autocommit(f->db->handle))
		(void)sqlite3_exec(f->db->handle, "ROLLBACK", NULL, NULL, NULL);
	f->keep = keep_free(f->keep);
	for (size_t i = 0; i < f->sources.count; i++)
		free(f->sources.names[i]);
	free(f->sources.names);
	free(f->files.source);
	free(f->files.list);
	free(f->skips.spans);
	free(f->format);
	free(f->duckdb);
	free(f->folder);
	flowlog_interfaces_release(&f->interfaces);
	f->tuples = flowlog_tuples_free(f->tuples);
	sums_release(&f->states);
	sums_release(&f->drops);
	sums_release(&f->presence);
	f->carry = flowlog_carry_free(f->carry);
	fingerprints_release(&f->seen);
	free(f);
	return NULL;
}

uint32_t flowlog_source_id(struct flowlog *f, const char *path)
{
	const char *base = strrchr(path, '/'), *at;
	size_t n;

	base = base ? base + 1 : path;
	at = strstr(base, "fl-");
	n = at ? 3 + strspn(at + 3, "0123456789abcdef") : 0;
	if (n < 8)
		return 0;
	for (size_t i = 0; i < f->sources.count; i++)
		if (!strncmp(f->sources.names[i], at, n) && !f->sources.names[i][n])
			return (uint32_t)i + 1;
	MEM_RESERVE(f->sources.names, f->sources.count, f->sources.cap);
	f->sources.names[f->sources.count++] = mem_strndup(at, n);
	return (uint32_t)f->sources.count;
}

void flowlog_set_source(struct flowlog *f, int64_t file_id, uint32_t source)
{
	size_t id = (size_t)file_id;

	if (id >= f->files.source_cap) {
		size_t cap = id + 64 + f->files.source_cap;

		f->files.source = mem_grow(f->files.source, cap, sizeof(*f->files.source));
		memset(f->files.source + f->files.source_cap, 0,
			(cap - f->files.source_cap) * sizeof(*f->files.source));
		f->files.source_cap = cap;
	}
	f->files.source[id] = source;
}

/* NODATA and SKIPDATA: silence and ignorance by the minute. */
static void ingest_take_state(struct flowlog *f, const struct flowlog_record *rec, int64_t vantage)
{
	uint32_t first, last;

	if (rec->start_ns < 0 || rec->end_ns < 0)
		return;
	first = (uint32_t)(rec->start_ns / NSEC_PER_SEC / 60);
	last = (uint32_t)(rec->end_ns / NSEC_PER_SEC / 60);
	for (uint32_t minute = first; minute <= last && minute - first < 16; minute++) {
		struct flowlog_state key = {.vantage = (uint32_t)vantage, .minute = minute}, *state;
		bool is_new;

		state = sums_get(&f->states, &key, &is_new);
		if (!state)
			return;
		state->nodata += rec->status == FLOWLOG_NODATA;
		state->skipdata += rec->status == FLOWLOG_SKIPDATA;
	}
	if (rec->status != FLOWLOG_SKIPDATA || f->skips.count == SKIPS_MAX)
		return;
	MEM_RESERVE(f->skips.spans, f->skips.count, f->skips.cap);
	f->skips.spans[f->skips.count++] = (struct flowlog_skip_span){.vantage = (uint32_t)vantage,
		.from_s = (uint32_t)(rec->start_ns / NSEC_PER_SEC),
		.to_s = (uint32_t)(rec->end_ns / NSEC_PER_SEC) + 1};
}

void flowlog_drops_add(struct sums *drops, const struct flowlog_drops *from)
{
	bool is_new;
	struct flowlog_drops *d = sums_get(drops, from, &is_new);

	if (!d)
		return;
	if (is_new) {
		*d = *from;
		return;
	}
	if (from->file < d->file || (from->file == d->file && from->line < d->line)) {
		d->file = from->file;
		d->line = from->line;
	}
	d->first_ns = from->first_ns < d->first_ns ? from->first_ns : d->first_ns;
	d->last_ns = from->last_ns > d->last_ns ? from->last_ns : d->last_ns;
	d->records += from->records;
	d->packets += from->packets;
}

static void ingest_take_drops(
	struct flowlog *f, const struct flowlog_record *rec, int64_t vantage, int64_t file_id)
{
	for (int reason = 0; reason < FLOWLOG_DROPS; reason++) {
		struct flowlog_drops d;

		if (rec->dropped.packets[reason] <= 0 || rec->start_ns < 0 || rec->end_ns < 0)
			continue;
		memset(&d, 0, sizeof(d));
		d.vantage = (uint32_t)vantage;
		d.reason = (uint32_t)reason;
		memcpy(d.src, rec->src.bytes, 16);
		memcpy(d.dst, rec->dst.bytes, 16);
		d.first_ns = rec->start_ns;
		d.last_ns = rec->end_ns;
		d.records = 1;
		d.packets = (uint64_t)rec->dropped.packets[reason];
		d.file = (uint32_t)file_id;
		d.line = (uint32_t)rec->line;
		flowlog_drops_add(&f->drops, &d);
	}
}

void flowlog_presence_add(struct sums *presence, const struct flowlog_presence *from)
{
	bool is_new;
	struct flowlog_presence *p = sums_get(presence, from, &is_new);

	if (p)
		p->minutes |= from->minutes;
}

static void ingest_take_presence(
	struct flowlog *f, const struct flowlog_record *rec, int64_t vantage)
{
	int64_t minute = rec->end_ns / NSEC_PER_SEC / 60;

	if (rec->start_ns < 0 || rec->end_ns < 0)
		return;
	flowlog_presence_add(&f->presence, &(struct flowlog_presence){.vantage = (uint32_t)vantage,
						   .word = (uint32_t)(minute / 64),
						   .minutes = UINT64_C(1) << minute % 64});
}

void flowlog_take_sums(struct flowlog *f, const struct flowlog_record *rec, int64_t file_id,
	const struct flowlog_interface *i)
{
	struct tuple tuple;

	ingest_take_presence(f, rec, i->vantage_id);
	if (rec->status == FLOWLOG_NODATA || rec->status == FLOWLOG_SKIPDATA)
		ingest_take_state(f, rec, i->vantage_id);
	if (rec->dropped.recorded)
		ingest_take_drops(f, rec, i->vantage_id, file_id);
	if (flowlog_tuple(rec, file_id, i->vantage_id, &tuple))
		flowlog_tuples_add(f->tuples, &tuple);
}

int64_t flowlog_take(struct flowlog *f, const struct flowlog_record *rec, int64_t file_id,
	uint32_t source, const char *name)
{
	struct flowlog_interface *i = flowlog_interface_of(&f->interfaces, rec->interface);

	if (!i)
		return DB_NONE;
	if (name && !i->host_name)
		i->host_name = mem_strdup(name);
	if (rec->start_ns >= 0 && rec->start_ns / NSEC_PER_SEC < f->oldest_s)
		f->oldest_s = rec->start_ns / NSEC_PER_SEC;
	flowlog_interface_add(i, rec, source);
	flowlog_take_sums(f, rec, file_id, i);
	return i->vantage_id;
}

static enum flowlog_disposition ingest_disposition_of(const struct flowlog_record *rec)
{
	return rec->status == FLOWLOG_NODATA	 ? FLOWLOG_LINE_NODATA
	       : rec->status == FLOWLOG_SKIPDATA ? FLOWLOG_LINE_SKIPDATA
						 : FLOWLOG_LINE_RECORD;
}

static void ingest_on_record(void *context, const struct flowlog_record *rec)
{
	struct flowlog *f = context;
	int64_t vantage;

	if (f->settled_s && rec->start_ns >= 0 && rec->start_ns / NSEC_PER_SEC < f->settled_s) {
		f->reading.late[ingest_disposition_of(rec)]++;
		return;
	}
	vantage = flowlog_take(f, rec, f->reading.file_id, f->reading.source, f->reading.name);
	if (f->keep)
		keep_add(f->keep, rec, vantage);
	else
		flowlog_row(f->bulk, rec, f->reading.file_id, vantage);
	f->next_record_id++;
}

/* The start of what was wrong, fit to be printed. */
static char *ingest_printable(const void *text, size_t n)
{
	char *copy = mem_strndup(text, n < 120 ? n : 120);

	for (size_t i = 0; i < n && i < 120; i++)
		if ((unsigned char)(copy[i] - 0x20) > 0x7e - 0x20)
			copy[i] = '?';
	return copy;
}

static void ingest_on_problem(
	void *context, uint64_t line, const char *reason, const void *text, size_t n)
{
	struct flowlog *f = context;
	struct flowlog_counts *c = f->reading.counts;

	if (f->reading.problem_count == PROBLEMS_KEPT)
		return;
	if (!f->reading.problems)
		f->reading.problems = mem_array(PROBLEMS_KEPT, sizeof(*f->reading.problems));
	f->reading.problems[f->reading.problem_count++] = (struct flowlog_problem){
		.line = line, .reason = mem_strdup(reason), .text = ingest_printable(text, n)};
	if (!c->first_problem[0])
		(void)snprintf(c->first_problem, sizeof(c->first_problem), "%.120s:%llu: %s",
			f->reading.path, (unsigned long long)line, reason);
}

/* The fingerprint of a file, without reading what is in it. */
static int ingest_fingerprint(const char *path, char ret[33], struct error *err)
{
	struct source *s;
	uint64_t hash[2];
	char sha[65];
	int r = source_open(&s, path, false, err);

	if (r < 0)
		return r;
	source_finish(s, hash, sha);
	digest_text(hash, ret);
	(void)source_close(s);
	return 0;
}

/* The file of the same content that was read before, or NULL. Only a file of the same size is
 * hashed. */
static int ingest_find_known(struct flowlog *f, const char *path, uint64_t size,
	const struct flowlog_known_file **ret, struct error *err)
{
	char hash[33] = "";

	*ret = NULL;
	for (size_t i = 0; size && i < f->files.count; i++) {
		if (f->files.list[i].bytes != size)
			continue;
		if (!hash[0]) {
			int r = ingest_fingerprint(path, hash, err);

			if (r < 0)
				return r;
		}
		if (!strcmp(hash, f->files.list[i].hash)) {
			*ret = &f->files.list[i];
			return 0;
		}
	}
	return 0;
}

static void ingest_store_account(struct flowlog *f, const uint64_t account[FLOWLOG_DISPOSITIONS])
{
	sqlite3_stmt *s = db_insert(f->db, TABLE_LOG_ACCOUNT);

	for (int d = 0; d < FLOWLOG_DISPOSITIONS; d++) {
		if (!account[d])
			continue;
		db_int(s, 1, f->reading.file_id);
		db_text(s, 2, flowlog_disposition_name((enum flowlog_disposition)d));
		db_int(s, 3, (int64_t)account[d]);
		db_step(f->db, s);
	}
}

static void ingest_store_problems(struct flowlog *f)
{
	sqlite3_stmt *s = db_insert(f->db, TABLE_LOG_PROBLEM);

	for (size_t i = 0; i < f->reading.problem_count; i++) {
		struct flowlog_problem *p = &f->reading.problems[i];

		db_int(s, 1, f->reading.file_id);
		db_int_or_null(s, 2, p->line ? (int64_t)p->line : DB_NONE);
		db_text(s, 3, p->reason);
		db_text(s, 4, p->text[0] ? p->text : NULL);
		db_step(f->db, s);
		free(p->reason);
		free(p->text);
	}
	free(f->reading.problems);
	f->reading.problems = NULL;
	f->reading.problem_count = 0;
}

static void ingest_store_seen(struct flowlog *f)
{
	sqlite3_stmt *s;

	if (!fingerprints_fresh(&f->seen))
		return;
	s = db_insert(f->db, TABLE_FLOW_LOG_SEEN);
	for (uint32_t i = 0; i < fingerprints_fresh(&f->seen); i++) {
		db_int(s, 1, (int64_t)fingerprints_fresh_at(&f->seen, i));
		db_step(f->db, s);
	}
	fingerprints_kept(&f->seen);
}

static void ingest_store_file(struct flowlog *f, const char *path, enum flowlog_format format,
	uint64_t records, uint64_t bytes, const char *hash, const char *damaged)
{
	sqlite3_stmt *s = db_insert(f->db, TABLE_LOG_FILE);

	db_int(s, 1, f->reading.file_id);
	db_text(s, 2, path);
	db_text(s, 3, flowlog_format_name(format));
	db_int(s, 4, (int64_t)records);
	db_int(s, 5, (int64_t)bytes);
	db_text(s, 6, hash);
	db_text(s, 7, damaged && damaged[0] ? damaged : NULL);
	db_step(f->db, s);
}

static void ingest_remember_file(struct flowlog *f, uint64_t bytes, const char *hash)
{
	struct flowlog_known_file *k;

	MEM_RESERVE(f->files.list, f->files.count, f->files.cap);
	k = &f->files.list[f->files.count++];
	*k = (struct flowlog_known_file){.id = f->reading.file_id, .bytes = bytes};
	memcpy(k->hash, hash, sizeof(k->hash));
}

static int64_t ingest_lines_of(struct flowlog *f, int64_t file_id)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_file_lines, NULL);
	int64_t lines = 0;

	db_int(s, 1, file_id);
	if (sqlite3_step(s) == SQLITE_ROW)
		lines = sqlite3_column_int64(s, 0);
	(void)sqlite3_finalize(s);
	return lines;
}

/* Content that was read before: in this run it is accounted for, from an earlier one nothing is
 * new. */
static int ingest_take_duplicate(struct flowlog *f, const char *path,
	const struct flowlog_known_file *known, enum flowlog_format format,
	struct flowlog_counts *ret)
{
	uint64_t account[FLOWLOG_DISPOSITIONS] = {0};

	if (known->earlier)
		return FLOWLOG_OUTCOME_KNOWN;
	f->reading.file_id = f->files.next_id++;
	account[FLOWLOG_LINE_DUPLICATE] = ret->lines = (uint64_t)ingest_lines_of(f, known->id);
	ingest_store_file(f, path, format, 0, known->bytes, known->hash, NULL);
	ingest_store_account(f, account);
	ret->log_file_id = f->reading.file_id;
	return FLOWLOG_OUTCOME_KNOWN;
}

static int ingest_run_with_text(
	struct flowlog *f, const char *sql, const char *text, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, sql, err);

	if (!s)
		return -EIO;
	db_text(s, 1, text);
	db_step(f->db, s);
	(void)sqlite3_finalize(s);
	return db_failed(f->db, err);
}

/* Rows of the file go in from here on; a database that was there before keeps a mark meanwhile. */
static int ingest_begin_rows(struct flowlog *f, struct error *err)
{
	char mark[64];
	int r = 0;

	memset(f->reading.late, 0, sizeof(f->reading.late));
	if (f->keep)
		return 0;
	if (!sqlite3_get_autocommit(f->db->handle))
		return error_set(
			err, -EBUSY, "bug: a transaction is open while flow logs are read");
	if (f->earlier) {
		(void)snprintf(mark, sizeof(mark), "%lld %lld", (long long)f->reading.file_id,
			(long long)f->next_record_id);
		r = ingest_run_with_text(f, schema_statement_flowlog_mark_pending, mark, err);
	}
	if (r == 0 && !f->bulk)
		r = bulk_new(&f->bulk, f->db, TABLE_FLOW_LOG, f->next_record_id, err);
	return r;
}

/* In a new database the loader goes on to the next file; in an old one every file is complete on
 * disk. */
static int ingest_end_rows(struct flowlog *f, struct error *err)
{
	struct bulk *b = f->bulk;

	if (!f->earlier || f->keep)
		return 0;
	f->bulk = NULL;
	return bulk_finish(b, err);
}

/* Records that came too late for a database that keeps no records are counted, and said. */
static void ingest_account_late(struct flowlog *f, struct flowlog_sink *sink)
{
	uint64_t late = 0;

	for (int d = 0; d < FLOWLOG_DISPOSITIONS; d++) {
		sink->account[d] -= f->reading.late[d];
		late += f->reading.late[d];
	}
	sink->account[FLOWLOG_LINE_LATE] += late;
	if (late)
		ingest_on_problem(f, 0,
			"has records that came too late for a database that keeps none "
			"(--keep proof): they are left out",
			"", 0);
}

static int ingest_end_file(struct flowlog *f, struct source *s, struct flowlog_sink *sink,
	enum flowlog_format format, struct error *err)
{
	struct flowlog_counts *c = f->reading.counts;
	uint64_t hash[2];
	char text[33], sha[65];
	bool own_transaction = f->earlier && !f->keep;
	int r = ingest_end_rows(f, err);

	ingest_account_late(f, sink);
	source_finish(s, hash, sha);
	digest_text(hash, text);
	c->bytes = source_stored_bytes(s);
	if (s->failure)
		(void)snprintf(c->damaged, sizeof(c->damaged), "%s", s->failure);
	for (int d = 0; d < FLOWLOG_DISPOSITIONS; d++)
		c->lines += sink->account[d];
	c->records = sink->account[FLOWLOG_LINE_RECORD];
	c->nodata = sink->account[FLOWLOG_LINE_NODATA];
	c->skipdata = sink->account[FLOWLOG_LINE_SKIPDATA];
	c->malformed = sink->account[FLOWLOG_LINE_MALFORMED];
	if (r == 0 && own_transaction)
		r = db_run(f->db, "cannot write", "BEGIN", err);
	ingest_store_file(f, f->reading.path, format, c->records, c->bytes, text, c->damaged);
	ingest_store_account(f, sink->account);
	ingest_store_problems(f);
	ingest_store_seen(f);
	ingest_remember_file(f, c->bytes, text);
	if (r == 0)
		r = db_run(f->db, "cannot write", schema_statement_flowlog_clear_pending, err);
	if (r == 0 && own_transaction)
		r = db_run(f->db, "cannot write", "COMMIT", err);
	if (r == 0)
		r = flowlog_tuples_failed(f->tuples, err);
	return r == 0 ? db_failed(f->db, err) : r;
}

/* A file of no use after all: as if it had not been there. */
static void ingest_drop_file(struct flowlog *f)
{
	for (size_t i = 0; i < f->reading.problem_count; i++) {
		free(f->reading.problems[i].reason);
		free(f->reading.problems[i].text);
	}
	f->reading.problem_count = 0;
	f->files.next_id--;
}

static int ingest_read_file(struct flowlog *f, struct source *s, const char *path,
	enum flowlog_format format, struct error *err)
{
	struct flowlog_sink sink = {
		.context = f, .record = ingest_on_record, .problem = ingest_on_problem};
	const struct flowlog_read_options options = {
		.format = f->format, .duckdb = f->duckdb, .seen = &f->seen};
	int r;

	f->reading.file_id = f->files.next_id++;
	f->reading.source = flowlog_source_id(f, path);
	flowlog_set_source(f, f->reading.file_id, f->reading.source);
	r = ingest_begin_rows(f, err);
	if (r == 0)
		r = flowlog_read(s, path, format, &options, &sink, err);
	if (r != 0) {
		ingest_drop_file(f);
		return r == FLOWLOG_READ_NOT_OURS	? FLOWLOG_OUTCOME_NOT_FLOWLOG
		       : r == FLOWLOG_READ_NEEDS_DUCKDB ? FLOWLOG_OUTCOME_NEEDS_DUCKDB
							: r;
	}
	f->reading.counts->log_file_id = f->reading.file_id;
	f->unfinished = true;
	return ingest_end_file(f, s, &sink, format, err);
}

/* A Parquet file is recognised by its magic; everything else by its text. */
static int ingest_take_source(
	struct flowlog *f, struct source *s, const char *path, struct error *err)
{
	enum flowlog_format format = flowlog_recognise_source(s, f->format);
	const struct flowlog_known_file *known;
	int r;

	if (!s->window.left && !s->failure)
		return FLOWLOG_OUTCOME_EMPTY;
	if (format == FLOWLOG_NOT_FLOWLOG)
		return FLOWLOG_OUTCOME_NOT_FLOWLOG;
	f->reading.counts->format = format;
	r = ingest_find_known(f, path, s->stored.size, &known, err);
	if (r < 0)
		return r;
	if (known)
		return ingest_take_duplicate(f, path, known, format, f->reading.counts);
	return ingest_read_file(f, s, path, format, err);
}

int flowlog_ingest(struct flowlog *f, const char *path, const char *name,
	struct flowlog_counts *ret, struct error *err)
{
	struct source *s;
	int r = source_open(&s, path, false, err);

	if (r < 0)
		return r;
	*ret = (struct flowlog_counts){0};
	f->reading.counts = ret;
	f->reading.path = path;
	f->reading.name = name;
	r = ingest_take_source(f, s, path, err);
	(void)source_close(s);
	return r;
}
