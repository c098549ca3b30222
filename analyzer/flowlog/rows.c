#include "flowlog/rows.h"

#include <arpa/inet.h>
#include <assert.h>

#include "base/address.h"
#include "base/nsec.h"

const char *flowlog_ip_text(const uint8_t address[16], char *buffer)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	/* The buffer is large enough for both. */
	if (!memcmp(address, prefix, 12))
		(void)inet_ntop(AF_INET, address + 12, buffer, INET6_ADDRSTRLEN);
	else
		(void)inet_ntop(AF_INET6, address, buffer, INET6_ADDRSTRLEN);
	return buffer;
}

static void rows_put_text(struct row *row, struct flowlog_text t)
{
	row_text_or_null(row, t.at, t.length);
}

static void rows_put_small(struct row *row, int32_t v)
{
	if (v < 0)
		row_null(row);
	else
		row_int(row, v);
}

static void rows_put_protocol(struct row *row, int32_t protocol)
{
	char buffer[8];
	const char *text = protocol_text(protocol, buffer);

	row_text_or_null(row, text, text ? strlen(text) : 0);
}

static const struct flowlog_text actions[] = {{NULL, 0}, {"ACCEPT", 6}, {"REJECT", 6}};
static const struct flowlog_text statuses[] = {
	{NULL, 0}, {"OK", 2}, {"NODATA", 6}, {"SKIPDATA", 8}};
static const struct flowlog_text directions[] = {{NULL, 0}, {"ingress", 7}, {"egress", 6}};

static void rows_put_words(struct row *row, const struct flowlog_record *rec)
{
	assert(rec->action < sizeof(actions) / sizeof(actions[0]));
	assert(rec->status < sizeof(statuses) / sizeof(statuses[0]));
	assert(rec->direction < sizeof(directions) / sizeof(directions[0]));
	rows_put_text(row, actions[rec->action]);
	rows_put_text(row, statuses[rec->status]);
	rows_put_small(row, rec->tcp_flags);
	rows_put_text(row, directions[rec->direction]);
}

void flowlog_row(struct bulk *bulk, const struct flowlog_record *rec, int64_t log_file_id,
	int64_t vantage_id)
{
	struct row *row = bulk_row(bulk);

	row_null(row); /* id: the rowid stands for it */
	row_int(row, log_file_id);
	row_int(row, (int64_t)rec->line);
	row_int_or_null(row, vantage_id);
	rows_put_text(row, rec->account);
	rows_put_text(row, rec->interface);
	rows_put_text(row, rec->src.text);
	rows_put_small(row, rec->src_port);
	rows_put_text(row, rec->dst.text);
	rows_put_small(row, rec->dst_port);
	rows_put_text(row, rec->pkt_src.text);
	rows_put_text(row, rec->pkt_dst.text);
	rows_put_protocol(row, rec->protocol);
	row_int_or_null(row, rec->packets);
	row_int_or_null(row, rec->bytes);
	row_int_or_null(row, rec->start_ns);
	row_int_or_null(row, rec->end_ns);
	rows_put_words(row, rec);
	row_int(row, rec->sampled);
	rows_put_text(row, rec->detail);
	(void)bulk_end(bulk);
}

static void rows_bind_text(sqlite3_stmt *s, int column, struct flowlog_text t)
{
	if (t.length)
		(void)sqlite3_bind_text(s, column, t.at, (int)t.length, SQLITE_STATIC);
	else
		db_null(s, column);
}

static void rows_bind_small(sqlite3_stmt *s, int column, int32_t v)
{
	db_int_or_null(s, column, v < 0 ? DB_NONE : v);
}

static void rows_bind_traffic(sqlite3_stmt *s, int c, const struct flowlog_record *rec)
{
	char protocol[8];

	rows_bind_text(s, c++, rec->src.text);
	rows_bind_small(s, c++, rec->src_port);
	rows_bind_text(s, c++, rec->dst.text);
	rows_bind_small(s, c++, rec->dst_port);
	rows_bind_text(s, c++, rec->pkt_src.text);
	rows_bind_text(s, c++, rec->pkt_dst.text);
	db_text(s, c++, protocol_text(rec->protocol, protocol));
	db_int_or_null(s, c++, rec->packets);
	db_int_or_null(s, c++, rec->bytes);
	db_int_or_null(s, c++, rec->start_ns);
	db_int_or_null(s, c++, rec->end_ns);
}

void flowlog_row_insert(
	struct db *db, const struct flowlog_record *rec, int64_t log_file_id, int64_t vantage_id)
{
	sqlite3_stmt *s = db_insert(db, TABLE_FLOW_LOG);

	db_null(s, 1); /* id: the next one */
	db_int(s, 2, log_file_id);
	db_int(s, 3, (int64_t)rec->line);
	db_int_or_null(s, 4, vantage_id);
	rows_bind_text(s, 5, rec->account);
	rows_bind_text(s, 6, rec->interface);
	rows_bind_traffic(s, 7, rec);
	rows_bind_text(s, 18, actions[rec->action]);
	rows_bind_text(s, 19, statuses[rec->status]);
	rows_bind_small(s, 20, rec->tcp_flags);
	rows_bind_text(s, 21, directions[rec->direction]);
	db_int(s, 22, rec->sampled);
	rows_bind_text(s, 23, rec->detail);
	db_step(db, s);
}

/*
 * Which side of the interface, where the record tells. An interface shows its own primary address
 * for every address it forwards, so the side where the packet's address differs is its own.
 */
static unsigned rows_side_of(const struct flowlog_record *rec)
{
	bool src = rec->pkt_src.text.length > 0, dst = rec->pkt_dst.text.length > 0;

	if (rec->direction == FLOWLOG_INGRESS)
		return TUPLE_INGRESS;
	if (rec->direction == FLOWLOG_EGRESS)
		return TUPLE_EGRESS;
	if (src != dst)
		return dst ? TUPLE_INGRESS : TUPLE_EGRESS;
	return 0;
}

static uint32_t rows_seconds(int64_t ns, bool up)
{
	int64_t s = ns / NSEC_PER_SEC;

	return (uint32_t)(s + (up && ns % NSEC_PER_SEC ? 1 : 0));
}

bool flowlog_tuple(const struct flowlog_record *rec, int64_t log_file_id, int64_t vantage_id,
	struct tuple *ret_tuple)
{
	struct tuple t;
	bool from_src = rec->pkt_src.text.length > 0, from_dst = rec->pkt_dst.text.length > 0;
	int64_t packets = rec->packets > 0 ? rec->packets : 0;

	if (rec->status != FLOWLOG_OK || !rec->src.text.length || !rec->dst.text.length ||
		rec->start_ns < 0 || rec->end_ns < 0 || vantage_id == DB_NONE)
		return false;
	memset(&t, 0, sizeof(t));
	memcpy(t.src, from_src ? rec->pkt_src.bytes : rec->src.bytes, 16);
	memcpy(t.dst, from_dst ? rec->pkt_dst.bytes : rec->dst.bytes, 16);
	t.bytes = (uint64_t)(rec->bytes < 0			     ? 0
			     : rec->bytes > (int64_t)TUPLE_BYTES_MAX ? (int64_t)TUPLE_BYTES_MAX
								     : rec->bytes) &
		  TUPLE_BYTES_MAX;
	t.packets = packets > UINT32_MAX ? UINT32_MAX : (uint32_t)packets;
	t.start_s = rows_seconds(rec->start_ns, false);
	t.end_s = rows_seconds(rec->end_ns, true);
	t.vantage = (uint32_t)vantage_id;
	t.file = (uint32_t)log_file_id;
	t.line = rec->line > UINT32_MAX ? 0 : (uint32_t)rec->line;
	t.src_port = rec->src_port > 0 ? (uint16_t)rec->src_port : 0;
	t.dst_port = rec->dst_port > 0 ? (uint16_t)rec->dst_port : 0;
	t.protocol = rec->protocol < 0 ? 0 : (uint8_t)rec->protocol;
	t.protocol_none = rec->protocol < 0;
	t.flags = rec->tcp_flags < 0 || rec->protocol != 6 ? TUPLE_NO_FLAGS
							   : (uint8_t)(rec->tcp_flags & 0x7f);
	t.bits =
		(uint8_t)(rows_side_of(rec) | (rec->action == FLOWLOG_REJECT ? TUPLE_REJECTED : 0) |
			  (rec->begins ? TUPLE_BEGINS : 0) |
			  (rec->oriented ? TUPLE_CLIENT_KNOWN : 0) |
			  (rec->from_server ? TUPLE_FROM_SERVER : 0) |
			  (rec->sampled ? TUPLE_SAMPLED : 0) |
			  (rec->src_port >= 0 || rec->dst_port >= 0 ? TUPLE_PORTS : 0));
	*ret_tuple = t;
	return true;
}
