#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "flowlog/format/json.h"
#include "flowlog/format/value.h"
#include "flowlog/session.h"

static int previous_one_number(struct flowlog *f, const char *sql, int64_t *ret, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, sql, err);

	if (!s)
		return -EIO;
	*ret = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
	(void)sqlite3_finalize(s);
	return 0;
}

/* What a killed run was writing: nothing of that file counts, it will be read again. */
static int previous_remove_pending(struct flowlog *f, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_pending, err);
	long long file = 0, record = 0;

	if (!s)
		return -EIO;
	if (sqlite3_step(s) == SQLITE_ROW &&
		sscanf((const char *)sqlite3_column_text(s, 0), "%lld %lld", &file, &record) != 2)
		record = 0;
	(void)sqlite3_finalize(s);
	if (record <= 0)
		return 0;
	s = flowlog_prepare(f, schema_statement_flowlog_remove_records, err);
	if (!s)
		return -EIO;
	db_int(s, 1, record);
	db_step(f->db, s);
	(void)sqlite3_finalize(s);
	return db_failed(f->db, err);
}

static int previous_load_ids(struct flowlog *f, int64_t *ret_next_vantage, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_last_ids, err);

	if (!s)
		return -EIO;
	if (sqlite3_step(s) == SQLITE_ROW) {
		f->files.first_id = f->files.next_id = sqlite3_column_int64(s, 0) + 1;
		f->first_record_id = f->next_record_id = sqlite3_column_int64(s, 1) + 1;
		*ret_next_vantage = sqlite3_column_int64(s, 2) + 1;
	}
	(void)sqlite3_finalize(s);
	f->earlier = f->files.next_id > 1;
	return 0;
}

static const char *previous_column_text(sqlite3_stmt *s, int column)
{
	const unsigned char *text = sqlite3_column_text(s, column);

	return text ? (const char *)text : "";
}

static int previous_load_files(struct flowlog *f, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_files, err);

	if (!s)
		return -EIO;
	while (sqlite3_step(s) == SQLITE_ROW) {
		struct flowlog_known_file *k;
		int64_t id = sqlite3_column_int64(s, 0);

		MEM_RESERVE(f->files.list, f->files.count, f->files.cap);
		k = &f->files.list[f->files.count++];
		*k = (struct flowlog_known_file){
			.id = id, .bytes = (uint64_t)sqlite3_column_int64(s, 2), .earlier = true};
		(void)snprintf(k->hash, sizeof(k->hash), "%s", previous_column_text(s, 3));
		flowlog_set_source(f, id, flowlog_source_id(f, previous_column_text(s, 1)));
	}
	(void)sqlite3_finalize(s);
	return 0;
}

/* ENIs keep their numbers; new ones follow, so the known ones must be without a hole. */
static int previous_load_interfaces(struct flowlog *f, int64_t next_vantage, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_vantages, err);
	int r = 0;

	if (!s)
		return -EIO;
	flowlog_interfaces_init(&f->interfaces, next_vantage);
	while (r == 0 && sqlite3_step(s) == SQLITE_ROW) {
		const char *name = previous_column_text(s, 1), *host = previous_column_text(s, 2);
		int64_t id = sqlite3_column_int64(s, 0);
		struct flowlog_interface *i;

		if (!f->interfaces.count)
			f->interfaces.first_id = id;
		i = flowlog_interface_of(&f->interfaces, (struct flowlog_text){name, strlen(name)});
		if (!i || i->vantage_id != id)
			r = error_set(err, -EINVAL,
				"cannot add flow logs to this database: its vantage points are not "
				"in order; "
				"analyze everything again");
		else if (strcmp(name, host) != 0)
			i->host_name = mem_strdup(host);
	}
	(void)sqlite3_finalize(s);
	if (r == 0 && f->interfaces.count &&
		f->interfaces.first_id + (int64_t)f->interfaces.count != next_vantage)
		r = error_set(err, -EINVAL,
			"cannot add flow logs to this database: captures were added after them; "
			"analyze "
			"everything again");
	return r;
}

static int previous_load_seen(struct flowlog *f, struct error *err)
{
	sqlite3_stmt *s = flowlog_prepare(f, schema_statement_flowlog_seen, err);

	if (!s)
		return -EIO;
	while (sqlite3_step(s) == SQLITE_ROW)
		(void)fingerprints_add(&f->seen, (uint64_t)sqlite3_column_int64(s, 0));
	(void)sqlite3_finalize(s);
	fingerprints_kept(&f->seen);
	return 0;
}

int flowlog_load_previous(struct flowlog *f, struct error *err)
{
	int64_t next_vantage = 1, unfinished = 0;
	int r = previous_remove_pending(f, err);

	if (r == 0)
		r = previous_load_ids(f, &next_vantage, err);
	if (r == 0)
		r = previous_one_number(f, schema_statement_flowlog_unfinished, &unfinished, err);
	f->unfinished = unfinished > 0;
	if (r == 0)
		r = previous_load_files(f, err);
	if (r == 0)
		r = previous_load_interfaces(f, next_vantage, err);
	if (r == 0)
		r = previous_load_seen(f, err);
	return r;
}

static int64_t previous_number_or_none(sqlite3_stmt *s, int column)
{
	return sqlite3_column_type(s, column) == SQLITE_NULL ? FLOWLOG_NONE
							     : sqlite3_column_int64(s, column);
}

static int32_t previous_small_or_none(sqlite3_stmt *s, int column)
{
	return sqlite3_column_type(s, column) == SQLITE_NULL ? -1 : sqlite3_column_int(s, column);
}

static struct flowlog_text previous_text_of(sqlite3_stmt *s, int column)
{
	const char *text = previous_column_text(s, column);

	return (struct flowlog_text){text, strlen(text)};
}

static void previous_address_of(
	sqlite3_stmt *s, int column, char buffer[VALUE_IP_TEXT], struct flowlog_ip *ret)
{
	struct flowlog_text t = previous_text_of(s, column);

	if (t.length)
		(void)value_ip(t.at, t.length, buffer, ret); /* we wrote it */
}

static int32_t previous_protocol_number(const char *text)
{
	if (!*text)
		return -1;
	if (!strcmp(text, "tcp"))
		return 6;
	if (!strcmp(text, "udp"))
		return 17;
	if (!strcmp(text, "icmp"))
		return 1;
	if (!strcmp(text, "icmp6"))
		return 58;
	return atoi(text);
}

/* What a record says beyond its columns: kept in detail. */
static void previous_from_detail(struct flowlog_record *rec, const char *detail)
{
	static const char *const drops[FLOWLOG_DROPS] = {"packets-lost-no-route",
		"packets-lost-blackhole", "packets-lost-mtu-exceeded", "packets-lost-ttl-expired"};
	json_t *d = *detail ? json_object_of(detail, strlen(detail)) : NULL;
	struct flowlog_text state = json_text_of(d, "state");
	struct flowlog_text type = json_text_of(d, "interface-type"),
			    reporter = json_text_of(d, "reporter");
	int64_t v;

	for (int i = 0; i < FLOWLOG_DROPS; i++) {
		if (json_number_of(json_object_get(d, drops[i]), &v)) {
			rec->dropped.packets[i] = v;
			rec->dropped.recorded |= v > 0;
		}
	}
	rec->transit = json_text_of(d, "resource-type").length > 0 ||
		       (type.length && strstr(type.at, "nat_gateway")) ||
		       (reporter.length && strstr(reporter.at, "GATEWAY"));
	if (state.length) { /* Azure */
		rec->oriented = true;
		rec->begins = state.at[0] == 'B';
		rec->from_server = json_object_get(d, "reversed") != NULL;
	}
	json_decref(d);
}

static void previous_record_of(
	sqlite3_stmt *s, char ip_text[4][VALUE_IP_TEXT], struct flowlog_record *rec)
{
	const char *action = previous_column_text(s, 14), *status = previous_column_text(s, 15),
		   *direction = previous_column_text(s, 17);

	*rec = (struct flowlog_record){.line = (uint64_t)sqlite3_column_int64(s, 1),
		.interface = previous_text_of(s, 2),
		.src_port = previous_small_or_none(s, 4),
		.dst_port = previous_small_or_none(s, 6),
		.protocol = previous_protocol_number(previous_column_text(s, 9)),
		.packets = previous_number_or_none(s, 10),
		.bytes = previous_number_or_none(s, 11),
		.start_ns = previous_number_or_none(s, 12),
		.end_ns = previous_number_or_none(s, 13),
		.tcp_flags = previous_small_or_none(s, 16),
		.sampled = sqlite3_column_int(s, 18) != 0};
	previous_address_of(s, 3, ip_text[0], &rec->src);
	previous_address_of(s, 5, ip_text[1], &rec->dst);
	previous_address_of(s, 7, ip_text[2], &rec->pkt_src);
	previous_address_of(s, 8, ip_text[3], &rec->pkt_dst);
	rec->action = *action == 'A'   ? FLOWLOG_ACCEPT
		      : *action == 'R' ? FLOWLOG_REJECT
				       : FLOWLOG_ACTION_NONE;
	rec->status = *status == 'N'   ? FLOWLOG_NODATA
		      : *status == 'S' ? FLOWLOG_SKIPDATA
		      : *status	       ? FLOWLOG_OK
				       : FLOWLOG_STATUS_NONE;
	rec->direction = *direction == 'i'   ? FLOWLOG_INGRESS
			 : *direction == 'e' ? FLOWLOG_EGRESS
					     : FLOWLOG_DIRECTION_NONE;
	previous_from_detail(rec, previous_column_text(s, 19));
}

static void previous_take(
	struct flowlog *f, const struct flowlog_record *rec, int64_t file, bool interfaces_too)
{
	if (interfaces_too) {
		(void)flowlog_take(f, rec, file,
			(size_t)file < f->files.source_cap ? f->files.source[file] : 0, NULL);
	} else {
		const struct flowlog_interface *i =
			flowlog_interface_of(&f->interfaces, rec->interface);

		if (i)
			flowlog_take_sums(f, rec, file, i);
	}
}

int flowlog_take_previous(
	struct flowlog *f, int64_t after, int64_t last, bool interfaces_too, struct error *err)
{
	sqlite3_stmt *s;
	int step;

	if (!f->earlier)
		return 0;
	s = flowlog_prepare(f, schema_statement_flowlog_records, err);
	if (!s)
		return -EIO;
	db_int(s, 1, after);
	db_int(s, 2, last);
	while ((step = sqlite3_step(s)) == SQLITE_ROW) {
		char ip_text[4][VALUE_IP_TEXT];
		struct flowlog_record rec;
		int64_t file = sqlite3_column_int64(s, 0);

		previous_record_of(s, ip_text, &rec);
		previous_take(f, &rec, file, interfaces_too);
	}
	if (step != SQLITE_DONE)
		(void)error_set(
			err, -EIO, "cannot read the database: %s", sqlite3_errmsg(f->db->handle));
	(void)sqlite3_finalize(s);
	return step == SQLITE_DONE ? flowlog_tuples_failed(f->tuples, err) : -EIO;
}
