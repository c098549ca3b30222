#include "flowlog/format/gcp.h"

#include <stdlib.h>
#include <xxhash.h>

#include "flowlog/format/elements.h"
#include "flowlog/format/json.h"
#include "flowlog/format/pubsub.h"
#include "flowlog/format/value.h"

/* An entry may be delivered twice; these three identify it. Without an insertId nothing does. */
static bool gcp_is_new(struct fingerprints *seen, const json_t *entry)
{
	struct flowlog_text id = json_text_of(entry, "insertId"),
			    time = json_text_of(entry, "timestamp"),
			    log = json_text_of(entry, "logName");
	uint64_t h;

	if (!id.length)
		return true;
	h = XXH3_64bits(id.at, id.length);
	h = XXH3_64bits_withSeed(time.at ? time.at : "", time.length, h);
	h = XXH3_64bits_withSeed(log.at ? log.at : "", log.length, h);
	return fingerprints_add(seen, h);
}

static bool gcp_starts_with(struct flowlog_text t, const char *prefix)
{
	size_t n = strlen(prefix);

	return t.length >= n && !memcmp(t.at, prefix, n);
}

/* A VM, a gateway, or the address where the metadata was switched off. */
static struct flowlog_text gcp_reporter_name(
	const json_t *payload, bool source, const struct flowlog_ip *own)
{
	const json_t *vm = json_object_get(payload, source ? "src_instance" : "dest_instance");
	const json_t *gateway = json_object_get(payload, source ? "src_gateway" : "dest_gateway");
	struct flowlog_text name = json_text_of(vm, "vm_name");

	if (!name.length)
		name = json_text_of(gateway, "name");
	return name.length ? name : own->text;
}

static struct flowlog_text gcp_project(const json_t *payload, bool source)
{
	const json_t *vm = json_object_get(payload, source ? "src_instance" : "dest_instance");

	return json_text_of(vm, "project_id");
}

static bool gcp_port(const json_t *connection, const char *key, int32_t *ret)
{
	const json_t *value = json_object_get(connection, key);
	int64_t v;

	*ret = -1;
	if (!value || json_is_null(value))
		return true;
	if (!json_number_of(value, &v) || v > 65535)
		return false;
	*ret = (int32_t)v;
	return true;
}

static bool gcp_count(const json_t *payload, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get(payload, key);

	*ret = FLOWLOG_NONE;
	return !value || json_is_null(value) || json_number_of(value, ret);
}

/* Times of the packets seen; the log's own time does not stand in for them. NULL, or what is wrong.
 */
static const char *gcp_times(const json_t *payload, struct flowlog_record *rec)
{
	struct flowlog_text start = json_text_of(payload, "start_time"),
			    end = json_text_of(payload, "end_time");

	if (!end.length)
		end = start;
	if (!start.length)
		start = end; /* older entries lack it */
	if (!start.length)
		return "an entry without start_time and end_time";
	if (!value_rfc3339(start.at, start.length, &rec->start_ns) ||
		!value_rfc3339(end.at, end.length, &rec->end_ns))
		return "a time that is not RFC 3339";
	return rec->end_ns < rec->start_ns ? "the end is before the start" : NULL;
}

static const char *gcp_connection(
	const json_t *payload, char text[2][VALUE_IP_TEXT], struct flowlog_record *rec)
{
	const json_t *c = json_object_get(payload, "connection");
	struct flowlog_text src = json_text_of(c, "src_ip"), dst = json_text_of(c, "dest_ip");
	int64_t protocol = -1;
	const json_t *p = json_object_get(c, "protocol");

	if (!src.length || !dst.length || !value_ip(src.at, src.length, text[0], &rec->src) ||
		!value_ip(dst.at, dst.length, text[1], &rec->dst))
		return "an entry without addresses";
	if (!gcp_port(c, "src_port", &rec->src_port) || !gcp_port(c, "dest_port", &rec->dst_port))
		return "not a port";
	if (p && !json_is_null(p) && (!json_number_of(p, &protocol) || protocol > 255))
		return "not a protocol number";
	rec->protocol = (int32_t)protocol;
	return NULL;
}

static const char *gcp_fill(
	const json_t *payload, char text[2][VALUE_IP_TEXT], struct flowlog_record *rec)
{
	struct flowlog_text reporter = json_text_of(payload, "reporter");
	bool source = gcp_starts_with(reporter, "SRC");
	const char *wrong = gcp_connection(payload, text, rec);

	if (!wrong)
		wrong = gcp_times(payload, rec);
	if (wrong)
		return wrong;
	if (!source && !gcp_starts_with(reporter, "DEST"))
		return "an entry without a known reporter";
	if (!gcp_count(payload, "packets_sent", &rec->packets) ||
		!gcp_count(payload, "bytes_sent", &rec->bytes))
		return "not a count";
	rec->direction = source ? FLOWLOG_EGRESS : FLOWLOG_INGRESS;
	rec->transit = memmem(reporter.at, reporter.length, "GATEWAY", 7) != NULL;
	rec->interface = gcp_reporter_name(payload, source, source ? &rec->src : &rec->dst);
	rec->account = gcp_project(payload, source);
	return NULL;
}

/* What has no column: the payload without what has one, and the entry's id. Freed by the caller. */
static char *gcp_other_columns(json_t *entry, json_t *payload)
{
	static const char *const used[] = {
		"connection", "packets_sent", "bytes_sent", "start_time", "end_time"};
	json_t *id = json_object_get(entry, "insertId");

	for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		(void)json_object_del(payload, used[i]); /* may be absent */
	if (id)
		(void)json_object_set(payload, "insertId", id);
	return json_dumps(payload, JSON_COMPACT | JSON_SORT_KEYS);
}

static const char *gcp_take_entry(
	json_t *entry, uint64_t number, struct fingerprints *seen, struct flowlog_sink *sink)
{
	json_t *payload = json_object_get(entry, "jsonPayload");
	char text[2][VALUE_IP_TEXT], *detail;
	struct flowlog_record rec = {.line = number,
		.src_port = -1,
		.dst_port = -1,
		.protocol = -1,
		.tcp_flags = -1,
		.status = FLOWLOG_OK,
		.sampled = true};
	const char *wrong;

	if (!payload)
		payload = entry; /* the payload alone */
	if (!json_is_object(payload) || !json_object_get(payload, "connection")) {
		sink->account[FLOWLOG_LINE_OTHER]++;
		return NULL;
	}
	wrong = gcp_fill(payload, text, &rec);
	if (wrong)
		return wrong;
	if (!gcp_is_new(seen, entry)) {
		sink->account[FLOWLOG_LINE_DUPLICATE]++;
		return NULL;
	}
	/* The texts that rec points to must outlive the deletions below. */
	json_t *hold = json_copy(payload);

	detail = gcp_other_columns(entry, payload);
	if (detail)
		rec.detail = (struct flowlog_text){detail, strlen(detail)};
	sink->account[FLOWLOG_LINE_RECORD]++;
	sink->record(sink->context, &rec);
	free(detail);
	json_decref(hold);
	return NULL;
}

void gcp_read(struct source *s, struct fingerprints *seen, struct flowlog_sink *sink)
{
	struct elements e;
	const char *text;
	size_t n;

	elements_init(&e, s, sink);
	while (elements_next(&e, &text, &n)) {
		json_t *object = json_object_of(text, n), *carried = pubsub_entry(object);
		json_t *entry = carried ? carried : object;
		const char *wrong =
			entry ? gcp_take_entry(entry, e.number, seen, sink) : "not valid JSON";

		if (wrong)
			flowlog_malformed(sink, e.number, wrong, text, n);
		json_decref(carried);
		json_decref(object);
	}
}
